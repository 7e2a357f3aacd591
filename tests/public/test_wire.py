"""E29, E30: what no library would send, byte by byte, to the service as `sahyatri up` serves it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator

import pytest
from aiohttp import web

from bot.app import Service, open_service
from bot.config import Config
from bot.doors import web_app
from bot.public.patience import PatientRunner
from tests.channels.telegram_shapes import update
from tests.platforms import TELEGRAM_SECRET, TELEGRAM_TOKEN

BODY = json.dumps(update(7, text="hello")).encode()
SECRET = b"X-Telegram-Bot-Api-Secret-Token: " + TELEGRAM_SECRET.encode() + b"\r\n"
HEAD = b"POST /webhooks/telegram HTTP/1.1\r\nHost: bot.example\r\n" + SECRET
LENGTH = b"Content-Length: %d\r\n" % len(BODY)
CHUNKED = b"Transfer-Encoding: chunked\r\n"


def chunk(size: bytes = b"%x" % len(BODY), end: bytes = b"\r\n") -> bytes:
    """The body as one chunk whose size is written so."""
    return b"\r\n" + size + end + BODY + b"\r\n0\r\n\r\n"


class Wire:
    """Says what it is told, and hears what comes back."""

    def __init__(self, service: Service, port: int) -> None:
        self.service = service
        self._port = port

    async def say(self, raw: bytes) -> tuple[int, bytes]:
        """Return the status and all bytes of what is answered until the other side closes, or for a second."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self._port)
        heard = b""
        try:
            writer.write(raw)
            async with asyncio.timeout(5):
                heard = await reader.readuntil(b"\r\n\r\n")
            async with asyncio.timeout(0.2):
                heard += await reader.read()
        except (TimeoutError, ConnectionError):
            pass
        finally:
            writer.close()
        return int(heard.split()[1]) if heard else 0, heard

    async def kept(self) -> int:
        """How much has come in, readable or not."""
        db = self.service.db
        return sum([await db[name].count_documents({}) for name in ("inbox", "quarantine")])


@pytest.fixture
async def wire(config: Config, mongodb_uri: str, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Wire]:
    monkeypatch.setattr("bot.channels.bodies.BODY_SECONDS", 0.5)
    secret = type(config.telegram_token)
    given = {"telegram_token": secret(TELEGRAM_TOKEN), "telegram_secret": secret(TELEGRAM_SECRET)}
    update: dict[str, object] = {**given, "public_url": "https://bot.example", "telegram_api_url": "http://127.0.0.1:9"}
    settings = config.model_copy(update=update)
    async with open_service(settings, mongodb_uri=mongodb_uri, nlu_url="http://127.0.0.1:9", with_lists=False) as made:
        runner = PatientRunner(web_app(made), shutdown_timeout=0.5)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        yield Wire(made, runner.addresses[0][1])
        await runner.cleanup()


REFUSED = {
    "length and chunks": HEAD + LENGTH + CHUNKED + chunk(),
    "chunks and length": HEAD + CHUNKED + LENGTH + chunk(),
    "two lengths": HEAD + LENGTH + b"Content-Length: 2\r\n\r\n" + BODY,
    "the same length twice": HEAD + LENGTH + LENGTH + b"\r\n" + BODY,
    "a list of lengths": HEAD + b"Content-Length: 2, 2\r\n\r\n{}",
    "a length with a sign": HEAD + b"Content-Length: +2\r\n\r\n{}",
    "a length below nothing": HEAD + b"Content-Length: -2\r\n\r\n{}",
    "chunks by another name": HEAD + b"Transfer-Encoding: xchunked\r\n" + chunk(),
    "two encodings": HEAD + CHUNKED + b"Transfer-Encoding: identity\r\n" + chunk(),
    "a space before the colon": HEAD + b"Transfer-Encoding : chunked\r\n" + chunk(),
    "a folded header": HEAD + b"X-A: b\r\n c\r\n" + LENGTH + b"\r\n" + BODY,
    "HTTP/0.9": b"GET /\r\n\r\n",
    "HTTP/0.9 to a webhook": b"POST /webhooks/telegram\r\n\r\n",
    "a header of 64 KiB": HEAD + b"X-A: " + b"a" * 65536 + b"\r\n" + LENGTH + b"\r\n" + BODY,
    "an address of 64 KiB": b"POST /" + b"a" * 65536 + b" HTTP/1.1\r\nHost: bot.example\r\n\r\n",
    "forty thousand headers": HEAD + b"X-A: b\r\n" * 40000 + LENGTH + b"\r\n" + BODY,
    "a chunk size in C": HEAD + CHUNKED + chunk(b"0x%x" % len(BODY)),
    "a chunk size below nothing": HEAD + CHUNKED + chunk(b"-2"),
    "a chunk size beyond all numbers": HEAD + CHUNKED + chunk(b"f" * 17),
    "a chunk extension that ends early": HEAD + CHUNKED + chunk(b"%x;a" % len(BODY), b"\n"),
    "no host": b"POST /webhooks/telegram HTTP/1.1\r\n" + SECRET + LENGTH + b"\r\n" + BODY,
    "two hosts": HEAD + b"Host: evil.example\r\n" + LENGTH + b"\r\n" + BODY,
    "no end of a path": b"POST /webhooks/telegram\x00 HTTP/1.1\r\nHost: x\r\n" + SECRET + LENGTH + b"\r\n" + BODY,
}


