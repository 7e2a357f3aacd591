"""How long things are kept: by class, with a week's warning, and what a law keeps stays though the person asks."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from typing import Any

import pytest
import pytest_asyncio

from bot.app import Service, utc_now
from bot.chat import Chat
from bot.domain.cases import Case, CaseAction, IllegalTransition, MergedFor
from bot.domain.identifiers import Identifier, IdentifierKind
from bot.domain.private import Private
from bot.domain.retention import Nearness, Terms
from bot.running import running
from bot.service.retention import Keeping
from bot.store.erasing import IN_FLIGHT
from bot.store.retention import MongoRetention

Doc = dict[str, Any]
DAY = timedelta(days=1)
CHAT, CASE = 30, 100
SECRET = "Ramesh of Gaya took my money"


class Clock:
    """The time, as the test says."""

    def __init__(self, service: Service) -> None:
        self.service, self.at = service, utc_now()
        terms = Terms(CHAT * DAY, CASE * DAY)
        self.store = MongoRetention(service.db, terms)
        self.keeping = Keeping(self.store, service.cases, service.audit, lambda: self.at)

    async def after(self, days: float) -> None:
        """Let days pass, with a look at the clock at their end; then let what is due be erased."""
        self.at += days * DAY
        while await self.keeping.work():
            pass
        await erased(self.service, self.at)


async def erased(service: Service, now: datetime) -> None:
    """Run both steps of erasing until nothing is due; the service's own eraser may be at it too."""
    for step in range(10):
        await service.db["outbox"].update_many({"open": True}, {"$set": {"open": False, "state": "sent"}})
        await service.conversations.erase_due(now + step * 2 * IN_FLIGHT)
        due = {"$or": [{"erase_after": {"$exists": True}}, {"erase_let_go": {"$exists": True}}]}
        if step and not await service.db["conversations"].find_one(due):
            return


async def wait_for_key() -> None:
    """The driver may use a key for a second after it was destroyed."""
    await asyncio.sleep(1.5)


@pytest.fixture
def clock(service: Service) -> Clock:
    return Clock(service)


@pytest_asyncio.fixture
async def chat(service: Service, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Chat]:
    """Somebody at a terminal who has chosen English; the service's own clock of what is kept stands still."""

    async def still(_: Keeping) -> None:
        await asyncio.Event().wait()

    monkeypatch.setattr("bot.running.keep_time", still)
    chat = Chat(service)
    async with running(service, chat.on_turn):
        await chat.say("", "l:en")
        yield chat


async def another(chat: Chat) -> Chat:
    other = Chat(chat._service)
    other._turns = chat._turns
    await other.say("", "l:en")
    return other


async def closed(chat: Chat, *words: str) -> Case:
    """Report something; return the closed case."""
    service = chat._service
    turn, _ = await chat.say("", "c:report_recruiter")
    for said in words or (SECRET,):
        await chat.say(said)
    await service.cases.act(turn.conversation.open_case, CaseAction.CLOSE, "asha", service.now())
    return await found(service, turn.conversation.open_case)


async def found(service: Service, case: str) -> Case:
    case_now = await service.cases.get(case)
    assert case_now
    return case_now


async def transcript(service: Service, conversation: str) -> str:
    return "\n".join(line.text.reveal() for line in await service.cases.transcript(conversation))


async def details(service: Service, case: str) -> list[str]:
    return [event.detail.reveal() for event in await service.cases.history(case)]


async def wish(chat: Chat) -> list[str]:
    """Ask for all to be deleted, and say yes; return what was said to both."""
    _, asked = await chat.say("", "c:delete")
    _, done = await chat.say("", "c:delete_yes")
    return [asked[0].message_id, done[0].message_id]


# --- words of no case


async def test_words_of_no_case_go_after_their_days(chat: Chat, service: Service, clock: Clock) -> None:
    """And with the last of them the conversation, its key, and every id that led to it."""
    turn, _ = await chat.say("what is the minimum wage")
    mine = {"conversation": turn.conversation.id}
    await clock.after(CHAT - 1)
    assert await service.db["inbox"].count_documents(mine) == 2
    await clock.after(2)
    await wait_for_key()
    assert not await service.db["inbox"].count_documents(mine) + await service.db["outbox"].count_documents(mine)
    assert not await service.db["conversations"].find_one({"_id": turn.conversation.id})
    assert not await service.db["data_keys"].find_one({"keyAltNames": {"$regex": turn.conversation.id}})


