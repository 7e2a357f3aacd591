"""What a person's message means to the course that they follow."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from pymongo.asynchronous.client_session import AsyncClientSession
from pymongo.asynchronous.database import AsyncDatabase


async def heard(
    db: AsyncDatabase[dict[str, Any]], conversation_id: str, now: datetime, session: AsyncClientSession
) -> None:
    """Make due the lesson that waited for this person's next message.

    The row is written whether a lesson waits or not: who holds one back meanwhile comes before this, or after.
    """
    due = {"$cond": [{"$ne": [{"$ifNull": ["$held_at", None]}, None]}, now, "$due"]}
    change = [{"$set": {"due": due, "held_at": None, "heard_at": now}}]
    await db["learners"].update_one({"_id": conversation_id}, change, session=session)
