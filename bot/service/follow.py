"""After a case is closed: one question whether somebody reached the person, then follow-ups if they agreed."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from datetime import datetime

from bot.content.model import Content
from bot.content.render import render
from bot.dialogue import waiting
from bot.domain.cases import next_follow_up
from bot.domain.contact import is_open
from bot.domain.why import Why
from bot.ports import FollowUp, FollowUps

log = logging.getLogger(__name__)
WATCHED = Why.WATCHED.mark
TOO_LATE = Why.WINDOW_OVER.mark


class Follower:
    """Asks what is due, and nothing of anybody whose phone may be watched."""

    def __init__(
        self,
        follow_ups: FollowUps,
        content: Callable[[], Content],
        now: Callable[[], datetime],
        wake_delivery: Callable[[], None],
        *,
        can_greet: bool = False,
    ) -> None:
        """*wake_delivery* makes questions leave at once; *can_greet*: there is a greeting that WhatsApp takes later."""
        self._follow_ups = follow_ups
        self._content = content
        self._now = now
        self._wake_delivery = wake_delivery
        self._can_greet = can_greet

    async def work(self) -> int:
        """Ask what is due; return how many were asked."""
        return sum([await self._ask(item) for item in await self._follow_ups.due(self._now())])

    async def _ask(self, item: FollowUp) -> bool:
        now = self._now()
        if not item.may_write:
            await self._follow_ups.drop(item, WATCHED, now)
            return False
        if not is_open(item.channel, item.heard_at, now) and not (item.opted_in and self._can_greet):
            await self._follow_ups.drop(item, TOO_LATE, now)
            return False
        question = waiting.ask("follow" if item.asked else "reached")
        content = self._content()
        messages = render((question,), item.locale or next(iter(content.locales)), item.channel, content)
        next_at = next_follow_up(item.closed_at, item.asked + 1) if item.asked else None
        asked = await self._follow_ups.ask(item, messages, next_at, now)
        self._wake_delivery()
        return asked


async def keep_following(follower: Follower, pause: float = 5.0) -> None:
    """Ask what is due for ever."""
    while True:
        try:
            await follower.work()
        except Exception as error:
            log.exception("following up goes on after an error", extra={"error": type(error).__name__})
        await asyncio.sleep(pause)
