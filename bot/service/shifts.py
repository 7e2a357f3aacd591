"""When a shift begins, its people are paged for what still waits; a page for each case, and no storm."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

from bot.domain.attending import CLOCK
from bot.domain.cases import Case, CaseAction, IllegalTransition
from bot.domain.private import Private
from bot.domain.rota import begun
from bot.domain.why import Why
from bot.ports import SHIFT_WAITING, Alert, Alerts, Cases, Rotas
from bot.service.oncall import OnCall

log = logging.getLogger(__name__)
#: A shift that began longer ago, when nothing of ours ran or there was no rota, is not told of any more.
LATE = timedelta(hours=1)
#: Cases that get a page of their own; of the others one page names the number.
MOST_PAGES = 5
LOOK_EVERY = 5.0


class Shifts:
    """Every process may look: each case is paged once for each start of a shift."""

    def __init__(
        self,
        cases: Cases,
        alerts: Alerts,
        rotas: Rotas,
        oncall: OnCall,
        pagers: Sequence[str],
        now: Callable[[], datetime],
        wake: Callable[[], None],
    ) -> None:
        """*pagers*: names of the alert channels; *wake* makes pages leave at once."""
        self._cases = cases
        self._alerts = alerts
        self._rotas = rotas
        self._oncall = oncall
        self._pagers = tuple(pagers)
        self._now = now
        self._wake = wake
        self._told: datetime | None = None

    async def look(self) -> int:
        """Page for what has waited since before the newest shift began; return for how many cases."""
        found = begun(self._oncall.rota, self._now())
        if not found or found[0] == self._told or self._now() - found[0] > LATE:
            return 0
        start, people = found
        last = await self._rotas.paged_at()
        told = await self._tell(start, people) if last is None or last < start else 0
        await self._rotas.paged(start)
        self._told = start
        return told

    async def _tell(self, start: datetime, people: Sequence[str]) -> int:
        to = [name for name in people if name in self._oncall.staff.active]
        waiting = [case for case in await self._cases.queue() if not case.owner and case.waiting_since < start]
        loud = [case for case in waiting if _is_paged(case)][:MOST_PAGES]
        for case in loud if to else ():
            await self._page(case, start, to)
        if to and (rest := len(waiting) - len(loud)):
            await self._alerts.add([self._count(start, rest, to, pager) for pager in self._pagers], self._now())
        self._wake()
        return len(waiting)

    async def _page(self, case: Case, start: datetime, to: Sequence[str]) -> None:
        with contextlib.suppress(IllegalTransition, LookupError):  # somebody took it just now
            await self._cases.act(
                case.id, CaseAction.PAGE, CLOCK, self._now(), detail=Private(Why.SHIFT.mark), to=to,
                key=f"shift:{start.isoformat()}",
            )  # fmt: skip

    def _count(self, start: datetime, count: int, to: Sequence[str], pager: str) -> Alert:
        name = f"{SHIFT_WAITING}:{start.isoformat()}:{pager}"
        return Alert(name, "", pager, SHIFT_WAITING, "", "en", values={"count": str(count)}, to=tuple(to))


def _is_paged(case: Case) -> bool:
    """Say whether anybody was ever woken for it: not for the fourth report of one person in a day."""
    return case.escalate_at is not None or case.escalations > 0


async def keep_shifts(shifts: Shifts, pause: float = LOOK_EVERY) -> None:
    """Look for ever."""
    while True:
        try:
            await shifts.look()
        except Exception as error:
            log.exception("the shifts are looked at again", extra={"error": type(error).__name__})
        await asyncio.sleep(pause)
