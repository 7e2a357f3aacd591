"""Telegram over HTTP: secret, what is taken, what is sent, errors, polling that confirms only what is kept."""

from __future__ import annotations

import asyncio
import contextlib
import json
import time
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from telegram import Bot

from bot.channels import telegram
from bot.channels.telegram import TelegramChannel, TelegramWebhook
from bot.domain.messages import Address, Carrier, ChannelName, Choice, InboundMessage, Media, OutboundMessage
from bot.domain.private import Private
from bot.ports import ChannelError, StoreUnavailable
from tests.platforms import TELEGRAM_SECRET, TELEGRAM_TOKEN, FakeTelegram, Speaks, serving, telegram_server

TO = Address(ChannelName.TELEGRAM, Private("777000777000"))


@pytest.fixture
async def platform() -> AsyncIterator[FakeTelegram]:
    async with telegram_server() as fake:
        yield fake
        assert fake.faults == []


@pytest.fixture
async def bot(platform: FakeTelegram) -> AsyncIterator[Bot]:
    made = telegram.make_bot(TELEGRAM_TOKEN, platform.url)
    await telegram.open_requests(made)
    yield made
    await telegram.close_requests(made)


class Taken:
    def __init__(self) -> None:
        self.messages: list[InboundMessage] = []
        self.aside: list[bytes] = []
        self.down = False

    async def receive(self, message: InboundMessage) -> bool:
        if self.down:
            raise StoreUnavailable("down")
        self.messages.append(message)
        return True

    async def quarantine(self, channel: str, raw: bytes, reason: str) -> None:
        self.aside.append(raw)


def update(number: int, **fields: Any) -> dict[str, Any]:
    chat = {"id": 777000777000, "type": "private"}
    sender = {"id": 777000777000, "is_bot": False, "first_name": "x"}
    message = {"message_id": number, "date": int(time.time()), "chat": chat, "from": sender, **fields}
    return {"update_id": number, "message": message}


@contextlib.asynccontextmanager
async def hooked(bot: Bot, taken: Taken) -> AsyncIterator[str]:
    hook = TelegramWebhook(
        bot, (TELEGRAM_SECRET, "former_secret"), taken.receive, taken.quarantine, lambda: datetime.now(UTC)
    )
    app = web.Application()
    app.router.add_post("/t", hook.handle)
    async with serving(app) as url:
        yield f"{url}/t"


async def post(url: str, body: Any, secret: str | None = TELEGRAM_SECRET) -> tuple[int, str]:
    headers = {"X-Telegram-Bot-Api-Secret-Token": secret} if secret is not None else {}
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    async with aiohttp.ClientSession() as session, session.post(url, data=data, headers=headers) as answer:
        return answer.status, await answer.text()


async def test_the_secret_is_needed_and_rotates(bot: Bot) -> None:
    """E4, E5: 401 and never 500; no secret at all is refused at start."""
    taken = Taken()
    async with hooked(bot, taken) as url:
        for secret, status in (
            (TELEGRAM_SECRET, 200),
            ("former_secret", 200),
            ("older", 401),
            ("é", 401),
            (None, 401),
            ("", 401),
        ):
            assert (await post(url, update(1, text="hi"), secret))[0] == status
    with pytest.raises(ValueError, match="secret"):
        TelegramWebhook(bot, ("", ""), taken.receive, taken.quarantine, lambda: datetime.now(UTC))


async def test_each_kind_of_update(bot: Bot) -> None:
    """Text, edits, captions, voice, location, stickers, deep links; groups and bots are ignored; a tap is answered."""
    taken = Taken()
    edited = update(2, text="bachao")
    edited["edited_message"] = edited.pop("message")
    group = update(6, text="hello")
    group["message"]["chat"] = {"id": -5, "type": "group", "title": "g"}
    tap = {
        "update_id": 8,
        "callback_query": {
            "id": "q1",
            "from": {"id": 1, "is_bot": False, "first_name": "x"},
            "chat_instance": "c",
            "data": "c:help",
            "message": update(8, text="menu")["message"],
        },
    }
    photo = [{"file_id": "f", "file_unique_id": "u", "width": 1, "height": 1}]
    voice = {"file_id": "f", "file_unique_id": "u", "duration": 1}
    async with hooked(bot, taken) as url:
        for item in (
            update(1, text="/start sy_NDLS"),
            edited,
            update(3, photo=photo, caption="madad karo"),
            update(4, voice=voice),
            update(5, location={"latitude": 1.0, "longitude": 2.0}),
            group,
            update(7, text="/start"),
        ):
            assert (await post(url, item))[0] == 200
        status, answer = await post(url, tap)
    assert status == 200
    assert json.loads(answer) == {"method": "answerCallbackQuery", "callback_query_id": "q1"}
    assert [(item.carrier, item.text.reveal(), item.choice) for item in taken.messages] == [
        (Carrier.TEXT, "sy_NDLS", None),
        (Carrier.EDITED, "bachao", None),
        (Carrier.CAPTION, "madad karo", None),
        (Carrier.VOICE, "", None),
        (Carrier.LOCATION, "", None),
        (Carrier.TEXT, "/start", None),
        (Carrier.CHOICE, "", "c:help"),
    ]
    assert {item.address.value.reveal() for item in taken.messages} == {"777000777000"}


