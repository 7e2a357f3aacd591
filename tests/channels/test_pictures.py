"""Words under a picture, on WhatsApp and Telegram: sent once uploaded, and never lost or late because of the picture."""

from __future__ import annotations

import json
import time
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import aiohttp
import pytest
from telegram import Bot

from bot.channels import whatsapp
from bot.channels.telegram import TelegramChannel
from bot.channels.terminal import TerminalChannel
from bot.channels.whatsapp import WhatsAppChannel
from bot.channels.whatsapp_media import KEPT_SECONDS
from bot.clients.gallery import Gallery
from bot.content.model import Content
from bot.content.render import render
from bot.domain.messages import Address, ChannelName, Choice, OutboundMessage, Picture, Reply
from bot.domain.private import Private
from bot.ports import ChannelError
from tests.conftest import ROOT
from tests.platforms import (
    PHONE_ID,
    FakeTelegram,
    FakeWhatsApp,
    Shows,
    Speaks,
    refused,
    whatsapp_faults,
    whatsapp_server,
)

TOKEN = "made-up-access-token"
TO = Address(ChannelName.WHATSAPP, Private("910000000001"))
CHAT = Address(ChannelName.TELEGRAM, Private("777000777000"))
GUIDE = Picture("guide", "four drawings")
SHOWN = OutboundMessage(Private("This is how."), picture=GUIDE)


def choices(count: int, label: str = "Choice") -> tuple[Choice, ...]:
    return tuple(Choice(f"c:{number}", f"{label} {number}") for number in range(count))


@pytest.fixture
async def cloud() -> AsyncIterator[FakeWhatsApp]:
    async with whatsapp_server() as fake:
        yield fake
        assert fake.faults == []


@pytest.fixture
async def channel(cloud: FakeWhatsApp) -> AsyncIterator[WhatsAppChannel]:
    async with aiohttp.ClientSession() as session:
        yield WhatsAppChannel(session, cloud.url, TOKEN, PHONE_ID, Speaks(), pictures=Shows())


async def send(channel: WhatsAppChannel, message: OutboundMessage = SHOWN, number: int = 0) -> str:
    return (await channel.send(TO, message, f"c:1:{number}")).reveal()


def kinds(cloud: FakeWhatsApp) -> list[str]:
    return [call["type"] for call in cloud.calls]


# ---- WhatsApp


async def test_a_picture_is_uploaded_once_and_sent_with_its_words(
    cloud: FakeWhatsApp, channel: WhatsAppChannel
) -> None:
    for number in range(3):
        await send(channel, number=number)
    assert [(item["type"], item["mime"]) for item in cloud.uploads] == [("image/png", "image/png")]
    assert [call["image"] for call in cloud.calls] == [{"id": "media1", "caption": "This is how."}] * 3
    assert {call["biz_opaque_callback_data"] for call in cloud.calls} == {"c:1:0", "c:1:1", "c:1:2"}


async def test_voice_and_pictures_share_one_memory(cloud: FakeWhatsApp, channel: WhatsAppChannel) -> None:
    spoken = OutboundMessage(Private("namaste"), speech="hi")
    for message in (SHOWN, spoken, SHOWN, spoken):
        await send(channel, message)
    assert [item["mime"] for item in cloud.uploads] == ["image/png", "audio/ogg"]
    assert kinds(cloud) == ["image", "audio", "image", "audio"]


async def test_the_shipped_guide_leaves_as_it_is_on_the_disk(cloud: FakeWhatsApp, content: Content) -> None:
    """The real gallery, the real words, every locale: one upload, no fault by the published interface."""
    async with aiohttp.ClientSession() as session:
        real = WhatsAppChannel(session, cloud.url, TOKEN, PHONE_ID, pictures=Gallery(ROOT / "content"))
        for code in content.locales:
            (bubble,) = render((Reply("waiting.hide_phone"),), code, ChannelName.WHATSAPP, content)
            await send(real, bubble)
    assert [item["data"] for item in cloud.uploads] == [(ROOT / "content/pictures/delete_chat.png").read_bytes()]
    assert len(cloud.calls) == len(content.locales)
    assert content.words("hi", "waiting.hide_phone") in [call["image"]["caption"] for call in cloud.calls]


async def test_a_forgotten_picture_is_uploaded_again_and_then_the_words_go_alone(
    cloud: FakeWhatsApp, channel: WhatsAppChannel
) -> None:
    """Each of these codes is a certain refusal, so nobody gets the words twice."""
    for code in (100, 131008, 131009, 131051, 131052, 131053):
        cloud.calls.clear()
        cloud.answers.append((400, {"error": {"code": code}}))
        before = len(cloud.uploads)
        await send(channel)
        assert kinds(cloud) == ["image", "image"]
        assert len(cloud.uploads) - before >= 1
    cloud.calls.clear()
    cloud.answers += [(400, {"error": {"code": 131053}})] * 2
    await send(channel)
    assert kinds(cloud) == ["image", "image", "text"]
    assert cloud.calls[-1]["text"]["body"] == "This is how."


