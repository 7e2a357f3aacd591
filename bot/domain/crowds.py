"""Numbers that may be shown: small ones are withheld, and no sum gives them away."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date
from typing import Final

from bot.domain.places import Count

#: A smaller number could point at somebody.
LEAST: Final = 11


@dataclass(frozen=True, slots=True)
class Row:
    """One number, None where it is withheld; `day` is None for the sum of all days, `at_least` what that sum shows."""

    place: str
    what: str
    channel: str
    day: date | None
    number: int | None
    at_least: int = 0


def shown(counts: Iterable[Count], before: date) -> tuple[Row, ...]:
    """Return what may be shown of the days before *before*: each day that has enough, and the sums.

    A sum is exact only where what it hides is itself enough, and more than one number: else taking away what is shown
    would tell what is not.
    """
    groups: dict[tuple[str, str, str], list[Count]] = defaultdict(list)
    for one in counts:
        if one.day < before:
            groups[one.place, one.what, one.channel].append(one)
    return tuple(row for name, group in sorted(groups.items()) for row in _rows(*name, group))


def _rows(place: str, what: str, channel: str, group: list[Count]) -> list[Row]:
    days = [
        Row(place, what, channel, one.day, one.number if one.number >= LEAST else None)
        for one in sorted(group, key=lambda one: one.day)
    ]
    hidden = [one.number for one in group if one.number < LEAST]
    open_sum = sum(one.number for one in group) - sum(hidden)
    whole = Row(place, what, channel, None, None, open_sum)
    if not hidden or (len(hidden) > 1 and sum(hidden) >= LEAST):
        whole = replace(whole, number=open_sum + sum(hidden))
    return [*days, whole]
