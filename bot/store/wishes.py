"""What people want to be sent: small lessons, notes about a place. Kept with the turn in which they said so."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from pymongo.asynchronous.client_session import AsyncClientSession
from pymongo.asynchronous.database import AsyncDatabase

from bot.domain.conversation import Answered, Conversation, Learn, OnWish, Unlearn, WantNotes

Doc = dict[str, Any]


class Wishes:
    """Writes them inside somebody else's transaction."""

    def __init__(self, db: AsyncDatabase[Doc]) -> None:  # noqa: D107
        self._db = db

    async def keep(
        self, effect: OnWish, conversation: Conversation, now: datetime, session: AsyncClientSession
    ) -> None:
        """Write what the person wants."""
        match effect:
            case Learn():
                await self._learn(effect, conversation, now, session)
            case Unlearn():
                for collection in ("learners", "note_wishes"):
                    await self._db[collection].delete_one({"_id": conversation.id}, session=session)
            case Answered():
                await self._answered(effect, conversation, now, session)
            case WantNotes():
                await self._want_notes(effect, conversation, now, session)

    async def _learn(
        self, effect: Learn, conversation: Conversation, now: datetime, session: AsyncClientSession
    ) -> None:
        fields: Doc = {"course": effect.course, "next": 1, "due": now, "held_at": None, "began_at": now}
        fields["channel"] = conversation.channel.value
        mine = {"_id": conversation.id}
        await self._db["learners"].update_one(mine, {"$set": fields}, upsert=True, session=session)

    async def _answered(
        self, effect: Answered, conversation: Conversation, now: datetime, session: AsyncClientSession
    ) -> None:
        """Of each question the first answer counts."""
        row = {"conversation": conversation.id, "course": effect.course, "number": effect.number, "at": now}
        row |= {"right": effect.right, "locale": _locale(conversation)}
        name = {"_id": f"{conversation.id}:{effect.course}:{effect.number}"}
        await self._db["lesson_answers"].update_one(name, {"$setOnInsert": row}, upsert=True, session=session)

    async def _want_notes(
        self, effect: WantNotes, conversation: Conversation, now: datetime, session: AsyncClientSession
    ) -> None:
        """Who asks about several places hears of each."""
        fields = {"channel": conversation.channel.value, "at": now, "locale": _locale(conversation)}
        added: Doc = {"states": effect.state}
        if effect.district:
            added["districts"] = f"{effect.state}:{effect.district}"
        if conversation.place:
            added["places"] = conversation.place
        change = {"$set": fields, "$addToSet": added}
        await self._db["note_wishes"].update_one({"_id": conversation.id}, change, upsert=True, session=session)

    async def erase(self, conversation: str, until: datetime) -> None:
        """Forget all that was wanted up to *until*."""
        await self._db["learners"].delete_one({"_id": conversation, "began_at": {"$lte": until}})
        await self._db["note_wishes"].delete_one({"_id": conversation, "at": {"$lte": until}})
        await self._db["lesson_answers"].delete_many({"conversation": conversation, "at": {"$lte": until}})
        for collection in ("note_sends", "breach_sends"):
            await self._db[collection].delete_many({"conversation": conversation})


def _locale(conversation: Conversation) -> str:
    return conversation.locale or conversation.locale_guess
