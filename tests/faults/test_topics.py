"""SIGKILL while a responder works from the group: words reach the person once (F11), the topic tells everything."""

from __future__ import annotations

import asyncio
import itertools
import os
import secrets
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from pymongo import AsyncMongoClient

from bot.app import open_service, utc_now
from bot.config import load_config
from bot.domain.messages import Address, Carrier, ChannelName, InboundMessage
from bot.domain.private import Private
from bot.ports import Responder
from bot.running import running
from tests.faults.test_kill import DISTRESS, Ledger
from tests.forum import GROUP, FakeForum, forum_server, press, written
from tests.platforms import PHONE_ID, SECRET, TELEGRAM_SECRET, TELEGRAM_TOKEN, alert_server, whatsapp_server

ASHA = 7001
SENDER = "910000000009"
WORDS = "I read you, Meena. Stay where you are."
LATER = "there is a dog in the yard"
#: Each step of the way: (point, how often it is reached before the end comes). Each takes many seconds: every third of
#: them here, all of them for a release (SAHYATRI_ALL_KILLS=1).
STEPS = [
    ("before insert group_inbox", 1),
    ("after insert group_inbox", 1),
    ("before commitTransaction", 1),
    ("after commitTransaction", 1),
    ("after commitTransaction", 2),
    ("after update outbox sending", 1),
    ("before update group_inbox", 1),
    ("before update topics", 1),
    ("before update topic_posts", 1),
    ("before update topics", 2),
]
POINTS = STEPS if "SAHYATRI_ALL_KILLS" in os.environ else STEPS[::3]


@pytest.fixture
async def desk(mongodb_uri: str, tmp_path: Path) -> AsyncIterator[tuple[Ledger, FakeForum]]:
    async with whatsapp_server() as platform, alert_server() as (alert_url, pages), forum_server() as forum:
        environment = {
            "TELEGRAM_TOKEN": TELEGRAM_TOKEN,
            "TELEGRAM_WEBHOOK_SECRET": TELEGRAM_SECRET,
            "TELEGRAM_API_URL": forum.url,
            "TELEGRAM_RESPONDERS_CHAT": str(GROUP),
            "TELEGRAM_TOPICS": "1",
        }
        made = Ledger(
            mongodb_uri, f"k{secrets.token_hex(5)}", tmp_path, platform, alert_url, pages, environment=environment
        )
        try:
            yield made, forum
        finally:
            made.kill()
        assert forum.faults == []


async def paged(ledger: Ledger, forum: FakeForum) -> str:
    """One responder, linked, and the page of a case; return the case. All in this process, which ends in peace."""
    config = load_config(
        SAHYATRI_DATA=ledger.folder / "data",
        MONGODB_NAME=ledger.name,
        WHATSAPP_TOKEN="made-up-access-token",
        WHATSAPP_PHONE_NUMBER_ID=PHONE_ID,
        WHATSAPP_APP_SECRET=SECRET,
        WHATSAPP_VERIFY_TOKEN="made-up-verify-token",
        WHATSAPP_API_URL=ledger.platform.url,
        **ledger.environment,
    )
    async with open_service(config, mongodb_uri=ledger.uri, nlu_url="http://127.0.0.1:9", with_lists=False) as service:
        await service.responders.save(Responder("asha", "Asha", "responder", ""))
        code = await service.group.linking.code("asha")
        assert await service.group.linking.link(code, Private(str(ASHA)))
        now = utc_now()
        person = Address(ChannelName.WHATSAPP, Private(SENDER))
        async with running(service):
            await service.receiver.receive(
                InboundMessage("whatsapp:e1", person, Carrier.TEXT, Private(DISTRESS), now, now)
            )
            async with asyncio.timeout(30):
                while not await service.db["group_pages"].count_documents({}) or not ledger.platform.calls:
                    await asyncio.sleep(0.05)
    return forum.buttons(forum.pages[0])["Claim"].rpartition(":")[2]


async def eventually(what: Any, ledger: Ledger, seconds: float = 60.0) -> None:
    """Wait until it is so; a victim that has died by itself is followed by one that lives."""
    deadline = time.monotonic() + seconds
    while not what():
        if ledger.victims[-1].returncode is not None:
            await ledger.start()
        assert time.monotonic() < deadline, (ledger.folder / "victim.log").read_text()[-3000:]
        await asyncio.sleep(0.05)


async def running_hook(ledger: Ledger) -> str:
    """The address of a victim that lives."""
    if ledger.victims[-1].returncode is not None:
        return await ledger.start()
    port = max(ledger.folder.glob("port-*"), key=os.path.getmtime).read_text()
    return f"http://127.0.0.1:{port}/webhooks/whatsapp"


def copies(ledger: Ledger, text: str) -> int:
    """How often these words reached the person."""
    return sum(call.get("text", {}).get("body") == text for call in ledger.platform.calls)


def told(forum: FakeForum) -> str:
    return "\n".join(text for thread in forum.threads.values() for text in thread.said)


@pytest.mark.timeout(180)
@pytest.mark.parametrize(("point", "nth"), POINTS, ids=[f"{point} {nth}" for point, nth in POINTS])
async def test_killed_at_each_step(desk: tuple[Ledger, FakeForum], point: str, nth: int) -> None:
    """Claim, answer, hear: all three go through; the person's screen has the words once."""
    ledger, forum = desk
    case = await paged(ledger, forum)
    number = itertools.count(1)
    await ledger.start(kill_at=point, nth=nth)
    forum.updates.append(press(next(number), ASHA, f"g:c:{case}", forum.pages[0]["message_id"]))
    await eventually(lambda: any(thread.said for thread in forum.threads.values()), ledger)
    thread = next(name for name, thread in forum.threads.items() if thread.said)
    forum.updates.append(written(next(number), ASHA, thread, WORDS))
    await eventually(lambda: copies(ledger, WORDS), ledger)
    while not await ledger.send(await running_hook(ledger), "e2", LATER, SENDER):
        await asyncio.sleep(0.2)
    await eventually(lambda: LATER in told(forum) and DISTRESS in told(forum), ledger)
    await eventually(lambda: forum.edits, ledger)
    await asyncio.sleep(1.0)
    assert copies(ledger, WORDS) == 1
    assert told(forum).index(DISTRESS) < told(forum).index(LATER)
    client: AsyncMongoClient[dict[str, Any]] = AsyncMongoClient(ledger.uri, tz_aware=True)
    async with client:
        db = client[ledger.name]
        events = await db["case_events"].find({"case": case}).to_list()
        assert [event["who"] for event in events if event["action"] == "claim"] == ["asha"]
        assert len([event for event in events if event["action"] == "reply"]) == 1
        assert await db["group_inbox"].count_documents({"state": "waiting"}) == 0
        assert await db["cases"].count_documents({}) == 1
        await client.drop_database(ledger.name)
