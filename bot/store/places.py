"""Transit points by version, what became of posters, and counts by day; nothing here is about a person.

`places` holds the points, `place_lists` a line per imported file, `place_posters` only what differs from a poster of
the first series in force, `place_counts` a number per place, day, channel and kind.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import date, datetime
from typing import Any

from pymongo import UpdateOne
from pymongo.asynchronous.database import AsyncDatabase
from pymongo.errors import DuplicateKeyError

from bot.domain.places import (
    Count,
    Desk,
    Fault,
    PlaceList,
    Point,
    Post,
    PosterRow,
    Purpose,
    VersionState,
    poster_id,
)
from bot.store.documents import aware

Doc = dict[str, Any]
CURRENT = "places"
TRIES = 20
MOST_FAULTS = 200


class MongoPlaces:
    """`bot.ports.PlaceStore` on MongoDB."""

    def __init__(self, db: AsyncDatabase[Doc]) -> None:
        """Points are public data: nothing is sealed."""
        self._db = db

    async def in_force(self) -> int:
        """Return the number of the version in force; 0 for none."""
        found = await self._db["meta"].find_one({"_id": CURRENT})
        return int(found["version"]) if found else 0

    async def make_current(self, version: int) -> None:
        """Put a version in force."""
        await self._db["meta"].update_one({"_id": CURRENT}, {"$set": {"version": version}}, upsert=True)

    async def points(self, version: int) -> Sequence[Point]:
        """Return the points of one version, by code."""
        return [_point(row) async for row in self._db["places"].find({"version": version}).sort("code", 1)]

    async def lists(self) -> Sequence[PlaceList]:
        """Return every imported file, newest first."""
        return [_list(row) async for row in self._db["place_lists"].find().sort("_id", -1)]

    async def keep(self, listing: PlaceList, points: Sequence[Point]) -> PlaceList:
        """Store a file under the next number; not yet in force."""
        for _ in range(TRIES):
            last = await self._db["place_lists"].find_one({}, {"_id": 1}, sort=[("_id", -1)])
            number = last["_id"] + 1 if last else 1
            try:
                await self._db["place_lists"].insert_one(_list_row(listing, number))
            except DuplicateKeyError:
                continue
            if points:
                await self._db["places"].insert_many([{**asdict_of(point), "version": number} for point in points])
            return _list(_list_row(listing, number))
        raise RuntimeError("no version number is free; import it again")

    async def release(self, version: int) -> None:
        """Take a version out of quarantine."""
        await self._db["place_lists"].update_one({"_id": version}, {"$set": {"state": VersionState.KEPT.value}})

    async def posters(self) -> Sequence[PosterRow]:
        """Return what is known of posters: later series, withdrawn ones, reported ones."""
        return [_poster(row) async for row in self._db["place_posters"].find()]

    async def add_series(self, place: str, purpose: Purpose, series: int, now: datetime) -> bool:
        """Begin a series; False if somebody else began it meanwhile."""
        row = {"_id": poster_id(place, purpose, series), **_named(place, purpose, series), "made_at": now}
        try:
            await self._db["place_posters"].insert_one(row)
        except DuplicateKeyError:
            return False
        return True

    async def revoke(self, place: str, purpose: Purpose, series: int, who: str, reason: str, now: datetime) -> bool:
        """Withdraw a series for good; False if it was withdrawn before."""
        fields = {"revoked_at": now, "revoked_by": who, "reason": reason, **_named(place, purpose, series)}
        query = {"_id": poster_id(place, purpose, series), "revoked_at": {"$exists": False}}
        try:
            done = await self._db["place_posters"].update_one(query, {"$set": fields}, upsert=True)
        except DuplicateKeyError:
            return False
        return done.modified_count + int(done.upserted_id is not None) > 0

    async def count(self, counts: Sequence[Count]) -> None:
        """Add to the day's numbers."""
        changes = [
            UpdateOne(_counted(one), {"$inc": {"number": one.number}, "$set": _counted(one)}, upsert=True)
            for one in counts
        ]
        if changes:
            await self._db["place_counts"].bulk_write(changes, ordered=False)

    async def counts(self, since: date) -> Sequence[Count]:
        """Return the numbers of every day from *since* on."""
        rows = self._db["place_counts"].find({"day": {"$gte": since.isoformat()}}).sort([("place", 1), ("day", 1)])
        return [
            Count(row["place"], date.fromisoformat(row["day"]), row["what"], row["channel"], row["number"])
            async for row in rows
        ]


def _counted(one: Count) -> Doc:
    return {"place": one.place, "day": one.day.isoformat(), "what": one.what, "channel": one.channel}


def _named(place: str, purpose: Purpose, series: int) -> Doc:
    return {"place": place, "purpose": purpose.value, "series": series}


def asdict_of(point: Point) -> Doc:
    """Write a point."""
    row = asdict(point)
    return {**row, "verified_on": point.verified_on.isoformat() if point.verified_on else None}


def _point(row: Mapping[str, Any]) -> Point:
    day = row["verified_on"]
    return Point(
        row["code"], row["kind"], row["names"], row["state"], row["district"], row["latitude"], row["longitude"],
        tuple(row["locales"]), tuple(row["aliases"]), Desk(**row["desk"]), Post(**row["rpf"]), Post(**row["grp"]),
        Post(**row["child_desk"]), row["source"], date.fromisoformat(day) if day else None,
    )  # fmt: skip


def _poster(row: Mapping[str, Any]) -> PosterRow:
    revoked, flagged = row.get("revoked_at"), row.get("flagged_at")
    return PosterRow(
        row["place"], Purpose(row["purpose"]), row["series"], aware(revoked) if revoked else None,
        row.get("revoked_by", ""), row.get("reason", ""), row.get("flags", 0), aware(flagged) if flagged else None,
    )  # fmt: skip


def _list_row(listing: PlaceList, number: int) -> Doc:
    faults = [[fault.row, fault.column, fault.value, fault.what] for fault in listing.faults[:MOST_FAULTS]]
    return {
        "_id": number, "state": listing.state.value, "file": listing.file, "checksum": listing.checksum,
        "rows": listing.rows, "by": listing.by, "at": listing.at, "faults": faults, "doubt": listing.doubt,
    }  # fmt: skip


def _list(row: Mapping[str, Any]) -> PlaceList:
    return PlaceList(
        row["_id"], VersionState(row["state"]), row["file"], row["checksum"], row["rows"], row["by"], aware(row["at"]),
        tuple(Fault(*fault) for fault in row["faults"]), row["doubt"],
    )  # fmt: skip
