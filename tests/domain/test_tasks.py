"""Tasks: a duty is there once, its time passes, and nothing ends without an outcome."""

from __future__ import annotations

from datetime import timedelta

import pytest

from bot.domain.private import Private
from bot.domain.tasks import NotFinished, Task, TaskRule, by_rule, finished, owed
from tests.conftest import NOW


def test_a_child_owes_one_duty_and_others_none() -> None:
    assert owed(minor=True, there=()) == (TaskRule.CHILD_WELFARE,)
    assert owed(minor=True, there=[TaskRule.BY_HAND]) == (TaskRule.CHILD_WELFARE,)
    assert owed(minor=True, there=[TaskRule.CHILD_WELFARE]) == owed(minor=False, there=()) == ()


def test_a_duty_has_the_same_name_whenever_it_is_made() -> None:
    one, two = by_rule("c", TaskRule.CHILD_WELFARE, NOW), by_rule("c", TaskRule.CHILD_WELFARE, NOW + timedelta(hours=1))
    assert one.id == two.id and one.mandatory and one.due == NOW + timedelta(hours=24)


def test_overdue_from_the_minute_on_and_only_while_open() -> None:
    task = Task("c:1", "c", TaskRule.BY_HAND, "asha", NOW, NOW + timedelta(hours=1), text=Private("phone"))
    assert not task.overdue(NOW + timedelta(minutes=59)) and task.overdue(NOW + timedelta(hours=1))
    done = finished(task, "asha", " reached her ", NOW)
    assert not done.open and not done.overdue(NOW + timedelta(days=1)) and done.outcome.reveal() == "reached her"
    assert not Task("c:2", "c", TaskRule.BY_HAND, "asha", NOW).overdue(NOW + timedelta(days=99))
    for wrong, outcome in ((task, " \n"), (done, "again")):
        with pytest.raises(NotFinished):
            finished(wrong, "bina", outcome, NOW)
