"""The notice that what we keep may have been seen: prepared by one, confirmed by another, sent behind every reply.

First to those of whom a record says that they can be written to; to all others once, when they next write by
themselves. Never to somebody in danger, watched, or with a question of ours before them.
"""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from bot.content.model import Content
from bot.content.render import render
from bot.dialogue import answers
from bot.dialogue.language import speaking
from bot.domain.breaches import Breach, BreachReach, Step, is_at_ease, may_hear_first, next_step
from bot.domain.contact import record_of
from bot.domain.messages import ChannelName, ChoiceRef, Lane, Reply
from bot.ports import BreachDue, Breaches, Cases
from bot.service.lessons import PAUSE

log = logging.getLogger(__name__)
DELETE = ChoiceRef("c:delete", "breach.delete.label")
NOTICE = Reply("breach.notice", choices=(answers.PERSON, DELETE, answers.MENU), lane=Lane.CAMPAIGN)
SOON = timedelta(minutes=1)
AN_HOUR = timedelta(hours=1)


class BreachNotices:
    """Each verb is one action of the console, or of the clock."""

    def __init__(
        self,
        store: Breaches,
        cases: Cases,
        content: Callable[[], Content],
        per_second: Mapping[ChannelName, float],
        now: Callable[[], datetime],
        wake_delivery: Callable[[], None],
    ) -> None:
        """*per_second*: how fast each channel takes messages; one that is not in it takes them at once."""
        self._store = store
        self._cases = cases
        self._content = content
        self._per_second = per_second
        self._now = now
        self._wake_delivery = wake_delivery

    async def write(self, since: datetime, who: str) -> Breach:
        """Keep a draft for whoever has written since then."""
        return await self._store.write(since, who, self._now())

    async def latest(self) -> Sequence[tuple[Breach, Mapping[str, int]]]:
        """Return the newest, with how many people each has reached, and how many wait."""
        return [(breach, await self._store.counts(breach.number)) for breach in await self._store.latest()]

    async def confirm(self, number: int, who: str) -> Breach:
        """Let it be sent. Raise `NotConfirmable`."""
        breach = await self._store.confirm(number, who, self._now())
        log.warning("a breach notice goes out", extra={"breach": number})
        return breach

    async def cancel(self, number: int) -> None:
        """Tell nobody more."""
        await self._store.cancel(number)

    async def reach(self, breach: Breach) -> BreachReach:
        """Count whom it would reach, and how: the dry run; nothing is sent or noted."""
        now = self._now()
        first: Counter[str] = Counter()
        deferred: Counter[str] = Counter()
        for one in await self._store.affected(breach.since):
            record = not one.silent and await self._record(one.conversation_id)
            may = may_hear_first(one.channel, one.heard_at, now, record=record)
            (first if may else deferred)[one.channel.value] += 1
        slowest = [count / rate for channel, rate in self._per_second.items() if (count := first.get(channel, 0))]
        return BreachReach(first, deferred, max(slowest, default=0.0))

    async def _record(self, conversation_id: str) -> bool:
        """Say whether something tells that the person can be written to: one rule for all who write first."""
        cases = await self._cases.of_conversation(conversation_id)
        if any(case.silent for case in cases[:1]):
            return False
        told = [answer for case in cases for answer in await self._cases.told(case.id)]
        return record_of(told) is not None

    async def work(self) -> int:
        """Look at everybody who is due; return to how many the notice went."""
        return sum([await self._try(item) for item in await self._store.due(self._now())])

    async def _try(self, item: BreachDue) -> bool:
        """Tell one person; what goes wrong with it is looked at again later, and holds up nobody else."""
        try:
            return await self._step(item)
        except Exception as error:
            log.exception("a notice was not sent", extra={"breach": item.number, "error": type(error).__name__})
            await self._store.put_off(item, self._now() + AN_HOUR)
            return False

    async def _step(self, item: BreachDue) -> bool:
        now, conversation = self._now(), item.conversation
        seen = {"breach": item.number, "conversation": conversation.id}
        step = next_step(conversation, item.heard_at, now, record=await self._record(conversation.id))
        if step is Step.DEFER:
            log.info("a notice waits for the person", extra=seen)
            await self._store.defer(item, now)
        elif step is Step.LATER:
            await self._store.put_off(item, now + (SOON if is_at_ease(conversation) else AN_HOUR))
        elif await self._send(item, now):
            log.info("a notice was sent", extra=seen)
            return True
        return False

    async def _send(self, item: BreachDue, now: datetime) -> bool:
        """Where help was offered last, a typed digit goes on meaning that: then the notice has no numbered answers."""
        conversation, content = item.conversation, self._content()
        locale = speaking(conversation.locale, conversation.locale_guess, content)
        numbered = answers.HELP_NOW.id not in conversation.offered
        messages = render((NOTICE,), locale, conversation.channel, content)
        if not numbered and any(message.digits for message in messages):
            messages = render((replace(NOTICE, choices=()),), locale, conversation.channel, content)
        messages = tuple(replace(message, keeps_keyboard=True) for message in messages)
        after = replace(conversation, locale=locale)
        if numbered:
            after = replace(after, offered=tuple(choice.id for choice in NOTICE.choices), last_replies=(NOTICE,))
        sent = await self._store.send(item, after, messages, now)
        self._wake_delivery()
        return sent


async def keep_noticing(breaches: BreachNotices, pause: float = PAUSE) -> None:
    """Tell for ever."""
    while True:
        try:
            await breaches.work()
        except Exception as error:
            log.exception("breach notices go on after an error", extra={"error": type(error).__name__})
        await asyncio.sleep(pause)
