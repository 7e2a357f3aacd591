"""Long polling: confirms only what is kept, one process at a time, goes on after every fault."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import time
from collections.abc import AsyncIterator
from datetime import UTC, datetime

import pytest
from telegram import Bot

from bot.app import Service
from bot.channels.telegram_polling import LASTING_FAULT, TAPS_AT_ONCE, Poller, keep_polling
from bot.channels.telegram_receiving import Intake
from bot.config import ConfigError, load_config
from bot.domain.messages import ChannelName
from bot.doors import _stand
from bot.ports import StoreUnavailable
from bot.store.leases import MongoLeases
from bot.store.standings import MongoStandings
from tests.channels.conftest import Taken
from tests.channels.telegram_shapes import tap, update
from tests.platforms import FakeTelegram, refused


class Right:
    """The right to poll."""

    def __init__(self) -> None:
        self.mine = True
        self.down = False
        self.released = 0

    async def hold(self) -> bool:
        if self.down:
            raise StoreUnavailable("down")
        return self.mine

    async def release(self) -> None:
        self.released += 1


def poller(bot: Bot, taken: Taken, right: Right) -> Poller:
    return Poller(bot, Intake(bot, taken.receive, taken.quarantine, lambda: datetime.now(UTC)), right.hold)


def alarming(bot: Bot, taken: Taken, told: list[str], now: list[float]) -> Poller:
    """A poller whose operator is a list, by a clock that the test sets."""

    async def tell(reason: str) -> None:
        told.append(reason)

    intake = Intake(bot, taken.receive, taken.quarantine, lambda: datetime.now(UTC))
    return Poller(bot, intake, Right().hold, tell, lambda: now[0])


@contextlib.asynccontextmanager
async def polling(bot: Bot, taken: Taken, right: Right) -> AsyncIterator[None]:
    task = asyncio.create_task(keep_polling(poller(bot, taken, right), right.release))
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def confirmed(platform: FakeTelegram, number: int) -> None:
    async with asyncio.timeout(10):
        while platform.confirmed < number:
            await asyncio.sleep(0.02)


async def test_polling_confirms_only_what_is_kept(platform: FakeTelegram, bot: Bot, taken: Taken) -> None:
    """The offset moves past an update only after it is durable; while the store is down nothing is confirmed."""
    taken.down = True
    platform.updates = [update(10, text="one"), update(11, text="two")]
    async with polling(bot, taken, right := Right()):
        await asyncio.sleep(0.3)
        assert platform.confirmed == 0
        taken.down = False
        await confirmed(platform, 12)
    assert [item.text.reveal() for item in taken.messages] == ["one", "two"]
    assert right.released == 1


async def test_one_that_cannot_be_read_holds_up_nobody(platform: FakeTelegram, bot: Bot, taken: Taken) -> None:
    """E10: the malformed one is kept aside, its neighbours are heard."""
    broken = {"update_id": 11, "message": {"chat": 5}}
    platform.updates = [update(10, text="one"), broken, update(12, text="two")]
    assert await poller(bot, taken, Right()).step() == 0
    assert [item.text.reveal() for item in taken.messages] == ["one", "two"] and len(taken.aside) == 1


async def test_a_tap_is_answered_after_it_is_kept(platform: FakeTelegram, bot: Bot, taken: Taken) -> None:
    """And a refusal of that answer ("query is too old") changes nothing."""
    platform.updates = [tap(1, "c:menu"), tap(2, "c:menu")]
    platform.refusals["answerCallbackQuery"] = refused(400, "Bad Request: query is too old")
    async with polling(bot, taken, Right()):
        await confirmed(platform, 3)
        async with asyncio.timeout(5):
            while not platform.called("answerCallbackQuery"):
                await asyncio.sleep(0.02)
    assert [item.choice for item in taken.messages] == ["c:menu", "c:menu"]
    assert len(platform.called("answerCallbackQuery")) == 1


async def test_a_tap_that_hangs_holds_up_nobody(platform: FakeTelegram, bot: Bot, taken: Taken) -> None:
    """The answers to taps take for ever; whoever wrote after them is heard in the same moment."""
    over = asyncio.Event()

    async def hang(_: object) -> None:
        await over.wait()

    platform.before_answer = hang
    platform.updates = [*(tap(number, "c:menu") for number in range(1, 7)), update(7, text="help")]
    polls, began = poller(bot, taken, Right()), time.monotonic()
    assert await polls.step() == 0
    assert time.monotonic() - began < 2
    assert taken.messages[-1].text.reveal() == "help"
    await asyncio.sleep(0.3)
    assert len(platform.called("answerCallbackQuery")) == TAPS_AT_ONCE
    await polls.close()
    over.set()


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (refused(401, "Unauthorized"), "telegram:InvalidToken"),
        (refused(404, "Not Found"), "telegram:InvalidToken"),
        (refused(409, "Conflict: terminated by other getUpdates request"), "telegram:Conflict"),
    ],
)
async def test_the_operator_hears_of_the_accounts_faults(
    platform: FakeTelegram, bot: Bot, taken: Taken, answer: tuple[int, dict[str, object]], reason: str
) -> None:
    """T6: token and second poller, at once."""
    told: list[str] = []
    platform.refusals["getUpdates"] = answer
    await alarming(bot, taken, told, [0.0]).step()
    assert told == [reason]


async def test_a_refusal_while_polling_moves_the_page_and_being_served_moves_it_back(
    platform: FakeTelegram, bot: Bot, taken: Taken, service: Service
) -> None:
    """D7: 401 and 409 lead people to the other channels first; an outage does not; the first good answer ends it."""
    intake = Intake(bot, taken.receive, taken.quarantine, lambda: datetime.now(UTC))
    stand = functools.partial(_stand, service, ChannelName.TELEGRAM)
    polls, others = Poller(bot, intake, Right().hold, stand=stand), MongoStandings(service.db)

    async def refusing(answer: tuple[int, dict[str, object]] | None) -> bool:
        if answer:
            platform.refusals["getUpdates"] = answer
        await polls.step()
        await others.refresh()
        assert others.refused == service.standings.refused
        return ChannelName.TELEGRAM in others.refused

    platform.updates = [update(10, text="one")]
    assert not await refusing(refused(502, "Bad Gateway"))
    assert await refusing(refused(401, "Unauthorized"))
    assert await refusing(refused(502, "Bad Gateway"))
    assert not await refusing(None)
    assert await refusing(refused(409, "Conflict: terminated by other getUpdates request"))
    assert not await refusing(None) and len(taken.messages) == 1


async def test_the_operator_hears_of_what_does_not_pass(platform: FakeTelegram, bot: Bot, taken: Taken) -> None:
    """An outage of a moment is nobody's page; one of five minutes is; what goes right in between starts anew."""
    told: list[str] = []
    now = [0.0]
    polls = alarming(bot, taken, told, now)
    platform.updates = [update(10, text="one")]
    for minutes, fails in ((0, True), (4, True), (5, False), (6, True), (10, True), (12, True)):
        now[0] = minutes * 60.0
        taken.down = False
        if fails:
            platform.refusals["getUpdates"] = refused(502, "Bad Gateway")
        await polls.step()
        assert bool(told) == (minutes == 12), minutes
    taken.down, platform.updates = True, [update(11, text="two")]
    await polls.step()
    assert set(told) == {LASTING_FAULT}


