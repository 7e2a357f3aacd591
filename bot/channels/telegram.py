"""Telegram: python-telegram-bot's `Bot` and `Update` at the edge; receiving is our own, so that nothing is lost.

Interface: Bot API 10.1. Rules T1–T9: secret compared as bytes in constant time, updates stored before the 200, chat
order restored by message date, groups and channels ignored, callback data never longer than 64 bytes.
"""

from __future__ import annotations

import asyncio
import contextlib
import hmac
import json
import logging
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from typing import Any

from aiohttp import web
from telegram import Bot, InlineKeyboardButton, InlineKeyboardMarkup, Message, Update
from telegram.error import (
    BadRequest,
    Conflict,
    Forbidden,
    InvalidToken,
    NetworkError,
    RetryAfter,
    TelegramError,
    TimedOut,
)
from telegram.request import HTTPXRequest

from bot.domain.messages import Address, Carrier, ChannelName, Choice, InboundMessage, Media, OutboundMessage
from bot.domain.pictures import PICTURE_TYPES
from bot.domain.private import NOTHING_SAID, Private
from bot.ports import ChannelError, SpeechFailed, Voice

log = logging.getLogger(__name__)
ALLOWED = ["message", "edited_message", "callback_query", "my_chat_member"]
SECRET_HEADER = "X-Telegram-Bot-Api-Secret-Token"  # noqa: S105 - the header's name
POLL_SECONDS = 20
LABEL_PER_ROW = 28
FUTURE_SLACK = 60
#: deleteMessages takes so many ids at once.
MOST_DELETED = 100

Receive = Callable[[InboundMessage], Awaitable[bool]]
Quarantine = Callable[[str, bytes, str], Awaitable[None]]


def make_bot(token: str, api_url: str) -> Bot:
    """Return a bot that talks to *api_url*, with time limits of its own."""
    request = HTTPXRequest(
        connection_pool_size=16, connect_timeout=5, read_timeout=20, write_timeout=20, pool_timeout=5
    )
    polling = HTTPXRequest(connection_pool_size=1, connect_timeout=5, read_timeout=POLL_SECONDS + 10)
    return Bot(
        token,
        base_url=f"{api_url}/bot",
        base_file_url=f"{api_url}/file/bot",
        request=request,
        get_updates_request=polling,
    )


class TelegramChannel:
    """Sends to private chats."""

    name = ChannelName.TELEGRAM

    def __init__(self, bot: Bot, voice: Voice | None = None) -> None:
        """*bot* must have been initialised without a network call, see `make_bot`; *voice* speaks."""
        self._bot = bot
        self._voice = voice

    async def send(self, address: Address, message: OutboundMessage, outbox_id: str) -> Private:  # noqa: ARG002
        """Send plain text with its choices as an inline keyboard, or a voice message; return the message id.

        Raise `ChannelError`. Words that cannot be spoken are written.
        """
        audio = await self._spoken(message)
        chat_id = int(address.value.reveal())
        try:
            if audio:
                sent = await self._bot.send_voice(chat_id=chat_id, voice=audio, filename="sahyatri.ogg")
            else:
                sent = await self._bot.send_message(
                    chat_id=chat_id,
                    text=message.text.reveal(),
                    reply_markup=keyboard(message.choices),
                    disable_web_page_preview=True,
                )
        except TelegramError as error:
            raise channel_error(error) from error
        return Private(str(sent.message_id))

    async def forget(self, address: Address, message_ids: Sequence[Private]) -> None:
        """Delete these messages, ours and theirs, up to 48 hours old; the platform skips what it cannot find.

        Raise `ChannelError`.
        """
        numbers = [int(name.reveal()) for name in message_ids]
        try:
            for at in range(0, len(numbers), MOST_DELETED):
                chat_id = int(address.value.reveal())
                await self._bot.delete_messages(chat_id=chat_id, message_ids=numbers[at : at + MOST_DELETED])
        except TelegramError as error:
            raise channel_error(error) from error

    async def fetch(self, media: Media, most_bytes: int) -> bytes:
        """Return the bytes of a voice note or picture. Raise `ChannelError`."""
        try:
            found = await self._bot.get_file(media.id.reveal())
            if found.file_size and found.file_size > most_bytes:
                raise ChannelError("telegram:too_large", retryable=False)
            return bytes(await found.download_as_bytearray())
        except TelegramError as error:
            raise channel_error(error) from error

    async def _spoken(self, message: OutboundMessage) -> bytes:
        if not message.speech or not self._voice:
            return b""
        try:
            return await self._voice.say(message.text.reveal(), message.speech, message.message_id)
        except SpeechFailed:
            return b""


