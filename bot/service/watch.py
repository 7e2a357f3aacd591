"""The clocks: pages that must go out, cases that nobody has claimed, data that must be gone."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime

from bot.content.model import Content
from bot.content.render import render
from bot.dialogue.answers import STALE_AFTER_DAYS, day
from bot.domain.agencies import AgencyList, ListState
from bot.domain.cases import Case, CaseAction, CaseKind, IllegalTransition
from bot.domain.messages import ChannelName, Lane, OutboundMessage, Reply
from bot.domain.private import Private
from bot.ports import Agencies, Alert, Alerts, Cases, ChannelError, Merges, Pager

log = logging.getLogger(__name__)
TELL_PERSON_AT = 3
ALERT_BACK_OFF = (1.0, 2.0, 5.0, 15.0, 60.0)
REMIND_AFTER_DAYS = 7
LOOK_AT_LISTS_EVERY = 60.0


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
        merges: Merges,
    ) -> None:
        """*pagers*: alert channel name → client."""
        self._cases = cases
        self._merges = merges
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
                    others=await self._tell_all(case, rung),
                    key=f"rung:{case.waiting_since.isoformat()}:{rung}",
                )
            except (IllegalTransition, LookupError):
                continue
            self._wake_delivery()
        return len(overdue)

    async def _tell_all(self, case: Case, rung: int) -> Mapping[str, Sequence[OutboundMessage]]:
        people = (case, *(await self._merges.merged(case.id) if case.also else ()))
        return {person.conversation_id: self._tell(person, rung) for person in people}

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


class ListWatch:
    """Pages when a list in force has become stale, weekly while it is, and once for each import put in quarantine."""

    def __init__(self, agencies: Agencies, alerts: Alerts, pagers: Sequence[str], now: Callable[[], datetime]) -> None:
        """*pagers*: names of the alert channels; the consoles are not woken, they show lists on a page of their own."""
        self._agencies = agencies
        self._alerts = alerts
        self._pagers = tuple(name for name in pagers if name != "console")
        self._now = now

    async def look(self) -> int:
        """Queue what is due; every process may look, each page goes out once. Return how many were queued."""
        due = [alert for listing in await self._agencies.lists() for alert in self._stale(listing)]
        for listing in await self._agencies.versions():
            if listing.state is ListState.QUARANTINED:
                due += self._alerts_for(
                    listing,
                    "quarantined_list",
                    str(listing.version),
                    version=str(listing.version),
                    reason=listing.reason,
                )
        return await self._alerts.add(due, self._now())

    def _stale(self, listing: AgencyList) -> Sequence[Alert]:
        days = (self._now().date() - listing.as_of).days
        if days <= STALE_AFTER_DAYS:
            return ()
        week = (days - STALE_AFTER_DAYS - 1) // REMIND_AFTER_DAYS
        number = f"{listing.as_of}:{week}"
        return self._alerts_for(listing, "stale_list", number, days=str(days), as_of=day(listing.as_of))

    def _alerts_for(self, listing: AgencyList, kind: str, number: str, **values: str) -> list[Alert]:
        """Return an alert for each channel; *number* tells those of one kind about one list apart."""
        source, told = listing.source, {"list": listing.title, **values}
        return [
            Alert(f"{kind}:{source}:{number}:{pager}", "", pager, kind, "", "en", 0, source, told)
            for pager in self._pagers
        ]


async def keep_looking_at_lists(watch: ListWatch, pause: float = LOOK_AT_LISTS_EVERY) -> None:
    """Look at the lists for ever."""

    async def look() -> bool:
        await watch.look()
        return False

    await _for_ever(look, pause)


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