async def test_what_two_readers_would_read_differently_is_refused(wire: Wire) -> None:
    """E29: 400 or 431, the connection closed, and nothing of it kept, though it knows the secret."""
    for name, raw in REFUSED.items():
        status, _ = await wire.say(raw)
        assert status in {400, 431}, (name, status)
    assert await wire.kept() == 0


async def test_nothing_is_smuggled_behind_a_request(wire: Wire) -> None:
    """E29: what follows a refused request is not a second one; the extension of a chunk is no part of the body."""
    second = HEAD + LENGTH + b"\r\n" + BODY
    status, heard = await wire.say(HEAD + b"Content-Length: 4\r\n" + CHUNKED + b"\r\n0\r\n\r\n" + second)
    assert (status, heard.count(b"HTTP/1."), await wire.kept()) == (400, 1, 0)
    status, _ = await wire.say(HEAD + CHUNKED + chunk(b"%x;" % len(BODY) + b"x" * 70000))
    assert status == 200
    row = await wire.service.db["inbox"].find_one({})
    assert row and await wire.kept() == 1
    (found,) = await wire.service.inbox.waiting(row["conversation"], 5)
    assert found.message.text.reveal() == "hello"


async def test_a_body_without_an_end_is_cut(wire: Wire) -> None:
    """E28, E29: endless extensions of chunks, or a length that is never filled."""
    for raw in (HEAD + CHUNKED + b"\r\n2;" + b"x" * 9000, HEAD + LENGTH + b"\r\n{"):
        status, _ = await wire.say(raw)
        assert status == 408
    assert await wire.kept() == 0


PATHS = (
    b"//webhooks/telegram", b"/webhooks//telegram", b"/x/%2e%2e/webhooks/telegram", b"/x/../webhooks/telegram",
    b"/%2e/webhooks/telegram", b"/webhooks%2ftelegram", b"/webhooks/telegram/", b"/webhooks/telegram%00",
    b"/webhooks/telegram;x", b"/WEBHOOKS/telegram", b"/webhooks\\telegram", b"/webhooks/telegram%20", b"*",
    b"bot.example:443",
)  # fmt: skip


async def test_a_webhook_has_one_path(wire: Wire) -> None:
    """E30: no other way of writing it leads there, with the right secret and without."""
    for path in PATHS:
        for secret in (SECRET, b""):
            head = b"POST " + path + b" HTTP/1.1\r\nHost: bot.example\r\n" + secret + LENGTH
            status, _ = await wire.say(head + b"\r\n" + BODY)
            assert status in {400, 404}, path
    assert await wire.kept() == 0


async def test_the_same_path_written_otherwise_needs_the_secret(wire: Wire) -> None:
    """E30: letters in hexadecimal and a whole address are the same path by the standard, and meet the same lock."""
    for path in (b"/%77ebhooks/telegram", b"http://evil.example/webhooks/telegram", b"/webhooks/telegram?x"):
        head = b"POST " + path + b" HTTP/1.1\r\nHost: bot.example\r\nX-Forwarded-For: 127.0.0.1\r\n" + LENGTH
        assert (await wire.say(head + b"\r\n" + BODY))[0] == 401, path
    assert await wire.kept() == 0


async def test_a_wrong_host_appears_nowhere(wire: Wire) -> None:
    """E30: pages are the same for every Host, so that none of their links can be led elsewhere."""
    for path in (b"/", b"/chat", b"/chat/simple", b"/q/x"):
        status, heard = await wire.say(b"GET " + path + b" HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n")
        assert status in {200, 302, 303}, path
        assert b"evil.example" not in heard, path
