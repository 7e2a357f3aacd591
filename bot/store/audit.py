"""The audit: an append-only chain in which every line carries the hash of the one before it."""

from __future__ import annotations

import asyncio
import hashlib
import json
import re
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from pymongo.asynchronous.database import AsyncDatabase
from pymongo.errors import DuplicateKeyError

from bot.ports import Stamp
from bot.store.documents import aware

Doc = dict[str, Any]
TRIES = 50
PAGE = 200


class MongoAudit:
    """`bot.ports.Audit` on MongoDB; the unique number keeps two writers from forking the chain."""

    def __init__(self, db: AsyncDatabase[Doc]) -> None:
        """Lines name who, what and which id; never what a person told us."""
        self._lines = db["audit"]
        self._turn = asyncio.Lock()

    async def record(self, stamp: Stamp, now: datetime) -> None:
        """Append one line. Within one process writers take turns, so that a crowd does not run out of tries."""
        async with self._turn:
            await self._append(stamp, now)

    async def _append(self, stamp: Stamp, now: datetime) -> None:
        at = now.replace(microsecond=now.microsecond // 1000 * 1000)
        for _ in range(TRIES):
            last = await self._lines.find_one({}, sort=[("number", -1)])
            line: Doc = {
                "number": last["number"] + 1 if last else 1,
                "at": at,
                "who": stamp.who,
                "action": stamp.action,
                "about": stamp.about,
                "reason": stamp.reason,
                "extra": dict(stamp.extra),
                "previous": last["digest"] if last else "",
            }
            try:
                await self._lines.insert_one({**line, "digest": _digest(line)})
            except DuplicateKeyError:
                continue
            return
        raise RuntimeError("the audit is too busy: no line could be appended")

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

    async def verify(self) -> int:
        """Return the length of the chain; raise `ValueError` naming the first line that was changed."""
        previous, count = "", 0
        async for line in self._lines.find({}).sort("number", 1):
            count += 1
            if line["number"] != count or line["previous"] != previous or line["digest"] != _digest(line):
                raise ValueError(f"audit line {count} was changed, removed or moved")
            previous = line["digest"]
        return count


def _digest(line: Doc) -> str:
    fields = [line["number"], aware(line["at"]).isoformat(), line["who"], line["action"], line["about"]]
    fields += [line["reason"], sorted(line["extra"].items()), line["previous"]]
    return hashlib.sha256(json.dumps(fields).encode()).hexdigest()
