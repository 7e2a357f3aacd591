"""Lists of recruiters: each import a version of its own, nothing overwritten, the current one named."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, time
from typing import Any

from pymongo.asynchronous.database import AsyncDatabase

from bot.domain.agencies import Agency, AgencyList, Standing
from bot.store.documents import aware

Doc = dict[str, Any]
BATCH = 5000


class MongoAgencies:
    """`bot.ports.Agencies` on MongoDB. Lists are public data: nothing is sealed."""

    def __init__(self, db: AsyncDatabase[Doc]) -> None:  # noqa: D107
        self._rows = db["agencies"]
        self._lists = db["agency_lists"]

    async def lists(self) -> Sequence[AgencyList]:
        """Return the current version of every list."""
        return [_listing(row) async for row in self._lists.find({"current": True}).sort("source", 1)]

    async def versions(self, source: str) -> Sequence[AgencyList]:
        """Return every version of one list, newest first."""
        return [_listing(row) async for row in self._lists.find({"source": source}).sort("version", -1)]

    async def rows(self, source: str) -> Sequence[Agency]:
        """Return the rows of the current version of one list."""
        current = await self._lists.find_one({"source": source, "current": True})
        if not current:
            return []
        query = {"source": source, "version": current["version"]}
        return [_agency(row) async for row in self._rows.find(query)]

    async def apply(self, listing: AgencyList, rows: Sequence[Agency]) -> AgencyList:
        """Store the rows first, then make the version current: a crash in between leaves the old list in force."""
        last = await self._lists.find_one({"source": listing.source}, sort=[("version", -1)])
        version = last["version"] + 1 if last else 1
        await self._rows.delete_many({"source": listing.source, "version": version})
        for start in range(0, len(rows), BATCH):
            await self._rows.insert_many(
                [_row(agency, listing.source, version) for agency in rows[start : start + BATCH]]
            )
        done = replace(listing, version=version, rows=len(rows))
        await self._lists.insert_one({**_listing_row(done), "current": False})
        await self.make_current(listing.source, version)
        return done

    async def make_current(self, source: str, version: int) -> None:
        """Put one version in force; also the way back to an older one."""
        await self._lists.update_one({"source": source, "version": version}, {"$set": {"current": True}})
        await self._lists.update_many({"source": source, "version": {"$ne": version}}, {"$set": {"current": False}})


def _row(agency: Agency, source: str, version: int) -> Doc:
    until = datetime.combine(agency.valid_until, time(), UTC) if agency.valid_until else None
    return {
        "_id": f"{source}:{version}:{agency.id}",
        "id": agency.id,
        "source": source,
        "version": version,
        "name": agency.name,
        "licence": agency.licence,
        "standing": agency.standing.value,
        "valid_until": until,
        "place": agency.place,
        "phones": list(agency.phones),
        "emails": list(agency.emails),
        "kind": agency.kind,
    }


def _agency(row: Doc) -> Agency:
    return Agency(
        id=row["id"],
        name=row["name"],
        licence=row["licence"],
        standing=Standing(row["standing"]),
        valid_until=row["valid_until"].date() if row["valid_until"] else None,
        place=row["place"],
        phones=tuple(row["phones"]),
        emails=tuple(row["emails"]),
        source=row["source"],
        kind=row["kind"],
    )


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
    }


def _listing(row: Doc) -> AgencyList:
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
    )