async def test_an_operator_who_cannot_be_told_stops_nothing(platform: FakeTelegram, bot: Bot, taken: Taken) -> None:
    """The database is silent too: polling goes on."""

    async def silent(_: str) -> None:
        raise StoreUnavailable("silent")

    intake = Intake(bot, taken.receive, taken.quarantine, lambda: datetime.now(UTC))
    polls = Poller(bot, intake, Right().hold, silent)
    platform.refusals["getUpdates"] = refused(401, "Unauthorized")
    assert await polls.step() > 0
    platform.updates = [update(10, text="one")]
    assert await polls.step() == 0


async def test_only_who_has_the_right_polls(platform: FakeTelegram, bot: Bot, taken: Taken) -> None:
    """While the database is silent nobody else can begin, so who polls goes on; who does not waits."""
    platform.updates = [update(10, text="one")]
    right, other = Right(), Right()
    other.mine = False
    assert await poller(bot, taken, other).step() > 0
    assert taken.messages == []
    mine = poller(bot, taken, right)
    await mine.step()
    right.down = other.down = True
    platform.updates.append(update(11, text="two"))
    await mine.step()
    assert await poller(bot, taken, other).step() > 0
    assert [item.text.reveal() for item in taken.messages] == ["one", "two"]


@pytest.mark.parametrize(
    ("answer", "least"),
    [
        (refused(409, "Conflict: terminated by other getUpdates request"), 60),
        (refused(401, "Unauthorized"), 60),
        (refused(429, "Too Many Requests", retry_after=7), 7),
        (refused(502, "Bad Gateway"), 1),
    ],
)
async def test_faults_make_it_wait_longer_and_longer(
    platform: FakeTelegram, bot: Bot, taken: Taken, answer: tuple[int, dict[str, object]], least: float
) -> None:
    """409, token, too many requests, outage: it waits, twice as long each time, and then goes on as before."""
    polls = poller(bot, taken, Right())
    waits = []
    for _ in range(8):
        platform.refusals["getUpdates"] = answer
        waits.append(await polls.step())
    assert waits[0] >= least and waits == sorted(waits) and waits[-1] >= 60
    platform.updates = [update(10, text="one")]
    assert await polls.step() == 0
    assert len(taken.messages) == 1


