"""Where a person is written to, as the channel knows them; opened on purpose only."""

from __future__ import annotations

from typing import Any

from pymongo.asynchronous.database import AsyncDatabase

from bot.domain.messages import Address, ChannelName
from bot.domain.private import Private
from bot.store.sealed import Sealer, Unreadable


class MongoContacts:
    """`bot.ports.Contacts` on MongoDB."""

    def __init__(self, db: AsyncDatabase[dict[str, Any]], sealer: Sealer) -> None:  # noqa: D107
        self._conversations = db["conversations"]
        self._sealer = sealer

    async def address(self, conversation_id: str) -> Address | None:
        """Return the address of a conversation; None when it was erased."""
        row = await self._conversations.find_one({"_id": conversation_id}, {"address": 1, "channel": 1})
        try:
            found = await self._sealer.open(f"address:{conversation_id}", row["address"]) if row else None
        except (Unreadable, KeyError):
            return None
        return Address(ChannelName(row["channel"]), Private(found["address"])) if row and found else None
