"""What a new list would change, and when it is not believed."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bot.domain.agencies import Agency, Standing
from bot.recruiters.lists import diff, refusal

ROWS = [Agency(str(at), f"Name {at}", f"B-{at}", Standing.ACTIVE) for at in range(10)]


def test_a_diff_names_what_came_went_and_changed() -> None:
    """By id: one of each, and nothing else."""
    new = [*ROWS[1:9], replace(ROWS[9], standing=Standing.SUSPENDED), replace(ROWS[0], id="new")]
    change = diff(ROWS, new)
    assert [row.id for row in change.added] == ["new"]
    assert [row.id for row in change.removed] == ["0"]
    assert change.changed == ((ROWS[9], new[8]),)


@pytest.mark.parametrize(("lost", "refused"), [(0, False), (2, False), (3, True), (10, True)])
def test_a_list_that_loses_more_than_a_fifth_is_refused(lost: int, refused: bool) -> None:
    """Exactly a fifth is still believed."""
    assert bool(refusal(10, diff(ROWS, ROWS[lost:]))) is refused


@pytest.mark.parametrize(("turned", "refused"), [(3, False), (4, True)])
def test_a_list_that_changes_the_standing_of_many_is_refused(turned: int, refused: bool) -> None:
    """Three in ten is still believed; other changes do not count."""
    new = [replace(row, standing=Standing.CANCELLED) for row in ROWS[:turned]] + [
        replace(row, place="x") for row in ROWS[turned:]
    ]
    assert bool(refusal(10, diff(ROWS, new))) is refused


def test_a_first_list_is_never_refused() -> None:
    """There is nothing to compare it with."""
    assert refusal(0, diff([], ROWS)) is None
