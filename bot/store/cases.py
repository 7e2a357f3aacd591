"""Cases: the queue, one transaction per action, a hash-chained history, the transcript."""

from __future__ import annotations

import logging
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
    MergedFor,
    Outcome,
    Told,
    chain_break,
)
from bot.domain.messages import OutboundMessage
from bot.domain.numbers import Life
from bot.domain.private import NOTHING_SAID, Private
from bot.domain.tasks import OpenTasks
from bot.domain.urgency import urgency_of
from bot.ports import Line
from bot.store.approvals import MongoApprovals
from bot.store.documents import aware, case_in
from bot.store.history import Writer, chain_mark
from bot.store.holds import let_go
from bot.store.mongo import in_transaction
from bot.store.reopening import refuse_second, still_along
from bot.store.sealed import Sealer, Unreadable
from bot.store.slips import hidden
from bot.store.steps import ENDING, PAGING, Steps, Wish
from bot.store.together import WITHIN, own

log = logging.getLogger(__name__)
Doc = dict[str, Any]
QUEUE_LENGTH = 500
A_TIMER_RUNS: Doc = {"$or": [{"escalate_at": {"$ne": None}}, {"duty_at": {"$ne": None}}]}
NOBODY: Mapping[str, Sequence[OutboundMessage]] = {}
#: The mark in `meta` that every history has the proof of its end, and the cases that lack one.
SIGNED = "case_chains"
UNSIGNED: Doc = {"chain": {"$exists": False}}
#: All but canaries.
OF_PEOPLE: Doc = {"canary": {"$ne": True}}
#: Not those that go on as part of another case.
BY_THEMSELVES: Doc = {"merged_into": {"$in": [None, ""]}}


def _at(*actions: CaseAction) -> Doc:
    """Return the time of an event of these kinds, for an aggregation; null for another."""
    return {"$cond": [{"$in": ["$action", [action.value for action in actions]]}, "$at", None]}


LIVES: list[Doc] = [
    {
        "$group": {
            "_id": "$case",
            "opened": {"$min": _at(CaseAction.OPEN)},
            "acknowledged": {"$min": _at(CaseAction.CLAIM)},
            "replied": {"$min": _at(CaseAction.REPLY, CaseAction.ASK_CONSENT, CaseAction.CONTACT)},
            "closed": {"$max": _at(*ENDING)},
        }
    }
]


