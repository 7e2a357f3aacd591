"""Cases: the queue, one transaction per action, a hash-chained history, the transcript."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from pymongo import AsyncMongoClient
from pymongo.asynchronous.client_session import AsyncClientSession
from pymongo.asynchronous.database import AsyncDatabase
from pymongo.errors import DuplicateKeyError

from bot.domain.cases import (
    FOLLOWED,
    REACHED_AFTER,
    Case,
    CaseAction,
    CaseEvent,
    CaseKind,
    CaseState,
    MergedFor,
    Told,
    after,
    chain_break,
)
from bot.domain.messages import OutboundMessage
from bot.domain.private import NOTHING_SAID, Private
from bot.domain.tasks import OpenTasks
from bot.ports import Line, NotOwner
from bot.store.conversations import Ladder
from bot.store.documents import aware, case_in
from bot.store.history import Writer
from bot.store.mongo import in_transaction
from bot.store.sealed import Sealer, Unreadable

Doc = dict[str, Any]
OWNERS_ONLY = frozenset({
    CaseAction.REPLY, CaseAction.RELEASE, CaseAction.REFER, CaseAction.HAND_BACK, CaseAction.TRANSFER,
    CaseAction.ASK, CaseAction.CONTACT,
})  # fmt: skip
ENDING = frozenset({CaseAction.HAND_BACK, CaseAction.CLOSE})
QUEUE_LENGTH = 500
NOBODY: Mapping[str, Sequence[OutboundMessage]] = {}


class MongoCases:
    """`bot.ports.Cases` on MongoDB."""

    def __init__(  # noqa: D107
        self,
        client: AsyncMongoClient[Doc],
        db: AsyncDatabase[Doc],
        sealer: Sealer,
        writer: Writer,
        ladder: Ladder,
    ) -> None:
        self._client = client
        self._db = db
        self._cases = db["cases"]
        self._sealer = sealer
        self._writer = writer
        self._ladder = ladder

    async def queue(self) -> Sequence[Case]:
        """Return open cases, most urgent first, then longest waiting."""
        rows = self._cases.find({"open": True}).sort([("priority", 1), ("waiting_since", 1)]).limit(QUEUE_LENGTH)
        return [case_in(row) async for row in rows]

    async def closed(self, limit: int = 100) -> Sequence[Case]:
        """Return the cases closed last."""
        rows = self._cases.find({"open": False}).sort("updated_at", -1).limit(limit)
        return [case_in(row) async for row in rows]

    async def get(self, case_id: str) -> Case | None:
        """Return one case."""
        row = await self._cases.find_one({"_id": case_id})
        return case_in(row) if row else None

    async def of_conversation(self, conversation_id: str) -> Sequence[Case]:
        """Return every case of one conversation, newest first."""
        rows = self._cases.find({"conversation": conversation_id}).sort("opened_at", -1)
        return [case_in(row) async for row in rows]

    async def history(self, case_id: str) -> Sequence[CaseEvent]:
        """Return its events in order; a detail that was erased is empty."""
        return [await self._event(row) async for row in self._rows(case_id)]

    async def broken_at(self, case_id: str) -> int | None:
        """Return the number of the first event that was tampered with, or None."""
        rows = await self._rows(case_id).to_list()
        return chain_break([await self._event(row) for row in rows], [row["digest"] for row in rows])

    def _rows(self, case_id: str) -> Any:  # noqa: ANN401 - the driver's cursor type is generic over documents
        return self._db["case_events"].find({"case": case_id}).sort("number", 1)

    async def _event(self, row: Doc) -> CaseEvent:
        detail = NOTHING_SAID
        if "sealed" in row:
            try:
                detail = Private((await self._sealer.open(f"case_event:{row['_id']}", row["sealed"]))["detail"])
            except Unreadable:
                detail = NOTHING_SAID
        return CaseEvent(
            row["case"], row["number"], aware(row["at"]), row["who"], CaseAction(row["action"]), detail,
            row["mark"], row["previous"],
        )  # fmt: skip

    async def told(self, case_id: str) -> Sequence[Told]:
        """Return what the person answered to our questions; nothing where it was erased."""
        row = await self._cases.find_one({"_id": case_id}, {"told": 1})
        try:
            doc = await self._sealer.open(f"case_told:{case_id}", row["told"]) if row and "told" in row else {}
        except Unreadable:
            return []
        return [Told(slot, Private(value), datetime.fromisoformat(at)) for slot, (value, at) in doc.items()]

    async def write_down(self, case_id: str, slot: str, value: Private, who: str, now: datetime) -> None:
        """Keep what a responder was told, with its line of history. Raise `LookupError` for an erased person."""

        async def body(session: AsyncClientSession) -> None:
            case = await self._cases.find_one({"_id": case_id}, session=session)
            if not case or not case["conversation"]:
                raise LookupError(case_id)
            await self._writer.told(case, slot, value, now, session)
            detail = Private(f"{slot}: {value.reveal()}")
            await self._writer.event(case, CaseAction.TELL, who, now, session, detail=detail)

        await in_transaction(self._client, body)

    async def transcript(self, conversation_id: str) -> Sequence[Line]:
        """Return what was said, oldest first, both ways. Unreadable (erased) lines are left out."""
        labels: dict[str, str] = {}
        mine = {"conversation": conversation_id}
        lines = [await self._said(row, labels) async for row in self._db["outbox"].find(mine).sort("_id", 1)]
        lines += [await self._heard(row, labels) async for row in self._db["inbox"].find(mine)]
        return sorted(
            (line for line in lines if line), key=lambda line: (line.at, line.who == "person" and -1, line.id)
        )

    async def _heard(self, row: Doc, labels: Mapping[str, str]) -> Line | None:
        """*labels*: what stood on the choices that were offered, by their ids: what the person tapped."""
        try:
            doc = await self._sealer.open(f"inbox:{row['_id']}", row["sealed"])
        except (Unreadable, KeyError):
            return None
        choices = (labels.get(doc["choice"], doc["choice"]),) if doc["choice"] else ()
        at, sent_at = aware(row["received_at"]), aware(row["sent_at"])
        words = Private(doc["text"] or doc.get("point", ""))
        return Line(row["_id"], at, "person", words, row["state"], doc["carrier"], choices, sent_at)

    async def _said(self, row: Doc, labels: dict[str, str]) -> Line | None:
        try:
            doc = await self._sealer.open(f"outbox:{row['_id']}", row["sealed"])
        except (Unreadable, KeyError):
            return None
        labels |= dict(doc["choices"])
        return Line(
            row["_id"], aware(row["created_at"]), doc["author"], Private(doc["text"]), row["state"], "text",
            tuple(label for _, label in doc["choices"]), error=row.get("error", ""), template=doc.get("template", ""),
        )  # fmt: skip

    async def act(  # noqa: PLR0913
        self,
        case_id: str,
        action: CaseAction,
        who: str,
        now: datetime,
        *,
        detail: Private = NOTHING_SAID,
        expect_owner: str | None = None,
        new_owner: str | None = None,
        messages: Sequence[OutboundMessage] = (),
        others: Mapping[str, Sequence[OutboundMessage]] = NOBODY,
        key: str = "",
    ) -> Case:
        """Apply one action with its event and messages, all or nothing; the same *key* again changes nothing."""

        async def body(session: AsyncClientSession) -> Doc:
            row = await self._cases.find_one({"_id": case_id}, session=session)
            if not row:
                raise LookupError(case_id)
            if key and await self._db["case_events"].find_one(
                {"case": case_id, "key": key}, {"_id": 1}, session=session
            ):
                return row
            fields = self._fields(row, action, who, now, expect_owner, new_owner)
            await self._cases.update_one({"_id": case_id}, {"$set": fields, "$inc": {"version": 1}}, session=session)
            event = await self._writer.event(row, action, who, now, session, detail=detail, key=key)
            if action not in ENDING:
                await self._writer.duties(row, now, session)
            elif await self._writer.has_duties(row, session):
                raise OpenTasks(case_id)
            else:
                await self._db["tasks"].update_many({"case": case_id}, {"$set": {"open": False}}, session=session)
            if action in {CaseAction.ESCALATE, CaseAction.RELEASE}:
                await self._writer.alert({**row, **fields}, event.number, now, session)
            await self._send(row, action, {row["conversation"]: messages, **others}, now, session)
            return {**row, **fields}

        try:
            return case_in(await in_transaction(self._client, body))
        except DuplicateKeyError:
            found = await self.get(case_id)
            if not found:
                raise LookupError(case_id) from None
            return found

    def _fields(
        self, row: Doc, action: CaseAction, who: str, now: datetime, expect_owner: str | None, new_owner: str | None
    ) -> Doc:
        state = after(CaseState(row["state"]), action)
        owner = row.get("owner")
        if action in OWNERS_ONLY and owner != (expect_owner or who):
            raise NotOwner(case_id_of(row))
        if action is CaseAction.CLOSE and owner not in {None, expect_owner or who}:
            raise NotOwner(case_id_of(row))
        fields: Doc = {"state": state.value, "updated_at": now}
        if action is CaseAction.CLAIM:
            fields |= {"owner": who, "held": True, "escalate_at": None, "acknowledged_at": now, "unread": 0}
        elif action is CaseAction.TRANSFER:
            fields |= {"owner": new_owner}
        elif action is CaseAction.RELEASE:
            fields |= {
                "owner": None,
                "waiting_since": now,
                "escalations": 0,
                "escalate_at": self._ladder.next_at(now, 0),
            }
        elif action is CaseAction.ESCALATE:
            rung = row.get("escalations", 0) + 1
            fields |= {"escalations": rung, "escalate_at": self._ladder.next_at(aware(row["waiting_since"]), rung)}
        elif action in {CaseAction.REPLY, CaseAction.CONTACT}:
            fields |= {"unread": 0}
        elif action in ENDING:
            followed = CaseKind(row["kind"]) in FOLLOWED and not row.get("silent") and not row.get("erase_requested")
            fields |= {"open": False, "held": False, "escalate_at": None, "closed_at": now}
            fields["follow_at"] = now + REACHED_AFTER if followed and not row.get("followed") else None
        elif action is CaseAction.REOPEN:
            fields |= {"follow_at": None}
        return fields

    async def _send(
        self,
        row: Doc,
        action: CaseAction,
        messages: Mapping[str, Sequence[OutboundMessage]],
        now: datetime,
        session: AsyncClientSession,
    ) -> None:
        """Queue what is said in each conversation; a wish to be erased comes due when the case ends."""
        for conversation, said in messages.items():
            if said:
                await self._writer.say(conversation, said, now, session)
        if action in ENDING:
            if row.get("erase_requested"):
                await self._writer.say(row["conversation"], (), now, session, {"erase_after": now})
            await self._end_merged(row, now, session)

    async def _end_merged(self, row: Doc, now: datetime, session: AsyncClientSession) -> None:
        """What a person of a merged case wished for the end comes due; whoever told of the same event is asked too."""
        async for case in self._cases.find({"merged_into": case_id_of(row)}, session=session):
            if case.get("erase_requested") and case["conversation"]:
                await self._writer.say(case["conversation"], (), now, session, {"erase_after": now})
            followed = CaseKind(case["kind"]) in FOLLOWED and not case.get("silent") and not case.get("erase_requested")
            if followed and case.get("merged_for") == MergedFor.EVENT.value and not case.get("followed"):
                fields = {"closed_at": now, "follow_at": now + REACHED_AFTER}
                await self._cases.update_one({"_id": case["_id"]}, {"$set": fields}, session=session)

    async def overdue(self, now: datetime) -> Sequence[Case]:
        """Return unclaimed cases whose next rung has come."""
        rows = self._cases.find({"open": True, "escalate_at": {"$ne": None, "$lte": now}}).limit(QUEUE_LENGTH)
        return [case_in(row) async for row in rows]


def case_id_of(row: Doc) -> str:
    """Return a case document's id."""
    return str(row["_id"])
