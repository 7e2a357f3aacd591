"""WhatsApp Cloud API v23.0 over aiohttp: sending. What comes in is read in `whatsapp_inbound` and `whatsapp_hook`.

Every message carries our own id (`biz_opaque_callback_data`), which the platform echoes in its reports: a send in doubt
is settled by it.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Any, Final

from aiohttp import ClientError, ClientSession, ConnectionTimeoutError
from aiohttp.client_exceptions import ClientConnectorError, ServerTimeoutError

from bot.channels.whatsapp_errors import NO_FILE, PLAIN, SHAPE, channel_error, code_of
from bot.channels.whatsapp_media import Files, Graph, read_json
from bot.channels.whatsapp_outbound import outbound, plain, shown, spoken
from bot.domain.messages import Address, ChannelName, Media, OutboundMessage
from bot.domain.private import Private
from bot.ports import ChannelError, Pictures, SpeechFailed, Voice

OGG: Final = "audio/ogg"
FAILED: Final = 300
#: So long words wait for their picture to be uploaded, in seconds; then they go alone.
PICTURE_PATIENCE: Final = 10.0
Json = dict[str, Any]


class _Refused(Exception):
    """An error answer: certain that nothing was sent."""

    def __init__(self, code: int | None, error: ChannelError) -> None:
        super().__init__(error.reason)
        self.code = code
        self.error = error


@dataclass(frozen=True, slots=True)
class _File:
    """What is to be uploaded, and under which name."""

    data: bytes
    mime: str
    name: str


class WhatsAppChannel:
    """Sends text, reply buttons, lists, location requests, voice messages, pictures and templates."""

    name = ChannelName.WHATSAPP

    def __init__(
        self, session: ClientSession, api_url: str, token: str, phone_id: str, voice: Voice | None = None,
        proof: str = "", pictures: Pictures | None = None,
    ) -> None:  # fmt: skip
        """*api_url* carries the version, for example `https://graph.facebook.com/v23.0`; *voice* speaks.

        *pictures*: those that may go with words; None: none do.
        """
        self._graph = Graph(session, api_url.rstrip("/"), token, proof)
        self._files = Files(self._graph, phone_id)
        self._phone_id = phone_id
        self._voice = voice
        self._pictures = pictures

    async def send(self, address: Address, message: OutboundMessage, outbox_id: str) -> Private:
        """Send one bubble; return its wamid. Raise `ChannelError`.

        Words that cannot be spoken are written, and those whose picture cannot go, go alone; a shape that the platform
        refuses goes once more as plain text.
        """
        try:
            sent = await self._speak(address, message, outbox_id) or await self._show(address, message, outbox_id)
            if sent:
                return sent
            body = plain if message.plain and not message.template else outbound
            return await self._post(body(address, message, outbox_id))
        except _Refused as refused:
            shaped = not message.plain and (message.choices or message.asks_location)
            if refused.code not in SHAPE or message.template or not shaped:
                raise refused.error from refused
        try:
            return await self._post(plain(address, message, outbox_id))
        except _Refused as refused:
            raise refused.error from refused

    async def forget(self, address: Address, message_ids: Sequence[Private]) -> None:
        """Do nothing: the Cloud API cannot delete a message. The person is told how to, on their phone."""

    async def fetch(self, media: Media, most_bytes: int) -> bytes:
        """Return the bytes of a voice note or picture. Raise `ChannelError`."""
        return await self._files.fetch(media, most_bytes)

    async def _speak(self, address: Address, message: OutboundMessage, outbox_id: str) -> Private | None:
        """Send the words as a voice message; None where they are to be written.

        A file that the platform has reported as broken is not used again for anybody.
        """
        audio = _File(await self._audio(message), OGG, "sahyatri.ogg")
        if message.plain:
            self._files.forget_file(audio.data)
        elif audio.data:
            return await self._post_file(lambda media_id: spoken(address, media_id, outbox_id), audio, NO_FILE)
        return None

    async def _show(self, address: Address, message: OutboundMessage, outbox_id: str) -> Private | None:
        """Send the words under their picture; None where they go alone."""
        picture = self._picture(message)
        if message.plain and picture:
            self._files.forget_file(picture.data)
        elif picture:
            return await self._post_file(
                lambda media_id: shown(address, message, media_id, outbox_id), picture, PLAIN, PICTURE_PATIENCE
            )
        return None

    async def _post_file(
        self, body: Callable[[str], Json | None], file: _File, codes: Collection[int], patience: float | None = None
    ) -> Private | None:
        """Send a body that names a file; None where there is none, or the platform will not have the file.

        An id that the platform has forgotten (it answers with one of *codes*) is uploaded once more. *patience*: an
        upload takes at most so many seconds and holds nothing up, whatever goes wrong with it.
        """
        for _ in range(2):
            media_id = await (self._brought(file, patience) if patience else self._uploaded(file))
            made = body(media_id) if media_id else None
            if not made:
                return None
            try:
                return await self._post(made)
            except _Refused as refused:
                if refused.code not in codes:
                    raise
                self._files.forget(media_id)
        return None

    def _picture(self, message: OutboundMessage) -> _File | None:
        wanted = message.picture if not message.template else None
        found = self._pictures.get(wanted.name) if wanted and self._pictures else None
        return _File(found.data, found.mime, f"picture.{found.mime.rpartition('/')[2]}") if found else None

    async def _audio(self, message: OutboundMessage) -> bytes:
        if not message.speech or not self._voice:
            return b""
        try:
            return await self._voice.say(message.text.reveal(), message.speech, message.message_id)
        except SpeechFailed:
            return b""

    async def _uploaded(self, file: _File) -> str:
        """Return the platform's id of a file, "" if it will not have it."""
        try:
            return await self._files.upload(file.data, file.mime, file.name)
        except ChannelError as error:
            if error.retryable:
                raise
            return ""

    async def _brought(self, file: _File, patience: float) -> str:
        """Return the platform's id of a file, "" if it cannot be had within *patience* seconds, for whatever reason.

        What is wrong with the whole account, the words themselves will meet.
        """
        try:
            async with asyncio.timeout(patience):
                return await self._uploaded(file)
        except (ChannelError, TimeoutError):
            return ""

    async def _post(self, body: Json) -> Private:
        try:
            async with self._graph.post(f"{self._phone_id}/messages", json=body) as answer:
                raw, status = await answer.read(), answer.status
                wait = answer.headers.get("Retry-After", "")
        except (ClientConnectorError, ConnectionTimeoutError) as error:
            silent = isinstance(error, TimeoutError)
            raise ChannelError("whatsapp:connect", retryable=True, silent=silent) from error
        except (ClientError, ServerTimeoutError, TimeoutError) as error:
            silent = isinstance(error, TimeoutError)
            raise ChannelError("whatsapp:in_doubt", retryable=True, unknown=True, silent=silent) from error
        found = read_json(raw)
        if status >= FAILED:
            raise _Refused(code_of(found), channel_error(status, found, wait))
        return _wamid(found)


def _wamid(answer: object) -> Private:
    try:
        return Private(str(answer["messages"][0]["id"]))  # type: ignore[index]
    except (KeyError, IndexError, TypeError) as error:
        raise ChannelError("whatsapp:no_id", retryable=True, unknown=True, alarm=True) from error


def proof_of(token: str, secret: str) -> str:
    """Return the proof that whoever uses *token* also knows the app secret."""
    return hmac.new(secret.encode(), token.encode(), hashlib.sha256).hexdigest()
