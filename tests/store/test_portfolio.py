"""No more people are written to first in a day than the platform allows; greetings leave room for responders."""

from __future__ import annotations

import asyncio
from datetime import timedelta

from bot.app import Service
from bot.domain.messages import Address, ChannelName, OutboundMessage
from bot.domain.pace import Limit, Pace
from bot.domain.private import NOTHING_SAID, Private
from bot.ports import Due
from bot.store.pace import MongoPace
from bot.store.portfolio import MongoPortfolio
from tests.conftest import NOW

WIDE = Limit(1, 10_000)


def due(
    person: str, *, author: str = "bot", template: str = "hello", channel: ChannelName = ChannelName.WHATSAPP,
    heard: float | None = 30,
) -> Due:  # fmt: skip
    """A row for somebody who wrote so many hours ago."""
    at = NOW - timedelta(hours=heard) if heard is not None else None
    message = OutboundMessage(NOTHING_SAID, template=template, author=author)
    return Due(f"{person}:1", person, Address(channel, Private(person)), message, heard_at=at)


def portfolio(service: Service, most: int = 10, hours: float = 0) -> MongoPortfolio:
    return MongoPortfolio(service.db, service.health, most, lambda: NOW + timedelta(hours=hours))


async def test_greetings_leave_a_fifth_for_responders_and_then_wait_for_tomorrow(service: Service) -> None:
    pace = MongoPace(service.db, {ChannelName.WHATSAPP: Pace(WIDE, WIDE)}, portfolio(service))
    assert [await pace.take(due(f"p{number}")) for number in range(8)] == [None] * 8
    hold = await pace.take(due("p8"))
    assert hold
    assert (hold.scope, hold.most) == ("tomorrow", 10)
    assert 86_000 < hold.seconds <= 86_400
    assert [await pace.take(due(f"r{number}", author="asha")) for number in range(2)] == [None, None]
    assert await pace.take(due("r2", author="asha"))


async def test_who_has_been_counted_counts_once_a_day(service: Service) -> None:
    one = portfolio(service, 2)
    assert await one.take(due("p1")) is None
    assert await one.take(due("p1")) is None
    assert await one.take(due("p2", author="asha")) is None
    assert await one.take(due("p1")) is None
    assert await one.take(due("p3", author="asha"))
    assert await portfolio(service, 2, hours=24.1).take(due("p3", heard=60)) is None


async def test_what_begins_nothing_is_not_counted(service: Service) -> None:
    """Words of our own, a template inside the window, another channel."""
    one = portfolio(service, 1)
    assert await one.take(due("p1", template="")) is None
    assert await one.take(due("p2", heard=23)) is None
    assert await one.take(due("p3", channel=ChannelName.TELEGRAM)) is None
    assert not await service.db["written_first"].count_documents({})


async def test_at_once_from_several_processes_no_more_leave(service: Service) -> None:
    several = [portfolio(service, 5) for _ in range(3)]
    asked = [several[number % 3].take(due(f"p{number}", author="asha")) for number in range(30)]
    held = await asyncio.gather(*asked)
    assert sum(hold is None for hold in held) <= 5
    assert await service.db["written_first"].count_documents({}) <= 5


async def test_the_limit_is_the_platforms_word_until_the_operator_sets_one(service: Service) -> None:
    await service.db["written_first"].insert_many({"_id": f"x{number}", "at": NOW} for number in range(200))
    assert await portfolio(service, 0).take(due("p1"))
    await service.health.keep_limit("whatsapp", 2000)
    assert await portfolio(service, 0).take(due("p1")) is None
    assert await portfolio(service, 100).take(due("p2"))
    await service.health.keep_limit("whatsapp", 0)
    assert await portfolio(service, 0).take(due("p3")) is None
