"""The breach notice through the service: two people, a dry run, first where it is safe, else at the next own contact."""

from __future__ import annotations

import logging
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from bot.app import Service, utc_now
from bot.chat import Chat
from bot.domain.breaches import Breach
from bot.domain.contact import SAFE_CONTACT
from bot.domain.messages import LANE_ORDER, Lane
from bot.domain.notices import NotConfirmable
from bot.domain.private import Private
from bot.running import running
from bot.service.breaches import BreachNotices
from tests.chats import heard_by

pytestmark = pytest.mark.timeout(90)
LONG_AGO = datetime(2026, 1, 1, tzinfo=UTC)


class Later:
    """The notices of a service, looked at when the test says."""

    def __init__(self, service: Service) -> None:
        self.service = service
        self.now = utc_now()
        service.breaches._now = self.time

    def time(self) -> datetime:
        return self.now

    async def told(self, **later: float) -> list[dict[str, Any]]:
        """Go on, and return the rows that were queued."""
        self.now += timedelta(**later)
        before = await self.service.db["outbox"].distinct("_id")
        await self.service.breaches.work()
        return await self.service.db["outbox"].find({"_id": {"$nin": before}}).to_list()

    def noon(self) -> None:
        """Go to the next noon in India that is days after all that was said."""
        self.now = (self.now + timedelta(days=5)).replace(hour=6, minute=30)


@pytest.fixture
def later(service: Service, monkeypatch: pytest.MonkeyPatch) -> Later:
    """Only the test sends notices."""

    async def never(notices: BreachNotices) -> None:
        assert notices

    monkeypatch.setattr("bot.running.keep_noticing", never)
    return Later(service)


def people(service: Service, count: int) -> tuple[list[Chat], Any]:
    chats = [Chat(service) for _ in range(count)]

    return chats, heard_by(*chats)


async def with_record(service: Service, chat: Chat) -> str:
    """Somebody whose case is over and who has said how they can be written to; return their conversation."""
    turn, _ = await chat.say("please help me")
    case = await service.respond.claim(await _case(service, turn.conversation.open_case), "asha")
    await service.cases.write_down(case.id, SAFE_CONTACT, Private("by day, says the person"), "asha", service.now())
    await service.respond.close(await _case(service, case.id), "asha", "well")
    return case.conversation_id


async def _case(service: Service, name: str) -> Any:
    found = await service.cases.get(name)
    assert found
    return found


async def confirmed(service: Service) -> Breach:
    breach = await service.breaches.write(LONG_AGO, "root")
    return await service.breaches.confirm(breach.number, "sudha")


async def test_first_where_a_record_says_so_and_all_others_once_when_they_write(
    later: Later, caplog: pytest.LogCaptureFixture
) -> None:
    """The dry run says both counts beforehand; the log names nobody and says no word; nobody is told twice."""
    service = later.service
    (safe, other), on_turn = people(service, 2)
    async with running(service, on_turn):
        await safe.say("", "l:hi")
        await other.say("", "l:en")
        first = await with_record(service, safe)
        later.noon()
        breach = await service.breaches.write(LONG_AGO, "root")
        reach = await service.breaches.reach(breach)
        assert (dict(reach.first), dict(reach.deferred)) == ({"terminal": 1}, {"terminal": 1})
        assert await later.told() == []
        await service.breaches.confirm(breach.number, "sudha")
        with caplog.at_level(logging.INFO):
            rows = await later.told(minutes=1)
        assert [row["conversation"] for row in rows] == [first]
        assert [row["lane"] for row in rows] == [LANE_ORDER[Lane.CAMPAIGN]]
        assert (await service.breaches.latest())[0][1] == {"sent": 1, "deferred": 1}
        logged = [
            (record.getMessage(), vars(record))
            for record in caplog.records
            if record.levelno == logging.INFO and "notice" in record.getMessage()
        ]
        assert {name for name, _ in logged} == {"a notice was sent", "a notice waits for the person"}
        assert all(other._address.value.reveal() not in str(fields) for _, fields in logged)

        assert await later.told(days=1) == []
        later.now = utc_now()
        await other.say("menu")
        assert await later.told(seconds=30) == []
        rows = await later.told(minutes=2)
        assert len(rows) == 1 and rows[0]["conversation"] != first
        for chat in (safe, other):
            await chat.say("menu")
        assert await later.told(minutes=5) == []
        assert (await service.breaches.latest())[0][1] == {"sent": 2}


