"""Lists of recruiters: each import a version of its own; one pointer per list says what is in force.

`agencies` holds the rows, `agency_lists` a line per version, `agency_current` the pointers (`_id`: the list).
"""

from __future__ import annotations

import itertools
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from dataclasses import asdict, replace
from datetime import UTC, datetime, time, timedelta
from typing import Any, Final

from bson.codec_options import CodecOptions
from pymongo.asynchronous.client_session import AsyncClientSession
from pymongo.asynchronous.collection import AsyncCollection
from pymongo.asynchronous.database import AsyncDatabase
from pymongo.errors import DuplicateKeyError, OperationFailure

from bot.domain.agencies import Agency, AgencyList, ListState, Problem, Standing
from bot.store.documents import aware
from bot.store.mongo import in_transaction

Doc = dict[str, Any]
BATCH = 2000
READ_BATCH = 4000
TRIES = 20
#: A version still being stored after so long belongs to an import that died.
STORING_AT_MOST = timedelta(hours=6)
#: The index of former versions of this program; the present one begins with the same fields.
FORMER_INDEX = "source_1_version_1"
_STANDINGS: Final = {standing.value: standing for standing in Standing}
_SEVERAL = ("phones", "emails", "webs", "upis")


class MongoAgencies:
    """`bot.ports.Agencies` on MongoDB. Lists are public data: nothing is sealed."""

    def __init__(self, db: AsyncDatabase[Doc]) -> None:
        """Days are stored as midnight UTC and read without a zone, which is quicker."""
        self._client = db.client
        self._rows: AsyncCollection[Doc] = db["agencies"].with_options(codec_options=CodecOptions(tz_aware=False))
        self._lists = db["agency_lists"]
        self._current = db["agency_current"]

    async def prepare(self) -> None:
        """Point at what a former version of this program had flagged as current; harmless to repeat.

        Where a crash had left two versions flagged, the one imported last is in force. The flags stay as they are: a
        process of the former version that still runs goes on seeing its list.
        """
        async for row in self._lists.find({"current": True}).sort("imported_at", -1):
            pointer = {"version": row["version"], "since": row["imported_at"], "by": ""}
            try:
                await self._current.update_one({"_id": row["source"]}, {"$setOnInsert": pointer}, upsert=True)
            except DuplicateKeyError:
                continue  # another process was quicker
        try:
            await self._rows.drop_index(FORMER_INDEX)
        except OperationFailure:
            return  # it is gone already

    async def lists(self) -> Sequence[AgencyList]:
        """Return the version in force of every list, without the problems of its file."""
        wanted = [{"source": row["_id"], "version": row["version"]} async for row in self._current.find()]
        if not wanted:
            return []
        return [_listing(row) async for row in self._lists.find({"$or": wanted}, {"problems": 0}).sort("source", 1)]

    async def versions(self, source: str = "") -> Sequence[AgencyList]:
        """Return every version of one list, or of all, newest first; without the problems of their files."""
        query = {"source": source} if source else {}
        rows = self._lists.find(query, {"problems": 0}).sort([("source", 1), ("version", -1)])
        return [_listing(row) async for row in rows]

    async def version(self, source: str, number: int) -> AgencyList | None:
        """Return one version with the problems of its file."""
        row = await self._lists.find_one({"source": source, "version": number})
        return _listing(row) if row else None

    async def rows(self, source: str) -> Sequence[Agency]:
        """Return the rows of the version in force of one list."""
        return [agency async for agency in self.each_row(source)]

    async def each_row(self, source: str, version: int | None = None) -> AsyncIterator[Agency]:
        """Yield the rows of one version, else of the one in force, in the order of the file."""
        if version is None:
            pointer = await self._current.find_one({"_id": source})
            version = pointer["version"] if pointer else 0
        listing = await self._lists.find_one({"source": source, "version": version}, {"ordered": 1})
        if not listing:
            return
        async with self._rows.find(_of_version(source, version, listing), batch_size=READ_BATCH).sort(
            "_id", 1
        ) as cursor:
            while rows := await cursor.to_list(READ_BATCH):
                for row in rows:
                    yield _agency(row)

    async def first_rows(self, source: str, version: int, most: int) -> Sequence[Agency]:
        """Return at most *most* rows from the top of the file."""
        listing = await self._lists.find_one({"source": source, "version": version}, {"ordered": 1})
        rows = self._rows.find(_of_version(source, version, listing or {}), limit=most).sort("_id", 1)
        return [_agency(row) async for row in rows]

    async def find(self, source: str, version: int, ids: Sequence[str]) -> Mapping[str, Agency]:
        """Return the rows of these ids, those that are there."""
        query = {"source": source, "version": version, "id": {"$in": list(ids)}}
        return {row["id"]: _agency(row) async for row in self._rows.find(query)}

    async def store(self, listing: AgencyList, rows: Iterable[Agency]) -> AgencyList:
        """Store a new version under the next number, as `STORING`: not in force, and not yet to be put in force."""
        stored = await self._reserve(listing)
        count = 0
        rows = iter(rows)
        while batch := list(itertools.islice(rows, BATCH)):
            docs = [_row(agency, listing.source, stored.version, count + at) for at, agency in enumerate(batch)]
            await self._rows.insert_many(docs, ordered=False)
            count += len(batch)
        return replace(stored, rows=count)

    async def _reserve(self, listing: AgencyList) -> AgencyList:
        for _ in range(TRIES):
            last = await self._lists.find_one({"source": listing.source}, {"version": 1}, sort=[("version", -1)])
            stored = replace(listing, version=last["version"] + 1 if last else 1, state=ListState.STORING)
            try:
                await self._lists.insert_one({**_listing_row(stored), "ordered": True})
            except DuplicateKeyError:
                continue  # somebody imports the same list at this moment
            return stored
        raise RuntimeError(f"{listing.source}: no version number is free; import it again")

    async def settle(self, listing: AgencyList, state: ListState, reason: str = "") -> AgencyList:
        """Say what became of a version that has been stored: kept or quarantined."""
        done = replace(listing, state=state, reason=reason)
        fields = {"state": state.value, "reason": reason, "rows": listing.rows}
        await self._lists.update_one({"source": listing.source, "version": listing.version}, {"$set": fields})
        return done

    async def apply(self, listing: AgencyList, rows: Sequence[Agency]) -> AgencyList:
        """Store a version and put it in force: a crash in between leaves the old list in force."""
        done = await self.settle(await self.store(listing, rows), ListState.KEPT)
        await self.make_current(done.source, done.version, by=listing.by)
        return done

    async def make_current(self, source: str, version: int, *, by: str = "", release: bool = False) -> None:
        """Put one version in force by one write of the pointer; also the way back, and (*release*) out of quarantine.

        Raise `LookupError` if there is no such version that is kept with its rows.
        """
        states = [ListState.KEPT, ListState.QUARANTINED] if release else [ListState.KEPT]

        async def point(session: AsyncClientSession) -> None:
            known = {"source": source, "version": version, "has_rows": {"$ne": False}}
            known["state"] = {"$in": [None, *(state.value for state in states)]}
            since = datetime.now(UTC)  # noqa: TID251 - the edge's own clock
            change = {"$set": {"state": ListState.KEPT.value, "in_force_at": since}}  # clashes with `prune` on purpose
            if not (await self._lists.update_one(known, change, session=session)).matched_count:
                raise LookupError(f"{source}: version {version} is not kept")
            pointer = {"version": version, "since": since, "by": by}
            await self._current.update_one({"_id": source}, {"$set": pointer}, upsert=True, session=session)

        await in_transaction(self._client, point)

    async def discard(self, source: str, version: int) -> bool:
        """Drop the rows of a quarantined version, its line stays; False if it is not (any more) quarantined."""
        known = {"source": source, "version": version, "state": ListState.QUARANTINED.value}
        gone = {"state": ListState.DISCARDED.value, "has_rows": False, "swept": False}
        if not (await self._lists.update_one(known, {"$set": gone})).matched_count:
            return False
        await self._sweep(source)
        return True

    async def prune(self, source: str, keep: int, now: datetime) -> int:
        """Drop the rows of all but the *keep* newest kept versions and the one in force; return how many versions.

        Rows of imports that died go too.
        """
        died = {"source": source, "state": ListState.STORING.value, "imported_at": {"$lt": now - STORING_AT_MOST}}
        gone = {"has_rows": False, "swept": False}
        await self._lists.update_many(died, {"$set": {"state": ListState.DISCARDED.value, **gone}})

        async def mark(session: AsyncClientSession) -> int:
            pointer = await self._current.find_one({"_id": source}, session=session)
            kept = {"source": source, "state": {"$in": [None, ListState.KEPT.value]}, "has_rows": {"$ne": False}}
            rows = self._lists.find(kept, {"version": 1}, session=session).sort("version", -1)
            old = [row["_id"] async for row in rows.skip(keep) if not pointer or row["version"] != pointer["version"]]
            await self._lists.update_many({"_id": {"$in": old}}, {"$set": gone}, session=session)
            return len(old)

        count = await in_transaction(self._client, mark)
        await self._sweep(source)
        return count

    async def _sweep(self, source: str) -> None:
        """Delete the rows of versions that are marked as having none; a crash in between is made good next time."""
        async for row in self._lists.find({"source": source, "swept": False}, {"version": 1}):
            await self._rows.delete_many({"source": source, "version": row["version"]})
            await self._lists.update_one({"_id": row["_id"]}, {"$set": {"swept": True}})


