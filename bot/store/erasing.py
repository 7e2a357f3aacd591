"""Erasing a person who asked for it: the key first, so that a crash leaves only work to repeat."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from pymongo import AsyncMongoClient
from pymongo.asynchronous.client_session import AsyncClientSession
from pymongo.asynchronous.database import AsyncDatabase

from bot.store import moves
from bot.store.documents import aware, open_case_of
from bot.store.mongo import in_transaction
from bot.store.reports import MongoReports
from bot.store.sealed import Sealer
from bot.store.wishes import Wishes

Doc = dict[str, Any]
FAREWELL_PATIENCE = timedelta(seconds=60)
IN_FLIGHT = timedelta(seconds=2)


class Eraser:
    """Erases conversations, their messages, files and answers; of a case only its bare outline stays."""

    def __init__(
        self,
        client: AsyncMongoClient[Doc],
        db: AsyncDatabase[Doc],
        sealer: Sealer,
        reports: MongoReports,
        wishes: Wishes,
    ) -> None:
        """Nothing is connected here."""
        self._client = client
        self._db = db
        self._sealer = sealer
        self._reports = reports
        self._wishes = wishes

    async def erase_due(self, now: datetime) -> int:
        """Erase the conversations that asked for it; return how many are gone.

        In two steps, so that a message which arrives meanwhile is never sealed under a key about to be destroyed:
        first the key is set aside (whoever writes again gets a new one), then, when nothing under it waits, destroyed.
        """
        erased = 0
        async for row in self._db["conversations"].find({"erase_after": {"$lte": now}}):
            if "key_aside_at" not in row or row["key_aside_at"] < row["erase_after"]:  # or wished a second time
                await self._sealer.set_aside(row["_id"])
                await self._db["conversations"].update_one({"_id": row["_id"]}, {"$set": {"key_aside_at": now}})
            elif now - aware(row["key_aside_at"]) > IN_FLIGHT and not await self._unfinished(row, now):
                await self._erase(row)
                erased += 1
        return erased

    async def _unfinished(self, row: Doc, now: datetime) -> bool:
        """Say whether something still waits: an open case, a message to answer, or (for a minute) one to send."""
        mine = {"conversation": row["_id"]}
        if await self._db["cases"].find_one(open_case_of(row["_id"]), {"_id": 1}):
            return True
        if await self._db["inbox"].find_one({**mine, "state": "waiting"}, {"_id": 1}):
            return True
        sending = await self._db["outbox"].find_one({**mine, "open": True}, {"_id": 1})
        return bool(sending) and now - aware(row["erase_after"]) < FAREWELL_PATIENCE

    async def _erase(self, row: Doc) -> None:
        """Destroy the key first: from that moment all is unreadable, and a crash leaves only work to repeat."""
        conversation, until = row["_id"], row["key_aside_at"]
        await self._sealer.shred_aside(conversation)
        await self._db["outbox"].delete_many({"conversation": conversation, "created_at": {"$lte": until}})
        await self._db["inbox"].update_many(
            {"conversation": conversation, "received_at": {"$lte": until}},
            {"$set": {"state": "erased"}, "$unset": {"sealed": "", "conversation": ""}},
        )
        for name in ("media", "media_pieces"):
            await self._db[name].delete_many({"conversation": conversation, "at": {"$lte": until}})
        await self._wishes.erase(conversation, until)
        await self._reports.erase(conversation, until)
        cases = {"conversation": conversation, "open": False}
        ids = await self._db["cases"].distinct("_id", cases)
        for name in ("case_events", "tasks", "approvals"):
            await self._db[name].update_many({"case": {"$in": ids}}, {"$unset": {"sealed": ""}})
        await self._db["cases"].update_many(
            cases,
            {
                "$set": {"conversation": "", "place": "", "district": "", "whereabouts": "", "erased": True},
                "$unset": {"told": ""},
            },
        )
        await self._db["cases"].update_many({"also": conversation}, {"$pull": {"also": conversation}})
        if not await self._forgotten(conversation, until):
            await self._db["conversations"].update_one(
                {"_id": conversation}, {"$unset": {"erase_after": "", "key_aside_at": ""}}
            )

    async def _forgotten(self, conversation: str, until: datetime) -> bool:
        """Delete the conversation and every id that led to it; False if the person has written since."""

        async def body(session: AsyncClientSession) -> bool:
            mine = {"_id": conversation, "updated_at": {"$lte": until}}
            gone = await self._db["conversations"].delete_one(mine, session=session)
            if gone.deleted_count:
                await moves.forget(self._db, conversation, session)
            return gone.deleted_count > 0

        return await in_transaction(self._client, body)
