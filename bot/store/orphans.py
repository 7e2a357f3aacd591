"""Transactions that a process left open as it died: ended at once, since what they have locked waits for them.

MongoDB keeps such a transaction until its time limit is over (four seconds where we start it, else sixty). One whose
connection is gone can never be ended by whoever began it, so any other process may end it.
"""

from __future__ import annotations

import asyncio
import logging
from typing import Any

from pymongo import AsyncMongoClient
from pymongo.errors import OperationFailure, PyMongoError
from pymongo.read_concern import ReadConcern

Doc = dict[str, Any]
PAUSE = 0.25
#: A transaction is not looked at before it has been quiet for so long: its connection may just be changing.
QUIET_MICROS = 100_000
NOT_ALLOWED = 13
APP = "sahyatri"
log = logging.getLogger(__name__)


async def end_orphans(client: AsyncMongoClient[Doc]) -> int:
    """End our transactions whose connections are gone; return how many. Raise `PyMongoError`."""
    live: set[str] = set()
    quiet: dict[str, list[Doc]] = {}
    everything = {"$currentOp": {"idleConnections": True, "idleSessions": True}}
    admin = client.get_database("admin", read_concern=ReadConcern("local"))
    async for row in await admin.aggregate([everything, {"$match": {"appName": APP}}]):
        if row["type"] != "idleSession":
            live.add(row.get("client", ""))
        elif row.get("transaction", {}).get("timeInactiveMicros", 0) > QUIET_MICROS:
            quiet.setdefault(row["client"], []).append({"id": row["lsid"]["id"]})
    orphans = [session for peer, sessions in quiet.items() if peer not in live for session in sessions]
    if orphans:
        await admin.command({"killSessions": orphans})
        log.warning("transactions of a process that died were ended", extra={"count": len(orphans)})
    return len(orphans)


async def keep_ending_orphans(client: AsyncMongoClient[Doc]) -> None:
    """Look four times a second for ever; where our account may not look, the server's own limit remains."""
    while True:
        try:
            await end_orphans(client)
        except OperationFailure as error:
            if error.code == NOT_ALLOWED:
                log.warning("this account may not see who is connected: the server's time limit must do")
                return
            log.warning("orphans are looked for again", extra={"error": error.code})
        except PyMongoError as error:
            log.warning("orphans are looked for again", extra={"error": type(error).__name__})
        await asyncio.sleep(PAUSE)
