"""What leaves for Telegram: text, keyboards, voice, deleting, typing, and what each refusal leads to."""

from __future__ import annotations

import json
from typing import Any

import pytest
from aiohttp import web
from telegram import Bot

from bot.channels import telegram
from bot.channels.telegram import TelegramChannel
from bot.content.model import Content
from bot.content.render import render, split
from bot.dialogue import answers, nearby, waiting
from bot.domain.conversation import Conversation
from bot.domain.messages import Address, ChannelName, Choice, Media, OutboundMessage, Reply
from bot.domain.private import Private
from bot.ports import ChannelError
from tests.platforms import TELEGRAM_TOKEN, FakeTelegram, Speaks, refused, serving
from tests.telegram_interface import units

TO = Address(ChannelName.TELEGRAM, Private("777000777000"))
OTHER = Address(ChannelName.TELEGRAM, Private("777000777001"))


def keys(fields: dict[str, Any]) -> Any:
    return json.loads(fields["reply_markup"])


async def send(bot: Bot, message: OutboundMessage, to: Address = TO) -> Private:
    return await TelegramChannel(bot).send(to, message, "c:1:0")


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


ERRORS: dict[str, tuple[tuple[int, dict[str, Any] | str], dict[str, Any]]] = {
    "429": (
        refused(429, "Too Many Requests", retry_after=30),
        {"retryable": True, "retry_after": 30.0, "pause": "address", "alarm": False},
    ),
    "429 huge": (
        refused(429, "Too Many Requests", retry_after=3600),
        {"retryable": True, "retry_after": 600.0, "alarm": True},
    ),
    "blocked": (refused(403, "Forbidden: bot was blocked by the user"), {"retryable": False, "gone": True}),
    "deactivated": (refused(403, "Forbidden: user is deactivated"), {"retryable": False, "gone": True}),
    "chat not found": (refused(400, "Bad Request: chat not found"), {"retryable": False, "gone": True}),
    "migrated": (
        refused(400, "Bad Request: group chat was upgraded", migrate_to_chat_id=-1001),
        {"retryable": False, "gone": True},
    ),
    "bad request": (refused(400, "Bad Request: message is too long"), {"retryable": False, "gone": False}),
    "token": (refused(401, "Unauthorized"), {"retryable": True, "account": True, "pause": "account"}),
    "token malformed": (refused(404, "Not Found"), {"retryable": True, "account": True}),
    "500": (refused(500, "Internal Server Error"), {"retryable": True, "unknown": False, "gone": False}),
    "502": (refused(502, "Bad Gateway"), {"retryable": True, "unknown": False}),
    "502 in HTML": ((502, "<html>Bad Gateway</html>"), {"retryable": True, "unknown": False}),
    "503 in HTML": ((503, "<html>busy</html>"), {"retryable": True, "unknown": False}),
    "200 unreadable": ((200, "<html>hello</html>"), {"retryable": True, "unknown": True, "alarm": True}),
}


@pytest.mark.parametrize(("answer", "expected"), ERRORS.values(), ids=ERRORS.keys())
async def test_each_error_has_its_consequence(
    platform: FakeTelegram, bot: Bot, answer: tuple[int, dict[str, Any] | str], expected: dict[str, Any]
) -> None:
    """D1, D2, D6, D7, D8, D12: what is tried again, what waits, who is gone, what the operator must mend."""
    platform.answers.append(answer)
    with pytest.raises(ChannelError) as raised:
        await send(bot, OutboundMessage(Private("x")))
    assert {name: getattr(raised.value, name) for name in expected} == expected
    assert "777000777000" not in raised.value.reason


async def test_nobody_listening_means_that_nothing_left() -> None:
    """D9: a connection that was refused may be tried again without doubt."""
    made = telegram.make_bot(TELEGRAM_TOKEN, "http://127.0.0.1:9")
    await telegram.open_requests(made)
    with pytest.raises(ChannelError) as raised:
        await send(made, OutboundMessage(Private("x")))
    await telegram.close_requests(made)
    assert (raised.value.retryable, raised.value.unknown) == (True, False)


