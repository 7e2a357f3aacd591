"""Merging two cases that are one, and undoing it: a supervisor's decision, with its reason."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from bot.domain.cases import Case, MergedFor
from bot.domain.private import Private
from bot.ports import Merges
from bot.service.respond import Respond


class Merging:
    """Each verb is one atomic action with its line in both histories."""

    def __init__(
        self, merges: Merges, respond: Respond, now: Callable[[], datetime], wake_delivery: Callable[[], None]
    ) -> None:
        """*respond* has the words that are said when somebody takes a case."""
        self._merges = merges
        self._respond = respond
        self._now = now
        self._wake_delivery = wake_delivery

    async def merge(self, case: Case, into: Case, who: str, why: MergedFor, reason: str, key: str) -> Case:
        """Close *case* as merged into *into*; whoever had nobody until now, and gets somebody by this, is told so."""
        gained = [
            one for one, other in ((case, into), (into, case)) if other.owner and not one.owner and not one.silent
        ]
        if (case.labels, case.district) != (into.labels, into.district):
            gained = []  # whoever has the one may be a partner who may not have both
        said = {one.conversation_id: self._respond.words(one, "case.claimed") for one in gained}
        done = await self._merges.merge(
            case.id, into.id, who, self._now(), why=why, reason=Private(reason), others=said, key=key
        )
        self._wake_delivery()
        return done

    async def split(self, case: Case, who: str, reason: str, key: str) -> Case:
        """Put a merged case back into the queue by itself."""
        return await self._merges.split(case.id, who, self._now(), reason=Private(reason), key=key)
