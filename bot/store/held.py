"""Messages that a channel takes only after the person has written again, and the one greeting that may go before."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from pymongo import ReturnDocument
from pymongo.asynchronous.client_session import AsyncClientSession
from pymongo.asynchronous.database import AsyncDatabase

from bot.domain.cases import CaseAction
from bot.domain.conversation import Turn
from bot.domain.messages import LANE_ORDER, SIGNS, WINDOW, Carrier, Lane, OutboundMessage
from bot.domain.notices import note_number
from bot.domain.private import Private
from bot.ports import Due, Wish
from bot.store.documents import aware, conversation_in, open_case_of
from bot.store.history import Writer
from bot.store.mongo import in_transaction
from bot.store.sealed import Sealer, Unreadable

Doc = dict[str, Any]
HELD = "held"
GREETING = "greeting"
SILENCE = "the person asked for silence"
#: What waited longer is not said any more.
STILL_TRUE = timedelta(days=30)
NOTE_WAITS = "the window is closed; the note waits for the person"


class MongoHeldBack:
    """`bot.ports.HeldBack` on MongoDB."""

    def __init__(self, db: AsyncDatabase[Doc], sealer: Sealer, writer: Writer) -> None:
        """A held row is closed; the next message of the person opens it again (`release`)."""
        self._db = db
        self._sealer = sealer
        self._writer = writer

    async def wish(self, due: Due) -> Wish:
        """Return what the person of this message wants; of somebody erased, nothing."""
        kept = await self._db["conversations"].find_one({"_id": due.conversation_id}) or {}
        try:
            doc = await self._sealer.open(f"conversation:{due.conversation_id}", kept.get("sealed"))
        except Unreadable:
            return Wish()
        found = conversation_in(due.conversation_id, due.address.channel, 0, doc)
        unwanted = found.silent or found.stopped or found.stranger or "erase_after" in kept
        return Wish(found.locale or found.locale_guess, found.opted_in and not unwanted)

    async def hold(self, due: Due, greeting: OutboundMessage | None, note: str, now: datetime) -> None:
        """Keep it until they write; queue the greeting unless one has gone out since they wrote last."""

        async def body(session: AsyncClientSession) -> None:
            fields = {"state": HELD, "open": False, "error": "the channel waits for the person", "updated_at": now}
            change = {"$set": fields, "$unset": {"lease": ""}, "$inc": {"holdings": 1}}
            row = await self._db["outbox"].find_one_and_update(
                {"_id": due.id, "open": True}, change, return_document=ReturnDocument.AFTER, session=session
            )
            if not row:
                return
            if greeting and await self._may_greet(due, session):
                await self._greet(due, row, greeting, now, session)
            await self._tell(due, note, now, session)

        await in_transaction(self._db.client, body)

    async def note_again(self, due: Due, now: datetime) -> bool:
        """Give an urgent note back to its list; see the port. As the window is closed, so it is for the list."""
        mine = {"_id": due.id, "open": True}
        row = await self._db["outbox"].find_one(mine, {"lesson": 1})
        number = note_number(row.get("lesson", "")) if row else None
        if number is None:
            return False

        async def body(session: AsyncClientSession) -> None:
            fields = {"state": "dropped", "open": False, "error": NOTE_WAITS, "updated_at": now}
            change = {"$set": fields, "$unset": {"lease": "", "lesson": ""}}
            done = await self._db["outbox"].find_one_and_update(mine, change, session=session)
            if not done:
                return
            shut = {"$min": {"heard_at": now - WINDOW}}
            await self._db["conversations"].update_one(unheard(done), shut, session=session)
            send = {"_id": f"{number}:{due.conversation_id}", "state": "sent"}
            again = {"$set": {"state": "waiting", "not_before": now}}
            await self._db["note_sends"].update_one(send, again, session=session)

        await in_transaction(self._db.client, body)
        return True

    async def _may_greet(self, due: Due, session: AsyncClientSession) -> bool:
        since = {"created_at": {"$gt": due.heard_at}} if due.heard_at else {}
        mine = {"conversation": due.conversation_id, GREETING: True, **since}
        return await self._db["outbox"].find_one(mine, {"_id": 1}, session=session) is None

    async def _greet(
        self, due: Due, row: Doc, greeting: OutboundMessage, now: datetime, session: AsyncClientSession
    ) -> None:
        name = f"{due.id}:hello{row['holdings']}"
        fresh = await self._writer.outbox_row(name, due.conversation_id, row["channel"], greeting, now)
        await self._db["outbox"].insert_one({**fresh, GREETING: True}, session=session)

    async def _tell(self, due: Due, note: str, now: datetime, session: AsyncClientSession) -> None:
        case = await self._db["cases"].find_one(open_case_of(due.conversation_id), session=session)
        if not case:
            return
        await self._writer.event(case, CaseAction.TELL, "channel", now, session, detail=Private(note))
        changed = {"$inc": {"version": 1}, "$set": {"updated_at": now}}
        await self._db["cases"].update_one({"_id": case["_id"]}, changed, session=session)


async def release(
    db: AsyncDatabase[Doc], turn: Turn, carrier: Carrier, messages: tuple[OutboundMessage, ...], now: datetime,
    session: AsyncClientSession,
) -> None:  # fmt: skip
    """The person has written: what waited for that may leave, a greeting need not, and must not be waited for.

    Not while somebody may be watching, nor after "stop", which end what the bot had to say; nor before what danger
    needs, nor to somebody who may be another. Into an open case only a human's words go.
    """
    conversation, mine = turn.conversation, {"conversation": turn.conversation.id}
    if conversation.silent or conversation.stopped:
        await _end(db, {**mine, "state": HELD, "author": "bot"}, now, session)
        return
    urgent = any(message.lane is Lane.DISTRESS for message in messages)
    unneeded = {"state": "dropped", "open": False, "error": "the person has written", "updated_at": now}
    await db["outbox"].update_many({**mine, GREETING: True, "state": "waiting"}, {"$set": unneeded}, session=session)
    if carrier in SIGNS or urgent or conversation.stranger or conversation.asked_same:
        return
    again = {"state": "waiting", "open": True, "not_before": now, "updated_at": now}
    change = {"$set": again, "$unset": {"error": ""}}
    fresh: Doc = {"created_at": {"$gt": now - STILL_TRUE}}
    if conversation.open_case:
        fresh["author"] = {"$ne": "bot"}
    await db["outbox"].update_many({**mine, **fresh, "state": HELD}, change, session=session)


async def end_campaign(
    db: AsyncDatabase[Doc], conversation_id: str, now: datetime, session: AsyncClientSession
) -> None:
    """Drop the lessons and notes that wait to leave: they were for somebody who wanted them."""
    mine: Doc = {"conversation": conversation_id, "lane": LANE_ORDER[Lane.CAMPAIGN]}
    await _end(db, {**mine, "state": {"$in": ["waiting", HELD]}}, now, session)


async def _end(db: AsyncDatabase[Doc], held: Doc, now: datetime, session: AsyncClientSession) -> None:
    fields = {"state": "dropped", "open": False, "error": "the person wants nothing more", "updated_at": now}
    await db["outbox"].update_many(held, {"$set": fields}, session=session)


def unheard(row: Doc) -> Doc:
    """Return the query for a row's conversation, if the person has not written since it was sent."""
    since = row.get("sending_at", row["created_at"])
    return {"_id": row["conversation"], "heard_at": {"$not": {"$gte": since}}}


def heard(kept: Doc | None) -> datetime | None:
    """Return when the person of a conversation wrote last, by the channel's clock."""
    at = (kept or {}).get("heard_at")
    return aware(at) if at else None
