"""A browser of the web chat without a screen: it sends, resends and resumes by the page's own rules."""

from __future__ import annotations

import asyncio
import contextlib
import secrets
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

import aiohttp

FAILED = (aiohttp.ClientError, TimeoutError, ConnectionError)


@dataclass
class Visit:
    """One person: their session, what they have seen, in order."""

    url: str
    session: aiohttp.ClientSession
    seen: list[dict[str, Any]] = field(default_factory=list)
    repeats: int = 0
    failures: int = 0

    @property
    def last(self) -> str:
        return str(self.seen[-1]["id"]) if self.seen else ""

    async def open(self, keep: bool = False) -> None:
        async with self.session.post(f"{self.url}/chat/session{'?keep=1' if keep else ''}") as answer:
            assert answer.status == 200

    async def post(self, letter: dict[str, Any]) -> int:
        async with self.session.post(f"{self.url}/chat/messages", json=letter) as answer:
            await answer.read()
            return answer.status

    async def send(self, **letter: Any) -> str:
        """Send until it is taken, under one id."""
        name = letter.setdefault("id", secrets.token_hex(12))
        while True:
            try:
                async with asyncio.timeout(3):
                    if await self.post(letter) == 200:
                        return str(name)
            except FAILED:
                self.failures += 1
            self.repeats += 1
            await asyncio.sleep(0.01)

    async def poll(self, wait: int = 0) -> list[dict[str, Any]]:
        """Ask once, from the last message seen."""
        path = f"{self.url}/chat/messages?after={self.last}&wait={wait}"
        async with self.session.get(path) as answer:
            assert answer.status == 200, answer.status
            found: list[dict[str, Any]] = (await answer.json())["messages"]
        self.seen += found
        return found

    async def heard(self, about: str, seconds: float = 10.0) -> dict[str, Any]:
        """Wait until a message is said."""
        async with asyncio.timeout(seconds):
            while True:
                for item in self.seen:
                    if item["about"] == about:
                        return item
                await self.poll(2)

    async def keep_polling(self) -> None:
        """Ask for ever."""
        while True:
            try:
                await self.poll(2)
            except FAILED:
                self.failures += 1
                await asyncio.sleep(0.01)

    async def keep_listening(self) -> None:
        """Listen by websocket for ever, and open it anew, from the last message seen, when it is lost."""
        while True:
            try:
                path = f"{self.url}/chat/socket?after={self.last}"
                async with self.session.ws_connect(path, timeout=aiohttp.ClientWSTimeout(ws_close=1)) as socket:
                    async for frame in socket:
                        if frame.type is aiohttp.WSMsgType.TEXT and frame.data:
                            self.seen.append(frame.json())
            except FAILED:
                self.failures += 1
            await asyncio.sleep(0.01)


@contextlib.asynccontextmanager
async def visiting(url: str) -> AsyncIterator[Visit]:
    jar = aiohttp.CookieJar(unsafe=True)
    async with aiohttp.ClientSession(cookie_jar=jar, timeout=aiohttp.ClientTimeout(total=40)) as session:
        visit = Visit(url, session)
        yield visit


@dataclass
class BadLine:
    """A network between browser and service: cuts connections, refuses websockets, or is down."""

    url: str = ""
    port: int = 0
    to: int = 0
    cut_after: list[int] = field(default_factory=list)
    cuts: int = 0
    refuses_sockets: bool = False
    down: bool = False
    sockets: int = 0
    _open: set[asyncio.StreamWriter] = field(default_factory=set)

    async def carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self.down:
            writer.transport.abort()
            return
        try:
            far_reader, far_writer = await asyncio.open_connection("127.0.0.1", self.to)
        except OSError:
            writer.transport.abort()
            return
        self._open |= {writer, far_writer}
        budget = [self.cut_after.pop()] if self.cut_after else [-1]
        ways = [
            self._pipe(reader, far_writer, budget, outward=True),
            self._pipe(far_reader, writer, budget, outward=False),
        ]
        tasks = [asyncio.create_task(way) for way in ways]
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in tasks:
                task.cancel()
            for end in (writer, far_writer):
                end.transport.abort()
                self._open.discard(end)

    async def _pipe(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, budget: list[int], *, outward: bool
    ) -> None:
        with contextlib.suppress(OSError):
            while data := await reader.read(65536):
                if outward and b"Upgrade: websocket" in data:
                    self.sockets += 1
                    if self.refuses_sockets:
                        return
                if budget[0] >= 0:
                    data, left = data[: budget[0]], budget[0] - len(data)
                    budget[0] = max(left, 0)
                    if left <= 0:
                        writer.write(data)
                        await asyncio.sleep(0)
                        self.cuts += 1
                        return
                writer.write(data)
                await writer.drain()

    def cut_all(self) -> None:
        """Tear every connection."""
        for writer in list(self._open):
            writer.transport.abort()


@contextlib.asynccontextmanager
async def bad_line(to: str) -> AsyncIterator[BadLine]:
    """A line to the service at *to*."""
    line = BadLine(to=int(to.rpartition(":")[2]))
    server = await asyncio.start_server(line.carry, "127.0.0.1", 0)
    line.port = server.sockets[0].getsockname()[1]
    line.url = f"http://127.0.0.1:{line.port}"
    try:
        yield line
    finally:
        server.close()
        line.cut_all()
