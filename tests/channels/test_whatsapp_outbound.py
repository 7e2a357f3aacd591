"""What leaves for the Cloud API: every shape within its limits, and what does not fit or is refused as plain words."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest

from bot.channels.whatsapp import WhatsAppChannel, proof_of
from bot.channels.whatsapp_errors import OUTCOMES
from bot.channels.whatsapp_media import KEPT_SECONDS, Files, Graph
from bot.channels.whatsapp_outbound import outbound, template_language
from bot.content.model import Content
from bot.content.render import render, split
from bot.dialogue import nearby
from bot.domain.conversation import Conversation
from bot.domain.messages import Address, ChannelName, Choice, OutboundMessage
from bot.domain.private import NOTHING_SAID, Private
from bot.ports import ChannelError
from tests.platforms import PHONE_ID, FakeWhatsApp, Speaks, units, whatsapp_faults, whatsapp_server

TO = Address(ChannelName.WHATSAPP, Private("910000000001"))
TOKEN = "made-up-access-token"


@pytest.fixture
async def platform() -> AsyncIterator[FakeWhatsApp]:
    async with whatsapp_server() as fake:
        yield fake
        assert fake.faults == []


async def send(platform: FakeWhatsApp, message: OutboundMessage, voice: Speaks | None = None) -> str:
    async with aiohttp.ClientSession() as session:
        channel = WhatsAppChannel(session, platform.url, TOKEN, PHONE_ID, voice)
        return (await channel.send(TO, message, "c:1:0")).reveal()


def choices(count: int, length: int = 8) -> tuple[Choice, ...]:
    return tuple(Choice(f"t:{number}", f"{number:02d}".ljust(length, "x")) for number in range(count))


def kind_of(body: dict[str, Any]) -> str:
    return str(body["interactive"]["type"] if body["type"] == "interactive" else body["type"])


SHAPES = [
    (0, 0, 10, "text"), (3, 20, 10, "button"), (3, 21, 10, "list"), (4, 8, 10, "list"), (10, 24, 10, "list"),
    (11, 8, 10, "text"), (4, 25, 10, "text"), (3, 8, 1024, "button"), (3, 8, 1025, "text"), (10, 24, 4090, "text"),
]  # fmt: skip


@pytest.mark.parametrize(("count", "length", "size", "kind"), SHAPES)
async def test_choices_become_buttons_a_list_or_numbers(
    platform: FakeWhatsApp, count: int, length: int, size: int, kind: str
) -> None:
    """At most 3 buttons of 20, else at most 10 rows of 24, else numbered text: every choice can still be made."""
    message = OutboundMessage(Private("न" * size), choices(count, length), list_button="चुनिए")
    wamid = await send(platform, message)
    (call,) = platform.calls
    assert (call["wamid"], call["biz_opaque_callback_data"]) == (wamid, "c:1:0")
    assert kind_of(call) == kind
    shown = str(call)
    assert all(choice.label in shown for choice in message.choices)


@pytest.mark.parametrize("text", ["x" * 4097, "मदद " * 3000, "👨‍👩‍👧‍👦" * 2000, "سلام " * 1500, "e" + "\u0301" * 5000])
async def test_what_is_too_long_is_cut_at_a_word_and_never_inside_a_sign(platform: FakeWhatsApp, text: str) -> None:
    """D17, at the edge: the platform gets what it takes; parts are made before, in `render`."""
    await send(platform, OutboundMessage(Private(text)))
    body = platform.calls[0]["text"]["body"]
    assert units(body) <= 4096 and body.endswith("…")
    assert not body[:-1].endswith(("\u200d", "\ud83d"))


@pytest.mark.parametrize(
    "text", ["x" * 4097, "मदद करो। " * 2500, "👨‍👩‍👧‍👦" * 2000, "سلام۔ " * 4000, "e" + "\u0301" * 5000]
)
def test_long_words_become_parts_in_order(text: str) -> None:
    """D17: every part within the limit, nothing lost but the spaces between parts, no sign torn apart."""
    parts = split(text, 4096)
    assert all(0 < units(part) <= 4096 for part in parts)
    assert "".join("".join(parts).split()) == "".join(text.split())
    assert not any(part.startswith("\u200d") for part in parts)


async def test_the_same_label_twice_is_asked_by_number(platform: FakeWhatsApp) -> None:
    """The platform refuses two buttons of one name; with numbers both can be chosen."""
    await send(platform, OutboundMessage(Private("x"), (Choice("a", "Delhi"), Choice("b", "Delhi"))))
    assert platform.calls[0]["text"]["body"] == "x\n\n1. Delhi\n2. Delhi"


async def test_a_location_is_asked_for_with_one_tap(platform: FakeWhatsApp, content: Content) -> None:
    """The nearest help: nothing else can be tapped there, so the choices stand by number."""
    turn = nearby.ask(Conversation("c", locale="en"))
    (message,) = render(turn.replies, "en", ChannelName.WHATSAPP, content)
    await send(platform, message)
    asked = platform.calls[0]["interactive"]
    assert asked["action"] == {"name": "send_location"}
    assert "112" in asked["body"]["text"] and "\n1. " in asked["body"]["text"]
    await send(platform, OutboundMessage(Private("x" * 1100), choices(2), asks_location=True))
    assert kind_of(platform.calls[1]) == "text"


async def test_a_template_carries_no_words_of_ours(platform: FakeWhatsApp) -> None:
    """Its language is the person's, English where the platform has no templates in it."""
    await send(platform, OutboundMessage(NOTHING_SAID, template="hello", locale="ta"))
    (call,) = platform.calls
    assert call["template"] == {"name": "hello", "language": {"policy": "deterministic", "code": "ta"}}
    assert {code: template_language(code) for code in ("hi", "or", "hi-Latn", "ne", "as", "")} == {
        "hi": "hi", "or": "en", "hi-Latn": "en", "ne": "en", "as": "en", "": "en",
    }  # fmt: skip


