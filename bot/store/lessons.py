"""Who gets which course, when the next lesson is due, and what became of those that were sent."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from pymongo import AsyncMongoClient
from pymongo.asynchronous.client_session import AsyncClientSession
from pymongo.asynchronous.database import AsyncDatabase

from bot.domain.conversation import Conversation
from bot.domain.lessons import LessonCount
from bot.domain.messages import ChannelName, OutboundMessage
from bot.ports import Learner
from bot.store.conversations import MongoConversations
from bot.store.held import heard
from bot.store.mongo import in_transaction

Doc = dict[str, Any]
AT_ONCE = 200


class MongoLessons:
    """`bot.ports.Lessons` on MongoDB: one row for each learner, one for each answer."""

    def __init__(
        self,
        client: AsyncMongoClient[Doc],
        db: AsyncDatabase[Doc],
        conversations: MongoConversations,
        channels: frozenset[str],
    ) -> None:
        """Only learners on *channels* are looked at: another process may serve the rest."""
        self._client = client
        self._db = db
        self._conversations = conversations
        self._channels = sorted(channels)

    async def due(self, now: datetime) -> Sequence[Learner]:
        """Return whose lesson is due; one that waited for the person's next message is made due by that message."""
        mine = {"channel": {"$in": self._channels}, "due": {"$lte": now}}
        rows = await self._db["learners"].find(mine).sort("due", 1).limit(AT_ONCE).to_list()
        return [await self._learner(row) for row in rows]

    async def _learner(self, row: Doc) -> Learner:
        conversation = await self._conversations.load(row["_id"], ChannelName(row["channel"]))
        kept = await self._db["conversations"].find_one({"_id": row["_id"]}, {"heard_at": 1})
        return Learner(conversation, row["course"], row["next"], heard(kept))

    async def teach(
        self,
        learner: Learner,
        after: Conversation,
        messages: Sequence[OutboundMessage],
        due: datetime | None,
        now: datetime,
    ) -> bool:
        """Queue a lesson and set the next one's time (None: it was the last); False if something changed meanwhile."""
        sealed = await self._conversations.sealed(after)

        async def body(session: AsyncClientSession) -> bool:
            fields = {"next": learner.next + 1, "due": due, "held_at": None}
            row = await self._db["learners"].find_one_and_update(self._mine(learner), {"$set": fields}, session=session)
            if not row:
                await session.abort_transaction()
                return False
            if due is None:
                await self._db["learners"].delete_one({"_id": after.id}, session=session)
            tag = f"{learner.course}:{learner.next}:{after.locale}"
            return await self._conversations.speak(after, sealed, messages, tag, now, session)

        return await in_transaction(self._client, body)

    async def put_off(self, learner: Learner, due: datetime) -> None:
        """Look again later."""
        await self._db["learners"].update_one(self._mine(learner), {"$set": {"due": due, "held_at": None}})

    async def hold(self, learner: Learner, now: datetime) -> None:
        """Wait until the person writes; if that came while we looked, the lesson is due at once."""
        await self._db["learners"].update_one(self._mine(learner), {"$set": {"due": None, "held_at": now}})
        spoken = {"_id": learner.conversation.id, "version": {"$gt": learner.conversation.version}}
        if await self._db["conversations"].find_one(spoken, {"_id": 1}):
            await self.put_off(learner, now)

    async def drop(self, learner: Learner) -> None:
        """Send no more."""
        await self._db["learners"].delete_one(self._mine(learner))

    async def counts(self) -> Sequence[LessonCount]:
        """Return what became of every lesson, by course, number and locale."""
        found: dict[tuple[str, int, str], dict[str, int]] = defaultdict(lambda: defaultdict(int))
        group: Doc = {"_id": {"lesson": "$lesson", "state": "$state"}, "n": {"$sum": 1}}
        async for row in await self._db["outbox"].aggregate([{"$match": {"lesson": {"$gt": ""}}}, {"$group": group}]):
            course, number, locale = row["_id"]["lesson"].split(":")
            for state in _REACHED.get(row["_id"]["state"], ("sent",)):
                found[course, int(number), locale][state] += row["n"]
        group = {"_id": {name: f"${name}" for name in ("course", "number", "locale", "right")}, "n": {"$sum": 1}}
        async for row in await self._db["lesson_answers"].aggregate([{"$group": group}]):
            key = row["_id"]
            found[key["course"], key["number"], key["locale"]]["right" if key["right"] else "wrong"] += row["n"]
        return [
            LessonCount(course, number, locale, **values) for (course, number, locale), values in sorted(found.items())
        ]

    @staticmethod
    def _mine(learner: Learner) -> Doc:
        return {"_id": learner.conversation.id, "course": learner.course, "next": learner.next}


#: What a row of the outbox in this state counts as.
_REACHED = {
    "delivered": ("sent", "delivered"),
    "read": ("sent", "delivered", "read"),
    "failed": ("failed",),
    "dropped": ("failed",),
    "waiting": (),
}
