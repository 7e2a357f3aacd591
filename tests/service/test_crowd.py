"""A flood from one person: all of it is read for danger, one reply says so, and others are answered meanwhile."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from bot.app import Service
from bot.chat import Chat
from bot.domain.messages import Address
from bot.running import running
from bot.service.crowd import MOST_A_MINUTE, SAID_AGAIN, Crowd
from bot.store.effects import MOST_REPORTS
from tests.conftest import NOW
from tests.service.test_early import message


@pytest.mark.timeout(120)
async def test_a_flood_is_answered_once_and_danger_in_the_middle_opens_a_case(service: Service) -> None:
    for number in range(300):
        text = "they locked us in the factory" if number == 150 else f"hello number {number}"
        await service.receiver.receive(message(number, text))
    await service.receiver.receive(message(0, "hello", "p2"))
    async with running(service):
        async with asyncio.timeout(100):
            while await service.db["inbox"].count_documents({"state": "waiting"}):
                await asyncio.sleep(0.1)
    assert len(await service.cases.queue()) == 1
    said = [
        (await service.outbox.one(row["conversation"], row["_id"]) or {})["message_id"]
        async for row in service.db["outbox"].find({"conversation": service.inbox.conversation_id(address("p1"))})
    ]
    assert said.count("core.slower") == 1
    assert len(said) < 4 * MOST_A_MINUTE
    assert await service.db["outbox"].count_documents({"conversation": service.inbox.conversation_id(address("p2"))})


def address(person: str) -> Address:
    return message(0, "", person).address


def test_a_person_is_hurried_only_by_many_in_one_minute() -> None:
    crowd = Crowd()
    step = timedelta(seconds=1)
    assert [crowd.hurried("p1", NOW + number * step) for number in range(MOST_A_MINUTE)] == [False] * MOST_A_MINUTE
    assert crowd.hurried("p1", NOW + MOST_A_MINUTE * step)
    assert not crowd.hurried("p2", NOW + MOST_A_MINUTE * step)
    assert not crowd.hurried("p1", NOW + timedelta(minutes=5))
    slow = Crowd()
    assert not any(slow.hurried("p1", NOW + number * timedelta(seconds=4)) for number in range(100))


def test_it_is_said_once_while_it_lasts() -> None:
    crowd = Crowd()
    assert crowd.says_so("p1", NOW)
    assert not any(crowd.says_so("p1", NOW + number * timedelta(minutes=1)) for number in range(1, 30))
    assert crowd.says_so("p1", NOW + timedelta(minutes=29) + SAID_AGAIN + timedelta(seconds=1))


async def test_of_many_reports_in_a_day_the_later_ones_wake_nobody_and_danger_still_does(service: Service) -> None:
    """They stand in the queue; the person is answered as always."""
    chat = Chat(service)
    async with running(service, chat.on_turn):
        await chat.say("", "l:en")
        paged = []
        for _ in range(MOST_REPORTS + 1):
            turn, _ = await chat.say("", "c:report_recruiter")
            name = turn.conversation.open_case
            paged.append(await service.db["alerts"].count_documents({"case": name}) > 0)
            case = await service.cases.get(name)
            assert case
            await service.respond.claim(case, "asha")
            await service.respond.close(case, "asha", "noted")
        assert paged == [True] * MOST_REPORTS + [False]
        turn, _ = await chat.say("they locked us in the factory")
        assert await service.db["alerts"].count_documents({"case": turn.conversation.open_case})