def _of_version(source: str, version: int, listing: Doc) -> Doc:
    """Return the query for the rows of a version; those stored before rows were numbered come by their ids."""
    if not listing.get("ordered"):
        return {"source": source, "version": version}
    first = _row_id(source, version, 0)
    return {"_id": {"$gte": first, "$lt": first[: first.rindex(":")] + ";"}}


def _row_id(source: str, version: int, number: int) -> str:
    """Ids of one version sort as the rows stand in the file."""
    return f"{source}:{version:06d}:{number:09d}"


def _row(agency: Agency, source: str, version: int, number: int) -> Doc:
    """Write a row; what is empty is left out."""
    row: Doc = {
        "_id": _row_id(source, version, number),
        "id": agency.id,
        "source": source,
        "version": version,
        "line": agency.line,
        "name": agency.name,
        "standing": agency.standing.value,
        "kind": agency.kind,
    }
    if agency.licence:
        row["licence"] = agency.licence
    if agency.valid_until:
        row["valid_until"] = datetime.combine(agency.valid_until, time(), UTC)
    if agency.place:
        row["place"] = agency.place
    if agency.address:
        row["address"] = agency.address
    for name in _SEVERAL:
        if values := getattr(agency, name):
            row[name] = list(values)
    return row


def _agency(row: Doc) -> Agency:
    get = row.get
    until = get("valid_until")
    return Agency(
        row["id"], row["name"], get("licence", ""), _STANDINGS[row["standing"]], until.date() if until else None,
        get("place", ""), tuple(get("phones", ())), tuple(get("emails", ())), row["source"], row["kind"],
        tuple(get("webs", ())), tuple(get("upis", ())), get("address", ""), get("line", 0),
    )  # fmt: skip


