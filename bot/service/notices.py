"""Urgent notes: written by one, confirmed by another, sent behind every reply to those who asked for them."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from bot.content.model import Content
from bot.content.render import render
from bot.domain.conversation import Conversation
from bot.domain.messages import ChannelName, Lane, Reply
from bot.domain.notices import LONGEST_TEXT, Left, Notice, Reach, Where, WhereKind
from bot.domain.places import Point
from bot.ports import NoteDue, Notices
from bot.service.lessons import PAUSE, WITHIN_A_DAY

log = logging.getLogger(__name__)
AN_HOUR = 3600.0
SOON = 300.0


class BadNotice(Exception):
    """A note that cannot be kept; the reason is a message id of the console."""


class Notes:
    """Each verb is one action of the console, or of the clock."""

    def __init__(
        self,
        store: Notices,
        content: Callable[[], Content],
        points: Callable[[], Mapping[str, Point]],
        per_second: Mapping[ChannelName, float],
        now: Callable[[], datetime],
        wake_delivery: Callable[[], None],
    ) -> None:
        """*points*: the transit points in force, by their codes.

        *per_second*: how fast each channel takes messages; one that is not in it takes them at once.
        """
        self._store = store
        self._content = content
        self._points = points
        self._per_second = per_second
        self._now = now
        self._wake_delivery = wake_delivery

    async def write(self, where: Where, texts: Mapping[str, str], who: str) -> Notice:
        """Keep a draft. Raise `BadNotice`."""
        content = self._content()
        kept = {code: text.strip() for code, text in texts.items() if text.strip()}
        if not kept or set(kept) - set(content.locales):
            raise BadNotice("no_text")
        if any(len(text) > LONGEST_TEXT for text in kept.values()):
            raise BadNotice("too_long")
        if not self._name(where, next(iter(kept))):
            raise BadNotice("no_place")
        return await self._store.write(where, kept, who, self._now())

    async def confirm(self, number: int, who: str) -> Notice:
        """Let it be sent. Raise `NotConfirmable`."""
        return await self._store.confirm(number, who, self._now())

    async def cancel(self, number: int) -> None:
        """Send it to nobody more."""
        await self._store.cancel(number)

    async def again(self, number: int, who: str) -> None:
        """Send it, for as long again, to those whom it has not reached. Raise `NotConfirmable`."""
        await self._store.again(number, who, self._now())

    async def left(self) -> Mapping[int, Left]:
        """Return by the numbers of confirmed notes how many they have not reached."""
        return await self._store.left()

    async def get(self, number: int) -> Notice | None:
        """Return one."""
        return await self._store.get(number)

    async def latest(self) -> Sequence[Notice]:
        """Return the newest."""
        return await self._store.latest()

    async def reach(self, notice: Notice) -> Reach:
        """Return whom it would reach, and how long that takes: the dry run."""
        reach = await self._store.reach(notice, self._now() - WITHIN_A_DAY)
        slowest = [count / rate for channel, rate in self._per_second.items() if (count := reach.now.get(channel))]
        return replace(reach, seconds=max(slowest, default=0.0))

    async def work(self) -> int:
        """Send what is due; return how many went into the outbox."""
        return sum([await self._try(item) for item in await self._store.due(self._now())])

    async def _try(self, item: NoteDue) -> bool:
        """Send one; what goes wrong with it is looked at again later, and holds up nobody else."""
        try:
            return await self._send(item)
        except Exception as error:
            log.exception("a note was not sent", extra={"note": item.notice.number, "error": type(error).__name__})
            await self._store.put_off(item, SOON, self._now())
            return False

    async def _send(self, item: NoteDue) -> bool:
        now, conversation = self._now(), item.conversation
        locale = conversation.locale or conversation.locale_guess
        if locale not in item.notice.texts:
            await self._store.drop(item)
            return False
        late = not item.heard_at or now - item.heard_at > WITHIN_A_DAY
        if not may_be_told(conversation) or (conversation.channel is ChannelName.WHATSAPP and late):
            await self._store.put_off(item, AN_HOUR if is_troubled(conversation) else SOON, now)
            return False
        replies = self.words(item.notice, locale)
        messages = tuple(
            replace(message, keeps_keyboard=True)
            for message in render(replies, locale, conversation.channel, self._content())
        )
        sent = await self._store.send(item, replace(conversation, locale=locale, last_replies=replies), messages, now)
        self._wake_delivery()
        return sent

    def words(self, notice: Notice, locale: str) -> tuple[Reply, ...]:
        """Return what a person reads: for whom it is, the note itself, and how to ask or to stop."""
        values = {"place": self._name(notice.where, locale), "text": notice.texts[locale]}
        return (Reply("warnings.note", values, items=(Reply("warnings.tail"),), lane=Lane.CAMPAIGN),)

    def _name(self, where: Where, locale: str) -> str:
        """Return the name of a place as people there read it, "" if we do not know the place."""
        content = self._content()
        if where.kind is WhereKind.PLACE:
            point = self._points().get(where.name)
            return point.named(locale) if point else ""
        if where.kind is WhereKind.STATE:
            return content.words(locale, f"state.{where.name}.name") if where.name in content.states else ""
        known = {(district.state, district.name) for district in content.districts}
        return where.name if (where.state, where.name) in known else ""


def may_be_told(conversation: Conversation) -> bool:
    """Say whether a note may leave: nobody in trouble, and no question of ours that waits for its answer."""
    asked = conversation.asked_if_in_danger or conversation.unanswered or conversation.flow
    return not (is_troubled(conversation) or asked)


def is_troubled(conversation: Conversation) -> bool:
    """Say whether a case is open, somebody watches, somebody else has the phone, or they want nothing from us."""
    troubled = conversation.open_case or conversation.silent or conversation.stranger or conversation.stopped
    return bool(troubled)


async def keep_telling(notes: Notes, pause: float = PAUSE) -> None:
    """Send for ever."""
    while True:
        try:
            await notes.work()
        except Exception as error:
            log.exception("sending notes goes on after an error", extra={"error": type(error).__name__})
        await asyncio.sleep(pause)
