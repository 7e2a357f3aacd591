"""How many people's cases one person opens: what work needs is never held up, going through them all is."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

from bot.domain.cases import Case
from bot.ports import Alert, Alerts, Audit, Stamp

WITHIN = timedelta(hours=1)
READ = "case read"
TOO_MANY = "too_many_reads"


class Reads:
    """Writes each read down and counts; beyond the limit a case of somebody else needs a second person."""

    def __init__(
        self, audit: Audit, alerts: Alerts, pagers: Sequence[str], most: int, now: Callable[[], datetime]
    ) -> None:
        """*most*: different cases in an hour; *pagers*: alert channels that hear of whoever reaches it."""
        self._audit = audit
        self._alerts = alerts
        self._pagers = tuple(pagers)
        self._most = most
        self._now = now

    async def let(self, case: Case, who: str, *, page: bool = True) -> bool:
        """Say whether *who* may read a case now, and write it down; *page* False: what keeps an open page current.

        One's own cases, those that nobody has, and those read within the hour are always open.
        """
        now = self._now()
        recent = await self._audit.abouts(who, READ, now - WITHIN)
        if case.id not in recent and case.owner not in {None, who} and len(recent) >= self._most:
            await self._audit.record(Stamp(who, "case refused: too many", case.id), now)
            await self._page(case, who, now)
            return False
        if page or case.id not in recent:
            await self._audit.record(Stamp(who, READ, case.id), now)
        return True

    async def _page(self, case: Case, who: str, now: datetime) -> None:
        """Once an hour for each person."""
        name = f"{TOO_MANY}:{who}:{now:%Y%m%d%H}"
        pages = [Alert(f"{name}:{pager}", case.id, pager, TOO_MANY, TOO_MANY, "en") for pager in self._pagers]
        await self._alerts.add(pages, now)
