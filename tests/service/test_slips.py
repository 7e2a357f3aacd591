"""A report's number: given with its first stored part, answered in every chat, and nothing to be learned by guessing."""

from __future__ import annotations

import asyncio
import io
import logging
import re
import statistics
import time
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta

import pytest
import pytest_asyncio

from bot.app import Service
from bot.chat import Chat
from bot.domain.cases import CaseAction, CaseKind, MergedFor
from bot.domain.conversation import Identify, OpenCase
from bot.domain.private import Private
from bot.domain.risk import Level, Risk
from bot.domain.slips import HIDDEN, Standing, grouped, number_in, written
from bot.logs import configure
from bot.running import running
from bot.store.slips import MOST_EACH, MongoSlips

GIVEN = re.compile(r"\d{4}-\d{4}-\d{4}-\d{4}")
UNKNOWN = "1234 5678 9012 3456"


@pytest_asyncio.fixture
async def chat(service: Service) -> AsyncIterator[Chat]:
    """Somebody at a terminal who has chosen English."""
    chat = Chat(service)
    async with running(service, chat.on_turn):
        await chat.say("", "l:en")
        yield chat


async def another(chat: Chat, locale: str = "en") -> Chat:
    other = Chat(chat._service)
    other._turns = chat._turns
    await other.say("", f"l:{locale}")
    return other


async def report(chat: Chat, what: str = "c:report_recruiter") -> tuple[str, str]:
    """Report; return the number and the case."""
    turn, messages = await chat.say("", what)
    return GIVEN.findall(messages[0].text.reveal())[0], turn.conversation.open_case


async def ids(chat: Chat, text: str) -> list[str]:
    _, messages = await chat.say(text)
    return [message.message_id for message in messages]


@pytest.mark.parametrize("what", ["c:report_recruiter", "c:report_trafficking", "c:report_child_labour"])
async def test_the_number_comes_first_and_with_the_case(chat: Chat, service: Service, what: str) -> None:
    """Shown last, it would be lost by whoever leaves early; it may be copied, and is kept as a keyed hash alone."""
    turn, messages = await chat.say("", what)
    assert messages[0].message_id == "slip.given" and not messages[0].protected
    number = number_in(GIVEN.findall(messages[0].text.reveal())[0])
    row = await service.db["cases"].find_one({"_id": turn.conversation.open_case})
    assert row and row["slip"] == service.sealer.blind("slip", number)
    async for name in await service.db.list_collections():
        async for doc in service.db[name["name"]].find({}):
            assert number not in repr(doc) and grouped(number) not in repr(doc), name["name"]
    assert not any(number in repr(item) or grouped(number) in repr(item) for item in (turn, *messages))
    assert grouped(number) not in str(turn.conversation.last_replies)
    _, again = await chat.say("", "c:repeat")
    assert not any(grouped(number) in message.text.reveal() for message in again)


async def test_only_a_report_has_one(chat: Chat) -> None:
    assert "slip.given" not in await ids(chat, "help me, they locked me in a room")
    other = await another(chat)
    _, messages = await other.say("", "c:person")
    assert [message.message_id for message in messages] == ["person.opened"]


async def test_nothing_is_given_where_the_bot_is_silent(service: Service, chat: Chat) -> None:
    turn, _ = await chat.say("", "c:report_recruiter")
    opened = OpenCase("c", CaseKind.REPORT, Risk(Level.NONE, "report_recruiter", "x"))
    silent = replace(
        turn, conversation=replace(turn.conversation, silent=True), replies=turn.replies[1:], effects=(opened,)
    )
    assert silent.replies
    served = await service.slips.serve(silent, service.now())
    assert all(reply.message != "slip.given" for reply in served.replies)
    assert not any(isinstance(effect, OpenCase) and effect.slip for effect in served.effects)


async def test_it_is_answered_in_every_chat_and_says_only_the_state(chat: Chat, service: Service) -> None:
    """Received, worked on, passed on, closed; whoever asks, and however the digits are written."""
    number, case = await report(chat)
    other = await another(chat, "hi")
    there = "".join(chr(0x966 + int(char)) if char.isdigit() else " " for char in number)
    digits, now = number.replace("-", ""), service.now

    async def said(text: str) -> str:
        mine, theirs = await ids(chat, digits), await ids(other, text)
        assert mine == theirs and len(mine) == 1
        return mine[0]

    assert await said(there) == "slip.waiting"
    await service.cases.act(case, CaseAction.CLAIM, "asha", now())
    assert await said(there) == "slip.working"
    await service.cases.act(case, CaseAction.REFER, "asha", now(), detail=Private("police"))
    assert await said(number) == "slip.passed"
    await service.cases.act(case, CaseAction.CLOSE, "asha", now())
    assert await said(number) == "slip.over"
    turn, _ = await other.say(number)
    assert not turn.conversation.open_case and not turn.conversation.followed_case


async def test_a_copy_of_the_whole_bubble_is_understood(chat: Chat) -> None:
    """Kept in another chat and forwarded; in another language than that of the one who asks."""
    hindi = await another(chat, "hi")
    _, messages = await hindi.say("", "c:report_recruiter")
    assert await ids(chat, messages[0].text.reveal()) == ["slip.waiting"]


async def test_an_unknown_number_is_answered_like_a_new_one(chat: Chat, service: Service) -> None:
    """So is one that was erased: the same words, and nothing of the person's flow is lost."""
    number, case = await report(chat)
    other = await another(chat)
    _, known = await other.say(number)
    _, unknown = await other.say(UNKNOWN)
    assert [message.text.reveal() for message in known] == [message.text.reveal() for message in unknown]
    await service.cases.act(case, CaseAction.CLOSE, "asha", service.now())
    assert await ids(other, number) == ["slip.over"]
    await chat.say("", "c:delete")
    await chat.say("", "c:delete_yes")
    for _ in range(100):
        if (found := await service.cases.get(case)) and not found.conversation_id:
            break
        await asyncio.sleep(0.1)
    assert found and not found.conversation_id
    assert await ids(other, number) == ["slip.waiting"]


