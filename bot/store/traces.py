"""Which messages are to vanish from a person's screen: the channel's ids, sealed with the messages themselves."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from pymongo.asynchronous.database import AsyncDatabase

from bot.domain.messages import Address, ChannelName
from bot.domain.private import Private
from bot.ports import Trace
from bot.store.documents import aware
from bot.store.sealed import Sealer, Unreadable

Doc = dict[str, Any]
#: No channel deletes what is older.
YOUNG_ENOUGH = timedelta(hours=48)
#: So long we wait for what is still being sent.
PATIENCE = timedelta(seconds=60)
SETTLED = {"forget_at": "", "forget_since": ""}


class MongoTraces:
    """`bot.ports.Traces` on MongoDB."""

    def __init__(self, db: AsyncDatabase[Doc], sealer: Sealer, channels: frozenset[str]) -> None:
        """Only conversations on *channels* are looked at: another process may serve the rest."""
        self._db = db
        self._sealer = sealer
        self._channels = sorted(channels)

    async def due(self, now: datetime) -> Sequence[Trace]:
        """Return those that are due and have nothing left to send."""
        query = {"forget_at": {"$lte": now}, "channel": {"$in": self._channels}}
        rows = await self._db["conversations"].find(query).to_list()
        return [trace for row in rows if (trace := await self._trace(row, now))]

    async def _trace(self, row: Doc, now: datetime) -> Trace | None:
        name, since = row["_id"], aware(row["forget_since"])
        sending = await self._db["outbox"].find_one({"conversation": name, "open": True}, {"_id": 1})
        if sending and now - since < PATIENCE:
            return None
        try:
            address = await self._sealer.open(f"address:{name}", row.get("address"))
        except Unreadable:
            await self._db["conversations"].update_one({"_id": name}, {"$unset": SETTLED})
            return None
        ids = (*await self._ours(name, now), *await self._theirs(name, now))
        return Trace(name, Address(ChannelName(row["channel"]), Private(address["address"])), ids, since)

    async def _ours(self, conversation: str, now: datetime) -> Sequence[Private]:
        query = {"conversation": conversation, "channel_id": {"$exists": True}}
        rows = self._db["outbox"].find({**query, "created_at": {"$gt": now - YOUNG_ENOUGH}})
        return [found async for row in rows if (found := await self._id(f"channel_id:{row['_id']}", row["channel_id"]))]

    async def _theirs(self, conversation: str, now: datetime) -> Sequence[Private]:
        rows = self._db["inbox"].find({"conversation": conversation, "received_at": {"$gt": now - YOUNG_ENOUGH}})
        return [found async for row in rows if (found := await self._id(f"inbox:{row['_id']}", row.get("sealed")))]

    async def _id(self, place: str, sealed: Any) -> Private | None:  # noqa: ANN401 - a sealed box, see `Sealer`
        try:
            name = (await self._sealer.open(place, sealed)).get("id", "")
        except Unreadable:
            return None
        return Private(name) if name else None

    async def later(self, trace: Trace, at: datetime) -> None:
        """Try again at *at*."""
        await self._db["conversations"].update_one(
            {"_id": trace.conversation_id, "forget_since": trace.since}, {"$set": {"forget_at": at}}
        )

    async def done(self, trace: Trace) -> None:
        """Settle it, unless the person has asked again since."""
        mine = {"_id": trace.conversation_id, "forget_since": trace.since}
        await self._db["conversations"].update_one(mine, {"$unset": SETTLED})
