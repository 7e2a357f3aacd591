"""Pages to responders: one row per alert channel, so that one dead channel never holds up another."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import pymongo
from pymongo import ReturnDocument
from pymongo.asynchronous.database import AsyncDatabase
from pymongo.errors import DuplicateKeyError

from bot.domain.attending import Duty
from bot.domain.cases import CaseKind, CaseState
from bot.ports import Alert, reference
from bot.store.documents import aware
from bot.store.leased import FREE, NEVER, lease, renew
from bot.store.mongo import reachable

Doc = dict[str, Any]
#: Renewed while a page is being sent (`bot.service.watch`); after a death the next process need not wait longer.
LEASE_MS = 1_200
#: Waking open consoles reaches nobody for sure.
CONSOLE = "console"
KINDS = frozenset(CaseKind)
#: What must not wait behind anything else.
DANGER = frozenset({CaseKind.DISTRESS, CaseKind.MISSING})
GIVE_UP_MS = 24 * 3600 * 1000


class MongoAlerts:
    """`bot.ports.Alerts` on MongoDB."""

    def __init__(self, db: AsyncDatabase[Doc], patience: float = 0.4) -> None:
        """Rows hold ids and kinds only; nothing in them is private. *patience*: seconds for `unheard`."""
        self._rows = db["alerts"]
        self._inbox = db["inbox"]
        self._cases = db["cases"]
        self._patience = patience

    async def next_due(self, owner: str, channel: str) -> Alert | None:
        """Lease the first alert of this channel that is due: danger before all else, then the oldest.

        A page that time has overtaken is closed unsent.
        """
        while row := await self._lease(owner, channel):
            if not await self._overtaken(row):
                return _alert(row)
            await self._rows.update_one({"_id": row["_id"]}, {"$set": {"state": "dropped"}, "$unset": {"lease": ""}})
        return None

    async def _lease(self, owner: str, channel: str) -> Doc | None:
        due = {"$lte": ["$not_before", "$$NOW"]}
        row: Doc | None = await self._rows.find_one_and_update(
            {"state": "waiting", "channel": channel, "$expr": {"$and": [FREE, due]}},
            [{"$set": {"lease": lease(owner, LEASE_MS)}}],
            sort=[("rank", 1), ("created_at", 1)],
            return_document=ReturnDocument.AFTER,
        )
        return row

    async def renew(self, alert: Alert, owner: str) -> bool:
        """Hold its lease as long again from now; False, with nothing changed, if it is another's or over."""
        return await renew(self._rows, {"_id": alert.id, "state": "waiting", "lease.owner": owner}, LEASE_MS)

    async def _overtaken(self, row: Doc) -> bool:
        """Say whether a case's page would wake somebody for nothing: what it asks for is done, or asked anew.

        Renewed danger of a case that somebody had already is told all the same.
        """
        if row["kind"] not in KINDS or not row["case"]:
            return False
        case = await self._cases.find_one({"_id": row["case"]})
        if not case or not case["open"]:
            return True
        if (owed := row.get("values", {}).get("duty")) and owed != Duty.DANGER and case.get("duty") != owed:
            return True
        if row.get("again") and await self._said_anew(row):
            return True
        if case.get("owner"):
            return aware(case.get("acknowledged_at") or case["updated_at"]) > aware(row["created_at"])
        return int(case.get("escalations", 0)) > int(row.get("rung", 0))

    async def _said_anew(self, row: Doc) -> bool:
        """Say whether a page that says nothing new is followed by another of its case: one dead channel, no storm."""
        later = {"case": row["case"], "channel": row["channel"], "created_at": {"$gt": row["created_at"]}}
        return await self._rows.find_one({**later, "state": "waiting"}, {"_id": 1}) is not None

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
        waiting = {row["ref"] for row in rows if row["state"] == "waiting" and not row["attempts"]} - out
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
                "to": list(alert.to),
                "state": "waiting",
                "attempts": 0,
                "created_at": now,
                "not_before": NEVER,
                "rung": alert.rung,
                "rank": rank(alert.kind, alert.rung),
            }
            try:
                await self._rows.insert_one(row)
            except DuplicateKeyError:
                continue
            new += 1
        return new

    async def done(self, alert: Alert) -> None:
        """Close it; with the first page that a channel takes, the case counts as paged."""
        fields = {"state": "sent", "sent_at": datetime.now(UTC)}  # noqa: TID251 - the edge's own clock
        await self._rows.update_one({"_id": alert.id}, {"$set": fields, "$unset": {"lease": ""}})
        if alert.case_id and alert.kind in KINDS and alert.channel != CONSOLE:
            first = {"_id": alert.case_id, "state": CaseState.RECEIVED.value}
            await self._cases.update_one(first, {"$set": {"state": CaseState.PAGED.value}})

    async def retry(self, alert: Alert, seconds: float, reason: str, *, missed: bool) -> None:
        """Try again in *seconds*; a page that nobody took for a day is given up. *missed*: it surely did not arrive."""
        later = {"$add": ["$$NOW", int(seconds * 1000)]}
        fields = {"not_before": later, "error": {"$literal": reason}, "attempts": {"$add": ["$attempts", 1]}}
        since = {"$ifNull": ["$tried_since", "$$NOW"]}
        late = {"$gt": [{"$subtract": ["$$NOW", since]}, GIVE_UP_MS]}
        fields |= {"tried_since": since, "missed": missed, "state": {"$cond": [late, "failed", "waiting"]}}
        await self._rows.update_one({"_id": alert.id}, [{"$set": {**fields, "lease": "$$REMOVE"}}])

    async def nobody_reached(self, alert: Alert) -> bool:
        """Say whether every channel but the console's was tried for this event of the case, and none took the page."""
        event = alert.id.rpartition(":")[0]
        query = {"_id": {"$gte": f"{event}:", "$lt": f"{event};"}, "channel": {"$ne": CONSOLE}}
        rows = [row async for row in self._rows.find(query, {"state": 1, "missed": 1})]
        return bool(rows) and all(row["state"] != "sent" and row.get("missed") for row in rows)


def rank(kind: str, rung: int) -> int:
    """Return where a page stands among those that wait, smaller first: danger first, of that the newest rung."""
    return -1 - rung if kind in DANGER else 0


def _alert(row: Doc) -> Alert:
    return Alert(
        row["_id"], row["case"], row["channel"], row["kind"], row["reason"], row["locale"], row["attempts"],
        row.get("source", ""), row.get("values", {}), row.get("ref", ""), row.get("rung", 0),
        tuple(row.get("to", ())),
    )  # fmt: skip
