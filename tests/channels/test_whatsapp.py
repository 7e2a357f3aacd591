"""WhatsApp over HTTP: webhook rules W1–W10, what is sent, and what each error code leads to."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from bot.channels import whatsapp_hook
from bot.channels.whatsapp import WhatsAppChannel
from bot.channels.whatsapp_hook import MOST_BYTES, Desk, WhatsAppWebhook
from bot.domain.messages import (
    Address,
    ChannelName,
    InboundMessage,
    Media,
    Moved,
    OutboundMessage,
    Receipt,
    ReceiptState,
)
from bot.domain.private import Private
from bot.ports import ChannelError
from tests.platforms import (
    PHONE_ID,
    SECRET,
    FakeWhatsApp,
    Speaks,
    serving,
    signed,
    whatsapp_batch,
    whatsapp_server,
    whatsapp_text,
)

NOW = datetime.now(UTC)
TO = Address(ChannelName.WHATSAPP, Private("910000000001"))


class Hook:
    """A webhook with everything it took."""

    def __init__(self) -> None:
        self.messages: dict[str, InboundMessage] = {}
        self.receipts: list[Receipt] = []
        self.aside: list[tuple[bytes, str]] = []
        self.moves: list[Moved] = []
        self.alarms: list[str] = []
        self.url = ""

    async def receive(self, message: InboundMessage) -> bool:
        fresh = message.key not in self.messages
        self.messages[message.key] = message
        return fresh

    async def report(self, receipt: Receipt) -> None:
        self.receipts.append(receipt)

    async def move(self, moved: Moved) -> None:
        self.moves.append(moved)

    async def alarm(self, reason: str) -> None:
        self.alarms.append(reason)

    async def quarantine(self, channel: str, raw: bytes, reason: str) -> None:
        self.aside.append((raw, reason))


@pytest.fixture
async def hook() -> AsyncIterator[Hook]:
    made = Hook()
    webhook = WhatsAppWebhook(
        PHONE_ID,
        (SECRET, "former-secret"),
        "verify-me",
        Desk(made.receive, made.report, made.quarantine, made.move, made.alarm, made.alarm),
        lambda: datetime.now(UTC),
    )
    app = web.Application(client_max_size=MOST_BYTES)
    app.router.add_get("/w", webhook.verify)
    app.router.add_post("/w", webhook.handle)
    async with serving(app) as url:
        made.url = f"{url}/w"
        yield made


async def post(hook: Hook, body: bytes, headers: dict[str, str] | None = None) -> int:
    async with aiohttp.ClientSession() as session, session.post(hook.url, data=body, headers=headers or {}) as answer:
        return answer.status


BODY = whatsapp_batch(whatsapp_text(1, "नमस्ते"))
RIGHT = signed(BODY)["X-Hub-Signature-256"]


@pytest.mark.parametrize(
    "header",
    [
        "",
        "sha256=",
        "sha1=" + RIGHT[7:],
        RIGHT.upper(),
        RIGHT[:-1],
        RIGHT + "0",
        "sha256=é",
        signed(BODY + b" ")["X-Hub-Signature-256"],
        signed(BODY, "other")["X-Hub-Signature-256"],
    ],
    ids=["none", "empty", "sha1", "upper", "short", "long", "accent", "other body", "other secret"],
)
async def test_a_wrong_signature_is_401(hook: Hook, header: str) -> None:
    """E1, E2: none of these is ever a 500, and nothing is taken."""
    assert await post(hook, BODY, {"X-Hub-Signature-256": header} if header else {}) == 401
    assert not hook.messages and not hook.aside


async def test_signatures_are_over_raw_bytes_and_rotate(hook: Hook) -> None:
    """E3, E5: escaped Hindi as Meta sends it passes, the same re-encoded does not; the former secret still passes."""
    assert await post(hook, BODY, signed(BODY)) == 200
    assert await post(hook, BODY, signed(BODY, "former-secret")) == 200
    other = json.dumps(json.loads(BODY), ensure_ascii=False).encode()
    assert await post(hook, other, signed(BODY)) == 401


async def test_verification_answers_only_our_token(hook: Hook) -> None:
    """E6: the challenge comes back as plain text, and never anything else."""
    async with aiohttp.ClientSession() as session:
        good = {"hub.mode": "subscribe", "hub.verify_token": "verify-me", "hub.challenge": "1158201444"}
        async with session.get(hook.url, params=good) as answer:
            assert (answer.status, await answer.text(), answer.content_type) == (200, "1158201444", "text/plain")
        for bad in (
            {**good, "hub.verify_token": "no"},
            {**good, "hub.challenge": "<script>"},
            {**good, "hub.mode": "x"},
        ):
            async with session.get(hook.url, params=bad) as answer:
                assert answer.status == 403


async def test_one_poisoned_item_does_not_lose_the_others(hook: Hook) -> None:
    """E10: 50 messages, the seventh malformed: 49 taken, one kept aside, 200."""
    items: list[Any] = [whatsapp_text(number, f"m{number}") for number in range(50)]
    items[6] = {"id": 2**64, "from": None, "type": "text"}
    body = whatsapp_batch(*items)
    assert await post(hook, body, signed(body)) == 200
    assert (len(hook.messages), len(hook.aside)) == (49, 1)


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"[]",
        b"null",
        b'"x"',
        b"{",
        b"[" * 100_000,
        b'{"entry": NaN}',
        "नमस्ते".encode("utf-16"),
        b'{"a": ' + b"1" * 5000 + b"}",
    ],
)
async def test_what_cannot_be_read_is_kept_aside(hook: Hook, raw: bytes) -> None:
    """E16: signed nonsense is quarantined and answered 200, so that it does not come for seven days."""
    assert await post(hook, raw, signed(raw)) == 200
    assert len(hook.aside) == 1


async def test_sizes_and_encodings(hook: Hook) -> None:
    """E14, E15: 1 MiB + 1 and 3 MB pass, more than 4 MiB does not; a content encoding is refused unread."""
    for size, status in ((2**20 + 1, 200), (3_000_000, 200), (MOST_BYTES, 413)):
        body = whatsapp_batch(whatsapp_text(size, "x" * size))
        assert await post(hook, body, signed(body)) == status
    assert await post(hook, BODY, {**signed(BODY), "Content-Encoding": "gzip"}) in {400, 415}


@pytest.mark.parametrize("stamp", ["-5", "999999999999999999", "nan", "x", "", "4000000000"])
async def test_nonsense_times_become_the_receive_time(hook: Hook, stamp: str) -> None:
    """E21."""
    body = whatsapp_batch({**whatsapp_text(1, "x"), "timestamp": stamp})
    assert await post(hook, body, signed(body)) == 200
    (message,) = hook.messages.values()
    assert message.sent_at == message.received_at


async def test_statuses_carry_our_own_id(hook: Hook) -> None:
    """W9: known states are reported with the outbox id that we sent along; unknown ones are left alone."""
    states = ("sent", "read", "failed", "deleted", "warning")
    statuses = tuple(
        {
            "id": "wamid.o",
            "status": state,
            "timestamp": "1",
            "biz_opaque_callback_data": "c:1:0",
            "errors": [{"code": 131026}],
        }
        for state in states
    )
    body = whatsapp_batch(statuses=statuses)
    assert await post(hook, body, signed(body)) == 200
    assert [receipt.state for receipt in hook.receipts] == [ReceiptState.SENT, ReceiptState.READ, ReceiptState.FAILED]
    assert {receipt.outbox_id for receipt in hook.receipts} == {"c:1:0"}


@pytest.fixture
async def platform() -> AsyncIterator[FakeWhatsApp]:
    async with whatsapp_server() as fake:
        yield fake
        assert fake.faults == []


async def test_a_refused_connection_is_certain_and_a_broken_one_is_in_doubt(platform: FakeWhatsApp) -> None:
    """D9, D10."""

    async def hang_up(_: dict[str, Any]) -> None:
        raise ConnectionResetError

    async with aiohttp.ClientSession() as session:
        with pytest.raises(ChannelError) as refused:
            await WhatsAppChannel(session, "http://127.0.0.1:9/v23.0", "t", PHONE_ID).send(
                TO, OutboundMessage(Private("x")), "a"
            )
        assert refused.value.retryable and not refused.value.unknown

    async def cut(request: web.Request) -> web.Response:
        await request.read()
        assert request.transport
        request.transport.close()
        return web.Response()

    app = web.Application()
    app.router.add_post("/v23.0/{phone}/messages", cut)
    async with serving(app) as url, aiohttp.ClientSession() as session:
        with pytest.raises(ChannelError) as broken:
            await WhatsAppChannel(session, f"{url}/v23.0", "t", PHONE_ID).send(TO, OutboundMessage(Private("x")), "a")
    assert broken.value.unknown


def test_constant_time_compare_takes_any_header() -> None:
    assert not whatsapp_hook.verified(b"x", "sha256=\udcff", (SECRET,))


async def test_a_voice_message_is_uploaded_once_and_sent_by_its_id(platform: FakeWhatsApp) -> None:
    async with aiohttp.ClientSession() as session:
        channel = WhatsAppChannel(session, platform.url, "made-up-access-token", PHONE_ID, Speaks())
        for number in range(2):
            await channel.send(TO, OutboundMessage(Private("namaste"), speech="hi"), f"c:1:{number}")
    assert [(item["type"], item["mime"]) for item in platform.uploads] == [("audio/ogg", "audio/ogg")]
    assert [call["audio"] for call in platform.calls] == [{"id": "media1"}, {"id": "media1"}]


async def test_what_cannot_be_spoken_is_written(platform: FakeWhatsApp) -> None:
    async with aiohttp.ClientSession() as session:
        channel = WhatsAppChannel(session, platform.url, "made-up-access-token", PHONE_ID, Speaks(fails=True))
        await channel.send(TO, OutboundMessage(Private("namaste"), speech="hi"), "c:1:0")
    assert [call["type"] for call in platform.calls] == ["text"]


async def test_a_voice_note_is_fetched_from_the_platform_only(platform: FakeWhatsApp) -> None:
    """The token is never sent to an address that is not the platform's."""
    platform.files["m1"] = b"OggS voice"
    async with aiohttp.ClientSession() as session:
        channel = WhatsAppChannel(session, platform.url, "made-up-access-token", PHONE_ID)
        assert await channel.fetch(Media(Private("m1"), "audio/ogg"), 100) == b"OggS voice"
        with pytest.raises(ChannelError):
            await channel.fetch(Media(Private("m1"), "audio/ogg"), 5)
        with pytest.raises(ChannelError):
            await channel.fetch(Media(Private("unknown"), "audio/ogg"), 100)
        for address in ("https://evil.example/m1", "http://lookaside.fbsbx.com/m1", "file:///etc/passwd", "nonsense"):
            platform.elsewhere = address
            with pytest.raises(ChannelError):
                await channel.fetch(Media(Private("m1"), "audio/ogg"), 100)
