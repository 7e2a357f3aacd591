"""The clock of a case that nobody has taken: when it goes one rung higher, and when its last page is repeated."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from pymongo.asynchronous.collection import AsyncCollection

from bot.domain.cases import FOLLOWED, CaseKind
from bot.store.clock import SteadyClock
from bot.store.documents import aware

Doc = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Ladder:
    """Seconds after which an unclaimed case goes one rung higher: next on call, supervisor, phone helplines.

    *clock*: a time that does not jump (see `bot.store.clock`), that sets a case's `ladder_from` and `escalate_at`.
    *repeat*: seconds after which, from the last rung on, danger and missing persons are paged again, and again.
    """

    rungs: tuple[float, ...]
    clock: SteadyClock
    repeat: float = 600.0

    def foot(self) -> Doc:
        """Return the fields of a case that begins to wait now."""
        now = self.clock()
        return {"ladder_from": now, "escalations": 0, "escalate_at": self._at(now, 0)}

    def above(self, case: Doc) -> Doc:
        """Return the fields of a case that goes one rung higher."""
        rung = case.get("escalations", 0) + 1
        began = aware(case.get("ladder_from") or case["waiting_since"])
        return {"escalations": rung, "escalate_at": self._at(began, rung), **self.again({**case, "escalations": rung})}

    def again(self, case: Doc) -> Doc:
        """Return the fields of a case that is paged once more: below the last rung its time stays as it is."""
        if case.get("escalations", 0) < len(self.rungs) or CaseKind(case["kind"]) not in FOLLOWED:
            return {}
        return {"escalate_at": self.clock() + timedelta(seconds=self.repeat)}

    async def resume(self, cases: AsyncCollection[Doc]) -> int:
        """Give a time to cases that came to the top before the last page was repeated; return how many there were.

        It is a moment from now, not at once: the responders are not called to all of them in the same second.
        """
        await self.clock.follow()
        left = {
            "open": True, "owner": None, "escalate_at": None, "escalations": {"$gte": len(self.rungs)},
            "kind": {"$in": sorted(FOLLOWED)}, "canary": {"$ne": True},
        }  # fmt: skip
        again = {"$set": {"escalate_at": self.clock() + timedelta(seconds=self.repeat)}}
        return (await cases.update_many(left, again)).modified_count

    def _at(self, began: datetime, rung: int) -> datetime | None:
        """Return when the next rung comes, or None above the last."""
        return began + timedelta(seconds=self.rungs[rung]) if rung < len(self.rungs) else None
