"""The signed phone numbers, with a mark that only who has our key can make."""

from __future__ import annotations

import hmac
import json
from typing import Any

from pymongo.asynchronous.database import AsyncDatabase

from bot.content.phones import Phones
from bot.ports import Forged
from bot.store.sealed import Sealer

Doc = dict[str, Any]
ID = "phones"


class MongoPhones:
    """`bot.ports.SignedPhones` on MongoDB: one row."""

    def __init__(self, db: AsyncDatabase[Doc], sealer: Sealer) -> None:  # noqa: D107
        self._meta = db["meta"]
        self._sealer = sealer

    async def signed(self) -> Phones | None:
        """Return what was signed last, None if nothing was. Raise `Forged`."""
        row = await self._meta.find_one({"_id": ID})
        if not row:
            return None
        if not hmac.compare_digest(str(row.get("mark")), self._mark(str(row.get("phones")))):
            raise Forged
        found = json.loads(row["phones"])
        return Phones(found["helplines"], found["words"])

    async def sign(self, phones: Phones, *, first: bool = False) -> None:
        """Put them in force; *first*: only if nothing was signed before."""
        told = json.dumps(
            {"helplines": dict(phones.helplines), "words": phones.words}, ensure_ascii=False, sort_keys=True
        )
        fields = {"phones": told, "mark": self._mark(told)}
        await self._meta.update_one({"_id": ID}, {"$setOnInsert" if first else "$set": fields}, upsert=True)

    def _mark(self, told: str) -> str:
        return self._sealer.blind(ID, told)
