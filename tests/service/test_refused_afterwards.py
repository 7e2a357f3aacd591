"""WhatsApp takes a message and gives it up a moment later, by a report: what is then sent, told, and kept."""

from __future__ import annotations

import json
import time
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest

from bot.channels.whatsapp import WhatsAppChannel
from bot.config import Config
from bot.domain.messages import ChannelName, Choice, OutboundMessage
from bot.domain.private import NOTHING_SAID, Private
from bot.store.history import Writer
from bot.store.standings import MongoStandings
from tests.cloud import Cloud, cloud
from tests.platforms import PHONE_ID, Speaks, signed

SPOKEN = OutboundMessage(Private("namaste"), speech="hi")
TAPPED = OutboundMessage(Private("Which one?"), (Choice("c:menu", "Menu"), Choice("c:numbers", "Numbers")))


@pytest.fixture
async def whatsapp(config: Config, mongodb_uri: str) -> AsyncIterator[Cloud]:
    async with cloud(config, mongodb_uri, alert_webhook_url="http://127.0.0.1:9/page") as found:
        channel = found.service.channels[ChannelName.WHATSAPP]
        assert isinstance(channel, WhatsAppChannel)
        channel._voice = Speaks()
        yield found


async def send(whatsapp: Cloud, message: OutboundMessage, number: int = 1) -> str:
    """Let one message leave to somebody; return its row's name."""
    service, name = whatsapp.service, f"p{number}"
    to = await service.sealer.seal(name, f"address:{name}", {"address": f"91000000010{number}"})
    fields = {"version": 1, "address": to, "heard_at": service.now()}
    await service.db["conversations"].update_one({"_id": name}, {"$setOnInsert": fields}, upsert=True)
    row = await Writer(service.db, service.sealer, ()).outbox_row(
        f"{name}:1:0", name, "whatsapp", message, service.now()
    )
    await service.db["outbox"].insert_one(row)
    await whatsapp.settled()
    return str(row["_id"])


async def reported(whatsapp: Cloud, row: str, status: str, code: int = 0) -> dict[str, Any]:
    """Let the platform report on a message, and wait for what follows; return its row."""
    item: dict[str, Any] = {"id": "wamid.x", "status": status, "timestamp": str(int(time.time()))}
    item |= {"errors": [{"code": code}]} if code else {}
    assert await whatsapp.post(statuses=({**item, "biz_opaque_callback_data": row},)) == 200
    rows = whatsapp.service.db["outbox"]
    await rows.update_many({}, {"$unset": {"error": ""}})
    await whatsapp.settled()
    found = await rows.find_one({"_id": row})
    assert found
    return found


def kinds(whatsapp: Cloud) -> list[str]:
    return [call["type"] for call in whatsapp.platform.calls]


@pytest.mark.parametrize("code", [131052, 131053, 100, 131009])
async def test_a_voice_message_refused_afterwards_is_written(whatsapp: Cloud, code: int) -> None:
    """Once, in words; and the file is brought anew for the next person, for the platform's copy is no good."""
    row = await send(whatsapp, SPOKEN)
    assert (await reported(whatsapp, row, "failed", code))["state"] == "sent"
    assert kinds(whatsapp) == ["audio", "text"]
    assert whatsapp.platform.calls[1]["text"]["body"] == "namaste"
    await send(whatsapp, SPOKEN, 2)
    assert kinds(whatsapp) == ["audio", "text", "audio"]
    assert len(whatsapp.platform.uploads) == 2
    assert whatsapp.platform.calls[2]["audio"]["id"] == "media2"


@pytest.mark.parametrize("code", [100, 131008, 131009, 131051])
async def test_a_shape_refused_afterwards_goes_once_more_as_words(whatsapp: Cloud, code: int) -> None:
    """Numbered, as where it is refused at once; a second refusal is the end, and the operator has heard of it."""
    row = await send(whatsapp, TAPPED)
    assert (await reported(whatsapp, row, "failed", code))["state"] == "sent"
    assert kinds(whatsapp) == ["interactive", "text"]
    assert "1. Menu" in whatsapp.platform.calls[1]["text"]["body"]
    found = await reported(whatsapp, row, "failed", code)
    assert (found["state"], found["open"], len(whatsapp.platform.calls)) == ("failed", False, 2)
    pages = await whatsapp.service.db["alerts"].find({"kind": "channel_fault"}).to_list()
    assert [page["values"]["reason"] for page in pages] == [f"whatsapp:{code}"]