async def test_an_old_id_is_not_used_any_more(cloud: FakeWhatsApp, channel: WhatsAppChannel) -> None:
    await send(channel)
    channel._files._clock = lambda: time.monotonic() + KEPT_SECONDS
    await send(channel)
    assert [call["image"]["id"] for call in cloud.calls] == ["media1", "media2"]


UPLOADS = [
    (500, {}), (400, {"error": {"code": 100}}), (400, {"error": {"code": 131053}}), (400, {"error": {"code": 190}}),
    (429, {"error": {"code": 130429}}), (200, {}),
]  # fmt: skip


@pytest.mark.parametrize("answer", UPLOADS, ids=[f"{status} {body}" for status, body in UPLOADS])
async def test_an_upload_that_fails_holds_no_words_up(
    cloud: FakeWhatsApp, channel: WhatsAppChannel, answer: tuple[int, dict[str, Any]]
) -> None:
    """Whatever the reason, the words leave at once, and the next time the picture is tried again."""
    cloud.upload_answers.append(answer)
    await send(channel)
    await send(channel)
    assert kinds(cloud) == ["text", "image"]
    assert cloud.calls[0]["text"]["body"] == "This is how."


async def test_a_slow_upload_is_not_waited_for(
    cloud: FakeWhatsApp, channel: WhatsAppChannel, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert whatsapp.PICTURE_PATIENCE <= 10
    monkeypatch.setattr(whatsapp, "PICTURE_PATIENCE", 0.2)
    cloud.upload_seconds = 3.0
    began = time.monotonic()
    await send(channel)
    assert kinds(cloud) == ["text"]
    assert time.monotonic() - began < 2.5


@pytest.mark.parametrize("code", [190, 131056, 131047, 131026, 130429])
async def test_what_is_not_the_pictures_fault_is_not_tried_without_it(
    cloud: FakeWhatsApp, channel: WhatsAppChannel, code: int
) -> None:
    """The same table as for words: who waits how long, who is gone, who has to write first."""
    cloud.answers.append((400, {"error": {"code": code}}))
    with pytest.raises(ChannelError) as failed:
        await send(channel)
    assert failed.value.reason == f"whatsapp:{code}"
    assert kinds(cloud) == ["image"]


async def test_a_picture_refused_afterwards_is_brought_anew_for_the_next(
    cloud: FakeWhatsApp, channel: WhatsAppChannel
) -> None:
    await send(channel)
    await send(channel, replace(SHOWN, plain=True))
    await send(channel)
    assert kinds(cloud) == ["image", "text", "image"]
    assert cloud.calls[2]["image"]["id"] == "media2"


async def test_three_choices_are_buttons_and_more_are_numbers(cloud: FakeWhatsApp, channel: WhatsAppChannel) -> None:
    await send(channel, replace(SHOWN, choices=choices(3)))
    await send(channel, replace(SHOWN, choices=choices(4), list_button="Choose"))
    first, second = cloud.calls
    assert first["interactive"]["header"] == {"type": "image", "image": {"id": "media1"}}
    assert len(first["interactive"]["action"]["buttons"]) == 3
    assert second["image"]["caption"].splitlines()[-1] == "4. Choice 3"


async def test_buttons_refused_with_their_picture_go_without_and_then_as_numbers(
    cloud: FakeWhatsApp, channel: WhatsAppChannel
) -> None:
    cloud.answers += [(400, {"error": {"code": 131009}})] * 3
    await send(channel, replace(SHOWN, choices=choices(2)))
    assert kinds(cloud) == ["interactive", "interactive", "interactive", "text"]
    assert "header" not in cloud.calls[2]["interactive"]
    assert "2. Choice 1" in cloud.calls[3]["text"]["body"]


NO_ROOM = {
    "longer words": replace(SHOWN, text=Private("x" * 1025)),
    "with numbers": replace(SHOWN, text=Private("x" * 1000), choices=choices(10, "A long choice"), list_button="?"),
    "a place is asked for": replace(SHOWN, asks_location=True),
    "no such picture": replace(SHOWN, picture=Picture("none", "nothing")),
    "a template": replace(SHOWN, template="greeting", locale="hi"),
    "refused before": replace(SHOWN, plain=True),
    "no picture": replace(SHOWN, picture=None),
}


@pytest.mark.parametrize("message", NO_ROOM.values(), ids=NO_ROOM.keys())
async def test_where_there_is_no_room_for_a_picture_the_words_go_whole(
    cloud: FakeWhatsApp, channel: WhatsAppChannel, message: OutboundMessage
) -> None:
    await send(channel, message)
    (call,) = cloud.calls
    assert "image" not in json.dumps(call)
    if not message.template:
        assert message.text.reveal() in json.dumps(call)


def test_our_own_schema_finds_faults_of_pictures() -> None:
    """A contract that cannot fail would prove nothing."""
    base = {"messaging_product": "whatsapp", "recipient_type": "individual", "to": "910000000001"}
    right: dict[str, Any] = base | {
        "biz_opaque_callback_data": "c:1:0", "type": "image", "image": {"id": "media1", "caption": "x"},
    }  # fmt: skip
    assert whatsapp_faults(right) == []
    for wrong in (
        {"id": "media1"},
        {"caption": "x"},
        {"id": "m", "caption": "x" * 1025},
        {"id": "m", "caption": "x", "link": "y"},
    ):
        assert whatsapp_faults({**right, "image": wrong}), wrong
    assert whatsapp_faults({**right, "text": {"body": "x", "preview_url": False}})


# ---- Telegram


def tell(bot: Bot) -> TelegramChannel:
    return TelegramChannel(bot, pictures=Shows())


async def test_telegram_sends_a_photo_with_words_and_keys(platform: FakeTelegram, bot: Bot) -> None:
    sent = await tell(bot).send(CHAT, replace(SHOWN, choices=choices(2), protected=True), "c:1:0")
    (fields,) = platform.called("sendPhoto")
    assert sent.reveal() == "1"
    assert (fields["caption"], fields["protect_content"]) == ("This is how.", "true")
    assert len(json.loads(fields["reply_markup"])["inline_keyboard"]) == 1
    assert platform.photos == [b"\x89PNG\r\n\x1a\nguide"]
    assert platform.sent == [] and "parse_mode" not in fields


async def test_what_is_of_a_case_is_protected_under_a_picture_too(
    platform: FakeTelegram, bot: Bot, content: Content
) -> None:
    (bubble,) = render((Reply("waiting.hide_phone"),), "hi", ChannelName.TELEGRAM, content)
    await TelegramChannel(bot, pictures=Gallery(ROOT / "content")).send(CHAT, bubble, "c:1:0")
    await tell(bot).send(CHAT, SHOWN, "c:1:1")
    assert [fields.get("protect_content") for fields in platform.called("sendPhoto")] == ["true", None]


REFUSALS = ["PHOTO_INVALID_DIMENSIONS", "IMAGE_PROCESS_FAILED", "not enough rights to send photos to the chat"]


@pytest.mark.parametrize("why", REFUSALS)
async def test_a_photo_that_is_refused_leaves_its_words(platform: FakeTelegram, bot: Bot, why: str) -> None:
    """A refusal is certain: nothing was sent, so the words follow alone, with their keys."""
    platform.refusals["sendPhoto"] = refused(400, f"Bad Request: {why}")
    await tell(bot).send(CHAT, replace(SHOWN, choices=choices(2), protected=True), "c:1:0")
    (fields,) = platform.sent
    assert (fields["text"], fields["protect_content"]) == ("This is how.", "true")
    assert "inline_keyboard" in fields["reply_markup"]


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (refused(429, "Too Many Requests", retry_after=7), {"retryable": True, "retry_after": 7.0, "unknown": False}),
        (refused(403, "Forbidden: bot was blocked by the user"), {"retryable": False, "gone": True}),
    ],
)
async def test_what_is_not_the_photos_fault_is_not_tried_without_it(
    platform: FakeTelegram, bot: Bot, answer: tuple[int, dict[str, Any]], expected: dict[str, Any]
) -> None:
    platform.refusals["sendPhoto"] = answer
    with pytest.raises(ChannelError) as failed:
        await tell(bot).send(CHAT, SHOWN, "c:1:0")
    assert {name: getattr(failed.value, name) for name in expected} == expected
    assert platform.sent == []


@pytest.mark.parametrize(
    "message",
    [replace(SHOWN, text=Private("😀" * 513)), replace(SHOWN, plain=True), replace(SHOWN, picture=Picture("none", ""))],
    ids=["too long under it", "refused before", "no such picture"],
)
async def test_telegram_writes_what_cannot_stand_under_a_photo(
    platform: FakeTelegram, bot: Bot, message: OutboundMessage
) -> None:
    await tell(bot).send(CHAT, message, "c:1:0")
    assert [fields["text"] for fields in platform.sent] == [message.text.reveal()]
    assert platform.photos == []


# ---- the terminal


async def test_the_terminal_has_the_words() -> None:
    terminal = TerminalChannel()
    await terminal.send(Address(ChannelName.TERMINAL, Private("me")), SHOWN, "c:1:0")
    assert [message.text.reveal() for _, message in terminal.sent] == ["This is how."]
