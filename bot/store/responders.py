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
            "organisation": responder.organisation,
            "recovery": list(responder.recovery),
            "totp": await self._sealer.seal(SERVICE, place, {"secret": responder.totp_secret}),
        }
        await self._rows.update_one({"_id": responder.id}, {"$set": row}, upsert=True)

    async def post(self, responder_id: str, role: str, organisation: str, *, active: bool) -> None:
        """Change what somebody may do, and nothing else about them."""
        fields = {"role": role, "organisation": organisation, "active": active}
        await self._rows.update_one({"_id": responder_id}, {"$set": fields})

    async def set_password(self, responder_id: str, password_hash: str, *, must_change: bool) -> None:
        """Change the password, and nothing else."""
        fields = {"password_hash": password_hash, "must_change": must_change}
        await self._rows.update_one({"_id": responder_id}, {"$set": fields})

    async def set_totp(self, responder_id: str, secret: str) -> None:
        """Set the secret of the one-time codes; "": none are used any more."""
        sealed = await self._sealer.seal(SERVICE, f"responder:{responder_id}", {"secret": secret})
        await self._rows.update_one({"_id": responder_id}, {"$set": {"totp": sealed}})

    async def set_recovery(self, responder_id: str, codes: Sequence[str]) -> None:
        """Replace the recovery codes; only their keyed hashes are kept."""
        hashes = [self._recovery(responder_id, code) for code in codes]
        await self._rows.update_one({"_id": responder_id}, {"$set": {"recovery": hashes}})

    async def spend_recovery(self, responder_id: str, code: str) -> bool:
        """Use a recovery code up; False if it is none. Of two who try at once, one gets True."""
        name = self._recovery(responder_id, code)
        found = await self._rows.update_one({"_id": responder_id, "recovery": name}, {"$pull": {"recovery": name}})
        return found.modified_count == 1

    async def spend_step(self, responder_id: str, step: int) -> bool:
        """Use up the one-time code of a time step and all before it; False if it is used up already."""
        later = {"$or": [{"totp_step": {"$lt": step}}, {"totp_step": {"$exists": False}}]}
        found = await self._rows.update_one({"_id": responder_id, **later}, {"$set": {"totp_step": step}})
        return found.matched_count == 1

    def _recovery(self, responder_id: str, code: str) -> str:
        return self._sealer.blind("recovery", f"{responder_id}:{code}")

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
            organisation=row.get("organisation", ""),
            recovery=tuple(row.get("recovery", ())),
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
        await self._rows.update_one({"_id": self.name(token)}, {"$set": row}, upsert=True)

    async def touch(self, token: str, seen_at: datetime) -> None:
        """Record that the session was used."""
        await self._rows.update_one({"_id": self.name(token)}, {"$set": {"seen_at": seen_at}})

    async def change(self, token: str, **fields: object) -> None:
        """Change some fields of a session that is still there."""
        await self._rows.update_one({"_id": self.name(token)}, {"$set": fields})

    async def keep_secret(self, token: str, secret: str) -> None:
        """Keep the secret of one-time codes that are being set up in this session; "": forget it."""
        name = self.name(token)
        sealed = await self._sealer.seal(SERVICE, f"session:{name}", {"secret": secret})
        await self.change(token, secret=sealed)

    async def secret(self, token: str) -> str:
        """Return the secret that is being set up, "" if there is none."""
        name = self.name(token)
        row = await self._rows.find_one({"_id": name}, {"secret": 1})
        if not row or "secret" not in row:
            return ""
        return str((await self._sealer.open(f"session:{name}", row["secret"]))["secret"])

    async def of(self, responder_id: str, now: datetime) -> Sequence[Doc]:
        """Return one person's sessions, the one used last first."""
        rows = self._rows.find({"responder": responder_id, "expires_at": {"$gt": now}}).sort("seen_at", -1)
        return [row async for row in rows]

    async def drop_named(self, responder_id: str, name: str) -> bool:
        """End one of a person's own sessions, by its look-up name; False if there is none."""
        found = await self._rows.delete_one({"_id": name, "responder": responder_id})
        return found.deleted_count == 1

    async def drop_others(self, responder_id: str, token: str) -> int:
        """End every session of one person but this; return how many."""
        found = await self._rows.delete_many({"responder": responder_id, "_id": {"$ne": self.name(token)}})
        return found.deleted_count

    async def get(self, token: str, now: datetime) -> Doc | None:
        """Return the session's fields while it lasts."""
        return await self._rows.find_one({"_id": self.name(token), "expires_at": {"$gt": now}})

    async def drop(self, token: str) -> None:
        """End one session."""
        await self._rows.delete_one({"_id": self.name(token)})

    async def drop_all(self, responder_id: str) -> None:
        """End every session of one person."""
        await self._rows.delete_many({"responder": responder_id})

    async def attempt(self, key: str, now: datetime) -> object:
        """Record one try before it is looked at, so that no two at once slip through; return its ticket."""
        return (await self._attempts.insert_one({"key": self._sealer.blind("attempt", key), "at": now})).inserted_id

    async def forgive(self, tickets: Sequence[object]) -> None:
        """Forget tries that turned out right."""
        await self._attempts.delete_many({"_id": {"$in": list(tickets)}})

    async def attempts(self, key: str, since: datetime) -> int:
        """Return how many tries there were since then."""
        query = {"key": self._sealer.blind("attempt", key), "at": {"$gt": since}}
        return await self._attempts.count_documents(query)

    def name(self, token: str) -> str:
        """Return the look-up name of a session: it says nothing of the token."""
        return self._sealer.blind("session", token)
