"""Which channels refuse us at present: written by whoever sends, read by the pages that say where to write."""

from __future__ import annotations

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

    async def refuses(self, channel: ChannelName) -> None:
        """Remember since when; a second time changes nothing."""
        if channel not in self.refused:
            since = [{"$set": {"since": {"$ifNull": ["$since", "$$NOW"]}}}]
            await self._rows.update_one({"_id": channel.value}, since, upsert=True)
            self.refused |= {channel}

    async def takes(self, channel: ChannelName) -> None:
        """Something was sent there: forget it."""
        if channel in self.refused:
            await self._rows.delete_one({"_id": channel.value})
            self.refused -= {channel}
