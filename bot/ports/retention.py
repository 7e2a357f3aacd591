"""The clock of what is kept."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from bot.domain.cases import Case


class Retention(Protocol):
    """What is kept, for how long, and what a law keeps longer; every step may be repeated, by any process."""

    async def announce(self, now: datetime) -> int:
        """Set the end of every case whose time is over soon, a week ahead at least; return of how many."""
        ...

    async def ending(self) -> Sequence[Case]:
        """Return the cases whose end is set, the next first."""
        ...

    async def kept(self) -> Sequence[Case]:
        """Return the cases that a law keeps, the newest first."""
        ...

    async def asked_at(self, conversation_id: str) -> datetime | None:
        """Return when the person asked for what a law keeps from being erased; None if they did not."""
        ...

    async def erase_cases(self, now: datetime) -> Sequence[str]:
        """Erase the cases whose end has come; return their ids."""
        ...

    async def trim(self, now: datetime) -> int:
        """Remove old words that belong to no case; return how many conversations were looked at."""
        ...
