"""Very many new people at once: helplines for all, danger paged at once, and whoever talks with us is not slowed."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from bot.app import Service, open_service
from bot.config import Config
from bot.domain.messages import LANE_ORDER, Address, Carrier, ChannelName, InboundMessage, Lane
from bot.domain.pace import per_minute
from bot.domain.private import Private
from bot.running import running
from bot.service.newcomers import Door
from bot.store.newcomers import MongoNewcomers

DISTRESS = "they locked us in the factory"


@pytest.fixture
async def small(config: Config, mongodb_uri: str) -> AsyncIterator[Service]:
    """A service that answers eight new people a minute in full, four of them at once."""
    settings = config.model_copy(
        update={"newcomers": 8, "alert_webhook_url": "http://127.0.0.1:9/page", "ladder": "60,180,300"}
    )
    async with open_service(settings, mongodb_uri=mongodb_uri, nlu_url="http://127.0.0.1:9") as opened:
        yield opened


async def write(service: Service, who: str, text: str, channel: ChannelName = ChannelName.TERMINAL) -> str:
    """Let somebody write; return their conversation."""
    write.number = getattr(write, "number", 0) + 1  # type: ignore[attr-defined]
    to, now = Address(channel, Private(who)), service.now()
    key = f"{channel}:{write.number}"  # type: ignore[attr-defined]
    await service.receiver.receive(InboundMessage(key, to, Carrier.TEXT, Private(text), now, now))
    return service.inbox.conversation_id(to)


async def answered(service: Service) -> None:
    async with asyncio.timeout(60):
        while await service.db["inbox"].count_documents({"state": "waiting"}):
            await asyncio.sleep(0.05)


async def said(service: Service, conversation: str) -> list[str]:
    rows = await service.db["outbox"].find({"conversation": conversation}).sort("_id", 1).to_list()
    found = [await service.outbox.one(conversation, row["_id"]) for row in rows]
    return [row["message_id"] for row in found if row]


async def test_a_crowd_gets_the_helplines_danger_is_paged_and_known_people_are_answered(small: Service) -> None:
    """Sixty new people, one of them in danger, on two channels; the operator hears of it once."""
    async with running(small):
        known = [await write(small, f"known{number}", "l:en" if not number else "menu") for number in range(3)]
        await answered(small)
        before = {name: len(await said(small, name)) for name in known}
        crowd = []
        for number in range(60):
            channel = ChannelName.WEB if number % 2 else ChannelName.TERMINAL
            text = DISTRESS if number == 40 else f"hello there {number}"
            crowd.append(await write(small, f"new{number}", text, channel))
        for number in range(3):
            await write(small, f"known{number}", "menu")
        await answered(small)
        case = await small.db["cases"].find_one({"conversation": crowd[40]})
        assert case
        assert case["kind"] == "distress"
        paged = await small.db["alerts"].distinct("channel", {"case": case["_id"]})
        assert sorted(paged) == sorted(small.watch.channels)
    short = [name for name in crowd if await said(small, name) == ["core.crowded"]]
    assert len(short) >= 50
    assert [name for name in crowd if not await said(small, name)] == []
    assert "core.crowded" not in await said(small, crowd[40])
    for name in known:
        assert "core.crowded" not in await said(small, name)
        assert len(await said(small, name)) > before[name]
    content = small.content
    assert all(
        number in content.words(locale, "core.crowded") for locale in content.locales for number in ("112", "1098")
    )
    rows = await small.db["outbox"].find({"conversation": {"$in": short}}).to_list()
    assert {row["lane"] for row in rows} == {LANE_ORDER[Lane.CROWD]}
    pages = await small.db["alerts"].find({"kind": "crowd"}).to_list()
    assert [(page["channel"], page["source"]) for page in pages] == [("webhook", "all")]


async def test_who_was_asked_to_wait_is_told_once_and_answered_when_there_is_room(small: Service) -> None:
    async with running(small):
        for number in range(8):
            last = await write(small, f"new{number}", "hello")
        await write(small, "new7", "hello again")
        await answered(small)
        assert await said(small, last) == ["core.crowded"]
        await small.db["pace"].delete_many({"_id": "newcomers"})
        await write(small, "new7", "hello once more")
        await answered(small)
    assert len(await said(small, last)) > 1
    conversation = await small.conversations.load(last, ChannelName.TERMINAL)
    assert conversation.late is None
    assert not await small.db["pace"].count_documents({"_id": "newcomers", "at": {"$gt": small.now() + timedelta(1)}})


async def test_a_tap_on_help_opens_a_case_however_many_come(small: Service) -> None:
    async with running(small):
        for number in range(8):
            last = await write(small, f"new{number}", "hello")
        await answered(small)
        await write(small, "new7", "1")
        await answered(small)
    assert await small.db["cases"].count_documents({"conversation": last, "kind": "distress"}) == 1


async def test_the_poster_by_which_most_came_is_named(small: Service) -> None:
    """Over all processes; under half is nobody's."""
    one, other = (MongoNewcomers(small.db, per_minute(4)) for _ in range(2))
    now = small.now()
    for number in range(5):
        await (one if number % 2 else other).came("ABC12", now, late=number > 1)
    await one.came("", now - timedelta(minutes=20), late=False)
    await other.came("XYZ34", now, late=False)
    wave = await one.wave(now)
    assert (wave.came, wave.late, wave.poster) == (6, 3, "ABC12")
    for _ in range(4):
        await one.came("", now, late=False)
    assert (await other.wave(now)).poster == ""


async def test_two_processes_let_in_no_more_than_one_would(small: Service) -> None:
    stores = [MongoNewcomers(small.db, per_minute(10)) for _ in range(2)]
    doors = [Door(store, small.operator, small.now) for store in stores]
    conversation = await small.conversations.load("somebody", ChannelName.TERMINAL)
    message = InboundMessage(
        "k", Address(ChannelName.TERMINAL, Private("x")), Carrier.TEXT, Private("x"), small.now(), small.now()
    )
    asked = await asyncio.gather(*(doors[number % 2].lets_in(conversation, message) for number in range(40)))
    assert sum(asked) == 5
