"""What a person's message means to a notice that waited for them to write by themselves."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from pymongo.asynchronous.client_session import AsyncClientSession
from pymongo.asynchronous.database import AsyncDatabase

from bot.domain.breaches import READING


async def spoke(
    db: AsyncDatabase[dict[str, Any]], conversation_id: str, now: datetime, session: AsyncClientSession
) -> None:
    """Somebody wrote by themselves: what waited for that is due when they have read what they asked for."""
    due = {"$set": {"state": "waiting", "not_before": now + READING}}
    mine = {"conversation": conversation_id, "state": {"$in": ["deferred", "waiting"]}}
    await db["breach_sends"].update_many(mine, due, session=session)