@pytest.mark.parametrize(
    "raw",
    [b"", b"[]", b"null", b"{", b'{"update_id": "x"}', b"[" * 50_000, b'{"update_id": 1, "message": {"chat": 5}}'],
)
async def test_what_cannot_be_read_is_kept_aside(bot: Bot, raw: bytes) -> None:
    taken = Taken()
    async with hooked(bot, taken) as url:
        assert (await post(url, raw))[0] == 200
    assert taken.aside == [raw]


async def test_a_store_that_is_down_means_send_it_again(bot: Bot) -> None:
    """No 200 for what was not kept."""
    taken = Taken()
    taken.down = True
    async with hooked(bot, taken) as url:
        assert (await post(url, update(1, text="hi")))[0] >= 500


async def test_choices_become_an_inline_keyboard(platform: FakeTelegram, bot: Bot) -> None:
    """Plain text, so that `_*[` in a name is only text; every call is checked against the published interface."""
    choices = (
        Choice("t:eshram", "ई-श्रम कार्ड"),
        Choice("c:menu", "मेनू"),
        Choice("t:long", "एक बहुत ही लंबा नाम वाला विषय यहाँ"),
    )
    sent = await TelegramChannel(bot).send(TO, OutboundMessage(Private("a_b*c[d](e)"), choices), "c:1:0")
    (fields,) = platform.sent
    assert sent.reveal() == "1"
    assert fields["text"] == "a_b*c[d](e)" and "parse_mode" not in fields
    rows = json.loads(fields["reply_markup"])["inline_keyboard"]
    assert [[button["callback_data"] for button in row] for row in rows] == [["t:eshram", "c:menu"], ["t:long"]]


def _error(code: int, description: str, **parameters: Any) -> tuple[int, dict[str, Any]]:
    return code, {
        "ok": False,
        "error_code": code,
        "description": description,
        **({"parameters": parameters} if parameters else {}),
    }


ERRORS: dict[str, tuple[tuple[int, dict[str, Any]], dict[str, Any]]] = {
    "429": (_error(429, "Too Many Requests", retry_after=30), {"retryable": True, "retry_after": 30.0}),
    "429 huge": (_error(429, "Too Many Requests", retry_after=3600), {"retryable": True, "retry_after": 600.0}),
    "blocked": (_error(403, "Forbidden: bot was blocked by the user"), {"retryable": False, "gone": True}),
    "chat not found": (_error(400, "Bad Request: chat not found"), {"retryable": False}),
    "token": (_error(401, "Unauthorized"), {"retryable": True, "account": True}),
    "500": (_error(502, "Bad Gateway"), {"retryable": True, "unknown": False}),
}


@pytest.mark.parametrize(("answer", "expected"), ERRORS.values(), ids=ERRORS.keys())
async def test_each_error_has_its_consequence(
    platform: FakeTelegram, bot: Bot, answer: tuple[int, dict[str, Any]], expected: dict[str, Any]
) -> None:
    platform.answers.append(answer)
    with pytest.raises(ChannelError) as raised:
        await TelegramChannel(bot).send(TO, OutboundMessage(Private("x")), "c:1:0")
    assert {name: getattr(raised.value, name) for name in expected} == expected


async def test_polling_confirms_only_what_is_kept(platform: FakeTelegram, bot: Bot) -> None:
    """The offset moves past an update only after it is durable; while the store is down nothing is confirmed."""
    taken = Taken()
    taken.down = True
    platform.updates = [update(10, text="one"), update(11, text="two")]
    task = asyncio.create_task(telegram.keep_polling(bot, taken.receive, taken.quarantine, lambda: datetime.now(UTC)))
    try:
        await asyncio.sleep(0.3)
        assert platform.confirmed == 0
        taken.down = False
        async with asyncio.timeout(10):
            while platform.confirmed < 12:
                await asyncio.sleep(0.05)
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
    assert [item.text.reveal() for item in taken.messages] == ["one", "two"]


