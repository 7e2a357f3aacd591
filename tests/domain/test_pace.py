"""No second holds more than a platform allows, wherever it begins, and some of each burst is kept for danger."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from bot.domain.messages import Lane
from bot.domain.pace import Limit, per_second


def leaving(limit: Limit, wishes: list[int], lane: Lane) -> list[int]:
    """Return when messages leave that ask at these milliseconds and try again as soon as they are told."""
    flow = 0
    left: list[int] = []
    for wish in wishes:
        now = max(wish, left[-1] if left else 0)
        now = max(now, max(flow, now) - limit.ahead_ms(lane) if max(flow, now) - now > limit.ahead_ms(lane) else now)
        flow = max(flow, now) + limit.every_ms
        left.append(now)
    return left


@given(st.integers(2, 500), st.lists(st.integers(0, 5000), min_size=1, max_size=400), st.sampled_from(Lane))
def test_no_second_holds_more_than_is_allowed(most: int, wishes: list[int], lane: Lane) -> None:
    left = leaving(per_second(most), sorted(wishes), lane)
    for at in left:
        assert sum(at <= other < at + 1000 for other in left) <= most


def test_only_danger_takes_the_last_of_a_burst() -> None:
    limit = Limit(1000, 4, 2)
    assert leaving(limit, [0] * 4, Lane.REPLY) == [0, 0, 1000, 2000]
    assert leaving(limit, [0] * 6, Lane.DISTRESS) == [0, 0, 0, 0, 1000, 2000]
