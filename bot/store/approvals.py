"""Requests that need a second person: one row each, and with every step a line of the case's history."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from pymongo import AsyncMongoClient
from pymongo.asynchronous.client_session import AsyncClientSession
from pymongo.asynchronous.database import AsyncDatabase

from bot.domain.approvals import OPEN, NotAllowed, Request, RequestKind, RequestState, asked, decided, over, used
from bot.domain.cases import CaseAction
from bot.domain.private import NOTHING_SAID, Private
from bot.store.documents import aware
from bot.store.history import Writer
from bot.store.mongo import in_transaction
from bot.store.sealed import SERVICE, Sealer, Unreadable

Doc = dict[str, Any]
BREAK_GLASS = "break_glass"
MOST = 200
STILL_OPEN = {"state": {"$in": sorted(state.value for state in OPEN)}}


class MongoApprovals:
    """`bot.ports.Approvals` on MongoDB; the words are sealed under the key of the case's person."""

    def __init__(self, client: AsyncMongoClient[Doc], db: AsyncDatabase[Doc], sealer: Sealer, writer: Writer) -> None:
        """*writer* pages those who must hear of break-glass; it writes the history like any other."""
        self._client = client
        self._db = db
        self._rows = db["approvals"]
        self._sealer = sealer
        self._writer = writer

    async def ask(self, request: Request) -> Request:
        """Store a request. Raise `NotAllowed`, or `LookupError` without such a case."""
        same: Doc = {"kind": request.kind.value, "case": request.case_id, "about": request.about, "who": request.who}

        async def body(session: AsyncClientSession) -> None:
            case = await self._case(request.case_id, request.asked_at, session)
            if case["conversation"] == SERVICE:
                raise LookupError(request.case_id)
            open_ones = self._rows.find({**same, **STILL_OPEN}, session=session)
            if any([not over(_plain(row), request.asked_at) async for row in open_ones]):
                raise NotAllowed("there_already")
            row = {"_id": request.id, **same, "asked_at": request.asked_at}
            await self._rows.insert_one({**row, **await self._fields(request, case)}, session=session)
            await self._event(CaseAction.ASK, request, request.who, request.reason, case, request.asked_at, session)

        asked(request)
        await in_transaction(self._client, body)
        return request

    async def decide(
        self, request_id: str, who: str, role: str, now: datetime, *, yes: bool, answer: str = ""
    ) -> Request:
        """Approve or refuse one. Raise `NotAllowed`, `LookupError`."""

        async def body(session: AsyncClientSession) -> Request:
            request, case = await self._both(request_id, now, session)
            done = decided(request, who, role, now, yes=yes, answer=answer)
            await self._change(request, done, case, session)
            action = CaseAction.GRANT if yes else CaseAction.DENY
            number = await self._event(action, done, who, done.answer, case, now, session)
            if yes and done.kind is RequestKind.CASE:
                told = {**case, "kind": BREAK_GLASS, "risk_kind": BREAK_GLASS}
                await self._writer.alert(told, number, now, session)
            return done

        return await in_transaction(self._client, body)

    async def use(self, request_id: str, who: str, now: datetime) -> Request:
        """Use one up; of two who try at once, one does. Raise `NotAllowed`, `LookupError`."""

        async def body(session: AsyncClientSession) -> Request:
            request, case = await self._both(request_id, now, session)
            done = used(request, who, now)
            await self._change(request, done, case, session)
            await self._event(CaseAction.HAND_OUT, done, who, NOTHING_SAID, case, now, session)
            return done

        return await in_transaction(self._client, body)

    async def spend(self, request_id: str, who: str, case: Doc, now: datetime, session: AsyncClientSession) -> None:
        """Use up the leave to write to somebody, within the transaction that writes. Raise `NotAllowed`."""
        mine = {"_id": request_id, "kind": RequestKind.CONTACT.value, "case": case["_id"]}
        row = await self._rows.find_one(mine, session=session)
        if not row:
            raise NotAllowed("not_approved")
        request = await self._request(row)
        done = used(request, who, now)
        await self._change(request, done, case, session)
        words = Private(f"{done.kind.value}: {done.decided_by} · {done.reason.reveal()}")
        await self._writer.event(case, CaseAction.OVERRIDE, who, now, session, detail=words)

    async def end(self, request_id: str, now: datetime) -> Request | None:
        """End one whose time is over; None if it was ended or decided meanwhile."""

        async def body(session: AsyncClientSession) -> Request | None:
            request, case = await self._both(request_id, now, session)
            done = over(request, now)
            if done:
                await self._change(request, done, case, session)
                await self._event(CaseAction.LAPSE, done, "clock", NOTHING_SAID, case, now, session)
            return done

        return await in_transaction(self._client, body)

    async def over_time(self, now: datetime) -> Sequence[str]:
        """Return the ids of open requests whose time is over."""
        rows = self._rows.find({**STILL_OPEN, "until": {"$lte": now}}, {"_id": 1}).limit(MOST)
        return [row["_id"] async for row in rows]

    async def get(self, request_id: str) -> Request | None:
        """Return one."""
        row = await self._rows.find_one({"_id": request_id})
        return await self._request(row) if row else None

    async def of_case(self, case_id: str) -> Sequence[Request]:
        """Return the requests about a case, newest first."""
        rows = self._rows.find({"case": case_id}).sort("asked_at", -1).limit(MOST)
        return [await self._request(row) async for row in rows]

    async def latest(self) -> Sequence[Request]:
        """Return those that wait first, then the newest."""
        rows = await self._rows.find({}).sort("asked_at", -1).limit(MOST).to_list()
        found = [await self._request(row) for row in rows]
        return sorted(found, key=lambda request: request.state is not RequestState.WAITING)

    async def running(
        self, who: str, kind: RequestKind, case_id: str, now: datetime, about: str = ""
    ) -> Request | None:
        """Return what was approved for *who* about this case, and *about* what is in it, and has not ended."""
        query = {"who": who, "kind": kind.value, "case": case_id, "about": about, "state": RequestState.APPROVED.value}
        found = [await self._request(row) async for row in self._rows.find(query).sort("asked_at", -1)]
        return next((request for request in found if request.running(now)), None)

    # --- rows

    async def _case(self, case_id: str, now: datetime, session: AsyncClientSession) -> Doc:
        """Return the case's row, touched first: of two who write its history at once, one waits."""
        change = {"$set": {"updated_at": now}, "$inc": {"version": 1}}
        row: Doc | None = await self._db["cases"].find_one_and_update({"_id": case_id}, change, session=session)
        if not row:
            raise LookupError(case_id)
        return {**row, "conversation": row["conversation"] or SERVICE}  # erased: what is left to say is about nobody

    async def _both(self, request_id: str, now: datetime, session: AsyncClientSession) -> tuple[Request, Doc]:
        row = await self._rows.find_one({"_id": request_id}, session=session)
        if not row:
            raise LookupError(request_id)
        return await self._request(row), await self._case(row["case"], now, session)

    async def _change(self, was: Request, done: Request, case: Doc, session: AsyncClientSession) -> None:
        fields = await self._fields(done, case)
        await self._rows.update_one({"_id": was.id, "state": was.state.value}, {"$set": fields}, session=session)

    async def _fields(self, request: Request, case: Doc) -> Doc:
        words = {"reason": request.reason.reveal(), "answer": request.answer.reveal()}
        return {
            "state": request.state.value,
            "until": request.until,
            "decided_by": request.decided_by,
            "decided_at": request.decided_at,
            "ended_at": request.ended_at,
            "sealed": await self._sealer.seal(case["conversation"], f"approval:{request.id}", words),
        }

    async def _event(
        self,
        action: CaseAction,
        request: Request,
        who: str,
        words: Private,
        case: Doc,
        now: datetime,
        session: AsyncClientSession,
    ) -> int:
        told = f"{request.kind.value}: {request.who if who != request.who else ''} {words.reveal()}"
        event = await self._writer.event(case, action, who, now, session, detail=Private(" ".join(told.split())))
        return event.number

    async def _request(self, row: Doc) -> Request:
        try:
            words = await self._sealer.open(f"approval:{row['_id']}", row.get("sealed"))
        except Unreadable:
            return _plain(row)
        return _plain(row, Private(words["reason"]), Private(words["answer"]))


def _plain(row: Doc, reason: Private = NOTHING_SAID, answer: Private = NOTHING_SAID) -> Request:
    return Request(
        id=row["_id"],
        kind=RequestKind(row["kind"]),
        case_id=row["case"],
        about=row["about"],
        who=row["who"],
        reason=reason,
        asked_at=aware(row["asked_at"]),
        state=RequestState(row["state"]),
        decided_by=row["decided_by"],
        decided_at=aware(row["decided_at"]) if row["decided_at"] else None,
        answer=answer,
        ended_at=aware(row["ended_at"]) if row["ended_at"] else None,
    )