def _listing_row(listing: AgencyList) -> Doc:
    return {
        "source": listing.source,
        "title": listing.title,
        "as_of": datetime.combine(listing.as_of, time(), UTC),
        "imported_at": listing.imported_at,
        "checksum": listing.checksum,
        "sample": listing.sample,
        "rows": listing.rows,
        "version": listing.version,
        "url": listing.url,
        "kind": listing.kind,
        "file": listing.file,
        "by": listing.by,
        "state": listing.state.value,
        "reason": listing.reason,
        "left_out": listing.left_out,
        "problems": [asdict(problem) for problem in listing.problems],
    }


def _listing(row: Doc) -> AgencyList:
    """Read a version; fields that an older program did not know keep their defaults."""
    return AgencyList(
        source=row["source"],
        title=row["title"],
        as_of=row["as_of"].date(),
        imported_at=aware(row["imported_at"]),
        checksum=row["checksum"],
        sample=row["sample"],
        rows=row["rows"],
        version=row["version"],
        url=row["url"],
        kind=row.get("kind", "overseas"),
        file=row.get("file", ""),
        by=row.get("by", ""),
        state=ListState(row.get("state", ListState.KEPT.value)),
        reason=row.get("reason", ""),
        left_out=row.get("left_out", 0),
        problems=tuple(Problem(**problem) for problem in row.get("problems", ())),
        has_rows=row.get("has_rows", True),
    )
