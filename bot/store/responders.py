"""People who may open the console, and their sessions."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from pymongo.asynchronous.database import AsyncDatabase

from bot.ports import Responder
from bot.store.sealed import SERVICE, Sealer

Doc = dict[str, Any]


class MongoResponders:
    """`bot.ports.Responders` on MongoDB; the second factor's secret is sealed."""

    def __init__(self, db: AsyncDatabase[Doc], sealer: Sealer) -> None:  # noqa: D107
        self._rows = db["responders"]
        self._sealer = sealer

    async def get(self, responder_id: str) -> Responder | None:
        """Return one by login name."""
        row = await self._rows.find_one({"_id": responder_id})
        return await self._responder(row) if row else None

    async def all(self) -> Sequence[Responder]:
        """Return everyone, by login name."""
        return [await self._responder(row) async for row in self._rows.find({}).sort("_id", 1)]

    async def save(self, responder: Responder) -> None:
        """Insert or replace."""
        place = f"responder:{responder.id}"
        row: Doc = {
            "name": responder.name,
            "role": responder.role,
            "password_hash": responder.password_hash,
            "active": responder.active,
            "must_change": responder.must_change,
            "totp": await self._sealer.seal(SERVICE, place, {"secret": responder.totp_secret}),
        }
        await self._rows.update_one({"_id": responder.id}, {"$set": row}, upsert=True)

    async def _responder(self, row: Doc) -> Responder:
        totp = await self._sealer.open(f"responder:{row['_id']}", row["totp"])
        return Responder(
            row["_id"],
            row["name"],
            row["role"],
            row["password_hash"],
            totp["secret"],
            row["active"],
            row["must_change"],
        )


class MongoSessions:
    """Server-side sessions: the cookie holds a random name, the database its keyed hash."""

    def __init__(self, db: AsyncDatabase[Doc], sealer: Sealer) -> None:  # noqa: D107
        self._rows = db["sessions"]
        self._attempts = db["attempts"]
        self._sealer = sealer

    async def save(self, token: str, fields: Doc, expires_at: datetime) -> None:
        """Insert or replace the session of *token*."""
        row = {**fields, "expires_at": expires_at}
        await self._rows.update_one({"_id": self._name(token)}, {"$set": row}, upsert=True)

    async def touch(self, token: str, seen_at: datetime) -> None:
        """Record that the session was used."""
        await self._rows.update_one({"_id": self._name(token)}, {"$set": {"seen_at": seen_at}})

    async def get(self, token: str, now: datetime) -> Doc | None:
        """Return the session's fields while it lasts."""
        return await self._rows.find_one({"_id": self._name(token), "expires_at": {"$gt": now}})

    async def drop(self, token: str) -> None:
        """End one session."""
        await self._rows.delete_one({"_id": self._name(token)})

    async def drop_all(self, responder_id: str) -> None:
        """End every session of one person."""
        await self._rows.delete_many({"responder": responder_id})

    async def attempt(self, key: str, now: datetime) -> None:
        """Record one failed try to log in."""
        await self._attempts.insert_one({"key": self._sealer.blind("attempt", key), "at": now})

    async def attempts(self, key: str, since: datetime) -> int:
        """Return how many tries failed since then."""
        query = {"key": self._sealer.blind("attempt", key), "at": {"$gt": since}}
        return await self._attempts.count_documents(query)

    def _name(self, token: str) -> str:
        return self._sealer.blind("session", token)
