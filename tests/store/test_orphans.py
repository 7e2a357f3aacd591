"""What a dead process left open is ended at once; what lives is left alone, however long it is quiet."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import time

import pytest
from pymongo.errors import OperationFailure

from bot.app import Service
from bot.store import orphans
from bot.store.mongo import connect, database, in_transaction
from bot.store.orphans import end_orphans, keep_ending_orphans

CHILD = """
import asyncio, os, sys
from bot.store.mongo import connect, database, in_transaction

async def main():
    client = connect(sys.argv[1])
    rows = database(client, sys.argv[2])["cases"]

    async def body(session):
        await rows.update_one({"_id": "k"}, {"$set": {"owner": "dead"}}, session=session)
        print("in", flush=True)
        sys.stdin.readline()
        os.kill(os.getpid(), 9)

    await in_transaction(client, body)

asyncio.run(main())
"""


@pytest.fixture
def child(service: Service, mongodb_uri: str) -> subprocess.Popen[str]:
    """A process that has written in a transaction, and dies in it as soon as it is told anything."""
    command = [sys.executable, "-c", CHILD, mongodb_uri, service.db.name]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


async def within(child: subprocess.Popen[str]) -> None:
    assert child.stdout
    assert await asyncio.to_thread(child.stdout.readline) == "in\n"


async def dies(child: subprocess.Popen[str]) -> None:
    await asyncio.to_thread(child.communicate, "now\n")
    assert child.returncode == -9


async def take(service: Service) -> float:
    """Change the same case; return the seconds that it took."""
    began = time.monotonic()
    rows = service.db["cases"]
    await in_transaction(
        service.db.client,
        lambda session: rows.update_one({"_id": "k"}, {"$set": {"owner": "asha"}}, session=session),
    )
    return time.monotonic() - began


async def test_the_dead_hold_up_nobody(service: Service, child: subprocess.Popen[str]) -> None:
    await service.db["cases"].insert_one({"_id": "k", "conversation": "c"})
    await within(child)
    await dies(child)
    looking = asyncio.create_task(keep_ending_orphans(service.db.client))
    assert await take(service) < 1.5
    looking.cancel()
    case = await service.db["cases"].find_one({"_id": "k"})
    assert case and case["owner"] == "asha"


async def test_the_living_are_left_alone_however_quiet(service: Service, child: subprocess.Popen[str]) -> None:
    await service.db["cases"].insert_one({"_id": "k", "conversation": "c"})
    await within(child)
    await asyncio.sleep(0.5)
    assert await end_orphans(service.db.client) == 0
    await dies(child)
    await asyncio.sleep(0.3)
    assert await end_orphans(service.db.client) == 1
    assert await end_orphans(service.db.client) == 0


async def test_our_own_long_transaction_goes_on(service: Service, mongodb_uri: str) -> None:
    looking = asyncio.create_task(keep_ending_orphans(service.db.client))
    async with connect(mongodb_uri) as client:
        rows, tries = database(client, service.db.name)["meta"], 0

        async def body(session: object) -> None:
            nonlocal tries
            tries += 1
            await rows.insert_one({"_id": "quiet"}, session=session)  # type: ignore[arg-type]
            await asyncio.sleep(1.0)

        await in_transaction(client, body)
    looking.cancel()
    assert tries == 1


async def test_an_account_that_may_not_look_leaves_it_to_the_server(
    service: Service, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async def refuses(_: object) -> int:
        raise OperationFailure("not authorized", orphans.NOT_ALLOWED)

    monkeypatch.setattr(orphans, "end_orphans", refuses)
    async with asyncio.timeout(5):
        await keep_ending_orphans(service.db.client)
    assert "may not see" in caplog.text
