"""What waits for the person's next message: what of it may leave then, and what is over."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from bot.app import Service
from bot.domain.conversation import Conversation, Turn
from bot.domain.messages import Address, Carrier, ChannelName, Lane, OutboundMessage
from bot.domain.private import NOTHING_SAID, Private
from bot.ports import Due
from bot.service.window import Window
from bot.store.documents import conversation_out
from bot.store.held import MongoHeldBack, release
from bot.store.history import Writer
from bot.store.mongo import in_transaction

TALK = Conversation("p1", ChannelName.WHATSAPP, 1, opted_in=True)
GREETING = OutboundMessage(NOTHING_SAID, template="hello", locale="en")


async def queued(service: Service, author: str = "bot", lane: Lane = Lane.REPLY) -> Due:
    """One message on its way to a person who agreed to be written to."""
    message = OutboundMessage(Private("x"), lane=lane, author=author)
    sealed = await service.sealer.seal("p1", "conversation:p1", conversation_out(TALK))
    await service.db["conversations"].update_one({"_id": "p1"}, {"$set": {"sealed": sealed}}, upsert=True)
    name = f"p1:1:{author}"
    row = await Writer(service.db, service.sealer, ()).outbox_row(name, "p1", "whatsapp", message, service.now())
    await service.db["outbox"].insert_one(row)
    return Due(name, "p1", Address(ChannelName.WHATSAPP, Private("91")), message)


def held_back(service: Service) -> MongoHeldBack:
    return MongoHeldBack(service.db, service.sealer, Writer(service.db, service.sealer, ()))


async def states(service: Service, after: Conversation) -> dict[str, str]:
    """The state of each author's held message once the person has written and is as given."""
    for author in ("bot", "responder"):
        await held_back(service).hold(await queued(service, author), None, "n", service.now())

    async def body(session: Any) -> None:
        await release(service.db, Turn(after), Carrier.TEXT, (), service.now(), session)

    await in_transaction(service.db.client, body)
    return {row["author"]: row["state"] async for row in service.db["outbox"].find({})}


@pytest.mark.parametrize(
    ("after", "bot", "responder"),
    [
        (TALK, "waiting", "waiting"),
        (replace(TALK, stranger=True), "held", "held"),
        (replace(TALK, asked_same=True), "held", "held"),
        (replace(TALK, open_case="k"), "held", "waiting"),
        (replace(TALK, silent=True), "dropped", "held"),
        (replace(TALK, stopped=True), "dropped", "held"),
    ],
)
async def test_what_waited_leaves_only_to_whom_it_was_meant_for(
    service: Service, after: Conversation, bot: str, responder: str
) -> None:
    assert await states(service, after) == {"bot": bot, "responder": responder}


async def test_a_message_that_is_held_twice_can_be_greeted_for_twice(service: Service) -> None:
    due, rows = await queued(service, "responder"), service.db["outbox"]
    await held_back(service).hold(due, GREETING, "n", service.now())
    await rows.update_one({"_id": due.id}, {"$set": {"open": True, "state": "waiting"}})
    spoken = replace(due, heard_at=service.now())
    await held_back(service).hold(spoken, GREETING, "n", service.now())
    assert await rows.count_documents({"greeting": True}) == 2


async def test_a_lesson_is_never_kept_for_later(service: Service) -> None:
    window = Window(held_back(service), "hello", service.now)
    assert not await window.hold(await queued(service, lane=Lane.CAMPAIGN))
    assert await window.hold(await queued(service, "responder"))
