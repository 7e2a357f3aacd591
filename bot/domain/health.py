"""Whether a platform still brings us what people write, by what it says itself."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

#: A fault that the platform met so lately is one of now: it tries again ever more rarely.
RECENT: Final = timedelta(hours=1)
#: So many waiting messages are no breath between two deliveries.
MANY_PENDING: Final = 100
#: What waits at Telegram is lost after a day: so long it may last until somebody hears of it, and until they do hourly.
ALARM_AFTER: Final = timedelta(hours=1)
PAGE_AFTER: Final = timedelta(hours=4)
HOUR: Final = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Delivery:
    """How a platform brings messages. address: where to; pending: how many wait there; error: its last fault, and when.

    kinds: what it brings; none: everything.
    """

    address: str
    pending: int = 0
    error_at: datetime | None = None
    error: str = ""
    kinds: tuple[str, ...] = ()

    def is_behind(self, now: datetime) -> bool:
        """Say whether messages wait that are not merely on their way."""
        failing = self.error_at is not None and now - self.error_at < RECENT
        return self.pending > 0 and (failing or self.pending >= MANY_PENDING)

    def lacks(self, wanted: Collection[str]) -> list[str]:
        """Return the kinds of *wanted* that are not brought."""
        return sorted(set(wanted) - set(self.kinds)) if self.kinds else []


@dataclass(frozen=True, slots=True)
class Standing:
    """What the platform thinks of our number, in its own words ("" where it does not say): state, quality, limit."""

    status: str = ""
    quality: str = ""
    tier: str = ""

    def troubles(self) -> list[str]:
        """Return what is wrong with it."""
        found = [f"status {self.status}"] if self.status not in {"", "CONNECTED"} else []
        return found + ([f"quality {self.quality}"] if self.quality in {"RED", "YELLOW"} else [])


def call_number(since: datetime, now: datetime) -> int:
    """Return how many times somebody should have heard by *now*: once after an hour, hourly from the fourth on."""
    lasts = now - since
    if lasts < ALARM_AFTER:
        return 0
    return 1 if lasts < PAGE_AFTER else 2 + (lasts - PAGE_AFTER) // HOUR