def test_whoever_has_no_number_is_written_to_by_the_other_id() -> None:
    """W10."""
    body = outbound(Address(ChannelName.WHATSAPP, Private("IN.1a2B3c")), OutboundMessage(Private("x")), "c:1:0")
    assert (body["recipient"], "to" in body) == ("IN.1a2B3c", False)
    assert whatsapp_faults(body) == []


def test_our_own_schema_finds_faults() -> None:
    """A contract that cannot fail would prove nothing."""
    right = outbound(TO, OutboundMessage(Private("x"), choices(3)), "c:1:0")
    assert whatsapp_faults(right) == []
    for wrong in (
        {**right, "messaging_product": "sms"}, {**right, "to": "+91 1"}, {**right, "extra": 1}, {**right, "type": "text"},
        {**right, "interactive": {**right["interactive"], "body": {"text": ""}}},
        {**right, "interactive": {**right["interactive"], "type": "list"}},
        {name: value for name, value in right.items() if name != "biz_opaque_callback_data"},
    ):  # fmt: skip
        assert whatsapp_faults(wrong), wrong


async def test_a_refused_shape_goes_once_more_as_plain_words(platform: FakeWhatsApp) -> None:
    """131009 and its like are certain refusals: nothing was sent, so the words may go again under the same id."""
    for code in (100, 131008, 131009, 131051):
        platform.calls.clear()
        platform.answers.append((400, {"error": {"code": code}}))
        await send(platform, OutboundMessage(Private("x"), choices(3)))
        assert [kind_of(call) for call in platform.calls] == ["button", "text"]
        assert {call["biz_opaque_callback_data"] for call in platform.calls} == {"c:1:0"}
    platform.answers += [(400, {"error": {"code": 131009}})] * 2
    with pytest.raises(ChannelError) as refused:
        await send(platform, OutboundMessage(Private("x"), choices(3)))
    assert (refused.value.retryable, refused.value.alarm) == (False, True)


async def test_a_forgotten_file_is_uploaded_again_and_then_written(platform: FakeWhatsApp) -> None:
    """The platform drops files; a second refusal means that it will not have it."""
    spoken = OutboundMessage(Private("namaste"), speech="hi")
    platform.answers.append((400, {"error": {"code": 131053}}))
    await send(platform, spoken, Speaks())
    assert (len(platform.uploads), [call["type"] for call in platform.calls]) == (2, ["audio", "audio"])
    platform.calls.clear()
    platform.answers += [(400, {"error": {"code": 100}})] * 2
    await send(platform, spoken, Speaks())
    assert [call["type"] for call in platform.calls] == ["audio", "audio", "text"]


