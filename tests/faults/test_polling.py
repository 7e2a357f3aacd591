"""SIGKILL while polling Telegram: what was given is given again, and is applied once (A2, A3, A9, A12)."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import secrets
import signal
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from pymongo import AsyncMongoClient

from tests.channels.telegram_shapes import update
from tests.faults.nursery import Victim, bear
from tests.platforms import TELEGRAM_TOKEN, FakeTelegram, telegram_server

DISTRESS = "mujhe malik ne kamre me band kar diya hai bachao"


@dataclass
class Machine:
    """A service that polls, started again and again over the same database."""

    uri: str
    name: str
    folder: Path
    platform: FakeTelegram
    started: list[Victim] = field(default_factory=list)

    async def start(self, kill_at: str = "") -> Victim:
        settings = {"mongodb_uri": self.uri, "kill_at": kill_at, "port_file": str(self.folder / "port")}
        environment = {
            **os.environ,
            "VICTIM": json.dumps(settings),
            "SAHYATRI_DATA": str(self.folder / "data"),
            "MONGODB_NAME": self.name,
            "TELEGRAM_TOKEN": TELEGRAM_TOKEN,
            "TELEGRAM_API_URL": self.platform.url,
            "SAHYATRI_WORKERS": "2",
            "SAHYATRI_LADDER": "36000,72000,108000",
        }
        self.started.append(await bear(environment, self.folder / "victim.log"))
        return self.started[-1]

    async def settled(self, count: int) -> dict[str, list[dict[str, Any]]]:
        client: AsyncMongoClient[dict[str, Any]] = AsyncMongoClient(self.uri, tz_aware=True)
        async with client, asyncio.timeout(120):
            db = client[self.name]
            while (
                await db["inbox"].count_documents({"state": "answered"}) < count
                or await db["outbox"].count_documents({"open": True})
                or self.platform.confirmed <= count
            ):
                await asyncio.sleep(0.1)
            return {name: await db[name].find({}).to_list() for name in ("inbox", "outbox", "cases")}


@pytest.fixture
async def machine(mongodb_uri: str, tmp_path: Path) -> AsyncIterator[Machine]:
    async with telegram_server() as platform:
        made = Machine(mongodb_uri, f"k{secrets.token_hex(5)}", tmp_path, platform)
        try:
            yield made
        finally:
            for process in made.started:
                with contextlib.suppress(ProcessLookupError):
                    process.kill()
                await process.wait()
            client: AsyncMongoClient[dict[str, Any]] = AsyncMongoClient(mongodb_uri)
            async with client:
                await client.drop_database(made.name)


POINTS = {
    "A2 before the insert": "before insert inbox",
    "A3 kept, not yet confirmed": "after insert inbox",
    "A9 conversation written, outbox not": "before insert outbox",
    "A12 sending recorded, nothing sent": "after update outbox sending",
}


@pytest.mark.timeout(240)  # three starts of a process
@pytest.mark.parametrize("point", POINTS.values(), ids=POINTS.keys())
async def test_a_kill_while_polling_loses_and_doubles_nothing(machine: Machine, point: str) -> None:
    """Two people write; the process dies at the point; the next one takes the lease when it ends and goes on."""
    other = {"chat": {"id": 5, "type": "private"}, "from": {"id": 5, "is_bot": False, "first_name": "y"}}
    machine.platform.updates = [update(1, text=DISTRESS), update(2, text=DISTRESS, **other)]
    victim = await machine.start(point)
    async with asyncio.timeout(40):
        assert await victim.wait() == -signal.SIGKILL
    await machine.start()

    found = await machine.settled(2)

    assert len(found["inbox"]) == 2 and len(found["cases"]) == 2
    assert {row["state"] for row in found["outbox"]} == {"sent"}
    said = [(fields["chat_id"], fields["text"]) for fields in machine.platform.sent]
    assert len(said) == len(set(said)) == len(found["outbox"])
    assert machine.platform.faults == []
