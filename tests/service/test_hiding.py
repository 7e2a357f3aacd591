"""The words that clear a chat, while the database is silent: at once, what this process knows; the rest afterwards."""

from __future__ import annotations

import asyncio
import json
import time

import pytest

from bot.app import Service, utc_now
from bot.config import Config
from bot.domain.messages import Address, Carrier, ChannelName, InboundMessage
from bot.domain.private import NOTHING_SAID, Private
from bot.running import running
from bot.service import hiding
from bot.service.hiding import Hiding
from tests.cloud import cloud
from tests.platforms import FakeTelegram, whatsapp_text
from tests.service.test_early import silent
from tests.service.test_telegram_path import quiet, until

pytestmark = pytest.mark.timeout(90)
CHAT = "5001"
NOTE = "Not all of this chat"


def said(number: int, text: str, *, choice: str | None = None, chat: str = CHAT) -> InboundMessage:
    now = utc_now()
    carrier = Carrier.CHOICE if choice else Carrier.TEXT
    address = Address(ChannelName.TELEGRAM, Private(chat))
    own = NOTHING_SAID if choice else Private(str(number))
    return InboundMessage(f"telegram:1:{number}", address, carrier, Private(text), now, now, choice, id=own)


def deleted(platform: FakeTelegram) -> set[int]:
    return {number for fields in platform.called("deleteMessages") for number in json.loads(fields["message_ids"])}


def texts(platform: FakeTelegram) -> list[str]:
    return [fields["text"] for fields in platform.sent]


def numbered(platform: FakeTelegram) -> list[tuple[int, str]]:
    """Return each message of ours with the id that the platform gave it."""
    calls = enumerate(platform.calls, 1)
    return [(number, fields["text"]) for number, (method, fields) in calls if method == "sendMessage"]


async def test_a_chat_is_cleared_within_a_second(
    polling: Service, platform: FakeTelegram, mongodb_uri: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both sides' messages that this process saw go at once, with an honest line; that line goes with the rest."""
    monkeypatch.setattr(hiding, "LOOK_EVERY", 0.2)
    service = polling
    async with running(service):
        await service.receiver.receive(said(1001, "", choice="l:en"))
        await service.receiver.receive(said(1002, "they locked me in a room, help me"))
        await until(lambda: quiet(service))
        ours = {number for number, _ in numbered(platform)}
        async with silent(mongodb_uri):
            before = len(platform.sent)
            began = time.monotonic()
            assert await service.receiver.receive(said(1003, "clear chat"))
            while len(platform.sent) == before or 1003 not in deleted(platform):
                await asyncio.sleep(0.01)
            took = time.monotonic() - began
            assert await service.receiver.receive(said(1004, "clear chat"))
            await until(lambda: 1004 in deleted(platform))
            assert took <= 1.0
            assert ours | {1002, 1003, 1004} <= deleted(platform)
            assert [text for text in texts(platform)[before:] if NOTE not in text] == []
            assert len(platform.sent) == before + 1
        note = await until_settled(service, platform)
        assert note in deleted(platform)
    assert sum(NOTE in text for text in texts(platform)) == 1
    assert [case.state.value for case in await service.cases.queue()]
    rows = [str(row) async for row in service.db["inbox"].find({})]
    assert all("clear chat" not in row for row in rows)


async def until_settled(service: Service, platform: FakeTelegram) -> int:
    """Wait until the database has all and the note is deleted; return its id."""
    await until(lambda: not service.spool.waiting)
    await until(lambda: quiet(service))
    (note,) = [number for number, text in numbered(platform) if NOTE in text]
    await until(lambda: note in deleted(platform))
    return note


async def test_what_cannot_be_cleared_is_said_once(polling: Service, platform: FakeTelegram, mongodb_uri: str) -> None:
    """Words that are no wish to clear are left to the database; a phone known to be watched gets no line."""
    service = polling
    async with running(service):
        await service.receiver.receive(said(1001, "", choice="l:en"))
        await service.receiver.receive(said(1002, "they locked me in a room, help me"))
        await service.receiver.receive(said(1003, "he is here"))
        await until(lambda: quiet(service))
        before = len(platform.sent)
        async with silent(mongodb_uri):
            await service.receiver.receive(said(1004, "what is a minimum wage"))
            await service.receiver.receive(said(1005, "/hide"))
            await until(lambda: 1005 in deleted(platform))
            await asyncio.sleep(0.5)
            assert len(platform.sent) == before
            assert {1002, 1003, 1004} <= deleted(platform)


async def test_whatsapp_is_told_how_and_not_a_second_time(config: Config, mongodb_uri: str) -> None:
    """There nothing can be deleted: the same words as always, at once, and no more when the database is back."""
    async with cloud(config, mongodb_uri) as whatsapp:
        async with silent(mongodb_uri):
            began = time.monotonic()
            assert await whatsapp.post(whatsapp_text(1, "यह चैट साफ़ करो")) == 200
            await until(lambda: bool(whatsapp.platform.calls))
            assert time.monotonic() - began <= 1.0
        await until(lambda: not whatsapp.service.spool.waiting)
        await whatsapp.settled()
        assert await whatsapp.service.db["inbox"].count_documents({"state": "answered"}) == 1
        (call,) = whatsapp.platform.calls
        assert "चैट का मेन्यू" in call["text"]["body"]


async def test_what_is_remembered_is_bounded_and_goes_after_two_days(
    polling: Service, platform: FakeTelegram, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of few conversations, few messages; nothing older than the channel deletes is asked for."""
    monkeypatch.setattr(hiding, "MOST_CONVERSATIONS", 3)
    service, clock = polling, [0.0]
    kept = Hiding(service.inbox, service.alerts, service.channels, service.knowledge, lambda: clock[0])
    for number in range(200):
        kept.heard(said(number, "hello"), spooled=False)
    for chat in ("a", "b", "c"):
        kept.heard(said(1001, "hello", chat=chat), spooled=False)
    assert len(kept._chats) == 3 and CHAT not in repr(kept._chats)
    clock[0] = 10.0
    kept.heard(said(300, "hello"), spooled=False)
    clock[0] = hiding.YOUNG + 20.0
    kept.heard(said(301, "hide"), spooled=True)
    await until(lambda: bool(platform.called("deleteMessages")))
    assert deleted(platform) == {301}
    await kept.stop()
