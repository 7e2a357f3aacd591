"""Cases at the top of the ladder: from before its last page was repeated, and with what is told of the place."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from bot.app import Service
from bot.domain.cases import Case
from bot.domain.messages import Address, Carrier, ChannelName, InboundMessage
from bot.domain.private import NOTHING_SAID, Private
from bot.running import running
from tests.conftest import NOW

pytestmark = pytest.mark.timeout(60)


def at_top(name: str, **more: Any) -> dict[str, Any]:
    row = {
        "_id": name, "conversation": f"p:{name}", "open": True, "kind": "distress", "priority": 0, "state": "paged",
        "risk_kind": "distress_help", "reason": "phrase:made_up", "locale": "en", "channel": "terminal",
        "opened_at": NOW, "waiting_since": NOW, "updated_at": NOW, "alerted_at": NOW, "owner": None, "silent": True,
        "version": 1, "escalations": 3, "escalate_at": None,
    }  # fmt: skip
    return {**row, **more}


async def test_cases_from_before_are_paged_again(service: Service) -> None:
    """Ten minutes after the start and not all at once with it; nobody else is touched, and a second start adds nothing."""
    rows = [
        at_top("old"), at_top("lower", escalations=2), at_top("taken", owner="asha", state="active"),
        at_top("report", kind="report"), at_top("closed", open=False), at_top("canary", canary=True),
    ]  # fmt: skip
    await service.db["cases"].insert_many(rows)
    ladder, cases = service.cases._steps.ladder, service.db["cases"]
    await service.cases.prepare()
    found = {row["_id"]: row["escalate_at"] async for row in cases.find({})}
    assert {name for name, at in found.items() if at} == {"old"}
    left = (await service.cases.get("old")).escalate_at - ladder.clock()  # type: ignore[union-attr,operator]
    assert timedelta(seconds=ladder.repeat - 30) < left <= timedelta(seconds=ladder.repeat)
    assert await ladder.resume(cases) == 0
    assert [case.id for case in await service.cases.overdue()] == []
    await cases.update_one({"_id": "old"}, {"$set": {"escalate_at": NOW}})
    await service.watch.escalate()
    case = await service.cases.get("old")
    assert case and case.pages == 1 and case.escalations == 3


async def test_where_somebody_is_moves_their_case_up(service: Service) -> None:
    """Of two whose danger is alike, who sends a place at a border is looked at first; erasing takes that away too."""
    await service.db["cases"].insert_one(at_top("inland"))
    address = Address(ChannelName.TERMINAL, Private("made-up"))

    def message(key: str, carrier: Carrier, text: str = "", at: str = "") -> InboundMessage:
        now = service.now()
        return InboundMessage(key, address, carrier, Private(text), now, now, point=Private(at) if at else NOTHING_SAID)

    async with running(service):
        await service.receiver.receive(message("k1", Carrier.TEXT, "please help me"))
        case = await other(service, "")
        same: dict[str, Any] = {"risk_kind": "distress_help", "dangers": ["distress_help"], "raised": 0}
        await service.db["cases"].update_many({}, {"$set": {**same, "waiting_since": case.opened_at}})
        earlier = case.opened_at - timedelta(seconds=2)
        await service.db["cases"].update_one({"_id": "inland"}, {"$set": {"waiting_since": earlier}})
        assert [one.id for one in await service.cases.queue()] == ["inland", case.id]
        await service.receiver.receive(message("k2", Carrier.LOCATION, at="26.9833,84.8500"))
        await other(service, "crossing")
    assert [one.id for one in await service.cases.queue()] == [case.id, "inland"]
    await service.db["cases"].update_one({"_id": case.id}, {"$set": {"open": False}})
    wish = {"$set": {"erase_after": service.now()}}
    await service.db["conversations"].update_one({"_id": case.conversation_id}, wish)
    for hours in (0, 3):
        await service.conversations.erase_due(service.now() + timedelta(hours=hours))
    row = await service.db["cases"].find_one({"_id": case.id})
    assert row and row["whereabouts"] == "" and row["place"] == ""


async def other(service: Service, whereabouts: str) -> Case:
    """Wait for the case that is not `inland`, at this place."""
    async with asyncio.timeout(30):
        while True:
            for case in await service.cases.queue():
                if case.id != "inland" and case.whereabouts == whereabouts:
                    return case
            await asyncio.sleep(0.05)
