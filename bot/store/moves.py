"""Which conversation an address belongs to, where a person has more than one id or has moved to a new one.

A conversation is named by the address it began with. A row here says otherwise: keyed hashes only, nothing readable.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Any

import pymongo
from pymongo.asynchronous.client_session import AsyncClientSession
from pymongo.asynchronous.database import AsyncDatabase

from bot.domain.cases import CaseAction
from bot.domain.conversation import LONG_GAP, Conversation
from bot.domain.messages import Address, ChannelName, InboundMessage, Moved
from bot.domain.private import Private
from bot.store.documents import aware, conversation_in, conversation_out, open_case_of
from bot.store.held import HELD
from bot.store.history import Writer
from bot.store.mongo import in_transaction, reachable
from bot.store.sealed import Sealer, Unreadable

Doc = dict[str, Any]
#: Channels on which a person can have several ids.
SEVERAL_IDS = frozenset({ChannelName.WHATSAPP})
MOVED_NOTE = "the person has a new number: this chat goes on there; it is asked who writes"
#: A move waits so many seconds for the database, then the platform must tell it again: messages wait behind it.
PATIENCE = 2.0
LINKED_NOTE = "the person has another number, with a chat and an open case of its own"


class Contacts:
    """Names the conversation of a message."""

    def __init__(self, db: AsyncDatabase[Doc], sealer: Sealer) -> None:
        """Look-ups take one read, and only on channels where they are needed."""
        self._rows = db["contacts"]
        self._sealer = sealer

    def own(self, address: Address) -> str:
        """Return the conversation that begins with this address: a keyed hash of it."""
        return self._sealer.blind("contact", f"{address.channel}:{address.value.reveal()}")

    async def of(self, message: InboundMessage) -> str:
        """Return the conversation of a message, and remember all ids that it names as the same person's."""
        address = message.address
        own = self.own(address)
        if address.channel not in SEVERAL_IDS:
            return own
        also = self.own(Address(address.channel, message.also)) if message.also else ""
        rows = {row["_id"]: row async for row in self._rows.find({"_id": {"$in": [own, also]}})}
        found = next((_current(rows[name], message.sent_at) for name in (own, also) if name in rows), own)
        if also or not address.value.reveal().isdigit():
            for name in {own, also} - {""} - set(rows):
                await self._remember(name, found)
        return found

    async def _remember(self, name: str, conversation: str) -> None:
        fields = {"$setOnInsert": {"conversation": conversation}}
        await self._rows.update_one({"_id": name}, fields, upsert=True)


def _current(row: Doc, sent_at: datetime) -> str:
    """A number that was given up leads to its former holder only for what was written before."""
    if "former" in row and sent_at <= aware(row["moved_at"]):
        return str(row["former"])
    return str(row["conversation"])


