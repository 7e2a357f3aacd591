"""A lesson a day: sent once, behind replies, never to somebody with other worries, and counted."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta
from typing import Any

import pytest

from bot.app import Service, running, utc_now
from bot.chat import Chat
from bot.domain.lessons import FEWEST, LessonCount
from bot.domain.messages import LANE_ORDER, Lane
from bot.service.lessons import Teacher, summed
from bot.store.lessons import MongoLessons


class Days:
    """The lessons of a service, looked at on later days."""

    def __init__(self, service: Service) -> None:
        self.service = service
        self.now = utc_now()
        channels = frozenset({"terminal"})
        self.store = MongoLessons(service.db.client, service.db, service.conversations, channels)
        self.teacher = Teacher(self.store, lambda: service.content, self.time, service.wake_delivery.set)

    def time(self) -> datetime:
        return self.now

    async def taught(self, days: float = 1.5) -> list[dict[str, Any]]:
        """Go on by *days* and return the rows that were queued."""
        self.now += timedelta(days=days)
        before = await self.service.db["outbox"].distinct("_id")
        await self.teacher.work()
        return await self.service.db["outbox"].find({"_id": {"$nin": before}}).to_list()


async def quiet(service: Service) -> None:
    """Let nothing teach but the test."""
    service.teacher._store = _Nothing()  # type: ignore[assignment]


class _Nothing:
    async def due(self, now: datetime) -> list[Any]:
        return []


async def begun(service: Service, chat: Chat, course: str = "going") -> Days:
    await chat.say("", "l:en")
    await chat.say("", f"n:{course}")
    return Days(service)


async def test_a_course_runs_to_its_end_one_lesson_a_day(service: Service) -> None:
    """Each in the last lane, with its question as what digits choose from; then whether it was useful, then nothing."""
    await quiet(service)
    chat = Chat(service)
    async with running(service, chat.on_turn):
        days = await begun(service, chat)
        all_lessons = len(service.content.courses["going"].lessons)
        seen = []
        for _ in range(all_lessons):
            (row,) = await days.taught()
            assert row["lane"] == LANE_ORDER[Lane.CAMPAIGN]
            seen.append(row["lesson"])
            assert await days.taught(0.1) == []
            turn, said = await chat.say("1")
            assert said[0].text.reveal().startswith(service.content.words("en", "lessons.right"))
            assert turn.conversation.course == "going"
        assert seen == [f"going:{number}:en" for number in range(1, all_lessons + 1)]
        (last,) = await days.taught()
        message = await service.outbox.one(last["conversation"], last["_id"])
        assert message
        assert message["message_id"] == "lessons.useful"
        await chat.say("2")
        assert await days.taught(30) == []
        counts = {(count.number, count.locale): count for count in await days.store.counts()}
        assert counts[1, "en"].right == 1
        assert counts[0, "en"].wrong == 1


async def test_stop_ends_it_and_so_does_erasing(service: Service) -> None:
    await quiet(service)
    chat, other = Chat(service), Chat(service)

    def on_turn(*given: Any) -> None:
        chat.on_turn(*given)
        other.on_turn(*given)

    async with running(service, on_turn):
        days = await begun(service, chat)
        await begun(service, other)
        await chat.say("stop")
        await other.say("", "c:delete_yes")
        async with asyncio.timeout(20):
            while await service.db["learners"].count_documents({}):
                await asyncio.sleep(0.1)
        assert await days.taught() == []


@pytest.mark.parametrize("trouble", ["they locked us in the factory", "he is here"])
async def test_nobody_in_trouble_is_taught(service: Service, trouble: str) -> None:
    """It is put off, day by day, and goes on where it was when the case is over."""
    await quiet(service)
    chat = Chat(service)
    async with running(service, chat.on_turn):
        days = await begun(service, chat)
        assert len(await days.taught()) == 1
        turn, _ = await chat.say(trouble)
        assert await days.taught() == []
        assert await days.taught() == []
        assert await service.db["learners"].count_documents({"next": 2}) == 1
        if turn.conversation.open_case and not turn.conversation.silent:
            case = await service.cases.get(turn.conversation.open_case)
            assert case
            await service.respond.claim(case, "asha")
            await service.respond.close(case, "asha", "safe")
            assert [row["lesson"] for row in await days.taught()] == ["going:2:en"]


async def test_two_processes_send_a_lesson_once(service: Service) -> None:
    await quiet(service)
    chat = Chat(service)
    async with running(service, chat.on_turn):
        one = await begun(service, chat)
        other = Days(service)
        await asyncio.gather(*(days.teacher.work() for days in (one, other, one, other)))
        assert await service.db["outbox"].count_documents({"lesson": "going:1:en"}) == 1


async def test_where_the_window_is_over_the_lesson_waits_for_a_message(service: Service) -> None:
    """On WhatsApp nothing leaves a day after the person wrote; with their next word it comes."""
    await quiet(service)
    chat = Chat(service)
    async with running(service, chat.on_turn):
        days = await begun(service, chat)
        learner = (await days.store.due(days.now + timedelta(days=1)))[0]
        await days.store.hold(learner, days.now)
        assert await days.taught(3) == []
        await chat.say("hello")
        assert len(await days.taught(0)) == 1


def test_small_groups_are_not_shown_and_cannot_be_found_by_subtracting() -> None:
    def count(locale: str, sent: int) -> LessonCount:
        return LessonCount("going", 1, locale, sent=sent)

    shown = summed([count("hi", 40), count("bn", FEWEST), count("ta", FEWEST - 1), count("or", 2)])
    assert [(line.locale, line.sent) for line in shown] == [("", 40 + 2 * FEWEST + 1), ("hi", 40), ("bn", FEWEST)]
    shown = summed([count("hi", 40), count("bn", FEWEST), count("ta", 2)])
    assert [line.locale for line in shown] == ["", "hi"]
