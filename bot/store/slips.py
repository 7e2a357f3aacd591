"""Numbers of slips: a keyed hash beside the case, questions counted by the hour, and hidden wherever people read."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, Final

from pymongo import ReturnDocument
from pymongo.asynchronous.database import AsyncDatabase

from bot.domain.cases import CaseState
from bot.domain.private import Private
from bot.domain.slips import Standing, numbers_in, standing_of, without
from bot.store.sealed import Sealer

Doc = dict[str, Any]
#: Questions an hour: of one person, and of all together.
MOST_EACH: Final = 10
MOST_ALL: Final = 1200
ALL: Final = "all"
COUNTED_FOR: Final = timedelta(hours=2)
FIELDS: Final = {"state": 1, "merged_into": 1, "slip": 1}


def name_of(sealer: Sealer, number: str) -> str:
    """Return the keyed hash under which a case keeps its number."""
    return sealer.blind("slip", number)


async def hidden(db: AsyncDatabase[Doc], sealer: Sealer, text: str) -> str:
    """Return *text* without the numbers of slips; other numbers of that length, such as an account's, stay."""
    names = {name_of(sealer, number): number for number in numbers_in(text)}
    if not names:
        return text
    known = db["cases"].find({"slip": {"$in": sorted(names)}}, {"slip": 1})
    return without(text, {names[row["slip"]] async for row in known})


class MongoSlips:
    """`bot.ports.Slips` on MongoDB."""

    def __init__(
        self, db: AsyncDatabase[Doc], sealer: Sealer, most_each: int = MOST_EACH, most_all: int = MOST_ALL
    ) -> None:
        """*most_each*, *most_all*: questions an hour of one person, and of all together."""
        self._cases = db["cases"]
        self._tries = db["slip_tries"]
        self._sealer = sealer
        self._most_each = most_each
        self._most_all = most_all

    async def standing(self, number: Private, conversation_id: str, now: datetime) -> Standing:
        """Count the question first: of a thousand guesses at once a few are looked up, not a thousand.

        Nothing here depends on whether the number is known: two counts, two reads by an index.
        """
        mine = await self._count(conversation_id, now)
        if mine > self._most_each or await self._count(ALL, now) > self._most_all:
            return Standing.LATER
        row = await self._cases.find_one({"slip": name_of(self._sealer, number.reveal())}, FIELDS) or {}
        into = await self._cases.find_one({"_id": row.get("merged_into") or ""}, FIELDS)
        state = (into or row).get("state")
        return standing_of(CaseState(state) if state else None)

    async def _count(self, who: str, now: datetime) -> int:
        name = self._sealer.blind("slip_tries", f"{who}:{now:%Y-%m-%dT%H}")
        change = {"$inc": {"count": 1}, "$setOnInsert": {"expires_at": now + COUNTED_FOR}}
        row = await self._tries.find_one_and_update(
            {"_id": name}, change, upsert=True, return_document=ReturnDocument.AFTER
        )
        return int(row["count"]) if row else 0
