"""What a new list would change, and when it is not believed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date

import pytest

from bot.domain.agencies import Agency, Standing
from bot.recruiters.lists import Change, Comparison, Tally, differences, digest, refusal, unreadable

ROWS = [Agency(str(at), f"Name {at}", f"B-{at}", Standing.ACTIVE) for at in range(10)]


def compared(old: Sequence[Agency], new: Sequence[Agency]) -> Comparison:
    """Compare two versions."""
    comparison = Comparison()
    for agency in old:
        comparison.old(agency)
    assert list(comparison.passing(new)) == list(new)
    return comparison


def test_a_comparison_counts_what_came_went_and_changed() -> None:
    """By id: one of each, one of them with another standing, and nothing else."""
    new = [*ROWS[1:8], replace(ROWS[8], place="x"), replace(ROWS[9], standing=Standing.SUSPENDED)]
    comparison = compared(ROWS, [*new, replace(ROWS[0], id="new")])
    assert comparison.tally == Tally(before=10, added=1, removed=1, changed=2, turned=1)
    assert comparison.removed == ("0",)


def test_each_row_is_told_as_it_passes() -> None:
    """Added, changed, or the same."""
    comparison = compared(ROWS, [])
    assert comparison.new(ROWS[0]) is None
    assert comparison.new(replace(ROWS[1], name="Other")) is Change.CHANGED
    assert comparison.new(replace(ROWS[2], id="x")) is Change.ADDED


@pytest.mark.parametrize(
    "other",
    [
        {"name": "x"},
        {"licence": "x"},
        {"standing": Standing.BLACKLISTED},
        {"valid_until": date(2027, 1, 1)},
        {"place": "x"},
        {"address": "x"},
        {"phones": ("00000 10001",)},
        {"phones": ("00000 10001", "00000 10002")},
        {"emails": ("a@b.example",)},
        {"webs": ("b.example",)},
        {"upis": ("a@example",)},
        {"kind": "security"},
    ],
)
def test_a_digest_holds_all_that_a_row_says(other: dict[str, object]) -> None:
    """One field changed is another digest, and the change is told in words; the line it stood on is no change."""
    changed = replace(ROWS[0], **other)  # type: ignore[arg-type]
    assert digest(changed) != digest(ROWS[0])
    assert list(differences(ROWS[0], changed)) == list(other)
    assert digest(replace(ROWS[0], line=7)) == digest(ROWS[0])


def test_values_do_not_run_together() -> None:
    """Two phones are not one phone, and a place is not an address."""
    assert digest(replace(ROWS[0], phones=("12", "3"))) != digest(replace(ROWS[0], phones=("1", "23")))
    assert digest(replace(ROWS[0], place="x")) != digest(replace(ROWS[0], address="x"))


@pytest.mark.parametrize(("lost", "refused"), [(0, False), (2, False), (3, True), (10, True)])
def test_a_list_that_loses_more_than_a_fifth_is_refused(lost: int, refused: bool) -> None:
    """Exactly a fifth is still believed."""
    assert bool(refusal(compared(ROWS, ROWS[lost:]).tally)) is refused


@pytest.mark.parametrize(("turned", "refused"), [(3, False), (4, True)])
def test_a_list_that_changes_the_standing_of_many_is_refused(turned: int, refused: bool) -> None:
    """Three in ten is still believed; other changes do not count."""
    new = [replace(row, standing=Standing.CANCELLED) for row in ROWS[:turned]] + [
        replace(row, place="x") for row in ROWS[turned:]
    ]
    assert bool(refusal(compared(ROWS, new).tally)) is refused


def test_a_first_list_is_never_refused() -> None:
    """There is nothing to compare it with."""
    assert refusal(compared([], ROWS).tally) is None


@pytest.mark.parametrize(("left_out", "refused"), [(0, False), (2, False), (3, True)])
def test_a_file_of_which_more_than_a_fifth_is_unreadable_is_refused(left_out: int, refused: bool) -> None:
    """Two of ten is still believed."""
    assert bool(unreadable(10 - left_out, left_out)) is refused
