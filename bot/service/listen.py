"""Voice notes and pictures: fetched from the channel, kept sealed, and made words where this machine can."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping
from datetime import datetime

from bot.domain.attachments import kind_of, refusal
from bot.domain.conversation import Waiting
from bot.domain.messages import Carrier, ChannelName
from bot.domain.pictures import picture_type
from bot.ports import ChannelError, Fetch, MediaStore, Reader, Transcriber, Wanted

log = logging.getLogger(__name__)
FETCH_PATIENCE = 8.0
HEAR_PATIENCE = 20.0
READ_PATIENCE = 20.0
AGAIN = 30.0
MOST_BYTES = 5 * 1024 * 1024
MOST_LOOKING = 4


class Listener:
    """Turns a voice note or a picture into stored bytes and, where it can, into words."""

    def __init__(
        self,
        media: MediaStore,
        fetchers: Mapping[ChannelName, Fetch],
        transcriber: Transcriber | None,
        now: Callable[[], datetime],
        reader: Reader | None = None,
        most_looking: int = MOST_LOOKING,
    ) -> None:
        """*transcriber* None: no speech model here; notes are kept for people to hear.

        *reader* None: pictures are kept for people to see. *most_looking*: how many messages may wait for a picture to
        be read; one more is answered at once as unread, so that pictures never take every worker.
        """
        self._media = media
        self._fetchers = fetchers
        self._transcriber = transcriber
        self._now = now
        self._reader = reader
        self._most_looking = most_looking
        self._looking = 0

    async def hear(self, waiting: Waiting, locale: str) -> str:
        """Keep the note of a message and return its words, or "". A note that cannot be had now is fetched later."""
        message = waiting.message
        if message.carrier is not Carrier.VOICE or message.text:
            return ""
        wanted = await self.keep(waiting)
        if not self._transcriber:
            return ""  # the clock fetches it: nobody waits for the bytes
        if wanted:
            await self._fetch(wanted)
        note = await self._media.get(waiting.id, waiting.conversation_id)
        return await self._words(self._transcriber, note[1], locale) if note else ""

    async def look(self, waiting: Waiting, locale: str) -> str | None:
        """Keep the picture of a message and return its words, "" when it cannot be had or read now.

        None when nothing is looked at: no reader here, or no picture (a film counts as an image on WhatsApp).
        """
        wanted = await self.keep(waiting)
        if not self._reader:
            return None
        if self._looking >= self._most_looking:
            return ""
        self._looking += 1
        try:
            if wanted:
                await self._fetch(wanted)
            note = await self._media.get(waiting.id, waiting.conversation_id)
            if not note:
                return "" if wanted else None
            return await self._seen(self._reader, note[1], locale)
        finally:
            self._looking -= 1

    async def keep(self, waiting: Waiting) -> Wanted | None:
        """Remember the file that came with a message, so that it is fetched for people; None when there is none."""
        message = waiting.message
        if not message.media:
            return None
        wanted = Wanted(waiting.id, waiting.conversation_id, message.address.channel, message.media)
        await self._media.want(wanted, self._now())
        return wanted

    async def fetch_wanted(self) -> int:
        """Fetch what is still to be had; return how many were kept."""
        return sum([await self._fetch(wanted) for wanted in await self._media.wanted()])

    async def _fetch(self, wanted: Wanted) -> bool:
        fetch = self._fetchers.get(wanted.channel)
        if wanted.media.size > MOST_BYTES:
            return await self._refuse(wanted, "too_large")
        if not fetch:
            await self._media.failed(wanted.id)
            return False
        try:
            async with asyncio.timeout(FETCH_PATIENCE):
                data = await fetch(wanted.media, MOST_BYTES)
        except (ChannelError, TimeoutError) as error:
            log.warning("a file could not be fetched yet", extra={"note": wanted.id, "error": str(error)})
            await self._media.failed(wanted.id)
            return False
        why = "too_large" if len(data) > MOST_BYTES else refusal(wanted.media.mime, kind_of(data, wanted.media.mime))
        if why:
            return await self._refuse(wanted, why)
        mime = picture_type(data) or wanted.media.mime
        await self._media.keep(wanted.id, wanted.conversation_id, mime, data, self._now())
        return True

    async def _refuse(self, wanted: Wanted, why: str) -> bool:
        log.warning("a file is refused", extra={"note": wanted.id, "why": why})
        await self._media.refuse(wanted.id, why)
        return False

    async def _words(self, transcriber: Transcriber, data: bytes, locale: str) -> str:
        try:
            async with asyncio.timeout(HEAR_PATIENCE):
                return (await transcriber.write_down(data, locale)).strip()
        except TimeoutError:
            return ""

    async def _seen(self, reader: Reader, data: bytes, locale: str) -> str:
        try:
            async with asyncio.timeout(READ_PATIENCE):
                return (await reader.read(data, locale)).strip()
        except TimeoutError:
            return ""


async def keep_fetching(listener: Listener, woken: asyncio.Event) -> None:
    """Fetch for ever: soon after a note came, and every half minute what failed before."""
    while True:
        try:
            await listener.fetch_wanted()
        except Exception as error:
            log.exception("fetching voice notes goes on after an error", extra={"error": type(error).__name__})
        woken.clear()
        try:
            async with asyncio.timeout(AGAIN):
                await woken.wait()
        except TimeoutError:
            continue
