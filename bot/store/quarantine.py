"""What a channel sent and nobody could read: kept sealed for a human to look at, never thrown away."""

from __future__ import annotations

import base64
import logging
import secrets
from datetime import UTC, datetime
from typing import Any

from pymongo.asynchronous.database import AsyncDatabase

from bot.store.sealed import SERVICE, Sealer

log = logging.getLogger(__name__)
MOST_BYTES = 4 * 1024 * 1024


class MongoQuarantine:
    """Raw bytes, sealed, with the reason."""

    def __init__(self, db: AsyncDatabase[dict[str, Any]], sealer: Sealer) -> None:  # noqa: D107
        self._rows = db["quarantine"]
        self._sealer = sealer

    async def keep(self, channel: str, raw: bytes, reason: str) -> None:
        """Store one unreadable item and raise an alarm in the log (without its words)."""
        name = secrets.token_hex(12)
        value = {"raw": base64.b64encode(raw[:MOST_BYTES]).decode()}
        sealed = await self._sealer.seal(SERVICE, f"quarantine:{name}", value)
        row = {"_id": name, "channel": channel, "reason": reason, "at": datetime.now(UTC), "sealed": sealed}  # noqa: TID251
        await self._rows.insert_one(row)
        log.error("an item was quarantined", extra={"channel": channel, "reason": reason, "item": name})
