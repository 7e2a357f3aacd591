"""How long a cry for help takes to reach a responder, and whether any is lost: all up, and with a part failing."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import hmac
import json
import os
import signal
import statistics
import tempfile
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from aiohttp import ClientSession, web
from pydantic import SecretStr

from bot.app import Service, open_service
from bot.bench import SECRET, accepting_platform, serving, site
from bot.config import Config
from bot.local import LocalError, free_port, local_mongod, local_nlu, nlu_ready
from bot.ports import reference
from bot.running import running

Figures = dict[str, Any]
N = 1000
PER_SECOND = 10.0
#: How long after the last message pages may still come; longer than the database is ever away.
PATIENCE = 90.0
QUIET = 3.0
TEXT = "mujhe malik ne kamre me band kar diya hai bachao"
PHONE_ID = "1"


@dataclass
class Responder:
    """The far end of the alert channel: when each reference came first, and how often each kind of page came."""

    first: dict[str, float] = field(default_factory=dict)
    pages: Counter[tuple[str, str]] = field(default_factory=Counter)

    async def take(self, request: web.Request) -> web.Response:
        """Note one page."""
        page = json.loads(await request.read())
        name = page.get("ref", "")
        self.first.setdefault(name, time.monotonic())
        self.pages[name, "case" if page.get("case") else "early"] += 1
        return web.json_response({"ok": True})


@dataclass
class Scenario:
    """A name, the settings that differ, and what happens while the messages arrive."""

    name: str
    nlu: str = "up"
    dead_channel: bool = False
    database_away: bool = False


SCENARIOS = (
    Scenario("all_up"),
    Scenario("nlu_down", nlu="refused"),
    Scenario("nlu_hung", nlu="hung"),
    Scenario("alert_channel_dead", dead_channel=True),
    Scenario("database_down", database_away=True),
)


async def handoff(config: Config, say: Callable[[str], None], n: int = 0) -> AsyncIterator[Figures]:
    """Signed distress messages through the webhook, ten a second, each of another person: until a page arrives.

    Keys: scenario, n, p50_s, p99_s, max_s, lost, doubled, early, not_200. *early*: pages that left before the case
    could be stored; the case's own page follows under the same reference. *doubled*: messages for which any other page
    came twice, or that opened two cases.
    """
    for scenario in SCENARIOS:
        with tempfile.TemporaryDirectory() as folder:
            say(f"{scenario.name}: {n or N} messages at {PER_SECOND:.0f} a second …")
            yield await _play(scenario, _settings(config, Path(folder)), say, n or N)


def _settings(config: Config, folder: Path) -> Config:
    return config.model_copy(
        update={
            "data": folder,
            "whatsapp_token": SecretStr("bench"),
            "whatsapp_phone_id": PHONE_ID,
            "whatsapp_app_secret": SecretStr(SECRET),
            "whatsapp_verify_token": SecretStr("bench"),
            "alert_webhook_secret": SecretStr("bench"),
            "telegram_token": SecretStr(""),
            "alert_email_to": "",
            "public_url": "",
            # Nobody claims here: what the clock says to the person and the responders is not what is measured.
            "ladder": "36000",
        }
    )


async def _play(scenario: Scenario, config: Config, say: Callable[[str], None], n: int) -> Figures:
    responder = Responder()
    async with AsyncExitStack() as stack:
        uri = await stack.enter_async_context(local_mongod(config.data, 0, say))
        platform = await stack.enter_async_context(accepting_platform())
        app = web.Application()
        app.router.add_post("/page", responder.take)
        pages = await stack.enter_async_context(site(app))
        nlu = await stack.enter_async_context(_nlu(scenario, config, say))
        config = config.model_copy(update={"nlu_token": SecretStr("bench")})
        update: dict[str, object] = {"whatsapp_api_url": platform, "alert_webhook_url": f"{pages}/page"}
        if scenario.dead_channel:
            update |= {"alert_email_to": "dead@example.org", "alert_email_from": "bench@example.org"}
            update |= {"smtp_host": "127.0.0.1", "smtp_port": free_port(), "smtp_tls": "none"}
        given = config.model_copy(update=update)
        service = await stack.enter_async_context(open_service(given, mongodb_uri=uri, nlu_url=nlu, with_lists=False))
        url = await stack.enter_async_context(serving(service))
        await stack.enter_async_context(running(service))
        outage = asyncio.create_task(_outage(config.data, n / PER_SECOND)) if scenario.database_away else None
        sent, refused = await _send(service, url, n)
        if outage:
            await outage
        await _arrived(responder, set(sent))
        return await _figures(scenario, service, responder, sent, refused)


async def _send(service: Service, url: str, n: int) -> tuple[dict[str, float], int]:
    """Return when each reference was received, and how many messages the webhook did not take at once."""
    sent: dict[str, float] = {}
    refused = 0

    async def one(number: int, session: ClientSession) -> None:
        nonlocal refused
        body = _body(number)
        signature = "sha256=" + hmac.new(SECRET.encode(), body, hashlib.sha256).hexdigest()
        sent[reference(service.inbox.row_id(f"whatsapp:{PHONE_ID}:wamid.h{number}"))] = time.monotonic()
        async with session.post(url, data=body, headers={"X-Hub-Signature-256": signature}) as answer:
            await answer.read()
            refused += answer.status != 200  # noqa: PLR2004

    begun = time.perf_counter()
    tasks = []
    async with ClientSession() as session:
        for number in range(n):
            await asyncio.sleep(max(0.0, begun + number / PER_SECOND - time.perf_counter()))
            tasks.append(asyncio.create_task(one(number, session)))
        await asyncio.gather(*tasks)
    return sent, refused


def _body(number: int) -> bytes:
    message = {
        "from": f"910000{number:06d}",
        "id": f"wamid.h{number}",
        "timestamp": str(int(time.time())),
        "type": "text",
        "text": {"body": f"{TEXT} {number}"},
    }
    value = {"messaging_product": "whatsapp", "metadata": {"phone_number_id": PHONE_ID}, "messages": [message]}
    entry = {"id": "1", "changes": [{"field": "messages", "value": value}]}
    return json.dumps({"object": "whatsapp_business_account", "entry": [entry]}).encode()


async def _arrived(responder: Responder, names: set[str]) -> None:
    """Wait until every reference came and the case's own page too, or patience ends; then a little for doubles."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(PATIENCE):
            for name in names:
                while not responder.pages[name, "case"]:  # noqa: ASYNC110 - what arrives comes over a socket
                    await asyncio.sleep(0.1)
    await asyncio.sleep(QUIET)


