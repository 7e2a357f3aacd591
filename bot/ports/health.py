"""What platforms say of how we stand with them, and what we remember of it."""

from __future__ import annotations

from datetime import datetime
from typing import Protocol

from bot.domain.health import Delivery, Standing


class DeliveryLook(Protocol):
    """Asks a platform how it brings us messages."""

    async def __call__(self) -> Delivery:
        """Return what it says. Raise `ChannelError`."""
        ...


class NumberLook(Protocol):
    """Asks a platform what it thinks of our number."""

    async def __call__(self) -> Standing:
        """Return what it says. Raise `ChannelError`."""
        ...


class HealthNotes(Protocol):
    """What is remembered from one look to the next, by whichever process."""

    async def behind_since(self, channel: str, now: datetime, *, behind: bool) -> datetime | None:
        """Keep when it fell behind, or that it is not; return since when it is."""
        ...

    async def keep_limit(self, channel: str, people: int) -> None:
        """Keep to how many people a day we may write first; 0: to all."""
        ...

    async def limit(self, channel: str) -> int | None:
        """Return that; None until the platform has said it."""
        ...