async def test_a_connection_cut_after_the_request_is_in_doubt() -> None:
    """D10: the message may have arrived."""

    async def cut(request: web.Request) -> web.Response:
        await request.read()
        assert request.transport
        request.transport.abort()
        return web.Response()

    app = web.Application()
    app.router.add_post("/bot{token}/{method}", cut)
    async with serving(app) as url:
        made = telegram.make_bot(TELEGRAM_TOKEN, url)
        await telegram.open_requests(made)
        with pytest.raises(ChannelError) as raised:
            await send(made, OutboundMessage(Private("x")))
        await telegram.close_requests(made)
    assert (raised.value.retryable, raised.value.unknown) == (True, True)


async def test_two_chats_refused_at_once_pause_the_bot(platform: FakeTelegram, bot: Bot) -> None:
    """D1: a chat that gets too much waits alone; two within a second mean that the whole bot sends too much."""
    at = [0.0]
    channel, found = TelegramChannel(bot, clock=lambda: at[0]), []
    for to, seconds in ((TO, 0.0), (TO, 0.5), (OTHER, 9.0), (TO, 9.5)):
        at[0] = seconds
        platform.answers.append(refused(429, "Too Many Requests", retry_after=3))
        with pytest.raises(ChannelError) as raised:
            await channel.send(to, OutboundMessage(Private("x")), "c:1:0")
        found.append(raised.value.pause)
    assert found == ["address", "address", "address", "account"]


async def test_keys_for_digits_come_and_go(platform: FakeTelegram, bot: Bot) -> None:
    """Numbered choices bring keys; the next plain message takes them away, but not one of the same turn."""
    await send(bot, OutboundMessage(Private("1 a 2 b"), digits=12))
    await send(bot, OutboundMessage(Private("same turn"), keeps_keyboard=True))
    await send(bot, OutboundMessage(Private("next turn")))
    first, second, third = platform.sent
    assert [len(row) for row in keys(first)["keyboard"]] == [5, 5, 2]
    assert keys(first)["keyboard"][2][1]["text"] == "12" and keys(first)["one_time_keyboard"] is True
    assert "reply_markup" not in second
    assert keys(third) == {"remove_keyboard": True}


async def test_a_place_is_asked_for_with_a_key_that_sends_it(
    platform: FakeTelegram, bot: Bot, content: Content
) -> None:
    """Where are you?: a key sends the location; the other choices are keys that type their words."""
    for reply in (nearby.ask(Conversation("c")).replies[0], waiting.ask("where")):
        (message,) = render((reply,), "en", ChannelName.TELEGRAM, content)
        await send(bot, message)
    rows = keys(platform.sent[0])["keyboard"]
    assert rows[0] == [{"request_location": True, "text": "📍 Send my location"}]
    assert [row[0]["text"] for row in rows[1:]] == ["I need help now", "Phone numbers", "Menu"]
    assert len(keys(platform.sent[1])["keyboard"]) == 1


async def test_what_belongs_to_a_case_cannot_be_passed_on(platform: FakeTelegram, bot: Bot, content: Content) -> None:
    """protect_content for case, report and safe word; never for numbers that others may need."""
    for name in ("waiting.word_set", "report.opened", "case.claimed", "distress.first", "core.menu"):
        for message in render((Reply(name),), "en", ChannelName.TELEGRAM, content):
            await send(bot, message)
    assert [fields.get("protect_content") for fields in platform.sent] == ["true", "true", "true", None, None]


async def test_no_link_is_unfolded(platform: FakeTelegram, bot: Bot) -> None:
    await send(bot, OutboundMessage(Private("see https://madad.gov.in")))
    assert json.loads(platform.sent[0]["link_preview_options"]) == {"is_disabled": True}


LONG = {
    "one too many": "a" * 4097,
    "words": "namaste duniya " * 1400,
    "emoji": "👨‍👩‍👧‍👦" * 1500,
    "flags": "🇮🇳" * 2500,
    "right to left": "مدد چاہیے " * 1000,
    "joined letters": "क्षत्रिय" * 900,
    "one grapheme": "a" + "\u0301" * 5000,
}


