"""The pace of sending, shared by all processes: one row per account and per contact, by the server's clock.

Each row holds the time at which the steady flow would have sent what has left already (GCRA, ITU-T I.371): sending may
run ahead of it by a burst. Losing a row to a crash costs nothing but a burst, so these writes wait for no majority.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from pymongo import ReturnDocument
from pymongo.asynchronous.collection import AsyncCollection
from pymongo.asynchronous.database import AsyncDatabase
from pymongo.errors import DuplicateKeyError
from pymongo.write_concern import WriteConcern

from bot.domain.messages import ChannelName, Lane
from bot.domain.pace import Limit, Pace
from bot.ports import Due, Hold
from bot.store.portfolio import MongoPortfolio

Doc = dict[str, Any]
KEPT_MS = int(timedelta(days=1).total_seconds() * 1000)


class MongoPace:
    """`bot.ports.Pacer` on MongoDB."""

    def __init__(
        self, db: AsyncDatabase[Doc], paces: Mapping[ChannelName, Pace], portfolio: MongoPortfolio | None = None
    ) -> None:
        """Channels without a pace are not held up. *portfolio*: who may still be written to first today."""
        self._portfolio = portfolio
        self._rows = rows_of(db)
        self._paces = paces

    async def take(self, due: Due) -> Hold | None:
        """Take leave to send one message, or say who must wait and how long."""
        channel = due.address.channel
        pace = self._paces.get(channel)
        if not pace:
            return None
        if self._portfolio and (hold := await self._portfolio.take(due)):
            return hold
        if wait := await take(self._rows, channel.value, pace.account, due.message.lane):
            return Hold("account", wait / 1000)
        if wait := await take(self._rows, self._contact(due), pace.contact, due.message.lane):
            back = [{"$set": {"at": {"$subtract": ["$at", pace.account.every_ms]}}}]
            await self._rows.update_one({"_id": channel.value}, back)
            return Hold("address", wait / 1000)
        return None

    async def pause(self, due: Due, scope: str, seconds: float) -> None:
        """Let nothing leave to this contact ("address") or at all ("account") for so long, as the platform asked."""
        name = self._contact(due) if scope == "address" else due.address.channel.value
        until = {"$max": [{"$ifNull": ["$until", "$$NOW"]}, {"$add": ["$$NOW", int(seconds * 1000)]}]}
        kept = {"$add": ["$$NOW", KEPT_MS]}
        await self._rows.update_one({"_id": name}, [{"$set": {"until": until, "expires_at": kept}}], upsert=True)

    def _contact(self, due: Due) -> str:
        return f"{due.address.channel}:{due.conversation_id}"


def rows_of(db: AsyncDatabase[Doc]) -> AsyncCollection[Doc]:
    """Return the rows of the pace, written without waiting for a majority."""
    return db.get_collection("pace", write_concern=WriteConcern(w=1))


async def take(rows: AsyncCollection[Doc], name: str, limit: Limit, lane: Lane) -> int:
    """Return 0 and count one under *name*, or the milliseconds to wait."""
    begun = {"$max": [{"$ifNull": ["$at", "$$NOW"]}, "$$NOW"]}
    early = {"$subtract": ["$begun", {"$add": ["$$NOW", limit.ahead_ms(lane)]}]}
    paused = {"$subtract": [{"$ifNull": ["$until", "$$NOW"]}, "$$NOW"]}
    counted = {"$cond": [{"$gt": ["$wait", 0]}, "$begun", {"$add": ["$begun", limit.every_ms]}]}
    steps: list[Doc] = [
        {"$set": {"begun": begun}},
        {"$set": {"wait": {"$max": [early, paused, 0]}}},
        {"$set": {"at": counted, "expires_at": {"$add": ["$$NOW", KEPT_MS]}}},
    ]
    try:
        row = await rows.find_one_and_update({"_id": name}, steps, upsert=True, return_document=ReturnDocument.AFTER)
    except DuplicateKeyError:
        return await take(rows, name, limit, lane)
    return int(row["wait"]) if row else 0
