"""Clean copies of files, beside the sealed originals, and what must not be shown again."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from pymongo import AsyncMongoClient, ReturnDocument
from pymongo.asynchronous.client_session import AsyncClientSession
from pymongo.asynchronous.database import AsyncDatabase

from bot.domain.attachments import Attachment, CopyState, FileKind
from bot.domain.cases import Case, CaseAction
from bot.domain.private import Private
from bot.domain.tasks import TaskRule, by_rule
from bot.ports import Copy, Original
from bot.store.documents import aware
from bot.store.history import Writer
from bot.store.media import LEFT, MongoMedia
from bot.store.mongo import in_transaction
from bot.store.pieces import Pieces
from bot.store.sealed import Sealer

Doc = dict[str, Any]
TAKEN = timedelta(minutes=1)
MOST_TRIES = 3
#: Also files that were kept before there were copies.
WAITING = {"state": "kept", "copy": {"$in": [None, CopyState.WAITING.value]}}
SHOWN_ABOUT = 12


class MongoAttachments:
    """`bot.ports.Attachments` on MongoDB: a file has the id of the inbox row it came with."""

    def __init__(  # noqa: D107
        self,
        client: AsyncMongoClient[Doc],
        db: AsyncDatabase[Doc],
        sealer: Sealer,
        media: MongoMedia,
        writer: Writer,
    ) -> None:
        self._client = client
        self._db = db
        self._notes = db["media"]
        self._pieces = Pieces(db, sealer)
        self._media = media
        self._writer = writer

    async def next_original(self, now: datetime) -> Original | None:
        """Take the oldest file of which there is no copy yet; one on which three tries broke off is given up."""
        over = {**WAITING, "copy_tries": {"$gte": MOST_TRIES}, "copy_until": {"$lte": now}}
        given_up = {"copy": CopyState.REFUSED.value, "why": "unreadable"}
        await self._notes.update_many(over, {"$set": given_up})
        row = await self._notes.find_one_and_update(
            {**WAITING, "copy_until": {"$not": {"$gt": now}}},
            {"$set": {"copy_until": now + TAKEN}, "$inc": {"copy_tries": 1}},
            sort=[("at", 1)],
            return_document=ReturnDocument.AFTER,
        )
        if not row:
            return None
        found = await self._media.get(row["_id"], row["conversation"])
        original = Original(row["_id"], row["conversation"], row["mime"], found[1] if found else b"", aware(row["at"]))
        if found:
            return original
        await self.refuse(original, "unreadable")
        return await self.next_original(now)

    async def keep(self, original: Original, copy: Copy) -> None:
        """Store a copy with the time of its original, so that erasing takes both.

        The file may have been hidden or erased meanwhile; then the copy is dropped.
        """
        count = await self._pieces.write(_copy(original.id), original.conversation_id, copy.data, original.at)
        fields = {"copy": CopyState.MADE.value, "copy_mime": copy.mime, "copy_pieces": count}
        done = await self._notes.update_one({"_id": original.id, "hidden": {"$exists": False}}, {"$set": fields})
        if not done.matched_count:
            await self._pieces.drop(_copy(original.id))

    async def refuse(self, original: Original, why: str) -> None:
        """Record that there will be no copy; without *why*, that none is made of such a file."""
        state = CopyState.REFUSED if why else CopyState.NONE
        await self._notes.update_one({"_id": original.id}, {"$set": {"copy": state.value, "why": why}})

    async def of(self, conversation_id: str) -> Mapping[str, Attachment]:
        """Return the files of a conversation in the order in which they came."""
        if not conversation_id:
            return {}
        rows = await self._notes.find({"conversation": conversation_id}, {"sealed": 0}).to_list()
        moments = self._db["inbox"].find({"conversation": conversation_id}, {"received_at": 1})
        came = {row["_id"]: row["received_at"] async for row in moments}
        rows.sort(key=lambda row: (came.get(row["_id"], row["at"]), row["_id"]))
        return {row["_id"]: _attachment(row, number) for number, row in enumerate(rows, 1)}

    async def copy_of(self, note_id: str, conversation_id: str) -> Copy | None:
        """Return the clean copy; None if there is none, or the file must not be shown."""
        made = {"copy": CopyState.MADE.value, "hidden": {"$exists": False}}
        row = await self._notes.find_one({"_id": note_id, "conversation": conversation_id, **made})
        data = await self._pieces.read(_copy(note_id), row["copy_pieces"]) if row else None
        return Copy(row["copy_mime"], data) if row and data is not None else None

    async def hide(self, case: Case, item: Attachment, who: str, reason: Private, now: datetime) -> None:
        """Hide it, open the task and write the line together; the copy goes after that. A repeat changes nothing."""

        async def body(session: AsyncClientSession) -> None:
            row = await self._db["cases"].find_one_and_update(
                {"_id": case.id}, {"$inc": {"version": 1}, "$set": {"updated_at": now}}, session=session
            )
            mine = {"_id": item.id, "conversation": {"$in": [case.conversation_id, *case.also]}}
            if not row or not await self._notes.find_one(mine, {"_id": 1}, session=session):
                raise LookupError(item.id)
            hidden = {"$set": {"hidden": {"by": who, "at": now}}}
            done = await self._notes.update_one({**mine, "hidden": {"$exists": False}}, hidden, session=session)
            if not done.modified_count:
                return
            detail = Private(f"{item.number}: {reason.reveal()}")
            await self._writer.event(row, CaseAction.HIDE, who, now, session, detail=detail)
            task = by_rule(case.id, TaskRule.CHILD_IMAGE, now, item.id[:SHOWN_ABOUT])
            await self._writer.task(task, row, now, session)

        await in_transaction(self._client, body)
        await self._pieces.drop(_copy(item.id))


def _copy(note_id: str) -> str:
    return f"{note_id}:copy"


def _attachment(row: Doc, number: int) -> Attachment:
    copy = CopyState(row.get("copy") or CopyState.WAITING)
    if row["state"] != "kept":
        copy = CopyState.FETCHING if row["state"] == "wanted" else CopyState.REFUSED
    kind = FileKind.PROGRAM if row.get("why") == "program" else FileKind(row.get("kind", FileKind.OTHER.value))
    return Attachment(
        row["_id"], number, kind, row.get("size", 0), copy, row.get("why", ""), "hidden" in row,
        row["state"] == "kept", row["state"] == LEFT, bool(row.get("elsewhere")),
    )  # fmt: skip
