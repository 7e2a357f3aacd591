"""Telling people that what we keep of them may have been seen: who may be written to first, and when.

Nobody is written to first of whom nothing says that it is safe; they are told when they next write by themselves.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from bot.domain.conversation import Conversation
from bot.domain.lessons import FIRST_HOUR, INDIA, LAST_HOUR
from bot.domain.messages import WINDOW, ChannelName
from bot.domain.notices import NoticeState

#: So long after their own word somebody is still with us, and so long we let them read what they asked for.
IN_CONTACT: Final = timedelta(minutes=30)
READING: Final = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Breach:
    """One notice: for whoever has written since then; who prepared and who confirmed it."""

    number: int
    since: datetime
    made_by: str
    made_at: datetime
    state: NoticeState = NoticeState.DRAFT
    confirmed_by: str = ""
    confirmed_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class BreachReach:
    """The dry run, by channel: who is written to first, and who is told when they next write by themselves."""

    first: Mapping[str, int] = field(default_factory=dict)
    deferred: Mapping[str, int] = field(default_factory=dict)
    seconds: float = 0.0


class Step(StrEnum):
    """What is done about one person now: tell them, look again later, or wait until they write."""

    TELL = "tell"
    LATER = "later"
    DEFER = "defer"


def may_hear_first(channel: ChannelName, heard_at: datetime | None, now: datetime, *, record: bool) -> bool:
    """Say whether somebody may be written to who is not writing: a record says so, and the channel takes it."""
    fresh = heard_at is not None and now - heard_at < WINDOW
    return record and (channel is not ChannelName.WHATSAPP or fresh)


def next_step(conversation: Conversation, heard_at: datetime | None, now: datetime, *, record: bool) -> Step:
    """Decide about one person. *record*: something says that they can be written to (`bot.domain.contact`).

    Nobody is told while a case is open, while they may be watched, while somebody else has the phone, or before a
    question of ours is answered: above all whether they are in danger.
    """
    ago = now - heard_at if heard_at else None
    here = ago is not None and ago <= IN_CONTACT
    first = may_hear_first(conversation.channel, heard_at, now, record=record)
    if not here and not first:
        return Step.DEFER
    if not is_at_ease(conversation) or (ago is not None and ago < READING):
        return Step.LATER
    by_day = FIRST_HOUR <= now.astimezone(INDIA).hour < LAST_HOUR
    return Step.TELL if here or by_day else Step.LATER


def is_at_ease(conversation: Conversation) -> bool:
    """Say whether nothing else matters more to somebody just now."""
    troubled = conversation.open_case or conversation.silent or conversation.stranger or conversation.stopped
    asked = conversation.asked_if_in_danger or conversation.unanswered or conversation.flow
    return not (troubled or asked or conversation.erase_requested)
