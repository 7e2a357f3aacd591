"""A running web application over the real database, with people who may come in."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import aiohttp
import pytest_asyncio

from bot.app import Service
from bot.chat import Chat
from bot.console.auth import hash_password
from bot.domain.roles import Organisation
from bot.doors import web_app
from bot.ports import Responder
from bot.running import running
from tests.platforms import serving

PASSWORD = "a-long-enough-password"
PEOPLE = {"asha": "responder", "bina": "responder", "sudha": "supervisor", "root": "admin", "vani": "author"}
#: Somebody of a partner organisation, one of another, and who reads the audit.
PARTNERS = {"pari": "prayas", "omar": "other"}
ORGANISATIONS = (
    Organisation("prayas", "Prayas", ("child", "prayas"), ("BR:Patna", "JH")),
    Organisation("other", "Other house", ("labour",), ("BR:Patna",)),
)


@dataclass
class Site:
    """The address, the service behind it, and a person at a terminal."""

    url: str
    service: Service
    chat: Chat

    async def login(self, name: str, password: str = PASSWORD) -> Browser:
        browser = Browser(self.url, aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True)))
        await browser.post("/console/login", name=name, password=password)
        return browser


@dataclass
class Browser:
    """A signed-in person without JavaScript."""

    url: str
    session: aiohttp.ClientSession

    async def get(self, path: str) -> tuple[int, str]:
        async with self.session.get(self.url + path) as answer:
            return answer.status, await answer.text()

    async def token(self) -> str:
        _, page = await self.get("/console/password")
        found = re.search(r'name="csrf" value="([^"]+)"', page)
        return found.group(1) if found else ""

    async def post(self, path: str, headers: dict[str, str] | None = None, **fields: Any) -> tuple[int, str]:
        async with self.session.post(self.url + path, data=fields, headers=headers or {}) as answer:
            return answer.status, await answer.text()

    async def act(self, case: str, verb: str, **fields: Any) -> tuple[int, str]:
        return await self.post(f"/console/cases/{case}/{verb}", csrf=await self.token(), **fields)


@pytest_asyncio.fixture
async def site(service: Service) -> AsyncIterator[Site]:
    hashed = hash_password(PASSWORD)
    for name, role in PEOPLE.items():
        await service.responders.save(Responder(name, name.title(), role, hashed))
    for one in ORGANISATIONS:
        await service.organisations.save(one)
    for name, organisation in PARTNERS.items():
        await service.responders.save(Responder(name, name.title(), "partner", hashed, organisation=organisation))
    await service.responders.save(Responder("anu", "Anu", "auditor", hashed))
    chat = Chat(service)
    async with serving(web_app(service)) as url, running(service, chat.on_turn):
        await chat.say("", "l:en")
        yield Site(url, service, chat)
