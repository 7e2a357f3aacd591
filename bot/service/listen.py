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
from bot.domain.quota import DEFAULT, Quotas, Room
from bot.ports import ChannelError, Fetch, MediaStore, Reader, TooLarge, Transcriber, Wanted
from bot.service.renewal import within

log = logging.getLogger(__name__)
FETCH_PATIENCE = 8.0
HEAR_PATIENCE = 20.0
READ_PATIENCE = 20.0
#: How often to look for what is due again, in seconds; how many files are fetched together.
AGAIN = 5.0
AT_ONCE = 4
#: The account cannot be used now, or we were too quick: no fault of the file's.
ACCOUNT_PAUSE = 60.0
MOST_BYTES = 5 * 1024 * 1024
MOST_LOOKING = 4
#: Why a file was left, as ids of words: its sender had sent very many; it came amid a crowd of new people.
NO_ROOM = "too_many"
CROWDED = "crowded"
#: Its channel gives it no more.
GONE = "gone"


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
        quotas: Quotas = DEFAULT,
        woken: Callable[[], None] = lambda: None,
    ) -> None:
        """*transcriber* None: no speech model here; notes are kept for people to hear.

        *reader* None: pictures are kept for people to see. *most_looking*: how many messages may wait for a picture to
        be read; one more is answered at once as unread, so that pictures never take every worker. *quotas*: what one
        person may send. *woken*: called when there is something to be fetched.
        """
        self._media = media
        self._fetchers = fetchers
        self._transcriber = transcriber
        self._now = now
        self._reader = reader
        self._most_looking = most_looking
        self._looking = 0
        self._fetching: dict[str, asyncio.Task[bool]] = {}
        self._quotas = quotas
        self._woken = woken

    async def hear(self, waiting: Waiting, locale: str) -> str:
        """Return the words of a note that was kept (`keep`), or "". One that cannot be had now is fetched later."""
        message = waiting.message
        if message.carrier is not Carrier.VOICE or message.text:
            return ""
        if not self._transcriber:
            return ""  # the clock fetches it: nobody waits for the bytes
        if wanted := _wanted(waiting):
            await self._fetch(wanted)
        note = await self._media.get(waiting.id, waiting.conversation_id)
        return await self._words(self._transcriber, note[1], locale) if note else ""

    async def look(self, waiting: Waiting, locale: str) -> str | None:
        """Return the words of a picture that was kept (`keep`), "" when it cannot be had or read now.

        None when nothing is looked at: no reader here, or no picture (a film counts as an image on WhatsApp).
        """
        wanted = _wanted(waiting)
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

    async def keep(self, waiting: Waiting, *, held: bool = False) -> Room:
        """Remember the file that came with a message, so that it is fetched for people; say whether there was room.

        *held*: a responder has the person's case. The web chat brings its files itself, or leaves them (`brought`).
        """
        wanted = _wanted(waiting)
        if not wanted and not (waiting.message.address.channel is ChannelName.WEB and _is_file(waiting)):
            return Room.YES
        room = await self.room(wanted or _bare(waiting), held=held)
        if wanted and room is Room.YES:
            await self._media.want(wanted, self._now())
            self._woken()
        elif wanted:
            await self._media.leave(wanted, self._now(), NO_ROOM)
        return room

    async def leave(self, waiting: Waiting) -> None:
        """Remember the file of somebody who came with very many others, and leave it where it is."""
        if wanted := _wanted(waiting):
            await self._media.leave(wanted, self._now(), CROWDED)

    async def room(self, wanted: Wanted, *, held: bool) -> Room:
        """Say whether this person may send one more file."""
        return await self._media.room(wanted, self._quotas.of(voice=wanted.voice, held=held), self._now())

    async def brought(self, wanted: Wanted, *, held: bool) -> bool:
        """Say whether a file that stands here at the door is let in; else remember that it came."""
        if await self.room(wanted, held=held) is Room.YES:
            return True
        await self._media.leave(wanted, self._now(), NO_ROOM)
        return False

    async def fetch_wanted(self) -> int:
        """Fetch what is due, a few together; return how many were kept."""
        free = asyncio.Semaphore(AT_ONCE)

        async def one(wanted: Wanted) -> bool:
            async with free:
                return await self._fetch(wanted)

        return sum(await asyncio.gather(*map(one, await self._media.wanted(self._now()))))

    async def _fetch(self, wanted: Wanted) -> bool:
        """Fetch one, unless it is being fetched: then wait for that, so that one failure is not counted twice."""
        if wanted.id not in self._fetching:
            task = asyncio.create_task(self._try(wanted))
            self._fetching[wanted.id] = task
            task.add_done_callback(lambda _: self._fetching.pop(wanted.id, None))
        return await asyncio.shield(self._fetching[wanted.id])

    async def _try(self, wanted: Wanted) -> bool:
        fetch, media = self._fetchers.get(wanted.channel), wanted.media
        if media and media.size > MOST_BYTES:
            return await self._refuse(wanted, "too_large")
        began = self._now()
        if not fetch or not media:
            return await self._later(wanted, began, None)
        try:
            async with asyncio.timeout(FETCH_PATIENCE):
                data = await fetch(media, MOST_BYTES)
        except TooLarge:
            return await self._refuse(wanted, "too_large")
        except ChannelError as error:
            return await self._later(wanted, began, error)
        except TimeoutError:
            return await self._later(wanted, began, None)
        why = "too_large" if len(data) > MOST_BYTES else refusal(media.mime, kind_of(data, media.mime))
        if why:
            return await self._refuse(wanted, why)
        mime = picture_type(data) or media.mime
        await self._media.keep(wanted.id, wanted.conversation_id, mime, data, self._now(), fetched=True)
        return True

    async def _later(self, wanted: Wanted, began: datetime, error: ChannelError | None) -> bool:
        """Try again, later each time; what is wrong with the whole account costs the file no try."""
        log.warning("a file could not be fetched yet", extra={"note": wanted.id, "error": str(error or "no answer")})
        whole = error is not None and (error.account or error.pause == "account" or error.retry_after > 0)
        pause = max(error.retry_after, ACCOUNT_PAUSE) if error and whole else None
        given_up = await self._media.failed(
            wanted.id, self._now(), pause, final=error is not None and not error.retryable, began=began
        )
        if given_up:
            await self._refuse(wanted, GONE)
        return False

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


def _wanted(waiting: Waiting) -> Wanted | None:
    """Return what is to be fetched of a message's file; None where it has none."""
    return _bare(waiting) if waiting.message.media else None


def _bare(waiting: Waiting) -> Wanted:
    message = waiting.message
    voice = message.carrier is Carrier.VOICE
    return Wanted(waiting.id, waiting.conversation_id, message.address.channel, message.media, voice)


def _is_file(waiting: Waiting) -> bool:
    return waiting.message.carrier in {Carrier.VOICE, Carrier.IMAGE}


async def keep_fetching(listener: Listener, woken: asyncio.Event) -> None:
    """Fetch for ever: as soon as a note came, and what failed before when its time has come."""
    while True:
        try:
            await listener.fetch_wanted()
        except Exception as error:
            log.exception("fetching voice notes goes on after an error", extra={"error": type(error).__name__})
        woken.clear()
        await within(AGAIN, woken)