async def test_whoever_goes_on_writing_loses_only_the_old_words(chat: Chat, service: Service, clock: Clock) -> None:
    turn, _ = await chat.say("what is the minimum wage")
    old = {"conversation": turn.conversation.id}
    for name, at in (("inbox", "received_at"), ("outbox", "created_at")):
        await service.db[name].update_many(old, {"$set": {at: clock.at - (CHAT + 1) * DAY}})
    await chat.say("menu")
    await clock.after(0)
    assert await service.db["inbox"].count_documents(old) == 1
    turn, _ = await chat.say("menu")
    assert turn.conversation.locale == "en"


async def test_whoever_writes_in_the_last_moment_keeps_all(chat: Chat, service: Service, clock: Clock) -> None:
    """Nobody asked for it: a word between the look at the clock and the first step of erasing ends it."""
    turn, _ = await chat.say("what is the minimum wage")
    clock.at += (CHAT + 1) * DAY
    await clock.keeping.work()
    mine = {"_id": turn.conversation.id}
    row = await service.db["conversations"].find_one(mine)
    assert row and row["erase_after"] and row["erase_idle"]
    await service.db["conversations"].update_one(mine, {"$set": {"updated_at": clock.at + timedelta(seconds=1)}})
    await erased(service, clock.at)
    row = await service.db["conversations"].find_one(mine)
    assert row and "erase_after" not in row and "sealed" in row
    assert (await chat.say("hello"))[0].conversation.locale == "en"


async def test_who_waits_for_lessons_keeps_the_conversation(chat: Chat, service: Service, clock: Clock) -> None:
    """The words go all the same."""
    turn, _ = await chat.say("menu")
    mine = turn.conversation.id
    await service.db["learners"].insert_one({"_id": mine, "course": "x", "due": clock.at, "began_at": clock.at})
    await clock.after(CHAT + 1)
    assert await service.db["conversations"].find_one({"_id": mine})
    assert not await service.db["inbox"].count_documents({"conversation": mine})


async def test_what_was_said_long_before_a_case_is_not_of_it(chat: Chat, service: Service, clock: Clock) -> None:
    """A day before the case is; the case's own words stay as long as the case."""
    await chat.say("older words")
    turn, _ = await chat.say("words that led there")
    rows = await service.db["inbox"].find({"conversation": turn.conversation.id}).sort("received_at", 1).to_list()
    await service.db["inbox"].update_one({"_id": rows[-2]["_id"]}, {"$set": {"received_at": clock.at - 2 * DAY}})
    await service.db["inbox"].update_one({"_id": rows[-1]["_id"]}, {"$set": {"received_at": clock.at - DAY / 2}})
    case = await closed(chat)
    await clock.after(CHAT + 1)
    said = await transcript(service, case.conversation_id)
    assert "older words" not in said and "words that led there" in said and SECRET in said


# --- cases


async def test_a_case_is_announced_seven_days_and_two_before_it_goes(
    chat: Chat, service: Service, clock: Clock
) -> None:
    """I7: T−7 d, T−48 h, then gone: words, answers, report, number; the outline and the whole chain stay."""
    case = await closed(chat)
    await clock.after(CASE - 8)
    assert await clock.keeping.ending() == []
    await clock.after(1.5)
    (term,) = await clock.keeping.ending()
    assert (term.case.id, term.nearness) == (case.id, Nearness.SOON)
    await clock.after(5)
    (term,) = await clock.keeping.ending()
    assert term.nearness is Nearness.LAST
    assert SECRET in await transcript(service, case.conversation_id)
    await clock.after(2.1)
    await wait_for_key()
    gone = await found(service, case.id)
    assert not gone.conversation_id and await clock.keeping.ending() == []
    assert not await service.db["inbox"].count_documents({"conversation": case.conversation_id})
    assert not await service.db["conversations"].find_one({"_id": case.conversation_id})
    assert not await service.db["reports"].find_one({"_id": case.id})
    assert not any(await details(service, case.id)) and await service.cases.broken_at(case.id) is None
    (line,) = await service.audit.find(who="clock", about=case.id)
    assert line["action"].startswith("case erased")


