"""Benchmarks as commands: real parts, loopback only, bounded in count and time, ending by themselves."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import hmac
import json
import statistics
import tempfile
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import yaml
from aiohttp import ClientSession, web
from pydantic import SecretStr

from bot.app import Service, open_service
from bot.channels.whatsapp_hook import MOST_BYTES
from bot.config import Config
from bot.doors import add_webhooks
from bot.local import LocalError, local_mongod, local_nlu, nlu_ready
from bot.running import running

Figures = dict[str, Any]
NLU_SINGLE = 600
NLU_LOAD = 4000
NLU_IN_FLIGHT = 8
RATE = 50
SECONDS = 60
SECRET = "bench-app-secret"  # noqa: S105 - signs made-up messages on loopback


async def ingress(config: Config, say: Callable[[str], None]) -> AsyncIterator[Figures]:
    """50 signed WhatsApp messages a second for a minute, each of another person: time until the 200.

    Everything real but the platform: MongoDB with majority and journal, sealing, workers answering meanwhile.
    Keys: bench, n, per_second, seconds, p50_ms, p95_ms, p99_ms, max_ms, not_200, wrong_signature_status, lost.
    """
    with tempfile.TemporaryDirectory() as folder:
        given = config.model_copy(
            update={
                "data": Path(folder),
                "whatsapp_token": SecretStr("bench"),
                "whatsapp_phone_id": "1",
                "whatsapp_app_secret": SecretStr(SECRET),
                "whatsapp_verify_token": SecretStr("bench"),
            }
        )
        async with local_mongod(Path(folder), 0, say) as uri, accepting_platform() as api_url:
            served = given.model_copy(update={"whatsapp_api_url": api_url})
            async with open_service(served, mongodb_uri=uri, nlu_url="http://127.0.0.1:9") as service:
                yield await _ingress(service, say)


async def _ingress(service: Service, say: Callable[[str], None]) -> Figures:
    async with serving(service) as url, running(service), ClientSession() as session:
        wrong = await session.post(url, data=_body(-1), headers={"X-Hub-Signature-256": "sha256=00"})
        say(f"sending {RATE} a second for {SECONDS} s …")
        times: list[float] = []
        statuses: list[int] = []

        async def one(number: int) -> None:
            body = _body(number)
            signature = "sha256=" + hmac.new(SECRET.encode(), body, hashlib.sha256).hexdigest()
            started = time.perf_counter()
            async with session.post(url, data=body, headers={"X-Hub-Signature-256": signature}) as answer:
                await answer.read()
                times.append((time.perf_counter() - started) * 1000)
                statuses.append(answer.status)

        tasks = []
        begun = time.perf_counter()
        for number in range(RATE * SECONDS):
            await asyncio.sleep(max(0.0, begun + number / RATE - time.perf_counter()))
            tasks.append(asyncio.create_task(one(number)))
        await asyncio.gather(*tasks)
        spent = time.perf_counter() - begun
        await service.spool.drain(service.inbox)
        stored = await service.db["inbox"].count_documents({})
    ranks = statistics.quantiles(times, n=100)
    return {
        "bench": "ingress",
        "n": len(times),
        "per_second": round(len(times) / spent, 1),
        "seconds": round(spent, 1),
        "p50_ms": round(ranks[49], 1),
        "p95_ms": round(ranks[94], 1),
        "p99_ms": round(ranks[98], 1),
        "max_ms": round(max(times), 1),
        "not_200": sum(status != 200 for status in statuses),  # noqa: PLR2004
        "wrong_signature_status": wrong.status,
        "lost": len(times) - stored,
    }


def _body(number: int) -> bytes:
    message = {
        "from": f"910000{number % 100000:06d}",
        "id": f"wamid.bench{number}",
        "timestamp": str(int(time.time())),
        "type": "text",
        "text": {"body": f"mazdoori nahi mili {number}"},
    }
    value = {"messaging_product": "whatsapp", "metadata": {"phone_number_id": "1"}, "messages": [message]}
    entry = {"id": "1", "changes": [{"field": "messages", "value": value}]}
    return json.dumps({"object": "whatsapp_business_account", "entry": [entry]}).encode()


@contextlib.asynccontextmanager
async def serving(service: Service) -> AsyncIterator[str]:
    """The webhooks on loopback; gives the address of WhatsApp's."""
    app = web.Application(client_max_size=MOST_BYTES)
    add_webhooks(app, service)
    async with site(app) as base:
        yield f"{base}/webhooks/whatsapp"


