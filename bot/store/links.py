"""Which Telegram account belongs to which responder: keyed hashes, so that the database holds nobody's Telegram id."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from pymongo.asynchronous.database import AsyncDatabase

from bot.domain.private import Private
from bot.domain.topics import Linked
from bot.store.documents import aware
from bot.store.sealed import Sealer

Doc = dict[str, Any]


class MongoLinks:
    """`bot.ports.Links` on MongoDB."""

    def __init__(self, db: AsyncDatabase[Doc], sealer: Sealer) -> None:  # noqa: D107
        self._links = db["telegram_links"]
        self._codes = db["link_codes"]
        self._sealer = sealer

    async def offer(self, code: str, login: str, until: datetime) -> None:
        """Keep the code's hash; an older code of the same responder is void."""
        row = {"code": self._sealer.blind("link_code", code), "expires_at": until}
        await self._codes.update_one({"_id": login}, {"$set": row}, upsert=True)

    async def redeem(self, code: str, person: Private, now: datetime) -> str:
        """Use the code up. One account is one responder's, and one responder has one account: the last link counts."""
        row = await self._codes.find_one_and_delete(
            {"code": self._sealer.blind("link_code", code), "expires_at": {"$gt": now}}
        )
        if not row:
            return ""
        account = self._account(person)
        await self._links.delete_many({"account": account, "_id": {"$ne": row["_id"]}})
        await self._links.update_one({"_id": row["_id"]}, {"$set": {"account": account, "at": now}}, upsert=True)
        return str(row["_id"])

    async def login(self, person: Private) -> str:
        """Return whose account it is, or ""."""
        row = await self._links.find_one({"account": self._account(person)}) if person else None
        return str(row["_id"]) if row else ""

    async def all(self) -> Sequence[Linked]:
        """Return every link, by login."""
        return [Linked(row["_id"], aware(row["at"])) async for row in self._links.find({}).sort("_id", 1)]

    async def drop(self, login: str) -> bool:
        """Undo the link of a responder."""
        return (await self._links.delete_one({"_id": login})).deleted_count > 0

    async def drop_person(self, person: Private) -> bool:
        """Undo the link of a Telegram account."""
        return (await self._links.delete_one({"account": self._account(person)})).deleted_count > 0

    def _account(self, person: Private) -> str:
        return self._sealer.blind("telegram_account", person.reveal())
