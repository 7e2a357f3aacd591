"""A timed right to one row, in its field `lease`, by the server's clock: until then nobody else takes it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, Final

from pymongo.asynchronous.collection import AsyncCollection

Doc = dict[str, Any]
NEVER: Final = datetime(1970, 1, 1, tzinfo=UTC)
#: True, in an expression, of a row that nobody holds.
FREE: Final[Doc] = {"$lt": [{"$ifNull": ["$lease.until", NEVER]}, "$$NOW"]}


def until(milliseconds: int) -> Doc:
    """Return the end of a lease that begins now, for a pipeline."""
    return {"$add": ["$$NOW", milliseconds]}


def lease(owner: str, milliseconds: int) -> Doc:
    """Return a lease that begins now, for a pipeline."""
    return {"owner": owner, "until": until(milliseconds)}


async def renew(rows: AsyncCollection[Doc], mine: Doc, milliseconds: int) -> bool:
    """Hold the row that is *mine* as long again from now; False, with nothing changed, where there is none."""
    done = await rows.update_one(mine, [{"$set": {"lease.until": until(milliseconds)}}])
    return done.matched_count == 1
