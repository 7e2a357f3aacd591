"""Notices that what we keep may have been seen: each person has one row, by a keyed hash, with no words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from pymongo import AsyncMongoClient
from pymongo.asynchronous.client_session import AsyncClientSession
from pymongo.asynchronous.database import AsyncDatabase

from bot.domain.breaches import Breach
from bot.domain.conversation import Conversation
from bot.domain.messages import ChannelName, OutboundMessage
from bot.domain.notices import NoticeState
from bot.ports import Affected, BreachDue
from bot.store.conversations import MongoConversations
from bot.store.documents import aware
from bot.store.drafts import Drafts
from bot.store.held import heard
from bot.store.mongo import in_transaction

Doc = dict[str, Any]
AT_ONCE = 200
MOST_SHOWN = 20


class MongoBreaches:
    """`bot.ports.Breaches` on MongoDB."""

    def __init__(
        self,
        client: AsyncMongoClient[Doc],
        db: AsyncDatabase[Doc],
        conversations: MongoConversations,
        channels: frozenset[str],
        nobody: str,
    ) -> None:
        """Notices are sent over *channels* only. *nobody*: the conversation of the canary."""
        self._client = client
        self._db = db
        self._drafts = Drafts(db["breaches"])
        self._conversations = conversations
        self._channels = sorted(channels)
        self._nobody = nobody

    async def write(self, since: datetime, who: str, now: datetime) -> Breach:
        """Keep a draft under the next number."""
        return _breach(await self._drafts.write({"since": since}, who, now))

    async def latest(self) -> Sequence[Breach]:
        """Return the newest."""
        return [_breach(row) for row in await self._drafts.latest(MOST_SHOWN)]

    async def confirm(self, number: int, who: str, now: datetime) -> Breach:
        """Let it be sent: by somebody else than its writer, once. Raise `NotConfirmable`."""
        return _breach(await self._drafts.confirm(number, who, now))

    async def cancel(self, number: int) -> None:
        """Tell nobody more; what is queued already leaves."""
        await self._drafts.cancel(number)
        await self._db["breach_sends"].delete_many({"breach": number, "state": {"$ne": "sent"}})

    async def affected(self, since: datetime) -> Sequence[Affected]:
        """Return everybody whose conversation was written since then and is not being erased."""
        query = {"updated_at": {"$gte": since}, "erase_after": {"$exists": False}, "_id": {"$ne": self._nobody}}
        fields = {"channel": 1, "heard_at": 1, "silent": 1, "updated_at": 1}
        rows = self._db["conversations"].find({**query, "channel": {"$in": self._channels}}, fields)
        return [
            Affected(row["_id"], ChannelName(row["channel"]), heard(row), bool(row.get("silent"))) async for row in rows
        ]

    async def counts(self, number: int) -> Mapping[str, int]:
        """Return how many people there are by state."""
        steps: list[Doc] = [{"$match": {"breach": number}}, {"$group": {"_id": "$state", "number": {"$sum": 1}}}]
        return {row["_id"]: row["number"] async for row in await self._db["breach_sends"].aggregate(steps)}

    async def due(self, now: datetime) -> Sequence[BreachDue]:
        """Return who is to be looked at now."""
        await self._list(now)
        query = {"state": "waiting", "not_before": {"$lte": now}, "channel": {"$in": self._channels}}
        rows = await self._db["breach_sends"].find(query).sort("not_before", 1).limit(AT_ONCE).to_list()
        return [await self._due(row) for row in rows]

    async def _list(self, now: datetime) -> None:
        """Make a row for everybody whom a confirmed notice is for; whoever does it twice changes nothing."""
        for row in await self._drafts.unlisted():
            number = row["_id"]
            sends = [
                {"_id": f"{number}:{one.conversation_id}", "breach": number, "conversation": one.conversation_id,
                 "channel": one.channel.value, "state": "waiting", "not_before": now}
                for one in await self.affected(aware(row["since"]))
            ]  # fmt: skip
            await self._drafts.listed(number, self._db["breach_sends"], sends)

    async def _due(self, row: Doc) -> BreachDue:
        conversation = await self._conversations.load(row["conversation"], ChannelName(row["channel"]))
        kept = await self._db["conversations"].find_one({"_id": row["conversation"]}, {"heard_at": 1})
        return BreachDue(row["breach"], conversation, heard(kept))

    async def send(
        self, item: BreachDue, after: Conversation, messages: Sequence[OutboundMessage], now: datetime
    ) -> bool:
        """Queue the notice, once; False if something changed meanwhile."""
        sealed = await self._conversations.sealed(after)

        async def body(session: AsyncClientSession) -> bool:
            sent = {"$set": {"state": "sent", "at": now}}
            taken = await self._db["breach_sends"].update_one(_waiting(item), sent, session=session)
            stands = {"_id": item.number, "state": NoticeState.CONFIRMED.value}
            held = await self._db["breaches"].update_one(stands, {"$inc": {"sends": 1}}, session=session)
            if not taken.matched_count or not held.matched_count:
                await session.abort_transaction()
                return False
            return await self._conversations.speak(after, sealed, messages, "", now, session)

        return await in_transaction(self._client, body)

    async def defer(self, item: BreachDue, now: datetime) -> None:
        """Wait until the person writes; who has written since *now* has a time of their own after it."""
        due = {**_waiting(item), "not_before": {"$lte": now}}
        await self._db["breach_sends"].update_one(due, {"$set": {"state": "deferred"}})

    async def put_off(self, item: BreachDue, until: datetime) -> None:
        """Look again later."""
        await self._db["breach_sends"].update_one(_waiting(item), {"$set": {"not_before": until}})


def _waiting(item: BreachDue) -> Doc:
    return {"_id": f"{item.number}:{item.conversation.id}", "state": "waiting"}


def _breach(row: Doc) -> Breach:
    confirmed = aware(row["confirmed_at"]) if row.get("confirmed_at") else None
    return Breach(
        row["_id"], aware(row["since"]), row["made_by"], aware(row["made_at"]), NoticeState(row["state"]),
        row.get("confirmed_by", ""), confirmed,
    )  # fmt: skip
