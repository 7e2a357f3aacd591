"""The clocks: pages that must go out, cases that nobody has claimed, data that must be gone."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime

from bot.content.model import Content
from bot.content.render import render
from bot.domain.cases import Case, CaseAction, CaseKind, IllegalTransition
from bot.domain.messages import ChannelName, Lane, OutboundMessage, Reply
from bot.domain.private import Private
from bot.ports import Alerts, Cases, ChannelError, Pager

log = logging.getLogger(__name__)
TELL_PERSON_AT = 3
ALERT_BACK_OFF = (1.0, 2.0, 5.0, 15.0, 60.0)


class Watch:
    """Escalates, pages and tells the person again whom to phone."""

    def __init__(
        self,
        cases: Cases,
        alerts: Alerts,
        pagers: Mapping[str, Pager],
        content: Callable[[], Content],
        now: Callable[[], datetime],
        wake_delivery: Callable[[], None],
        owner: str,
    ) -> None:
        """*pagers*: alert channel name → client."""
        self._cases = cases
        self._alerts = alerts
        self._pagers = pagers
        self._content = content
        self._now = now
        self._wake_delivery = wake_delivery
        self._owner = owner

    async def escalate(self) -> int:
        """Take every overdue case one rung up; return how many."""
        overdue = await self._cases.overdue(self._now())
        for case in overdue:
            rung = case.escalations + 1
            try:
                await self._cases.act(
                    case.id,
                    CaseAction.ESCALATE,
                    "clock",
                    self._now(),
                    detail=Private(f"rung {rung}"),
                    messages=self._tell(case, rung),
                    key=f"rung:{case.waiting_since.isoformat()}:{rung}",
                )
            except (IllegalTransition, LookupError):
                continue
            self._wake_delivery()
        return len(overdue)

    def _tell(self, case: Case, rung: int) -> tuple[OutboundMessage, ...]:
        """At the last rung the person hears whom to phone; a watched phone stays silent."""
        if rung < TELL_PERSON_AT or case.silent or case.kind is CaseKind.REPORT:
            return ()
        reply = Reply("distress.escalated", lane=Lane.DISTRESS)
        content = self._content()
        return render((reply,), case.locale or next(iter(content.locales)), ChannelName(case.channel), content)

    async def page(self) -> bool:
        """Send one alert; False when none is due. A dead alert channel is tried again, and holds up no other."""
        alert = await self._alerts.next_due(self._owner)
        if not alert:
            return False
        pager = self._pagers.get(alert.channel)
        try:
            if pager:
                await pager.page(alert)
        except ChannelError as error:
            log.warning("page failed", extra={"alert": alert.id, "reason": error.reason})
            wait = ALERT_BACK_OFF[min(alert.attempts, len(ALERT_BACK_OFF) - 1)]
            await self._alerts.retry(alert, max(wait, error.retry_after), error.reason)
            return True
        await self._alerts.done(alert)
        return True


async def keep_paging(watch: Watch, pause: float = 0.25) -> None:
    """Page for ever."""
    await _for_ever(watch.page, pause)


async def keep_watching(
    watch: Watch, erase_due: Callable[[datetime], Awaitable[int]], now: Callable[[], datetime]
) -> None:
    """Look at the clocks twice a second for ever."""

    async def look() -> bool:
        await watch.escalate()
        await erase_due(now())
        return False

    await _for_ever(look, 0.5)


async def _for_ever(work: Callable[[], Awaitable[bool]], pause: float) -> None:
    while True:
        try:
            busy = await work()
        except Exception as error:
            log.exception("the watch goes on after an error", extra={"error": type(error).__name__})
            busy = False
        if not busy:
            await asyncio.sleep(pause)