async def test_the_notice_answers_by_a_person_or_by_erasing(later: Later) -> None:
    """Its buttons are real: the first asks for a human, the second asks whether to erase."""
    service = later.service
    (one,), on_turn = people(service, 1)
    async with running(service, on_turn):
        await one.say("", "l:en")
        await confirmed(service)
        (row,) = await later.told(minutes=2)
        doc = await service.sealer.open(f"outbox:{row['_id']}", row["sealed"])
        assert doc["message_id"] == "breach.notice" and [name for name, _ in doc["choices"]][:2] == [
            "c:person",
            "c:delete",
        ]
        turn, _ = await one.say("", "c:delete")
        assert [reply.message for reply in turn.replies] == ["core.delete_ask"]
        turn, _ = await one.say("", "c:person")
        assert turn.conversation.open_case


async def test_not_to_somebody_in_danger_or_in_silence(later: Later) -> None:
    """While the case is open, and while they are silent, nothing; after it, at their next own contact."""
    service = later.service
    (danger, watched), on_turn = people(service, 2)
    async with running(service, on_turn):
        for chat in (danger, watched):
            await chat.say("", "l:en")
        turn, _ = await danger.say("they locked me in a room, help me")
        await watched.say("he is here, do not reply")
        await confirmed(service)
        assert await later.told(minutes=2) == []
        assert await later.told(minutes=10) == []
        case = await service.respond.claim(await _case(service, turn.conversation.open_case), "asha")
        await service.respond.close(await _case(service, case.id), "asha", "well")
        assert await later.told(hours=2) == []
        later.now = utc_now()
        await danger.say("menu")
        (row,) = await later.told(minutes=2)
        assert row["conversation"] == case.conversation_id
    (_, counts), *_ = await service.breaches.latest()
    assert counts["sent"] == 1


async def test_two_people_and_an_end(later: Later) -> None:
    """Who prepared it cannot confirm it, nothing is confirmed twice, and what is cancelled reaches nobody."""
    service = later.service
    (one,), on_turn = people(service, 1)
    async with running(service, on_turn):
        await one.say("", "l:en")
        breach = await service.breaches.write(LONG_AGO, "root")
        with pytest.raises(NotConfirmable):
            await service.breaches.confirm(breach.number, "root")
        assert await later.told(minutes=2) == []
        await service.breaches.confirm(breach.number, "sudha")
        with pytest.raises(NotConfirmable):
            await service.breaches.confirm(breach.number, "asha")
        await service.breaches.cancel(breach.number)
        assert await later.told(minutes=2) == []
        recent = await service.breaches.write(utc_now() + timedelta(days=1), "root")
        assert not (await service.breaches.reach(recent)).deferred


async def test_the_canary_and_who_was_erased_are_nobody(later: Later) -> None:
    service = later.service
    (one,), on_turn = people(service, 1)
    async with running(service, on_turn):
        turn, _ = await one.say("", "l:en")
        await service.canary.fly()
        await confirmed(service)
        await service.breaches._store.due(later.now)  # lists them
        rows = await service.db["breach_sends"].distinct("conversation")
        assert rows == [turn.conversation.id]
        await service.db["conversations"].update_one({}, {"$set": {"erase_after": later.now}})
        assert await later.told(minutes=2) == []
        wish = {"$set": {"erase_after": later.now - timedelta(days=1)}}
        await service.db["conversations"].update_one({"_id": turn.conversation.id}, wish)
        for hours in (0, 3):
            await service.conversations.erase_due(utc_now() + timedelta(hours=hours))
    assert await service.db["breach_sends"].count_documents({"conversation": turn.conversation.id}) == 0
