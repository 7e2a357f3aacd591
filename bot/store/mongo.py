"""The connection to MongoDB, its safety settings, its indexes, and what its errors mean to us."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any, TypeVar

from pymongo import ASCENDING, AsyncMongoClient, IndexModel, ReadPreference
from pymongo.asynchronous.client_session import AsyncClientSession
from pymongo.asynchronous.collection import AsyncCollection
from pymongo.asynchronous.database import AsyncDatabase
from pymongo.errors import ConnectionFailure, EncryptionError, OperationFailure, PyMongoError
from pymongo.monitoring import CommandListener
from pymongo.read_concern import ReadConcern
from pymongo.write_concern import WriteConcern

from bot.ports import StoreUnavailable
from bot.store.orphans import APP

Doc = dict[str, Any]
T = TypeVar("T")
MAJORITY = WriteConcern("majority", j=True)
SCHEMA = 2
#: Collections that are made side by side.
AT_ONCE = 8

INDEXES: dict[str, Sequence[IndexModel]] = {
    "inbox": [
        IndexModel([("state", ASCENDING), ("received_at", ASCENDING)]),
        IndexModel([("conversation", ASCENDING), ("sent_at", ASCENDING), ("received_at", ASCENDING)]),
    ],
    "media": [
        IndexModel([("state", ASCENDING), ("tries", ASCENDING), ("next_at", ASCENDING)]),
        IndexModel([("state", ASCENDING), ("at", ASCENDING)]),
        IndexModel([("state", ASCENDING), ("copy", ASCENDING), ("at", ASCENDING)]),
        IndexModel([("conversation", ASCENDING)]),
    ],
    "approvals": [
        IndexModel([("case", ASCENDING), ("asked_at", ASCENDING)]),
        IndexModel([("who", ASCENDING), ("state", ASCENDING)]),
        IndexModel([("state", ASCENDING), ("until", ASCENDING)]),
    ],
    "media_pieces": [
        IndexModel([("note", ASCENDING), ("number", ASCENDING)]),
        IndexModel([("conversation", ASCENDING)]),
    ],
    "outbox": [
        IndexModel(
            [(name, ASCENDING) for name in ("open", "channel", "lane", "created_at", "_id")],
            partialFilterExpression={"open": True},
            name="open_in_order",
        ),
        IndexModel([("conversation", ASCENDING), ("_id", ASCENDING)]),
        IndexModel([("receipt", ASCENDING)]),
        IndexModel([("lesson", ASCENDING)], sparse=True),
    ],
    "learners": [IndexModel([("due", ASCENDING)]), IndexModel([("held_at", ASCENDING)], sparse=True)],
    "notices": [],
    "note_wishes": [IndexModel([(name, ASCENDING)], sparse=True) for name in ("places", "districts", "states")],
    "note_sends": [
        IndexModel([("state", ASCENDING), ("not_before", ASCENDING)]),
        IndexModel([("conversation", ASCENDING)]),
        IndexModel([("notice", ASCENDING)]),
    ],
    "breaches": [],
    "breach_sends": [
        IndexModel([("state", ASCENDING), ("not_before", ASCENDING)]),
        IndexModel([("conversation", ASCENDING)]),
        IndexModel([("breach", ASCENDING)]),
    ],
    "lesson_answers": [IndexModel([("conversation", ASCENDING)])],
    "standings": [],
    "pace": [IndexModel([("expires_at", ASCENDING)], expireAfterSeconds=0)],
    "platform_health": [],
    "written_first": [
        IndexModel([("at", ASCENDING)]),
        IndexModel([("expires_at", ASCENDING)], expireAfterSeconds=0),
    ],
    "slip_tries": [IndexModel([("expires_at", ASCENDING)], expireAfterSeconds=0)],
    "newcomers": [IndexModel([("expires_at", ASCENDING)], expireAfterSeconds=0)],
    "contacts": [
        IndexModel([("conversation", ASCENDING)]),
        IndexModel([("former", ASCENDING)], sparse=True),
    ],
    "conversations": [
        IndexModel([("erase_after", ASCENDING)], sparse=True),
        IndexModel([("forget_at", ASCENDING)], sparse=True),
        IndexModel([("unsure_since", ASCENDING)], sparse=True),
        IndexModel([("looked_at", ASCENDING)]),
        IndexModel([("erase_let_go", ASCENDING)], sparse=True),
    ],
    "cases": [
        IndexModel([("conversation", ASCENDING)], unique=True, partialFilterExpression={"open": True}, name="one_open"),
        IndexModel([("open", ASCENDING), ("priority", ASCENDING), ("waiting_since", ASCENDING)]),
        IndexModel([("open", ASCENDING), ("escalate_at", ASCENDING)]),
        IndexModel([("follow_at", ASCENDING)], sparse=True),
        IndexModel([("labels", ASCENDING), ("open", ASCENDING)]),
        IndexModel([("conversation", ASCENDING), ("opened_at", ASCENDING)]),
        IndexModel([("also", ASCENDING)], sparse=True),
        IndexModel([("merged_into", ASCENDING)], sparse=True),
        IndexModel([("slip", ASCENDING)], unique=True, sparse=True),
        IndexModel([("kept_at", ASCENDING)], sparse=True),
        IndexModel([("ends_at", ASCENDING)], sparse=True),
        IndexModel([("closed_at", ASCENDING)], sparse=True),
        IndexModel([("place", ASCENDING), ("opened_at", ASCENDING)]),
    ],
    "case_events": [
        IndexModel([("case", ASCENDING), ("number", ASCENDING)], unique=True),
        IndexModel(
            [("case", ASCENDING), ("key", ASCENDING)], unique=True, partialFilterExpression={"key": {"$gt": ""}}
        ),
    ],
    "tasks": [
        IndexModel([("case", ASCENDING)]),
        IndexModel([("open", ASCENDING), ("due", ASCENDING)]),
    ],
    "handovers": [IndexModel([("at", ASCENDING)]), IndexModel([("expires_at", ASCENDING)], expireAfterSeconds=0)],
    "alerts": [
        IndexModel([("state", ASCENDING), ("channel", ASCENDING), ("rank", ASCENDING), ("created_at", ASCENDING)]),
        IndexModel([("ref", ASCENDING)], sparse=True),
    ],
    "agencies": [IndexModel([("source", ASCENDING), ("version", ASCENDING), ("id", ASCENDING)])],
    "agency_current": [],
    "agency_lists": [IndexModel([("source", ASCENDING), ("version", ASCENDING)], unique=True)],
    "places": [IndexModel([("version", ASCENDING), ("code", ASCENDING)])],
    "place_lists": [],
    "place_posters": [],
    "place_counts": [
        IndexModel(
            [("place", ASCENDING), ("day", ASCENDING), ("what", ASCENDING), ("channel", ASCENDING)], unique=True
        ),
    ],
    "reports": [
        IndexModel([("mark", ASCENDING)]),
        IndexModel([("conversation", ASCENDING)]),
        IndexModel([("opened_at", ASCENDING)]),
    ],
    "decisions": [],
    "rota": [],
    "topics": [IndexModel([("chat", ASCENDING), ("thread", ASCENDING)])],
    "topic_posts": [IndexModel([("case", ASCENDING)]), IndexModel([("posts", ASCENDING)])],
    "topic_asks": [IndexModel([("expires_at", ASCENDING)], expireAfterSeconds=0)],
    "group_state": [],
    "group_pages": [
        IndexModel([("shown", ASCENDING)]),
        IndexModel([("expires_at", ASCENDING)], expireAfterSeconds=0),
    ],
    "group_inbox": [
        IndexModel([("state", ASCENDING), ("number", ASCENDING)]),
        IndexModel([("expires_at", ASCENDING)], expireAfterSeconds=0),
    ],
    "telegram_links": [IndexModel([("account", ASCENDING)], unique=True)],
    "link_codes": [IndexModel([("expires_at", ASCENDING)], expireAfterSeconds=0)],
    "canaries": [IndexModel([("at", ASCENDING)], expireAfterSeconds=30 * 86400)],
    "sheets": [],
    "audit": [
        IndexModel([("number", ASCENDING)], unique=True),
        IndexModel([("about", ASCENDING), ("number", ASCENDING)]),
        IndexModel([("who", ASCENDING), ("action", ASCENDING), ("at", ASCENDING)]),
    ],
    "sessions": [IndexModel([("expires_at", ASCENDING)], expireAfterSeconds=0), IndexModel([("responder", ASCENDING)])],
    "leases": [],
    "marks": [],
    "organisations": [],
    "passkeys": [IndexModel([("person", ASCENDING), ("made_at", ASCENDING)])],
    "challenges": [IndexModel([("until", ASCENDING)], expireAfterSeconds=0)],
    "parked_receipts": [IndexModel([("at", ASCENDING)], expireAfterSeconds=600)],
    "attempts": [IndexModel([("at", ASCENDING)], expireAfterSeconds=7200), IndexModel([("key", ASCENDING)])],
}
#: Indexes of earlier versions that nothing asks for any more.
RETIRED = {"outbox": ("open_1_lane_1_created_at_1",)}
NOT_FOUND = 27
OTHER_SHAPE = frozenset({85, 86})


def connect(uri: str, listeners: Sequence[CommandListener] = ()) -> AsyncMongoClient[Doc]:
    """Return a client whose every write is acknowledged by a majority and journalled, whatever the URI says."""
    return AsyncMongoClient(
        uri,
        tz_aware=True,
        retryWrites=True,
        w="majority",
        journal=True,
        readConcernLevel="majority",
        serverSelectionTimeoutMS=3000,
        connectTimeoutMS=3000,
        appname=APP,
        event_listeners=list(listeners),
    )


def database(client: AsyncMongoClient[Doc], name: str) -> AsyncDatabase[Doc]:
    """Return the database with its concerns fixed."""
    return client.get_database(name, write_concern=MAJORITY, read_concern=ReadConcern("majority"))


async def prepare(db: AsyncDatabase[Doc]) -> None:
    """Create collections and indexes, and refuse a database that a newer version has changed."""
    meta = await db["meta"].find_one({"_id": "schema"})
    if meta and meta["version"] > SCHEMA:
        raise RuntimeError(
            f"the database has schema {meta['version']}, this program knows {SCHEMA}; install the newer version"
        )
    await db["meta"].update_one({"_id": "schema"}, {"$set": {"version": SCHEMA}}, upsert=True)
    existing = set(await db.list_collection_names())
    few = asyncio.Semaphore(AT_ONCE)

    async def made(name: str, models: Sequence[IndexModel]) -> None:
        async with few:
            await _collection(db, name, models, new=name not in existing)

    await asyncio.gather(*(made(name, models) for name, models in INDEXES.items()))


async def _collection(db: AsyncDatabase[Doc], name: str, models: Sequence[IndexModel], *, new: bool) -> None:
    """Indexes make a new collection by themselves."""
    if models:
        await _index(db[name], models)
    elif new:
        await db.create_collection(name)
    for retired in () if new else RETIRED.get(name, ()):
        await _drop(db[name], retired)


async def _index(rows: AsyncCollection[Doc], models: Sequence[IndexModel]) -> None:
    """Create indexes; one of another shape under the same name or with the same keys gives way."""
    try:
        await rows.create_indexes(list(models))
    except OperationFailure as error:
        if error.code not in OTHER_SHAPE:
            raise
        if len(models) > 1:
            for model in models:
                await _index(rows, [model])
        else:
            await _replace(rows, models[0])


async def _replace(rows: AsyncCollection[Doc], model: IndexModel) -> None:
    wanted = model.document
    for name, found in (await rows.index_information()).items():
        if name == wanted["name"] or list(found["key"]) == list(wanted["key"].items()):
            await _drop(rows, name)
    await rows.create_indexes([model])


async def _drop(rows: AsyncCollection[Doc], name: str) -> None:
    try:
        await rows.drop_index(name)
    except OperationFailure as error:
        if error.code != NOT_FOUND:
            raise


async def in_transaction(client: AsyncMongoClient[Doc], body: Callable[[AsyncClientSession], Awaitable[T]]) -> T:
    """Run *body* in one transaction: snapshot reads, majority commit; transient errors run it again.

    A commit whose answer was lost is committed again, not run again (the driver does that).
    """
    async with client.start_session() as session:
        return await session.with_transaction(
            body,
            read_concern=ReadConcern("snapshot"),
            write_concern=MAJORITY,
            read_preference=ReadPreference.PRIMARY,
            max_commit_time_ms=5000,
        )


@asynccontextmanager
async def reachable() -> AsyncIterator[None]:
    """Turn a lost or silent server into `StoreUnavailable`, also where the driver met it on the way to a key.

    A key that is not there, and what was sealed wrongly, is an `EncryptionError` for another reason: it stays one.
    """
    try:
        yield
    except ConnectionFailure as error:
        raise StoreUnavailable(type(error).__name__) from error
    except PyMongoError as error:
        on_the_way = isinstance(error, EncryptionError) and isinstance(error.cause, PyMongoError)
        if error.timeout or on_the_way:
            raise StoreUnavailable(type(error).__name__) from error
        raise
