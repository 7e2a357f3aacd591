"""E28: who dribbles is cut, who waits for an answer is not."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator

import aiohttp
import pytest
import pytest_asyncio
from aiohttp import web

from bot.app import Service
from bot.doors import web_app
from bot.public.patience import PatientRunner
from bot.running import running
from tests.public.visit import visiting


@pytest_asyncio.fixture
async def url(service: Service, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[str]:
    """The service as `sahyatri up` serves it, in a hurry."""
    monkeypatch.setattr("bot.public.patience.HEAD", 0.6)
    monkeypatch.setattr("bot.public.letters.BODY_PATIENCE", 0.6)
    runner = PatientRunner(web_app(service), shutdown_timeout=0.5)
    await runner.setup()
    server = web.TCPSite(runner, "127.0.0.1", 0)
    await server.start()
    async with running(service):
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    await runner.cleanup()


async def _dribble(port: int, head: bytes) -> float:
    """Send a byte each tenth of a second; return the seconds until the other side closes."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    began = time.monotonic()
    closed = asyncio.create_task(reader.read())
    for byte in head:
        if closed.done():
            break
        writer.write(bytes([byte]))
        await asyncio.sleep(0.1)
    async with asyncio.timeout(10):
        with contextlib.suppress(ConnectionError):
            await closed
    writer.close()
    return time.monotonic() - began


async def test_a_slow_head_and_silence_are_cut_and_others_are_served(url: str) -> None:
    """Thirty dribblers and thirty silent ones: all cut in time, and a real visit meanwhile is quick."""
    port = int(url.rpartition(":")[2])
    slow = [
        asyncio.create_task(_dribble(port, b"GET / HTTP/1.1\r\nHost: x\r\n" + b"X-A: b\r\n" * 20)) for _ in range(30)
    ]
    silent = [asyncio.create_task(_dribble(port, b"")) for _ in range(30)]
    await asyncio.sleep(0.2)
    began = time.monotonic()
    async with aiohttp.ClientSession() as session, session.get(url + "/") as answer:
        assert answer.status == 200
    assert time.monotonic() - began < 2
    assert max(await asyncio.gather(*slow, *silent)) < 5


async def test_a_slow_body_is_cut_and_a_long_wait_is_not(url: str) -> None:
    async def body() -> AsyncIterator[bytes]:
        for byte in b'{"id": "a", "text": "x"}':
            yield bytes([byte])
            await asyncio.sleep(0.1)

    async with visiting(url) as visit:
        await visit.open()
        headers = {"Content-Type": "application/json"}
        async with visit.session.post(url + "/chat/messages", data=body(), headers=headers) as answer:
            assert answer.status == 408
        began = time.monotonic()
        assert await visit.poll(2) == []
        assert time.monotonic() - began > 1.9
