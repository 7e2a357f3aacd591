"""Telegram: what leaves. Text, keyboards, voice messages, pictures, deleting, "is typing"; see `telegram_updates`.

Interface: Bot API 10.1. No `parse_mode` is ever used, so that `_*[` in a name is only text.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any

from telegram import (
    Bot,
    InlineKeyboardButton,
    InlineKeyboardMarkup,
    KeyboardButton,
    LinkPreviewOptions,
    ReplyKeyboardMarkup,
    ReplyKeyboardRemove,
)
from telegram.constants import ChatAction
from telegram.error import BadRequest, TelegramError
from telegram.request import HTTPXRequest

from bot.channels.telegram_errors import Flood, channel_error
from bot.domain.messages import Address, ChannelName, Choice, Media, OutboundMessage
from bot.domain.private import Private
from bot.ports import ChannelError, PictureFile, Pictures, SpeechFailed, TooLarge, Voice

#: So long one question for updates stays open, in seconds; see `telegram_polling`.
POLL_SECONDS = 8
#: So long an answer is waited for; what comes later finds the message in doubt (rule R4).
ANSWER_SECONDS = 20.0
LABEL_PER_ROW = 28
DIGITS_PER_ROW = 5
#: deleteMessages takes so many ids at once.
MOST_DELETED = 100
#: "Is typing" is a courtesy: it never holds anything up.
ACTION_SECONDS = 3
NO_VOICE = "voice_messages_forbidden"
#: What the platform takes under a picture, in UTF-16 units.
LONGEST_CAPTION = 1024

Markup = InlineKeyboardMarkup | ReplyKeyboardMarkup | ReplyKeyboardRemove


def make_bot(token: str, api_url: str) -> Bot:
    """Return a bot that talks to *api_url*, with time limits of its own."""
    request = HTTPXRequest(
        connection_pool_size=16, connect_timeout=5, read_timeout=ANSWER_SECONDS, write_timeout=20, pool_timeout=5
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

    def __init__(
        self,
        bot: Bot,
        voice: Voice | None = None,
        clock: Callable[[], float] = time.monotonic,
        pictures: Pictures | None = None,
    ) -> None:
        """*bot* must have been initialised without a network call, see `make_bot`; *voice* speaks.

        *pictures*: those that may go with words; None: none do.
        """
        self._bot = bot
        self._voice = voice
        self._pictures = pictures
        self._clock = clock
        self._flood = Flood()

    async def send(self, address: Address, message: OutboundMessage, outbox_id: str) -> Private:  # noqa: ARG002
        """Send plain text with its keyboard, alone or under a picture, or a voice message; return the message id.

        Raise `ChannelError`. Words that cannot be spoken, or to somebody who takes no voice messages, are written;
        those whose picture the platform refuses go alone.
        """
        chat_id = int(address.value.reveal())
        try:
            sent = await self._send_voice(chat_id, message) or await self._send_photo(chat_id, message)
            sent = sent or await self._send_text(chat_id, message)
        except TelegramError as error:
            raise self._failed(error, chat_id) from error
        return Private(str(sent.message_id))

    async def _send_text(self, chat_id: int, message: OutboundMessage) -> Any:  # noqa: ANN401 - the library's Message
        return await self._bot.send_message(
            chat_id=chat_id,
            text=message.text.reveal(),
            reply_markup=markup(message),
            link_preview_options=LinkPreviewOptions(is_disabled=True),
            protect_content=message.protected or None,
        )

    async def _send_photo(self, chat_id: int, message: OutboundMessage) -> Any:  # noqa: ANN401
        """Send the words under their picture; None where there is none, or the platform will not have it."""
        picture = self._picture(message)
        if not picture:
            return None
        try:
            return await self._bot.send_photo(
                chat_id=chat_id,
                photo=picture.data,
                filename=f"picture.{picture.mime.rpartition('/')[2]}",
                caption=message.text.reveal(),
                reply_markup=markup(message),
                protect_content=message.protected or None,
            )
        except BadRequest:
            return None

    def _picture(self, message: OutboundMessage) -> PictureFile | None:
        fits = len(message.text.reveal().encode("utf-16-le", "replace")) // 2 <= LONGEST_CAPTION
        wanted = message.picture if fits and not message.plain else None
        return self._pictures.get(wanted.name) if wanted and self._pictures else None

    async def _send_voice(self, chat_id: int, message: OutboundMessage) -> Any:  # noqa: ANN401
        audio = await self._spoken(chat_id, message)
        if not audio:
            return None
        try:
            return await self._bot.send_voice(
                chat_id=chat_id,
                voice=audio,
                filename="sahyatri.ogg",
                reply_markup=markup(message),
                protect_content=message.protected or None,
            )
        except BadRequest as error:
            if NO_VOICE in str(error).casefold():
                return None
            raise

    async def _spoken(self, chat_id: int, message: OutboundMessage) -> bytes:
        if not message.speech or not self._voice:
            return b""
        await self._act(chat_id, ChatAction.RECORD_VOICE)
        try:
            return await self._voice.say(message.text.reveal(), message.speech, message.message_id)
        except SpeechFailed:
            return b""

    async def show(self, address: Address) -> None:
        """Show "is typing" for the next five seconds. Never raises."""
        await self._act(int(address.value.reveal()), ChatAction.TYPING)

    async def _act(self, chat_id: int, action: ChatAction) -> None:
        try:
            await self._bot.send_chat_action(
                chat_id, action, read_timeout=ACTION_SECONDS, connect_timeout=ACTION_SECONDS
            )
        except TelegramError:
            return

    async def forget(self, address: Address, message_ids: Sequence[Private]) -> None:
        """Delete these messages, ours and theirs, up to 48 hours old; the platform skips what it cannot find.

        Raise `ChannelError`.
        """
        numbers = [int(name.reveal()) for name in message_ids]
        chat_id = int(address.value.reveal())
        try:
            for at in range(0, len(numbers), MOST_DELETED):
                await self._bot.delete_messages(chat_id=chat_id, message_ids=numbers[at : at + MOST_DELETED])
        except TelegramError as error:
            raise self._failed(error, chat_id) from error

    async def fetch(self, media: Media, most_bytes: int) -> bytes:
        """Return the bytes of a voice note or picture. Raise `ChannelError`."""
        try:
            found = await self._bot.get_file(media.id.reveal())
            if found.file_size and found.file_size > most_bytes:
                raise TooLarge("telegram")
            return bytes(await found.download_as_bytearray())
        except TelegramError as error:
            raise channel_error(error) from error

    def _failed(self, error: TelegramError, chat_id: int) -> ChannelError:
        failure = channel_error(error)
        if failure.pause == "address":
            failure.pause = self._flood.pause(str(chat_id), self._clock())
        return failure


def markup(message: OutboundMessage) -> Markup | None:
    """Return the keyboard of a message; one without any takes away a keyboard that an earlier turn left."""
    if message.asks_location:
        return location_keyboard(message.list_button, message.choices)
    if message.choices:
        return keyboard(message.choices)
    if message.digits:
        return digits_keyboard(message.digits)
    return None if message.keeps_keyboard else ReplyKeyboardRemove()


def keyboard(choices: tuple[Choice, ...]) -> InlineKeyboardMarkup:
    """Return the choices as buttons under the message: two to a row where both are short."""
    rows: list[list[InlineKeyboardButton]] = []
    for choice in choices:
        button = InlineKeyboardButton(choice.label, callback_data=choice.id)
        short = rows and len(rows[-1]) == 1 and len(rows[-1][0].text) + len(choice.label) <= LABEL_PER_ROW
        if short:
            rows[-1].append(button)
        else:
            rows.append([button])
    return InlineKeyboardMarkup(rows)


def digits_keyboard(count: int) -> ReplyKeyboardMarkup:
    """Return keys 1 to *count*, as wide as a phone's."""
    digits = [KeyboardButton(str(number)) for number in range(1, count + 1)]
    rows = [digits[at : at + DIGITS_PER_ROW] for at in range(0, count, DIGITS_PER_ROW)]
    return ReplyKeyboardMarkup(rows, resize_keyboard=True, one_time_keyboard=True)


def location_keyboard(label: str, choices: tuple[Choice, ...]) -> ReplyKeyboardMarkup:
    """Return the key that sends a location, and the choices below it: pressed, a key types its words."""
    rows = [[KeyboardButton(label, request_location=True)], *([KeyboardButton(choice.label)] for choice in choices)]
    return ReplyKeyboardMarkup(rows, resize_keyboard=True, one_time_keyboard=True)


async def open_requests(bot: Bot) -> None:
    """Open the bot's connections without asking the platform who it is, so that a start needs no network."""
    await bot.request.initialize()
    await bot._request[0].initialize()  # noqa: SLF001 - the polling connection has no public name


async def close_requests(bot: Bot) -> None:
    """Close them."""
    await bot.request.shutdown()
    await bot._request[0].shutdown()  # noqa: SLF001