class MongoCases:
    """`bot.ports.Cases` on MongoDB."""

    def __init__(  # noqa: D107
        self,
        client: AsyncMongoClient[Doc],
        db: AsyncDatabase[Doc],
        sealer: Sealer,
        writer: Writer,
        steps: Steps,
    ) -> None:
        self._client = client
        self._db = db
        self._cases = db["cases"]
        self._sealer = sealer
        self._writer = writer
        self._steps = steps
        self._ladder = steps.ladder
        self._approvals = MongoApprovals(client, db, sealer, writer)
        self._signed = False

    async def queue(self, labels: Sequence[str] = ()) -> Sequence[Case]:
        """Return open cases, most urgent first (see `bot.domain.urgency`), then longest waiting.

        *labels*: only those that carry one of them.
        """
        rows = (
            self._cases.find({"open": True, **OF_PEOPLE, **_labelled(labels)})
            .sort([("priority", 1), ("waiting_since", 1)])
            .limit(QUEUE_LENGTH)
        )
        now = self._ladder.clock()
        found = [case_in(row) async for row in rows]
        return sorted(found, key=lambda case: (urgency_of(case, now).points, case.waiting_since))

    async def closed(self, limit: int = 100, labels: Sequence[str] = ()) -> Sequence[Case]:
        """Return the cases closed last."""
        query = {"open": False, **OF_PEOPLE, **_labelled(labels)}
        rows = self._cases.find(query).sort("updated_at", -1).limit(limit)
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

    async def lives(self) -> Sequence[Life]:
        """Return what happened when to every case of a person, from the cases' own events; merged ones are one."""
        wanted = {"locale": 1, "place": 1, "district": 1, "acknowledged_at": 1, "open": 1, "outcome": 1}
        facts = {row["_id"]: row async for row in self._cases.find({**OF_PEOPLE, **BY_THEMSELVES}, wanted)}
        rows = await self._db["case_events"].aggregate(LIVES)
        return [_life(row, facts[row["_id"]]) async for row in rows if row["_id"] in facts and row["opened"]]

    async def broken_at(self, case_id: str) -> int | None:
        """Return the number of the first event that was tampered with or cut off, or None."""
        async with self._client.start_session(snapshot=True) as session:
            case = await self._cases.find_one({"_id": case_id}, {"chain": 1}, session=session) or {}
            rows = await self._rows(case_id, session).to_list()
        events = [await self._event(row) for row in rows]
        found = chain_break(events, [row["digest"] for row in rows])
        last: Doc | None = case.get("chain")
        if found or not last:
            return found or (len(events) + 1 if self._signed else None)
        whole = events and last == {
            "number": len(events), "digest": events[-1].digest, "mark": chain_mark(self._sealer, events[-1]),
        }  # fmt: skip
        return None if whole else min(len(events), last["number"]) + 1

    async def prepare(self) -> bool:
        """Prove, once, the ends of histories from before there was such a proof; say whether there were any.

        From then on a history without one was tampered with. Cases at the top of the ladder from before its page was
        repeated are paged again from now on.
        """
        await self._ladder.resume(self._cases)
        meta, self._signed = self._db["meta"], True
        if done := await meta.find_one({"_id": SIGNED}):
            if done.get("mark") != self._sealer.blind(SIGNED, SIGNED):
                log.error("somebody else has marked the histories as proved")
            return False
        signed = [await self._sign(row["_id"]) async for row in self._cases.find(UNSIGNED, {"_id": 1})]
        mark = {"mark": self._sealer.blind(SIGNED, SIGNED)}
        await meta.update_one({"_id": SIGNED}, {"$setOnInsert": mark}, upsert=True)
        return any(signed)

    async def _sign(self, case_id: str) -> bool:
        rows = await self._db["case_events"].find({"case": case_id}).sort("number", -1).limit(1).to_list()
        for event in [await self._event(row) for row in rows]:
            last = {"number": event.number, "digest": event.digest, "mark": chain_mark(self._sealer, event)}
            await self._cases.update_one({"_id": case_id, **UNSIGNED}, {"$set": {"chain": last}})
        return bool(rows)

    async def every_id(self) -> Sequence[str]:
        """Return the ids of all cases."""
        return [row["_id"] async for row in self._cases.find({}, {"_id": 1}).sort("opened_at", 1)]

    def _rows(self, case_id: str, session: AsyncClientSession | None = None) -> Any:  # noqa: ANN401 - a cursor
        return self._db["case_events"].find({"case": case_id}, session=session).sort("number", 1)

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
        rows = {row["_id"]: row async for row in self._db["outbox"].find(mine).sort("_id", 1)}
        lines = [await self._said(row, rows.get(row.get(WITHIN), row), labels) for row in rows.values()]
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
        words = Private(await hidden(self._db, self._sealer, doc["text"]) or doc.get("point", ""))
        return Line(row["_id"], at, "person", words, row["state"], doc["carrier"], choices, sent_at)

    async def _said(self, row: Doc, left: Doc, labels: dict[str, str]) -> Line | None:
        """*left*: the row with which it left, most often itself; what became of that became of it."""
        try:
            doc = await self._sealer.open(f"outbox:{row['_id']}", own(row))
        except (Unreadable, KeyError):
            return None
        labels |= dict(doc["choices"])
        words = await hidden(self._db, self._sealer, doc["text"]) or doc.get("template", "")
        return Line(
            row["_id"], aware(row["created_at"]), doc["author"], Private(words), left["state"], "text",
            tuple(label for _, label in doc["choices"]), error=left.get("error", ""), template=doc.get("template", ""),
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
        labels: Sequence[str] = (),
        district: str = "",
        approval: str = "",
        to: Sequence[str] | None = None,
        due: datetime | None = None,
        outcome: Outcome | None = None,
    ) -> Case:
        """Apply one action with its event and messages, all or nothing; the same *key* again changes nothing."""
        wish = Wish(action, who, now, expect_owner, new_owner, due, labels, district, outcome)

        async def body(session: AsyncClientSession) -> Doc:
            row = await self._found(case_id, session)
            if key and await self.acted(case_id, key, session):
                return row
            along = await self._along(row, now, session) if action is CaseAction.REOPEN else {}
            if approval:
                await self._approvals.spend(approval, who, row, now, session)
            fields = self._steps.fields(row, wish) | along
            await self._cases.update_one({"_id": case_id}, {"$set": fields, "$inc": {"version": 1}}, session=session)
            said = Private(": ".join(filter(None, (detail.reveal(), self._for_whom(action, {**row, **fields}, to)))))
            event = await self._writer.event(row, action, who, now, session, detail=said, key=key)
            if action not in ENDING:
                await self._writer.duties(row, now, session)
            elif await self._writer.has_duties(row, session):
                raise OpenTasks(case_id)
            else:
                await self._db["tasks"].update_many({"case": case_id}, {"$set": {"open": False}}, session=session)
            if action is CaseAction.LIFT:
                await let_go(self._db, row, now, session)
            if action in PAGING:
                await self._page(wish, {**row, **fields}, event.number, session, to)
            await self._send(row, action, {row["conversation"]: messages, **others}, now, session)
            return {**row, **fields}

        try:
            return case_in(await in_transaction(self._client, body))
        except DuplicateKeyError:
            found = await self.get(case_id)
            if not found:
                raise LookupError(case_id) from None
            return found

    async def acted(self, case_id: str, key: str, session: AsyncClientSession | None = None) -> bool:
        """Say whether an action with this key is in the case's history."""
        return bool(await self._db["case_events"].find_one({"case": case_id, "key": key}, {"_id": 1}, session=session))

    async def _along(self, row: Doc, now: datetime, session: AsyncClientSession) -> Doc:
        """Return whom a case goes on with when it is opened again. Raise `IllegalTransition` where it may not be."""
        await refuse_second(self._db, row, now, session)
        return {"also": await still_along(self._db, row, now, session)}

    async def _found(self, case_id: str, session: AsyncClientSession) -> Doc:
        row: Doc | None = await self._cases.find_one({"_id": case_id}, session=session)
        if not row:
            raise LookupError(case_id)
        return row

    def _for_whom(self, action: CaseAction, case: Doc, to: Sequence[str] | None) -> str:
        """Return whom the page of an action is for, as the history of the case shows it."""
        named = action in {CaseAction.ESCALATE, CaseAction.PAGE, CaseAction.REMIND}
        return ", ".join(self._writer.addressed(case) if to is None else to) if named else ""

    async def _page(
        self, wish: Wish, case: Doc, number: int, session: AsyncClientSession, to: Sequence[str] | None
    ) -> None:
        """Queue the page of an action: of a case that somebody has, it says what is owed there."""
        to = (case["owner"],) if wish.action is CaseAction.TRANSFER else to
        duty, again = case.get("duty") or "", wish.action is CaseAction.PAGE
        await self._writer.alert(case, number, wish.now, session, to=to, duty=duty, again=again)

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
            own = row if conversation == row["conversation"] else await self._merged(row, conversation, session)
            if fitting := _fitting(own, said):
                asks = action is CaseAction.ASK_CONSENT
                await self._writer.say(conversation, fitting, now, session, asks=asks)
        if action in ENDING:
            if row.get("erase_requested"):
                await self._writer.say(row["conversation"], (), now, session, {"erase_after": now})
            await self._end_merged(row, now, session)

    async def _merged(self, row: Doc, conversation: str, session: AsyncClientSession) -> Doc:
        """Return the case of another person that was merged into this one."""
        mine = {"conversation": conversation, "merged_into": case_id_of(row)}
        return await self._cases.find_one(mine, {"silent": 1, "stranger": 1}, session=session) or {}

    async def _end_merged(self, row: Doc, now: datetime, session: AsyncClientSession) -> None:
        """What a person of a merged case wished for the end comes due; whoever told of the same event is asked too."""
        async for case in self._cases.find({"merged_into": case_id_of(row)}, session=session):
            if case.get("erase_requested") and case["conversation"]:
                await self._writer.say(case["conversation"], (), now, session, {"erase_after": now})
            followed = CaseKind(case["kind"]) in FOLLOWED and not case.get("silent") and not case.get("erase_requested")
            if followed and case.get("merged_for") == MergedFor.EVENT.value and not case.get("followed"):
                fields = {"closed_at": now, "follow_at": now + REACHED_AFTER}
                await self._cases.update_one({"_id": case["_id"]}, {"$set": fields}, session=session)

    async def overdue(self) -> Sequence[Case]:
        """Return unclaimed cases whose next rung has come; while no timer runs, the clock is set right."""
        await self._ladder.clock.follow()
        query = {"open": True, "escalate_at": {"$ne": None, "$lte": self._ladder.clock()}}
        found = [case_in(row) async for row in self._cases.find(query).limit(QUEUE_LENGTH)]
        if not found and not await self._cases.find_one({"open": True, **A_TIMER_RUNS}, {"_id": 1}):
            await self._ladder.clock.set_right()
        return found

    async def unattended(self) -> Sequence[Case]:
        """Return the cases whose owner's clock rings now, after starting it where something is owed since."""
        await self._steps.attending.start(self._cases)
        query = {"open": True, "duty_at": {"$ne": None, "$lte": self._ladder.clock()}}
        return [case_in(row) async for row in self._cases.find(query).limit(QUEUE_LENGTH)]

    async def read_by(self, case_id: str, who: str, as_of: Case | None = None) -> None:
        """Note that somebody opened the case: if it is theirs, they know what the person wrote, up to *as_of*."""
        await self._steps.attending.read(self._cases, case_id, who, as_of)


def _fitting(case: Doc, messages: Sequence[OutboundMessage]) -> Sequence[OutboundMessage]:
    """Leave the bot's words out where a phone is watched, or in other hands: it may be so since they were made.

    Nor does the bot write first to somebody whose case we opened again of our own accord.
    """
    quiet = case.get("silent") or case.get("stranger") or case.get("unasked")
    return [message for message in messages if message.author != "bot"] if quiet else messages


def _life(row: Doc, case: Doc) -> Life:
    times = (
        row["acknowledged"] or case.get("acknowledged_at"),
        row["replied"],
        None if case["open"] else row["closed"],
    )
    taken, replied, closed = (aware(time) if time else None for time in times)
    safe = closed if case.get("outcome") == Outcome.SAFE.value else None
    district = case.get("district") or case.get("place", "")
    return Life(aware(row["opened"]), taken, replied, closed, case["locale"], district, safe)


def _labelled(labels: Sequence[str]) -> Doc:
    return {"labels": {"$in": list(labels)}} if labels else {}


def case_id_of(row: Doc) -> str:
    """Return a case document's id."""
    return str(row["_id"])
