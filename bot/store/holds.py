"""Cases that a law keeps: what of a conversation belongs to them, and what waits until they are let go."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final

from pymongo.asynchronous.client_session import AsyncClientSession
from pymongo.asynchronous.database import AsyncDatabase

from bot.domain.retention import Span, span_of
from bot.store.documents import aware

Doc = dict[str, Any]
KEPT: Final[Doc] = {"kept_at": {"$type": "date"}}
#: The fields of a conversation: what it asked to have erased up to then waits for the law; nothing keeps it any more.
WAITS: Final = "erase_waits"
LET_GO: Final = "erase_let_go"


async def is_kept(db: AsyncDatabase[Doc], conversation: str) -> bool:
    """Say whether a law keeps a part of the conversation."""
    return bool(await db["cases"].find_one(_of(conversation), {"_id": 1}))


async def kept_of(db: AsyncDatabase[Doc], conversation: str) -> Span | None:
    """Return what of the conversation a law keeps; None: nothing.

    A case that keeps another person's along with it keeps theirs; one that was merged goes on until the other ends.
    """
    rows = await db["cases"].find(_of(conversation)).to_list()
    if not rows:
        return None
    along = {"conversation": conversation, "merged_into": {"$in": [row["_id"] for row in rows]}}
    goes_on = {"_id": {"$in": [row["merged_into"] for row in rows if row.get("merged_into")]}}
    rows += await db["cases"].find({"$or": [along, goes_on]}).to_list()
    opened = [aware(row["opened_at"]) for row in rows]
    closed = [aware(row["closed_at"] if row.get("closed_at") else row["updated_at"]) for row in rows]
    return span_of(opened, closed, [row["_id"] for row in rows])


def _of(conversation: str) -> Doc:
    return {**KEPT, "$or": [{"conversation": conversation}, {"also": conversation}]}


async def let_go(db: AsyncDatabase[Doc], case: Doc, now: datetime, session: AsyncClientSession) -> None:
    """Let what was to be erased be erased: all of it, or, where the person has written since, what is from before.

    Where another case still keeps a part, the eraser puts it back to waiting.
    """
    for conversation in (case["conversation"], *case.get("also", ())):
        waits = await db["conversations"].find_one({"_id": conversation, WAITS: {"$exists": True}}, session=session)
        if not waits:
            continue
        silent = aware(waits["updated_at"]) <= aware(waits[WAITS])
        change: Doc = {"$set": {"erase_after": now}} if silent else {"$rename": {WAITS: LET_GO}}
        await db["conversations"].update_one({"_id": conversation}, change, session=session)
