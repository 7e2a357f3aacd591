"""The chat vanishes from the screen: both sides' messages go, what we keep and the case stay."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from bot.app import Service, utc_now
from bot.chat import Chat
from bot.domain.messages import Address, Carrier, ChannelName, InboundMessage, OutboundMessage
from bot.domain.private import Private
from bot.ports import ChannelError
from bot.running import running
from bot.service.forget import Forgetter
from bot.store.traces import MongoTraces


class Screen:
    """A channel that remembers what it was told to delete, and may fail first."""

    name = ChannelName.TERMINAL

    def __init__(self, *failures: ChannelError) -> None:
        self.failures = list(failures)
        self.gone: list[str] = []

    async def send(self, address: Address, message: OutboundMessage, outbox_id: str) -> Private:
        return Private(outbox_id)

    async def forget(self, address: Address, message_ids: Sequence[Private]) -> None:
        if self.failures:
            raise self.failures.pop(0)
        self.gone += [name.reveal() for name in message_ids]


async def settled(service: Service) -> None:
    async with asyncio.timeout(10):
        while await service.db["outbox"].count_documents({"open": True}):
            await asyncio.sleep(0.05)


async def test_both_sides_vanish_and_the_case_stays_open(service: Service) -> None:
    """Nothing is said on a channel that can delete; a channel that fails is asked again, and each asking is settled."""
    chat, screen = Chat(service), Screen(ChannelError("down", retryable=True))
    service.forgetter = Forgetter(
        MongoTraces(service.db, service.sealer, frozenset({"terminal"})),
        {ChannelName.TERMINAL: screen},
        service.now,
    )
    async with running(service, chat.on_turn):
        turn, _ = await chat.say("they locked us in the factory")
        await settled(service)
        now = utc_now()
        address = Address(ChannelName.TERMINAL, chat._address.value)
        typed = InboundMessage("terminal:x:1", address, Carrier.TEXT, Private("hide"), now, now, id=Private("42"))
        await service.receiver.receive(typed)
        async with asyncio.timeout(15):
            while (
                await service.db["conversations"].count_documents({"forget_since": {"$exists": True}})
                or not screen.gone
            ):
                await asyncio.sleep(0.05)
    ours = [row["_id"] async for row in service.db["outbox"].find({"channel_id": {"$exists": True}})]
    assert len(ours) >= 2
    assert set(screen.gone) == {*ours, "42"}
    assert [case.id for case in await service.cases.queue()] == [turn.conversation.open_case]


async def test_what_cannot_be_deleted_is_given_up(service: Service) -> None:
    screen = Screen(ChannelError("no", retryable=False))
    traces = MongoTraces(service.db, service.sealer, frozenset({"terminal"}))
    chat = Chat(service)
    async with running(service, chat.on_turn):
        await chat.say("menu")
        await settled(service)
    now = utc_now()
    await service.db["conversations"].update_one({}, {"$set": {"forget_at": now, "forget_since": now}})
    forgetter = Forgetter(traces, {ChannelName.TERMINAL: screen}, utc_now)
    assert await forgetter.work() == 1
    assert await forgetter.work() == 0
    assert screen.gone == []
