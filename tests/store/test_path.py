"""The whole path of a message over the real database: inbox, lease, step, commit, outbox."""

from __future__ import annotations

import asyncio
from datetime import timedelta

from bot.app import Service, utc_now
from bot.chat import Chat
from bot.domain.cases import CaseAction
from bot.domain.messages import Address, Carrier, ChannelName, InboundMessage
from bot.domain.private import Private
from bot.running import running


async def test_danger_opens_one_case_though_the_nlu_is_down(service: Service) -> None:
    """The in-process check alone hands the conversation to a human, and further danger raises the same case."""
    chat = Chat(service)
    async with running(service, chat.on_turn):
        await chat.say("", "l:hi")
        turn, messages = await chat.say("mujhe malik ne kamre me band kar diya hai bachao")
        again, told = await chat.say("wo mujhe marta hai")
        _, silent = await chat.say("wo mujhe phir marta hai")

    assert turn.conversation.open_case
    assert "112" in messages[0].text.reveal()
    assert again.conversation.open_case == turn.conversation.open_case
    assert told and "112" in told[0].text.reveal()
    assert silent == ()
    assert [case.id for case in await service.cases.queue()] == [turn.conversation.open_case]


async def test_a_redelivery_changes_nothing(service: Service) -> None:
    """The same key a hundred times, in parallel, is one message."""
    now = utc_now()
    address = Address(ChannelName.TERMINAL, Private("p1"))
    message = InboundMessage("terminal:p1:1", address, Carrier.TEXT, Private("hello"), now, now)

    service.inbox._patience = 30.0  # on a loaded machine the spool would take over, which is another test

    fresh = await asyncio.gather(*(service.receiver.receive(message) for _ in range(100)))

    assert sum(fresh) == 1
    assert await service.db["inbox"].count_documents({}) == 1


async def test_what_is_told_while_waiting_is_kept_sealed_and_a_claim_ends_the_questions(service: Service) -> None:
    """The last answer of each question, with its time; the history has a line for each."""
    chat = Chat(service)
    async with running(service, chat.on_turn):
        await chat.say("", "l:en")
        turn, _ = await chat.say("they locked us in the factory")
        _, asked = await chat.say("", "q:safe_yes")
        await chat.say("a blue gate behind the kiln")
        case = await service.cases.get(turn.conversation.open_case)
        assert case
        await service.respond.claim(case, "asha")
        _, silent = await chat.say("are you there")
        async with asyncio.timeout(10):
            while await service.db["outbox"].count_documents({"open": True}):
                await asyncio.sleep(0.05)

    assert [message.message_id for message in asked] == ["waiting.where"]
    assert silent == ()
    told = {item.slot: item.value.reveal() for item in await service.cases.told(case.id)}
    assert told == {"safe_to_talk": "yes", "where": "a blue gate behind the kiln"}
    assert "kiln" not in str(await service.db["cases"].find_one({"_id": case.id}))
    history = await service.cases.history(case.id)
    assert [event.action for event in history].count(CaseAction.TELL) == 2
    assert await service.cases.broken_at(case.id) is None


async def test_silence_holds_back_what_has_not_left_and_the_case_shows_it(service: Service) -> None:
    """Nothing runs that could deliver yet; once it does, nothing of ours leaves, and a claim says nothing either."""
    chat = Chat(service)
    async with running(service, chat.on_turn):
        await chat.say("", "l:en")
        turn, _ = await chat.say("they locked us in the factory")
        async with asyncio.timeout(10):
            while await service.db["outbox"].count_documents({"open": True}):
                await asyncio.sleep(0.05)
        before = len(service.terminal.sent)
        await service.db["outbox"].update_one(
            {"conversation": turn.conversation.id, "state": "sent"},
            {"$set": {"open": True, "state": "waiting", "not_before": utc_now() + timedelta(hours=1)}},
        )
        await chat.say("", "q:here")
        case = await service.cases.get(turn.conversation.open_case)
        assert case
        assert case.silent
        await service.respond.claim(case, "asha")
        again, _ = await chat.say("they are beating me")
        await asyncio.sleep(0.5)

    assert again.conversation.silent
    assert len(service.terminal.sent) == before
    assert await service.db["outbox"].count_documents({"open": True}) == 0
    assert await service.db["outbox"].count_documents({"state": "dropped"}) == 1
