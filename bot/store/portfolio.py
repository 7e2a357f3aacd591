"""To how many people we have written first within a day, over all processes: a platform allows so many and no more."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any, Final

from pymongo.asynchronous.database import AsyncDatabase

from bot.domain.messages import WINDOW, ChannelName
from bot.domain.pace import EVERYBODY, FIRST_TIER, room_for
from bot.ports import Due, HealthNotes, Hold
from bot.store.documents import aware

DAY: Final = timedelta(days=1)
LIMITED: Final = ChannelName.WHATSAPP
SCOPE: Final = "tomorrow"


class MongoPortfolio:
    """Lets a template leave, or says how long until there is room; each person counts once in a rolling day."""

    def __init__(
        self, db: AsyncDatabase[dict[str, Any]], notes: HealthNotes, most: int, now: Callable[[], datetime]
    ) -> None:
        """*most*: people a day, where the operator has set it; 0: as the platform says."""
        self._rows = db["written_first"]
        self._notes = notes
        self._most = most
        self._now = now

    async def take(self, due: Due) -> Hold | None:
        """Count the person of a template outside the window; not None: no more people today.

        Counted first and looked at then, so that of several that leave at once none is overlooked.
        """
        now = self._now()
        if not due.message.template or due.address.channel is not LIMITED or _in_window(due, now):
            return None
        most = self._most or await self._notes.limit(LIMITED.value)
        most = FIRST_TIER if most is None else most
        if most == EVERYBODY or await self._rows.find_one({"_id": due.conversation_id, "at": {"$gt": now - DAY}}):
            return None
        row = {"at": now, "expires_at": now + DAY}
        await self._rows.update_one({"_id": due.conversation_id}, {"$set": row}, upsert=True)
        bot = due.message.author == "bot"
        if await self._rows.count_documents({"at": {"$gt": now - DAY}}) <= room_for(most, bot=bot):
            return None
        await self._rows.delete_one({"_id": due.conversation_id})
        return Hold(SCOPE, await self._wait(now), most)

    async def _wait(self, now: datetime) -> float:
        """Return the seconds until the first of them is a day ago."""
        first = await self._rows.find_one({"at": {"$gt": now - DAY}}, sort=[("at", 1)])
        return max((aware(first["at"]) + DAY - now).total_seconds(), 1.0) if first else 1.0


def _in_window(due: Due, now: datetime) -> bool:
    return due.heard_at is not None and now - due.heard_at < WINDOW