async def test_who_cannot_be_reached_gets_nothing_more(whatsapp: Cloud) -> None:
    """D6: 131026 by a report counts as one that comes at once: the next message is not tried until they write."""
    row = await send(whatsapp, TAPPED)
    assert (await reported(whatsapp, row, "failed", 131026))["state"] == "failed"
    db = whatsapp.service.db
    writer = Writer(db, whatsapp.service.sealer, ())
    await db["outbox"].insert_one(await writer.outbox_row("p1:2:0", "p1", "whatsapp", TAPPED, whatsapp.service.now()))
    await whatsapp.settled()
    second = await db["outbox"].find_one({"_id": "p1:2:0"})
    assert second and (second["state"], len(whatsapp.platform.calls)) == ("failed", 1)


async def test_who_has_written_since_can_be_reached(whatsapp: Cloud) -> None:
    """The report came late: whoever wrote after the message was sent has a phone that works."""
    row = await send(whatsapp, TAPPED)
    people = whatsapp.service.db["conversations"]
    await people.update_one({"_id": "p1"}, {"$set": {"heard_at": whatsapp.service.now()}})
    await reported(whatsapp, row, "failed", 131026)
    found = await people.find_one({"_id": "p1"})
    assert found and not found.get("unreachable")


async def test_a_failure_after_the_arrival_is_a_note(whatsapp: Cloud) -> None:
    """D15: it stays delivered, and what the platform said afterwards is kept beside it."""
    row = await send(whatsapp, TAPPED)
    assert (await reported(whatsapp, row, "delivered"))["state"] == "delivered"
    for code in (131053, 131026):
        found = await reported(whatsapp, row, "failed", code)
        assert (found["state"], found["open"], found["late_failure"]["code"]) == ("delivered", False, code)
    assert len(whatsapp.platform.calls) == 1


async def tells(whatsapp: Cloud, row: str, status: str, late: float = 0, **more: object) -> None:
    """Let the platform report on a row, *late* seconds after now, and wait for nothing."""
    item = {"id": "wamid.y", "status": status, "timestamp": str(int(time.time() + late)), **more}
    assert await whatsapp.post(statuses=({**item, "biz_opaque_callback_data": row},)) == 200


async def refusing(whatsapp: Cloud) -> bool:
    """Whether the page behind the posters counts WhatsApp as refusing us, in this process and in the others."""
    others = MongoStandings(whatsapp.service.db)
    await others.refresh()
    assert others.refused == whatsapp.service.standings.refused
    return ChannelName.WHATSAPP in others.refused


@pytest.mark.parametrize("code", [131031, 131042, 368])
async def test_an_account_refused_by_reports_stands_last_until_a_report_takes_one(whatsapp: Cloud, code: int) -> None:
    """D7: calls are still taken and mean nothing then; what the platform itself says that it has sent, does."""
    row = await send(whatsapp, SPOKEN)
    assert not await refusing(whatsapp)
    await tells(whatsapp, row, "failed", errors=[{"code": code}])
    assert await refusing(whatsapp)
    second = await send(whatsapp, TAPPED, 2)
    assert len(whatsapp.platform.calls) == 2 and await refusing(whatsapp)
    await tells(whatsapp, second, "sent", -600)
    assert await refusing(whatsapp)
    await tells(whatsapp, second, "sent", 2)
    assert not await refusing(whatsapp)


async def test_a_templates_own_fault_moves_no_page(whatsapp: Cloud) -> None:
    """131042 of a template may be about paying for it alone; so is a report about a row that nobody knows."""
    row = await send(whatsapp, OutboundMessage(NOTHING_SAID, template="hello", locale="en"))
    for about in (row, "p9:1:0"):
        await tells(whatsapp, about, "failed", errors=[{"code": 131042}])
    assert not await refusing(whatsapp)


async def test_an_error_of_no_message_counts_for_the_account(whatsapp: Cloud) -> None:
    """The platform says it by itself: the operator is paged and the page behind the posters knows."""
    change = {"messaging_product": "whatsapp", "metadata": {"phone_number_id": PHONE_ID}, "errors": [{"code": 131031}]}
    entry = {"id": "1", "changes": [{"field": "messages", "value": change}]}
    body = json.dumps({"object": "whatsapp_business_account", "entry": [entry]}).encode()
    url = f"{whatsapp.url}/webhooks/whatsapp"
    async with aiohttp.ClientSession() as session, session.post(url, data=body, headers=signed(body)) as answer:
        assert answer.status == 200
    assert await refusing(whatsapp)
    pages = await whatsapp.service.db["alerts"].find({"kind": "channel_fault"}).to_list()
    assert [page["values"]["reason"] for page in pages] == ["whatsapp:131031"]
