"""Urgent notes: asked for once, confirmed by a second person, sent once to who asked, and never to somebody in trouble."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from bot.app import Service
from bot.chat import Chat
from bot.config import Config
from bot.domain.conversation import Conversation
from bot.domain.messages import Address, ChannelName, OutboundMessage
from bot.domain.notices import LASTS, Left, NotConfirmable, Notice, NoticeState, Where, WhereKind
from bot.domain.pace import paces
from bot.domain.private import Private
from bot.ports import Due, NoteDue
from bot.running import running
from bot.service.notices import BadNotice, Notes, may_be_told
from bot.store.notices import MongoNotices
from bot.store.pace import MongoPace
from tests.chats import heard_by
from tests.cloud import DAY, Cloud, cloud, until
from tests.service.test_lessons import Days

PATNA = Where(WhereKind.DISTRICT, "Patna", "BR")
TEXTS = {"en": "A man at platform 1 sells false tickets.", "hi": "प्लेटफ़ॉर्म 1 पर एक आदमी नक़ली टिकट बेचता है।"}


class Later(Days):
    """The notes of a service, looked at later."""

    def __init__(self, service: Service, channel: str = "terminal") -> None:
        super().__init__(service)
        channels = frozenset({channel})
        self.notices = MongoNotices(service.db.client, service.db, service.conversations, channels)
        self.notes = Notes(
            self.notices, lambda: service.content, lambda: service.places.directory.points, {}, self.time,
            service.wake_delivery.set,
        )  # fmt: skip

    async def told(self, **days: float) -> list[dict[str, Any]]:
        """Go on, and return the rows that were queued."""
        self.now += timedelta(**days)
        before = await self.service.db["outbox"].distinct("_id")
        await self.notes.work()
        return await self.service.db["outbox"].find({"_id": {"$nin": before}}).to_list()


class _Nothing:
    async def due(self, now: object) -> Sequence[Any]:
        return ()


@pytest.fixture
def still(service: Service) -> Service:
    """A service whose own clocks send no notes."""
    service.notes._store = _Nothing()  # type: ignore[assignment]
    return service


async def wished(chat: Chat, locale: str = "en", *, yes: bool = True) -> None:
    """Ask for help near a place, and answer the question about notes."""
    await chat.say("", f"l:{locale}")
    await chat.say("", "c:near")
    turn, _ = await chat.say("Patna")
    asked = turn.replies[-1]
    assert asked.message == "warnings.ask"
    await chat.say("", asked.choices[0 if yes else 1].id)


async def confirmed(later: Later, where: Where = PATNA) -> Notice:
    notice = await later.notes.write(where, TEXTS, "vani")
    return await later.notes.confirm(notice.number, "sudha")


async def test_it_is_asked_once_and_a_no_is_kept(still: Service) -> None:
    chat = Chat(still)
    async with running(still, chat.on_turn):
        await wished(chat, yes=False)
        assert await still.db["note_wishes"].count_documents({}) == 0
        await chat.say("", "c:near")
        turn, _ = await chat.say("Patna")
        assert "warnings.ask" not in [reply.message for reply in turn.replies]


async def test_a_confirmed_note_reaches_once_who_asked_about_the_place(still: Service) -> None:
    chat, other = Chat(still), Chat(still)

    async with running(still, heard_by(chat, other)):
        await wished(chat, "hi")
        await wished(other, yes=False)
        one, two = Later(still), Later(still)
        notice = await one.notes.write(PATNA, TEXTS, "vani")
        reach = await one.notes.reach(notice)
        assert (reach.now, reach.later, reach.other_language) == ({"terminal": 1}, {}, 0)
        assert await one.told() == []
        await one.notes.confirm(notice.number, "sudha")
        await asyncio.gather(*(later.notes.work() for later in (one, two, one)))
        (row,) = await still.db["outbox"].find({"lesson": f"note:{notice.number}:hi"}).to_list()
        message = await still.outbox.one(row["conversation"], row["_id"])
        assert message
        assert TEXTS["hi"] in message["text"]
        assert "112" in message["text"]
        assert await one.told(hours=1) == []


async def test_whoever_wrote_it_cannot_confirm_it_and_nobody_twice(still: Service) -> None:
    later = Later(still)
    notice = await later.notes.write(PATNA, TEXTS, "sudha")
    with pytest.raises(NotConfirmable):
        await later.notes.confirm(notice.number, "sudha")
    done = await asyncio.gather(
        *(later.notes.confirm(notice.number, name) for name in ("asha", "bina")), return_exceptions=True
    )
    assert sum(isinstance(result, NotConfirmable) for result in done) == 1
    found = await later.notes.get(notice.number)
    assert found
    assert found.state is NoticeState.CONFIRMED


async def test_somebody_in_trouble_hears_nothing_until_it_is_over(still: Service) -> None:
    chat = Chat(still)
    async with running(still, chat.on_turn):
        await wished(chat)
        turn, _ = await chat.say("they locked us in the factory")
        later = Later(still)
        await confirmed(later)
        assert await later.told() == []
        case = await still.cases.get(turn.conversation.open_case)
        assert case
        await still.respond.claim(case, "asha")
        await still.respond.close(case, "asha", "safe")
        assert len(await later.told(hours=2)) == 1


async def test_a_note_that_is_old_or_taken_back_goes_to_nobody(still: Service) -> None:
    chat = Chat(still)
    async with running(still, chat.on_turn):
        await wished(chat)
        later = Later(still)
        notice = await confirmed(later)
        await later.notes.cancel(notice.number)
        assert await later.told() == []
        await confirmed(later)
        later.now += LASTS
        assert await later.told(minutes=1) == []


async def test_a_note_taken_back_while_it_is_being_sent_goes_to_nobody_more(still: Service) -> None:
    """Cancelled before its list is whole, between the list and the send, and while it waits to leave."""
    chat = Chat(still)
    async with running(still, chat.on_turn):
        await wished(chat)
    later = Later(still)
    notice = await confirmed(later)
    (item,) = await later.notices.due(later.now)
    await later.notes.cancel(notice.number)
    row = {"_id": f"{notice.number}:{item.conversation.id}", "notice": notice.number, "state": "waiting"}
    row |= {"conversation": item.conversation.id, "channel": "terminal"}
    await still.db["note_sends"].insert_one({**row, "not_before": later.now})
    assert not await later.notices.send(item, item.conversation, (), later.now)
    assert await later.told() == []
    second = await confirmed(later)
    (queued,) = await later.told()
    await later.notes.cancel(second.number)
    left = await still.db["outbox"].find_one({"_id": queued["_id"]})
    assert left and (left["state"], left["open"]) == ("dropped", False)


async def test_one_who_cannot_be_told_holds_up_nobody_else(still: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    one, other = Chat(still), Chat(still)

    async with running(still, heard_by(one, other)):
        await wished(one)
        await wished(other)
        later = Later(still)
        await confirmed(later)
        items = await later.notices.due(later.now)
        send = later.notices.send

        async def fails_for_first(item: NoteDue, *rest: Any) -> bool:
            if item.conversation.id == items[0].conversation.id:
                raise ZeroDivisionError
            return await send(item, *rest)

        monkeypatch.setattr(later.notices, "send", fails_for_first)
        assert [row["conversation"] for row in await later.told()] == [items[1].conversation.id]
        monkeypatch.undo()
        assert [row["conversation"] for row in await later.told(hours=1)] == [items[0].conversation.id]


async def test_stop_and_erasing_end_it(still: Service) -> None:
    chat = Chat(still)
    async with running(still, chat.on_turn):
        await wished(chat)
        await chat.say("stop")
        later = Later(still)
        await confirmed(later)
        assert await later.told() == []
        assert await still.db["note_wishes"].count_documents({}) == 0


@pytest.mark.parametrize(
    ("where", "texts", "why"),
    [
        (PATNA, {"en": "  "}, "no_text"),
        (PATNA, {"xx": "hello"}, "no_text"),
        (PATNA, {"en": "x" * 351}, "too_long"),
        (Where(WhereKind.DISTRICT, "Patna", "KL"), {"en": "hello"}, "no_place"),
        (Where(WhereKind.PLACE, "nowhere"), {"en": "hello"}, "no_place"),
        (Where(WhereKind.STATE, "XX"), {"en": "hello"}, "no_place"),
    ],
)
async def test_a_note_that_cannot_be_sent_is_refused(
    still: Service, where: Where, texts: dict[str, str], why: str
) -> None:
    with pytest.raises(BadNotice) as refused:
        await Later(still).notes.write(where, texts, "vani")
    assert str(refused.value) == why


async def test_stop_takes_back_what_is_queued_already(still: Service) -> None:
    """A note that waits behind others when its person says stop, or when somebody else has the phone, never leaves."""
    chat = Chat(still)
    async with running(still, chat.on_turn):
        await wished(chat)
        later = Later(still)
        await confirmed(later)
        await still.db["outbox"].update_many({}, {"$set": {"not_before": later.now}})
        (row,) = await later.told()
        hours = later.now + timedelta(hours=5)
        await still.db["outbox"].update_one({"_id": row["_id"]}, {"$set": {"not_before": hours, "state": "waiting"}})
        await chat.say("stop")
        kept = await still.db["outbox"].find_one({"_id": row["_id"]})
        assert kept and (kept["state"], kept["open"]) == ("dropped", False)


@pytest.mark.parametrize("question", [{"asked_if_in_danger": True}, {"flow": "report"}, {"unanswered": True}])
def test_a_note_cuts_into_no_question_of_ours(question: dict[str, Any]) -> None:
    free = Conversation("c", ChannelName.TELEGRAM, 1)
    assert may_be_told(free)
    assert not may_be_told(replace(free, **question))


async def test_what_counts_is_when_the_person_wrote_not_when_it_came(still: Service) -> None:
    """A backlog of yesterday's messages opens no window on WhatsApp."""
    chat = Chat(still)
    async with running(still, chat.on_turn):
        await wished(chat)
        later = Later(still)
        old = later.now - timedelta(hours=30)
        await still.db["conversations"].update_many({}, {"$set": {"heard_at": old}})
        await confirmed(later)
        (due,) = await later.notices.due(later.now)
        assert due.heard_at == old.replace(microsecond=old.microsecond // 1000 * 1000)


async def test_a_note_that_came_too_late_can_be_sent_again_to_whom_it_did_not_reach(still: Service) -> None:
    """Two days in trouble: it counts as not sent. Who wrote it cannot send it again; another can, once for each."""
    one, other = Chat(still), Chat(still)

    async with running(still, heard_by(one, other)):
        await wished(one)
        await wished(other)
        await one.say("they locked us in the factory")
        later = Later(still)
        notice = await confirmed(later)
        (reached,) = await later.told()
        assert await later.notes.left() == {notice.number: Left(waiting=1)}
        assert await later.told(days=3) == []
        assert await later.notes.left() == {notice.number: Left(late=1)}
        await still.db["cases"].update_many({}, {"$set": {"open": False}})
        with pytest.raises(NotConfirmable):
            await later.notes.again(notice.number, "vani")
        assert await later.told() == []
        await later.notes.again(notice.number, "sudha")
        (row,) = await later.told()
        assert row["conversation"] != reached["conversation"]
        await later.notes.again(notice.number, "sudha")
        assert await later.told(days=1) == [] and await later.notes.left() == {}


async def test_what_was_given_up_is_sent_again_and_what_may_have_arrived_is_not(still: Service) -> None:
    chat = Chat(still)
    async with running(still, chat.on_turn):
        await wished(chat)
    later = Later(still)
    notice = await confirmed(later)
    (row,) = await later.told()
    for state, doubts, times in (("sent", {}, 0), ("failed", {"doubts": 2}, 0), ("failed", {}, 1)):
        await still.db["outbox"].update_one({"_id": row["_id"]}, {"$set": {"state": state, "open": False, **doubts}})
        if not doubts:
            await still.db["outbox"].update_one({"_id": row["_id"]}, {"$unset": {"doubts": ""}})
        await later.notes.again(notice.number, "sudha")
        assert len(await later.told()) == times
    with pytest.raises(NotConfirmable):
        await later.notes.again(99, "sudha")


@pytest.fixture
async def whatsapp(config: Config, mongodb_uri: str) -> AsyncIterator[Cloud]:
    async with cloud(config, mongodb_uri, whatsapp_template="hello") as found:
        found.service.notes._store = _Nothing()  # type: ignore[assignment]
        yield found


async def held_up(whatsapp: Cloud, later: Later) -> dict[str, Any]:
    """Queue the note while its person's own pace lets nothing leave; return its row, with the pace as before."""
    db = whatsapp.service.db
    person = await db["conversations"].find_one({})
    assert person
    to = Due("x", person["_id"], Address(ChannelName.WHATSAPP, Private("x")), OutboundMessage(Private("x")))
    await MongoPace(db, paces(1, 1)).pause(to, "address", 3600)
    (row,) = await later.told()

    async def put_off() -> bool:
        kept = await db["outbox"].find_one({"_id": row["_id"]})
        return bool(kept and kept["not_before"] > whatsapp.service.now())

    await until(put_off)
    await db["pace"].delete_many({})
    return row


async def hour_is_over(whatsapp: Cloud, row: dict[str, Any]) -> None:
    """Let the note lie until 24 hours have passed since the person wrote."""
    people = whatsapp.service.db["conversations"]
    await people.update_many({}, [{"$set": {"heard_at": {"$subtract": ["$heard_at", DAY * 1000]}}}])
    await whatsapp.service.db["outbox"].update_one(
        {"_id": row["_id"]}, {"$set": {"not_before": whatsapp.service.now()}}
    )


async def refused_at_once(whatsapp: Cloud, row: dict[str, Any]) -> None:
    """The platform counts the hours otherwise than we."""
    whatsapp.platform.answers.append((400, {"error": {"code": 131047}}))
    await whatsapp.service.db["outbox"].update_one(
        {"_id": row["_id"]}, {"$set": {"not_before": whatsapp.service.now()}}
    )


async def refused_by_a_report(whatsapp: Cloud, row: dict[str, Any]) -> None:
    rows, now = whatsapp.service.db["outbox"], whatsapp.service.now()
    await rows.update_one({"_id": row["_id"]}, {"$set": {"not_before": now}})
    await whatsapp.settled()
    item = {"id": "wamid.y", "status": "failed", "timestamp": str(int(now.timestamp())), "errors": [{"code": 131047}]}
    assert await whatsapp.post(statuses=({**item, "biz_opaque_callback_data": row["_id"]},)) == 200
    await rows.update_one({"_id": row["_id"]}, {"$unset": {"error": ""}})


@pytest.mark.parametrize(("closes", "tries"), [(hour_is_over, 0), (refused_at_once, 1), (refused_by_a_report, 1)])
async def test_a_note_whose_window_closed_meanwhile_comes_once_the_person_writes(
    whatsapp: Cloud, closes: Callable[[Cloud, dict[str, Any]], Awaitable[None]], tries: int
) -> None:
    """However we learn of it: no loop, no greeting, counted as waiting; then the note itself, once; danger before it."""
    for choice in ("l:en", "c:near"):
        await whatsapp.tap(choice)
    await whatsapp.say("Patna")
    await whatsapp.tap("x:BR:Patna")
    later = Later(whatsapp.service, "whatsapp")
    notice = await confirmed(later)
    whatsapp.platform.calls.clear()
    row = await held_up(whatsapp, later)
    await closes(whatsapp, row)
    await whatsapp.settled()

    def notes() -> list[str]:
        return [words for words in whatsapp.words() if TEXTS["en"] in words]

    assert len(notes()) == tries
    assert await later.notes.left() == {notice.number: Left(waiting=1)}
    assert await later.told(minutes=10) == [] and len(notes()) == tries
    assert not [words for words in whatsapp.words() if words.startswith("template")]
    await whatsapp.say("hello")
    assert len(await later.told(hours=1)) == 1
    await whatsapp.settled()
    assert len(notes()) == tries + 1
    assert await later.told(hours=1) == [] and await later.notes.left() == {}
