"""What canaries leave in the database: found by their one conversation, swept away after each."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from pymongo.asynchronous.database import AsyncDatabase
from pymongo.errors import DuplicateKeyError

from bot.domain.canary import CANARY
from bot.ports import Flight
from bot.store.documents import aware

Doc = dict[str, Any]
TURN = "canary"
NEVER = datetime(1970, 1, 1, tzinfo=UTC)


class MongoCanaries:
    """`bot.ports.Canaries` on MongoDB."""

    def __init__(self, db: AsyncDatabase[Doc], conversation: str) -> None:
        """*conversation*: the canary's own."""
        self._db = db
        self._conversation = conversation

    async def my_turn(self, every: float) -> bool:
        """Take the turn if it is due by the server's clock; of several processes one gets it."""
        due = {"$lte": ["$next_at", "$$NOW"]}
        later = [{"$set": {"next_at": {"$add": ["$$NOW", int(every * 1000)]}}}]
        with contextlib.suppress(DuplicateKeyError):
            await self._db["meta"].update_one({"_id": TURN}, {"$setOnInsert": {"next_at": NEVER}}, upsert=True)
        done = await self._db["meta"].update_one({"_id": TURN, "$expr": due}, later)
        return done.modified_count == 1

    async def arrived(self) -> Mapping[str, datetime]:
        """Return when its page reached each alert channel."""
        rows = self._db["alerts"].find({"kind": CANARY, "state": "sent"}, {"channel": 1, "sent_at": 1})
        return {row["channel"]: aware(row["sent_at"]) async for row in rows}

    async def sweep(self) -> None:
        """Remove it; nothing of it is a person's."""
        mine = {"conversation": self._conversation}
        cases = await self._db["cases"].distinct("_id", mine)
        await self._db["alerts"].delete_many({"kind": CANARY})
        await self._db["case_events"].delete_many({"case": {"$in": cases}})
        for name in ("cases", "outbox", "inbox"):
            await self._db[name].delete_many(mine)
        await self._db["conversations"].delete_one({"_id": self._conversation})

    async def record(self, flight: Flight) -> None:
        """Keep it."""
        row = {"at": flight.at, "arrived": dict(flight.arrived), "missing": list(flight.missing)}
        await self._db["canaries"].insert_one(row)

    async def last(self) -> Flight | None:
        """Return the newest."""
        row = await self._db["canaries"].find_one({}, sort=[("at", -1)])
        return Flight(aware(row["at"]), row["arrived"], tuple(row["missing"])) if row else None