async def test_a_shorter_term_still_gives_a_week(chat: Chat, service: Service, clock: Clock) -> None:
    """Whoever lowers the setting sees first what it costs; raising it takes the end back."""
    case = await closed(chat)
    await clock.after(CASE + 50)
    (term,) = await clock.keeping.ending()
    assert term.case.ends_at == clock.at.replace(microsecond=clock.at.microsecond // 1000 * 1000) + 7 * DAY
    longer = MongoRetention(service.db, Terms(CHAT * DAY, 10 * CASE * DAY))
    await longer.announce(clock.at)
    assert await longer.ending() == [] and not await longer.erase_cases(clock.at + 8 * DAY)
    await clock.after(0)
    await clock.after(7.1)
    assert not (await found(service, case.id)).conversation_id


async def test_a_reopened_case_begins_its_time_anew(chat: Chat, service: Service, clock: Clock) -> None:
    case = await closed(chat)
    await clock.after(CASE - 1)
    assert await clock.keeping.ending()
    await service.cases.act(case.id, CaseAction.REOPEN, "sudha", clock.at)
    await clock.after(10)
    assert (await found(service, case.id)).conversation_id and await clock.keeping.ending() == []
    await service.cases.act(case.id, CaseAction.CLOSE, "asha", clock.at)
    await clock.after(1)
    assert await clock.keeping.ending() == []


async def test_a_merged_case_goes_with_the_one_it_went_into(chat: Chat, service: Service, clock: Clock) -> None:
    """Not before, though it was closed first."""
    turn, _ = await chat.say("", "c:report_recruiter")
    other = await another(chat)
    going_on, _ = await other.say("", "c:report_recruiter")
    first, second = turn.conversation.open_case, going_on.conversation.open_case
    await service.merges.merge(
        first, second, "sudha", clock.at, why=MergedFor.EVENT, reason=Private("one event"), others={}, key=""
    )
    await clock.after(CASE + 10)
    assert (await found(service, first)).conversation_id
    await service.cases.act(second, CaseAction.CLOSE, "asha", clock.at)
    await clock.after(CASE - 1)
    await clock.after(8)
    assert not (await found(service, first)).conversation_id + (await found(service, second)).conversation_id


# --- what a law keeps


async def test_the_clock_passes_what_a_law_keeps(chat: Chat, service: Service, clock: Clock) -> None:
    """Case, words and the report's details; let go, it has a week's notice again."""
    case = await closed(chat)
    await clock.keeping.hold(case, "sudha", "FIR 12/2026, court of Gaya")
    await service.reports.expire(clock.at + 5000 * DAY)
    await clock.after(CASE + 10)
    await clock.after(10)
    assert SECRET in await transcript(service, case.conversation_id)
    assert await service.db["reports"].find_one({"_id": case.id})
    (term,) = await clock.keeping.kept()
    assert (term.case.id, term.case.kept_by, term.nearness) == (case.id, "sudha", Nearness.NONE)
    await clock.keeping.lift(await found(service, case.id), "sudha", "the court has ended it")
    await clock.after(0)
    (term,) = await clock.keeping.ending()
    assert term.nearness is Nearness.SOON and await clock.keeping.kept() == []
    await clock.after(7.1)
    assert not (await found(service, case.id)).conversation_id


async def test_it_is_a_line_of_the_chain_with_its_reason(chat: Chat, service: Service, clock: Clock) -> None:
    case = await closed(chat)
    with pytest.raises(IllegalTransition):
        await clock.keeping.lift(case, "sudha", "nothing keeps it")
    await clock.keeping.hold(case, "sudha", "an order", key="k")
    await clock.keeping.hold(case, "sudha", "an order", key="k")
    with pytest.raises(IllegalTransition):
        await clock.keeping.hold(case, "sudha", "again")
    last = (await service.cases.history(case.id))[-1]
    assert (last.action, last.who, last.detail.reveal()) == (CaseAction.HOLD, "sudha", "an order")
    assert await service.cases.broken_at(case.id) is None


async def test_what_a_law_keeps_stays_though_the_person_asks_and_the_rest_goes(chat: Chat, service: Service) -> None:
    """H8, DPDP 8(3): told plainly; other cases, later words, wishes go at once; the kept part goes when it is let go."""
    first = await closed(chat, "the first matter")
    await service.db["cases"].update_one({"_id": first.id}, {"$set": {"opened_at": service.now() - 9 * DAY}})
    inbox: Doc = {"conversation": first.conversation_id}
    await service.db["inbox"].update_many(inbox, {"$set": {"received_at": service.now() - 9 * DAY}})
    case = await closed(chat)
    await service.keeping.hold(case, "sudha", "an order")
    await chat.say("words of afterwards")
    assert await wish(chat) == ["core.delete_ask_kept", "core.deleted_kept"]
    await erased(service, utc_now())
    await wait_for_key()
    said = await transcript(service, case.conversation_id)
    assert SECRET in said and "first matter" not in said and "afterwards" not in said
    assert not (await found(service, first.id)).conversation_id
    assert not await service.db["reports"].find_one({"_id": first.id})
    assert await service.db["reports"].find_one({"_id": case.id})
    assert (await service.keeping.of(await found(service, case.id))).asked_at
    turn, _ = await chat.say("hello")
    assert not turn.conversation.locale and turn.conversation.id == case.conversation_id
    await service.keeping.lift(await found(service, case.id), "sudha", "over")
    await erased(service, utc_now())
    await wait_for_key()
    assert not (await found(service, case.id)).conversation_id and not any(await details(service, case.id))
    said = await transcript(service, case.conversation_id)
    assert SECRET not in said and "hello" in said
    assert not await service.db["data_keys"].find_one({"keyAltNames": {"$regex": "^kept:"}})
    assert await wish(chat) == ["core.delete_ask", "core.deleted"]


async def test_whoever_has_not_written_since_is_forgotten_as_a_whole(chat: Chat, service: Service) -> None:
    case = await closed(chat)
    await service.keeping.hold(case, "sudha", "an order")
    await wish(chat)
    await erased(service, utc_now())
    assert SECRET in await transcript(service, case.conversation_id)
    assert await service.custody._on.contacts.address(case.conversation_id)
    await service.keeping.lift(await found(service, case.id), "sudha", "over")
    await erased(service, utc_now() + DAY)
    assert not await service.db["conversations"].find_one({"_id": case.conversation_id})
    assert not await service.db["data_keys"].find_one({"keyAltNames": {"$regex": case.conversation_id}})
    assert not (await found(service, case.id)).conversation_id


async def test_with_an_open_case_the_person_is_told_the_same(chat: Chat, service: Service) -> None:
    """Also who is in danger; the wish comes due at the end of the case, and then passes what is kept."""
    turn, _ = await chat.say("help me, they locked me in a room")
    case = await found(service, turn.conversation.open_case)
    await service.keeping.hold(case, "sudha", "an order")
    _, messages = await chat.say("delete my data")
    assert [message.message_id for message in messages] == ["core.deleted_kept"]
    await service.cases.act(case.id, CaseAction.CLOSE, "asha", service.now())
    await erased(service, utc_now())
    assert "they locked me" in await transcript(service, case.conversation_id)


async def test_a_second_wish_does_not_destroy_what_is_kept(chat: Chat, service: Service) -> None:
    case = await closed(chat)
    await service.keeping.hold(case, "sudha", "an order")
    for _ in range(2):
        await wish(chat)
        await service.conversations.erase_due(utc_now())
    for _ in range(2):
        await wish(chat)
        await erased(service, utc_now())
    await wait_for_key()
    assert SECRET in await transcript(service, case.conversation_id)


async def test_another_case_that_is_kept_holds_on(chat: Chat, service: Service) -> None:
    """Of two, letting one go erases nothing of the other."""
    first = await closed(chat, "the first matter")
    second = await closed(chat)
    for case in (first, second):
        await service.keeping.hold(case, "sudha", "an order")
    await wish(chat)
    await erased(service, utc_now())
    await service.keeping.lift(await found(service, first.id), "sudha", "over")
    await erased(service, utc_now())
    await wait_for_key()
    assert SECRET in await transcript(service, second.conversation_id)
    await service.keeping.lift(await found(service, second.id), "sudha", "over")
    await erased(service, utc_now())
    await wait_for_key()
    assert not (await found(service, second.id)).conversation_id


async def test_who_told_of_the_same_event_is_kept_along(chat: Chat, service: Service) -> None:
    """A law that keeps a case keeps those merged into it, and their people's words."""
    turn, _ = await chat.say("", "c:report_recruiter")
    other = await another(chat)
    theirs, _ = await other.say("", "c:report_recruiter")
    await other.say(SECRET)
    first, second = theirs.conversation.open_case, turn.conversation.open_case
    await service.merges.merge(
        first, second, "sudha", service.now(), why=MergedFor.EVENT, reason=Private("one event"), others={}, key=""
    )
    await service.cases.act(second, CaseAction.CLOSE, "asha", service.now())
    await service.keeping.hold(await found(service, second), "sudha", "an order")
    assert await wish(other) == ["core.delete_ask_kept", "core.deleted_kept"]
    await erased(service, utc_now())
    assert SECRET in await transcript(service, theirs.conversation.id)
    await service.keeping.lift(await found(service, second), "sudha", "over")
    await erased(service, utc_now() + DAY)
    await wait_for_key()
    assert not (await found(service, first)).conversation_id
    assert (await found(service, second)).conversation_id


async def test_a_kept_report_counts_beyond_its_days(chat: Chat, service: Service) -> None:
    case = await closed(chat)
    phone = Identifier(IdentifierKind.PHONE, "9812345670")
    await service.reports.hold(case.id, case.conversation_id, phone, "asha", service.now())
    await service.keeping.hold(case, "sudha", "an order")
    assert await service.reports.expire(service.now() + 5000 * DAY) == 0
    await service.keeping.lift(await found(service, case.id), "sudha", "over")
    assert await service.reports.expire(service.now() + 5000 * DAY) == 1
