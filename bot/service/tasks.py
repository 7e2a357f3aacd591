"""Tasks of a case: added by hand, finished with an outcome; those of a duty come by themselves with the case."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

from bot.domain.cases import Case
from bot.domain.private import Private
from bot.domain.tasks import Task, TaskRule
from bot.ports import TaskStore

LONGEST_TASK = 500
LONGEST_OUTCOME = 2000


class Tasks:
    """Each verb is one atomic action with its line of history."""

    def __init__(self, store: TaskStore, now: Callable[[], datetime]) -> None:  # noqa: D107
        self._store = store
        self._now = now

    async def add(self, case: Case, who: str, text: str, hours: int, key: str) -> None:
        """Add a task due in *hours* (0: whenever); the same *key* again adds nothing."""
        now = self._now()
        due = now + timedelta(hours=hours) if hours else None
        words = Private(text.strip()[:LONGEST_TASK])
        task = Task(f"{case.id}:{key}", case.id, TaskRule.BY_HAND, who, now, due, text=words)
        await self._store.add(task, now)

    async def finish(self, case: Case, who: str, task_id: str, outcome: str, *, for_others: bool) -> None:
        """Finish a task of this case. Raise `NotFinished`, `NotOwner`, `LookupError`."""
        if task_id not in {task.id for task in await self._store.of(case.id)}:
            raise LookupError(task_id)
        await self._store.finish(task_id, who, outcome[:LONGEST_OUTCOME], self._now(), for_others=for_others)
