"""The web chat over a bad line: in both directions each message arrives exactly once and in order."""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections.abc import AsyncIterator, Callable, Coroutine
from typing import Any

import pytest

from bot.app import Service, open_service
from bot.config import Config
from bot.domain.messages import Address, ChannelName
from bot.domain.private import Private
from bot.doors import web_app
from bot.public.visitors import COOKIE
from bot.running import running
from tests.platforms import serving
from tests.public.visit import Visit, bad_line, visiting

MESSAGES = 40
CUTS = 200


@contextlib.asynccontextmanager
async def _up(config: Config, mongodb_uri: str) -> AsyncIterator[tuple[Service, str]]:
    async with open_service(config, mongodb_uri=mongodb_uri, nlu_url="http://127.0.0.1:9") as service:
        async with serving(web_app(service)) as url, running(service):
            yield service, url


def _conversation(service: Service, visit: Visit) -> str:
    session = next(cookie.value for cookie in visit.session.cookie_jar if cookie.key == COOKIE)
    return service.inbox.conversation_id(Address(ChannelName.WEB, Private(session)))


async def _settled(service: Service, conversation: str, visit: Visit) -> list[str]:
    """Wait until all is answered and has been heard; return the ids in the order in which they were said."""
    async with asyncio.timeout(30):
        while True:
            waiting = await service.db["inbox"].count_documents({"conversation": conversation, "state": "waiting"})
            said = [
                row["_id"] async for row in service.db["outbox"].find({"conversation": conversation}).sort("_id", 1)
            ]
            if not waiting and said and visit.last == said[-1]:
                return said
            await asyncio.sleep(0.05)


def _typed(number: int) -> str:
    return f"what about wages number {number}"


@pytest.mark.timeout(240)
@pytest.mark.parametrize("way", [Visit.keep_polling, Visit.keep_listening], ids=["long-poll", "websocket"])
async def test_two_hundred_cuts_lose_nothing_and_double_nothing(
    config: Config,
    mongodb_uri: str,
    monkeypatch: pytest.MonkeyPatch,
    way: Callable[[Visit], Coroutine[Any, Any, None]],
) -> None:
    """Connections torn at a random byte of either direction, 200 of them in each way of hearing."""
    monkeypatch.setattr("bot.public.chat.ONE_VISITOR", (10_000, 1.0))
    chance = random.Random(11)
    async with _up(config, mongodb_uri) as (service, url), bad_line(url) as line, visiting(line.url) as visit:
        await visit.open()
        await visit.send(choice="l:en")
        line.cut_after = [chance.randrange(0, 2500) for _ in range(100 * CUTS)]
        ears = asyncio.create_task(way(visit))
        for number in range(MESSAGES):
            await visit.send(text=_typed(number), id=f"n{number}")
            if number % 4 == 0:
                line.cut_all()
        async with asyncio.timeout(170):
            while line.cuts < CUTS:
                await visit.send(choice="c:menu")
                line.cut_all()
        line.cut_after = []
        conversation = _conversation(service, visit)
        said = await _settled(service, conversation, visit)
        ears.cancel()
        lines = await service.cases.transcript(conversation)
        mine = [line.text.reveal() for line in lines if line.who == "person" and line.text]
    assert line.cuts >= CUTS
    assert mine == [_typed(number) for number in range(MESSAGES)]
    assert [item["id"] for item in visit.seen] == said
    assert visit.repeats > 0 and visit.failures > 0


async def test_a_server_that_starts_again_continues_where_it_was(config: Config, mongodb_uri: str) -> None:
    """Stopped while somebody listens by asking and by websocket: both hear the rest from the next process, once."""
    async with visiting("") as first:
        async with _up(config, mongodb_uri) as (_, first.url):
            await first.open()
            await first.send(choice="l:en", id="a")
            await first.heard("core.notice")
            asking = asyncio.create_task(first.poll(20))
            socket = await first.session.ws_connect(f"{first.url}/chat/socket?after={first.last}")
            await asyncio.sleep(0.2)
            hanging = asyncio.create_task(_closed(socket))
        assert await hanging == 1001
        assert await asking == []
        cookies = {cookie.key: cookie.value for cookie in first.session.cookie_jar}
        before = list(first.seen)
    async with _up(config, mongodb_uri) as (service, url), visiting(url) as again:
        again.session.cookie_jar.update_cookies(cookies)
        again.seen = before
        await again.open(keep=True)
        await again.send(choice="l:en", id="a")
        await again.send(choice="c:helplines", id="b")
        await again.heard("find.helplines")
        said = await _settled(service, _conversation(service, again), again)
    assert [item["id"] for item in again.seen] == said
    assert [item["about"] for item in again.seen].count("core.notice") == 1


async def _closed(socket: Any) -> int | None:
    async for _ in socket:
        pass
    return int(socket.close_code)
