"""The time by which the ladder climbs: it neither jumps with the machine's clock nor stands still while we are down.

A machine counts the seconds since it was started, whatever is done to its clock. Every process of one machine adds them
to the same base, which lies in the database; so a timer keeps its time over restarts and over steps of the clock. When
nothing waits, the base follows the clock again. Another machine, or a fresh start of this one, has a base of its own.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from pymongo import ReturnDocument
from pymongo.asynchronous.database import AsyncDatabase

Doc = dict[str, Any]
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
BOOT = Path("/proc/sys/kernel/random/boot_id")
#: Less than this is the clock being put right gently, not a jump.
JUMP = 0.5


def boot_id() -> str:
    """Return what tells one start of this machine from another; where the system does not say, of this process."""
    try:
        return BOOT.read_text().strip()
    except OSError:
        return secrets.token_hex(16)


def boot_seconds() -> float:
    """Return the seconds since the machine was started, those in which it slept included."""
    return time.clock_gettime(getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC))


class SteadyClock:
    """Call it for the time, UTC-aware."""

    def __init__(
        self,
        db: AsyncDatabase[Doc],
        wall: Callable[[], datetime],
        seconds: Callable[[], float] = boot_seconds,
        boot: str = "",
    ) -> None:
        """*wall* is the machine's clock; *seconds* only ever rises, evenly."""
        self._meta = db["meta"]
        self._wall = wall
        self._seconds = seconds
        self._id = f"clock:{boot or boot_id()}"
        self._base = self._from_wall()

    def __call__(self) -> datetime:
        """Return the time."""
        return EPOCH + timedelta(seconds=self._base + self._seconds())

    def _from_wall(self) -> float:
        return (self._wall() - EPOCH).total_seconds() - self._seconds()

    async def follow(self) -> None:
        """Take the base that all processes here share; the first one of them makes it."""
        row = await self._meta.find_one_and_update(
            {"_id": self._id},
            {"$setOnInsert": {"base": self._from_wall()}},
            upsert=True,
            return_document=ReturnDocument.AFTER,
        )
        self._base = row["base"] if row else self._base

    async def set_right(self) -> None:
        """Follow the machine's clock again; only while no timer runs."""
        base = self._from_wall()
        if abs(base - self._base) > JUMP:
            await self._meta.update_one({"_id": self._id}, {"$set": {"base": base}}, upsert=True)
            self._base = base
