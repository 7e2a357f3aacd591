"""The clocks: pages that must go out, cases that nobody has claimed, data that must be gone."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from bot.content.model import Content
from bot.content.render import render
from bot.dialogue.answers import STALE_AFTER_DAYS, day
from bot.domain.agencies import AgencyList, ListState
from bot.domain.attending import CLOCK
from bot.domain.canary import CANARY
from bot.domain.cases import Case, CaseAction, CaseKind, IllegalTransition
from bot.domain.messages import ChannelName, Lane, OutboundMessage, Reply
from bot.domain.private import Private
from bot.domain.why import Why
from bot.ports import Agencies, Alert, Alerts, Cases, ChannelError, GroupMoved, Merges, Pager
from bot.service.renewal import kept, within

log = logging.getLogger(__name__)
#: A page's lease lasts 1.2 seconds; whoever takes the page may need longer.
RENEWED = 0.4
TELL_PERSON_AT = 3
CLIMB_AT_ONCE = 8
ALERT_BACK_OFF = (1.0, 2.0, 5.0, 15.0, 60.0)
#: Seconds for which a channel that failed is left alone.
REST = (0.0, 0.5, 2.0, 5.0)
REMIND_AFTER_DAYS = 7
LOOK_AT_LISTS_EVERY = 60.0


@dataclass
class _Rest:
    """How often an alert channel failed in a row, and until when (loop time) it is left alone."""

    failed: int = 0
    until: float = 0.0


class Watch:
    """Escalates, pages and tells the person again whom to phone."""

    def __init__(  # noqa: PLR0913
        self,
        cases: Cases,
        alerts: Alerts,
        pagers: Mapping[str, Pager],
        content: Callable[[], Content],
        now: Callable[[], datetime],
        wake_delivery: Callable[[], None],
        owner: str,
        merges: Merges,
        top: int = TELL_PERSON_AT,
    ) -> None:
        """*pagers*: alert channel name → client; *top*: the last rung, whose page is repeated."""
        self._top = top
        self._cases = cases
        self._merges = merges
        self._alerts = alerts
        self._pagers = pagers
        self._content = content
        self._now = now
        self._wake_delivery = wake_delivery
        self._owner = owner
        self._rests: dict[str, _Rest] = {}

    @property
    def channels(self) -> Sequence[str]:
        """The names of the alert channels."""
        return tuple(self._pagers)

    async def escalate(self) -> int:
        """Take every overdue case one rung up; return how many. One that fails holds up no other."""
        overdue = await self._cases.overdue()
        few = asyncio.Semaphore(CLIMB_AT_ONCE)

        async def climb(case: Case) -> None:
            async with few:
                await self._climb(case)

        results = await asyncio.gather(*(climb(case) for case in overdue), return_exceptions=True)
        for result in results:
            if isinstance(result, BaseException):
                raise result
        return len(overdue)

    async def escalate_now(self, case: Case, who: str, why: str) -> None:
        """Take an unclaimed case one rung up because *who* asks for it. Raise `IllegalTransition`, `LookupError`."""
        await self._raise(case, who, f"{Why.RUNG.mark} {case.escalations + 1} · {why}")

    def at_top(self, case: Case) -> bool:
        """Say whether a case stands on the last rung: nothing above it is left to climb."""
        return case.escalations >= self._top

    async def _climb(self, case: Case) -> None:
        with contextlib.suppress(IllegalTransition, LookupError):
            if self.at_top(case):
                await self._page_again(case)
            else:
                await self._raise(case, CLOCK, f"{Why.RUNG.mark} {case.escalations + 1}")

    async def _page_again(self, case: Case) -> None:
        """Nobody came: the last page once more, and not a word more to the person."""
        key = f"again:{case.escalate_at.isoformat() if case.escalate_at else ''}"
        await self._cases.act(case.id, CaseAction.PAGE, CLOCK, self._now(), detail=Private(Why.AGAIN.mark), key=key)
        self._wake_delivery()

    async def _raise(self, case: Case, who: str, why: str) -> None:
        """Whoever else does the same: the key lets each rung be climbed once."""
        rung = case.escalations + 1
        await self._cases.act(
            case.id,
            CaseAction.ESCALATE,
            who,
            self._now(),
            detail=Private(why),
            others=await self._tell_all(case, rung),
            key=rung_key(case),
        )
        self._wake_delivery()

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

    async def page(self, channel: str) -> bool:
        """Send one alert over *channel*; False when none is due, or when it failed: a dead channel gets a rest.

        What a channel refuses it is offered again, ever more slowly, and that holds up no other channel.
        """
        clock = asyncio.get_running_loop().time
        rest = self._rests.setdefault(channel, _Rest())
        if clock() < rest.until:
            return False
        alert = await self._alerts.next_due(self._owner, channel)
        if not alert:
            return False
        try:
            async with kept(functools.partial(self._alerts.renew, alert, self._owner), RENEWED):
                await self._send(alert)
        except ChannelError as error:
            rest.until = clock() + REST[min(rest.failed, len(REST) - 1)]
            rest.failed += 1
            log.warning("page failed", extra={"alert": alert.id, "reason": error.reason})
            wait = ALERT_BACK_OFF[min(alert.attempts, len(ALERT_BACK_OFF) - 1)]
            missed = not (error.unknown or error.retry_after or isinstance(error, GroupMoved))
            await self._alerts.retry(alert, max(wait, error.retry_after), error.reason, missed=missed)
            if missed:
                await self._jump(alert)
            return False
        rest.failed = 0
        await self._alerts.done(alert)
        return True

    async def _send(self, alert: Alert) -> None:
        pager = self._pagers[alert.channel]
        await (pager.check(alert) if alert.kind == CANARY else pager.page(alert))

    async def _jump(self, alert: Alert) -> None:
        """A page that reached nobody does not wait for its rung to end; what the person hears keeps its own time."""
        rung = alert.rung + 1
        if alert.kind not in set(CaseKind) or not alert.case_id or rung >= TELL_PERSON_AT:
            return
        if await self._alerts.nobody_reached(alert):
            case = await self._cases.get(alert.case_id)
            if case and case.owner is None and case.escalations == alert.rung and not self.at_top(case):
                await self._climb(case)


def rung_key(case: Case) -> str:
    """Return the key under which the rung above a case is climbed, once."""
    return f"rung:{case.waiting_since.isoformat()}:{case.escalations + 1}"


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


async def keep_paging(watch: Watch, channel: str, woken: asyncio.Event, pause: float = 0.25) -> None:
    """Page over one alert channel for ever: at once when woken, and every *pause* seconds for what came due."""
    await _for_ever(lambda: watch.page(channel), pause, woken)


async def keep_escalating(watch: Watch, pause: float = 0.5) -> None:
    """Look at the clocks twice a second for ever; nothing else may make them wait."""

    async def look() -> bool:
        await watch.escalate()
        return False

    await _for_ever(look, pause)


async def keep_erasing(
    erase_due: Callable[[datetime], Awaitable[int]], now: Callable[[], datetime], pause: float = 0.5
) -> None:
    """Erase what is due for ever."""

    async def look() -> bool:
        await erase_due(now())
        return False

    await _for_ever(look, pause)


async def _for_ever(work: Callable[[], Awaitable[bool]], pause: float, woken: asyncio.Event | None = None) -> None:
    woken = woken or asyncio.Event()
    while True:
        try:
            busy = await work()
        except Exception as error:
            log.exception("the watch goes on after an error", extra={"error": type(error).__name__})
            busy = False
        if not busy:
            woken.clear()
            await within(pause, woken)
