"""What one turn leads to besides words: cases opened and raised, answers kept, wishes noted; within its transaction."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from pymongo.asynchronous.client_session import AsyncClientSession
from pymongo.asynchronous.database import AsyncDatabase

from bot.domain.canary import is_canary
from bot.domain.cases import PRIORITY, UNDER_18, CaseAction, CaseKind, CaseState, next_follow_up
from bot.domain.conversation import (
    Answered,
    Conversation,
    Effect,
    FlagPoster,
    Forward,
    Identify,
    Learn,
    OpenCase,
    RaiseCase,
    Reopen,
    Tell,
    Unlearn,
    Unreachable,
    Waiting,
    WantNotes,
)
from bot.domain.private import Private
from bot.domain.risk import Level, gravest
from bot.domain.why import Why
from bot.ports import VersionClash, reference
from bot.store.documents import aware
from bot.store.history import Writer
from bot.store.ladder import Ladder
from bot.store.reopening import reopen
from bot.store.reports import REPORT, MongoReports
from bot.store.sealed import Sealer
from bot.store.slips import name_of
from bot.store.wishes import Wishes

Doc = dict[str, Any]
REPAGE_AFTER = timedelta(seconds=60)
MOST_REPORTS = 3
TOO_MANY = Why.TOO_MANY.mark
REPORTS_WITHIN = timedelta(days=1)


class Effects:
    """Writes what a turn leads to; each call belongs to the transaction of *session*."""

    def __init__(
        self, db: AsyncDatabase[Doc], sealer: Sealer, writer: Writer, ladder: Ladder, reports: MongoReports,
        wishes: Wishes,
    ) -> None:  # fmt: skip
        """Nothing is connected here."""
        self._db = db
        self._sealer = sealer
        self._writer = writer
        self._ladder = ladder
        self._reports = reports
        self._wishes = wishes

    async def do(
        self,
        effect: Effect,
        conversation: Conversation,
        answered: Waiting,
        now: datetime,
        session: AsyncClientSession,
    ) -> None:
        """Write what one effect leads to; the others were done before the turn was committed."""
        match effect:
            case OpenCase():
                await self._open(effect, conversation, answered, now, session)
            case RaiseCase():
                await self._raise(effect, conversation, answered, now, session)
            case Reopen():
                why = "reached: no"
                await reopen(self._db, self._writer, self._ladder, effect.case_id, why, now, session)
            case Forward():
                await self._forward(effect, conversation, now, session)
            case Tell():
                own = await self._own(effect.case_id, conversation, session)
                await self._tell(replace(effect, case_id=own), now, session)
            case Identify():
                own = await self._own(effect.case_id, conversation, session)
                await self._reports.identify(replace(effect, case_id=own), conversation.id, now, session)
            case FlagPoster():
                await self._flag(effect, now, session)
            case Unreachable():
                await self._drop_unsent(conversation.id, now, session)
            case Learn() | Unlearn() | Answered() | WantNotes():
                await self._wishes.keep(effect, conversation, now, session)

    async def _own(self, case_id: str, conversation: Conversation, session: AsyncClientSession) -> str:
        """Return the case under which this person's answers are kept: the one that was merged into *case_id*, if so."""
        mine = {"conversation": conversation.id, "merged_into": case_id}
        own = await self._db["cases"].find_one(mine, {"_id": 1}, session=session)
        return str(own["_id"]) if own else case_id

    async def _open(
        self,
        effect: OpenCase,
        conversation: Conversation,
        answered: Waiting,
        now: datetime,
        session: AsyncClientSession,
    ) -> None:
        case: Doc = {
            "_id": effect.case_id,
            "conversation": conversation.id,
            "open": True,
            "kind": effect.kind.value,
            "state": CaseState.RECEIVED.value,
            "risk_kind": effect.risk.kind,
            "dangers": [effect.risk.kind],
            "reason": effect.risk.reason,
            "locale": conversation.locale or conversation.locale_guess,
            "channel": answered.message.address.channel.value,
            "ref": reference(answered.id),
            "place": conversation.place,
            "district": conversation.district,
            "whereabouts": conversation.whereabouts,
            "opened_at": now,
            "waiting_since": now,
            "updated_at": now,
            "alerted_at": now,
            "priority": PRIORITY[effect.kind],
            "owner": None,
            "minor": effect.risk.minor,
            "silent": conversation.silent,
            "held": conversation.held,
            **self._ladder.foot(),
            "raised": 0,
            "unread": 1,
            "version": 1,
            "report": effect.risk.kind == REPORT,
        }
        if effect.slip:
            case["slip"] = name_of(self._sealer, effect.slip.reveal())
        if is_canary(answered.message):
            case |= {"canary": True, "escalate_at": None}
        quiet = await self._reports_often(effect, conversation.id, now, session)
        if quiet:
            case["escalate_at"] = None
        await self._db["cases"].insert_one(case, session=session)
        if case["report"]:
            await self._reports.open(effect.case_id, conversation.id, now, session)
        opened = await self._writer.event(
            case, CaseAction.OPEN, "bot", now, session, detail=Private(effect.risk.reason)
        )
        paged = TOO_MANY if quiet else ", ".join(self._writer.addressed(case))
        await self._writer.event(case, CaseAction.PAGE, "bot", now, session, detail=Private(paged))
        await self._writer.duties(case, now, session)
        if not quiet:
            await self._writer.alert(case, opened.number, now, session)

    async def _reports_often(
        self, effect: OpenCase, conversation: str, now: datetime, session: AsyncClientSession
    ) -> bool:
        """Of one person's reports beyond some in a day nobody is woken: they wait in the queue. Danger always wakes."""
        if effect.kind is not CaseKind.REPORT:
            return False
        lately = {"conversation": conversation, "kind": effect.kind.value, "opened_at": {"$gt": now - REPORTS_WITHIN}}
        return await self._db["cases"].count_documents(lately, limit=MOST_REPORTS, session=session) >= MOST_REPORTS

    async def _raise(
        self, effect: RaiseCase, conversation: Conversation, answered: Waiting, now: datetime,
        session: AsyncClientSession,
    ) -> None:  # fmt: skip
        cases = self._db["cases"]
        case = await cases.find_one({"_id": effect.case_id, "open": True}, session=session)
        if not case:
            raise VersionClash(effect.case_id)
        kind = CaseKind.MISSING if effect.risk.kind == "missing_person" else CaseKind.DISTRESS
        graver = PRIORITY[kind] < case["priority"]
        about = effect.risk.kind if graver else gravest(case["risk_kind"], effect.risk.kind)
        worse = about != case["risk_kind"]
        again = graver or worse or case["owner"] is not None or now - aware(case["alerted_at"]) > REPAGE_AFTER
        fields: Doc = {"held": True, "updated_at": now}
        await self._note_wishes(effect.case_id, conversation, session)
        fields["minor"] = case["minor"] or effect.risk.minor
        fields["dangers"] = sorted({*case.get("dangers", [case["risk_kind"]]), effect.risk.kind})
        if worse:
            fields |= {"risk_kind": about, "reason": effect.risk.reason}
        if graver:
            fields |= {"kind": kind.value, "priority": PRIORITY[kind], "waiting_since": now, **self._ladder.foot()}
            if case["owner"]:
                fields["escalate_at"] = None
        if again:
            fields["alerted_at"] = now
        await cases.update_one(
            {"_id": case["_id"]}, {"$set": fields, "$inc": {"raised": 1, "unread": 1, "version": 1}}, session=session
        )
        detail = Private(_raised(case["risk_kind"], effect.risk.kind, about, effect.risk.reason))
        event = await self._writer.event(case, CaseAction.RAISE, "bot", now, session, detail=detail)
        await self._writer.duties({**case, **fields}, now, session)
        if again and effect.risk.level is Level.NOW:
            await self._writer.alert({**case, **fields}, event.number, now, session, reference(answered.id))

    async def _forward(
        self, effect: Forward, conversation: Conversation, now: datetime, session: AsyncClientSession
    ) -> None:
        own = await self._note_wishes(effect.case_id, conversation, session)
        fields: Doc = {"updated_at": now, **({"held": conversation.held} if own == effect.case_id else {})}
        await self._db["cases"].update_one(
            {"_id": effect.case_id, "open": True},
            {"$set": fields, "$inc": {"unread": 1, "version": 1}},
            session=session,
        )

    async def _flag(self, effect: FlagPoster, now: datetime, session: AsyncClientSession) -> None:
        """Keep that somebody said a poster looks wrong, and not who."""
        place, purpose, series = effect.poster.split(":")
        fields = {"flagged_at": now, "place": place, "purpose": purpose, "series": int(series)}
        await self._db["place_posters"].update_one(
            {"_id": effect.poster}, {"$inc": {"flags": 1}, "$set": fields}, upsert=True, session=session
        )

    async def _note_wishes(self, case_id: str, conversation: Conversation, session: AsyncClientSession) -> str:
        """Note on the person's own case, merged or not, that a phone is watched and that they want to be erased.

        Return that case.
        """
        fields = {"silent": conversation.silent, "erase_requested": conversation.erase_requested}
        fields |= {"stranger": conversation.stranger, "unasked": False}
        own = await self._own(case_id, conversation, session)
        await self._db["cases"].update_one({"_id": own}, {"$set": fields}, session=session)
        if conversation.whereabouts:  # on the case that is looked after: it says how urgent that is
            place = {"$set": {"whereabouts": conversation.whereabouts}}
            await self._db["cases"].update_one({"_id": case_id}, place, session=session)
        return own

    async def _tell(self, effect: Tell, now: datetime, session: AsyncClientSession) -> None:
        """Keep an answer with its case, sealed; the last one to each question counts, the history has them all."""
        case = await self._db["cases"].find_one({"_id": effect.case_id}, session=session)
        if not case or not case["conversation"]:
            return
        await self._writer.told(case, effect.slot, effect.value, now, session)
        if effect.slot in {"reached", "follow_up"} and not case["open"]:
            await self._follow(effect, case, session)
        detail = Private(f"{effect.slot}: {effect.value.reveal()}")
        event = await self._writer.event(case, CaseAction.TELL, "person", now, session, detail=detail)
        child = effect.slot == UNDER_18 and effect.value.reveal() == "yes" and not case["minor"]
        if child and case["open"] and case["owner"] is None:
            await self._writer.alert({**case, "minor": True}, event.number, now, session)

    async def _follow(self, effect: Tell, case: Doc, session: AsyncClientSession) -> None:
        """Only a yes makes us write again; anything else ends it for good."""
        fields: Doc = {"told_reached": True}
        if effect.slot == "follow_up":
            yes = effect.value.reveal() == "yes"
            fields["follow_at"] = next_follow_up(aware(case["closed_at"]), case.get("followed") or 0) if yes else None
        await self._db["cases"].update_one({"_id": case["_id"]}, {"$set": fields}, session=session)

    async def _drop_unsent(self, conversation: str, now: datetime, session: AsyncClientSession) -> None:
        """Nothing reaches this person: what is not sent is given up, and an open case counts it."""
        mine = {"conversation": conversation, "open": True}
        fields = {"state": "failed", "open": False, "error": "the person takes no messages", "updated_at": now}
        await self._db["outbox"].update_many(mine, {"$set": fields}, session=session)
        missed = {"$inc": {"undelivered": 1, "version": 1}, "$set": {"updated_at": now}}
        await self._db["cases"].update_one(mine, missed, session=session)


def _raised(before: str, told: str, about: str, reason: str) -> str:
    """Write for the history what was told, and of what the case is about from now on, where that changes."""
    return f"{before} → {about}: {reason}" if about != before else f"{told}: {reason}"
