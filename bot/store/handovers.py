"""What one shift writes for the next: the newest stands above the queue, all are gone after a month."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from pymongo.asynchronous.database import AsyncDatabase

from bot.domain.private import Private
from bot.ports import Handover
from bot.store.documents import aware
from bot.store.sealed import SERVICE, Sealer, Unreadable

Doc = dict[str, Any]
KEPT = timedelta(days=30)


class MongoHandovers:
    """`bot.ports.Handovers` on MongoDB; the words are sealed."""

    def __init__(self, db: AsyncDatabase[Doc], sealer: Sealer) -> None:  # noqa: D107
        self._rows = db["handovers"]
        self._sealer = sealer

    async def write(self, handover: Handover) -> None:
        """Add one; it stands above the queue from now on."""
        sealed = await self._sealer.seal(SERVICE, "handover", {"text": handover.text.reveal()})
        row = {"who": handover.who, "at": handover.at, "sealed": sealed, "expires_at": handover.at + KEPT}
        await self._rows.insert_one(row)

    async def latest(self) -> Handover | None:
        """Return the newest, if there is one."""
        row = await self._rows.find_one({}, sort=[("at", -1)])
        if not row:
            return None
        try:
            text = (await self._sealer.open("handover", row["sealed"]))["text"]
        except Unreadable:
            return None
        return Handover(row["who"], aware(row["at"]), Private(text))
