"""Partner organisations with their labels and districts, and what the administrator asks of everybody."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pymongo.asynchronous.database import AsyncDatabase

from bot.domain.roles import Organisation

Doc = dict[str, Any]
RULES = "console"


class MongoOrganisations:
    """`bot.ports.Organisations` on MongoDB."""

    def __init__(self, db: AsyncDatabase[Doc]) -> None:  # noqa: D107
        self._rows = db["organisations"]
        self._meta = db["meta"]

    async def get(self, organisation_id: str) -> Organisation | None:
        """Return one."""
        row = await self._rows.find_one({"_id": organisation_id}) if organisation_id else None
        return _organisation(row) if row else None

    async def all(self) -> Sequence[Organisation]:
        """Return all, by id."""
        return [_organisation(row) async for row in self._rows.find({}).sort("_id", 1)]

    async def save(self, organisation: Organisation) -> None:
        """Insert or replace."""
        row: Doc = {
            "name": organisation.name,
            "labels": list(organisation.labels),
            "districts": list(organisation.districts),
        }
        await self._rows.update_one({"_id": organisation.id}, {"$set": row}, upsert=True)

    async def second_factor_needed(self) -> bool:
        """Say whether everybody must have a second factor."""
        row = await self._meta.find_one({"_id": RULES})
        return bool(row and row.get("second_factor"))

    async def need_second_factor(self, *, needed: bool) -> None:
        """Ask everybody for a second factor, or nobody."""
        await self._meta.update_one({"_id": RULES}, {"$set": {"second_factor": needed}}, upsert=True)


def _organisation(row: Doc) -> Organisation:
    return Organisation(row["_id"], row["name"], tuple(row["labels"]), tuple(row["districts"]))
