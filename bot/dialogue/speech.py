"""Voice first: what is said is also spoken, and digits or pictures answer."""

from __future__ import annotations

from dataclasses import replace

from bot.dialogue import answers
from bot.domain.conversation import Conversation, Turn
from bot.domain.messages import Lane, Reply

SILENT = ("core.source", "core.unverified")


def listen(conversation: Conversation) -> Turn:
    """Speak what was said last."""
    spoken = speakable(conversation.last_replies)
    return Turn(conversation, spoken or (answers.menu(),))


def switch_on(conversation: Conversation) -> Turn:
    """Speak from now on; the menu by digits and pictures."""
    menu = answers.menu("core.voice_menu")
    said = Reply("core.voice", choices=())
    return Turn(replace(conversation, voice=True), (said, menu))


def switch_off(conversation: Conversation) -> Turn:
    """Only write from now on."""
    return Turn(replace(conversation, voice=False), (answers.menu("core.text_only"),))


def aloud(turn: Turn) -> Turn:
    """Add the spoken words: before the written ones, but after them where a life may hang on seconds."""
    conversation = turn.conversation
    if not conversation.voice or conversation.silent or any(reply.spoken for reply in turn.replies):
        return turn
    spoken = speakable(turn.replies)
    urgent = any(reply.lane is Lane.DISTRESS for reply in turn.replies)
    return replace(turn, replies=(*turn.replies, *spoken) if urgent else (*spoken, *turn.replies))


def speakable(replies: tuple[Reply, ...]) -> tuple[Reply, ...]:
    """Return the replies as voice messages, without the lines that name a source."""
    return tuple(replace(reply, spoken=True) for reply in replies if not reply.message.startswith(SILENT))
