"""A team with a Telegram group: the whole service over HTTP, a person at a terminal, two responders who are linked."""

from __future__ import annotations

import asyncio
import itertools
import re
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
import pytest_asyncio

from bot.app import Service, open_service
from bot.chat import Chat
from bot.config import Config, load_config
from bot.console.auth import hash_password
from bot.domain.cases import Case
from bot.doors import web_app
from bot.ports import Responder
from bot.running import running
from tests.console.conftest import PASSWORD, PEOPLE, Site
from tests.forum import GROUP, FakeForum, forum_server, press, private, sign, written
from tests.platforms import TELEGRAM_SECRET, TELEGRAM_TOKEN, serving

DISTRESS = "please help me, they locked me in a room"
ASHA, BINA, SUDHA, STRANGER = 7001, 7002, 7003, 7999
HASHED = hash_password(PASSWORD)


@dataclass
class Team:
    """All of it, and the words of those who work in the group."""

    service: Service
    forum: FakeForum
    site: Site
    updates: Any = field(default_factory=lambda: itertools.count(int(time.time() * 1000)))

    async def post(self, update: dict[str, Any]) -> int:
        headers = {"X-Telegram-Bot-Api-Secret-Token": TELEGRAM_SECRET}
        async with aiohttp.ClientSession() as session:
            async with session.post(f"{self.site.url}/webhooks/telegram", json=update, headers=headers) as answer:
                status: int = answer.status
                return status

    async def writes(self, sender: int, text: str, thread: int | None = None, **more: Any) -> int:
        """Write in the topic; return the message's number."""
        number: int = next(self.updates)
        thread = self.forum.number() if thread is None else thread
        assert await self.post(written(number, sender, thread, text, **more)) == 200
        return number

    async def presses(self, sender: int, data: str, message: int = 1, thread: int = 0) -> dict[str, Any]:
        """Press a button; return how the press was answered."""
        number = next(self.updates)
        assert await self.post(press(number, sender, data, message, thread)) == 200
        name = f"q{number}"
        await until(lambda: any(answer["callback_query_id"] == name for answer in self.forum.answered))
        return next(answer for answer in self.forum.answered if answer["callback_query_id"] == name)

    async def signs(self, sender: int, message: int, **more: Any) -> None:
        """Put a sign under a message of the bot."""
        assert await self.post(sign(next(self.updates), sender, message, **more)) == 200

    async def tells(self, sender: int, text: str) -> str:
        """Write to the bot in private; return its answer."""
        before = len(self.forum.private)
        assert await self.post(private(next(self.updates), sender, text)) == 200
        await until(lambda: len(self.forum.private) > before)
        return self.forum.private[-1][1]

    async def link(self, login: str, sender: int) -> None:
        """Link through the console's own page, as a responder does."""
        browser = await self.site.login(login)
        _, page = await browser.post("/console/telegram/code", csrf=await browser.token())
        found = re.search(r"/link ([A-Z0-9]{8})", page)
        assert found
        assert login in await self.tells(sender, f"/link {found.group(1)}")
        await browser.session.close()

    async def opens(self, text: str = DISTRESS) -> str:
        """A person in danger writes; return the case."""
        turn, _ = await self.site.chat.say(text)
        return turn.conversation.open_case

    async def claimed(self, text: str = DISTRESS) -> str:
        """A case that Asha took by its button, with its topic."""
        case = await self.opens(text)
        assert (await self.presses(ASHA, f"g:c:{case}"))["text"] == "The case is yours."
        await until(lambda: bool(self.forum.threads) and self.forum.one().said)
        return case

    async def case(self, case_id: str) -> Case:
        found = await self.service.cases.get(case_id)
        assert found
        return found

    async def to_person(self) -> list[str]:
        """What responders' words reached the person."""
        sent = self.service.terminal.sent
        return [message.text.reveal() for _, message in sent if message.author != "bot"]


async def until(what: Callable[[], Any], seconds: float = 30.0) -> None:
    """Wait until it is so."""
    async with asyncio.timeout(seconds):
        while not what():
            await asyncio.sleep(0.02)


def settings(tmp_path: Path, database: str, forum: FakeForum, **more: Any) -> Config:
    return load_config(
        SAHYATRI_DATA=tmp_path,
        MONGODB_NAME=database,
        TELEGRAM_TOKEN=TELEGRAM_TOKEN,
        TELEGRAM_WEBHOOK_SECRET=TELEGRAM_SECRET,
        TELEGRAM_API_URL=forum.url,
        TELEGRAM_RESPONDERS_CHAT=str(GROUP),
        **{"TELEGRAM_TOPICS": True, **more},
    )


@pytest_asyncio.fixture
async def forum() -> AsyncIterator[FakeForum]:
    async with forum_server() as fake:
        yield fake
        assert fake.faults == []


@pytest_asyncio.fixture
async def config(tmp_path: Path, database: str, forum: FakeForum) -> Config:
    return settings(tmp_path, database, forum)


@pytest_asyncio.fixture
async def team(config: Config, mongodb_uri: str, forum: FakeForum) -> AsyncIterator[Team]:
    async with open_service(config, mongodb_uri=mongodb_uri, nlu_url="http://127.0.0.1:9", with_lists=False) as service:
        for name, role in PEOPLE.items():
            await service.responders.save(Responder(name, name.title(), role, HASHED))
        chat = Chat(service)
        async with serving(web_app(service)) as url, running(service, chat.on_turn):
            await chat.say("", "l:en")
            made = Team(service, forum, Site(url, service, chat))
            await made.link("asha", ASHA)
            await made.link("bina", BINA)
            yield made
