"""Plain words of ours that a channel makes wait leave as one message: fewer bubbles, the same words, each once.

The first row of them becomes the message that leaves: all their words, sealed anew, under its own id. The others are
closed as merged, `within` it, in the same transaction, before a byte has left; what becomes of it becomes of them. Each
row keeps the words that were its own: the first one beside those of all.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Final

from pymongo import ReturnDocument
from pymongo.asynchronous.client_session import AsyncClientSession
from pymongo.asynchronous.database import AsyncDatabase

from bot.domain.messages import LONGEST_TOGETHER, OutboundMessage
from bot.domain.private import Private
from bot.ports import StoreUnavailable
from bot.store.documents import outbound_in, outbound_out
from bot.store.mongo import in_transaction
from bot.store.sealed import Sealer, Unreadable

Doc = dict[str, Any]
MERGED: Final = "merged"
#: The row that a merged one leaves with; how many rows leave with one; the words that were its own before that.
WITHIN, JOINED, OWN = "within", "joined", "own"
#: Set on a row that the channel refused because this person gets too much at once.
CROWDED: Final = "crowded"
BETWEEN: Final = "\n\n"
MOST: Final = 20
#: What a row has that is counted, asked, or was tried and may have arrived: it stays by itself.
APART: Final = ("lesson", "greeting", "plain", "doubts", "sending_at", WITHIN, JOINED)
#: What a person has asked to vanish is settled first; a message never reaches from before that to after it.
LEAVING: Final = ("erase_after", "forget_at")


def own(row: Doc) -> Any:  # noqa: ANN401 - a sealed box, see `Sealer`
    """Return the sealed words of a row that were its own, whatever else leaves with it."""
    return row.get(OWN, row.get("sealed"))


class Together:
    """Puts the rows behind a crowded one into it."""

    def __init__(self, db: AsyncDatabase[Doc], sealer: Sealer) -> None:  # noqa: D107
        self._db = db
        self._rows = db["outbox"]
        self._sealer = sealer

    async def with_followers(self, row: Doc) -> Doc:
        """Return a leased row with what can leave with it; as it is where nothing can, or it may have arrived."""
        if not row.get(CROWDED) or row["state"] != "waiting" or row.get("doubts") or not _is_ours(row):
            return row
        followers = await self._followers(row)
        try:
            words = [await self._words(row, row["sealed"])]
            words += [await self._words(other, other["sealed"]) for other in followers]
        except (Unreadable, StoreUnavailable):
            return row
        count = _fitting(words)
        if count < 2:  # noqa: PLR2004 - one alone is itself
            return row
        return await self._put(row, followers[: count - 1], _joined(words[:count])) or row

    async def _followers(self, row: Doc) -> Sequence[Doc]:
        """Return what stands directly behind it in its lane and is of the same kind."""
        behind = {"conversation": row["conversation"], "open": True, "lane": row["lane"], "_id": {"$gt": row["_id"]}}
        found: list[Doc] = []
        async for other in self._rows.find(behind).sort("_id", 1).limit(MOST):
            if not _is_untried(other) or other["channel"] != row["channel"]:
                break
            found.append(other)
        return found

    async def _words(self, row: Doc, sealed: object) -> OutboundMessage:
        return outbound_in(await self._sealer.open(f"outbox:{row['_id']}", sealed))

    async def _put(self, row: Doc, others: Sequence[Doc], message: OutboundMessage) -> Doc | None:
        """Write it all or nothing; None where a row has changed since it was read."""
        sealed = await self._sealer.seal(row["conversation"], f"outbox:{row['_id']}", outbound_out(message))
        mine = {"_id": row["_id"], "open": True, "state": "waiting", "attempts": row["attempts"], "doubts": None}
        mine[JOINED] = row.get(JOINED)
        fields = {"sealed": sealed, OWN: own(row), JOINED: row.get(JOINED, 1) + len(others)}
        theirs = {"_id": {"$in": [other["_id"] for other in others]}, "open": True, "state": "waiting", "attempts": 0}
        merged = {"$set": {"state": MERGED, "open": False, WITHIN: row["_id"]}, "$unset": {"lease": ""}}

        async def body(session: AsyncClientSession) -> Doc | None:
            leaving = {"_id": row["conversation"], "$or": [{name: {"$exists": True}} for name in LEAVING]}
            if await self._db["conversations"].find_one(leaving, {"_id": 1}, session=session):
                return None
            found: Doc | None = await self._rows.find_one_and_update(
                mine, {"$set": fields}, return_document=ReturnDocument.AFTER, session=session
            )
            done = await self._rows.update_many(theirs, merged, session=session) if found else None
            if done is None or done.modified_count != len(others):
                await session.abort_transaction()
                return None
            return found

        return await in_transaction(self._db.client, body)


def _is_ours(row: Doc) -> bool:
    return row["author"] == "bot" and not any(row.get(name) for name in ("lesson", "greeting", "plain"))


def _is_untried(row: Doc) -> bool:
    fresh = row["state"] == "waiting" and not row["attempts"]
    return fresh and _is_ours(row) and not any(row.get(name) for name in APART)


def _fitting(words: Sequence[OutboundMessage]) -> int:
    """Return how many of them, from the first, can be one message."""
    first, size = words[0], 0
    for count, message in enumerate(words):
        size += _units(message.text.reveal()) + (_units(BETWEEN) if count else 0)
        if not _is_plain(message) or message.protected != first.protected or size > LONGEST_TOGETHER:
            return count
    return len(words)


def _is_plain(message: OutboundMessage) -> bool:
    """Say whether it is words alone: nothing to tap, hear or look at, no approved text, nobody's but the bot's."""
    more = message.choices or message.speech or message.picture or message.template
    asks = message.asks_location or message.digits
    return message.author == "bot" and bool(message.text) and not (more or asks or message.plain)


def _joined(words: Sequence[OutboundMessage]) -> OutboundMessage:
    return replace(words[0], text=Private(BETWEEN.join(message.text.reveal() for message in words)))


def _units(text: str) -> int:
    return len(text.encode("utf-16-le", "replace")) // 2
