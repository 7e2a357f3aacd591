"""Somebody may be watching the phone: what the bot had on its way does not leave afterwards, by no way round."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from bot.app import Service
from bot.chat import Chat
from bot.domain.messages import ChannelName, Receipt, ReceiptState
from bot.domain.private import Private
from bot.ports import Due
from bot.running import running

Doc = dict[str, Any]
DISTRESS = "they locked us in the factory"


async def row_of(service: Service, conversation: str, **state: object) -> Doc:
    """Return the newest message of the bot, put into a state."""
    rows = service.db["outbox"]
    row = await rows.find_one({"conversation": conversation, "author": "bot"}, sort=[("_id", -1)])
    assert row
    await rows.update_one({"_id": row["_id"]}, {"$set": state})
    return row


async def settled(service: Service) -> None:
    async with asyncio.timeout(10):
        while await service.db["outbox"].count_documents({"open": True}):
            await asyncio.sleep(0.05)


async def silenced(service: Service, **state: object) -> tuple[Doc, int]:
    """A person in danger asks for silence while the bot's last message is in a state; return it, and what was sent."""
    chat = Chat(service)
    async with running(service, chat.on_turn):
        await chat.say("", "l:en")
        turn, _ = await chat.say(DISTRESS)
        await settled(service)
        sent = len(service.terminal.sent)
        later = service.now().replace(year=2099)
        row = await row_of(service, turn.conversation.id, **{"not_before": later, **state})
        turn, _ = await chat.say("", "q:here")
    assert turn.conversation.silent
    return row, sent


async def test_what_is_in_doubt_is_not_sent_once_more(service: Service) -> None:
    row, _ = await silenced(service, open=True, state="unknown")
    kept = await service.db["outbox"].find_one({"_id": row["_id"]})
    assert kept and (kept["state"], kept["open"]) == ("dropped", False)


@pytest.mark.parametrize("state", ["waiting", "sending", "unknown"])
async def test_a_row_that_comes_back_afterwards_is_dropped(service: Service, state: str) -> None:
    """The send that was under way is refused, or the platform gives the message up and it is opened again."""
    row, sent = await silenced(service)
    again: Doc = {"open": True, "state": state, "not_before": row["not_before"]}
    await service.db["outbox"].update_one({"_id": row["_id"]}, {"$set": again})
    assert await service.outbox.next_due("me") is None
    kept = await service.db["outbox"].find_one({"_id": row["_id"]})
    assert kept and (kept["state"], kept["open"]) == ("dropped", False)
    assert len(service.terminal.sent) == sent


async def test_a_late_failed_receipt_brings_nothing_back(service: Service) -> None:
    row, sent = await silenced(service, state="sent")
    refused = Receipt(ChannelName.TERMINAL, Private("x"), ReceiptState.FAILED, service.now(), row["_id"], again=0)
    assert await service.outbox.receipt(refused)
    assert await service.outbox.next_due("me") is None
    assert len(service.terminal.sent) == sent


async def test_silence_is_heard_between_lease_and_send(service: Service) -> None:
    """What a responder writes still leaves: a human decides that."""
    row, _ = await silenced(service, state="sent")
    rows, mine = service.db["outbox"], {"_id": row["conversation"]}
    await rows.update_one(
        {"_id": row["_id"]}, {"$set": {"open": True, "state": "waiting", "not_before": row["not_before"]}}
    )
    await service.db["conversations"].update_one(mine, {"$set": {"silent": False}})
    due = await service.outbox.next_due("me")
    assert isinstance(due, Due)
    await service.db["conversations"].update_one(mine, {"$set": {"silent": True}})
    assert not await service.outbox.sending(due)
    kept = await rows.find_one({"_id": row["_id"]})
    assert kept and (kept["state"], kept["open"]) == ("dropped", False)
    await rows.update_one({"_id": row["_id"]}, {"$set": {"open": True, "state": "waiting", "author": "responder"}})
    assert await service.outbox.next_due("me")
