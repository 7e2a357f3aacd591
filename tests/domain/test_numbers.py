"""Numbers that are right, and that show nobody."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from bot.domain.numbers import Life, group, groups

BEGAN = datetime(2026, 11, 24, tzinfo=UTC)


def lives(count: int, locale: str = "hi", first: int = 1) -> list[Life]:
    """Cases that were taken after 1, 2, 3, … seconds."""
    return [Life(BEGAN, BEGAN + timedelta(seconds=n), locale=locale) for n in range(first, first + count)]


def test_median_and_percentile_are_of_those_that_got_there() -> None:
    waiting, lost = Life(BEGAN), Life(BEGAN, closed=BEGAN + timedelta(hours=1))
    found = group("", [*lives(20), waiting, lost])
    assert (found.n, found.waiting, found.lost) == (22, 1, 1)
    spread = found.spreads["acknowledge"]
    assert spread
    assert (spread.n, spread.median, spread.p95) == (20, 10.5, 19.0)
    assert found.spreads["reply"] is None


def test_small_groups_are_shown_only_together() -> None:
    """Two of three each are shown as six others; four alone would be found by subtracting, so another joins them."""
    several = [*lives(9, "hi"), *lives(3, "ta"), *lives(3, "ur")]
    assert [(found.name, found.n) for found in groups(several, lambda life: life.locale)] == [("hi", 9), ("", 6)]
    few = [*lives(9, "hi"), *lives(5, "bn"), *lives(4, "ta")]
    assert [(found.name, found.n) for found in groups(few, lambda life: life.locale)] == [("hi", 9), ("", 9)]
    assert groups(lives(4), lambda life: life.locale) == ()
