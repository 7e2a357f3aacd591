"""Leases are short, and last as long as the work: nobody waits long for the dead, nobody does what another is doing."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from bot.app import Service, utc_now
from bot.domain.messages import Address, ChannelName, Lane, OutboundMessage
from bot.domain.private import Private
from bot.ports import Alert
from bot.service import deliver
from bot.service.deliver import Deliverer
from bot.service.renewal import kept
from bot.service.watch import Watch
from bot.store import alerts
from bot.store.history import Writer
from tests.service.test_deliver import TO, Unhurried

HOOK = "webhook"
PAGE = Alert(f"a:1:{HOOK}", "", HOOK, "stale_list", "x", "en")
LONG = 3 * alerts.LEASE_MS / 1000


class SlowPager:
    """Takes a page, in time."""

    name = HOOK

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self.taken = 0

    async def page(self, alert: Alert) -> None:
        await asyncio.sleep(self._seconds)
        self.taken += 1

    async def check(self, alert: Alert) -> None:
        return


class SlowChannel:
    """Takes a message, in time."""

    name = ChannelName.WHATSAPP

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self.taken = 0

    async def send(self, address: Address, message: OutboundMessage, outbox_id: str) -> Private:
        await asyncio.sleep(self._seconds)
        self.taken += 1
        return Private("wamid.1")

    async def forget(self, address: Address, message_ids: object) -> None:
        return


def watch(service: Service, pager: SlowPager, owner: str) -> Watch:
    return Watch(
        service.cases, service.alerts, {HOOK: pager}, lambda: service.content, utc_now, lambda: None, owner, service.merges
    )  # fmt: skip


async def meanwhile(work: Awaitable[object], other: Callable[[], Awaitable[object]]) -> int:
    """Do *work*; another process does *other* all the time and must find nothing to do. Return how often it looked."""
    working, looks = asyncio.ensure_future(work), 0
    await asyncio.sleep(0.1)
    while not working.done():
        assert not await other()
        looks += 1
        await asyncio.sleep(0.05)
    assert await working
    return looks


async def test_a_page_that_takes_long_is_sent_by_one(service: Service) -> None:
    await service.alerts.add([PAGE], utc_now())
    pager = SlowPager(LONG)
    one, two = watch(service, pager, "one"), watch(service, pager, "two")
    assert await meanwhile(one.page(HOOK), lambda: two.page(HOOK)) > 10
    assert (pager.taken, await two.page(HOOK)) == (1, False)


async def test_a_page_of_the_dead_is_sent_within_two_seconds(service: Service) -> None:
    await service.alerts.add([PAGE], utc_now())
    assert await service.alerts.next_due("dead", HOOK)
    pager = SlowPager(0)
    async with asyncio.timeout(2):
        while not await watch(service, pager, "alive").page(HOOK):
            await asyncio.sleep(0.05)
    assert pager.taken == 1


async def test_a_message_that_takes_long_is_sent_by_one(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bot.store.outbox.LEASE_MS", 600)
    monkeypatch.setattr(deliver, "RENEWED", 0.15)
    to = await service.sealer.seal("p1", "address:p1", {"address": TO.value.reveal()})
    await service.db["conversations"].insert_one({"_id": "p1", "version": 1, "address": to})
    said = OutboundMessage(Private("112"), lane=Lane.DISTRESS)
    row = await Writer(service.db, service.sealer, ()).outbox_row("p1:1:0", "p1", "whatsapp", said, utc_now())
    await service.db["outbox"].insert_one(row)
    channel, outbox = SlowChannel(2.0), service.outbox.of(ChannelName.WHATSAPP)
    one, two = (
        Deliverer(outbox, {ChannelName.WHATSAPP: channel}, Unhurried(), owner, lambda: 0.0) for owner in ("one", "two")
    )
    assert await meanwhile(one.work(), two.work) > 10
    sent = await service.db["outbox"].find_one({})
    assert sent and (channel.taken, sent["state"], sent.get("doubts", 0)) == (1, "sent", 0)


async def test_what_is_lost_or_done_is_not_renewed(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    await service.alerts.add([PAGE], utc_now())
    assert await service.alerts.next_due("one", HOOK)
    assert await service.alerts.renew(PAGE, "one")
    assert not await service.alerts.renew(PAGE, "two")
    monkeypatch.setattr(alerts, "LEASE_MS", 0)
    await service.alerts.renew(PAGE, "one")
    await asyncio.sleep(0.01)
    assert await service.alerts.next_due("two", HOOK)
    assert not await service.alerts.renew(PAGE, "one")
    await service.alerts.done(PAGE)
    assert not await service.alerts.renew(PAGE, "two")


async def test_a_renewal_that_fails_is_tried_again_and_one_that_is_refused_is_not() -> None:
    answers: list[Exception | bool] = [ConnectionError(), True, False, True]
    asked = 0

    async def renew() -> bool:
        nonlocal asked
        asked += 1
        answer = answers[asked - 1]
        if isinstance(answer, Exception):
            raise answer
        return answer

    async with kept(renew, 0.01):
        await asyncio.sleep(0.2)
    assert asked == 3
