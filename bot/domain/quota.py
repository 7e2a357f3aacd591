"""How many files one person may send: what comes beyond it is named in the case, and neither fetched nor read."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

MEGA: Final = 1024 * 1024
HOUR: Final = timedelta(hours=1)
DAY: Final = timedelta(days=1)


class Room(StrEnum):
    """Whether there is room for one more file: yes; no, which the person is to be told; no, as they were told."""

    YES = "yes"
    FULL = "full"
    STILL_FULL = "still_full"


@dataclass(frozen=True, slots=True)
class Sent:
    """A file that was let in: when, and its size in bytes (0 until it is known)."""

    at: datetime
    size: int


@dataclass(frozen=True, slots=True)
class Most:
    """So many files and bytes *within* a time; no more is let in once either is reached."""

    within: timedelta
    files: int
    size: int

    def is_reached(self, sent: Iterable[Sent], now: datetime) -> bool:
        """Say whether *sent* fills it."""
        lately = [item for item in sent if now - item.at < self.within]
        return len(lately) >= self.files or sum(item.size for item in lately) >= self.size


@dataclass(frozen=True, slots=True)
class Quota:
    """What one person may send in an hour and in a day."""

    hour: Most
    day: Most

    def is_reached(self, sent: Iterable[Sent], now: datetime) -> bool:
        """Say whether *sent* fills the hour or the day."""
        found = list(sent)
        return self.hour.is_reached(found, now) or self.day.is_reached(found, now)

    def times(self, factor: int) -> Quota:
        """Return one so many times as large."""
        hour, day = (Most(most.within, most.files * factor, most.size * factor) for most in (self.hour, self.day))
        return Quota(hour, day)


@dataclass(frozen=True, slots=True)
class Quotas:
    """Pictures and papers; voice notes, on which people live who do not read; how many times more in a held case."""

    files: Quota
    voice: Quota
    held: int = 1

    def of(self, *, voice: bool, held: bool) -> Quota:
        """Return the one that holds. *held*: a responder has the person's case."""
        quota = self.voice if voice else self.files
        return quota.times(self.held) if held else quota


def read_quota(text: str) -> Quota:
    """Read "20/25,60/75": files and megabytes in an hour, then in a day. Raise `ValueError` for anything else."""
    parts = [part.partition("/") for part in text.replace(" ", "").split(",")]
    numbers = [(int(files), int(size)) for files, _, size in parts if files.isdecimal() and size.isdecimal()]
    if len(parts) != len(numbers) or len(numbers) != 2 or min(min(pair) for pair in numbers) < 1:  # noqa: PLR2004
        raise ValueError("needs files/MB an hour, then a day, such as 20/25,60/75")
    hour, day = numbers
    return Quota(Most(HOUR, hour[0], hour[1] * MEGA), Most(DAY, day[0], day[1] * MEGA))


#: What holds where nothing else was set.
DEFAULT_FILES: Final = "20/25,60/75"
DEFAULT_VOICE: Final = "60/30,300/120"
DEFAULT_HELD: Final = 5
DEFAULT: Final = Quotas(read_quota(DEFAULT_FILES), read_quota(DEFAULT_VOICE), DEFAULT_HELD)
