"""How long what people told us is kept, by class; what a law keeps longer; and the warnings before it goes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

#: What was said this long before a case was opened belongs to it: it led there.
LEAD: Final = timedelta(days=1)
#: Before a case goes it is listed for so long, whatever the settings say by then.
WARNED_FOR: Final = timedelta(days=7)
LAST_CALL: Final = timedelta(hours=48)


class Nearness(StrEnum):
    """How near the end of a case's time is."""

    NONE = "none"
    SOON = "soon"
    LAST = "last"


@dataclass(frozen=True, slots=True)
class Terms:
    """chat: how long words are kept that belong to no case; case: how long a case is kept after it was closed."""

    chat: timedelta
    case: timedelta


@dataclass(frozen=True, slots=True)
class Span:
    """What of a conversation belongs to its cases: from `begins` to `ends`, both included. cases: their ids."""

    begins: datetime
    ends: datetime
    cases: tuple[str, ...]


def span_of(opened: Sequence[datetime], closed: Sequence[datetime], cases: Sequence[str]) -> Span:
    """Return what these cases cover together; *opened* and *closed* are when, at least one each."""
    return Span(min(opened) - LEAD, max(closed), tuple(cases))


def nearness(ends_at: datetime | None, now: datetime) -> Nearness:
    """Say how near the end is; None: none is set."""
    if ends_at is None or ends_at - now > WARNED_FOR:
        return Nearness.NONE
    return Nearness.LAST if ends_at - now <= LAST_CALL else Nearness.SOON
