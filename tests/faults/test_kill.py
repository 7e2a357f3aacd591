"""SIGKILL at each point of a message's path: nothing acknowledged is lost, nothing is applied twice (reliability A1–A16, A22)."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import random
import secrets
import signal
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from pymongo import AsyncMongoClient

from bot.store.audit import MongoAudit
from tests.faults.nursery import Victim, bear
from tests.platforms import (
    PHONE_ID,
    SECRET,
    FakeWhatsApp,
    alert_server,
    signed,
    whatsapp_batch,
    whatsapp_server,
    whatsapp_text,
)

DISTRESS = "mujhe malik ne kamre me band kar diya hai bachao"
SEED = 20261124


@dataclass
class Ledger:
    """What was sent, what was acknowledged, and what came of it."""

    uri: str
    name: str
    folder: Path
    platform: FakeWhatsApp
    alert_url: str
    pages: list[dict[str, Any]]
    acked: set[str] = field(default_factory=set)
    victims: list[Victim] = field(default_factory=list)
    settings: dict[str, Any] = field(default_factory=dict)
    environment: dict[str, str] = field(default_factory=dict)

    async def start(self, kill_at: str = "", nth: int = 1) -> str:
        """Start a victim; return its webhook address."""
        port_file = self.folder / f"port-{secrets.token_hex(4)}"
        settings = {
            "mongodb_uri": self.uri, "kill_at": kill_at, "nth": nth, "port_file": str(port_file), **self.settings,
        }  # fmt: skip
        environment = {
            **os.environ,
            "VICTIM": json.dumps(settings),
            "SAHYATRI_DATA": str(self.folder / "data"),
            "MONGODB_NAME": self.name,
            "WHATSAPP_TOKEN": "made-up-access-token",
            "WHATSAPP_PHONE_NUMBER_ID": PHONE_ID,
            "WHATSAPP_APP_SECRET": SECRET,
            "WHATSAPP_VERIFY_TOKEN": "made-up-verify-token",
            "WHATSAPP_API_URL": self.platform.url,
            "ALERT_WEBHOOK_URL": self.alert_url,
            "ALERT_WEBHOOK_SECRET": "made-up-alert-key",
            "SAHYATRI_WORKERS": "2",
            # Nobody claims here: a clock that speaks to the person would count as a turn in a long run.
            "SAHYATRI_LADDER": "36000,72000,108000",
            **self.environment,
        }
        self.victims.append(await bear(environment, self.folder / "victim.log"))
        for _ in range(1200):
            if port_file.exists() and port_file.read_text():
                return f"http://127.0.0.1:{port_file.read_text()}/webhooks/whatsapp"
            if self.victims[-1].returncode is not None:
                raise RuntimeError((self.folder / "victim.log").read_text()[-2000:])
            await asyncio.sleep(0.05)
        raise RuntimeError("the victim did not start")

    async def send(self, url: str, name: str, text: str, sender: str) -> bool:
        """Send one event as the platform would; True if it was acknowledged."""
        body = whatsapp_batch(whatsapp_text(name, text, sender))
        try:
            async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=8)) as session:
                async with session.post(url, data=body, headers=signed(body)) as answer:
                    if answer.status == 200:
                        self.acked.add(name)
                    return answer.status == 200
        except (aiohttp.ClientError, TimeoutError):
            return False

    async def dead(self) -> None:
        """Wait until the last victim has died by itself."""
        async with asyncio.timeout(15):
            code = await self.victims[-1].wait()
        assert code == -signal.SIGKILL, f"the victim ended with {code}, the point was not reached"

    def kill(self) -> None:
        for victim in self.victims:
            with contextlib.suppress(ProcessLookupError):
                victim.kill()

    async def settled(self, events: set[str], seconds: float = 25.0) -> dict[str, Any]:
        """Wait until nothing is open; return the state of the database."""
        client: AsyncMongoClient[dict[str, Any]] = AsyncMongoClient(self.uri, tz_aware=True)
        async with client:
            db = client[self.name]
            deadline = time.monotonic() + seconds
            while True:
                waiting = await db["inbox"].count_documents({"state": "waiting"})
                stored = await db["inbox"].count_documents({})
                unsent = await db["outbox"].count_documents({"open": True})
                alerts = await db["alerts"].count_documents({"state": "waiting"})
                if stored >= len(events) and not (waiting or unsent or alerts):
                    break
                if time.monotonic() > deadline:
                    raise AssertionError(
                        f"not settled: {waiting} waiting, {unsent} unsent, {alerts} alerts, {stored} of {len(events)} stored"
                    )
                await asyncio.sleep(0.1)
            await MongoAudit(db, b"").verify()
            return {
                "inbox": await db["inbox"].find({}).to_list(),
                "outbox": await db["outbox"].find({}).to_list(),
                "cases": await db["cases"].find({}).to_list(),
                "alerts": await db["alerts"].find({}).to_list(),
                "conversations": await db["conversations"].find({}).to_list(),
                "events": await db["case_events"].find({}).to_list(),
            }


@pytest.fixture
async def ledger(mongodb_uri: str, tmp_path: Path) -> AsyncIterator[Ledger]:
    async with whatsapp_server() as platform, alert_server() as (alert_url, pages):
        made = Ledger(mongodb_uri, f"k{secrets.token_hex(5)}", tmp_path, platform, alert_url, pages)
        try:
            yield made
        finally:
            made.kill()
            for victim in made.victims:
                await victim.wait()
            client: AsyncMongoClient[dict[str, Any]] = AsyncMongoClient(mongodb_uri)
            async with client:
                await client.drop_database(made.name)


def judge(ledger: Ledger, state: dict[str, Any], events: set[str], people: int, *, copies: int = 1) -> None:
    """Assert the invariants: applied once, one case per person in danger, every page out, no extra copies, chains whole."""
    assert len(state["inbox"]) == len(events)
    assert all(row["state"] == "answered" for row in state["inbox"])
    assert len(state["cases"]) == people
    assert len({case["conversation"] for case in state["cases"]}) == people
    assert all(row["state"] in {"sent", "delivered", "read"} for row in state["outbox"]), [
        (row["_id"][-20:], row["state"], row.get("error")) for row in state["outbox"]
    ]
    arrived = ledger.platform.copies()
    assert set(arrived) == {row["_id"] for row in state["outbox"]}
    assert max(arrived.values()) <= copies
    assert not ledger.platform.faults
    early = [page["ref"] for page in ledger.pages if not page["case"]]
    paged = [page for page in ledger.pages if page["case"]]
    assert {page["case"] for page in paged} == {case["_id"] for case in state["cases"]}
    assert set(early) <= {page["ref"] for page in paged}, "a page that left before its case names the same message"
    assert len(state["alerts"]) == len({row["_id"] for row in state["alerts"]})
    order = [call["biz_opaque_callback_data"] for call in ledger.platform.calls]
    for conversation in {name.split(":")[0] for name in order}:
        mine = [name for name in dict.fromkeys(order) if name.startswith(conversation)]
        assert mine == sorted(mine)


POINTS = {
    "A2 before the insert": "before insert inbox",
    "A3 inserted, not yet acknowledged": "after insert inbox",
    "A7 leased, before the NLU": "after findAndModify conversations",
    "A8 the NLU has answered": "after nlu",
    "A9 conversation written, outbox not": "before insert outbox",
    "A9 outbox written, case not": "before insert cases",
    "A9 case written, history not": "before insert case_events",
    "A9 history written, alerts not": "before insert alerts",
    "A9 everything written, inbox row not": "before update inbox",
    "A10 before the commit": "before commitTransaction",
    "A10 committed, its answer lost": "after commitTransaction",
    "A11 outbox row leased": "after findAndModify outbox",
    "A12 sending recorded, nothing sent": "after update outbox sending",
    "A14 answered, not recorded": "before update outbox sent",
    "A15 between two parts": "after update outbox sent",
    "A16 one of the alerts is out": "after update alerts sent",
}


@pytest.mark.parametrize("point", POINTS.values(), ids=POINTS.keys())
async def test_a_kill_at_this_point_loses_and_doubles_nothing(ledger: Ledger, point: str) -> None:
    """One distress message; the process dies at the point; the platform sends again what was not acknowledged."""
    url = await ledger.start(point)
    await ledger.send(url, "d1", DISTRESS, "910000000001")
    await ledger.dead()
    again = await ledger.start()
    if "d1" not in ledger.acked:
        assert await ledger.send(again, "d1", DISTRESS, "910000000001")
    if point == "before update outbox sent":
        await _echo_status(ledger, again)

    state = await ledger.settled({"d1"})

    judge(ledger, state, {"d1"}, people=1)


async def _echo_status(ledger: Ledger, url: str) -> None:
    """WhatsApp reports what became of a message under our own id; that settles a send in doubt."""
    for call in ledger.platform.calls:
        status = {
            "id": call["wamid"],
            "status": "delivered",
            "timestamp": str(int(time.time())),
            "recipient_id": call["to"],
            "biz_opaque_callback_data": call["biz_opaque_callback_data"],
        }
        body = whatsapp_batch(statuses=(status,))
        async with aiohttp.ClientSession() as session, session.post(url, data=body, headers=signed(body)) as answer:
            assert answer.status == 200


async def test_a1_a_body_cut_off_is_not_acknowledged_and_comes_once(ledger: Ledger) -> None:
    """The process dies while the body is still arriving."""
    url = await ledger.start()
    port = int(url.split(":")[2].split("/")[0])
    body = whatsapp_batch(whatsapp_text("d1", DISTRESS))
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    head = "".join(f"{name}: {value}\r\n" for name, value in signed(body).items())
    writer.write(f"POST /webhooks/whatsapp HTTP/1.1\r\nHost: x\r\n{head}Content-Length: {len(body)}\r\n\r\n".encode())
    writer.write(body[: len(body) // 2])
    await writer.drain()
    ledger.victims[-1].kill()
    with contextlib.suppress(ConnectionResetError):
        assert await reader.read() == b""
    writer.close()
    again = await ledger.start()
    assert await ledger.send(again, "d1", DISTRESS, "910000000001")

    judge(ledger, await ledger.settled({"d1"}), {"d1"}, people=1)


async def test_a4_killed_right_after_the_200(ledger: Ledger) -> None:
    """What was acknowledged is answered after the restart, with nobody sending it again."""
    url = await ledger.start()
    assert await ledger.send(url, "d1", DISTRESS, "910000000001")
    ledger.victims[-1].kill()
    await ledger.start()

    judge(ledger, await ledger.settled({"d1"}), {"d1"}, people=1)


async def test_a13_killed_while_the_platform_has_the_message(ledger: Ledger) -> None:
    """Bytes written, no answer: the status webhook settles it, and no second copy leaves."""
    url = await ledger.start()

    async def kill(_: dict[str, Any]) -> None:
        ledger.platform.before_answer = None
        ledger.victims[-1].kill()
        await asyncio.sleep(0.2)

    ledger.platform.before_answer = kill
    assert await ledger.send(url, "d1", DISTRESS, "910000000001")
    await ledger.dead()
    again = await ledger.start()
    await _echo_status(ledger, again)

    judge(ledger, await ledger.settled({"d1"}), {"d1"}, people=1)


async def test_a13_without_a_status_one_more_copy_at_most(ledger: Ledger) -> None:
    """No status ever comes: it is sent once more, so that the person hears; never a third time."""
    url = await ledger.start("before update outbox sent")
    assert await ledger.send(url, "d1", DISTRESS, "910000000001")
    await ledger.dead()
    await ledger.start()

    state = await ledger.settled({"d1"})

    judge(ledger, state, {"d1"}, people=1, copies=2)


async def _silence(ledger: Ledger, milliseconds: int) -> None:
    """Make the database slow for inserts into the inbox's own connection name, for a while."""
    client: AsyncMongoClient[dict[str, Any]] = AsyncMongoClient(ledger.uri)
    data = {
        "failCommands": ["insert", "find"],
        "blockConnection": True,
        "blockTimeMS": milliseconds,
        "appName": "sahyatri",
    }
    mode: Any = {"times": 1_000_000} if milliseconds else "off"
    async with client:
        command = {"configureFailPoint": "failCommand", "mode": mode, **({"data": data} if milliseconds else {})}
        await client.admin.command(command)


