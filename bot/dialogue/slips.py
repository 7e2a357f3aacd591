"""A message that is nothing but the number of a slip: its person asks how it stands."""

from __future__ import annotations

from bot.dialogue import answers, flows
from bot.dialogue.knowledge import Knowledge
from bot.domain.conversation import Conversation, Forward, LookUp, Turn
from bot.domain.messages import InboundMessage
from bot.domain.private import Private
from bot.domain.slips import number_in, numbers_in, without
from bot.domain.words import folded_words

GIVEN = "slip.given"


def asked(conversation: Conversation, message: InboundMessage, knowledge: Knowledge) -> str:
    """Return the number that is asked about, or "".

    The whole message is the number, or the bubble in which we gave it. Where a recruiter is being looked up, a number
    that stands on a list is that recruiter's.
    """
    text = message.text.reveal()
    number = "" if message.choice else number_in(text) or _forwarded(text, knowledge)
    if number and conversation.flow == "verify" and flows.names_listed(message, knowledge):
        return ""
    return number


def look_up(conversation: Conversation, number: str, knowledge: Knowledge) -> Turn:
    """Have it looked up; nothing else of the conversation changes. A new person is offered the languages beside it."""
    heard = (Forward(conversation.open_case),) if conversation.open_case else ()
    new = not conversation.locale and not conversation.open_case
    replies = (answers.choose_language(knowledge.content),) if new else ()
    return Turn(conversation, replies, (LookUp(Private(number)), *heard))


def _forwarded(text: str, knowledge: Knowledge) -> str:
    """Return the number in a copy of our own bubble, in whatever language we gave it."""
    found = numbers_in(text)
    if len(found) != 1:
        return ""
    rest = folded_words(without(text, found))
    content = knowledge.content
    ours = (content.words(code, GIVEN).replace("{number}", " ") for code in content.locales)
    return found[0] if any(folded_words(words) == rest for words in ours) else ""
