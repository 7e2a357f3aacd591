"""How long things are kept: the clock, and a law's word over it, which a supervisor gives and takes back."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from bot.domain.cases import Case, CaseAction
from bot.domain.private import Private
from bot.domain.retention import Nearness, nearness
from bot.ports import Audit, Cases, Retention, Stamp

log = logging.getLogger(__name__)
#: Seconds between two looks at the clock.
LOOK_EVERY = 300.0
LONGEST_REASON = 500


@dataclass(frozen=True, slots=True)
class Term:
    """Where a case stands: how near its end is; when its person asked in vain for it to be erased."""

    case: Case
    nearness: Nearness
    asked_at: datetime | None = None


class Keeping:
    """The clock of what is kept, and what supervisors see of it and do about it."""

    def __init__(self, store: Retention, cases: Cases, audit: Audit, now: Callable[[], datetime]) -> None:
        """*audit* hears of every case that goes."""
        self._store = store
        self._cases = cases
        self._audit = audit
        self._now = now

    async def work(self) -> bool:
        """Announce what ends soon, erase what has ended, remove old words; True while there may be more at once."""
        now = self._now()
        await self._store.announce(now)
        gone = await self._store.erase_cases(now)
        for name in gone:
            await self._audit.record(Stamp("clock", "case erased, its time was over", name), now)
        return bool(gone) or await self._store.trim(now) > 0

    async def ending(self) -> Sequence[Term]:
        """Return the cases that go soon, the next first."""
        return [self._term(case) for case in await self._store.ending()]

    async def kept(self) -> Sequence[Term]:
        """Return the cases that a law keeps."""
        return [await self.of(case) for case in await self._store.kept()]

    async def of(self, case: Case) -> Term:
        """Return where one case stands."""
        term = self._term(case)
        asked = await self._store.asked_at(case.conversation_id) if case.kept_at and case.conversation_id else None
        return Term(case, term.nearness, asked)

    def _term(self, case: Case) -> Term:
        return Term(case, nearness(None if case.kept_at else case.ends_at, self._now()))

    async def hold(self, case: Case, who: str, reason: str, key: str = "") -> Case:
        """Keep a case beyond its time and its person's wish, because a law asks for it.

        Raise `IllegalTransition` where it is kept already, or there is nothing left to keep.
        """
        return await self._act(case, CaseAction.HOLD, who, reason, key)

    async def lift(self, case: Case, who: str, reason: str, key: str = "") -> Case:
        """Let it go: what its person asked to have erased is erased now.

        Raise `IllegalTransition` where nothing kept it.
        """
        return await self._act(case, CaseAction.LIFT, who, reason, key)

    async def _act(self, case: Case, action: CaseAction, who: str, reason: str, key: str) -> Case:
        words = Private(reason.strip()[:LONGEST_REASON])
        return await self._cases.act(case.id, action, who, self._now(), detail=words, key=key)


async def keep_time(keeping: Keeping, pause: float = LOOK_EVERY) -> None:
    """Look at the clock for ever."""
    while True:
        try:
            busy = await keeping.work()
        except Exception as error:
            log.exception("the clock of what is kept goes on after an error", extra={"error": type(error).__name__})
            busy = False
        await asyncio.sleep(1.0 if busy else pause)
