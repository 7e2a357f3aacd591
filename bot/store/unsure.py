"""Whoever was asked whether they need help now and fell silent: a human is told, once, whatever stops meanwhile."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from pymongo import AsyncMongoClient
from pymongo.asynchronous.client_session import AsyncClientSession
from pymongo.asynchronous.database import AsyncDatabase
from pymongo.errors import DuplicateKeyError

from bot.domain.cases import CaseKind
from bot.domain.conversation import Conversation, OpenCase, Waiting
from bot.domain.ids import case_id
from bot.domain.messages import Address, Carrier, ChannelName, InboundMessage
from bot.domain.private import Private
from bot.domain.risk import UNSURE, Level, Risk
from bot.store.documents import conversation_in, open_case_of
from bot.store.effects import Effects
from bot.store.mongo import in_transaction
from bot.store.sealed import Sealer, Unreadable

Doc = dict[str, Any]


class Unsure:
    """Opens the cases; the person is sent nothing."""

    def __init__(self, client: AsyncMongoClient[Doc], db: AsyncDatabase[Doc], sealer: Sealer, effects: Effects) -> None:
        """Nothing is connected here."""
        self._client = client
        self._db = db
        self._sealer = sealer
        self._effects = effects

    async def open_due(self, before: datetime, now: datetime) -> int:
        """Open a case for each conversation that was asked before then; return how many were opened."""
        query = {"unsure_since": {"$lte": before}, "erase_after": {"$exists": False}}
        return sum([await self._open(row, now) async for row in self._db["conversations"].find(query)])

    async def _open(self, row: Doc, now: datetime) -> bool:
        """One transaction: the clock is taken off and the case is there, or neither; a turn meanwhile comes first."""
        conversation = await self._conversation(row)

        async def body(session: AsyncClientSession) -> bool:
            mine = {"_id": row["_id"], "version": row["version"], "unsure_since": row["unsure_since"]}
            taken = {"$unset": {"unsure_since": ""}, "$inc": {"version": 1}}
            if not (await self._db["conversations"].update_one(mine, taken, session=session)).matched_count:
                return False
            other = await self._db["cases"].find_one(open_case_of(row["_id"]), {"_id": 1}, session=session)
            if other or not conversation:
                return False
            await self._effects.do(_case(conversation), conversation, await self._last(row, now, session), now, session)
            return True

        try:
            return await in_transaction(self._client, body)
        except DuplicateKeyError:
            return False  # a case was opened at this very moment

    async def _conversation(self, row: Doc) -> Conversation | None:
        try:
            doc = await self._sealer.open(f"conversation:{row['_id']}", row.get("sealed"))
        except Unreadable:
            return None
        return conversation_in(row["_id"], ChannelName(row["channel"]), row["version"], doc)

    async def _last(self, row: Doc, now: datetime, session: AsyncClientSession) -> Waiting:
        """Return what the person wrote last, by its id alone: the page refers to it."""
        newest = [("received_at", -1)]
        last = await self._db["inbox"].find_one({"conversation": row["_id"]}, {"_id": 1}, sort=newest, session=session)
        address = Address(ChannelName(row["channel"]), Private(""))
        silence = InboundMessage("", address, Carrier.TEXT, Private(""), now, now)
        return Waiting(str(last["_id"]) if last else row["_id"], row["_id"], silence)


def _case(conversation: Conversation) -> OpenCase:
    risk = Risk(Level.PERHAPS, UNSURE, f"unanswered:{conversation.asked_if_in_danger}", minor=conversation.minor)
    return OpenCase(case_id(conversation.id, conversation.version + 1), CaseKind.PERSON_ASKED, risk)
