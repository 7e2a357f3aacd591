"""Urgent notes to people who asked for them: for which place, in which languages, and whom one would reach."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

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
    """A note is written, confirmed by a second person, and sent; or taken back."""

    DRAFT = "draft"
    CONFIRMED = "confirmed"
    CANCELLED = "cancelled"


class NotConfirmable(Exception):
    """Whoever wrote a note may not confirm it, and nothing but a draft can be confirmed."""


@dataclass(frozen=True, slots=True)
class Notice:
    """A note: its words by locale, its place, who wrote and who confirmed it."""

    number: int
    where: Where
    texts: Mapping[str, str]
    made_by: str
    made_at: datetime
    state: NoticeState = NoticeState.DRAFT
    confirmed_by: str = ""
    confirmed_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Reach:
    """Whom a note would reach, by channel: at once, or only when they write again (WhatsApp's window is over).

    other_language: people who read none of its languages, and get nothing. seconds: how long sending takes.
    """

    now: Mapping[str, int] = field(default_factory=dict)
    later: Mapping[str, int] = field(default_factory=dict)
    other_language: int = 0
    seconds: float = 0.0
