"""Pages to responders: one row per alert channel, so that one dead channel never holds up another."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import pymongo
from pymongo import ReturnDocument
from pymongo.asynchronous.database import AsyncDatabase
from pymongo.errors import DuplicateKeyError

from bot.ports import Alert, reference
from bot.store.mongo import reachable

Doc = dict[str, Any]
LEASE_MS = 20_000
#: Waking open consoles reaches nobody for sure.
CONSOLE = "console"
NEVER = datetime(1970, 1, 1, tzinfo=UTC)


class MongoAlerts:
    """`bot.ports.Alerts` on MongoDB."""

    def __init__(self, db: AsyncDatabase[Doc], patience: float = 0.4) -> None:
        """Rows hold ids and kinds only; nothing in them is private. *patience*: seconds for `unheard`."""
        self._rows = db["alerts"]
        self._inbox = db["inbox"]
        self._patience = patience

    async def next_due(self, owner: str, channel: str) -> Alert | None:
        """Lease the oldest alert of this channel that is due."""
        free = {"$lt": [{"$ifNull": ["$lease.until", NEVER]}, "$$NOW"]}
        due = {"$lte": ["$not_before", "$$NOW"]}
        row = await self._rows.find_one_and_update(
            {"state": "waiting", "channel": channel, "$expr": {"$and": [free, due]}},
            [{"$set": {"lease": {"owner": owner, "until": {"$add": ["$$NOW", LEASE_MS]}}}}],
            sort=[("created_at", 1)],
            return_document=ReturnDocument.AFTER,
        )
        if not row:
            return None
        return Alert(
            row["_id"], row["case"], row["channel"], row["kind"], row["reason"], row["locale"], row["attempts"],
            row.get("source", ""), row.get("values", {}), row.get("ref", ""), row.get("rung", 0),
            tuple(row.get("to", ())),
        )  # fmt: skip

    async def unheard(self, inbox_ids: Sequence[str]) -> frozenset[str]:
        """Return which of these messages wait to be answered, or for the first page that reaches anybody."""
        async with reachable():
            with pymongo.timeout(self._patience):
                asked = {"_id": {"$in": list(inbox_ids)}}
                answered = {
                    row["_id"] async for row in self._inbox.find({**asked, "state": {"$ne": "waiting"}}, {"_id": 1})
                }
                refs = {"ref": {"$in": [reference(name) for name in answered]}, "channel": {"$ne": CONSOLE}}
                rows = [row async for row in self._rows.find(refs, {"ref": 1, "state": 1, "attempts": 1})]
        out = {row["ref"] for row in rows if row["state"] == "sent"}
        waiting = {row["ref"] for row in rows if not row["attempts"]} - out
        return frozenset(name for name in inbox_ids if name not in answered or reference(name) in waiting)

    async def add(self, alerts: Sequence[Alert], now: datetime) -> int:
        """Queue those whose ids are not there yet: of several processes that page the same, one does."""
        new = 0
        for alert in alerts:
            row: Doc = {
                "_id": alert.id,
                "case": alert.case_id,
                "source": alert.source,
                "channel": alert.channel,
                "kind": alert.kind,
                "reason": alert.reason,
                "locale": alert.locale,
                "values": dict(alert.values),
                "state": "waiting",
                "attempts": 0,
                "created_at": now,
                "not_before": NEVER,
            }
            try:
                await self._rows.insert_one(row)
            except DuplicateKeyError:
                continue
            new += 1
        return new

    async def done(self, alert: Alert) -> None:
        """Close it."""
        fields = {"state": "sent", "sent_at": datetime.now(UTC)}  # noqa: TID251 - the edge's own clock
        await self._rows.update_one({"_id": alert.id}, {"$set": fields, "$unset": {"lease": ""}})

    async def retry(self, alert: Alert, seconds: float, reason: str) -> None:
        """Try again in *seconds*."""
        later = {"$add": ["$$NOW", int(seconds * 1000)]}
        fields = {"not_before": later, "error": {"$literal": reason}, "attempts": {"$add": ["$attempts", 1]}}
        await self._rows.update_one({"_id": alert.id}, [{"$set": {**fields, "lease": "$$REMOVE"}}])

    async def nobody_reached(self, alert: Alert) -> bool:
        """Say whether every channel but the console's was tried for this case and rung, and none took the page."""
        query = {"case": alert.case_id, "kind": alert.kind, "rung": alert.rung, "channel": {"$ne": CONSOLE}}
        rows = [row async for row in self._rows.find(query, {"state": 1, "attempts": 1})]
        return bool(rows) and all(row["state"] != "sent" and row["attempts"] for row in rows)
