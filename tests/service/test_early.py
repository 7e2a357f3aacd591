"""Responders hear of danger though the database is silent or nobody answers, and see that it is one person."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
from pymongo import AsyncMongoClient

from bot.app import Service, open_service, utc_now
from bot.config import Config, load_config
from bot.domain.messages import Address, Carrier, ChannelName, InboundMessage
from bot.domain.private import Private
from bot.domain.risk import Risk
from bot.ports import Alert, ChannelError, reference
from bot.running import running
from bot.service.early import PATIENCE, EarlyPages
from tests.platforms import alert_server

DISTRESS = "mujhe malik ne kamre me band kar diya hai bachao"
QUESTION = "how much is the minimum wage in kerala"


def message(number: int, text: str, person: str = "p1") -> InboundMessage:
    now = utc_now()
    address = Address(ChannelName.TERMINAL, Private(person))
    return InboundMessage(f"terminal:{person}:{number}", address, Carrier.TEXT, Private(text), now, now)


@asynccontextmanager
async def silent(uri: str) -> AsyncIterator[None]:
    """The server takes the service's commands and answers none of them in time."""
    data = {
        "failCommands": ["insert", "find", "findAndModify", "update", "aggregate"],
        "blockConnection": True,
        "blockTimeMS": 2500,
        "appName": "sahyatri",
    }
    client: AsyncMongoClient[dict[str, Any]] = AsyncMongoClient(uri)
    async with client:
        await client.admin.command({"configureFailPoint": "failCommand", "mode": {"times": 1_000_000}, "data": data})
        try:
            yield
        finally:
            await client.admin.command({"configureFailPoint": "failCommand", "mode": "off"})


class Pages:
    """A pager that keeps what it was given."""

    name = "webhook"

    def __init__(self) -> None:
        self.pages: list[Alert] = []

    async def page(self, alert: Alert) -> None:
        self.pages.append(alert)

    async def check(self, alert: Alert) -> None:
        raise AssertionError("no canary flies here")


class Clock:
    def __init__(self) -> None:
        self.seconds = 1000.0

    def __call__(self) -> float:
        return self.seconds


def early(service: Service, pager: Pages, clock: Clock) -> EarlyPages:
    return EarlyPages(service.inbox, service.alerts, {"webhook": pager}, service.knowledge, clock)


@pytest.mark.timeout(60)
async def test_danger_is_paged_while_the_database_is_silent(config: Config, mongodb_uri: str) -> None:
    """One page at once without a case, one with the case when it could be stored; both name the same message."""
    async with alert_server() as (url, pages):
        given = load_config(
            SAHYATRI_DATA=config.data, MONGODB_NAME=config.mongodb_name, ALERT_WEBHOOK_URL=url,
            ALERT_WEBHOOK_SECRET="made-up-alert-key",
        )  # fmt: skip
        async with open_service(given, mongodb_uri=mongodb_uri, nlu_url="http://127.0.0.1:9") as service:
            async with running(service):
                async with silent(mongodb_uri):
                    for number, text in enumerate((DISTRESS, QUESTION, DISTRESS)):
                        assert await service.receiver.receive(message(number, text))
                    async with asyncio.timeout(2):
                        while not pages:
                            await asyncio.sleep(0.02)
                    assert [page["case"] for page in pages] == [""]
                async with asyncio.timeout(20):
                    while not any(page["case"] for page in pages):
                        await asyncio.sleep(0.05)
            ref = reference(service.inbox.row_id("terminal:p1:0"))
            assert [page["ref"] for page in pages] == [ref, ref]
            assert [case.id for case in await service.cases.queue()] == [pages[1]["case"]]
            assert not service.spool.waiting


async def test_what_nobody_answers_is_paged_after_a_while(service: Service) -> None:
    """Accepted, but every worker hangs: this process pages by itself; for a question it does not."""
    pager, clock = Pages(), Clock()
    watch = early(service, pager, clock)
    for number, (person, text) in enumerate((("p1", DISTRESS), ("p1", DISTRESS), ("p2", QUESTION))):
        said = message(number, text, person)
        await service.inbox.add(said)
        watch.heard(said, spooled=False)

    assert await watch.look() == 0
    clock.seconds += PATIENCE
    assert await watch.look() == 1
    await asyncio.sleep(0)

    assert [page.ref for page in pager.pages] == [reference(service.inbox.row_id("terminal:p1:0"))]


async def test_what_was_answered_and_paged_is_left_alone(service: Service) -> None:
    """A page that went out in time is not followed by an early one; one that nothing has sent is."""
    pager, clock = Pages(), Clock()
    watch = early(service, pager, clock)
    service.receiver._early = watch
    async with running(service):
        await service.receiver.receive(message(1, DISTRESS))
        async with asyncio.timeout(10):
            while not await service.cases.queue():
                await asyncio.sleep(0.05)
    ref = reference(service.inbox.row_id("terminal:p1:1"))
    clock.seconds += PATIENCE
    assert await watch.look() == 0

    row = {"_id": "x", "ref": ref, "channel": "webhook", "state": "waiting", "attempts": 0}
    await service.db["alerts"].insert_one(row)
    assert await service.alerts.unheard([service.inbox.row_id("terminal:p1:1")])
    await service.db["alerts"].update_one({"_id": "x"}, {"$set": {"state": "sent"}})
    assert not await service.alerts.unheard([service.inbox.row_id("terminal:p1:1")])


class Dead(Pages):
    """A pager that takes nothing until it is mended."""

    dead = True
    tries = 0

    async def page(self, alert: Alert) -> None:
        self.tries += 1
        if self.dead:
            raise ChannelError("dead", retryable=True)
        await super().page(alert)


async def until(right: Callable[[], bool]) -> None:
    async with asyncio.timeout(10):
        while not right():
            await asyncio.sleep(0.01)


async def test_a_page_goes_on_until_somebody_has_it(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    """Not for some seconds only: until a channel takes it, or the message is in good hands."""
    monkeypatch.setattr("bot.service.early.BACK_OFF", (0.01, 0.01))
    monkeypatch.setattr("bot.service.early.GO_ON_EVERY", 0.02)
    pager = Dead()
    watch = early(service, pager, Clock())
    first, second = message(1, DISTRESS, "p1"), message(2, DISTRESS, "p2")
    for said in (first, second):
        watch.heard(said, spooled=True)
    assert await watch.look() == 2
    await until(lambda: pager.tries > 20)
    await service.inbox.add(first)
    await service.db["inbox"].update_one({}, {"$set": {"state": "answered"}})
    await until(lambda: len(watch._tasks) == 1)
    pager.dead = False
    await until(lambda: not watch._tasks)
    assert [page.ref for page in pager.pages] == [reference(service.inbox.row_id(second.key))]


async def test_a_message_that_cannot_be_judged_drops_no_other(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    pager = Pages()
    watch = early(service, pager, Clock())
    judge = watch._danger

    def broken(said: InboundMessage) -> Risk | None:
        if said.key.endswith(":1"):
            raise ZeroDivisionError
        return judge(said)

    monkeypatch.setattr(watch, "_danger", broken)
    for number, person in enumerate(("p1", "p2", "p3")):
        watch.heard(message(number, DISTRESS, person), spooled=True)
    assert await watch.look() == 2
    await until(lambda: len(pager.pages) == 2)
