"""Voice notes and pictures, sealed under the conversation's own key: erasing it makes them unreadable too."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from pymongo.asynchronous.database import AsyncDatabase

from bot.domain.messages import ChannelName, Media
from bot.domain.private import Private
from bot.ports import Wanted
from bot.store.sealed import Sealer, Unreadable

PIECE = 512 * 1024
MOST_TRIES = 48
BATCH = 20


class MongoMedia:
    """`bot.ports.MediaStore` on MongoDB. A note has the id of the inbox row it came with."""

    def __init__(self, db: AsyncDatabase[dict[str, Any]], sealer: Sealer) -> None:  # noqa: D107
        self._notes = db["media"]
        self._pieces = db["media_pieces"]
        self._sealer = sealer

    def id_of(self, key: str) -> str:
        """Return the id of the note that comes with the message of this idempotency key."""
        return self._sealer.blind("inbox", key)

    async def want(self, wanted: Wanted, now: datetime) -> None:
        """Remember that a note is still to be fetched from its channel."""
        place = f"media:{wanted.id}"
        value = {"id": wanted.media.id.reveal(), "mime": wanted.media.mime, "size": wanted.media.size}
        row = {
            "conversation": wanted.conversation_id,
            "channel": wanted.channel.value,
            "state": "wanted",
            "tries": 0,
            "at": now,
            "sealed": await self._sealer.seal(wanted.conversation_id, place, value),
        }
        await self._notes.update_one({"_id": wanted.id}, {"$setOnInsert": row}, upsert=True)

    async def keep(self, note_id: str, conversation_id: str, mime: str, data: bytes, now: datetime) -> None:
        """Store the bytes in pieces; the note counts as kept once all are there. A repeat is harmless."""
        starts = range(0, len(data), PIECE)
        for number, start in enumerate(starts):
            name = f"{note_id}:{number}"
            value = {"data": base64.b64encode(data[start : start + PIECE]).decode()}
            sealed = await self._sealer.seal(conversation_id, f"media:{name}", value)
            piece = {"note": note_id, "conversation": conversation_id, "number": number, "at": now, "sealed": sealed}
            await self._pieces.replace_one({"_id": name}, piece, upsert=True)
        fields = {"conversation": conversation_id, "state": "kept", "mime": mime, "pieces": len(starts), "at": now}
        await self._notes.update_one({"_id": note_id}, {"$set": fields, "$unset": {"sealed": ""}}, upsert=True)

    async def get(self, note_id: str, conversation_id: str) -> tuple[str, bytes] | None:
        """Return (MIME type, bytes) of a kept note that belongs to the conversation, else None."""
        note = await self._notes.find_one({"_id": note_id, "conversation": conversation_id, "state": "kept"})
        if not note:
            return None
        rows = await self._pieces.find({"note": note_id}).sort("number", 1).to_list()
        try:
            parts = [await self._sealer.open(f"media:{row['_id']}", row["sealed"]) for row in rows]
        except Unreadable:
            return None
        if len(parts) != note["pieces"]:
            return None
        return note["mime"], b"".join(base64.b64decode(part["data"]) for part in parts)

    async def wanted(self) -> Sequence[Wanted]:
        """Return notes that are still to be fetched, oldest first."""
        rows = self._notes.find({"state": "wanted", "tries": {"$lt": MOST_TRIES}}).sort("at", 1).limit(BATCH)
        found = []
        async for row in rows:
            try:
                doc = await self._sealer.open(f"media:{row['_id']}", row["sealed"])
            except Unreadable:
                await self._notes.update_one({"_id": row["_id"]}, {"$set": {"state": "erased"}})
                continue
            media = Media(Private(doc["id"]), doc["mime"], doc["size"])
            found.append(Wanted(row["_id"], row["conversation"], ChannelName(row["channel"]), media))
        return found

    async def failed(self, note_id: str) -> None:
        """Count one failed try."""
        await self._notes.update_one({"_id": note_id, "state": "wanted"}, {"$inc": {"tries": 1}})

    async def refuse(self, note_id: str) -> None:
        """Never ask for it again, and forget how it could be had."""
        refused = {"$set": {"state": "refused"}, "$unset": {"sealed": ""}}
        await self._notes.update_one({"_id": note_id, "state": "wanted"}, refused)
