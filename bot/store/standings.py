"""Which channels refuse us at present: written by whoever sends, read by the pages that say where to write."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from pymongo.asynchronous.database import AsyncDatabase

from bot.domain.messages import ChannelName

Doc = dict[str, Any]


class MongoStandings:
    """`bot.ports.Standings` on MongoDB: a row for each channel that refuses our account, with the time since when."""

    def __init__(self, db: AsyncDatabase[Doc]) -> None:
        """Nothing is known before the first `refresh`."""
        self._rows = db["standings"]
        self.refused: frozenset[ChannelName] = frozenset()

    async def refresh(self) -> None:
        """Learn what other processes have met."""
        names = [row["_id"] async for row in self._rows.find({}, {"_id": 1})]
        self.refused = frozenset(ChannelName(name) for name in names if name in set(ChannelName))

    async def refuses(self, channel: ChannelName, *, afterwards: bool = False) -> None:
        """Remember since when, and when a report last said so; see the port."""
        if channel in self.refused and not afterwards:
            return
        fields: Doc = {"since": {"$ifNull": ["$since", "$$NOW"]}}
        if afterwards:
            fields["afterwards"] = "$$NOW"
        await self._rows.update_one({"_id": channel.value}, [{"$set": fields}], upsert=True)
        self.refused |= {channel}

    async def takes(self, channel: ChannelName, at: datetime | None = None) -> None:
        """Forget it; see the port."""
        if channel not in self.refused:
            return
        older = [{"afterwards": {"$lt": at}}] if at else []
        mine: Doc = {"_id": channel.value, "$or": [{"afterwards": None}, *older]}
        await self._rows.delete_one(mine)
        if not await self._rows.find_one({"_id": channel.value}, {"_id": 1}):
            self.refused -= {channel}
