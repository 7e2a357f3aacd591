"""New people, counted by the minute for an hour: how many came, by which poster, and how many had to wait."""

from __future__ import annotations

from collections import Counter
from datetime import datetime, timedelta
from typing import Any, Final

from pymongo.asynchronous.database import AsyncDatabase
from pymongo.read_concern import ReadConcern
from pymongo.write_concern import WriteConcern

from bot.domain.messages import Lane
from bot.domain.pace import Limit
from bot.ports import Wave
from bot.store.pace import rows_of, take

Doc = dict[str, Any]
NAME: Final = "newcomers"
KEPT: Final = timedelta(hours=1)
LATELY: Final = timedelta(minutes=10)


class MongoNewcomers:
    """`bot.ports.Newcomers` on MongoDB. Losing a count to a crash costs nothing, so no majority is waited for."""

    def __init__(self, db: AsyncDatabase[Doc], limit: Limit) -> None:
        """*limit*: how many new people are answered in full."""
        self._pace = rows_of(db)
        self._minutes = db.get_collection(
            "newcomers", write_concern=WriteConcern(w=1), read_concern=ReadConcern("local")
        )
        self._limit = limit

    async def admit(self) -> bool:
        """Take one place among those of this minute, whichever process asks."""
        return not await take(self._pace, NAME, self._limit, Lane.REPLY)

    async def came(self, poster: str, now: datetime, *, late: bool) -> None:
        """Count somebody's first message."""
        counts = {"came": 1, "late": int(late), **({f"posters.{poster}": 1} if poster else {})}
        change = {"$inc": counts, "$set": {"at": now, "expires_at": now + KEPT}}
        await self._minutes.update_one({"_id": f"{now:%Y-%m-%dT%H:%M}"}, change, upsert=True)

    async def wave(self, now: datetime) -> Wave:
        """Return who came within the last ten minutes."""
        rows = await self._minutes.find({"at": {"$gt": now - LATELY}}).to_list()
        came, late = (sum(row.get(name, 0) for row in rows) for name in ("came", "late"))
        posters: Counter[str] = Counter()
        for row in rows:
            posters.update(row.get("posters", {}))
        most = posters.most_common(1)
        return Wave(came, late, most[0][0] if most and most[0][1] * 2 > came else "")
