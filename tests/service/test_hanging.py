"""One platform takes everything and never answers: the others go on, and danger is tried at once on both."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace

import pytest
from pydantic import SecretStr

import bot.service.rests
from bot.channels import telegram
from bot.config import Config
from bot.domain.messages import Address, ChannelName, Lane, OutboundMessage
from bot.domain.private import Private
from bot.ports import Channel, ChannelError, Due
from bot.service.deliver import Deliverer
from bot.service.rests import PROBE, REST, Rests
from bot.store.history import Writer
from tests.cloud import DISTRESS, Cloud, cloud, until
from tests.platforms import TELEGRAM_TOKEN, FakeTelegram, telegram_server
from tests.service.test_deliver import OneRow, Refuses, Unhurried


@dataclass
class Both:
    """A Telegram that hangs until `over` is set, and a WhatsApp that is well."""

    cloud: Cloud
    telegram: FakeTelegram
    over: asyncio.Event

    async def queue(self, number: int, lane: Lane = Lane.REPLY) -> None:
        """Put a message to somebody of their own into Telegram's queue."""
        service, name = self.cloud.service, f"t{lane}{number}"
        to = await service.sealer.seal(name, f"address:{name}", {"address": str(7000 + number)})
        await service.db["conversations"].insert_one({"_id": name, "version": 1, "address": to})
        said = OutboundMessage(Private(f"{lane} {number}"), lane=lane)
        row = await Writer(service.db, service.sealer, ()).outbox_row(
            f"{name}:1:0", name, "telegram", said, service.now()
        )
        await service.db["outbox"].insert_one(row)

    def tried(self, lane: Lane) -> int:
        return len([call for call in self.telegram.sent if call["text"].startswith(lane)])


@pytest.fixture
async def both(config: Config, mongodb_uri: str, request: pytest.FixtureRequest) -> AsyncIterator[Both]:
    over = asyncio.Event()

    async def hang(_: object) -> None:
        await over.wait()

    async with telegram_server() as fake:
        fake.before_answer = hang
        given = {"telegram_token": SecretStr(TELEGRAM_TOKEN), "telegram_api_url": fake.url}
        async with cloud(config, mongodb_uri, **given) as found:
            yield Both(found, fake, over)
            over.set()


async def test_danger_leaves_at_once_while_another_platform_hangs(both: Both) -> None:
    """D11, D16: Telegram's queue is long and nothing of it is answered; a cry for help is answered within 2 s."""
    for number in range(30):
        await both.queue(number)

    async def full() -> bool:
        return both.tried(Lane.REPLY) >= 4

    await until(full)
    began = time.monotonic()
    assert await both.cloud.post(both.cloud.item("text", {"body": DISTRESS})) == 200

    async def answered() -> bool:
        return bool(both.cloud.platform.calls)

    await until(answered, 2)
    await both.queue(99, Lane.DISTRESS)

    async def tried() -> bool:
        return both.tried(Lane.DISTRESS) == 1

    await until(tried, 2)
    assert time.monotonic() - began < 4


@pytest.fixture
def hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody waits here for what is waited for in earnest."""
    monkeypatch.setattr(telegram, "ANSWER_SECONDS", 0.4)
    monkeypatch.setattr(bot.service.rests, "REST", 2.0)


async def test_a_platform_that_hangs_is_left_alone_for_a_moment(hasty: None, both: Both) -> None:
    """Only what was on its way is in doubt, the rest waits untried; danger is tried all the same; then all leaves."""
    for number in range(12):
        await both.queue(number)
    rows = both.cloud.service.db["outbox"]

    async def in_doubt() -> bool:
        return await rows.count_documents({"state": "unknown"}) >= 4

    await until(in_doubt)
    await both.queue(99, Lane.DISTRESS)

    async def tried() -> bool:
        return both.tried(Lane.DISTRESS) == 1

    await until(tried, 1.5)
    assert both.tried(Lane.REPLY) == 4
    both.over.set()

    async def left() -> bool:
        return both.tried(Lane.REPLY) == 12

    await until(left, 15)
    assert await rows.count_documents({"channel": "telegram", "state": "waiting"}) == 0


def due(lane: Lane = Lane.REPLY) -> Due:
    to = Address(ChannelName.TELEGRAM, Private("7"))
    return Due("c:1:0", "c", to, OutboundMessage(Private("x"), lane=lane))


def test_after_a_rest_one_message_asks_for_all() -> None:
    """A single silence is nobody's rest; after two in a row one is risked at a time, until something answers."""
    now = [0.0]
    rests, channel = Rests(lambda: now[0]), ChannelName.TELEGRAM
    rests.silent(channel)
    rests.answered(channel)
    rests.silent(channel)
    assert rests.may(due()) and rests.now() == frozenset()
    rests.silent(channel)
    assert not rests.may(due()) and rests.may(due(Lane.DISTRESS))
    now[0] += REST + 0.1
    assert rests.may(due()) and not rests.may(due())
    assert rests.next_end(99) == PROBE
    rests.answered(channel)
    assert rests.may(due()) and rests.may(due())


def test_one_that_was_to_ask_and_stays_leaves_the_question_to_another() -> None:
    """A receipt settled it just then: the next one asks at once. What never was to ask changes nothing."""
    now = [0.0]
    rests, channel = Rests(lambda: now[0]), ChannelName.TELEGRAM
    for _ in range(2):
        rests.silent(channel)
    rests.stayed(due())
    assert not rests.may(due())
    now[0] += REST + 0.1
    assert rests.may(due())
    rests.stayed(replace(due(), id="another"))
    assert not rests.may(due())
    rests.stayed(due())
    assert rests.may(due()) and not rests.may(due())


async def test_a_probe_that_was_settled_meanwhile_costs_nobody_a_rest() -> None:
    """After a silence the first row turns out to be settled already; the second leaves at once, not after the rest."""
    now, left = [0.0], []

    class Rows(OneRow):
        async def sending(self, due: Due) -> bool:
            return due.id != "gone:1:0"

    class Answers(Refuses):
        async def send(self, address: Address, message: OutboundMessage, outbox_id: str) -> Private:
            left.append(outbox_id)
            return Private("id")

    rows = Rows(0, name="c:1:0")
    channel: Channel = Answers(ChannelError("x", retryable=True))
    deliverer = Deliverer(rows, {ChannelName.WHATSAPP: channel}, Unhurried(), "me", lambda: now[0])
    for _ in range(2):
        deliverer._rests.silent(ChannelName.WHATSAPP)
    now[0] += REST + 0.1
    for name in ("gone:1:0", "c:1:0"):
        rows.due = replace(rows.due, id=name)
        assert await deliverer.work()
    assert left == ["c:1:0"]
