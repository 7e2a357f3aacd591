"""Passkeys, and the challenges that are out: each is taken once, within its time."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from pymongo.asynchronous.database import AsyncDatabase
from pymongo.errors import DuplicateKeyError

from bot.domain.passkeys import Challenge, ChallengeFor, Passkey
from bot.store.documents import aware

Doc = dict[str, Any]


class MongoPasskeys:
    """`bot.ports.Passkeys` on MongoDB; a public key is no secret, so nothing here is sealed."""

    def __init__(self, db: AsyncDatabase[Doc]) -> None:  # noqa: D107
        self._rows = db["passkeys"]
        self._challenges = db["challenges"]

    async def of(self, person: str) -> Sequence[Passkey]:
        """Return the passkeys of a person, oldest first."""
        return [_passkey(row) async for row in self._rows.find({"person": person}).sort("made_at", 1)]

    async def get(self, passkey_id: str) -> Passkey | None:
        """Return one."""
        row = await self._rows.find_one({"_id": passkey_id})
        return _passkey(row) if row else None

    async def add(self, passkey: Passkey) -> bool:
        """Store a new one; False if it is known already."""
        row: Doc = {
            "_id": passkey.id,
            "person": passkey.person,
            "name": passkey.name,
            "public_key": passkey.public_key,
            "count": passkey.count,
            "made_at": passkey.made_at,
            "used_at": passkey.used_at,
        }
        try:
            await self._rows.insert_one(row)
        except DuplicateKeyError:
            return False
        return True

    async def used(self, passkey: Passkey, count: int, now: datetime) -> bool:
        """Record a use; False if the count has moved since *passkey* was read, or it was removed."""
        found = await self._rows.update_one(
            {"_id": passkey.id, "person": passkey.person, "count": passkey.count},
            {"$set": {"count": count, "used_at": now}},
        )
        return found.matched_count == 1

    async def drop(self, person: str, passkey_id: str = "") -> int:
        """Remove one of a person's passkeys, or all; return how many."""
        query = {"person": person, "_id": passkey_id} if passkey_id else {"person": person}
        return (await self._rows.delete_many(query)).deleted_count

    async def give(self, challenge: Challenge, until: datetime) -> None:
        """Keep a challenge until then."""
        row: Doc = {
            "_id": challenge.name,
            "purpose": challenge.purpose.value,
            "value": challenge.value,
            "person": challenge.person,
            "session": challenge.session,
            "until": until,
        }
        await self._challenges.insert_one(row)

    async def take(self, name: str, purpose: ChallengeFor, now: datetime) -> Challenge | None:
        """Return a challenge that is still good and forget it, whatever it was for."""
        row = await self._challenges.find_one_and_delete({"_id": name})
        if not row or row["purpose"] != purpose.value or aware(row["until"]) <= now:
            return None
        return Challenge(row["_id"], purpose, bytes(row["value"]), row["person"], row["session"])


def _passkey(row: Doc) -> Passkey:
    return Passkey(
        id=row["_id"],
        person=row["person"],
        name=row["name"],
        public_key=bytes(row["public_key"]),
        count=row["count"],
        made_at=aware(row["made_at"]),
        used_at=aware(row["used_at"]) if row["used_at"] else None,
    )