def keyboard(choices: tuple[Choice, ...]) -> InlineKeyboardMarkup | None:
    """Return the choices as buttons: two to a row where both are short."""
    if not choices:
        return None
    rows: list[list[InlineKeyboardButton]] = []
    for choice in choices:
        button = InlineKeyboardButton(choice.label, callback_data=choice.id)
        short = rows and len(rows[-1]) == 1 and len(rows[-1][0].text) + len(choice.label) <= LABEL_PER_ROW
        if short:
            rows[-1].append(button)
        else:
            rows.append([button])
    return InlineKeyboardMarkup(rows)


def channel_error(error: TelegramError) -> ChannelError:
    """Turn the platform's error into ours (rules T5, T6)."""
    if isinstance(error, RetryAfter):
        seconds = error.retry_after
        wait = seconds if isinstance(seconds, int | float) else seconds.total_seconds()
        return ChannelError("telegram:429", retryable=True, retry_after=min(float(wait), 600.0))
    if isinstance(error, Forbidden):
        return ChannelError("telegram:403", retryable=False, gone=True)
    if isinstance(error, InvalidToken | Conflict):
        return ChannelError(f"telegram:{type(error).__name__}", retryable=True, account=True, retry_after=60)
    if isinstance(error, BadRequest):
        return ChannelError("telegram:400", retryable=False)
    if isinstance(error, TimedOut):
        never_left = "pool" in str(error).casefold() or "ConnectTimeout" in repr(error.__cause__)
        return ChannelError("telegram:timeout", retryable=True, unknown=not never_left)
    if isinstance(error, NetworkError):
        refused = "ConnectError" in repr(error.__cause__) or "ConnectError" in str(error)
        server = error.__cause__ is None
        return ChannelError("telegram:network", retryable=True, unknown=not (refused or server))
    return ChannelError(f"telegram:{type(error).__name__}", retryable=False)


def parse(update: dict[str, Any], bot: Bot, received_at: datetime) -> InboundMessage | None:
    """Return the message in an update, or None for what we do not answer (groups, channels, other bots)."""
    found = Update.de_json(update, bot)
    key = f"telegram:{bot.token.partition(':')[0]}:{found.update_id}"
    if found.my_chat_member:
        return None
    if found.callback_query:
        return _callback(found, key, received_at)
    message = found.message or found.edited_message
    if not message or message.chat.type != "private" or (message.from_user and message.from_user.is_bot):
        return None
    text, carrier = _words(message)
    if found.edited_message:
        carrier = Carrier.EDITED
    return InboundMessage(
        key, _address(message.chat.id), carrier, Private(text), _clamp(message.date, received_at), received_at,
        media=_media(message), point=_point(message), id=Private(str(message.message_id)),
    )  # fmt: skip


def _callback(update: Update, key: str, received_at: datetime) -> InboundMessage | None:
    query = update.callback_query
    if not query or not query.message or query.message.chat.type != "private":
        return None
    address = _address(query.message.chat.id)
    return InboundMessage(key, address, Carrier.CHOICE, Private(""), received_at, received_at, (query.data or "")[:64])


def _words(message: Message) -> tuple[str, Carrier]:
    if message.text is not None:
        return _start(message.text), Carrier.TEXT
    carrier = Carrier.UNSUPPORTED
    for kind, name in (
        (message.voice or message.audio, "voice"),
        (message.photo, "image"),
        (message.document, "document"),
    ):
        carrier = Carrier(name) if kind else carrier
    if message.document and message.document.mime_type in PICTURE_TYPES:
        carrier = Carrier.IMAGE
    if message.location:
        carrier = Carrier.LOCATION
    if message.sticker:
        return message.sticker.emoji or "", carrier
    return (message.caption, Carrier.CAPTION) if message.caption else ("", carrier)


def _media(message: Message) -> Media | None:
    """Return the voice note, picture or paper to be fetched; of a photo the largest of its sizes."""
    note = message.voice or message.audio
    if note:
        return Media(Private(note.file_id), note.mime_type or "audio/ogg", note.file_size or 0)
    if message.photo:
        largest = max(message.photo, key=lambda size: size.width * size.height)
        return Media(Private(largest.file_id), "image/jpeg", largest.file_size or 0)
    paper = message.document
    if paper and not message.animation:  # a film that the platform also calls a document
        return Media(Private(paper.file_id), paper.mime_type or "", paper.file_size or 0)
    return None


