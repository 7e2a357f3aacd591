"""What is remembered of the platforms: one row each."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from pymongo import ReturnDocument
from pymongo.asynchronous.database import AsyncDatabase

from bot.store.documents import aware


class MongoHealth:
    """`bot.ports.HealthNotes` on MongoDB."""

    def __init__(self, db: AsyncDatabase[dict[str, Any]]) -> None:  # noqa: D107
        self._rows = db["platform_health"]

    async def behind_since(self, channel: str, now: datetime, *, behind: bool) -> datetime | None:
        """Keep the first time it was seen behind, until it is not."""
        since = {"$ifNull": ["$since", now]} if behind else "$$REMOVE"
        row = await self._rows.find_one_and_update(
            {"_id": channel}, [{"$set": {"since": since}}], upsert=True, return_document=ReturnDocument.AFTER
        )
        return aware(row["since"]) if row and row.get("since") else None

    async def keep_limit(self, channel: str, people: int) -> None:
        """Keep to how many people a day we may write first."""
        await self._rows.update_one({"_id": channel}, {"$set": {"people_a_day": people}}, upsert=True)

    async def limit(self, channel: str) -> int | None:
        """Return it."""
        row = await self._rows.find_one({"_id": channel}, {"people_a_day": 1})
        return row.get("people_a_day") if row else None
