"""Reports about recruiters, decisions about them, and the register of sheets.

What a person told us is sealed under their conversation's own key, and found again by keyed hashes: a stolen database
shows no number, and erasing the person removes the report with all it held. Decisions name hashes and case ids only.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from pymongo import AsyncMongoClient
from pymongo.asynchronous.client_session import AsyncClientSession
from pymongo.asynchronous.database import AsyncDatabase
from pymongo.errors import DuplicateKeyError

from bot.domain.conversation import Identify
from bot.domain.identifiers import Identifier, IdentifierKind
from bot.domain.private import NOTHING_SAID, Private
from bot.domain.reports import Action, Decision, Held, Report, ReportFile, SheetLine, Trace
from bot.ports import VersionClash
from bot.store.documents import aware
from bot.store.holds import KEPT
from bot.store.mongo import in_transaction
from bot.store.sealed import SERVICE, Sealer, Unreadable

Doc = dict[str, Any]
REPORT = "report_recruiter"
PERSON = "person"
MOST_HELD = 50
MARK_BITS = 40
TRIES = 20


class MongoReports:
    """`bot.ports.Reports` on MongoDB. A report has the id of its case."""

    def __init__(self, client: AsyncMongoClient[Doc], db: AsyncDatabase[Doc], sealer: Sealer) -> None:  # noqa: D107
        self._client = client
        self._db = db
        self._reports = db["reports"]
        self._sealer = sealer

    def key(self, identifier: Identifier) -> str:
        """Return the keyed hash by which an identifier is found again."""
        return self._sealer.blind(f"identifier:{identifier.kind.value}", identifier.key)

    # --- inside a turn

    async def open(
        self, case_id: str, conversation: str, now: datetime, session: AsyncClientSession | None = None
    ) -> None:
        """Begin the report of a case; a second time changes nothing."""
        row = {"conversation": conversation, "opened_at": now, "live": True, "held": [], "removed": [], **_mark()}
        await self._reports.update_one({"_id": case_id}, {"$setOnInsert": row}, upsert=True, session=session)

    async def identify(
        self, effect: Identify, conversation: str, now: datetime, session: AsyncClientSession | None = None
    ) -> None:
        """Keep what the person named; what is there, or was taken out by a responder, is left as it is."""
        for identifier in effect.identifiers:
            await self._hold(effect.case_id, conversation, identifier, PERSON, now, session)

    async def _hold(
        self,
        case_id: str,
        conversation: str,
        identifier: Identifier,
        who: str,
        now: datetime,
        session: AsyncClientSession | None = None,
    ) -> bool:
        key = self.key(identifier)
        value = {"value": identifier.value}
        sealed = await self._sealer.seal(conversation, f"report:{case_id}:{key}", value)
        held = {"key": key, "kind": identifier.kind.value, "who": who, "at": now, "sealed": sealed}
        fresh: Doc = {"_id": case_id, "held.key": {"$ne": key}, f"held.{MOST_HELD - 1}": {"$exists": False}}
        if who == PERSON:
            fresh["removed"] = {"$ne": key}
        change = {"$push": {"held": held}, "$pull": {"removed": key}, "$set": _mark()}
        return (await self._reports.update_one(fresh, change, session=session)).modified_count == 1

    async def erase(self, conversation: str, until: datetime, but: Sequence[str] = ()) -> None:
        """Remove what a person had reported until then, *but* for the reports of these cases."""
        mine = {"conversation": conversation, "opened_at": {"$lte": until}, "_id": {"$nin": list(but)}}
        await self._reports.delete_many(mine)

    # --- by responders

    async def file(self, case_id: str) -> ReportFile | None:
        """Return the report of a case, readable."""
        row = await self._reports.find_one({"_id": case_id})
        return await self._file(row) if row else None

    async def files(self, case_ids: Sequence[str]) -> Sequence[ReportFile]:
        """Return several, in the order asked for; what is gone meanwhile is left out."""
        rows = {row["_id"]: row async for row in self._reports.find({"_id": {"$in": list(case_ids)}})}
        return [await self._file(rows[name]) for name in case_ids if name in rows]

    async def _file(self, row: Doc) -> ReportFile:
        said = await self._opened(f"report:{row['_id']}:facts", row.get("facts"))
        why = await self._opened(f"report:{row['_id']}:retracted", row.get("reason"))
        held = [found for item in row["held"] if (found := await self._held(row["_id"], item))]
        return ReportFile(
            row["_id"], aware(row["opened_at"]), tuple(held), said.get("district", ""), said.get("amount", 0),
            row.get("retracted_by", ""), aware(row["retracted_at"]) if row.get("retracted_at") else None,
            Private(why.get("reason", "")),
        )  # fmt: skip

    async def _held(self, case_id: str, item: Doc) -> Held | None:
        value = (await self._opened(f"report:{case_id}:{item['key']}", item["sealed"])).get("value")
        if value is None:
            return None
        return Held(item["key"], Identifier(IdentifierKind(item["kind"]), value), item["who"], aware(item["at"]))

    async def _opened(self, place: str, sealed: object) -> Doc:
        if sealed is None:
            return {}
        try:
            return await self._sealer.open(place, sealed)
        except Unreadable:
            return {}

    async def hold(self, case_id: str, conversation: str, identifier: Identifier, who: str, now: datetime) -> bool:
        """Add what a responder typed; False when it is there already, or the report is full."""
        await self.open(case_id, conversation, now)
        return await self._hold(case_id, conversation, identifier, who, now)

    async def let_go(self, case_id: str, key: str) -> bool:
        """Take an identifier out; the person's further messages do not bring it back. False if it is not there."""
        change = {"$pull": {"held": {"key": key}}, "$addToSet": {"removed": key}, "$set": _mark()}
        return (await self._reports.update_one({"_id": case_id, "held.key": key}, change)).modified_count == 1

    async def describe(self, case_id: str, conversation: str, district: str, amount: int, now: datetime) -> None:
        """Keep where it was and how much was paid, as a responder typed it."""
        await self.open(case_id, conversation, now)
        facts = {"district": district, "amount": amount}
        sealed = await self._sealer.seal(conversation, f"report:{case_id}:facts", facts)
        await self._reports.update_one({"_id": case_id}, {"$set": {"facts": sealed, **_mark()}})

    async def retract(self, case_id: str, conversation: str, who: str, reason: str, now: datetime) -> bool:
        """Let a report count no more; False if it does not count already."""
        sealed = await self._sealer.seal(conversation, f"report:{case_id}:retracted", {"reason": reason})
        fields = {"live": False, "retracted_by": who, "retracted_at": now, "reason": sealed, **_mark()}
        return (await self._reports.update_one({"_id": case_id, "live": True}, {"$set": fields})).modified_count == 1

    async def restore(self, case_id: str) -> bool:
        """Let a retracted report count again; False if it was not retracted."""
        gone = {"retracted_by": "", "retracted_at": "", "reason": ""}
        change = {"$set": {"live": True, **_mark()}, "$unset": gone}
        return (await self._reports.update_one({"_id": case_id, "live": False}, change)).modified_count == 1

    async def expire(self, before: datetime) -> int:
        """Remove the reports that were opened before, unless a law keeps their case; return how many."""
        old: Doc = {"opened_at": {"$lt": before}}
        if not await self._reports.find_one(old, {"_id": 1}):
            return 0
        kept = await self._db["cases"].distinct("_id", KEPT)
        return (await self._reports.delete_many({**old, "_id": {"$nin": kept}})).deleted_count

    # --- across reports

    async def stamp(self) -> tuple[int, int, int]:
        """Return a value that changes whenever a report or a decision does."""
        tally = {"$group": {"_id": None, "count": {"$sum": 1}, "marks": {"$sum": "$mark"}}}
        rows = await (await self._reports.aggregate([{"$project": {"_id": 0, "mark": 1}}, tally])).to_list()
        last = await self._db["decisions"].find_one({}, {"_id": 1}, sort=[("_id", -1)])
        count, marks = (rows[0]["count"], rows[0]["marks"]) if rows else (0, 0)
        return count, marks, last["_id"] if last else 0

    async def live(self) -> Sequence[Report]:
        """Return every report that counts, with hashes only."""
        fields = {"conversation": 1, "opened_at": 1, "held.key": 1, "held.kind": 1}
        return [
            Report(
                row["_id"],
                row["conversation"],
                aware(row["opened_at"]),
                tuple(Trace(item["key"], IdentifierKind(item["kind"])) for item in row["held"]),
            )
            async for row in self._reports.find({"live": True}, fields)
        ]

    async def decisions(self) -> Sequence[Decision]:
        """Return all, oldest first, without their reasons."""
        return [_decision(row) async for row in self._db["decisions"].find({}).sort("_id", 1)]

    async def reasons(self, numbers: Sequence[int]) -> Mapping[int, Private]:
        """Return the reasons of some decisions."""
        found = {}
        async for row in self._db["decisions"].find({"_id": {"$in": list(numbers)}}):
            why = await self._opened(f"decision:{row['_id']}", row.get("sealed"))
            found[row["_id"]] = Private(why.get("reason", ""))
        return found

    async def decide(self, decision: Decision, seen: int) -> Decision:
        """Append a decision by somebody who saw all up to number *seen*. Raise `VersionClash` if there are more."""
        number = seen + 1
        reason = {"reason": decision.reason.reveal()}
        row: Doc = {
            "_id": number,
            "action": decision.action.value,
            "who": decision.who,
            "at": decision.at,
            "reports": list(decision.reports),
            "others": list(decision.others),
            "keys": list(decision.keys),
            "sealed": await self._sealer.seal(SERVICE, f"decision:{number}", reason),
        }

        async def body(session: AsyncClientSession) -> None:
            last = await self._db["decisions"].find_one({}, {"_id": 1}, sort=[("_id", -1)], session=session)
            if (last["_id"] if last else 0) != seen:
                raise VersionClash(f"decision {number}")
            await self._db["decisions"].insert_one(row, session=session)

        try:
            await in_transaction(self._client, body)
        except DuplicateKeyError as error:
            raise VersionClash(f"decision {number}") from error
        return _decision(row)

    # --- sheets

    async def next_sheet(self, reports: Sequence[str], line: SheetLine) -> SheetLine:
        """Take the next number for a sheet about these reports; what is handed out is written by `sheet_made`."""
        for _ in range(TRIES):
            last = await self._db["sheets"].find_one({}, {"_id": 1}, sort=[("_id", -1)])
            number = last["_id"] + 1 if last else 1
            said = {"recipient": line.recipient.reveal(), "reason": line.reason.reveal()}
            row = {"_id": number, "reports": list(reports), "at": line.at, "who": line.who, "form": line.form}
            row["sealed"] = await self._sealer.seal(SERVICE, f"sheet:{number}", said)
            try:
                await self._db["sheets"].insert_one({**row, "digest": "", "file": ""})
            except DuplicateKeyError:
                continue
            return SheetLine(number, line.at, line.who, line.recipient, line.reason, line.form, "", "")
        raise VersionClash("sheets")

    async def sheet_made(self, number: int, digest: str, file: str) -> None:
        """Record what was handed out."""
        await self._db["sheets"].update_one({"_id": number, "file": ""}, {"$set": {"digest": digest, "file": file}})

    async def sheets(self, reports: Sequence[str]) -> Sequence[SheetLine]:
        """Return the sheets that told of any of these reports, newest first."""
        rows = self._db["sheets"].find({"reports": {"$in": list(reports)}}).sort("_id", -1)
        return [await self._sheet(row) async for row in rows]

    async def _sheet(self, row: Doc) -> SheetLine:
        said = await self._opened(f"sheet:{row['_id']}", row.get("sealed"))
        recipient, reason = Private(said.get("recipient", "")), Private(said.get("reason", ""))
        return SheetLine(
            row["_id"], aware(row["at"]), row["who"], recipient, reason, row["form"], row["digest"], row["file"]
        )


def _mark() -> Doc:
    """A new mark with every change: the sum over all reports tells whether anything is new."""
    return {"mark": secrets.randbits(MARK_BITS)}


def _decision(row: Doc) -> Decision:
    return Decision(
        Action(row["action"]), row["who"], aware(row["at"]), tuple(row["reports"]), tuple(row["others"]),
        tuple(row["keys"]), NOTHING_SAID, row["_id"],
    )  # fmt: skip
