"""The inbox: every accepted message, sealed, under a name that repeats when the channel does."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pymongo
from pymongo.asynchronous.database import AsyncDatabase
from pymongo.errors import DuplicateKeyError

from bot.domain.conversation import Waiting
from bot.domain.messages import Address, InboundMessage
from bot.store.documents import message_in, message_out
from bot.store.mongo import reachable
from bot.store.moves import Contacts
from bot.store.sealed import Sealer, Unreadable


class MongoInbox:
    """`bot.ports.Inbox` on MongoDB. Row id: keyed hash of the idempotency key, since a wamid holds a phone number."""

    def __init__(self, db: AsyncDatabase[dict[str, Any]], sealer: Sealer, patience: float = 0.4) -> None:
        """Give up on a silent server after *patience* seconds."""
        self._rows = db["inbox"]
        self._sealer = sealer
        self._patience = patience
        self._contacts = Contacts(db, sealer)

    def conversation_id(self, address: Address) -> str:
        """Return the conversation that begins with an address: a keyed hash of it."""
        return self._contacts.own(address)

    def row_id(self, key: str) -> str:
        """Return the id of a message's row: a keyed hash of its idempotency key."""
        return self._sealer.blind("inbox", key)

    async def add(self, message: InboundMessage) -> bool:
        """Insert durably; False for a redelivery. Raise `StoreUnavailable` when the server stays silent."""
        row_id = self.row_id(message.key)
        async with reachable():
            with pymongo.timeout(self._patience):
                conversation = await self._contacts.of(message)
                return await self._insert(row_id, conversation, message)

    async def _insert(self, row_id: str, conversation: str, message: InboundMessage) -> bool:
        sealed = await self._sealer.seal(conversation, f"inbox:{row_id}", message_out(message))
        row = {
            "_id": row_id,
            "conversation": conversation,
            "channel": message.address.channel.value,
            "state": "waiting",
            "attempts": 0,
            "sent_at": message.sent_at,
            "received_at": message.received_at,
            "order": message.order,
            "sealed": sealed,
        }
        try:
            await self._rows.insert_one(row)
        except DuplicateKeyError:
            return False
        return True

    async def waiting_conversation(self, skip: frozenset[str] = frozenset()) -> str | None:
        """Return the conversation whose oldest unanswered message came first."""
        query: dict[str, Any] = {"state": "waiting"}
        if skip:
            query["conversation"] = {"$nin": list(skip)}
        row = await self._rows.find_one(query, {"conversation": 1}, sort=[("received_at", 1)])
        return row["conversation"] if row else None

    async def waiting(self, conversation_id: str, most: int) -> Sequence[Waiting]:
        """Return its unanswered messages by the channel's time and count, then by arrival. An erased one is closed."""
        query = {"conversation": conversation_id, "state": "waiting"}
        order = [("sent_at", 1), ("order", 1), ("received_at", 1), ("_id", 1)]
        rows = await self._rows.find(query).sort(order).limit(most).to_list()
        return [found for row in rows if (found := await self._open(row))]

    async def failed(self, waiting: Waiting) -> int:
        """Count one failure."""
        row = await self._rows.find_one_and_update(
            {"_id": waiting.id}, {"$inc": {"attempts": 1}}, return_document=pymongo.ReturnDocument.AFTER
        )
        return int(row["attempts"]) if row else 0

    async def _open(self, row: dict[str, Any]) -> Waiting | None:
        try:
            message = message_in(await self._sealer.open(f"inbox:{row['_id']}", row["sealed"]))
        except Unreadable:
            await self._rows.update_one({"_id": row["_id"]}, {"$set": {"state": "erased"}, "$unset": {"sealed": ""}})
            return None
        return Waiting(row["_id"], row["conversation"], message, row["attempts"])
