"""How fast a full outbox leaves, whether any platform's limit is broken, and how long danger waits behind it all."""

from __future__ import annotations

import asyncio
import tempfile
import time
from bisect import bisect_right
from collections import defaultdict
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from aiohttp import web
from pydantic import SecretStr

from bot.app import Service, open_service
from bot.bench import site
from bot.config import Config
from bot.domain.messages import Address, ChannelName, Lane, OutboundMessage
from bot.domain.private import Private
from bot.local import free_port, local_mongod
from bot.running import running
from bot.store.history import Writer

Figures = dict[str, Any]
N = 3000
EACH = 3
#: Those who get many at once meet the limit of one contact, not only that of the account.
CHATTY = 20
CHATTY_EACH = 30
PATIENCE = 300.0
DANGER = "danger"


@dataclass(frozen=True, slots=True)
class Rule:
    """What a platform allows: no window of *seconds* may hold more than *most* messages."""

    seconds: float
    most: int


@dataclass
class Platform:
    """The far end: takes every message, and notes when it came and to whom."""

    account: tuple[Rule, ...]
    contact: tuple[Rule, ...]
    came: list[float] = field(default_factory=list)
    to: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    danger_at: float = 0.0

    def note(self, to: str, text: str) -> None:
        """Count one message."""
        now = time.monotonic()
        self.came.append(now)
        self.to[to].append(now)
        if text == DANGER:
            self.danger_at = now

    def over(self) -> int:
        """Return how many messages came while their window was full already."""
        return _over(self.came, self.account) + sum(_over(times, self.contact) for times in self.to.values())


def _over(times: list[float], rules: tuple[Rule, ...]) -> int:
    return sum(
        number - bisect_right(times, at - rule.seconds) >= rule.most
        for rule in rules
        for number, at in enumerate(times)
    )


def _telegram() -> tuple[Platform, web.Application]:
    platform = Platform((Rule(1.0, 30),), (Rule(3.0, 6), Rule(60.0, 63)))

    async def send(request: web.Request) -> web.Response:
        given = await request.post() if request.content_type != "application/json" else await request.json()
        chat = str(given.get("chat_id", ""))
        platform.note(chat, str(given.get("text", "")))
        message = {
            "message_id": len(platform.came),
            "date": int(time.time()),
            "chat": {"id": int(chat), "type": "private"},
        }
        return web.json_response({"ok": True, "result": message})

    async def nothing(_: web.Request) -> web.Response:
        await asyncio.sleep(5.0)
        return web.json_response({"ok": True, "result": []})

    app = web.Application()
    app.router.add_post("/bot{token}/sendMessage", send)
    app.router.add_post("/bot{token}/getUpdates", nothing)
    return platform, app


def _whatsapp() -> tuple[Platform, web.Application]:
    platform = Platform((Rule(1.0, 80),), (Rule(6.0, 46), Rule(60.0, 55)))

    async def send(request: web.Request) -> web.Response:
        given = await request.json()
        platform.note(str(given["to"]), str(given.get("text", {}).get("body", "")))
        answer = {"messaging_product": "whatsapp", "messages": [{"id": f"wamid.{len(platform.came)}"}]}
        return web.json_response(answer)

    app = web.Application()
    app.router.add_post("/{phone}/messages", send)
    return platform, app


async def channels(config: Config, say: Callable[[str], None], n: int = 0) -> AsyncIterator[Figures]:
    """A full outbox on each paced channel, then one danger reply to somebody who waits for many; real parts throughout.

    Keys: channel, n, seconds, per_second, over_limit, danger_wait_s, left. *over_limit*: messages that came while the
    platform's window, of the account or of the contact, was full. *left*: never sent within five minutes.
    """
    for channel, made in ((ChannelName.TELEGRAM, _telegram), (ChannelName.WHATSAPP, _whatsapp)):
        platform, app = made()
        with tempfile.TemporaryDirectory() as folder:
            say(f"{channel}: {n or N} messages …")
            async with AsyncExitStack() as stack:
                uri = await stack.enter_async_context(local_mongod(Path(folder), 0, say))
                given = _settings(config, Path(folder), await stack.enter_async_context(site(app)))
                nowhere = f"http://127.0.0.1:{free_port()}"
                opened = open_service(given, mongodb_uri=uri, nlu_url=nowhere, with_lists=False)
                service = await stack.enter_async_context(opened)
                yield await _play(service, channel, platform, n or N)


def _settings(config: Config, folder: Path, url: str) -> Config:
    return config.model_copy(
        update={
            "data": folder,
            "whatsapp_token": SecretStr("bench"),
            "whatsapp_phone_id": "1",
            "whatsapp_api_url": url,
            "telegram_token": SecretStr("1:bench"),
            "telegram_api_url": url,
            "telegram_responders_chat": "",
            "public_url": "https://bench.invalid",
            "alert_email_to": "",
            "alert_webhook_url": "",
        }
    )


async def _play(service: Service, channel: ChannelName, platform: Platform, n: int) -> Figures:
    people = await _fill(service, channel, n)
    async with running(service):
        begun = time.monotonic()
        while len(platform.came) < n // 3:  # noqa: ASYNC110 - what arrives comes over a socket
            await asyncio.sleep(0.05)
        committed = time.monotonic()
        await _commit(service, channel, people[0], [OutboundMessage(Private(DANGER), lane=Lane.DISTRESS)])
        service.wake_delivery.set()
        while len(platform.came) <= n and time.monotonic() - begun < PATIENCE:  # noqa: ASYNC110
            await asyncio.sleep(0.1)
    seconds = platform.came[-1] - begun
    return {
        "channel": channel.value,
        "n": len(platform.came) - 1,
        "seconds": round(seconds, 1),
        "per_second": round(len(platform.came) / seconds, 1),
        "over_limit": platform.over(),
        "danger_wait_s": round(platform.danger_at - committed, 3) if platform.danger_at else None,
        "left": n + 1 - len(platform.came),
    }


async def _fill(service: Service, channel: ChannelName, n: int) -> list[str]:
    """Queue *n* messages: most people wait for three, some for thirty. Return the conversations, the chatty first."""
    people: list[str] = []
    left = n
    while left > 0:
        size = min(CHATTY_EACH if len(people) < CHATTY else EACH, left)
        said = [OutboundMessage(Private(f"{number + 1} of {size}")) for number in range(size)]
        people.append(await _contact(service, channel, len(people)))
        await _commit(service, channel, people[-1], said)
        left -= size
    return people


async def _contact(service: Service, channel: ChannelName, number: int) -> str:
    value = str(910_000_000_000 + number)
    conversation = service.inbox.conversation_id(Address(channel, Private(value)))
    sealed = await service.sealer.seal(conversation, f"address:{conversation}", {"address": value})
    await service.db["conversations"].insert_one({"_id": conversation, "address": sealed, "version": 1})
    return conversation


async def _commit(service: Service, channel: ChannelName, conversation: str, said: list[OutboundMessage]) -> None:
    """Queue messages as a turn does."""
    async with service.db.client.start_session() as session, await session.start_transaction():
        row = await service.db["conversations"].find_one_and_update(
            {"_id": conversation}, {"$inc": {"version": 1}}, return_document=True, session=session
        )
        version = row["version"] if row else 0
        writer = Writer(service.db, service.sealer, ())
        await writer.outbox(conversation, channel.value, version, said, service.now(), session)
