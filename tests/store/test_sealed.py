"""Keys that cannot be read for a moment: everything waits, nothing is taken for erased."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from pymongo import AsyncMongoClient

from bot.app import Service, utc_now
from bot.chat import Chat
from bot.domain.messages import Address, Carrier, ChannelName, InboundMessage, Receipt, ReceiptState
from bot.domain.private import Private
from bot.ports import StoreUnavailable
from bot.running import running
from bot.store.sealed import KEY_CACHE_MS, Unreadable

Doc = dict[str, Any]


@asynccontextmanager
async def no_keys(service: Service, uri: str) -> AsyncIterator[None]:
    """The server ends the connection whenever the service asks for a key, and answers all else."""
    namespace = f"{service.db.name}.data_keys"
    data = {"failCommands": ["find"], "closeConnection": True, "appName": "sahyatri", "namespace": namespace}
    client: AsyncMongoClient[Doc] = AsyncMongoClient(uri)
    await asyncio.sleep(KEY_CACHE_MS / 1000 + 0.3)
    async with client:
        await client.admin.command({"configureFailPoint": "failCommand", "mode": {"times": 1_000_000}, "data": data})
        try:
            yield
        finally:
            await client.admin.command({"configureFailPoint": "failCommand", "mode": "off"})


def message(number: int) -> InboundMessage:
    now = utc_now()
    to = Address(ChannelName.TERMINAL, Private("p1"))
    return InboundMessage(f"terminal:p1:{number}", to, Carrier.TEXT, Private("hello"), now, now)


async def test_what_cannot_be_opened_now_is_not_taken_for_erased(service: Service, mongodb_uri: str) -> None:
    """The message stays in the inbox, the answer in the outbox and free for the next try, the conversation as it was."""
    chat = Chat(service)
    async with running(service, chat.on_turn):
        turn, _ = await chat.say("", "l:en")
    mine = turn.conversation.id
    await service.inbox.add(message(2))
    again: Doc = {"open": True, "state": "waiting"}
    await service.db["outbox"].update_one({"conversation": mine}, {"$set": again, "$unset": {"lease": ""}})
    async with no_keys(service, mongodb_uri):
        with pytest.raises(StoreUnavailable):
            await service.outbox.next_due("me")
        with pytest.raises(StoreUnavailable):
            await service.inbox.waiting(service.inbox.conversation_id(message(2).address), 10)
        with pytest.raises(StoreUnavailable):
            await service.conversations.load(mine, ChannelName.TERMINAL)
    row = await service.db["outbox"].find_one({"conversation": mine, "open": True})
    assert row and row["state"] == "waiting" and "lease" not in row
    (waiting,) = await service.inbox.waiting(service.inbox.conversation_id(message(2).address), 10)
    assert waiting.message.text.reveal() == "hello"
    assert (await service.conversations.load(mine, ChannelName.TERMINAL)).locale == "en"


async def test_what_was_sent_is_recorded_although_its_id_cannot_be_sealed(service: Service, mongodb_uri: str) -> None:
    """It is not in doubt, receipts still move it, and the id to delete it by follows; not for somebody erased since."""
    chat = Chat(service)
    async with running(service, chat.on_turn):
        turn, _ = await chat.say("", "l:en")
    outbox, rows, mine = service.outbox, service.db["outbox"], {"conversation": turn.conversation.id}
    await rows.update_many(mine, {"$set": {"open": False, "state": "sent"}})
    for number, erased in ((77, False), (78, True)):
        again: Doc = {"$set": {"open": True, "state": "waiting"}, "$unset": {"lease": "", "channel_id": ""}}
        await rows.update_one(mine, again)
        due = await outbox.next_due("me")
        assert due and await outbox.sending(due)
        sent = Private(str(number))
        async with no_keys(service, mongodb_uri):
            await outbox.sent(due, sent)
            row = await rows.find_one({"_id": due.id})
            assert row and (row["state"], row["open"], row["unsealed"]) == ("sent", False, True)
            assert "channel_id" not in row
            await outbox.name_late()
            assert await rows.count_documents({"unsealed": True}) == 1
        assert await outbox.receipt(Receipt(ChannelName.TERMINAL, sent, ReceiptState.DELIVERED, utc_now()))
        if erased:
            await rows.delete_one({"_id": due.id})
            await service.db["data_keys"].delete_many({"keyAltNames": due.conversation_id})
        keys = await service.db["data_keys"].count_documents({})
        assert await outbox.next_due("me") is None
        assert await service.db["data_keys"].count_documents({}) == keys and not outbox._unsealed
        if not erased:
            row = await rows.find_one({"_id": due.id})
            assert row and row["state"] == "delivered" and "unsealed" not in row
            assert await service.sealer.open(f"channel_id:{due.id}", row["channel_id"]) == {"id": "77"}


async def test_what_comes_meanwhile_is_spooled(service: Service, mongodb_uri: str) -> None:
    await service.inbox.add(message(1))
    async with no_keys(service, mongodb_uri):
        assert await service.receiver.receive(message(2))
        assert service.spool.waiting


async def test_the_service_goes_on_where_it_was(service: Service, mongodb_uri: str) -> None:
    """No apology, no case, no fresh start: the answer comes a little later."""
    chat = Chat(service)
    async with running(service, chat.on_turn):
        before, _ = await chat.say("", "l:en")
        async with no_keys(service, mongodb_uri):
            asked = asyncio.ensure_future(chat.say("hello"))
            await asyncio.sleep(2)
            assert not asked.done()
        turn, _ = await asked
    assert (turn.conversation.id, turn.conversation.locale) == (before.conversation.id, "en")
    assert not await service.cases.queue()
    assert not await service.db["inbox"].count_documents({"$or": [{"state": "erased"}, {"attempts": {"$gt": 0}}]})
    assert not await service.db["outbox"].count_documents({"state": "failed"})


async def test_a_destroyed_key_and_damaged_words_are_gone_for_good(service: Service) -> None:
    sealed = await service.sealer.seal("p1", "place", {"x": 1})
    for damaged in (b"", bytes(sealed)[:10], bytes(sealed)[:-40], b"\x09" * 60):
        with pytest.raises(Unreadable):
            await service.sealer.open("place", damaged)
    await service.db["data_keys"].delete_one({"keyAltNames": "p1"})
    await asyncio.sleep(KEY_CACHE_MS / 1000 + 0.3)
    with pytest.raises(Unreadable):
        await service.sealer.open("place", sealed)
