"""Large sealed values, in pieces that fit into documents: files as people sent them, and their clean copies."""

from __future__ import annotations

import base64
from datetime import datetime
from typing import Any

from pymongo.asynchronous.database import AsyncDatabase

from bot.store.sealed import Sealer, Unreadable

PIECE = 512 * 1024


class Pieces:
    """Bytes under a name, sealed with the conversation's own key: erasing it makes them unreadable."""

    def __init__(self, db: AsyncDatabase[dict[str, Any]], sealer: Sealer) -> None:  # noqa: D107
        self._rows = db["media_pieces"]
        self._sealer = sealer

    async def write(self, name: str, conversation_id: str, data: bytes, now: datetime) -> int:
        """Store *data* and return in how many pieces."""
        starts = range(0, len(data), PIECE)
        for number, start in enumerate(starts):
            piece = f"{name}:{number}"
            value = {"data": base64.b64encode(data[start : start + PIECE]).decode()}
            sealed = await self._sealer.seal(conversation_id, f"media:{piece}", value)
            row = {"note": name, "conversation": conversation_id, "number": number, "at": now, "sealed": sealed}
            await self._rows.replace_one({"_id": piece}, row, upsert=True)
        return len(starts)

    async def read(self, name: str, count: int) -> bytes | None:
        """Return what was stored in *count* pieces; None when one is missing or was erased."""
        rows = await self._rows.find({"note": name}).sort("number", 1).to_list()
        try:
            parts = [await self._sealer.open(f"media:{row['_id']}", row["sealed"]) for row in rows]
        except Unreadable:
            return None
        return b"".join(base64.b64decode(part["data"]) for part in parts) if len(parts) == count else None

    async def drop(self, name: str) -> None:
        """Remove them for good."""
        await self._rows.delete_many({"note": name})
