"""The whole service with a local WhatsApp before it: webhooks in, calls out."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

import aiohttp
from pydantic import SecretStr

from bot.app import Service, open_service
from bot.config import Config
from bot.domain.cases import Case
from bot.doors import web_app
from bot.running import running
from tests.platforms import PHONE_ID, SECRET, FakeWhatsApp, serving, signed, whatsapp_batch, whatsapp_server

PERSON = "910000000001"
DAY = 86400
DISTRESS = "please help me, they locked me in a room"


@dataclass
class Cloud:
    """A person on WhatsApp, the platform, and the service behind it."""

    platform: FakeWhatsApp
    service: Service
    url: str
    _ids: Any = field(default_factory=itertools.count)

    async def post(self, *items: dict[str, Any], statuses: tuple[dict[str, Any], ...] = ()) -> int:
        """Bring a batch as the platform does; return the answer's status."""
        body = whatsapp_batch(*items, statuses=statuses)
        async with (
            aiohttp.ClientSession() as session,
            session.post(f"{self.url}/webhooks/whatsapp", data=body, headers=signed(body)) as answer,
        ):
            return answer.status

    def item(
        self, kind: str, part: object, *, ago: float = 0, sender: str | None = PERSON, **fields: object
    ) -> dict[str, Any]:
        """One message of the person, sent *ago* seconds before now."""
        base = {"from": sender, "id": f"wamid.in{next(self._ids)}", "timestamp": str(int(time.time() - ago))}
        return {**base, "type": kind, kind: part, **fields}

    async def say(self, text: str, *, ago: float = 0, sender: str | None = PERSON, **fields: object) -> None:
        """Let the person write, and wait until it is answered."""
        await self.take(self.item("text", {"body": text}, ago=ago, sender=sender, **fields))

    async def tap(self, choice: str) -> None:
        reply = {"type": "button_reply", "button_reply": {"id": choice, "title": "x"}}
        await self.take(self.item("interactive", reply))

    async def take(self, item: dict[str, Any]) -> None:
        assert await self.post(item) == 200
        await until(self._settled)

    async def _settled(self) -> bool:
        waiting = await self.service.db["inbox"].count_documents({"state": "waiting"})
        due = {"open": True, "state": {"$ne": "unknown"}, "error": {"$exists": False}}
        return not waiting and not await self.service.db["outbox"].count_documents(due)

    async def settled(self) -> None:
        """Wait until everything is answered and everything that may leave has left."""
        await until(self._settled)

    async def case(self) -> Case:
        """The one open case."""
        (case,) = await self.service.cases.queue()
        return case

    async def states(self, author: str) -> list[str]:
        """The states of what an author has written, in order."""
        rows = self.service.db["outbox"].find({"author": author}).sort("_id", 1)
        return [row["state"] async for row in rows]

    def words(self) -> list[str]:
        """The texts that reached the platform, templates by their names."""
        return [_words(call) for call in self.platform.calls]


def _words(call: dict[str, Any]) -> str:
    if call["type"] == "template":
        return f"template {call['template']['name']} {call['template']['language']['code']}"
    if call["type"] == "image":
        return str(call["image"]["caption"])
    part = call["interactive"]["body"]["text"] if call["type"] == "interactive" else call["text"]["body"]
    return str(part)


async def until(true: Callable[[], Awaitable[bool]], seconds: float = 20) -> None:
    """Wait until something holds."""
    async with asyncio.timeout(seconds):
        while not await true():
            await asyncio.sleep(0.05)


@contextlib.asynccontextmanager
async def cloud(config: Config, mongodb_uri: str, **given: object) -> AsyncIterator[Cloud]:
    async with whatsapp_server() as platform:
        update: dict[str, object] = {
            "whatsapp_token": SecretStr("made-up-access-token"), "whatsapp_app_secret": SecretStr(SECRET),
            "whatsapp_verify_token": SecretStr("v"), "whatsapp_phone_id": PHONE_ID, "whatsapp_api_url": platform.url,
            **given,
        }  # fmt: skip
        settings = config.model_copy(update=update)
        async with (
            open_service(settings, mongodb_uri=mongodb_uri, nlu_url="http://127.0.0.1:9") as service,
            serving(web_app(service)) as url,
            running(service),
        ):
            yield Cloud(platform, service, url)
        assert platform.faults == []
