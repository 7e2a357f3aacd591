"""Databases lent to one test after another: emptied in between, since making their hundred indexes takes longest."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from pymongo import MongoClient
from pymongo.asynchronous.database import AsyncDatabase

from bot.store import mongo

Doc = dict[str, Any]
_prepare = mongo.prepare
#: What every prepared database holds.
MARK = {"_id": "schema", "version": mongo.SCHEMA}


class Databases:
    """The names of databases whose collections and indexes are there, and which no test has now."""

    def __init__(self) -> None:
        self._free: list[str] = []
        self._prepared: set[str] = set()
        self._client: MongoClient[Doc] | None = None

    @contextmanager
    def at(self, uri: str) -> Iterator[None]:
        """Know where they are, and who has prepared which."""
        with pytest.MonkeyPatch.context() as patch, MongoClient[Doc](uri) as self._client:
            patch.setattr(mongo, "prepare", self._prepare)
            yield
        self._client = None

    async def _prepare(self, db: AsyncDatabase[Doc]) -> None:
        if db.name not in self._prepared:
            await _prepare(db)

    def lend(self) -> str:
        """Return the name of an empty one."""
        return self._free.pop() if self._free else f"t{secrets.token_hex(6)}"

    def give_back(self, name: str) -> None:
        """Empty it for the next test; one that is not whole is dropped."""
        if not self._client:
            return
        db = self._client[name]
        found = set(db.list_collection_names())
        if not found:
            return
        profiled = any(collection.startswith("system.") for collection in found)
        whole = not profiled and set(mongo.INDEXES) <= found and db["meta"].find_one({"_id": "schema"}) == MARK
        if not whole:
            self._client.drop_database(name)
            self._prepared.discard(name)
            return
        for collection in found - {"meta"}:
            db[collection].delete_many({})
        db["meta"].delete_many({"_id": {"$ne": "schema"}})
        self._prepared.add(name)
        self._free.append(name)


DATABASES = Databases()
