"""Numbers that may be shown: nobody is to be found in them, not by taking one from another either."""

from __future__ import annotations

from collections import defaultdict
from datetime import date, timedelta

from hypothesis import given
from hypothesis import strategies as st

from bot.domain.crowds import LEAST, shown
from bot.domain.places import Count

TODAY = date(2026, 11, 24)
COUNTS = st.lists(
    st.builds(
        Count,
        st.sampled_from(["HWH", "GAYA", ""]),
        st.integers(0, 9).map(lambda days: TODAY - timedelta(days=days)),
        st.sampled_from(["scan", "start"]),
        st.sampled_from(["page", "whatsapp"]),
        st.integers(1, 40),
    ),
    max_size=40,
    unique_by=lambda one: (one.place, one.day, one.what, one.channel),
)


@given(COUNTS)
def test_no_small_number_is_shown_or_can_be_worked_out(counts: list[Count]) -> None:
    """What is left of a sum after taking away what is shown is nothing, or enough and of several days."""
    groups = defaultdict(list)
    for one in counts:
        if one.day < TODAY:
            groups[one.place, one.what, one.channel].append(one.number)
    rows = shown(counts, TODAY)
    assert all(row.number is None or row.day is None or row.number >= LEAST for row in rows)
    for row in rows:
        if row.day is None:
            numbers = groups[row.place, row.what, row.channel]
            visible = sum(number for number in numbers if number >= LEAST)
            assert row.at_least == visible
            if row.number is not None:
                hidden = row.number - visible
                assert row.number == sum(numbers)
                assert hidden == 0 or (hidden >= LEAST and sum(number < LEAST for number in numbers) > 1)


def test_a_day_that_is_not_over_is_left_out() -> None:
    """Else two looks on one day would show who came between them."""
    assert shown([Count("HWH", TODAY, "scan", "page", 500)], TODAY) == ()
