"""A made-up cry for help goes the whole path, wakes nobody, leaves nothing, and tells of what it did not reach."""

from __future__ import annotations

import asyncio
import socket

from bot.app import Service, open_service, running, web_app
from bot.config import Config, load_config
from bot.domain.canary import canary
from bot.service.canary import Canary
from tests.platforms import TELEGRAM_TOKEN, alert_server, serving, telegram_server


def closed_port() -> int:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return int(sock.getsockname()[1])


def shortened(service: Service) -> Canary:
    service.canary._patience = 4.0
    return service.canary


async def test_it_arrives_and_what_it_does_not_reach_is_told(config: Config, mongodb_uri: str) -> None:
    """Group and webhook are there, the mail server is not: the others hear of it, once; the group got no test page."""
    async with alert_server() as (url, pages), telegram_server() as group:
        given = load_config(
            SAHYATRI_DATA=config.data, MONGODB_NAME=config.mongodb_name, ALERT_WEBHOOK_URL=url,
            ALERT_WEBHOOK_SECRET="made-up-alert-key", ALERT_EMAIL_TO="a@example.org", ALERT_EMAIL_FROM="b@example.org",
            SMTP_HOST="127.0.0.1", SMTP_PORT=closed_port(), SMTP_TLS="none", TELEGRAM_TOKEN=TELEGRAM_TOKEN,
            TELEGRAM_API_URL=group.url, TELEGRAM_RESPONDERS_CHAT="-1", PUBLIC_URL="https://a.example",
            TELEGRAM_WEBHOOK_SECRET="made_up",
        )  # fmt: skip
        async with open_service(given, mongodb_uri=mongodb_uri, nlu_url="http://127.0.0.1:9") as service:
            async with running(service), serving(web_app(service)) as site:
                flight = await shortened(service).fly()
                async with service.http.get(f"{site}/health") as answer:
                    health = await answer.json()
            assert set(flight.arrived) == {"console", "webhook", "telegram"}
            assert flight.missing == ("email",)
            assert [page["kind"] for page in pages] == ["canary", "canary_failed"]
            said = [call["text"] for name, call in group.calls if name == "sendMessage"]
            assert len(said) == 1
            assert "email" in said[0]
            assert (health["ok"], health["canary"]["missing"]) == (True, ["email"])
            kept = await service.canary._canaries.last()
            assert kept
            assert (kept.arrived, kept.missing) == (flight.arrived, flight.missing)
            for name in ("cases", "case_events", "alerts", "inbox", "outbox", "conversations"):
                assert await service.db[name].count_documents({}) == 0, name
            await service.db.client.drop_database(config.mongodb_name)


async def test_it_is_no_person_in_the_queue(service: Service) -> None:
    """While it is under way, its case is not in the queue, has no clock, and was paged only as a canary."""
    canaries = service.canary._canaries
    async with running(service):
        await service.receiver.receive(canary(service.now()))
        async with asyncio.timeout(10):
            while not await canaries.arrived():
                await asyncio.sleep(0.05)
        case = await service.db["cases"].find_one({})
        assert case
        assert case["escalate_at"] is None
        assert await service.cases.queue() == []
        assert await service.db["alerts"].distinct("kind") == ["canary"]


async def test_of_several_processes_one_sends_it(service: Service) -> None:
    canaries = service.canary._canaries
    turns = await asyncio.gather(*(canaries.my_turn(300.0) for _ in range(6)))
    assert sum(turns) == 1
    assert not await canaries.my_turn(300.0)
