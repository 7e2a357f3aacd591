"""Rights that one process has at a time, and things that are done once by all processes together."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pymongo
from pymongo.asynchronous.database import AsyncDatabase
from pymongo.errors import DuplicateKeyError

from bot.store.mongo import reachable
from bot.store.sealed import Sealer

Doc = dict[str, Any]
PATIENCE = 2.0


class MongoLeases:
    """Timed rights by name, timed by the server's clock; and marks for what is done."""

    def __init__(self, db: AsyncDatabase[Doc], sealer: Sealer, owner: str) -> None:
        """*owner* names this process."""
        self._rows = db["leases"]
        self._marks = db["marks"]
        self._sealer = sealer
        self._owner = owner

    async def hold(self, name: str, seconds: float) -> bool:
        """Take or keep the right called *name* for *seconds*; False if another has it. Raise `StoreUnavailable`."""
        mine_or_over = {"$or": [{"owner": self._owner}, {"$expr": {"$lt": ["$until", "$$NOW"]}}]}
        fields = {"owner": self._owner, "until": {"$add": ["$$NOW", int(seconds * 1000)]}}
        async with reachable():
            with pymongo.timeout(PATIENCE):
                taken = await self._rows.update_one({"_id": name, **mine_or_over}, [{"$set": fields}])
                return bool(taken.matched_count) or await self._first(name, fields)

    async def _first(self, name: str, fields: Doc) -> bool:
        mine = {"_id": name, "owner": self._owner}
        try:
            await self._rows.update_one(mine, [{"$set": fields}], upsert=True)
        except DuplicateKeyError:
            return False
        return True

    async def release(self, name: str) -> None:
        """Give the right back, if it is ours. Raise `StoreUnavailable`."""
        async with reachable():
            with pymongo.timeout(PATIENCE):
                await self._rows.delete_one({"_id": name, "owner": self._owner})

    async def once(self, name: str) -> bool:
        """Return True the first time that *name* is given; it is kept as a keyed hash. Raise `StoreUnavailable`."""
        row = {"_id": self._sealer.blind("mark", name), "at": datetime.now(UTC)}  # noqa: TID251 - the edge's own clock
        async with reachable():
            with pymongo.timeout(PATIENCE):
                try:
                    await self._marks.insert_one(row)
                except DuplicateKeyError:
                    return False
        return True