async def test_no_network_makes_it_wait(taken: Taken, bot: Bot, platform: FakeTelegram) -> None:
    """A webhook that is still set is a conflict; nothing pending is dropped by it."""
    platform.webhook["url"] = "https://old.example.org/webhooks/telegram"
    platform.updates = [update(10, text="one")]
    polls = poller(bot, taken, Right())
    assert await polls.step() >= 60
    platform.webhook.clear()
    assert await polls.step() == 0
    assert len(taken.messages) == 1
    assert not platform.called("deleteWebhook")


async def test_the_right_is_one_processes(service: Service) -> None:
    """Of two processes one holds it, keeps it, and gives it up or loses it when its time is over."""
    first, second = (MongoLeases(service.db, service.sealer, name) for name in ("a:1", "b:2"))
    assert await first.hold("x", 30) and await first.hold("x", 30)
    assert not await second.hold("x", 30)
    await second.release("x")
    assert not await second.hold("x", 30)
    await first.release("x")
    assert await second.hold("x", 0.05)
    await asyncio.sleep(0.1)
    assert await first.hold("x", 30)
    assert [await leases.once("group:1") for leases in (first, second, first)] == [True, False, False]
    assert not [row async for row in service.db["marks"].find({"_id": {"$regex": "group"}})]


def test_how_messages_come_is_a_setting() -> None:
    """Polling unless people can reach us over https; a webhook needs an address and a secret."""
    token = {"TELEGRAM_TOKEN": "1:x"}
    https = {"PUBLIC_URL": "https://a.example", "TELEGRAM_WEBHOOK_SECRET": "made_up_secret_16"}
    assert load_config(**token).telegram_polls
    assert not load_config(**token, **https).telegram_polls
    assert load_config(**token, **https, TELEGRAM_MODE="polling").telegram_polls
    assert load_config(**token, PUBLIC_URL="https://a.example", TELEGRAM_MODE="polling").telegram_polls
    for wrong in ({"TELEGRAM_MODE": "webhook"}, {**https, "TELEGRAM_WEBHOOK_SECRET": "made up secret 16"}):
        with pytest.raises(ConfigError):
            load_config(**token, **wrong)
