"""Two cases that are one: both keep their histories, one stays open for both people, and it can be undone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from functools import reduce
from typing import Any

from pymongo import AsyncMongoClient
from pymongo.asynchronous.client_session import AsyncClientSession
from pymongo.asynchronous.database import AsyncDatabase
from pymongo.errors import DuplicateKeyError

from bot.domain.cases import PRIORITY, Case, CaseAction, CaseKind, CaseState, IllegalTransition, MergedFor, after
from bot.domain.messages import OutboundMessage
from bot.domain.private import Private
from bot.domain.risk import gravest
from bot.domain.roles import labels_of_both
from bot.domain.urgency import pressing
from bot.store.attending import STOPPED
from bot.store.documents import case_in
from bot.store.history import Writer
from bot.store.ladder import Ladder
from bot.store.mongo import in_transaction
from bot.store.steps import held_alone

Doc = dict[str, Any]
#: Cases of the same place opened within this time of each other may be one event.
SAME_TIME = timedelta(days=1)
MOST_NEAR = 20
#: What the one that stays open was before, so that undoing knows what to put back.
BEFORE = ("minor", "whereabouts", "raised", "kind", "risk_kind", "dangers")


class MongoMerges:
    """`bot.ports.Merges` on MongoDB."""

    def __init__(self, client: AsyncMongoClient[Doc], db: AsyncDatabase[Doc], writer: Writer, ladder: Ladder) -> None:
        """*writer* appends to both histories in the same transaction."""
        self._client = client
        self._db = db
        self._cases = db["cases"]
        self._writer = writer
        self._ladder = ladder

    async def merged(self, case_id: str) -> Sequence[Case]:
        """Return the cases that were merged into this one, oldest first."""
        return [case_in(row) async for row in self._cases.find({"merged_into": case_id}).sort("opened_at", 1)]

    async def near(self, case: Case) -> Sequence[Case]:
        """Return other cases that were opened at the same place within a day."""
        if not case.place:
            return ()
        within = {"$gte": case.opened_at - SAME_TIME, "$lte": case.opened_at + SAME_TIME}
        query = {"place": case.place, "opened_at": within, "_id": {"$ne": case.id}, "canary": {"$ne": True}}
        return [case_in(row) async for row in self._cases.find(query).sort("opened_at", -1).limit(MOST_NEAR)]

    async def merge(
        self,
        case_id: str,
        into: str,
        who: str,
        now: datetime,
        *,
        why: MergedFor,
        reason: Private,
        others: Mapping[str, Sequence[OutboundMessage]],
        key: str,
    ) -> Case:
        """Close the first as merged into the second; the same *key* again changes nothing."""

        async def body(session: AsyncClientSession) -> Doc:
            gone, kept = await self._both(case_id, into, now, session)
            if await self._done(case_id, key, session):
                return kept
            after(CaseState(kept["state"]), CaseAction.JOIN)
            closed = _closed(gone, kept, why, now)
            fields = _joined(gone, kept)
            if not (gone.get("owner") or kept.get("owner")):
                fields |= self._ladder.foot()
            await self._cases.update_one({"_id": case_id}, {"$set": closed}, session=session)
            await self._cases.update_many({"merged_into": case_id}, {"$set": {"merged_into": into}}, session=session)
            await self._cases.update_one({"_id": into}, {"$set": fields}, session=session)
            moved = {"$set": {"case": into, "from": case_id}}
            await self._db["tasks"].update_many({"case": case_id}, moved, session=session)
            for case, action, other in ((gone, CaseAction.MERGE, into), (kept, CaseAction.JOIN, case_id)):
                detail = Private(f"{other} · {reason.reveal()}")
                await self._writer.event(case, action, who, now, session, detail=detail, key=key)
            await self._writer.duties({**kept, **fields}, now, session)
            for conversation, said in others.items():
                await self._writer.say(conversation, said, now, session)
            return {**kept, **fields}

        return case_in(await in_transaction(self._client, body))

    async def split(self, case_id: str, who: str, now: datetime, *, reason: Private, key: str) -> Case:
        """Put a merged case back into the queue; what it lent to the other goes with it."""

        async def body(session: AsyncClientSession) -> Doc:
            row = await self._cases.find_one({"_id": case_id}, {"merged_into": 1}, session=session)
            if not row or not row.get("merged_into"):
                raise LookupError(case_id)
            gone, kept = await self._both(case_id, row["merged_into"], now, session)
            fields = self._reopened(gone, now)
            after(CaseState(kept["state"]), CaseAction.PART)
            await self._cases.update_one(
                {"_id": kept["_id"]}, {"$set": await self._parted(gone, kept, session)}, session=session
            )
            await self._cases.update_one({"_id": case_id}, {"$set": fields}, session=session)
            back = {"$set": {"case": case_id}, "$unset": {"from": ""}}
            await self._db["tasks"].update_many({"case": kept["_id"], "from": case_id}, back, session=session)
            split = await self._writer.event(gone, CaseAction.SPLIT, who, now, session, detail=reason, key=key)
            detail = Private(f"{case_id} · {reason.reveal()}")
            await self._writer.event(kept, CaseAction.PART, who, now, session, detail=detail, key=key)
            await self._writer.alert({**gone, **fields}, split.number, now, session)
            return {**gone, **fields}

        try:
            return case_in(await in_transaction(self._client, body))
        except DuplicateKeyError as error:  # the person has a case of their own again
            raise IllegalTransition(CaseAction.SPLIT, CaseState.CLOSED) from error

    async def _both(self, case_id: str, into: str, now: datetime, session: AsyncClientSession) -> tuple[Doc, Doc]:
        """Return both rows, touched first: of two who write their histories at once, one waits."""
        rows: dict[str, Doc] = {}
        for name in sorted({case_id, into}):
            touched = {"$set": {"updated_at": now}, "$inc": {"version": 1}}
            row: Doc | None = await self._cases.find_one_and_update({"_id": name}, touched, session=session)
            rows |= {name: row} if row and row["conversation"] else {}
        if len(rows) != 2:  # noqa: PLR2004 - one of each
            raise LookupError(case_id)
        return rows[case_id], rows[into]

    async def _done(self, case_id: str, key: str, session: AsyncClientSession) -> bool:
        known = {"case": case_id, "key": key}
        return bool(key) and await self._db["case_events"].find_one(known, {"_id": 1}, session=session) is not None

    def _reopened(self, gone: Doc, now: datetime) -> Doc:
        state = after(CaseState(gone["state"]), CaseAction.SPLIT)
        held = held_alone(gone) if gone.get("owner") else gone["before"]["held"]
        return {
            "state": state.value, "open": True, "held": held, "owner": None, "waiting_since": now,
            "merged_into": "", "closed_at": None, "follow_at": None, "alerted_at": now,
            **self._ladder.foot(), **STOPPED,
        }  # fmt: skip

    async def _parted(self, gone: Doc, kept: Doc, session: AsyncClientSession) -> Doc:
        """Return what the other is without this one; whether it is about a child stays, if danger was said since."""
        query = {"merged_into": kept["_id"], "_id": {"$ne": gone["_id"]}}
        rest = await self._cases.find(query, session=session).to_list()
        was = gone["before"]
        since = kept["raised"] != was["raised"] or "kind" not in was  # merged before these were kept
        minor = kept["minor"] if since else was["minor"] or any(row["minor"] for row in rest)
        own = {} if since else _gravest(was, *rest)
        kind = CaseKind(str(own.get("kind", kept["kind"])))
        return {
            **own,
            "also": [name for name in kept.get("also", ()) if name != gone["conversation"]],
            "priority": min([PRIORITY[kind], *(row["priority"] for row in rest)]),
            "minor": minor,
            "whereabouts": kept.get("whereabouts", "") if since else _whereabouts(was, *rest),
        }


def _closed(gone: Doc, kept: Doc, why: MergedFor, now: datetime) -> Doc:
    before = {name: kept.get(name) for name in BEFORE} | {"held": gone.get("held", False)}
    return {
        "state": after(CaseState(gone["state"]), CaseAction.MERGE).value, "open": False, "held": False,
        "escalate_at": None, "closed_at": now, "follow_at": None, "merged_into": kept["_id"], "merged_for": why.value,
        "before": before, "also": [], **STOPPED,
    }  # fmt: skip


def _gravest(*cases: Doc) -> Doc:
    """Return what cases are about together: the gravest of each, and every danger that was told."""
    dangers = [danger for case in cases for danger in case.get("dangers") or [case["risk_kind"]]]
    return {
        "kind": min((case["kind"] for case in cases), key=lambda kind: PRIORITY[CaseKind(kind)]),
        "risk_kind": reduce(gravest, (case["risk_kind"] for case in cases)),
        "dangers": list(dict.fromkeys(dangers)),
    }


def _whereabouts(*cases: Doc) -> str:
    return pressing(*(case.get("whereabouts") or "" for case in cases)) or ""


def _joined(gone: Doc, kept: Doc) -> Doc:
    """Return what the case that stays open becomes: as urgent as the graver of the two, with whoever had either."""
    fields: Doc = {
        "also": list(dict.fromkeys((*kept.get("also", ()), gone["conversation"], *gone.get("also", ())))),
        "priority": min(gone["priority"], kept["priority"]),
        **_gravest(kept, gone),
        "minor": gone.get("minor", False) or kept.get("minor", False),
        "held": gone.get("held", False) or kept.get("held", False),
        "waiting_since": min(gone["waiting_since"], kept["waiting_since"]),
        "unread": gone.get("unread", 0) + kept.get("unread", 0),
        "whereabouts": _whereabouts(gone, kept),
        "labels": list(labels_of_both(case_in(kept), case_in(gone))),
    }
    if gone.get("owner") and not kept.get("owner"):
        fields |= {"owner": gone["owner"], "state": gone["state"], "escalate_at": None}
        fields["acknowledged_at"] = gone.get("acknowledged_at")
        unseen = gone.get("raised", 0) > gone.get("seen_raised", gone.get("raised", 0))
        seen = kept.get("raised", 0) - (1 if unseen else 0)
        fields |= {**STOPPED, "seen_raised": seen, "held_before": kept.get("held", False)}
    return fields
