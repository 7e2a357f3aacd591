"""People who write to us for the first time, counted over all processes."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Wave:
    """Who came within the last minutes: how many, how many of them were asked to wait, and by which poster most.

    poster: its code, "" if less than half came by one.
    """

    came: int
    late: int
    poster: str = ""


class Newcomers(Protocol):
    """How many new people come."""

    async def admit(self) -> bool:
        """Say whether one more can be answered in full now, and count that."""
        ...

    async def came(self, poster: str, now: datetime, *, late: bool) -> None:
        """Count somebody's first message; *poster*: the code they came by, or ""."""
        ...

    async def wave(self, now: datetime) -> Wave:
        """Return who came within the last minutes."""
        ...