@contextlib.asynccontextmanager
async def accepting_platform() -> AsyncIterator[str]:
    """A platform that takes every message."""
    sent = 0

    async def take(request: web.Request) -> web.Response:
        nonlocal sent
        await request.read()
        sent += 1
        return web.json_response({"messaging_product": "whatsapp", "messages": [{"id": f"wamid.out{sent}"}]})

    app = web.Application()
    app.router.add_post("/{phone}/messages", take)
    async with site(app) as base:
        yield base


@contextlib.asynccontextmanager
async def site(app: web.Application) -> AsyncIterator[str]:
    """Any application on loopback; gives its address."""
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.5)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


async def nlu(config: Config, say: Callable[[str], None]) -> AsyncIterator[Figures]:
    """One NLU process over HTTP on loopback, the client on the other core.

    Keys: bench, ready_s, single_p50_ms, single_p95_ms, in_flight, per_second, p95_ms, rss_mb, n, failed.
    """
    started = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        async with local_nlu(config.nlu_home, Path(folder), "bench", say) as url, ClientSession() as session:
            if not await nlu_ready(url, 60.0):
                raise LocalError("the NLU server is not ready after 60 s; train it first: make nlu-train")
            ready = time.perf_counter() - started
            texts = _sentences(config.nlu_home / "evaluation")
            single = await _parse(url, session, texts, NLU_SINGLE, 1)
            begun = time.perf_counter()
            many = await _parse(url, session, texts, NLU_LOAD, NLU_IN_FLIGHT)
            spent = time.perf_counter() - begun
            async with session.get(f"{url}/status") as answer:
                status = await answer.json()
    alone, loaded = statistics.quantiles(single, n=100), statistics.quantiles(many, n=100)
    yield {
        "bench": "nlu",
        "model": status.get("model"),
        "ready_s": round(ready, 1),
        "single_p50_ms": round(alone[49], 2),
        "single_p95_ms": round(alone[94], 2),
        "in_flight": NLU_IN_FLIGHT,
        "per_second": round(len(many) / spent, 1),
        "p95_ms": round(loaded[94], 2),
        "rss_mb": status.get("rss_mb"),
        "train_s": status.get("seconds"),
        "n": len(single) + len(many),
        "failed": NLU_SINGLE + NLU_LOAD - len(single) - len(many),
    }


def _sentences(folder: Path) -> list[str]:
    """Return real sentences of every locale, mixed, from the evaluation files."""
    found = [
        str(row["text"])
        for path in sorted(folder.glob("*.yml"))
        for row in yaml.safe_load(path.read_text(encoding="utf-8"))["examples"]
    ]
    return found[:: max(1, len(found) // 997)]


async def _parse(url: str, session: ClientSession, texts: list[str], total: int, in_flight: int) -> list[float]:
    """Return the milliseconds of each parse that was answered; *in_flight* clients each send the next when one is."""
    times: list[float] = []
    numbers = iter(range(total))

    async def client() -> None:
        for number in numbers:
            body = {"text": texts[number % len(texts)]}
            started = time.perf_counter()
            async with session.post(f"{url}/model/parse", json=body, headers={"X-Nlu-Token": "bench"}) as answer:
                await answer.read()
                if answer.status == 200:  # noqa: PLR2004
                    times.append((time.perf_counter() - started) * 1000)

    await asyncio.gather(*(client() for _ in range(in_flight)))
    return times
