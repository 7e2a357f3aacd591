"""The whole path of a message over the real database: inbox, lease, step, commit, outbox."""

from __future__ import annotations

import asyncio

from bot.app import Service, running, utc_now
from bot.chat import Chat
from bot.domain.messages import Address, Carrier, ChannelName, InboundMessage
from bot.domain.private import Private


async def test_danger_opens_one_case_though_the_nlu_is_down(service: Service) -> None:
    """The in-process check alone hands the conversation to a human, and further danger raises the same case."""
    chat = Chat(service)
    async with running(service, chat.on_turn):
        await chat.say("", "l:hi")
        turn, messages = await chat.say("mujhe malik ne kamre me band kar diya hai bachao")
        again, silent = await chat.say("wo mujhe marta hai")

    assert turn.conversation.open_case
    assert "112" in messages[0].text.reveal()
    assert again.conversation.open_case == turn.conversation.open_case
    assert silent == ()
    assert [case.id for case in await service.cases.queue()] == [turn.conversation.open_case]


async def test_a_redelivery_changes_nothing(service: Service) -> None:
    """The same key a hundred times, in parallel, is one message."""
    now = utc_now()
    address = Address(ChannelName.TERMINAL, Private("p1"))
    message = InboundMessage("terminal:p1:1", address, Carrier.TEXT, Private("hello"), now, now)

    fresh = await asyncio.gather(*(service.receiver.receive(message) for _ in range(100)))

    assert sum(fresh) == 1
    assert await service.db["inbox"].count_documents({}) == 1
