"""Case events, alerts and outbox rows as they are written inside a transaction; shared by turns and responders."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any

from pymongo.asynchronous.client_session import AsyncClientSession
from pymongo.asynchronous.database import AsyncDatabase

from bot.domain.attending import Duty
from bot.domain.canary import CANARY
from bot.domain.cases import UNDER_18, CaseAction, CaseEvent
from bot.domain.ids import outbox_id
from bot.domain.messages import LANE_ORDER, OutboundMessage
from bot.domain.private import Private
from bot.domain.rota import Wanted
from bot.domain.tasks import Task, TaskRule, by_rule, owed
from bot.store.alerts import rank
from bot.store.documents import outbound_out
from bot.store.sealed import Sealer

Doc = dict[str, Any]
#: The field of a conversation that names the question of consent, while it was the last that either side said.
CONSENT_ROW = "consent_row"
#: Due whatever our clock says: what is due is told by the server's clock, and ours may be an hour ahead.
AT_ONCE = datetime(1970, 1, 1, tzinfo=UTC)


def chain_mark(sealer: Sealer, event: CaseEvent) -> str:
    """Return the keyed mark of a case's last line: who has only the database cannot shorten or renew the chain."""
    return sealer.blind("case_chain", f"{event.case_id}:{event.number}:{event.digest}")


