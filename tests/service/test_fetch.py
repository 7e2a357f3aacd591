"""Files that cannot be had at once: tried for a week, whatever is wrong with the account, and then said to be gone."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta

import pytest

from bot.app import Service
from bot.domain.messages import ChannelName, Media
from bot.domain.private import Private
from bot.ports import ChannelError, Wanted
from bot.service.listen import Listener
from tests import pictures
from tests.conftest import NOW

NOTE = Wanted("n1", "c1", ChannelName.TELEGRAM, Media(Private("AgAC"), "image/png", 0))


class Shelf:
    """A platform that refuses until it is told to give."""

    def __init__(self, error: Exception | None) -> None:
        self.error = error
        self.asked = 0
        self.together = 0
        self._now = 0

    async def fetch(self, media: Media, most_bytes: int) -> bytes:
        self.asked += 1
        self._now += 1
        self.together = max(self.together, self._now)
        await asyncio.sleep(0.02)
        self._now -= 1
        if self.error:
            raise self.error
        return pictures.picture("png", 4, 4)


class Clock:
    def __init__(self) -> None:
        self.now: datetime = NOW

    def __call__(self) -> datetime:
        return self.now


def listening(service: Service, shelf: Shelf, clock: Clock) -> Listener:
    return Listener(service.media, {ChannelName.TELEGRAM: shelf.fetch}, None, clock)


async def state(service: Service) -> tuple[str, str]:
    row = await service.db["media"].find_one({"_id": "n1"})
    assert row
    return row["state"], row.get("why", "")


@pytest.mark.parametrize(
    "error",
    [
        ChannelError("telegram:401", retryable=True, account=True),
        ChannelError("whatsapp:130429", retryable=True, retry_after=30.0),
        ChannelError("telegram:500", retryable=True),
        TimeoutError(),
    ],
)
async def test_an_outage_of_two_days_loses_no_file(service: Service, error: Exception) -> None:
    """A dead token, a limit or a broken platform: the file is fetched within the hour in which it is over."""
    shelf, clock = Shelf(error), Clock()
    listener = listening(service, shelf, clock)
    await service.media.want(NOTE, NOW)
    while clock.now < NOW + timedelta(days=2):
        await listener.fetch_wanted()
        clock.now += timedelta(minutes=20)
    asked, shelf.error = shelf.asked, None
    assert 20 < asked <= 145
    clock.now += timedelta(hours=1)
    assert await listener.fetch_wanted() == 1
    assert (await state(service))[0] == "kept"


async def test_what_a_channel_has_no_more_is_said_to_be_gone(service: Service) -> None:
    """It is believed the third time; then nobody asks again, and the case says why."""
    shelf, clock = Shelf(ChannelError("whatsapp:100", retryable=False)), Clock()
    listener = listening(service, shelf, clock)
    await service.media.want(NOTE, NOW)
    for _ in range(9):
        await listener.fetch_wanted()
        clock.now += timedelta(hours=1)
    assert shelf.asked == 3
    assert await state(service) == ("refused", "gone")


async def test_after_a_week_it_is_given_up(service: Service) -> None:
    shelf, clock = Shelf(TimeoutError()), Clock()
    await service.media.want(NOTE, NOW)
    clock.now += timedelta(days=8)
    await listening(service, shelf, clock).fetch_wanted()
    assert await state(service) == ("refused", "gone")


async def test_those_that_fail_do_not_stand_in_the_way(service: Service) -> None:
    """Twenty files that cannot be had, and one that can: it comes at once, several are asked for together."""
    shelf, clock = Shelf(ChannelError("telegram:500", retryable=True)), Clock()
    listener = listening(service, shelf, clock)
    for number in range(20):
        wanted = Wanted(f"old{number}", "c1", ChannelName.TELEGRAM, NOTE.media)
        await service.media.want(wanted, NOW)
    await listener.fetch_wanted()
    assert shelf.together == 4
    shelf.error = None
    await service.media.want(NOTE, clock.now)
    assert await listener.fetch_wanted() == 1
    assert (await state(service))[0] == "kept"


async def test_a_file_on_its_way_does_not_come_back_after_erasing(service: Service) -> None:
    """Its row is gone when the bytes arrive: neither it nor a piece of it is stored."""
    shelf, clock = Shelf(None), Clock()
    await service.media.want(NOTE, NOW)
    fetching = asyncio.create_task(listening(service, shelf, clock).fetch_wanted())
    await asyncio.sleep(0.01)
    await service.db["media"].delete_many({"conversation": "c1"})
    await fetching
    assert await service.db["media"].count_documents({}) == 0
    assert await service.db["media_pieces"].count_documents({}) == 0


async def test_what_was_wanted_before_there_were_times_is_fetched(service: Service) -> None:
    await service.media.want(NOTE, NOW)
    await service.db["media"].update_one({"_id": "n1"}, {"$unset": {"next_at": ""}})
    assert await listening(service, Shelf(None), Clock()).fetch_wanted() == 1


async def test_two_who_fetch_the_same_file_ask_once_and_fail_once(service: Service) -> None:
    """The turn that wants to hear a note and the clock come together; so do two processes: one try is counted."""
    shelf, clock = Shelf(ChannelError("telegram:400", retryable=False)), Clock()
    here, there = (listening(service, shelf, clock) for _ in range(2))
    await service.media.want(NOTE, NOW)
    await asyncio.gather(here._fetch(NOTE), here.fetch_wanted())
    assert shelf.asked == 1
    clock.now += timedelta(hours=1)
    await asyncio.gather(here.fetch_wanted(), there.fetch_wanted(), here._fetch(NOTE))
    row = await service.db["media"].find_one({"_id": "n1"})
    assert row and (shelf.asked, row["tries"], row["refusals"], row["state"]) == (3, 2, 2, "wanted")


async def test_one_fetch_serves_both_who_wait_for_it(service: Service) -> None:
    """A turn that is cancelled as it waits takes nobody's file away."""
    shelf, clock = Shelf(None), Clock()
    listener = listening(service, shelf, clock)
    await service.media.want(NOTE, NOW)
    turn = asyncio.create_task(listener._fetch(NOTE))
    await asyncio.sleep(0.005)
    other = asyncio.create_task(listener.fetch_wanted())
    await asyncio.sleep(0.005)
    turn.cancel()
    assert await other == 1
    assert (shelf.asked, (await state(service))[0]) == (1, "kept")
