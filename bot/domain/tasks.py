"""What is still to be done for a case, by hand or by a duty: with a due time and, at the end, an outcome."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from bot.domain.private import NOTHING_SAID, Private


class TaskRule(StrEnum):
    """Why a task is there."""

    BY_HAND = "by_hand"
    CHILD_WELFARE = "child_welfare"
    CHILD_IMAGE = "child_image"


#: Duties: rule → within what time. A child found in need of care is brought to the notice of child welfare in 24 hours;
#: a picture that may show the abuse of a child is reported to the police within the same time.
WITHIN: dict[TaskRule, timedelta] = {
    TaskRule.CHILD_WELFARE: timedelta(hours=24),
    TaskRule.CHILD_IMAGE: timedelta(hours=24),
}


class OpenTasks(Exception):
    """A case cannot end while a mandatory task is open."""


class NotFinished(ValueError):
    """A task that cannot be finished like this: it is done already, or no outcome was written."""


@dataclass(frozen=True, slots=True)
class Task:
    """One thing to do. mandatory: the case cannot end before it is done. text is empty where a rule says it all."""

    id: str
    case_id: str
    rule: TaskRule
    made_by: str
    made_at: datetime
    due: datetime | None = None
    mandatory: bool = False
    text: Private = NOTHING_SAID
    done_by: str = ""
    done_at: datetime | None = None
    outcome: Private = NOTHING_SAID

    @property
    def open(self) -> bool:
        """True until it has an outcome."""
        return self.done_at is None

    def overdue(self, now: datetime) -> bool:
        """Say whether its time has passed."""
        return self.open and self.due is not None and self.due <= now


def owed(*, minor: bool, there: Iterable[TaskRule]) -> tuple[TaskRule, ...]:
    """Return the duties of a case for which there is no task yet."""
    duties = (TaskRule.CHILD_WELFARE,) if minor else ()
    known = set(there)
    return tuple(rule for rule in duties if rule not in known)


def by_rule(case_id: str, rule: TaskRule, now: datetime, about: str = "") -> Task:
    """Return the task of a duty; its id is the same whenever it is made, so that there is only one.

    about: tells duties of the same rule apart, where each thing has its own.
    """
    name = f"{case_id}:{rule.value}" + (f":{about}" if about else "")
    return Task(name, case_id, rule, "bot", now, now + WITHIN[rule], mandatory=True)


def finished(task: Task, who: str, outcome: str, now: datetime) -> Task:
    """Return the task with its outcome. Raise `NotFinished`."""
    if not task.open:
        raise NotFinished(f"{task.id} is done already")
    if not outcome.strip():
        raise NotFinished(f"{task.id} needs an outcome")
    return replace(task, done_by=who, done_at=now, outcome=Private(outcome.strip()))
