"""Urgent notes to people who asked for them: for which place, in which languages, and whom one would reach."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

#: So long after it was confirmed a note is still sent; then it is no longer urgent.
LASTS = timedelta(hours=48)
LONGEST_TEXT = 350


class WhereKind(StrEnum):
    """What a note is about: a transit point by its code, a district by its name, a State by its code."""

    PLACE = "place"
    DISTRICT = "district"
    STATE = "state"


@dataclass(frozen=True, slots=True)
class Where:
    """A place that people asked about; *state* tells districts of one name apart."""

    kind: WhereKind
    name: str
    state: str = ""


class NoticeState(StrEnum):
    """A note, or a breach notice, is written, confirmed by a second person, and sent; or taken back."""

    DRAFT = "draft"
    CONFIRMED = "confirmed"
    CANCELLED = "cancelled"


NOTE: Final = "note"


def note_tag(number: int, locale: str) -> str:
    """Return by what the messages of a note are counted, beside the lessons'."""
    return f"{NOTE}:{number}:{locale}"


def note_number(tag: str) -> int | None:
    """Return the number of the note that a tag is of; None where it is a lesson's."""
    kind, _, rest = tag.partition(":")
    number = rest.partition(":")[0]
    return int(number) if kind == NOTE and number.isdecimal() else None


class NotConfirmable(Exception):
    """Whoever wrote a note may not confirm it, and nothing but a draft can be confirmed; nor may they send it again."""


@dataclass(frozen=True, slots=True)
class Notice:
    """A note: its words by locale, its place, who wrote and who confirmed it.

    again_at: when it was last sent once more to those whom it had not reached.
    """

    number: int
    where: Where
    texts: Mapping[str, str]
    made_by: str
    made_at: datetime
    state: NoticeState = NoticeState.DRAFT
    confirmed_by: str = ""
    confirmed_at: datetime | None = None
    again_at: datetime | None = None

    @property
    def sent_since(self) -> datetime | None:
        """When the time began for which it is sent."""
        return self.again_at or self.confirmed_at


@dataclass(frozen=True, slots=True)
class Reach:
    """Whom a note would reach, by channel: at once, or only when they write again (WhatsApp's window is over).

    other_language: people who read none of its languages, and get nothing. seconds: how long sending takes.
    """

    now: Mapping[str, int] = field(default_factory=dict)
    later: Mapping[str, int] = field(default_factory=dict)
    other_language: int = 0
    seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class Left:
    """How many a confirmed note has not reached: those whom it still waits for, and those for whom it came too late."""

    waiting: int = 0
    late: int = 0