async def _figures(
    scenario: Scenario, service: Service, responder: Responder, sent: dict[str, float], refused: int
) -> Figures:
    took = [responder.first[name] - at for name, at in sent.items() if name in responder.first]
    ranks = statistics.quantiles(took, n=100) if len(took) > 1 else [0.0] * 99
    rows = await service.db["cases"].aggregate([{"$group": {"_id": "$conversation", "n": {"$sum": 1}}}])
    twice: int = sum([row["n"] - 1 async for row in rows])
    return {
        "scenario": scenario.name,
        "n": len(sent),
        "p50_s": round(ranks[49], 2),
        "p99_s": round(ranks[98], 2),
        "max_s": round(max(took, default=0.0), 2),
        "lost": len(sent) - len(took),
        "doubled": twice + sum(count > 1 for count in responder.pages.values()),
        "early": sum(kind == "early" for _, kind in responder.pages),
        "not_200": refused,
    }


async def _outage(data: Path, seconds: float) -> None:
    """Freeze the database for the middle of the run: its connections stay open and silent, the worst way to be down."""
    process = int((data / "mongodb" / "mongod.lock").read_text())
    await asyncio.sleep(seconds * 0.25)
    os.kill(process, signal.SIGSTOP)
    try:
        await asyncio.sleep(seconds * 0.4)
    finally:
        os.kill(process, signal.SIGCONT)


@asynccontextmanager
async def _nlu(scenario: Scenario, config: Config, say: Callable[[str], None]) -> AsyncIterator[str]:
    """Our own NLU server, an address where nobody listens, or one that takes every connection and never answers."""
    if scenario.nlu == "up":
        async with local_nlu(config.nlu_home, config.data, "bench", say) as url:
            if not await nlu_ready(url, 60.0):
                raise LocalError("the NLU server is not ready after 60 s; train it first: make nlu-train")
            yield url
    elif scenario.nlu == "hung":
        server = await asyncio.get_running_loop().create_server(asyncio.Protocol, "127.0.0.1", 0)
        try:
            yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        finally:
            server.close()
    else:
        yield f"http://127.0.0.1:{free_port()}"