async def test_an_uploaded_file_is_used_for_less_than_thirty_days(platform: FakeWhatsApp) -> None:
    now = [0.0]
    async with aiohttp.ClientSession() as session:
        files = Files(Graph(session, platform.url, TOKEN), PHONE_ID, lambda: now[0])
        first = await files.upload(b"OggS", "audio/ogg", "a.ogg")
        now[0] = KEPT_SECONDS - 1
        assert await files.upload(b"OggS", "audio/ogg", "a.ogg") == first
        now[0] = KEPT_SECONDS
        assert await files.upload(b"OggS", "audio/ogg", "a.ogg") != first
        with pytest.raises(ChannelError) as large:
            await files.upload(b"x" * (16 * 1024 * 1024 + 1), "audio/ogg", "a.ogg")
    assert not large.value.retryable
    assert KEPT_SECONDS <= 30 * 86400


async def test_the_proof_of_the_secret_goes_with_each_call_where_it_is_wanted(platform: FakeWhatsApp) -> None:
    async with aiohttp.ClientSession() as session:
        channel = WhatsAppChannel(session, platform.url, TOKEN, PHONE_ID, proof=proof_of(TOKEN, "secret"))
        await channel.send(TO, OutboundMessage(Private("x")), "c:1:0")
    assert platform.proofs == [proof_of(TOKEN, "secret")]


THROTTLED = {"retryable": True, "pause": "account", "account": False, "unknown": False, "retry_after": 5.0}
FAULT = {"retryable": True, "pause": "account", "account": True, "retry_after": 60.0}
SPAM = {"retryable": True, "pause": "account", "account": True, "retry_after": 300.0}
OURS = {"retryable": False, "pause": "", "alarm": True, "closed": False, "gone": False}
PASSING = {"retryable": True, "pause": "", "account": False, "unknown": False, "alarm": False}
IN_DOUBT = {"retryable": True, "unknown": True, "alarm": True}
TABLE: dict[str, tuple[int, Any, dict[str, Any]]] = {
    **{f"{code} throttled": (400, code, THROTTLED) for code in (4, 80007, 130429, 133016)},
    "429 without a code": (429, "<html>", THROTTLED),
    "131056 pair": (400, 131056, {"retryable": True, "pause": "address", "account": False}),
    **{f"{code} spam": (400, code, SPAM) for code in (131048, 131064)},
    "131047 window": (400, 131047, {"retryable": False, "closed": True, "alarm": False}),
    "131026 gone": (400, 131026, {"retryable": False, "gone": True, "alarm": False}),
    **{f"{code} never again": (400, code, OURS) for code in (131049, 130472, 131050)},
    **{f"{code} ours": (400, code, OURS) for code in (131051, 131009, 131008, 132000, 132015, 132016, 132999)},
    **{f"{code} file": (400, code, PASSING) for code in (131052, 131053)},
    **{f"{code} account": (400, code, FAULT) for code in (368, 131031, 130497, 190, 10, 200, 299, 131005, 131042)},
    "401 without a code": (401, "<html>", FAULT),
    **{f"{code} passing": (500, code, PASSING) for code in (131000, 131016, 1, 2)},
    **{f"{status} html": (status, "<html>", PASSING) for status in (500, 502, 503)},
    "400 never heard of": (400, 999999, OURS),
    "400 with a word for a code": (400, "190", OURS),
    "200 without id": (200, {"messages": []}, IN_DOUBT),
    "200 html": (200, "<html>", IN_DOUBT),
}


@pytest.mark.parametrize(("status", "answer", "expected"), TABLE.values(), ids=TABLE.keys())
async def test_each_error_has_its_consequence(
    platform: FakeWhatsApp, status: int, answer: Any, expected: dict[str, Any]
) -> None:
    """The table of send outcomes, code by code."""
    wrapped = answer if isinstance(answer, dict) or "<" in str(answer) else {"error": {"code": answer}}
    platform.answers.append((status, wrapped))
    with pytest.raises(ChannelError) as raised:
        await send(platform, OutboundMessage(Private("x")))
    assert {name: getattr(raised.value, name) for name in expected} == expected


def test_no_code_of_the_table_is_untested() -> None:
    tested = {answer for _, answer, _ in TABLE.values() if isinstance(answer, int)}
    assert set(OUTCOMES) <= tested


async def test_the_platforms_own_wait_is_kept(platform: FakeWhatsApp) -> None:
    platform.headers = {"Retry-After": "77"}
    platform.answers.append((429, {"error": {"code": 130429}}))
    with pytest.raises(ChannelError) as raised:
        await send(platform, OutboundMessage(Private("x")))
    assert raised.value.retry_after == 77
