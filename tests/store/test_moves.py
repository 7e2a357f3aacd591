"""One person behind several ids, or with a new number: the conversation and an open case follow, and nobody else's."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from bot.config import Config
from bot.domain.cases import CaseAction
from bot.domain.messages import Address, Carrier, ChannelName, InboundMessage, Moved
from bot.domain.private import Private
from bot.ports import StoreUnavailable
from bot.store.moves import LINKED_NOTE, MOVED_NOTE
from tests.cloud import DISTRESS, PERSON, Cloud, cloud, until

NEW = "910000000099"
USER = "IN.1a2B3c"


@pytest.fixture
async def whatsapp(config: Config, mongodb_uri: str) -> AsyncIterator[Cloud]:
    async with cloud(config, mongodb_uri) as found:
        yield found


def notice(whatsapp: Cloud, ago: float = 0) -> dict[str, Any]:
    return whatsapp.item("system", {"type": "user_changed_number", "wa_id": NEW}, ago=ago)


async def conversations(whatsapp: Cloud) -> int:
    return await whatsapp.service.db["conversations"].count_documents({})


def last_to(whatsapp: Cloud) -> str:
    call = whatsapp.platform.calls[-1]
    return str(call.get("to") or call.get("recipient"))


async def test_one_person_with_two_ids_is_one_conversation(whatsapp: Cloud) -> None:
    """E23: number and id, then the id alone, then the number alone; answers go to what they wrote from last."""
    await whatsapp.tap("l:en")
    await whatsapp.say("hello", from_user_id=USER)
    await whatsapp.say("hello again", sender=None, from_user_id=USER)
    assert last_to(whatsapp) == USER
    await whatsapp.say("and again")
    assert last_to(whatsapp) == PERSON
    assert await conversations(whatsapp) == 1


async def test_whoever_began_without_a_number_keeps_their_conversation(whatsapp: Cloud) -> None:
    await whatsapp.say(DISTRESS, sender=None, from_user_id=USER)
    await whatsapp.say("it is me", from_user_id=USER)
    await whatsapp.say("with the number alone")
    assert await conversations(whatsapp) == 1
    assert len(await whatsapp.service.cases.queue()) == 1


async def test_a_case_follows_to_the_new_number(whatsapp: Cloud) -> None:
    """The responder is told, replies go to the new number; before more is said there, it is asked who writes."""
    await whatsapp.tap("l:en")
    await whatsapp.say(DISTRESS)
    case = await whatsapp.case()
    assert await whatsapp.post(notice(whatsapp)) == 200
    events = await whatsapp.service.cases.history(case.id)
    assert (events[-1].action, events[-1].detail.reveal()) == (CaseAction.TELL, MOVED_NOTE)
    await whatsapp.say("hello", sender=NEW)
    assert (last_to(whatsapp), await conversations(whatsapp)) == (NEW, 1)
    assert "Did you write here before" in whatsapp.words()[-1]
    assert [found.id for found in await whatsapp.service.cases.queue()] == [case.id]
    claimed = await whatsapp.service.respond.claim(case, "asha")
    await whatsapp.service.respond.reply(claimed, "asha", "I am here", "k")
    await whatsapp.settled()
    assert (last_to(whatsapp), whatsapp.words()[-1]) == (NEW, "I am here")
    assert await whatsapp.service.cases.broken_at(case.id) is None


async def test_whoever_gets_the_old_number_begins_anew(whatsapp: Cloud) -> None:
    """A number given up is given to strangers: they see nothing, and their danger opens a case of its own."""
    await whatsapp.tap("l:en")
    await whatsapp.say(DISTRESS)
    (case,) = await whatsapp.service.cases.queue()
    assert await whatsapp.post(notice(whatsapp, ago=-30)) == 200
    await asyncio.sleep(0.1)
    await whatsapp.take(whatsapp.item("text", {"body": "hello"}, ago=-50))
    assert await conversations(whatsapp) == 2
    await whatsapp.take(whatsapp.item("text", {"body": DISTRESS}, ago=-50))
    assert len({found.conversation_id for found in await whatsapp.service.cases.queue()}) == 2
    assert case.id in {found.id for found in await whatsapp.service.cases.queue()}


async def test_what_was_written_before_the_move_still_belongs_to_the_person(whatsapp: Cloud) -> None:
    """W8: it comes late, from the old number; the answer goes to the new one."""
    await whatsapp.tap("l:en")
    await whatsapp.say(DISTRESS)
    assert await whatsapp.post(notice(whatsapp)) == 200
    await whatsapp.say("written before", ago=120)
    assert await conversations(whatsapp) == 1
    assert last_to(whatsapp) == NEW


async def test_a_notice_twice_is_one_move(whatsapp: Cloud) -> None:
    await whatsapp.tap("l:en")
    await whatsapp.say(DISTRESS)
    case = await whatsapp.case()
    twice = notice(whatsapp)
    for _ in range(2):
        assert await whatsapp.post(twice) == 200
    events = await whatsapp.service.cases.history(case.id)
    assert [event.detail.reveal() for event in events].count(MOVED_NOTE) == 1


async def test_two_open_cases_are_never_put_together(whatsapp: Cloud) -> None:
    """Whoever wrote from the new number before the notice came has a case there: both stay, and both say so."""
    await whatsapp.say(DISTRESS)
    await whatsapp.say(DISTRESS, sender=NEW)
    cases = await whatsapp.service.cases.queue()
    assert await whatsapp.post(notice(whatsapp)) == 200
    for case in cases:
        events = await whatsapp.service.cases.history(case.id)
        assert events[-1].detail.reveal() == LINKED_NOTE
    await whatsapp.say("hello")
    await whatsapp.say("hello", sender=NEW)
    assert await conversations(whatsapp) == 2


async def test_a_move_makes_reachable_and_keeps_the_new_phones_silence(whatsapp: Cloud) -> None:
    """What the new number's own chat wanted is over; what somebody watching there must not see is still not sent."""
    service = whatsapp.service
    await whatsapp.tap("l:en")
    await whatsapp.say("hello", sender=NEW)
    ours, theirs = (
        service.inbox.conversation_id(Address(ChannelName.WHATSAPP, Private(name))) for name in (PERSON, NEW)
    )
    talk = replace(await service.conversations.load(theirs, ChannelName.WHATSAPP), silent=True, safe_word="mango")
    fields = {"sealed": await service.conversations.sealed(talk), "silent": True}
    await service.db["conversations"].update_one({"_id": theirs}, {"$set": fields})
    await service.db["conversations"].update_one({"_id": ours}, {"$set": {"unreachable": True}})
    await service.db["learners"].insert_one({"_id": theirs, "held_at": None, "due": None})
    await service.db["note_wishes"].insert_one({"_id": theirs})
    held = {"_id": "h", "conversation": theirs, "state": "held", "open": False}
    await service.db["outbox"].insert_one(held)
    assert await whatsapp.post(notice(whatsapp)) == 200
    row = await service.db["conversations"].find_one({"_id": ours})
    assert row and (row["unreachable"], row["silent"]) == (False, True)
    after = await service.conversations.load(ours, ChannelName.WHATSAPP)
    assert (after.silent, after.safe_word) == (True, "mango")
    for name in ("learners", "note_wishes"):
        assert not await service.db[name].count_documents({})
    assert await service.db["outbox"].count_documents({"_id": "h", "state": "dropped"}) == 1


