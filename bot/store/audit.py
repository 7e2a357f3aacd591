"""The audit: an append-only chain in which every line carries the hash of the one before it."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import hmac
import json
import re
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from pymongo.asynchronous.client_session import AsyncClientSession
from pymongo.asynchronous.database import AsyncDatabase
from pymongo.errors import DuplicateKeyError

from bot.ports import Stamp
from bot.store.documents import aware
from bot.store.mongo import in_transaction

Doc = dict[str, Any]
PAGE = 200
HEAD = "audit_head"
#: Written when lines are there but no head: once after an upgrade from a version without one, else it was removed.
HEAD_MADE = "audit head made anew"
#: Written when histories of cases lacked the proof of their end: once after an upgrade, else the proofs were removed.
HISTORIES_SIGNED = "case histories signed"
ONCE = frozenset({HEAD_MADE, HISTORIES_SIGNED})
#: A clock may be put right by so much; a line that is older than the one before it by more is pointed out.
SLACK = timedelta(minutes=1)


class Chain:
    """Checks lines one after the other, then the head: an edited, removed, moved or cut-off line is found."""

    def __init__(self, key: bytes) -> None:
        """*key* proves the head: who has only the database cannot make one, nor work out the chain anew."""
        self._key = key
        self.count = 0
        self.digest = ""
        self.set_back: list[int] = []
        self.made_anew: list[int] = []
        self._once: set[str] = set()
        self._at: datetime | None = None

    def take(self, line: Doc) -> None:
        """Check the next line. Raise `ValueError` naming the first that is wrong."""
        number = self.count + 1
        if line["number"] != number or line["previous"] != self.digest or line["digest"] != _digest(line):
            raise ValueError(f"audit line {number} was changed, removed or moved")
        at = aware(line["at"])
        if self._at and at < self._at - SLACK:
            self.set_back.append(number)
        if line["action"] in self._once:
            self.made_anew.append(number)
        self._once |= ONCE & {line["action"]}
        self.count, self.digest, self._at = number, line["digest"], at

    def close(self, head: Doc | None) -> None:
        """Check that the last line is the last that was written. Raise `ValueError`."""
        if not head:
            if self.count:
                raise ValueError("the head of the audit is missing: lines may have been cut off")
            return
        if head["mac"] != proof(self._key, head["number"], head["digest"]):
            raise ValueError("the head of the audit was changed")
        if (head["number"], head["digest"]) != (self.count, self.digest):
            raise ValueError(f"audit line {min(self.count, head['number']) + 1} was cut off or added")


def proof(key: bytes, number: int, digest: str) -> str:
    """Return the keyed proof of a head, hex."""
    return hmac.new(key, f"{number}:{digest}".encode(), hashlib.sha256).hexdigest()


class MongoAudit:
    """`bot.ports.Audit` on MongoDB; the head moves in the line's own transaction, so no two writers fork the chain."""

    def __init__(self, db: AsyncDatabase[Doc], key: bytes) -> None:
        """Lines name who, what and which id; never what a person told us. *key* proves the head."""
        self._client = db.client
        self._lines = db["audit"]
        self._meta = db["meta"]
        self._key = key
        self._turn = asyncio.Lock()

    async def record(self, stamp: Stamp, now: datetime) -> None:
        """Append one line. Within one process writers take turns, so that a crowd does not hold up one another."""
        async with self._turn:
            if not await self._meta.find_one({"_id": HEAD}, {"_id": 1}):
                await self._make_head(now)
            await self._append(stamp, now)

    async def _append(self, stamp: Stamp, now: datetime) -> None:
        at = now.replace(microsecond=now.microsecond // 1000 * 1000)

        async def body(session: AsyncClientSession) -> None:
            head = await self._meta.find_one_and_update({"_id": HEAD}, {"$inc": {"number": 1}}, session=session)
            assert head is not None  # noqa: S101 - made before, and never removed by us
            line: Doc = {
                "number": head["number"] + 1,
                "at": at,
                "who": stamp.who,
                "action": stamp.action,
                "about": stamp.about,
                "reason": stamp.reason,
                "extra": dict(stamp.extra),
                "previous": head["digest"],
            }
            digest = _digest(line)
            await self._lines.insert_one({**line, "digest": digest}, session=session)
            fields = {"digest": digest, "mac": proof(self._key, line["number"], digest)}
            await self._meta.update_one({"_id": HEAD}, {"$set": fields}, session=session)

        await in_transaction(self._client, body)

    async def _make_head(self, now: datetime) -> None:
        last = await self._lines.find_one({}, sort=[("number", -1)])
        number, digest = (last["number"], last["digest"]) if last else (0, "")
        fields = {"number": number, "digest": digest, "mac": proof(self._key, number, digest)}
        with contextlib.suppress(DuplicateKeyError):
            done = await self._meta.update_one({"_id": HEAD}, {"$setOnInsert": fields}, upsert=True)
            if last and done.upserted_id:
                await self._append(Stamp("audit", HEAD_MADE), now)

    async def find(
        self, *, who: str = "", action: str = "", about: str = "", before: int = 0, actions: Sequence[str] = ()
    ) -> list[Doc]:
        """Return the newest lines first: of one person, of actions that begin so, about one id, before a number."""
        query: Doc = {name: value for name, value in (("who", who), ("about", about)) if value}
        if action:
            query["action"] = {"$regex": f"^{re.escape(action)}"}
        if actions:
            query["action"] = {"$in": list(actions)}
        if before:
            query["number"] = {"$lt": before}
        return await self._lines.find(query, {"_id": 0}).sort("number", -1).limit(PAGE).to_list()

    async def latest(self, limit: int = 200) -> list[Doc]:
        """Return the newest lines first."""
        return await self._lines.find({}, {"_id": 0}).sort("number", -1).limit(limit).to_list()

    async def about(self, names: Sequence[str], action: str, limit: int = 200) -> list[Doc]:
        """Return the newest lines about any of these ids whose action begins with *action*."""
        query = {"about": {"$in": list(names)}, "action": {"$regex": f"^{re.escape(action)}"}}
        return await self._lines.find(query, {"_id": 0}).sort("number", -1).limit(limit).to_list()

    async def abouts(self, who: str, action: str, since: datetime) -> frozenset[str]:
        """Return the ids about which *who* did this since then."""
        query = {"who": who, "action": action, "at": {"$gt": since}}
        return frozenset(await self._lines.distinct("about", query))

    async def verify(self) -> int:
        """Return the length of the chain; raise `ValueError` naming the first line that was changed."""
        return (await self.chain()).count

    async def chain(self) -> Chain:
        """Check the whole chain as it stood at one moment and return it; raise `ValueError` as `verify` does."""
        async with self._client.start_session(snapshot=True) as session:
            found = Chain(self._key)
            async for line in self._lines.find({}, session=session).sort("number", 1):
                found.take(line)
            found.close(await self._meta.find_one({"_id": HEAD}, session=session))
        return found

    async def line(self, number: int) -> Doc | None:
        """Return one line."""
        return await self._lines.find_one({"number": number}, {"_id": 0})


def _digest(line: Doc) -> str:
    fields = [line["number"], aware(line["at"]).isoformat(), line["who"], line["action"], line["about"]]
    fields += [line["reason"], sorted(line["extra"].items()), line["previous"]]
    return hashlib.sha256(json.dumps(fields).encode()).hexdigest()
