"""The clock of a case that nobody has taken: when it goes one rung higher."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from bot.store.clock import SteadyClock
from bot.store.documents import aware

Doc = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Ladder:
    """Seconds after which an unclaimed case goes one rung higher: next on call, supervisor, phone helplines.

    *clock*: a time that does not jump (see `bot.store.clock`), that sets a case's `ladder_from` and `escalate_at`.
    """

    rungs: tuple[float, ...]
    clock: SteadyClock

    def foot(self) -> Doc:
        """Return the fields of a case that begins to wait now."""
        now = self.clock()
        return {"ladder_from": now, "escalations": 0, "escalate_at": self._at(now, 0)}

    def above(self, case: Doc) -> Doc:
        """Return the fields of a case that goes one rung higher."""
        rung = case.get("escalations", 0) + 1
        began = aware(case.get("ladder_from") or case["waiting_since"])
        return {"escalations": rung, "escalate_at": self._at(began, rung)}

    def _at(self, began: datetime, rung: int) -> datetime | None:
        """Return when the next rung comes, or None above the last."""
        return began + timedelta(seconds=self.rungs[rung]) if rung < len(self.rungs) else None
