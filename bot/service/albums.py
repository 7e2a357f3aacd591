"""Pictures sent as one come as several messages: they are one turn, answered once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from bot.domain.conversation import Conversation, Forward, OpenCase, RaiseCase, Turn, Waiting
from bot.domain.messages import Lane

#: The parts of an album come within this time.
TOGETHER = timedelta(seconds=1)


def first_to_answer(waiting: Sequence[Waiting], now: datetime) -> Waiting | None:
    """Return the message that is next: of an album the part with words; None while more parts may be on their way."""
    first = waiting[0]
    if not first.message.album:
        return first
    parts = parts_of(first, waiting)
    said = next((part for part in parts if part.message.text), None)
    if said or now - first.message.received_at >= TOGETHER:
        return said or first
    return None


def parts_of(one: Waiting, waiting: Sequence[Waiting]) -> list[Waiting]:
    """Return the waiting messages of the same album, itself among them; just itself where it belongs to none."""
    if not one.message.album:
        return [one]
    return [item for item in waiting if item.message.album == one.message.album]


def is_answered(waiting: Waiting, conversation: Conversation) -> bool:
    """Say whether another part of the same album has had the answer."""
    return bool(waiting.message.album) and conversation.album == waiting.message.album


def beside(turn: Turn, before: Conversation) -> Turn:
    """Return what a further part leads to: danger as always, else nothing but that a responder sees it."""
    grave = any(isinstance(effect, OpenCase | RaiseCase) for effect in turn.effects)
    if grave or any(reply.lane is Lane.DISTRESS for reply in turn.replies):
        return turn
    seen = replace(before, seen_at=turn.conversation.seen_at)
    return Turn(seen, (), tuple(effect for effect in turn.effects if isinstance(effect, Forward)))


def answered(turn: Turn, waiting: Waiting) -> Turn:
    """Remember that this album has had its answer."""
    if not waiting.message.album:
        return turn
    return replace(turn, conversation=replace(turn.conversation, album=waiting.message.album))