@pytest.mark.parametrize("text", LONG.values(), ids=LONG.keys())
async def test_long_text_is_cut_between_words_and_graphemes(platform: FakeTelegram, bot: Bot, text: str) -> None:
    """D17: each part within 4,096 UTF-16 units, in order, no word or sign cut where it can be helped."""
    for part in split(text, 4096):
        await send(bot, OutboundMessage(Private(part)))
    parts = [fields["text"] for fields in platform.sent]
    assert len(parts) > 1 and all(1 <= units(part) <= 4096 for part in parts)
    assert "".join("".join(parts).split()) == "".join(text.split())
    if " " in text:
        assert {word for part in parts for word in part.split()} == set(text.split())
    for cluster in ("👨‍👩‍👧‍👦", "🇮🇳"):
        if cluster in text:
            assert all(not part.replace(cluster, "") for part in parts)
    if "क्ष" in text:
        assert all(part[-1] != "\u094d" and part[0] not in "\u094d\u093f" for part in parts)


async def test_signs_of_markup_are_only_text(platform: FakeTelegram, bot: Bot) -> None:
    """D18: no formatting is ever asked for, so nothing has to be escaped."""
    nasty = "*_[]()~>#+-=|{}.!<>& [x](tg://user?id=1) <b>"
    await send(bot, OutboundMessage(Private(nasty), (Choice("c:menu", nasty[:20]),)))
    assert platform.sent[0]["text"] == nasty
    assert not {"parse_mode", "entities"} & set(platform.sent[0])


def test_every_choice_we_offer_has_a_short_id(content: Content) -> None:
    """Telegram takes 64 bytes of callback data; ids are stable and hold no words."""
    offered = [answers.topic_choice(topic).id for topic in content.topics]
    offered += [f"p:{topic}:papers" for topic in content.topics]
    offered += [f"w:{topic}:{name}" for topic, found in content.topics.items() for name in found.audiences]
    offered += [f"f:{scheme}" for scheme in content.schemes]
    assert max(len(choice.encode()) for choice in offered) <= 64
    assert all(choice.isascii() for choice in offered)


async def test_who_takes_no_voice_messages_gets_them_written(platform: FakeTelegram, bot: Bot) -> None:
    """Some people forbid voice messages: the words still reach them."""
    platform.refusals["sendVoice"] = refused(400, "Bad Request: VOICE_MESSAGES_FORBIDDEN")
    message = OutboundMessage(Private("namaste"), speech="hi", digits=3)
    await TelegramChannel(bot, Speaks()).send(TO, message, "c:1:0")
    assert [fields["text"] for fields in platform.sent] == ["namaste"]
    assert "keyboard" in keys(platform.sent[0])


async def test_the_screen_says_what_is_being_made(platform: FakeTelegram, bot: Bot) -> None:
    """A voice message says "is recording", `show` says "is typing"; a refusal of either holds nothing up."""
    platform.refusals["sendChatAction"] = refused(429, "Too Many Requests", retry_after=3)
    channel = TelegramChannel(bot, Speaks())
    await channel.send(TO, OutboundMessage(Private("x"), speech="hi"), "c:1:0")
    await channel.send(TO, OutboundMessage(Private("x"), speech="hi"), "c:1:1")
    await channel.show(TO)
    assert [fields["action"] for fields in platform.called("sendChatAction")] == ["record_voice", "typing"]
    assert len(platform.voices) == 2


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


async def test_messages_are_deleted_a_hundred_at_a_time(platform: FakeTelegram, bot: Bot) -> None:
    """Ours and theirs, by the platform's ids; an error says whether trying again can help."""
    address = Address(ChannelName.TELEGRAM, Private("777000777000"))
    await TelegramChannel(bot).forget(address, [Private(str(n)) for n in range(1, 151)])
    called = [json.loads(fields["message_ids"]) for method, fields in platform.calls if method == "deleteMessages"]
    assert [len(ids) for ids in called] == [100, 50]
    assert called[1][0] == 101
    platform.answers.append(refused(429, "Too Many Requests", retry_after=3))
    with pytest.raises(ChannelError) as raised:
        await TelegramChannel(bot).forget(address, [Private("1")])
    assert raised.value.retryable