@pytest.mark.parametrize(
    "point", ["before fsync", "before spool removal"], ids=["A5 before fsync", "A6 before removal"]
)
async def test_the_spool_survives_a_kill(ledger: Ledger, point: str) -> None:
    """The database is silent: the message goes to the spool; the process dies before fsync, or while draining."""
    url = await ledger.start(point)
    await _silence(ledger, 3000)
    try:
        acked = await ledger.send(url, "d1", DISTRESS, "910000000001")
    finally:
        await _silence(ledger, 0)
    assert acked == (point == "before spool removal")
    await ledger.dead()
    again = await ledger.start()
    if not acked:
        assert await ledger.send(again, "d1", DISTRESS, "910000000001")

    judge(ledger, await ledger.settled({"d1"}), {"d1"}, people=1)


async def test_a10_the_commit_is_repeated_not_the_turn(ledger: Ledger) -> None:
    """The connection breaks as the commit is answered: the driver commits again, the version moves once."""
    url = await ledger.start()
    client: AsyncMongoClient[dict[str, Any]] = AsyncMongoClient(ledger.uri)
    async with client:
        data = {"failCommands": ["commitTransaction"], "closeConnection": True, "appName": "sahyatri"}
        await client.admin.command({"configureFailPoint": "failCommand", "mode": {"times": 1}, "data": data})
        assert await ledger.send(url, "d1", DISTRESS, "910000000001")
        state = await ledger.settled({"d1"})

    judge(ledger, state, {"d1"}, people=1)
    assert len(state["outbox"]) == 2


