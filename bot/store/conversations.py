"""Conversations: a lease per worker, one sealed state, one transaction per turn."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from pymongo import AsyncMongoClient, ReturnDocument
from pymongo.asynchronous.client_session import AsyncClientSession
from pymongo.asynchronous.database import AsyncDatabase
from pymongo.errors import DuplicateKeyError

from bot.domain.canary import is_canary
from bot.domain.cases import PRIORITY, CaseAction, CaseKind, CaseState, next_follow_up
from bot.domain.conversation import (
    Answered,
    Conversation,
    Effect,
    Erase,
    FlagPoster,
    Forget,
    Forward,
    Identify,
    Learn,
    OpenCase,
    RaiseCase,
    Tell,
    Unlearn,
    Unreachable,
    Waiting,
    WantNotes,
)
from bot.domain.messages import Carrier, ChannelName, OutboundMessage
from bot.domain.private import Private
from bot.domain.risk import Level
from bot.ports import Lease, Rendered, VersionClash, reference
from bot.store import held, moves
from bot.store.clock import SteadyClock
from bot.store.documents import aware, conversation_in, conversation_out, open_case_of
from bot.store.history import Writer
from bot.store.mongo import in_transaction
from bot.store.reports import REPORT, MongoReports
from bot.store.sealed import Sealer, Unreadable
from bot.store.wishes import Wishes

Doc = dict[str, Any]
LEASE_MS = 15_000
NEVER = datetime(1970, 1, 1, tzinfo=UTC)
REPAGE_AFTER = timedelta(seconds=60)
FAREWELL_PATIENCE = timedelta(seconds=60)
IN_FLIGHT = timedelta(seconds=2)
MOST_REPORTS = 3
TOO_MANY = f"nobody: more than {MOST_REPORTS} reports in a day"
REPORTS_WITHIN = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Ladder:
    """Seconds after which an unclaimed case goes one rung higher: next on call, supervisor, phone helplines.

    *clock*: a time that does not jump (see `bot.store.clock`), that sets a case's `ladder_from` and `escalate_at`.
    """

    rungs: tuple[float, ...]
    clock: SteadyClock

    def foot(self) -> Doc:
        """Return the fields of a case that begins to wait now."""
        now = self.clock()
        return {"ladder_from": now, "escalations": 0, "escalate_at": self._at(now, 0)}

    def above(self, case: Doc) -> Doc:
        """Return the fields of a case that goes one rung higher."""
        rung = case.get("escalations", 0) + 1
        began = aware(case.get("ladder_from") or case["waiting_since"])
        return {"escalations": rung, "escalate_at": self._at(began, rung)}

    def _at(self, began: datetime, rung: int) -> datetime | None:
        """Return when the next rung comes, or None above the last."""
        return began + timedelta(seconds=self.rungs[rung]) if rung < len(self.rungs) else None


class MongoConversations:
    """`bot.ports.Conversations` on MongoDB."""

    def __init__(
        self,
        client: AsyncMongoClient[Doc],
        db: AsyncDatabase[Doc],
        sealer: Sealer,
        writer: Writer,
        ladder: Ladder,
        reports: MongoReports,
    ) -> None:
        """Leases are timed by the server's clock (`$$NOW`), never by the host's."""
        self._client = client
        self._db = db
        self._sealer = sealer
        self._writer = writer
        self._ladder = ladder
        self._reports = reports
        self._wishes = Wishes(db)

    async def lease(self, conversation_id: str, owner: str) -> Lease | None:
        """Take the conversation; its first lease creates it, numbering versions from the server's time in seconds."""
        row = await self._take(conversation_id, owner)
        if not row and await self._create(conversation_id):
            row = await self._take(conversation_id, owner)
        return Lease(conversation_id, owner, row["lease"]["token"]) if row else None

    async def _take(self, conversation_id: str, owner: str) -> Doc | None:
        free = {"$lt": [{"$ifNull": ["$lease.until", NEVER]}, "$$NOW"]}
        lease = {
            "owner": owner,
            "until": {"$add": ["$$NOW", LEASE_MS]},
            "token": {"$add": [{"$ifNull": ["$lease.token", 0]}, 1]},
        }
        row: Doc | None = await self._db["conversations"].find_one_and_update(
            {"_id": conversation_id, "$expr": free}, [{"$set": {"lease": lease}}], return_document=ReturnDocument.AFTER
        )
        return row

    async def _create(self, conversation_id: str) -> bool:
        version = {"$ifNull": ["$version", {"$toLong": {"$divide": [{"$toLong": "$$NOW"}, 1000]}}]}
        try:
            done = await self._db["conversations"].update_one(
                {"_id": conversation_id}, [{"$set": {"version": version}}], upsert=True
            )
        except DuplicateKeyError:
            return False
        return done.upserted_id is not None

    async def renew(self, lease: Lease) -> bool:
        """Hold the lease as long again from now; False, with nothing changed, if another worker has taken it since."""
        done = await self._db["conversations"].update_one(
            {"_id": lease.conversation_id, "lease.token": lease.token, "lease.until": {"$exists": True}},
            [{"$set": {"lease.until": {"$add": ["$$NOW", LEASE_MS]}}}],
        )
        return done.matched_count == 1

    async def release(self, lease: Lease) -> None:
        """End the lease early; a lease that another worker has taken since is left alone."""
        await self._db["conversations"].update_one(
            {"_id": lease.conversation_id, "lease.token": lease.token}, {"$unset": {"lease.until": ""}}
        )

    async def load(self, conversation_id: str, channel: ChannelName) -> Conversation:
        """Return the committed state; whether a case is open, and a human holds it, is read from the case itself."""
        row = await self._db["conversations"].find_one({"_id": conversation_id}) or {}
        version = row.get("version", 0)
        try:
            if _is_to_be_erased(row):
                raise Unreadable(conversation_id)
            doc = await self._sealer.open(f"conversation:{conversation_id}", row.get("sealed"))
            conversation = conversation_in(conversation_id, channel, version, doc)
        except Unreadable:
            conversation = Conversation(conversation_id, channel, version)
        case = await self._db["cases"].find_one(
            open_case_of(conversation_id),
            {"held": 1, "report": 1, "risk_kind": 1, "owner": 1, "acknowledged_at": 1, "minor": 1},
        )
        if not case:
            after = await self._followed(conversation_id)
            closed = replace(conversation, open_case="", held=False, reporting=False, claimed=False, minor=False)
            told = bool(after.get("told_reached"))
            return replace(closed, followed_case=after.get("_id", ""), unanswered=bool(after) and not told)
        return replace(
            conversation,
            open_case=case["_id"],
            held=bool(case.get("held")),
            reporting=case.get("report", case["risk_kind"] == REPORT),
            claimed=bool(case.get("owner") or case.get("acknowledged_at")),
            minor=bool(case.get("minor")),
        )

    async def _followed(self, conversation_id: str) -> Doc:
        """Return the newest closed case about which the person was asked afterwards, or an empty document."""
        query = {"conversation": conversation_id, "open": False, "followed": {"$gte": 1}}
        fields = {"told_reached": 1}
        return await self._db["cases"].find_one(query, fields, sort=[("opened_at", -1)]) or {}

    async def commit(self, rendered: Rendered, answered: Waiting, lease: Lease, now: datetime) -> None:
        """Write everything the turn leads to in one transaction, or nothing."""
        conversation = rendered.turn.conversation
        place = f"conversation:{conversation.id}"
        sealed = await self._sealer.seal(conversation.id, place, conversation_out(conversation))
        address = {"address": answered.message.address.value.reveal()}
        fields = {
            "version": conversation.version + 1,
            "channel": answered.message.address.channel.value,
            "sealed": sealed,
            "updated_at": now,
            "unreachable": any(isinstance(effect, Unreachable) for effect in rendered.turn.effects),
            "silent": conversation.silent,
        }
        if not await self._has_moved_since(conversation.id, answered.message.sent_at):
            fields["address"] = await self._sealer.seal(conversation.id, f"address:{conversation.id}", address)
        if any(isinstance(effect, Erase) for effect in rendered.turn.effects):
            fields["erase_after"] = now
        if any(isinstance(effect, Forget) for effect in rendered.turn.effects):
            fields |= {"forget_at": now, "forget_since": now}

        async def body(session: AsyncClientSession) -> None:
            await self._write(rendered, answered, lease, fields, now, session)

        try:
            await in_transaction(self._client, body)
        except DuplicateKeyError as error:
            raise VersionClash(conversation.id) from error

    async def _has_moved_since(self, conversation_id: str, sent_at: datetime) -> bool:
        """Say whether a message is older than the person's new address, to which answers go."""
        row = await self._db["conversations"].find_one({"_id": conversation_id}, {"moved_at": 1}) or {}
        return "moved_at" in row and sent_at <= aware(row["moved_at"])

    async def _write(
        self,
        rendered: Rendered,
        answered: Waiting,
        lease: Lease,
        fields: Doc,
        now: datetime,
        session: AsyncClientSession,
    ) -> None:
        conversation = rendered.turn.conversation
        mine = {"_id": conversation.id, "version": conversation.version, "lease.token": lease.token}
        change: Doc = {"$set": fields}
        if answered.message.carrier is not Carrier.REMOVED:
            change["$max"] = {"heard_at": answered.message.sent_at}
        updated = await self._db["conversations"].update_one(mine, change, session=session)
        if updated.matched_count != 1:
            raise VersionClash(conversation.id)
        await self._writer.outbox(
            conversation.id, fields["channel"], fields["version"], rendered.messages, now, session
        )
        for effect in rendered.turn.effects:
            await self._do(effect, conversation, answered, now, session)
        await held.release(self._db, rendered.turn, answered.message.carrier, rendered.messages, now, session)
        if conversation.silent:
            await self._hold_back(conversation.id, now, session)
        closed = await self._db["inbox"].update_one(
            {"_id": answered.id, "state": "waiting"},
            {"$set": {"state": "answered", "answered_at": now}},
            session=session,
        )
        if closed.matched_count != 1:
            raise VersionClash(conversation.id)

    async def _do(
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
            "state": CaseState.PAGED.value,
            "risk_kind": effect.risk.kind,
            "reason": effect.risk.reason,
            "locale": conversation.locale or conversation.locale_guess,
            "channel": answered.message.address.channel.value,
            "ref": reference(answered.id),
            "place": conversation.place,
            "district": conversation.district,
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
        paged = (
            f"nobody: more than {MOST_REPORTS} reports in a day" if quiet else ", ".join(self._writer.addressed(case))
        )
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
        again = graver or case["owner"] is not None or now - aware(case["alerted_at"]) > REPAGE_AFTER
        fields: Doc = {"held": True, "updated_at": now}
        await self._note_wishes(effect.case_id, conversation, session)
        fields["minor"] = case["minor"] or effect.risk.minor
        if graver:
            fields |= {"kind": kind.value, "priority": PRIORITY[kind], "risk_kind": effect.risk.kind}
            fields |= {"reason": effect.risk.reason, "waiting_since": now, **self._ladder.foot()}
            if case["owner"]:
                fields["escalate_at"] = None
        if again:
            fields["alerted_at"] = now
        await cases.update_one(
            {"_id": case["_id"]}, {"$set": fields, "$inc": {"raised": 1, "unread": 1, "version": 1}}, session=session
        )
        detail = Private(effect.risk.reason)
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
        fields["stranger"] = conversation.stranger
        own = await self._own(case_id, conversation, session)
        await self._db["cases"].update_one({"_id": own}, {"$set": fields}, session=session)
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
        await self._writer.event(case, CaseAction.TELL, "person", now, session, detail=detail)

    async def _follow(self, effect: Tell, case: Doc, session: AsyncClientSession) -> None:
        """Only a yes makes us write again; anything else ends it for good."""
        fields: Doc = {"told_reached": True}
        if effect.slot == "follow_up":
            yes = effect.value.reveal() == "yes"
            fields["follow_at"] = next_follow_up(aware(case["closed_at"]), case.get("followed", 0)) if yes else None
        await self._db["cases"].update_one({"_id": case["_id"]}, {"$set": fields}, session=session)

    async def _hold_back(self, conversation: str, now: datetime, session: AsyncClientSession) -> None:
        """Somebody may be watching: what the bot has not sent yet never leaves, nor again what may have arrived."""
        mine = {"conversation": conversation, "open": True, "author": "bot", "state": {"$in": ["waiting", "unknown"]}}
        fields = {"state": "dropped", "open": False, "error": held.SILENCE, "updated_at": now}
        await self._db["outbox"].update_many(mine, {"$set": fields}, session=session)

    async def sealed(self, conversation: Conversation) -> object:
        """Return what is remembered, sealed for `speak`."""
        place = f"conversation:{conversation.id}"
        return await self._sealer.seal(conversation.id, place, conversation_out(conversation))

    async def speak(
        self,
        after: Conversation,
        sealed: object,
        messages: Sequence[OutboundMessage],
        tag: str,
        now: datetime,
        session: AsyncClientSession,
    ) -> bool:
        """Say something that nobody asked for just now; False, with nothing said, if the conversation has moved on."""
        mine = {"_id": after.id, "version": after.version, "erase_after": {"$exists": False}}
        fields = {"$set": {"sealed": sealed}, "$inc": {"version": 1}}
        if not (await self._db["conversations"].update_one(mine, fields, session=session)).matched_count:
            await session.abort_transaction()
            return False
        await self._writer.outbox(after.id, after.channel.value, after.version + 1, messages, now, session, tag)
        return True

    async def _drop_unsent(self, conversation: str, now: datetime, session: AsyncClientSession) -> None:
        """Nothing reaches this person: what is not sent is given up, and an open case counts it."""
        mine = {"conversation": conversation, "open": True}
        fields = {"state": "failed", "open": False, "error": "the person takes no messages", "updated_at": now}
        await self._db["outbox"].update_many(mine, {"$set": fields}, session=session)
        missed = {"$inc": {"undelivered": 1, "version": 1}, "$set": {"updated_at": now}}
        await self._db["cases"].update_one(mine, missed, session=session)

    async def erase_due(self, now: datetime) -> int:
        """Erase the conversations that asked for it; return how many are gone.

        In two steps, so that a message which arrives meanwhile is never sealed under a key about to be destroyed:
        first the key is set aside (whoever writes again gets a new one), then, when nothing under it waits, destroyed.
        """
        erased = 0
        async for row in self._db["conversations"].find({"erase_after": {"$lte": now}}):
            if "key_aside_at" not in row or row["key_aside_at"] < row["erase_after"]:  # or wished a second time
                await self._sealer.set_aside(row["_id"])
                await self._db["conversations"].update_one({"_id": row["_id"]}, {"$set": {"key_aside_at": now}})
            elif now - aware(row["key_aside_at"]) > IN_FLIGHT and not await self._unfinished(row, now):
                await self._erase(row)
                erased += 1
        return erased

    async def _unfinished(self, row: Doc, now: datetime) -> bool:
        """Say whether something still waits: an open case, a message to answer, or (for a minute) one to send."""
        mine = {"conversation": row["_id"]}
        if await self._db["cases"].find_one(open_case_of(row["_id"]), {"_id": 1}):
            return True
        if await self._db["inbox"].find_one({**mine, "state": "waiting"}, {"_id": 1}):
            return True
        sending = await self._db["outbox"].find_one({**mine, "open": True}, {"_id": 1})
        return bool(sending) and now - aware(row["erase_after"]) < FAREWELL_PATIENCE

    async def _erase(self, row: Doc) -> None:
        """Destroy the key first: from that moment all is unreadable, and a crash leaves only work to repeat."""
        conversation, until = row["_id"], row["key_aside_at"]
        await self._sealer.shred_aside(conversation)
        await self._db["outbox"].delete_many({"conversation": conversation, "created_at": {"$lte": until}})
        await self._db["inbox"].update_many(
            {"conversation": conversation, "received_at": {"$lte": until}},
            {"$set": {"state": "erased"}, "$unset": {"sealed": "", "conversation": ""}},
        )
        for name in ("media", "media_pieces"):
            await self._db[name].delete_many({"conversation": conversation, "at": {"$lte": until}})
        await self._wishes.erase(conversation, until)
        await self._reports.erase(conversation, until)
        cases = {"conversation": conversation, "open": False}
        ids = await self._db["cases"].distinct("_id", cases)
        for name in ("case_events", "tasks", "approvals"):
            await self._db[name].update_many({"case": {"$in": ids}}, {"$unset": {"sealed": ""}})
        await self._db["cases"].update_many(
            cases, {"$set": {"conversation": "", "place": "", "district": "", "erased": True}, "$unset": {"told": ""}}
        )
        await self._db["cases"].update_many({"also": conversation}, {"$pull": {"also": conversation}})
        if not await self._forgotten(conversation, until):
            await self._db["conversations"].update_one(
                {"_id": conversation}, {"$unset": {"erase_after": "", "key_aside_at": ""}}
            )

    async def _forgotten(self, conversation: str, until: datetime) -> bool:
        """Delete the conversation and every id that led to it; False if the person has written since."""

        async def body(session: AsyncClientSession) -> bool:
            mine = {"_id": conversation, "updated_at": {"$lte": until}}
            gone = await self._db["conversations"].delete_one(mine, session=session)
            if gone.deleted_count:
                await moves.forget(self._db, conversation, session)
            return gone.deleted_count > 0

        return await in_transaction(self._client, body)


def _is_to_be_erased(row: Doc) -> bool:
    """Say whether all that is kept is from before the wish to be erased; what was said since goes on as usual."""
    return "erase_after" in row and row.get("updated_at", row["erase_after"]) <= row["erase_after"]
