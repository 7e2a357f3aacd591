"""Erasing a person who asked for it: the key first, so that a crash leaves only work to repeat.

What a law keeps stays until it is let go; all the rest goes at once.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from pymongo import AsyncMongoClient
from pymongo.asynchronous.client_session import AsyncClientSession
from pymongo.asynchronous.database import AsyncDatabase

from bot.domain.retention import Span
from bot.store import moves
from bot.store.documents import aware, open_case_of
from bot.store.holds import LET_GO, WAITS, is_kept, kept_of
from bot.store.mongo import in_transaction
from bot.store.reports import MongoReports
from bot.store.sealed import Sealer
from bot.store.wishes import Wishes

Doc = dict[str, Any]
FAREWELL_PATIENCE = timedelta(seconds=60)
IN_FLIGHT = timedelta(seconds=2)
#: The mark of a conversation that is erased because nobody writes there any more, not because its person asked.
IDLE = "erase_idle"
#: What is kept of an erased message, so that a redelivery is still known.
BARE: Doc = {"$set": {"state": "erased"}, "$unset": {"sealed": "", "conversation": ""}}


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
        """Erase the conversations that asked for it; return how many are gone, or gone but for what a law keeps.

        In two steps, so that a message which arrives meanwhile is never sealed under a key about to be destroyed:
        first the key is set aside (whoever writes again gets a new one), then, when nothing under it waits, destroyed.
        """
        erased = 0
        async for row in self._db["conversations"].find({"erase_after": {"$lte": now}}):
            if IDLE in row and "key_aside_at" not in row and row["updated_at"] > row["erase_after"]:
                await self._settle(row["_id"], "erase_after", IDLE)  # nobody asked for it, and they have written again
            elif "key_aside_at" not in row or row["key_aside_at"] < row["erase_after"]:  # or wished a second time
                if "key_aside_at" in row and await is_kept(self._db, row["_id"]):
                    await self._sealer.keep_aside(row["_id"], row["key_aside_at"].isoformat())
                await self._sealer.set_aside(row["_id"])
                await self._db["conversations"].update_one({"_id": row["_id"]}, {"$set": {"key_aside_at": now}})
            elif now - aware(row["key_aside_at"]) > IN_FLIGHT and not await self._unfinished(row, now):
                await self._erase(row)
                erased += 1
        return erased + await self._erase_let_go()

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
        if kept := await kept_of(self._db, conversation):
            await self._erase_around(row, kept)
            return
        await self._sealer.shred_aside(conversation)
        await self._sealer.shred_kept(conversation)
        await self._erase_rows(conversation, until)
        if not await self._forgotten(conversation, until):
            await self._settle(conversation, "erase_after", "key_aside_at", WAITS, IDLE)

    async def _erase_rows(self, conversation: str, until: datetime) -> None:
        """Remove all that is from before *until*, and leave the outlines of its cases."""
        await self._words_between(conversation, {"$lte": until})
        await self._wishes.erase(conversation, until)
        await self._reports.erase(conversation, until)
        closed = {"conversation": conversation, "open": False, "opened_at": {"$lte": until}}
        await outline(self._db, await self._db["cases"].distinct("_id", closed))
        await self._db["cases"].update_many({"also": conversation}, {"$pull": {"also": conversation}})

    async def _words_between(self, conversation: str, when: Doc) -> None:
        """Remove messages and files of a time."""
        mine = {"conversation": conversation}
        await self._db["outbox"].delete_many({**mine, "created_at": when})
        await self._db["inbox"].update_many({**mine, "received_at": when}, BARE)
        for name in ("media", "media_pieces"):
            await self._db[name].delete_many({**mine, "at": when})

    async def _erase_around(self, row: Doc, kept: Span) -> None:
        """Erase what no law keeps. The key is kept apart for what stays; whatever is said from now on has another."""
        conversation, until = row["_id"], row["key_aside_at"]
        await self._sealer.keep_aside(conversation, until.isoformat())
        for when in ({"$lt": kept.begins}, {"$gt": kept.ends, "$lte": until}):
            await self._words_between(conversation, when)
        await self._wishes.erase(conversation, until)
        await self._reports.erase(conversation, until, kept.cases)
        others = {"conversation": conversation, "open": False, "_id": {"$nin": list(kept.cases)}}
        await outline(self._db, await self._db["cases"].distinct("_id", others))
        silenced = {"follow_at": None, "told_reached": True}
        await self._db["cases"].update_many({"_id": {"$in": list(kept.cases)}}, {"$set": silenced})
        unsaid = {"_id": conversation, "updated_at": {"$lte": until}}
        await self._db["conversations"].update_one(unsaid, {"$unset": {"sealed": "", "unsure_since": ""}})
        await self._db["conversations"].update_one({"_id": conversation}, {"$set": {WAITS: until}})
        await self._settle(conversation, "erase_after", "key_aside_at")

    async def _erase_let_go(self) -> int:
        """Erase what a law kept of people who have written since; where one still does, it goes on waiting."""
        erased = 0
        async for row in self._db["conversations"].find({LET_GO: {"$exists": True}}):
            conversation, until = row["_id"], row[LET_GO]
            again = {**open_case_of(conversation), "opened_at": {"$lte": until}}
            if await kept_of(self._db, conversation):
                await self._db["conversations"].update_one({"_id": conversation}, {"$rename": {LET_GO: WAITS}})
            elif not await self._db["cases"].find_one(again, {"_id": 1}):
                await self._sealer.shred_kept(conversation)
                await self._erase_rows(conversation, until)
                await self._settle(conversation, LET_GO)
                erased += 1
        return erased

    async def _settle(self, conversation: str, *fields: str) -> None:
        await self._db["conversations"].update_one({"_id": conversation}, {"$unset": dict.fromkeys(fields, "")})

    async def _forgotten(self, conversation: str, until: datetime) -> bool:
        """Delete the conversation and every id that led to it; False if the person has written since."""

        async def body(session: AsyncClientSession) -> bool:
            mine = {"_id": conversation, "updated_at": {"$lte": until}}
            gone = await self._db["conversations"].delete_one(mine, session=session)
            if gone.deleted_count:
                await moves.forget(self._db, conversation, session)
            return gone.deleted_count > 0

        return await in_transaction(self._client, body)


async def outline(db: AsyncDatabase[Doc], cases: Sequence[str]) -> None:
    """Leave of these cases that they were, and when: no words, no place, nobody, and no number to ask by."""
    for name in ("case_events", "tasks", "approvals"):
        await db[name].update_many({"case": {"$in": list(cases)}}, {"$unset": {"sealed": ""}})
    bare = {"conversation": "", "place": "", "district": "", "whereabouts": "", "erased": True}
    await db["cases"].update_many(
        {"_id": {"$in": list(cases)}}, {"$set": bare, "$unset": {"told": "", "slip": "", "ends_at": ""}}
    )