def _point(message: Message) -> Private:
    at = message.location
    return Private(f"{at.latitude:.5f},{at.longitude:.5f}") if at else NOTHING_SAID


def _start(text: str) -> str:
    """Give a deep link's payload as words: `/start sy_NDLS` becomes `sy_NDLS`."""
    head, _, payload = text.partition(" ")
    return payload.strip() if head.split("@")[0] == "/start" and payload.strip() else text


def _address(chat_id: int) -> Address:
    return Address(ChannelName.TELEGRAM, Private(str(chat_id)))


def _clamp(sent_at: datetime | None, received_at: datetime) -> datetime:
    if sent_at is None:
        return received_at
    late = (received_at - sent_at).total_seconds()
    return sent_at if -FUTURE_SLACK <= late <= 8 * 86400 else received_at


class TelegramWebhook:
    """`POST /webhooks/telegram`: 401 without the secret, 200 once the update is durable."""

    def __init__(
        self, bot: Bot, secrets: tuple[str, ...], receive: Receive, quarantine: Quarantine, now: Callable[[], datetime]
    ) -> None:
        """*secrets*: the valid ones (two while rotating); none at all is refused, for it would let anybody in."""
        self._secrets = tuple(secret.encode() for secret in secrets if secret)
        if not self._secrets:
            raise ValueError("the Telegram webhook needs a secret")
        self._bot = bot
        self._receive = receive
        self._quarantine = quarantine
        self._now = now

    async def handle(self, request: web.Request) -> web.Response:
        """Store and answer; whatever cannot be read is kept aside and answered 200."""
        given = request.headers.get(SECRET_HEADER, "").encode("utf-8", "surrogateescape")
        if not any([hmac.compare_digest(given, secret) for secret in self._secrets]):  # noqa: C419 - constant time
            return web.Response(status=401)
        if request.headers.get("Content-Encoding"):
            return web.Response(status=415)
        body = await request.read()
        tapped = await self.accept(body)
        # The answer itself may call a method: this stops the tapped button's spinner without another request.
        return (
            web.json_response({"method": "answerCallbackQuery", "callback_query_id": tapped})
            if tapped
            else web.Response()
        )

    async def accept(self, body: bytes) -> str:
        """Parse one update and keep it; return the id of a tapped button's query. Raises what means "send it again"."""
        try:
            update = _object(body)
            message = parse(update, self._bot, self._now())
        except Exception as error:
            await self._quarantine("telegram", body, type(error).__name__)
            return ""
        if message:
            await self._receive(message)
        query = update.get("callback_query")
        return str(query["id"]) if query else ""


def _object(body: bytes) -> dict[str, Any]:
    found = json.loads(body)
    if not isinstance(found, dict) or not isinstance(found.get("update_id"), int):
        raise TypeError("not an update")
    return found


async def keep_polling(bot: Bot, receive: Receive, quarantine: Quarantine, now: Callable[[], datetime]) -> None:
    """Fetch updates for ever. An update is confirmed only by asking for the next one, after it is durable."""
    offset, wait = 0, 1.0
    while True:
        try:
            updates = await bot.get_updates(offset=offset, timeout=POLL_SECONDS, allowed_updates=ALLOWED)
            for update in updates:
                await _keep(update, bot, receive, quarantine, now)
                offset = update.update_id + 1
            wait = 1.0
        except TelegramError as error:
            failure = channel_error(error)
            log.warning("polling failed", extra={"reason": failure.reason})
            await asyncio.sleep(max(wait, failure.retry_after))
            wait = min(wait * 2, 60.0)
        except Exception as error:
            log.exception("polling goes on after an error", extra={"error": type(error).__name__})
            await asyncio.sleep(wait)
            wait = min(wait * 2, 60.0)


async def _keep(
    update: Update, bot: Bot, receive: Receive, quarantine: Quarantine, now: Callable[[], datetime]
) -> None:
    raw = update.to_dict()
    try:
        message = parse(raw, bot, now())
    except Exception as error:
        await quarantine("telegram", json.dumps(raw, default=str).encode(), type(error).__name__)
        return
    if message:
        await receive(message)
    if update.callback_query:
        with contextlib.suppress(TelegramError):
            await update.callback_query.answer()


async def open_requests(bot: Bot) -> None:
    """Open the bot's connections without asking the platform who it is, so that a start needs no network."""
    await bot.request.initialize()
    await bot._request[0].initialize()  # noqa: SLF001 - the polling connection has no public name


async def close_requests(bot: Bot) -> None:
    """Close them."""
    await bot.request.shutdown()
    await bot._request[0].shutdown()  # noqa: SLF001
