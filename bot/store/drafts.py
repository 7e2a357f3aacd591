"""What one person writes and another lets out to many: numbered rows, each person listed once."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

from pymongo import ReturnDocument
from pymongo.asynchronous.collection import AsyncCollection
from pymongo.errors import BulkWriteError, DuplicateKeyError

from bot.domain.notices import NotConfirmable, NoticeState

Doc = dict[str, Any]
TWICE: Final = 11000


class Drafts:
    """The rows of one collection."""

    def __init__(self, rows: AsyncCollection[Doc]) -> None:  # noqa: D107
        self._rows = rows

    async def write(self, fields: Doc, who: str, now: datetime) -> Doc:
        """Keep a draft under the next number, whoever else does the same."""
        while True:
            last = await self._rows.find_one({}, {"_id": 1}, sort=[("_id", -1)])
            row = {"_id": last["_id"] + 1 if last else 1, **fields, "made_by": who, "made_at": now}
            row["state"] = NoticeState.DRAFT.value
            try:
                await self._rows.insert_one(row)
            except DuplicateKeyError:
                continue
            return row

    async def latest(self, limit: int) -> Sequence[Doc]:
        """Return the newest."""
        return await self._rows.find({}).sort("_id", -1).limit(limit).to_list()

    async def confirm(self, number: int, who: str, now: datetime) -> Doc:
        """Let it out: by somebody else than its writer, once. Raise `NotConfirmable`."""
        mine = {"_id": number, "state": NoticeState.DRAFT.value, "made_by": {"$ne": who}}
        fields = {"state": NoticeState.CONFIRMED.value, "confirmed_by": who, "confirmed_at": now, "listed": False}
        row: Doc | None = await self._rows.find_one_and_update(
            mine, {"$set": fields}, return_document=ReturnDocument.AFTER
        )
        if not row:
            raise NotConfirmable(str(number))
        return row

    async def cancel(self, number: int) -> None:
        """Let it out to nobody more."""
        await self._rows.update_one({"_id": number}, {"$set": {"state": NoticeState.CANCELLED.value}})

    async def unlisted(self) -> Sequence[Doc]:
        """Return the confirmed ones whose people are not listed yet."""
        return await self._rows.find({"state": NoticeState.CONFIRMED.value, "listed": False}).to_list()

    async def listed(self, number: int, people: AsyncCollection[Doc], sends: Sequence[Doc]) -> None:
        """List the people; whoever does it twice changes nothing."""
        try:
            if sends:
                await people.insert_many(sends, ordered=False)
        except BulkWriteError as error:
            if any(problem["code"] != TWICE for problem in error.details["writeErrors"]):
                raise
        await self._rows.update_one({"_id": number}, {"$set": {"listed": True}})
