"""Voice notes: fetched from the channel, kept sealed, and written down where this machine can."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping
from datetime import datetime

from bot.domain.conversation import Waiting
from bot.domain.messages import Carrier, ChannelName
from bot.ports import ChannelError, Fetch, MediaStore, Transcriber, Wanted

log = logging.getLogger(__name__)
FETCH_PATIENCE = 8.0
HEAR_PATIENCE = 20.0
AGAIN = 30.0
MOST_BYTES = 5 * 1024 * 1024


class Listener:
    """Turns a voice note into stored bytes and, with a transcriber, into words."""

    def __init__(
        self,
        media: MediaStore,
        fetchers: Mapping[ChannelName, Fetch],
        transcriber: Transcriber | None,
        now: Callable[[], datetime],
    ) -> None:
        """*transcriber* None: no speech model here; notes are kept for people to hear."""
        self._media = media
        self._fetchers = fetchers
        self._transcriber = transcriber
        self._now = now

    async def hear(self, waiting: Waiting, locale: str) -> str:
        """Keep the note of a message and return its words, or "". A note that cannot be had now is fetched later."""
        message = waiting.message
        if message.carrier is not Carrier.VOICE or message.text:
            return ""
        if message.media:
            wanted = Wanted(waiting.id, waiting.conversation_id, message.address.channel, message.media)
            await self._media.want(wanted, self._now())
            if not self._transcriber:
                return ""  # the clock fetches it: nobody waits for the bytes
            await self._fetch(wanted)
        if not self._transcriber:
            return ""
        note = await self._media.get(waiting.id, waiting.conversation_id)
        return await self._words(self._transcriber, note[1], locale) if note else ""

    async def fetch_wanted(self) -> int:
        """Fetch what is still to be had; return how many were kept."""
        return sum([await self._fetch(wanted) for wanted in await self._media.wanted()])

    async def _fetch(self, wanted: Wanted) -> bool:
        fetch = self._fetchers.get(wanted.channel)
        if not fetch or wanted.media.size > MOST_BYTES:
            await self._media.failed(wanted.id)
            return False
        try:
            async with asyncio.timeout(FETCH_PATIENCE):
                data = await fetch(wanted.media, MOST_BYTES)
        except (ChannelError, TimeoutError) as error:
            log.warning("a voice note could not be fetched yet", extra={"note": wanted.id, "error": str(error)})
            await self._media.failed(wanted.id)
            return False
        await self._media.keep(wanted.id, wanted.conversation_id, wanted.media.mime, data, self._now())
        return True

    async def _words(self, transcriber: Transcriber, data: bytes, locale: str) -> str:
        try:
            async with asyncio.timeout(HEAR_PATIENCE):
                return (await transcriber.write_down(data, locale)).strip()
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
