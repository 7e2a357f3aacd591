"""A lesson a day: sent once, behind replies, never to somebody with other worries, and counted."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from bot.app import Service, utc_now
from bot.chat import Chat
from bot.content.render import LIMITS
from bot.domain.lessons import FEWEST, LessonCount
from bot.domain.messages import LANE_ORDER, ChannelName, Lane
from bot.ports import Learner
from bot.running import running
from bot.service.lessons import IN_TALK, Teacher, summed
from bot.store import lessons as store
from bot.store.lessons import MongoLessons
from tests.chats import heard_by


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

    async with running(service, heard_by(chat, other)):
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
        days.now = utc_now()
        assert await days.taught(0) == []
        assert len(await days.taught(IN_TALK / timedelta(days=1))) == 1


async def test_the_one_who_wrote_is_found_among_many_who_went_quiet(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store, "AT_ONCE", 3)
    await quiet(service)
    chat = Chat(service)
    async with running(service, chat.on_turn):
        days = await begun(service, chat)
        row = await service.db["learners"].find_one({})
        assert row
        held_at = days.now - timedelta(days=30)
        silent = [{**row, "_id": f"quiet{number}", "due": None, "held_at": held_at} for number in range(10)]
        await service.db["learners"].delete_one({"_id": row["_id"]})
        await service.db["learners"].insert_many([*silent, {**row, "due": None, "held_at": held_at}])
        assert await days.store.due(utc_now()) == []
        await chat.say("menu")
        found = await days.store.due(utc_now())
        assert [learner.conversation.id for learner in found] == [row["_id"]]


async def test_a_lesson_does_not_come_in_between_nor_while_we_ask_about_danger(service: Service) -> None:
    await quiet(service)
    chat = Chat(service)
    async with running(service, chat.on_turn):
        days = await begun(service, chat)
        assert len(await days.taught(0)) == 1  # the first comes at once, as was said
        await service.db["learners"].update_one({}, {"$set": {"due": days.now}})
        await chat.say("what about wages")
        assert await days.taught(0) == []
        assert await days.taught(0.005) == []
        assert len(await days.taught(0.01)) == 1
        turn, _ = await chat.say("i am scared")
        assert turn.conversation.asked_if_in_danger
        assert await days.taught(3) == []
        assert (await chat.say("1"))[0].conversation.open_case


@pytest.mark.parametrize(("longest_label", "buttons"), [(64, 3), (3, 0)])
async def test_where_help_was_offered_a_lesson_takes_no_digit_from_it(
    service: Service, monkeypatch: pytest.MonkeyPatch, longest_label: int, buttons: int
) -> None:
    """The question has buttons, or none of its answers; "1" goes on meaning "I need help now"."""
    monkeypatch.setitem(LIMITS, ChannelName.TERMINAL, replace(LIMITS[ChannelName.TERMINAL], label=longest_label))
    await quiet(service)
    chat = Chat(service)
    async with running(service, chat.on_turn):
        days = await begun(service, chat)
        turn, _ = await chat.say("menu")
        offered = turn.conversation.offered
        (row,) = await days.taught(1)
        message = await service.outbox.one(row["conversation"], row["_id"])
        assert message
        assert len(message["choices"]) == buttons
        assert "1. " not in message["text"]
        assert message["message_id"] == "lessons.head"
        known = await service.conversations.load(row["conversation"], ChannelName.TERMINAL)
        assert known.offered == offered
        assert known.last_replies == turn.conversation.last_replies
        assert (await chat.say("1"))[0].conversation.open_case


async def test_one_who_cannot_be_taught_holds_up_nobody_else(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    await quiet(service)
    one, other = Chat(service), Chat(service)

    async with running(service, heard_by(one, other)):
        days = await begun(service, one)
        await begun(service, other)
        days.now = utc_now()
        first, second = await days.store.due(days.now)
        teach = days.store.teach

        async def fails_for_first(learner: Learner, *rest: Any) -> bool:
            if learner.conversation.id == first.conversation.id:
                raise ZeroDivisionError
            return await teach(learner, *rest)

        monkeypatch.setattr(days.store, "teach", fails_for_first)
        assert [row["conversation"] for row in await days.taught(0)] == [second.conversation.id]
        monkeypatch.undo()
        assert [row["conversation"] for row in await days.taught(0.05)] == [first.conversation.id]


def test_small_groups_are_not_shown_and_cannot_be_found_by_subtracting() -> None:
    def count(locale: str, sent: int) -> LessonCount:
        return LessonCount("going", 1, locale, sent=sent)

    shown = summed([count("hi", 40), count("bn", FEWEST), count("ta", FEWEST - 1), count("or", 2)])
    assert [(line.locale, line.sent) for line in shown] == [("", 40 + 2 * FEWEST + 1), ("hi", 40), ("bn", FEWEST)]
    shown = summed([count("hi", 40), count("bn", FEWEST), count("ta", 2)])
    assert [line.locale for line in shown] == ["", "hi"]


async def test_those_who_wait_cost_nothing(service: Service) -> None:
    """With 5,000 held learners a look at who is due examines few documents: seen in what the server recorded."""
    held = [
        {"_id": f"waiting-{n}", "channel": "terminal", "course": "going", "next": 1, "due": None, "held_at": utc_now()}
        for n in range(5000)
    ]
    await service.db["learners"].insert_many(held)
    await service.db["learners"].insert_one({**held[0], "_id": "due", "held_at": None, "due": utc_now()})
    days = Days(service)
    await service.db.command("profile", 2)
    found = await days.store.due(utc_now())
    await service.db.command("profile", 0)
    looked = await service.db["system.profile"].find({}).to_list()
    examined = [row.get("docsExamined", 0) for row in looked if row["ns"].endswith(".learners")]
    assert [learner.conversation.id for learner in found] == ["due"]
    assert examined and sum(examined) <= 5


async def test_a_word_that_comes_while_a_lesson_is_held_back_is_not_missed(service: Service) -> None:
    """Written after we looked and before we hold: the lesson is due at once, not after the next word."""
    await quiet(service)
    chat = Chat(service)
    async with running(service, chat.on_turn):
        days = await begun(service, chat)
        days.now += timedelta(days=1.5)
        (learner,) = await days.store.due(days.now)
        await days.store.hold(learner, days.now)
        assert await days.store.due(days.now) == []
        await chat.say("menu")
        (again,) = await days.store.due(days.now)
        await chat.say("menu")
        await days.store.hold(again, days.now)
        assert [one.conversation.id for one in await days.store.due(days.now)] == [learner.conversation.id]
