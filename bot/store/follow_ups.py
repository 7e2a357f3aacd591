"""The clocks of closed cases: kept with the case, so that a restart loses none and no two processes ask twice."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from pymongo import AsyncMongoClient
from pymongo.asynchronous.client_session import AsyncClientSession
from pymongo.asynchronous.database import AsyncDatabase

from bot.domain.cases import CaseAction
from bot.domain.messages import ChannelName, OutboundMessage
from bot.domain.private import Private
from bot.ports import FollowUp
from bot.store.documents import aware, conversation_in, open_case_of
from bot.store.held import heard
from bot.store.history import Writer
from bot.store.mongo import in_transaction
from bot.store.sealed import Sealer, Unreadable

Doc = dict[str, Any]
CLOCK = "clock"


class MongoFollowUps:
    """`bot.ports.FollowUps` on MongoDB."""

    def __init__(  # noqa: D107
        self,
        client: AsyncMongoClient[Doc],
        db: AsyncDatabase[Doc],
        sealer: Sealer,
        writer: Writer,
        channels: frozenset[str],
    ) -> None:
        self._client = client
        self._db = db
        self._sealer = sealer
        self._writer = writer
        self._channels = sorted(channels)

    async def due(self, now: datetime) -> Sequence[FollowUp]:
        """Return those that are due."""
        query = {"open": False, "follow_at": {"$ne": None, "$lte": now}, "channel": {"$in": self._channels}}
        return [await self._item(row) async for row in self._db["cases"].find(query)]

    async def _item(self, row: Doc) -> FollowUp:
        name, channel = row["conversation"], ChannelName(row["channel"])
        kept = await self._db["conversations"].find_one({"_id": name}) or {}
        last = await self._db["inbox"].find_one({"conversation": name}, sort=[("received_at", -1)]) if name else None
        may_write, opted_in = await self._may_write(name, channel, kept, row)
        return FollowUp(
            row["_id"],
            name,
            channel,
            row["locale"],
            row.get("followed") or 0,
            aware(row["closed_at"]),
            may_write,
            heard(kept) or (aware(last["received_at"]) if last else None),
            kept.get("version", 0),
            opted_in,
        )

    async def _may_write(self, name: str, channel: ChannelName, kept: Doc, row: Doc) -> tuple[bool, bool]:
        """Return whether the person may be asked, and whether they said yes to a greeting when an answer waits."""
        if not name or not kept or "erase_after" in kept or row.get("silent"):
            return False, False
        try:
            doc = await self._sealer.open(f"conversation:{name}", kept.get("sealed"))
        except Unreadable:
            return False, False
        conversation = conversation_in(name, channel, 0, doc)
        again = await self._db["cases"].find_one(open_case_of(name), {"_id": 1})
        unwanted = conversation.silent or conversation.stopped or conversation.stranger or again
        return not unwanted, conversation.opted_in

    async def ask(
        self, item: FollowUp, messages: Sequence[OutboundMessage], next_at: datetime | None, now: datetime
    ) -> bool:
        """Queue the question, note it in the history, set the next clock; False if something changed meanwhile."""

        async def body(session: AsyncClientSession) -> bool:
            case = await self._settle(item, {"followed": item.asked + 1, "follow_at": next_at}, session)
            mine = {"_id": item.conversation_id, "version": item.version}
            if not case or await self._writes(mine, session) is None:
                await session.abort_transaction()
                return False
            detail = Private(f"asked: {messages[0].message_id}")
            await self._writer.event(case, CaseAction.TELL, CLOCK, now, session, detail=detail)
            await self._writer.outbox(
                item.conversation_id, item.channel.value, item.version + 1, messages, now, session
            )
            return True

        return await in_transaction(self._client, body)

    async def drop(self, item: FollowUp, reason: str, now: datetime) -> None:
        """Ask nothing any more, and write why into the history."""

        async def body(session: AsyncClientSession) -> None:
            case = await self._settle(item, {"follow_at": None}, session)
            if case:
                detail = Private(reason) if item.conversation_id else Private("")
                await self._writer.event(case, CaseAction.TELL, CLOCK, now, session, detail=detail)

        await in_transaction(self._client, body)

    async def _settle(self, item: FollowUp, fields: Doc, session: AsyncClientSession) -> Doc | None:
        """Change the case if nobody else has asked meanwhile; return it as it was."""
        mine = {"_id": item.case_id, "open": False, "follow_at": {"$ne": None}}
        mine["followed"] = item.asked or None
        case: Doc | None = await self._db["cases"].find_one_and_update(mine, {"$set": fields}, session=session)
        return case

    async def _writes(self, mine: Doc, session: AsyncClientSession) -> Doc | None:
        row: Doc | None = await self._db["conversations"].find_one_and_update(
            mine, {"$inc": {"version": 1}}, session=session
        )
        return row
