"""Proposals, marks and published versions of our words. Public data: nothing is sealed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any

from pymongo.asynchronous.database import AsyncDatabase
from pymongo.errors import DuplicateKeyError

from bot.domain.wording import Mark, MarkKind, Proposal, Version, Words
from bot.ports import VersionClash
from bot.store.documents import aware

Doc = dict[str, Any]
DOT = "\uff0e"


class MongoWording:
    """`bot.ports.WordingStore` on MongoDB."""

    def __init__(self, db: AsyncDatabase[Doc]) -> None:  # noqa: D107
        self._proposals = db["wording_proposals"]
        self._marks = db["wording_marks"]
        self._versions = db["wording_versions"]

    async def stamp(self) -> tuple[int, int]:
        """Return (current version or 0, number of marks): equal stamps mean that nothing has changed."""
        current = await self._versions.find_one({"current": True}, {"_id": 1})
        return (current["_id"] if current else 0, await self._marks.count_documents({}))

    async def proposals(self) -> Sequence[Proposal]:
        """Return the open ones, oldest first."""
        rows = self._proposals.find().sort("at", 1)
        return [
            Proposal(row["locale"], row["message"], row["words"], row["who"], aware(row["at"])) async for row in rows
        ]

    async def propose(self, proposal: Proposal) -> None:
        """Store one; a newer proposal for the same message takes the place of the older."""
        key = f"{proposal.locale}:{proposal.message}"
        row = asdict(proposal)
        await self._proposals.replace_one({"_id": key}, row, upsert=True)

    async def withdraw(self, locale: str, message: str) -> None:
        """Drop an open proposal."""
        await self._proposals.delete_one({"_id": f"{locale}:{message}"})

    async def mark(self, mark: Mark) -> None:
        """Add a mark; marks are never changed or removed."""
        await self._marks.insert_one({**asdict(mark), "kind": mark.kind.value})

    async def marks(self) -> Sequence[Mark]:
        """Return all, oldest first."""
        rows = self._marks.find().sort([("at", 1), ("_id", 1)])
        return [
            Mark(row["locale"], row["message"], MarkKind(row["kind"]), row["seal"], row["who"], aware(row["at"]))
            async for row in rows
        ]

    async def current(self) -> Version | None:
        """Return the version in force; None while the files stand unchanged."""
        row = await self._versions.find_one({"current": True})
        return _version(row) if row else None

    async def versions(self) -> Sequence[Version]:
        """Return all, newest first."""
        return [_version(row) async for row in self._versions.find().sort("_id", -1)]

    async def publish(self, words: Words, who: str, note: str, now: datetime) -> Version:
        """Store a new version and put it in force. Raise `VersionClash` when somebody else was quicker."""
        last = await self._versions.find_one({}, {"_id": 1}, sort=[("_id", -1)])
        number = last["_id"] + 1 if last else 1
        row = {"_id": number, "words": _out(words), "who": who, "at": now, "note": note, "current": False}
        try:
            await self._versions.insert_one(row)
        except DuplicateKeyError as error:
            raise VersionClash(f"version {number}") from error
        await self.make_current(number)
        return Version(number, words, who, now, note, current=True)

    async def make_current(self, number: int) -> None:
        """Put one version in force: also the way back. 0 is the files as they are."""
        await self._versions.update_many({"_id": {"$ne": number}, "current": True}, {"$set": {"current": False}})
        await self._versions.update_one({"_id": number}, {"$set": {"current": True}})


def _version(row: Doc) -> Version:
    words = {
        locale: {key.replace(DOT, "."): text for key, text in messages.items()}
        for locale, messages in row["words"].items()
    }
    return Version(row["_id"], words, row["who"], aware(row["at"]), row["note"], row["current"])


def _out(words: Words) -> Doc:
    """Dots stay out of field names."""
    return {
        locale: {key.replace(".", DOT): text for key, text in messages.items()} for locale, messages in words.items()
    }
