"""Conversations: a lease per worker, one sealed state, one transaction per turn."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from pymongo import AsyncMongoClient, ReturnDocument
from pymongo.asynchronous.client_session import AsyncClientSession
from pymongo.asynchronous.database import AsyncDatabase
from pymongo.errors import DuplicateKeyError

from bot.domain.conversation import (
    Conversation,
    Erase,
    Forget,
    Unlearn,
    Unreachable,
    Waiting,
)
from bot.domain.messages import Carrier, ChannelName, OutboundMessage, ReceiptState
from bot.ports import Lease, Rendered, VersionClash
from bot.store import held, learners, leased, telling
from bot.store.documents import aware, conversation_in, conversation_out, open_case_of
from bot.store.effects import Effects
from bot.store.erasing import Eraser
from bot.store.history import CONSENT_ROW, Writer
from bot.store.holds import is_kept
from bot.store.ladder import Ladder
from bot.store.mongo import in_transaction
from bot.store.reports import REPORT, MongoReports
from bot.store.sealed import Sealer, Unreadable
from bot.store.unsure import Unsure
from bot.store.wishes import Wishes

Doc = dict[str, Any]
LEASE_MS = 5_000
#: States of a message that the channel has taken.
ARRIVING = frozenset({ReceiptState.SENT, ReceiptState.DELIVERED, ReceiptState.READ})


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
        wishes = Wishes(db)
        self._effects = Effects(db, sealer, writer, ladder, reports, wishes)
        self._unsure = Unsure(client, db, sealer, self._effects)
        self._eraser = Eraser(client, db, sealer, reports, wishes)

    async def lease(self, conversation_id: str, owner: str) -> Lease | None:
        """Take the conversation; its first lease creates it, numbering versions from the server's time in seconds."""
        row = await self._take(conversation_id, owner)
        if not row and await self._create(conversation_id):
            row = await self._take(conversation_id, owner)
        return Lease(conversation_id, owner, row["lease"]["token"]) if row else None

    async def _take(self, conversation_id: str, owner: str) -> Doc | None:
        lease = {
            **leased.lease(owner, LEASE_MS),
            "token": {"$add": [{"$ifNull": ["$lease.token", 0]}, 1]},
        }
        row: Doc | None = await self._db["conversations"].find_one_and_update(
            {"_id": conversation_id, "$expr": leased.FREE},
            [{"$set": {"lease": lease}}],
            return_document=ReturnDocument.AFTER,
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
        mine = {"_id": lease.conversation_id, "lease.token": lease.token, "lease.until": {"$exists": True}}
        return await leased.renew(self._db["conversations"], mine, LEASE_MS)

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
        conversation = replace(conversation, kept_by_law=await is_kept(self._db, conversation_id))
        case = await self._db["cases"].find_one(
            open_case_of(conversation_id),
            {"held": 1, "report": 1, "risk_kind": 1, "owner": 1, "minor": 1},
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
            claimed=bool(case.get("owner")),
            consent_asked_at=await self._consent_asked(row),
            minor=bool(case.get("minor")),
        )

    async def _consent_asked(self, row: Doc) -> datetime | None:
        """Return when the question of consent left us, if nothing was said since; None while that is not certain."""
        if CONSENT_ROW not in row:
            return None
        query = {"_id": row[CONSENT_ROW], "state": {"$in": sorted(state.value for state in ARRIVING)}}
        asked = await self._db["outbox"].find_one(query, {"sending_at": 1})
        return aware(asked["sending_at"]) if asked and "sending_at" in asked else None

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
        if conversation.unsure:
            fields["unsure_since"] = now
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
        change: Doc = {"$set": fields, "$unset": {CONSENT_ROW: ""}}
        if not conversation.unsure:
            change["$unset"] |= {"unsure_since": ""}
        if answered.message.carrier is not Carrier.REMOVED:
            change["$max"] = {"heard_at": answered.message.sent_at}
        updated = await self._db["conversations"].update_one(mine, change, session=session)
        if updated.matched_count != 1:
            raise VersionClash(conversation.id)
        await self._writer.outbox(
            conversation.id, fields["channel"], fields["version"], rendered.messages, now, session
        )
        for effect in rendered.turn.effects:
            await self._effects.do(effect, conversation, answered, now, session)
        await held.release(self._db, rendered.turn, answered.message.carrier, rendered.messages, now, session)
        await learners.heard(self._db, conversation.id, now, session)
        await telling.spoke(self._db, conversation.id, now, session)
        if (
            conversation.stopped
            or conversation.stranger
            or any(isinstance(effect, Unlearn) for effect in rendered.turn.effects)
        ):
            await held.end_campaign(self._db, conversation.id, now, session)
        if conversation.silent:
            await self._hold_back(conversation.id, now, session)
        closed = await self._db["inbox"].update_one(
            {"_id": answered.id, "state": "waiting"},
            {"$set": {"state": "answered", "answered_at": now}},
            session=session,
        )
        if closed.matched_count != 1:
            raise VersionClash(conversation.id)

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
        fields = {"$set": {"sealed": sealed}, "$inc": {"version": 1}, "$unset": {CONSENT_ROW: ""}}
        if not (await self._db["conversations"].update_one(mine, fields, session=session)).matched_count:
            await session.abort_transaction()
            return False
        await self._writer.outbox(after.id, after.channel.value, after.version + 1, messages, now, session, tag)
        return True

    async def erase_due(self, now: datetime) -> int:
        """Erase the conversations that asked for it; return how many are gone."""
        return await self._eraser.erase_due(now)

    async def open_unsure(self, before: datetime, now: datetime) -> int:
        """Open a case for whoever was asked whether they need help, and is silent since *before*; return how many."""
        return await self._unsure.open_due(before, now)


def _is_to_be_erased(row: Doc) -> bool:
    """Say whether all that is kept is from before the wish to be erased; what was said since goes on as usual."""
    return "erase_after" in row and row.get("updated_at", row["erase_after"]) <= row["erase_after"]
