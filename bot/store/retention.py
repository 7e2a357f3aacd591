"""The clock of what is kept: words of no case, then cases, each after its time and never while a law keeps them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from pymongo.asynchronous.database import AsyncDatabase

from bot.domain.cases import Case
from bot.domain.retention import LEAD, WARNED_FOR, Terms
from bot.store.documents import aware, case_in
from bot.store.erasing import BARE, IDLE, outline
from bot.store.holds import KEPT, LET_GO, WAITS

Doc = dict[str, Any]
#: A conversation is looked at once a day, so many at a time.
LOOKED_AT_EVERY: Final = timedelta(days=1)
BATCH: Final = 200
MOST_LISTED: Final = 500
#: Cases that have a clock of their own: closed, of people, not gone, and not part of another case.
CLOSED: Final[Doc] = {
    "open": False, "erased": {"$ne": True}, "canary": {"$ne": True}, "merged_into": {"$in": [None, ""]},
    "kept_at": {"$not": {"$type": "date"}},
}  # fmt: skip


class MongoRetention:
    """`bot.ports.Retention` on MongoDB. Every step may be repeated, by any process."""

    def __init__(self, db: AsyncDatabase[Doc], terms: Terms) -> None:  # noqa: D107
        self._db = db
        self._cases = db["cases"]
        self._terms = terms

    async def announce(self, now: datetime) -> int:
        """Set the end of every case whose time is over within a week; a week from now at the earliest."""
        near = now - self._terms.case + WARNED_FOR
        fresh = {"$expr": {"$ne": ["$ends_for", "$closed_at"]}}
        term = {"$add": ["$closed_at", int(self._terms.case.total_seconds() * 1000)]}
        ends = {"$max": [term, now + WARNED_FOR]}
        change = [{"$set": {"ends_at": ends, "ends_for": "$closed_at"}}]
        done = await self._cases.update_many({**CLOSED, "closed_at": {"$lte": near}, **fresh}, change)
        later = {"ends_at": {"$type": "date"}, "closed_at": {"$gt": near}}
        await self._cases.update_many(later, {"$unset": {"ends_at": "", "ends_for": ""}})
        return done.modified_count

    async def ending(self) -> Sequence[Case]:
        """Return the cases whose end is set, the next first."""
        rows = self._cases.find({**CLOSED, "ends_at": {"$type": "date"}}).sort("ends_at", 1).limit(MOST_LISTED)
        return [case_in(row) async for row in rows]

    async def kept(self) -> Sequence[Case]:
        """Return the cases that a law keeps, the newest first."""
        rows = self._cases.find({**KEPT, "erased": {"$ne": True}}).sort("kept_at", -1).limit(MOST_LISTED)
        return [case_in(row) async for row in rows]

    async def asked_at(self, conversation_id: str) -> datetime | None:
        """Return when the person asked for what a law keeps from being erased; None if they did not."""
        row = await self._db["conversations"].find_one({"_id": conversation_id}, {WAITS: 1, LET_GO: 1}) or {}
        found = row.get(WAITS) or row.get(LET_GO)
        return aware(found) if found else None

    async def erase_cases(self, now: datetime) -> Sequence[str]:
        """Erase the cases whose end has come, with those merged into them; return their ids.

        A merged case that a law keeps by itself keeps the whole.
        """
        gone: list[str] = []
        due = {**CLOSED, "ends_at": {"$lte": now}, "closed_at": {"$lte": now - self._terms.case}}
        async for row in self._cases.find(due).limit(BATCH):
            along = await self._cases.find({"merged_into": row["_id"]}).to_list()
            if any(other.get("kept_at") for other in along):
                continue
            names = [row["_id"], *(other["_id"] for other in along)]
            people = [*(one["conversation"] for one in (row, *along)), *row.get("also", ())]
            await self._db["reports"].delete_many({"_id": {"$in": names}})
            await self._cases.update_many({"_id": {"$in": names}}, {"$set": {"also": []}})
            await outline(self._db, names)
            await self._look_again(people)
            gone += names
        return gone

    async def _look_again(self, people: Sequence[str]) -> None:
        """What was said in these conversations belongs to no case any more: it is looked at now, not tomorrow."""
        await self._db["conversations"].update_many({"_id": {"$in": list(people)}}, {"$unset": {"looked_at": ""}})

    async def trim(self, now: datetime) -> int:
        """Remove old words that belong to no case, and conversations in which nothing else is left; return how many."""
        due = {"$or": [{"looked_at": {"$exists": False}}, {"looked_at": {"$lte": now - LOOKED_AT_EVERY}}]}
        rows = await self._db["conversations"].find({**due, "erase_after": {"$exists": False}}).limit(BATCH).to_list()
        for row in rows:
            await self._trim(row, now)
        return len(rows)

    async def _trim(self, row: Doc, now: datetime) -> None:
        conversation, before = row["_id"], now - self._terms.chat
        mine = {"$or": [{"conversation": conversation}, {"also": conversation}]}
        opened = [aware(case["opened_at"]) async for case in self._cases.find(mine, {"opened_at": 1})]
        await self._drop(conversation, min([before, *(at - LEAD for at in opened)]))
        await self._db["conversations"].update_one({"_id": conversation}, {"$set": {"looked_at": now}})
        if not opened and await self._is_over(row, before):
            same = {"_id": conversation, "updated_at": row["updated_at"], "erase_after": {"$exists": False}}
            await self._db["conversations"].update_one(same, {"$set": {"erase_after": now, IDLE: True}})

    async def _drop(self, conversation: str, before: datetime) -> None:
        """Remove what was said and sent before then; what still waits for its answer or to be sent stays."""
        mine, old = {"conversation": conversation}, {"$lt": before}
        await self._db["outbox"].delete_many({**mine, "created_at": old, "open": {"$ne": True}})
        await self._db["inbox"].update_many({**mine, "received_at": old, "state": {"$ne": "waiting"}}, BARE)
        for name in ("media", "media_pieces"):
            await self._db[name].delete_many({**mine, "at": old})

    async def _is_over(self, row: Doc, before: datetime) -> bool:
        """Say whether nobody has said anything since then, and the person waits for no lessons and no notes."""
        said = [aware(row[name]) for name in ("updated_at", "heard_at") if name in row]
        if "updated_at" not in row or max(said) >= before:
            return False
        wanted = [
            await self._db[name].find_one({"_id": row["_id"]}, {"_id": 1}) for name in ("learners", "note_wishes")
        ]
        return not any(wanted)
