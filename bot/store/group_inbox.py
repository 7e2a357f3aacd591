"""What happened in the responders' group, sealed until it is handled, in order within each topic."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pymongo
from pymongo import ReturnDocument
from pymongo.asynchronous.database import AsyncDatabase
from pymongo.errors import DuplicateKeyError

from bot.domain.private import Private
from bot.domain.topics import GroupKind, GroupUpdate
from bot.store.leased import FREE, NEVER, lease
from bot.store.mongo import reachable
from bot.store.sealed import SERVICE, Sealer, Unreadable

Doc = dict[str, Any]
LEASE_MS = 30_000
#: A redelivery that comes later than this would be handled again.
REMEMBERED = timedelta(days=3)
CANDIDATES = 50


class MongoGroupInbox:
    """`bot.ports.GroupInbox` on MongoDB. Row id: keyed hash of the idempotency key."""

    def __init__(self, db: AsyncDatabase[Doc], sealer: Sealer, patience: float = 1.0) -> None:
        """Give up on a silent server after *patience* seconds: persons' messages may wait behind this."""
        self._rows = db["group_inbox"]
        self._sealer = sealer
        self._patience = patience

    async def add(self, update: GroupUpdate) -> bool:
        """Insert durably; False for a redelivery."""
        name = self._name(update)
        async with reachable():
            with pymongo.timeout(self._patience):
                words = {"sender": update.sender.reveal(), "text": update.text.reveal(), "query": update.query}
                row: Doc = {
                    "_id": name, "key": update.key, "number": update.number, "line": update.line, "chat": update.chat,
                    "kind": update.kind.value, "thread": update.thread, "message": update.message, "attempts": 0,
                    "state": "waiting", "not_before": NEVER,
                    "sealed": await self._sealer.seal(SERVICE, f"group_inbox:{name}", words),
                }  # fmt: skip
                try:
                    await self._rows.insert_one(row)
                except DuplicateKeyError:
                    return False
        return True

    async def next_due(self, owner: str) -> GroupUpdate | None:
        """Lease the oldest that is due and has no earlier one in its line."""
        due = {"$lte": ["$not_before", "$$NOW"]}
        query = {"state": "waiting", "$expr": {"$and": [FREE, due]}}
        async for row in self._rows.find(query).sort("number", 1).limit(CANDIDATES):
            earlier = {"state": "waiting", "line": row["line"], "number": {"$lt": row["number"]}}
            if await self._rows.find_one(earlier, {"_id": 1}):
                continue
            leased: Doc | None = await self._rows.find_one_and_update(
                {"_id": row["_id"], "state": "waiting", "$expr": FREE},
                [{"$set": {"lease": lease(owner, LEASE_MS)}}],
                return_document=ReturnDocument.AFTER,
            )
            if leased:
                return await self._open(leased)
        return None

    async def _open(self, row: Doc) -> GroupUpdate | None:
        try:
            words = await self._sealer.open(f"group_inbox:{row['_id']}", row["sealed"])
        except Unreadable:
            await self._close(row["_id"])
            return None
        return GroupUpdate(
            row["key"], row["number"], GroupKind(row["kind"]), row["chat"], Private(words["sender"]), row["thread"],
            row["message"], Private(words["text"]), words["query"], row["attempts"],
        )  # fmt: skip

    async def done(self, update: GroupUpdate) -> None:
        """Take the words out; the name stays, so that a redelivery is known."""
        await self._close(self._name(update))

    async def _close(self, name: str) -> None:
        until = datetime.now(UTC) + REMEMBERED  # noqa: TID251 - the edge's own clock
        fields = {"$set": {"state": "done", "expires_at": until}, "$unset": {"sealed": "", "lease": ""}}
        await self._rows.update_one({"_id": name}, fields)

    async def retry(self, update: GroupUpdate, seconds: float) -> int:
        """Put it back for later; return how often that was done."""
        later = {"$add": ["$$NOW", int(seconds * 1000)]}
        fields = {"not_before": later, "attempts": {"$add": ["$attempts", 1]}, "lease": "$$REMOVE"}
        row = await self._rows.find_one_and_update(
            {"_id": self._name(update)}, [{"$set": fields}], return_document=ReturnDocument.AFTER
        )
        return int(row["attempts"]) if row else 0

    def _name(self, update: GroupUpdate) -> str:
        return self._sealer.blind("group_inbox", update.key)
