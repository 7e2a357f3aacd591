"""Cases that somebody has and does not attend to: their owner is paged, then the supervisors; then they go back."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable
from datetime import datetime

from bot.domain.attending import CLOCK, RINGS, Duty, Ring
from bot.domain.cases import Case, CaseAction, CaseState, IllegalTransition
from bot.domain.private import Private
from bot.domain.rota import SUPERVISORS_AT, Wanted
from bot.domain.why import Why
from bot.ports import Cases, NotOwner
from bot.service.oncall import OnCall
from bot.service.respond import Respond

log = logging.getLogger(__name__)
#: Why a case goes back, by what its owner owed.
BACK = {
    Duty.FIRST: Why.NO_ANSWER,
    Duty.SAID: Why.NOT_READ,
    Duty.DANGER: Why.DANGER_NOT_READ,
    Duty.GIVEN: Why.NOT_OPENED,
}


class Attendance:
    """The clock of owners. It lies in the database and counts on while we are down."""

    def __init__(
        self,
        cases: Cases,
        respond: Respond,
        oncall: OnCall,
        now: Callable[[], datetime],
        wake: Callable[[], None],
    ) -> None:
        """*wake* makes pages leave at once."""
        self._cases = cases
        self._respond = respond
        self._oncall = oncall
        self._now = now
        self._wake = wake

    async def look(self) -> int:
        """Start the clocks of what is owed since, and do what those that ring say; return how many rang."""
        rung = await self._cases.unattended()
        for case in rung:
            # Whoever was quicker, the owner or another process, has made it needless.
            with contextlib.suppress(IllegalTransition, LookupError, NotOwner):
                await self._ring(case)
        return len(rung)

    async def _ring(self, case: Case) -> None:
        duty = Duty(case.duty)
        rings = RINGS[duty]
        ring = rings[min(case.duty_step, len(rings) - 1)]
        key = f"duty:{case.duty_at.isoformat() if case.duty_at else ''}"
        if ring is Ring.BACK and case.state is not CaseState.REFERRED:
            await self._respond.put_back(case, CLOCK, BACK[duty].mark, key, case.duty_at)
        elif ring is Ring.OWNER:
            await self._remind(case, Why.REMIND_OWNER, (case.owner or "",), key)
        else:
            await self._remind(case, Why.REMIND_SUPERVISORS, self._supervisors(case), key)
        self._wake()

    def _supervisors(self, case: Case) -> tuple[str, ...]:
        wanted = Wanted(case.locale, case.district, case.risk_kind, case.minor)
        return self._oncall.addressed(wanted, SUPERVISORS_AT)

    async def _remind(self, case: Case, why: Why, to: tuple[str, ...], key: str) -> None:
        await self._cases.act(
            case.id, CaseAction.REMIND, CLOCK, self._now(), detail=Private(why.mark), expect_owner=case.owner,
            to=to, key=key, due=case.duty_at,
        )  # fmt: skip


async def keep_attending(attendance: Attendance, pause: float = 0.5) -> None:
    """Look twice a second for ever."""
    while True:
        try:
            await attendance.look()
        except Exception as error:
            log.exception("the owners' clocks go on after an error", extra={"error": type(error).__name__})
        await asyncio.sleep(pause)