async def test_a_voice_message_is_sent_as_a_file(platform: FakeTelegram, bot: Bot) -> None:
    message = OutboundMessage(Private("नमस्ते"), message_id="core.menu", speech="hi")
    await TelegramChannel(bot, Speaks()).send(TO, message, "c:1:0")
    assert platform.voices == ["OggS hi core.menu नमस्ते".encode()]
    assert platform.sent == []


async def test_what_cannot_be_spoken_is_written(platform: FakeTelegram, bot: Bot) -> None:
    message = OutboundMessage(Private("नमस्ते"), speech="hi")
    await TelegramChannel(bot, Speaks(fails=True)).send(TO, message, "c:1:0")
    assert [sent["text"] for sent in platform.sent] == ["नमस्ते"]


async def test_a_voice_note_is_fetched(platform: FakeTelegram, bot: Bot) -> None:
    platform.files["AwAC1"] = b"OggS voice"
    assert await TelegramChannel(bot).fetch(Media(Private("AwAC1"), "audio/ogg"), 100) == b"OggS voice"
    with pytest.raises(ChannelError) as large:
        await TelegramChannel(bot).fetch(Media(Private("AwAC1"), "audio/ogg"), 5)
    assert not large.value.retryable
    with pytest.raises(ChannelError):
        await TelegramChannel(bot).fetch(Media(Private("gone"), "audio/ogg"), 100)


def test_a_voice_note_and_a_location_keep_what_is_needed(bot: Bot) -> None:
    note = {"file_id": "AwAC1", "file_unique_id": "u", "duration": 3, "mime_type": "audio/ogg", "file_size": 900}
    parsed = telegram.parse(update(1, voice=note), bot, datetime.now(UTC))
    assert parsed and parsed.media
    assert (parsed.carrier, parsed.media.id.reveal(), parsed.media.size) == (Carrier.VOICE, "AwAC1", 900)
    place = telegram.parse(update(2, location={"latitude": 25.6, "longitude": 85.1}), bot, datetime.now(UTC))
    assert place and place.point.reveal() == "25.60000,85.10000"
    assert "25.6" not in repr(place)


async def test_photos_and_pictures_sent_as_files_are_to_be_fetched(bot: Bot) -> None:
    """Of a photo the largest size; papers too, as papers; a film, also where the platform calls it a document, is not."""
    taken = Taken()
    sizes = [
        {"file_id": f"f{side}", "file_unique_id": f"u{side}", "width": side, "height": side} for side in (90, 1280, 320)
    ]
    paper = {"file_id": "d", "file_unique_id": "ud", "file_size": 700}
    async with hooked(bot, taken) as url:
        for item in (
            update(1, photo=[{**size, "file_size": 5} for size in sizes]),
            update(2, photo=sizes, caption="kya ye sahi hai"),
            update(3, document={**paper, "mime_type": "image/png"}),
            update(4, document={**paper, "mime_type": "application/pdf"}),
            update(
                5,
                document={**paper, "mime_type": "video/mp4"},
                animation={**paper, "width": 9, "height": 9, "duration": 1},
            ),
        ):
            assert (await post(url, item))[0] == 200
    found = [
        (item.carrier, item.media and (item.media.id.reveal(), item.media.mime, item.media.size))
        for item in taken.messages
    ]
    assert found == [
        (Carrier.IMAGE, ("f1280", "image/jpeg", 5)),
        (Carrier.CAPTION, ("f1280", "image/jpeg", 0)),
        (Carrier.IMAGE, ("d", "image/png", 700)),
        (Carrier.DOCUMENT, ("d", "application/pdf", 700)),
        (Carrier.DOCUMENT, None),
    ]


async def test_messages_are_deleted_a_hundred_at_a_time(platform: FakeTelegram, bot: Bot) -> None:
    """Ours and theirs, by the platform's ids; an error says whether trying again can help."""
    address = Address(ChannelName.TELEGRAM, Private("777000777000"))
    await TelegramChannel(bot).forget(address, [Private(str(n)) for n in range(1, 151)])
    called = [json.loads(fields["message_ids"]) for method, fields in platform.calls if method == "deleteMessages"]
    assert [len(ids) for ids in called] == [100, 50]
    assert called[1][0] == 101
    platform.answers.append(_error(429, "Too Many Requests", retry_after=3))
    with pytest.raises(ChannelError) as raised:
        await TelegramChannel(bot).forget(address, [Private("1")])
    assert raised.value.retryable


def test_an_inbound_message_knows_its_id(bot: Bot) -> None:
    found = telegram.parse(update(5, text="hello"), bot, datetime.now(UTC))
    assert found
    assert found.id.reveal().isdigit()
