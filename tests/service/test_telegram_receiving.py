"""Telegram's webhook over the whole service: repeats, parallel and late deliveries, sizes, sends in doubt."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest

import bot.store.outbox
from bot.app import Service, open_service
from bot.channels import telegram
from bot.config import Config
from bot.doors import web_app
from bot.running import running
from tests.channels.telegram_shapes import update
from tests.platforms import TELEGRAM_SECRET, TELEGRAM_TOKEN, FakeTelegram, serving

HEADERS = {"X-Telegram-Bot-Api-Secret-Token": TELEGRAM_SECRET}
DANGER = "they locked us in the factory, help me"


@pytest.fixture
async def hooked(config: Config, mongodb_uri: str, platform: FakeTelegram) -> AsyncIterator[Service]:
    """The whole service, to be reached by its webhook."""
    secret = type(config.telegram_token)
    given = {"telegram_token": secret(TELEGRAM_TOKEN), "telegram_secret": secret(TELEGRAM_SECRET)}
    given |= {"telegram_api_url": platform.url, "public_url": "https://bot.example"}  # type: ignore[dict-item]
    # A loaded test machine must not send single messages through the spool, which would change their order.
    settings = config.model_copy(update={**given, "spool_after": 10.0})
    async with open_service(settings, mongodb_uri=mongodb_uri, nlu_url="http://127.0.0.1:9", with_lists=False) as made:
        yield made


async def post(url: str, body: Any) -> int:
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    async with aiohttp.ClientSession() as session:
        async with session.post(f"{url}/webhooks/telegram", data=data, headers=HEADERS) as answer:
            return answer.status


async def settled(service: Service, messages: int) -> None:
    """Wait until so many messages are answered, those too that went through the spool, and all is sent."""
    async with asyncio.timeout(45):
        while await service.db["inbox"].count_documents({"state": "answered"}) < messages or await service.db[
            "outbox"
        ].count_documents({"open": True}):
            await asyncio.sleep(0.05)


async def test_the_same_update_many_times_is_one_message(hooked: Service) -> None:
    """E7, E9, E13: a hundred at once, and the captured request again: all 200, one effect; the row is never dropped."""
    async with serving(web_app(hooked)) as url:
        statuses = await asyncio.gather(*(post(url, update(7, text=DANGER)) for _ in range(100)))
        async with running(hooked):
            await settled(hooked, 1)
        statuses.append(await post(url, update(7, text=DANGER)))
    assert set(statuses) == {200}
    assert await hooked.db["inbox"].count_documents({}) == 1
    assert len(await hooked.cases.queue()) == 1
    assert not [index async for index in await hooked.db["inbox"].list_indexes() if "expireAfterSeconds" in index]


async def test_parallel_deliveries_of_one_chat_are_answered_in_order(hooked: Service, platform: FakeTelegram) -> None:
    """E11, E12, E27: forty connections at once, ids in any order, twice the same words: one after the other by date."""
    at = int(time.time()) - 100
    given = [update(900 - number, text=f"{number % 3}", date=at + number) for number in range(40)]
    async with serving(web_app(hooked)) as url:
        assert set(await asyncio.gather(*(post(url, item) for item in given))) == {200}
    async with running(hooked):
        await settled(hooked, 40)
    rows = await hooked.db["inbox"].find({}).sort("sent_at", 1).to_list()
    answered = [row["answered_at"] for row in rows]
    assert len(rows) == 40 and answered == sorted(answered)
    assert await hooked.db["conversations"].count_documents({}) == 1


async def test_within_one_second_the_channels_count_decides(hooked: Service) -> None:
    """T3, E12: Telegram tells whole seconds; messages of the same second, brought backwards, keep their order."""
    at = int(time.time()) - 5
    given = [update(900 - number, text=f"m{number}", date=at, message_id=100 + number) for number in range(12)]
    async with serving(web_app(hooked)) as url:
        for item in reversed(given):
            assert await post(url, item) == 200
    found = await hooked.db["inbox"].find_one({})
    assert found
    waiting = await hooked.inbox.waiting(found["conversation"], 50)
    assert [item.message.text.reveal() for item in waiting] == [f"m{number}" for number in range(12)]


async def test_a_backlog_gets_one_reply_and_danger_is_heard(hooked: Service, platform: FakeTelegram) -> None:
    """E26: after a long outage nobody is bombarded; of two chats, one asked for help hours ago."""
    old = int(time.time()) - 7200
    other = {"chat": {"id": 5, "type": "private"}, "from": {"id": 5, "is_bot": False, "first_name": "y"}}
    given = [update(number, text="hello", date=old + number) for number in range(1, 9)]
    given += [update(20, text=DANGER, date=old, **other), update(21, text="hello", date=old + 1, **other)]
    async with serving(web_app(hooked)) as url:
        for item in given:
            assert await post(url, item) == 200
    async with running(hooked):
        await settled(hooked, 10)
    said = [fields for fields in platform.sent if fields["chat_id"] != "5"]
    assert len({fields["text"] for fields in said}) == len(said) <= 2
    assert len(await hooked.cases.queue()) == 1


async def test_the_size_of_a_body_is_limited(hooked: Service) -> None:
    """E14: more than aiohttp's own limit is taken, more than four MiB is not."""
    padding = [{**update(1, text="hi"), "padding": "x" * size} for size in (2**20 + 1, 3 * 10**6, 2**22 + 1)]
    async with serving(web_app(hooked)) as url:
        assert [await post(url, item) for item in padding] == [200, 200, 413]


async def test_an_answer_that_comes_too_late_doubles_nothing(
    config: Config, mongodb_uri: str, platform: FakeTelegram, monkeypatch: pytest.MonkeyPatch
) -> None:
    """D10, D11: in doubt; what danger needs is repeated once after a silence, a plain answer not once they have spoken."""
    monkeypatch.setattr(telegram, "ANSWER_SECONDS", 0.4)
    monkeypatch.setattr(bot.store.outbox, "UNKNOWN_SECONDS", 1.0)
    late = {"chat": {"id": 5, "type": "private"}, "from": {"id": 5, "is_bot": False, "first_name": "y"}}
    slow = [True]

    async def answer_late(fields: dict[str, Any]) -> None:
        await asyncio.sleep(1.0 if slow[0] else 0)

    platform.before_answer = answer_late
    secret = type(config.telegram_token)
    given = config.model_copy(update={"telegram_token": secret(TELEGRAM_TOKEN), "telegram_api_url": platform.url})
    async with open_service(given, mongodb_uri=mongodb_uri, nlu_url="http://127.0.0.1:9", with_lists=False) as service:
        platform.updates = [update(1, text=DANGER), update(2, text="hello", **late)]
        async with running(service):
            async with asyncio.timeout(20):
                while {fields["chat_id"] for fields in platform.sent} != {"5", "777000777000"}:
                    await asyncio.sleep(0.05)
            platform.updates.append(update(3, text="menu", **late))
            await asyncio.sleep(0.6)
            slow[0] = False
            await settled(service, 3)
        rows = await service.db["outbox"].find({}).to_list()
    copies: dict[str, int] = {}
    for fields in platform.sent:
        copies[fields["text"]] = copies.get(fields["text"], 0) + 1
    assert max(copies.values()) == 2
    assert {row["state"] for row in rows if row["lane"] == 0} == {"sent"}
    assert "dropped" in {row["state"] for row in rows if row["lane"] == 1}