@pytest.mark.timeout(300)  # eighteen starts of two processes: the time is theirs
async def test_a22_random_kills_under_load(ledger: Ledger) -> None:
    """Two processes at 20 messages a second, killed at random times: nothing lost, nothing doubled."""
    cycles = int(os.environ.get("SAHYATRI_KILL_CYCLES", "8"))
    chance = random.Random(SEED)
    sent: set[str] = set()
    url_of = [await ledger.start(), await ledger.start()]
    for cycle in range(cycles):
        pending = []
        for number in range(10):
            name = f"c{cycle}n{number}"
            sent.add(name)
            sender = f"91000000{chance.randrange(40):04d}"
            pending.append(asyncio.create_task(ledger.send(url_of[number % 2], name, f"{DISTRESS} {name}", sender)))
            pending[-1].set_name(f"{name} {sender}")
            await asyncio.sleep(0.05)
            if number == chance.randrange(10):
                with contextlib.suppress(ProcessLookupError):
                    ledger.victims[-1 - chance.randrange(2)].kill()
        await asyncio.gather(*pending)
        ledger.kill()
        url_of = [await ledger.start(), await ledger.start()]
        for task in pending:
            name, sender = task.get_name().split()
            if name not in ledger.acked:
                assert await ledger.send(url_of[0], name, f"{DISTRESS} {name}", sender)

    state = await ledger.settled(sent, 60)

    assert len(state["inbox"]) == len(sent) == cycles * 10
    assert all(row["state"] == "answered" for row in state["inbox"])
    people = {row["conversation"] for row in state["inbox"]}
    assert len(state["cases"]) == len(people)
    assert max(ledger.platform.copies().values()) <= 2
    for conversation in state["conversations"]:
        mine = [row for row in state["inbox"] if row["conversation"] == conversation["_id"]]
        first = min(
            int(row["_id"].split(":")[1]) for row in state["outbox"] if row["conversation"] == conversation["_id"]
        )
        assert conversation["version"] == first + len(mine) - 1
    doubled = sum(count - 1 for count in ledger.platform.copies().values())
    print(f"kill cycles {cycles}, events {len(sent)}, lost 0, doubled in state 0, copies in doubt {doubled}")
