"""What a channel sent and nobody could read: kept sealed for a human to look at, never thrown away."""

from __future__ import annotations

import asyncio
import base64
import logging
import secrets
from datetime import UTC, datetime
from typing import Any

import pymongo
from pymongo.asynchronous.database import AsyncDatabase
from pymongo.errors import DuplicateKeyError

from bot.ports import StoreUnavailable
from bot.store.aside import AsideFiles
from bot.store.mongo import reachable
from bot.store.sealed import SERVICE, Sealer

log = logging.getLogger(__name__)
MOST_BYTES = 4 * 1024 * 1024


class MongoQuarantine:
    """Raw bytes, sealed, with the reason."""

    def __init__(
        self, db: AsyncDatabase[dict[str, Any]], sealer: Sealer, files: AsideFiles, patience: float = 0.4
    ) -> None:
        """*files* take over after *patience* seconds of silence: people's messages wait behind what nobody can read."""
        self._rows = db["quarantine"]
        self._sealer = sealer
        self._files = files
        self._patience = patience

    async def keep(self, channel: str, raw: bytes, reason: str) -> None:
        """Store one unreadable item and raise an alarm in the log (without its words). Raise OSError: disk full too."""
        name = secrets.token_hex(12)
        log.error("an item was quarantined", extra={"channel": channel, "reason": reason, "item": name})
        try:
            with pymongo.timeout(self._patience):
                await self._insert(name, channel, raw[:MOST_BYTES], reason)
        except StoreUnavailable:
            await asyncio.to_thread(self._files.write, name, channel, raw[:MOST_BYTES], reason)

    async def drain(self) -> int:
        """Move what the files keep into the database; return how many. Raise `StoreUnavailable`."""
        moved = 0
        for name, channel, raw, reason in self._files.waiting():
            await self._insert(name, channel, raw, reason)
            self._files.remove(name)
            moved += 1
        return moved

    async def _insert(self, name: str, channel: str, raw: bytes, reason: str) -> None:
        value = {"raw": base64.b64encode(raw).decode()}
        async with reachable():
            sealed = await self._sealer.seal(SERVICE, f"quarantine:{name}", value)
            row = {"_id": name, "channel": channel, "reason": reason, "at": datetime.now(UTC), "sealed": sealed}  # noqa: TID251
            try:
                await self._rows.insert_one(row)
            except DuplicateKeyError:
                return


async def keep_setting_aside(quarantine: MongoQuarantine, pause: float = 5.0) -> None:
    """Look every few seconds, for ever, whether files wait for the database."""
    while True:
        try:
            if moved := await quarantine.drain():
                log.info("what was set aside is in the database", extra={"items": moved})
        except Exception as error:
            log.warning("what was set aside waits", extra={"error": type(error).__name__})
        await asyncio.sleep(pause)
