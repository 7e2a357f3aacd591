"""The rota in force, sealed, for it names people's own addresses; and what the database knows of the staff."""

from __future__ import annotations

from datetime import datetime, time
from typing import Any

from pymongo.asynchronous.database import AsyncDatabase

from bot.domain.private import Private
from bot.domain.rota import Person, Rota, Shift, Skill, Staff
from bot.store.documents import aware
from bot.store.sealed import SERVICE, Sealer

Doc = dict[str, Any]
CURRENT = "current"
PAGED = "paged"
PLACE = "rota:current"


class MongoRota:
    """`bot.ports.Rotas` on MongoDB."""

    def __init__(self, db: AsyncDatabase[Doc], sealer: Sealer) -> None:  # noqa: D107
        self._db = db
        self._sealer = sealer

    async def current(self) -> Rota:
        """Return the rota in force; one without shifts if none was ever imported."""
        row = await self._db["rota"].find_one({"_id": CURRENT})
        return _rota_in(await self._sealer.open(PLACE, row["sealed"])) if row else Rota()

    async def save(self, rota: Rota, who: str, now: datetime) -> None:
        """Put a rota in force."""
        sealed = await self._sealer.seal(SERVICE, PLACE, _rota_out(rota))
        await self._db["rota"].update_one(
            {"_id": CURRENT}, {"$set": {"sealed": sealed, "by": who, "at": now}}, upsert=True
        )

    async def paged_at(self) -> datetime | None:
        """Return the start of the last shift whose people were told what waits."""
        row = await self._db["rota"].find_one({"_id": PAGED})
        return aware(row["start"]) if row else None

    async def paged(self, start: datetime) -> None:
        """Note that the people of the shift that began then were told."""
        await self._db["rota"].update_one({"_id": PAGED}, {"$max": {"start": start}}, upsert=True)

    async def staff(self) -> Staff:
        """Return who works on cases, who supervises, and how many open cases each has."""
        query = {"active": True, "role": {"$in": ["responder", "supervisor"]}}
        rows = await self._db["responders"].find(query, {"role": 1}).sort("_id", 1).to_list()
        mine: list[Doc] = [
            {"$match": {"open": True, "owner": {"$ne": None}}},
            {"$group": {"_id": "$owner", "n": {"$sum": 1}}},
        ]
        load = {row["_id"]: row["n"] async for row in await self._db["cases"].aggregate(mine)}
        supervisors = tuple(row["_id"] for row in rows if row["role"] == "supervisor")
        return Staff(frozenset(row["_id"] for row in rows), supervisors, load)


def _rota_out(rota: Rota) -> Doc:
    people = [
        {
            "login": person.login,
            "languages": sorted(person.languages),
            "districts": sorted(person.districts),
            "skills": sorted(person.skills),
            "capacity": person.capacity,
            "email": person.email.reveal(),
        }
        for person in rota.people
    ]
    shifts = [
        {
            "people": list(shift.people),
            "days": sorted(shift.days),
            "start": shift.start.isoformat(),
            "end": shift.end.isoformat(),
        }
        for shift in rota.shifts
    ]
    return {"zone": rota.zone, "people": people, "shifts": shifts}


def _rota_in(doc: Doc) -> Rota:
    people = tuple(
        Person(
            row["login"],
            frozenset(row["languages"]),
            frozenset(row["districts"]),
            frozenset(Skill(name) for name in row["skills"]),
            row["capacity"],
            Private(row["email"]),
        )
        for row in doc["people"]
    )
    shifts = tuple(
        Shift(
            tuple(row["people"]),
            frozenset(row["days"]),
            time.fromisoformat(row["start"]),
            time.fromisoformat(row["end"]),
        )
        for row in doc["shifts"]
    )
    return Rota(doc["zone"], people, shifts)
