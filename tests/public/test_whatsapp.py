"""What a platform does to us: the same again, all at once, days late, and everything in between."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator

import aiohttp
import pytest

from bot.config import Config
from tests.cloud import DAY, DISTRESS, Cloud, cloud
from tests.platforms import PHONE_ID, signed


@pytest.fixture
async def whatsapp(config: Config, mongodb_uri: str) -> AsyncIterator[Cloud]:
    async with cloud(config, mongodb_uri) as found:
        yield found


async def inbox(whatsapp: Cloud) -> int:
    return await whatsapp.service.db["inbox"].count_documents({})


async def test_the_same_message_however_it_is_wrapped_is_one(whatsapp: Cloud) -> None:
    """E7, E8, E13: twice, in another batch, and twenty times at once: one effect, always 200."""
    first = whatsapp.item("text", {"body": DISTRESS})
    await whatsapp.take(first)
    other = whatsapp.item("text", {"body": "hello"})
    assert await whatsapp.post(other, first, other) == 200
    assert set(await asyncio.gather(*(whatsapp.post(first, other) for _ in range(20)))) == {200}
    await whatsapp.settled()
    assert await inbox(whatsapp) == 2
    assert len(await whatsapp.service.cases.queue()) == 1
    assert max(whatsapp.platform.copies().values()) == 1


async def test_the_same_words_are_not_the_same_message(whatsapp: Cloud) -> None:
    """E27: "yes", "yes", "yes" are three."""
    for _ in range(3):
        await whatsapp.say("yes")
    assert await inbox(whatsapp) == 3


async def test_many_at_once_are_answered_in_the_order_they_were_sent(whatsapp: Cloud) -> None:
    """E12: delivered in any order, one conversation, each answered once."""
    items = [whatsapp.item("text", {"body": f"hello {number}"}, ago=100 - number) for number in range(20)]
    done = await asyncio.gather(*(whatsapp.post(item) for item in reversed(items)))
    await whatsapp.settled()
    assert set(done) == {200}
    assert await whatsapp.service.db["conversations"].count_documents({}) == 1
    assert await whatsapp.service.db["inbox"].count_documents({"state": "answered"}) == 20


async def test_days_of_backlog_are_answered_once_and_danger_is_heard(whatsapp: Cloud) -> None:
    """E26, W12: what waited out an outage is not answered message by message; a case is opened all the same."""
    old = [whatsapp.item("text", {"body": f"hello {number}"}, ago=7200 - number) for number in range(8)]
    assert await whatsapp.post(*old[:4], whatsapp.item("text", {"body": DISTRESS}, ago=7000), *old[4:]) == 200
    await whatsapp.settled()
    assert len(await whatsapp.service.cases.queue()) == 1
    assert 1 <= len(whatsapp.words()) <= 4
    assert any("112" in words for words in whatsapp.words())


async def test_a_week_old_message_is_heard_though_it_cannot_be_answered(whatsapp: Cloud) -> None:
    """W12, W13: danger of yesterday opens a case; the platform refuses the helplines, once each, and no loop."""
    whatsapp.platform.answers += [(400, {"error": {"code": 131047}})] * 9
    await whatsapp.say(DISTRESS, ago=2 * DAY)
    assert len(await whatsapp.service.cases.queue()) == 1
    assert any("112" in words for words in whatsapp.words())
    assert set(await whatsapp.states("bot")) == {"failed"}
    assert max(whatsapp.platform.copies().values()) == 1


async def test_a_reaction_with_the_sign_for_help_opens_a_case(whatsapp: Cloud) -> None:
    """H14, E22; other reactions are not answered."""
    await whatsapp.take(whatsapp.item("reaction", {"message_id": "wamid.o", "emoji": "👍"}))
    assert whatsapp.words() == []
    await whatsapp.take(whatsapp.item("reaction", {"message_id": "wamid.o", "emoji": "🆘"}))
    assert len(await whatsapp.service.cases.queue()) == 1
    assert any("112" in words for words in whatsapp.words())


async def test_an_edited_message_is_heard_again(whatsapp: Cloud) -> None:
    """H14: the same id, other words."""
    item = whatsapp.item("text", {"body": "hello"})
    await whatsapp.take(item)
    message = {"type": "text", "text": {"body": DISTRESS}}
    edit = {"original_message_id": item["id"], "message": message}
    await whatsapp.take({**whatsapp.item("edit", edit), "id": item["id"]})
    assert len(await whatsapp.service.cases.queue()) == 1


async def test_what_is_for_another_number_of_the_account_is_not_ours(whatsapp: Cloud) -> None:
    """Another service answers there: two answers would confuse, and its words are not ours to keep."""
    item = whatsapp.item("text", {"body": DISTRESS})
    other: dict[str, object] = {"metadata": {"phone_number_id": f"{PHONE_ID}9"}, "messages": [item]}
    await _post_raw(whatsapp, other)
    assert await inbox(whatsapp) == 0


async def _post_raw(whatsapp: Cloud, value: dict[str, object]) -> None:
    body = json.dumps({"entry": [{"changes": [{"field": "messages", "value": value}]}]}).encode()
    async with (
        aiohttp.ClientSession() as session,
        session.post(f"{whatsapp.url}/webhooks/whatsapp", data=body, headers=signed(body)) as answer,
    ):
        assert answer.status == 200


async def test_a_shared_place_is_answered_with_the_nearest_help(whatsapp: Cloud) -> None:
    """The location request, tapped: the station it lies at, 112 first; in the case it is sealed like all words."""
    await whatsapp.tap("l:en")
    await whatsapp.tap("c:near")
    asked = whatsapp.platform.calls[-1]["interactive"]
    assert asked["action"] == {"name": "send_location"}
    await whatsapp.take(whatsapp.item("location", {"latitude": 28.6423, "longitude": 77.2196}))
    assert any("New Delhi" in words for words in whatsapp.words())
    rows = repr(await whatsapp.service.db["inbox"].find({}).to_list())
    assert "28.64" not in rows


async def test_a_file_that_expired_on_the_platforms_side_is_asked_for_again(whatsapp: Cloud) -> None:
    """131052 comes as an unsupported message: the person hears that it could not be read."""
    await whatsapp.tap("l:en")
    began = time.monotonic()
    await whatsapp.take(whatsapp.item("unsupported", {}, errors=[{"code": 131052, "title": "Media download error"}]))
    assert "cannot read this kind of message" in whatsapp.words()[-1]
    assert time.monotonic() - began < 20