async def test_a_known_and_an_unknown_number_cost_the_same(chat: Chat, service: Service) -> None:
    """No difference in time that rises above the noise."""
    number, _ = await report(chat)
    slips = MongoSlips(service.db, service.sealer, 10**6, 10**6)
    spent: dict[str, list[float]] = {number: [], UNKNOWN: []}
    for _ in range(150):
        for asked, times in spent.items():
            begun = time.perf_counter()
            await slips.standing(Private(number_in(asked)), "somebody", service.now())
            times.append(time.perf_counter() - begun)
    known, unknown = (statistics.median(times) for times in spent.values())
    print(f"known {known * 1000:.2f} ms, unknown {unknown * 1000:.2f} ms")
    assert abs(known - unknown) < 0.5 * max(known, unknown)


async def test_guessing_is_slowed_for_one_person_and_for_all(chat: Chat, service: Service) -> None:
    """Counted before it is looked up, right or wrong; an hour later there is room again."""
    number, _ = await report(chat)
    slips, now = MongoSlips(service.db, service.sealer, most_all=MOST_EACH + 5), service.now()
    right = Private(number_in(number))
    for guess in range(MOST_EACH):
        assert await slips.standing(Private(written(guess)), "one", now) is Standing.WAITING
    assert await slips.standing(right, "one", now) is Standing.LATER
    for person in range(5):
        assert await slips.standing(right, f"other{person}", now) is Standing.WAITING
    assert await slips.standing(right, "last", now) is Standing.LATER
    assert await slips.standing(right, "one", now + timedelta(hours=1)) is Standing.WAITING


async def test_the_slow_answer_is_the_same_for_both(chat: Chat) -> None:
    number, _ = await report(chat)
    other = await another(chat)
    for _ in range(MOST_EACH):
        await other.say(UNKNOWN)
    assert await ids(other, number) == await ids(other, UNKNOWN) == ["slip.later"]


async def test_a_merged_report_stands_where_the_case_stands_that_goes_on(chat: Chat, service: Service) -> None:
    number, case = await report(chat)
    other = await another(chat)
    _, kept = await report(other)
    await service.merges.merge(
        case, kept, "sudha", service.now(), why=MergedFor.EVENT, reason=Private("one event"), others={}, key=""
    )
    assert await ids(chat, number) == ["slip.waiting"]
    await service.cases.act(kept, CaseAction.CLAIM, "asha", service.now())
    assert await ids(chat, number) == ["slip.working"]


async def test_it_is_never_a_phone_a_name_to_check_or_an_answer(chat: Chat, service: Service) -> None:
    """`4821 9198 7654 3210` holds a phone with its country code; in an open report and an open check it is a slip."""
    looks_like_a_phone = "4821 9198 7654 3210"
    await report(chat)
    turn, messages = await chat.say(looks_like_a_phone)
    assert [message.message_id for message in messages] == ["slip.waiting"]
    assert not any(isinstance(effect, Identify) for effect in turn.effects)
    other = await another(chat)
    await other.say("", "c:check")
    turn, messages = await other.say(looks_like_a_phone)
    assert [message.message_id for message in messages] == ["slip.waiting"]
    assert turn.conversation.flow == "verify"
    danger = await another(chat)
    turn, _ = await danger.say("help me, they locked me in a room")
    turn, messages = await danger.say(UNKNOWN)
    assert [message.message_id for message in messages] == ["slip.waiting"]
    assert "where" not in turn.conversation.told and turn.conversation.open_case


async def test_danger_beside_a_number_is_danger(chat: Chat) -> None:
    number, _ = await report(chat)
    turn, messages = await chat.say(f"{number} help me, they locked me in a room")
    assert turn.risk and messages[0].message_id.startswith("distress.")


async def test_no_transcript_and_no_log_shows_it(chat: Chat, service: Service) -> None:
    """An account's number of the same length stays readable: it is what the responder needs."""
    stream = io.StringIO()
    handlers, level = logging.getLogger().handlers[:], logging.getLogger().level
    configure("INFO", stream)
    try:
        number, case = await report(chat)
        await chat.say(f"his account is 1111 2222 3333 4444, mine is {number}")
        await chat.say(number)
        logging.getLogger("bot").info("number %s", number, extra={"said": number.replace("-", " ")})
    finally:
        logging.getLogger().handlers[:], logging.getLogger().level = handlers, level
    found = await service.cases.get(case)
    assert found and found.kind is CaseKind.REPORT
    said = "\n".join(line.text.reveal() for line in await service.cases.transcript(found.conversation_id))
    assert number not in said and number.replace("-", "") not in said
    assert said.count(HIDDEN) == 3 and "1111 2222 3333 4444" in said
    assert number not in stream.getvalue() and number.replace("-", " ") not in stream.getvalue()


@pytest.mark.parametrize("text", ["what did I tell you", "my report", "/start", "menu"])
async def test_without_the_number_nothing_is_told(chat: Chat, text: str) -> None:
    """H3: whoever has the phone of somebody who reported is answered like whoever has not reported."""
    other = await another(chat)
    before = await ids(other, text)
    await report(chat)
    await chat.say("Ramesh of Gaya took my money")
    _, messages = await chat.say(text)
    assert [message.message_id for message in messages] == before
    assert "Ramesh" not in " ".join(message.text.reveal() for message in messages)