class Writer:
    """Writes the rows that follow from a decision, always inside the caller's session."""

    def __init__(
        self,
        db: AsyncDatabase[Doc],
        sealer: Sealer,
        pagers: Sequence[str],
        on_call: Callable[[Wanted, int], Sequence[str]] = lambda _wanted, _rung: (),
    ) -> None:
        """*pagers* are the names of the alert channels; each gets a row per alert. *on_call*: whom a rung is for."""
        self._on_call = on_call
        self._db = db
        self._sealer = sealer
        self._pagers = tuple(pagers)

    async def outbox(
        self,
        conversation: str,
        channel: str,
        version: int,
        messages: Sequence[OutboundMessage],
        now: datetime,
        session: AsyncClientSession,
        lesson: str = "",
    ) -> None:
        """Insert the messages of one version in sending order; *lesson*, not private, is what they are counted by."""
        rows = [
            await self.outbox_row(outbox_id(conversation, version, index), conversation, channel, message, now)
            for index, message in enumerate(messages)
        ]
        if lesson:
            rows = [{**row, "lesson": lesson} for row in rows]
        if rows:
            await self._db["outbox"].insert_many(rows, session=session)

    async def say(
        self,
        conversation: str,
        messages: Sequence[OutboundMessage],
        now: datetime,
        session: AsyncClientSession,
        fields: Doc | None = None,
        *,
        asks: bool = False,
    ) -> None:
        """Queue the messages as a version of the conversation; *fields* are set on it besides.

        *asks*: the last of them asks for consent; only while nothing is said after it may typed words answer it.
        """
        row = await self._db["conversations"].find_one_and_update(
            {"_id": conversation},
            {"$inc": {"version": 1}, "$set": {"updated_at": now, **(fields or {})}, "$unset": {CONSENT_ROW: ""}},
            return_document=True,
            session=session,
        )
        if row:
            await self.outbox(conversation, row["channel"], row["version"], messages, now, session)
        if row and asks:
            question = {CONSENT_ROW: outbox_id(conversation, row["version"], len(messages) - 1)}
            await self._db["conversations"].update_one({"_id": conversation}, {"$set": question}, session=session)

    async def outbox_row(
        self, row_id: str, conversation: str, channel: str, message: OutboundMessage, now: datetime
    ) -> Doc:
        """Return the row of one message, to be inserted."""
        return {
            "_id": row_id,
            "conversation": conversation,
            "channel": channel,
            "lane": LANE_ORDER[message.lane],
            "author": "bot" if message.author == "bot" else "responder",
            "state": "waiting",
            "open": True,
            "attempts": 0,
            "created_at": now,
            "not_before": AT_ONCE,
            "sealed": await self._sealer.seal(conversation, f"outbox:{row_id}", outbound_out(message)),
        }

    async def told(self, case: Doc, slot: str, value: Private, now: datetime, session: AsyncClientSession) -> None:
        """Keep an answer with its case, sealed; the last one of each slot counts, and stands last.

        Who says that they are under 18 makes it a child's case, with its duties, as danger told of a child does.
        """
        place = f"case_told:{case['_id']}"
        told = await self._sealer.open(place, case["told"]) if "told" in case else {}
        told = {name: answer for name, answer in told.items() if name != slot}
        told[slot] = [value.reveal(), now.isoformat()]
        sealed = await self._sealer.seal(case["conversation"], place, told)
        fields = {"told": sealed, "updated_at": now}
        child = slot == UNDER_18 and value.reveal() == "yes"
        if child:
            fields["minor"] = True
        await self._db["cases"].update_one(
            {"_id": case["_id"]}, {"$set": fields, "$inc": {"version": 1}}, session=session
        )
        if child and case["open"]:
            await self.duties({**case, "minor": True}, now, session)

    async def event(
        self,
        case: Doc,
        action: CaseAction,
        who: str,
        now: datetime,
        session: AsyncClientSession,
        *,
        detail: Private,
        key: str = "",
    ) -> CaseEvent:
        """Append one event to the case's chain."""
        events = self._db["case_events"]
        last = await events.find_one({"case": case["_id"]}, sort=[("number", -1)], session=session)
        number = last["number"] + 1 if last else 1
        at = now.replace(microsecond=now.microsecond // 1000 * 1000)
        mark = self._sealer.blind("detail", detail.reveal()) if detail else ""
        event = CaseEvent(case["_id"], number, at, who, action, detail, mark, last["digest"] if last else "")
        row: Doc = {
            "_id": f"{case['_id']}:{number}",
            "case": case["_id"],
            "number": number,
            "at": at,
            "who": who,
            "action": action.value,
            "mark": mark,
            "previous": event.previous,
            "digest": event.digest,
        }
        if key:
            row["key"] = key
        if detail:
            place = f"case_event:{row['_id']}"
            row["sealed"] = await self._sealer.seal(case["conversation"], place, {"detail": detail.reveal()})
        await events.insert_one(row, session=session)
        last_line = {"number": number, "digest": event.digest, "mark": chain_mark(self._sealer, event)}
        await self._db["cases"].update_one({"_id": case["_id"]}, {"$set": {"chain": last_line}}, session=session)
        return event

    async def task(self, task: Task, case: Doc, now: datetime, session: AsyncClientSession) -> None:
        """Insert a task with its line of history."""
        row: Doc = {
            "_id": task.id,
            "case": task.case_id,
            "rule": task.rule.value,
            "mandatory": task.mandatory,
            "open": True,
            "due": task.due,
            "made_by": task.made_by,
            "made_at": task.made_at,
            "done_by": "",
            "done_at": None,
            "sealed": await self.sealed_task(task, case),
        }
        await self._db["tasks"].insert_one(row, session=session)
        detail = Private(task.text.reveal() or task.rule.value)
        await self.event(case, CaseAction.TASK, task.made_by, now, session, detail=detail)

    async def sealed_task(self, task: Task, case: Doc) -> object:
        """Return the words of a task, sealed under the key of the case's person."""
        words = {"text": task.text.reveal(), "outcome": task.outcome.reveal()}
        return await self._sealer.seal(case["conversation"], f"task:{task.id}", words)

    async def duties(self, case: Doc, now: datetime, session: AsyncClientSession) -> None:
        """Insert the tasks that duties ask for and that are not there yet."""
        for rule in await self._owed(case, session):
            await self.task(by_rule(case["_id"], rule, now), case, now, session)

    async def has_duties(self, case: Doc, session: AsyncClientSession) -> bool:
        """Say whether a mandatory task is open, or not even there yet."""
        blocking = {"case": case["_id"], "open": True, "mandatory": True}
        found = await self._db["tasks"].find_one(blocking, {"_id": 1}, session=session)
        return bool(found) or bool(await self._owed(case, session))

    async def _owed(self, case: Doc, session: AsyncClientSession) -> tuple[TaskRule, ...]:
        if not case.get("minor"):
            return ()
        there = await self._db["tasks"].distinct("rule", {"case": case["_id"]}, session=session)
        return owed(minor=True, there=map(TaskRule, there))

    def addressed(self, case: Doc) -> list[str]:
        """Return whom the next page of the case is for, by login: its owner, else who is on call; none: everybody."""
        if case.get("owner"):
            return [case["owner"]]
        return self.on_rung(case, case.get("escalations", 0))

    def on_rung(self, case: Doc, rung: int) -> list[str]:
        """Return whom a rung of the ladder is for, whoever has the case."""
        minor, also = case.get("minor", False), tuple(case.get("dangers", ()))
        wanted = Wanted(case["locale"], case.get("district", ""), case["risk_kind"], minor, also)
        return list(self._on_call(wanted, rung))

    async def alert(
        self,
        case: Doc,
        number: int,
        now: datetime,
        session: AsyncClientSession,
        ref: str = "",
        *,
        to: Sequence[str] | None = None,
        duty: str = "",
        again: bool = False,
    ) -> None:
        """Queue one page per alert channel for this event of the case. *ref*: the message that led to it.

        *to*: whom it is for, where that is settled; *duty*: what the owner owes; *again*: it says nothing new.
        """
        to = self.addressed(case) if to is None else list(to)
        kind, owed = CANARY if case.get("canary") else case["kind"], duty or (Duty.DANGER if case.get("owner") else "")
        rows = [
            {
                "_id": f"{case['_id']}:{number}:{pager}",
                "case": case["_id"],
                "channel": pager,
                "kind": kind,
                "reason": case["risk_kind"],
                "locale": case["locale"],
                "ref": ref or case.get("ref", ""),
                "rung": case.get("escalations", 0),
                "rank": rank(kind, case.get("escalations", 0)),
                "to": to,
                "values": {"duty": str(owed)} if owed else {},
                "again": again,
                "state": "waiting",
                "attempts": 0,
                "created_at": now,
                "not_before": AT_ONCE,
            }
            for pager in self._pagers
        ]
        if rows:
            await self._db["alerts"].insert_many(rows, session=session)
