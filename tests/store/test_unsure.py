"""Whoever was asked whether they need help now, and fell silent: a human is told once, and the person hears nothing."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from bot.app import Service
from bot.chat import Chat
from bot.domain.cases import CaseKind
from bot.domain.risk import UNSURE
from bot.running import running
from bot.service.unsure import keep_opening

PERHAPS = "I am scared of the contractor"
LATER = timedelta(minutes=10)


async def asked(service: Service, *then: str) -> Chat:
    """Ask whether help is needed, and hear what follows."""
    chat = Chat(service)
    async with running(service, chat.on_turn):
        await chat.say("", "l:en")
        _, said = await chat.say(PERHAPS)
        assert "distress.perhaps" in [message.message_id for message in said]
        for words in then:
            await chat.say(words)
    return chat


async def opened(service: Service, later: timedelta = LATER) -> int:
    now = service.now() + later
    return await service.conversations.open_unsure(now - LATER, now)


async def test_silence_opens_a_low_case_once_and_sends_nothing(service: Service) -> None:
    """Not before its time; two processes at once open one; it pages, and the bot goes on answering."""
    chat = await asked(service)
    sent = await service.db["outbox"].count_documents({})
    assert await opened(service, LATER - timedelta(minutes=1)) == 0
    assert sorted(await asyncio.gather(opened(service), opened(service))) == [0, 1]
    assert await opened(service, 2 * LATER) == 0
    (case,) = await service.cases.queue()
    assert (case.kind, case.risk_kind, case.held, case.owner) == (CaseKind.PERSON_ASKED, UNSURE, False, None)
    assert case.reason.startswith("unanswered:")
    assert await service.db["outbox"].count_documents({}) == sent
    assert await service.db["alerts"].count_documents({"case": case.id, "kind": "person_asked"}) > 0
    async with running(service, chat.on_turn):
        turn, said = await chat.say("menu")
        assert turn.conversation.open_case == case.id and said
        turn, said = await chat.say("they are beating me")
        assert [message.message_id for message in said][:1] == ["distress.first_woman"]
    raised = await service.cases.get(case.id)
    assert raised and (raised.kind, raised.risk_kind) == (CaseKind.DISTRESS, "distress_violence")
    assert await service.cases.broken_at(case.id) is None


@pytest.mark.parametrize("words", ["no", "menu", "yes", "they are beating me"])
async def test_an_answer_ends_the_wait(service: Service, words: str) -> None:
    """A no, another question, and a yes or plain danger, which has a case of its own."""
    await asked(service, words)
    assert await opened(service) == 0
    assert await service.db["conversations"].count_documents({"unsure_since": {"$exists": True}}) == 0


async def test_a_crash_leaves_the_clock_or_the_case_never_neither(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The process ends in the middle of writing; the next one opens the case."""
    await asked(service)

    async def falls(*_: object) -> None:
        raise RuntimeError

    with monkeypatch.context() as broken:
        broken.setattr(service.conversations._effects._writer, "alert", falls)
        with pytest.raises(RuntimeError):
            await opened(service)
    assert await service.cases.queue() == []
    assert await opened(service) == 1


async def test_whoever_is_erased_is_not_looked_for(service: Service) -> None:
    await asked(service)
    await service.db["conversations"].update_many({}, {"$set": {"erase_after": service.now()}})
    assert await opened(service) == 0


async def test_the_clock_runs_by_itself_and_can_be_switched_off(service: Service) -> None:
    woken = asyncio.Event()
    await asked(service)
    later = lambda: service.now() + LATER  # noqa: E731
    await keep_opening(service.conversations.open_unsure, later, woken.set, 0)
    assert await service.cases.queue() == []
    job = asyncio.create_task(keep_opening(service.conversations.open_unsure, later, woken.set, 600, 0.05))
    async with asyncio.timeout(20):
        await woken.wait()
    job.cancel()
    assert len(await service.cases.queue()) == 1
