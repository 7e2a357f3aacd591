"""The NLU client: an answer in time or NOTHING, never an exception, never a word in the log (C1–C9)."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from bot.clients.nlu import RasaNlu
from bot.domain import text as forms
from bot.domain.understanding import NOTHING
from tests.platforms import serving

GOOD = {
    "intent": {"name": "greet", "confidence": 0.9},
    "intent_ranking": [{"name": "greet", "confidence": 0.9}],
    "entities": [{"entity": "phone", "value": "1", "start": 0, "end": 1}],
}


class Server:
    def __init__(self) -> None:
        self.answer: Any = GOOD
        self.delay = 0.0
        self.asked: list[dict[str, Any]] = []
        self.url = ""

    async def parse(self, request: web.Request) -> web.Response:
        body = await request.json()
        self.asked.append(body)
        await asyncio.sleep(self.delay)
        if isinstance(self.answer, dict):
            return web.Response(text=json.dumps({"message_id": body["message_id"], **self.answer}))
        return web.Response(body=self.answer, content_type="text/html")


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    made = Server()
    app = web.Application()
    app.router.add_post("/model/parse", made.parse)
    async with serving(app) as url:
        made.url = url
        yield made


async def ask(server: Server, text: str = "hello", **given: Any) -> Any:
    async with aiohttp.ClientSession() as session:
        return await RasaNlu(session, server.url, **given).understand(text, "en")


async def test_a_good_answer_is_read(server: Server) -> None:
    found = await ask(server)
    assert (found.intent, found.confidence, found.entities[0].kind) == ("greet", 0.9, "phone")


BAD: dict[str, Any] = {
    "html": b"<html>busy</html>",
    "cut": b'{"intent": {"name": "gre',
    "nan": {**GOOD, "intent": {"name": "greet", "confidence": float("nan")}},
    "huge confidence": {**GOOD, "intent": {"name": "greet", "confidence": 9e99}},
    "null intent": {**GOOD, "intent": {"name": None, "confidence": 0.5}},
    "no ranking": {"intent": GOOD["intent"]},
    "a list": b"[1, 2]",
    "a number beyond floats": b'{"intent": {"name": "greet", "confidence": 1'
    + b"0" * 400
    + b"}, "
    + b'"intent_ranking": []}',
    "nested without end": b"[" * 100_000,
    "confidence below nothing": {**GOOD, "intent_ranking": [{"name": "greet", "confidence": -0.1}]},
    "an endless place": {**GOOD, "entities": [{"entity": "phone", "value": "1", "start": float("inf"), "end": 1}]},
    "null id": {**GOOD, "message_id": None},
    "crossed": {**GOOD, "message_id": "another"},
    "50 MB": b'{"x": "' + b"y" * 5_000_000 + b'"}',
    "unknown intent": {**GOOD, "intent_ranking": [{"name": "sing", "confidence": 0.5}]},
}


@pytest.mark.parametrize("answer", BAD.values(), ids=BAD.keys())
async def test_an_odd_answer_is_no_answer(server: Server, answer: Any, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    server.answer = answer
    assert await ask(server, "meri baat", intents=frozenset({"greet"})) is NOTHING
    assert "meri baat" not in caplog.text


async def test_a_silent_server_costs_at_most_its_patience(server: Server) -> None:
    server.delay = 5
    async with asyncio.timeout(2):
        assert await ask(server, patience=0.3) is NOTHING


async def test_the_breaker_opens_and_tries_again(server: Server) -> None:
    clock = [0.0]
    server.answer = b"no"
    async with aiohttp.ClientSession() as session:
        nlu = RasaNlu(session, server.url, clock=lambda: clock[0])
        for _ in range(8):
            await nlu.understand("x", "")
        assert (len(server.asked), nlu.skipped) == (5, 3)
        server.answer = GOOD
        clock[0] = 6.0
        assert (await nlu.understand("x", "")).intent == "greet"


async def test_half_open_lets_one_question_through(server: Server) -> None:
    clock = [0.0]
    server.answer = b"no"
    async with aiohttp.ClientSession() as session:
        nlu = RasaNlu(session, server.url, clock=lambda: clock[0])
        for _ in range(5):
            await nlu.understand("x", "")
        clock[0], server.delay = 6.0, 0.2
        await asyncio.gather(*(nlu.understand("x", "") for _ in range(4)))
        assert (len(server.asked), nlu.skipped) == (6, 3)
        clock[0] = 7.0
        await nlu.understand("x", "")
        assert len(server.asked) == 6, "the probe failed: the breaker stays open"


async def test_an_answer_without_id_must_repeat_the_text(server: Server) -> None:
    """Rasa's own server echoes the text only."""
    server.answer = json.dumps({**GOOD, "text": "hello"}).encode()
    assert (await ask(server)).intent == "greet"
    assert await ask(server, "another") is NOTHING


async def test_a_closed_session_is_no_answer(server: Server) -> None:
    session = aiohttp.ClientSession()
    await session.close()
    assert await RasaNlu(session, server.url).understand("x", "") is NOTHING


@pytest.mark.parametrize("text", ["/restart", "/greet{}", "\uff0fstart", "  /x", "\u200b/restart", "\u202e\u2066/x"])
async def test_a_slash_never_arrives_as_a_command(server: Server, text: str) -> None:
    await ask(server, text)
    assert not forms.normalise(server.asked[0]["text"]).startswith("/")


async def test_nobody_there(server: Server) -> None:
    server.url = "http://127.0.0.1:9"
    assert await ask(server) is NOTHING