async def test_a_move_of_nobody_we_know_changes_nothing(whatsapp: Cloud) -> None:
    assert await whatsapp.post(notice(whatsapp)) == 200
    assert await whatsapp.service.db["contacts"].count_documents({}) == 0


async def test_erasing_forgets_every_id(whatsapp: Cloud) -> None:
    """I6: nothing leads from an id to what was erased; whoever writes again begins anew."""
    await whatsapp.tap("l:en")
    await whatsapp.say("hello", from_user_id=USER)
    assert await whatsapp.post(notice(whatsapp)) == 200
    assert await whatsapp.service.db["contacts"].count_documents({}) == 3
    await whatsapp.say("delete my data", sender=NEW)
    reply = {"type": "button_reply", "button_reply": {"id": "c:delete_yes", "title": "x"}}
    assert await whatsapp.post(whatsapp.item("interactive", reply, sender=NEW)) == 200

    async def gone() -> bool:
        return not await whatsapp.service.db["conversations"].count_documents({})

    await until(gone)
    assert await whatsapp.service.db["contacts"].count_documents({"former": {"$exists": True}}) == 0
    assert await whatsapp.service.db["contacts"].count_documents({}) == 1
    await whatsapp.say("hello", sender=NEW)
    assert await conversations(whatsapp) == 1


async def test_a_number_is_never_readable_at_rest(whatsapp: Cloud) -> None:
    """I1: keyed hashes only."""
    await whatsapp.say("hello", from_user_id=USER)
    assert await whatsapp.post(notice(whatsapp)) == 200
    rows = repr(await whatsapp.service.db["contacts"].find({}).to_list())
    assert not any(name in rows for name in (PERSON, NEW, USER))


async def test_a_silent_database_makes_the_platform_send_the_notice_again(
    whatsapp: Cloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def silent(_: Moved, __: datetime) -> str:
        raise StoreUnavailable("silent")

    with monkeypatch.context() as patch:
        patch.setattr(whatsapp.service.platform_news, "_moves", type("Silent", (), {"move": staticmethod(silent)})())
        assert await whatsapp.post(notice(whatsapp)) == 503
    assert await whatsapp.post(notice(whatsapp)) == 200


async def test_other_channels_take_no_look_at_all(whatsapp: Cloud) -> None:
    """Telegram and the web have one id for each person."""
    now = datetime.now(UTC) - timedelta(seconds=1)
    address = Address(ChannelName.TERMINAL, Private("p1"))
    await whatsapp.service.receiver.receive(
        InboundMessage("terminal:p1:1", address, Carrier.TEXT, Private("hello"), now, now, also=Private("p2"))
    )
    assert await whatsapp.service.db["contacts"].count_documents({}) == 0
