"""The numbers by which people ask how their report stands."""

from __future__ import annotations

from datetime import datetime
from typing import Protocol

from bot.domain.private import Private
from bot.domain.slips import Standing


class Slips(Protocol):
    """Looks numbers up; every question counts, whether its number is known or not."""

    async def standing(self, number: Private, conversation_id: str, now: datetime) -> Standing:
        """Return how the matter of this number stands; `LATER` to whoever, or while everybody together, asks too often.

        A known number and an unknown one cost the same reads and writes.
        """
        ...