class MongoMoves:
    """`bot.ports.Moves` on MongoDB."""

    def __init__(self, db: AsyncDatabase[Doc], sealer: Sealer, writer: Writer) -> None:
        """A move is one transaction."""
        self._db = db
        self._sealer = sealer
        self._writer = writer
        self._contacts = Contacts(db, sealer)

    async def move(self, moved: Moved, now: datetime) -> str:
        """Let conversation and open case follow.

        Where the new address has an open case of its own, nothing is put together: both cases say so.
        """

        async def body(session: AsyncClientSession) -> str:
            return await self._move(moved, now, session)

        async with reachable():
            with pymongo.timeout(PATIENCE):
                return await in_transaction(self._db.client, body)

    async def _move(self, moved: Moved, now: datetime, session: AsyncClientSession) -> str:
        old, new = self._contacts.own(moved.old), self._contacts.own(moved.new)
        rows = {
            row["_id"]: row async for row in self._db["contacts"].find({"_id": {"$in": [old, new]}}, session=session)
        }
        if rows.get(old, {}).get("key") == moved.key:
            return "repeated"
        ours = rows.get(old, {}).get("conversation", old)
        theirs = rows.get(new, {}).get("conversation", new)
        kept = await self._db["conversations"].find_one({"_id": ours}, session=session)
        if not kept or "erase_after" in kept or ours == theirs:
            return "unknown"
        case = await self._open_case(ours, session)
        if other := await self._open_case(theirs, session):
            for each in (case, other):
                await self._note(each, LINKED_NOTE, now, session)
            return "linked"
        await self._follow(kept, moved, theirs, session)
        await self._end(theirs, now, session)
        await self._point(moved, ours, session)
        await self._note(case, MOVED_NOTE, now, session)
        return "moved"

    async def _follow(self, kept: Doc, moved: Moved, theirs: str, session: AsyncClientSession) -> None:
        """Write to the new address from now on; whoever writes next is asked whether it is the same person.

        Where somebody may be watching the new phone, silence goes on.
        """
        name = kept["_id"]
        fields: Doc = {"version": kept.get("version", 0) + 1, "moved_at": moved.at, "unreachable": False}
        try:
            address = await self._sealer.open(f"address:{name}", kept.get("address"))
            conversation = conversation_in(
                name, moved.new.channel, 0, await self._sealer.open(f"conversation:{name}", kept.get("sealed"))
            )
        except Unreadable:
            return
        if address["address"] == moved.old.value.reveal():
            sealed = {"address": moved.new.value.reveal()}
            fields["address"] = await self._sealer.seal(name, f"address:{name}", sealed)
        if conversation.seen_at:
            conversation = replace(conversation, seen_at=conversation.seen_at - LONG_GAP)
        conversation = await self._hushed(conversation, theirs, session)
        fields["silent"] = conversation.silent
        fields["sealed"] = await self._sealer.seal(name, f"conversation:{name}", conversation_out(conversation))
        await self._db["conversations"].update_one({"_id": name}, {"$set": fields}, session=session)

    async def _hushed(self, ours: Conversation, theirs: str, session: AsyncClientSession) -> Conversation:
        """Return our conversation, silent if that of the new address was."""
        row = await self._db["conversations"].find_one({"_id": theirs}, session=session) or {}
        try:
            doc = await self._sealer.open(f"conversation:{theirs}", row.get("sealed"))
        except Unreadable:
            return ours
        found = conversation_in(theirs, ours.channel, 0, doc)
        if ours.silent or not found.silent:
            return ours
        return replace(ours, silent=True, silent_since=found.silent_since, safe_word=found.safe_word, opted_in=False)

    async def _end(self, theirs: str, now: datetime, session: AsyncClientSession) -> None:
        """Nobody writes in the new address's own conversation any more: it wants nothing, and nothing waits there."""
        for name in ("learners", "note_wishes"):
            await self._db[name].delete_one({"_id": theirs}, session=session)
        fields = {"state": "dropped", "open": False, "error": "the chat goes on elsewhere", "updated_at": now}
        await self._db["outbox"].update_many({"conversation": theirs, "state": HELD}, {"$set": fields}, session=session)

    async def _point(self, moved: Moved, conversation: str, session: AsyncClientSession) -> None:
        """Whoever is given the old number begins anew."""
        old, new = self._contacts.own(moved.old), self._contacts.own(moved.new)
        fresh = self._sealer.blind("contact", f"{old}:{moved.key}")
        given_up = {"conversation": fresh, "former": conversation, "moved_at": moved.at, "key": moved.key}
        contacts = self._db["contacts"]
        await contacts.replace_one({"_id": old}, given_up, upsert=True, session=session)
        await contacts.replace_one({"_id": new}, {"conversation": conversation}, upsert=True, session=session)

    async def _open_case(self, conversation: str, session: AsyncClientSession) -> Doc | None:
        case: Doc | None = await self._db["cases"].find_one(open_case_of(conversation), session=session)
        return case

    async def _note(self, case: Doc | None, note: str, now: datetime, session: AsyncClientSession) -> None:
        if not case:
            return
        await self._writer.event(case, CaseAction.TELL, "channel", now, session, detail=Private(note))
        changed = {"$inc": {"version": 1, "unread": 1}, "$set": {"updated_at": now}}
        await self._db["cases"].update_one({"_id": case["_id"]}, changed, session=session)


async def forget(db: AsyncDatabase[Doc], conversation: str, session: AsyncClientSession) -> None:
    """Forget every id of an erased conversation; whoever writes from one begins anew."""
    await db["contacts"].delete_many({"conversation": conversation}, session=session)
    given_up = {"$unset": {"former": "", "moved_at": ""}}
    await db["contacts"].update_many({"former": conversation}, given_up, session=session)
