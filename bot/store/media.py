"""Voice notes and pictures, sealed under the conversation's own key: erasing it makes them unreadable too."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from pymongo.asynchronous.database import AsyncDatabase

from bot.domain.attachments import COPIED, CopyState, kind_of
from bot.domain.messages import ChannelName, Media
from bot.domain.private import Private
from bot.domain.quota import DAY, HOUR, Quota, Room, Sent
from bot.ports import Wanted
from bot.store.documents import aware
from bot.store.pieces import Pieces
from bot.store.sealed import Sealer, Unreadable

BATCH = 20
#: Seconds until the next try, and the last of them again and again; WhatsApp keeps a file for seven days.
PAUSES: Final = (5, 15, 30, 60, 120, 300, 900, 1800, 3600)
KEPT_FOR: Final = timedelta(days=7)
#: A channel that says so often that there is no such file is believed.
MOST_FINAL: Final = 3
NEVER: Final = datetime(1970, 1, 1, tzinfo=UTC)
#: The state of a file for which there was no room.
LEFT: Final = "left"


class MongoMedia:
    """`bot.ports.MediaStore` on MongoDB. A note has the id of the inbox row it came with."""

    def __init__(self, db: AsyncDatabase[dict[str, Any]], sealer: Sealer) -> None:  # noqa: D107
        self._notes = db["media"]
        self._pieces = Pieces(db, sealer)
        self._sealer = sealer

    def id_of(self, key: str) -> str:
        """Return the id of the note that comes with the message of this idempotency key."""
        return self._sealer.blind("inbox", key)

    async def want(self, wanted: Wanted, now: datetime) -> None:
        """Remember that a note is still to be fetched from its channel."""
        await self._insert(wanted, {"state": "wanted"}, now)

    async def leave(self, wanted: Wanted, now: datetime, why: str) -> None:
        """Remember that it came and was not fetched; how it could be had, too, where it stands at its channel."""
        await self._insert(wanted, {"state": LEFT, "why": why, "elsewhere": bool(wanted.media)}, now)

    async def _insert(self, wanted: Wanted, fields: dict[str, Any], now: datetime) -> None:
        row: dict[str, Any] = {
            "conversation": wanted.conversation_id,
            "channel": wanted.channel.value,
            "voice": wanted.voice,
            "tries": 0,
            "next_at": now,
            "at": now,
            **fields,
        }
        if wanted.media:
            value = {"id": wanted.media.id.reveal(), "mime": wanted.media.mime, "size": wanted.media.size}
            row["size"] = wanted.media.size
            row["sealed"] = await self._sealer.seal(wanted.conversation_id, f"media:{wanted.id}", value)
        await self._notes.update_one({"_id": wanted.id}, {"$setOnInsert": row}, upsert=True)

    async def room(self, wanted: Wanted, quota: Quota, now: datetime) -> Room:
        """Say whether there is room, counted from what this person has sent over every process.

        A conversation is answered by one worker at a time, so nothing comes in between asking and `want` or `leave`.
        """
        row = await self._notes.find_one({"_id": wanted.id}, {"state": 1, "at": 1})
        if row and row["state"] != LEFT:
            return Room.YES
        if not row and not quota.is_reached(await self._sent(wanted, now), now):
            return Room.YES
        at = aware(row["at"]) if row else now
        before = {"_id": {"$ne": wanted.id}, "at": {"$gt": at - HOUR, "$lte": at}}
        told = await self._notes.find_one({**_like(wanted), **before, "state": LEFT}, {"_id": 1})
        return Room.STILL_FULL if told else Room.FULL

    async def _sent(self, wanted: Wanted, now: datetime) -> list[Sent]:
        lately = {**_like(wanted), "state": {"$ne": LEFT}, "at": {"$gt": now - DAY}}
        rows = self._notes.find(lately, {"at": 1, "size": 1})
        return [Sent(aware(row["at"]), row.get("size", 0)) async for row in rows]

    async def want_after_all(self, note_id: str, conversation_id: str) -> bool:
        """Let it be fetched; where the channel gives it no more it never comes, and is shown as not here yet."""
        mine = {"_id": note_id, "conversation": conversation_id, "state": LEFT, "elsewhere": True}
        change = {
            "$set": {"state": "wanted", "tries": 0, "refusals": 0, "next_at": NEVER},
            "$unset": {"why": "", "elsewhere": ""},
        }
        return (await self._notes.update_one(mine, change)).modified_count == 1

    async def keep(
        self, note_id: str, conversation_id: str, mime: str, data: bytes, now: datetime, *, fetched: bool = False
    ) -> None:
        """Store the bytes in pieces; the note counts as kept once all are there, and is never changed after that.

        *fetched*: only while it is still wanted: its person may have been erased while it was on its way.
        """
        row = await self._notes.find_one({"_id": note_id}, {"state": 1})
        if (row and row["state"] == "kept") or (fetched and (not row or row["state"] != "wanted")):
            return
        count = await self._pieces.write(note_id, conversation_id, data, now)
        kind = kind_of(data, mime)
        copy = CopyState.WAITING if kind in COPIED else CopyState.NONE
        fields = {"conversation": conversation_id, "state": "kept", "mime": mime, "pieces": count, "at": now}
        fields |= {"kind": kind.value, "size": len(data), "copy": copy.value}
        change = {"$set": fields, "$unset": {"sealed": ""}, "$setOnInsert": {"voice": mime.startswith("audio/")}}
        mine = {"_id": note_id, "state": "wanted"} if fetched else {"_id": note_id}
        done = await self._notes.update_one(mine, change, upsert=not fetched)
        if fetched and not done.matched_count:
            kept = await self._notes.find_one({"_id": note_id, "state": "kept"}, {"_id": 1})
            if not kept:
                await self._pieces.drop(note_id)

    async def get(self, note_id: str, conversation_id: str) -> tuple[str, bytes] | None:
        """Return (MIME type, bytes) of a kept note that belongs to the conversation, else None."""
        note = await self._notes.find_one({"_id": note_id, "conversation": conversation_id, "state": "kept"})
        data = await self._pieces.read(note_id, note["pieces"]) if note else None
        return (note["mime"], data) if note and data is not None else None

    async def wanted(self, now: datetime) -> Sequence[Wanted]:
        """Return notes that are to be fetched now: those never tried first, then by when their time came."""
        rows = self._notes.find({"state": "wanted", "$or": _come(now)}).sort([("tries", 1), ("next_at", 1)])
        rows = rows.limit(BATCH)
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

    async def failed(self, note_id: str, now: datetime, pause: float | None, *, final: bool, began: datetime) -> bool:
        """Set the time of the next try; see the port. A file older than its channel keeps files is given up."""
        mine: dict[str, Any] = {"_id": note_id, "state": "wanted", "$or": _come(began)}
        row = await self._notes.find_one(mine, {"tries": 1, "refusals": 1, "at": 1, "next_at": 1})
        if not row:
            return False
        tries, refusals = row["tries"] + (pause is None), row.get("refusals", 0) + (final and pause is None)
        if refusals >= MOST_FINAL or now - aware(row["at"]) > KEPT_FOR:
            return True
        wait = PAUSES[min(tries, len(PAUSES)) - 1] if pause is None else pause
        fields = {"tries": tries, "refusals": refusals, "next_at": now + timedelta(seconds=wait)}
        await self._notes.update_one({**mine, "next_at": row.get("next_at")}, {"$set": fields})
        return False

    async def refuse(self, note_id: str, why: str) -> None:
        """Never ask for it again, forget how it could be had, and remember *why* for the responder."""
        refused = {"$set": {"state": "refused", "why": why}, "$unset": {"sealed": ""}}
        await self._notes.update_one({"_id": note_id, "state": "wanted"}, refused)


def _come(now: datetime) -> list[dict[str, Any]]:
    """Return what finds the files whose time has come; those without one were wanted before there were times."""
    return [{"next_at": {"$lte": now}}, {"next_at": None}]


def _like(wanted: Wanted) -> dict[str, Any]:
    """Return what finds the files of the same person that count together with this one."""
    return {"conversation": wanted.conversation_id, "voice": True if wanted.voice else {"$ne": True}}
