"""How fast people are helped, as numbers in which nobody can be found."""

from __future__ import annotations

import math
import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

#: A group of fewer cases than this is not shown by itself.
SMALLEST = 5
MEASURES = ("acknowledge", "reply", "safe", "close")


@dataclass(frozen=True, slots=True)
class Life:
    """When what happened to one case; None: it did not happen (yet). district: as it is kept, or a place's code."""

    opened: datetime
    acknowledged: datetime | None = None
    replied: datetime | None = None
    closed: datetime | None = None
    locale: str = ""
    district: str = ""
    safe: datetime | None = None

    def seconds(self, measure: str) -> float | None:
        """Return the seconds from its opening to one of `MEASURES`."""
        times = {"acknowledge": self.acknowledged, "reply": self.replied, "safe": self.safe, "close": self.closed}
        at = times[measure]
        return (at - self.opened).total_seconds() if at else None

    @property
    def lost(self) -> bool:
        """Say whether it ended without anybody having taken it."""
        return bool(self.closed) and not self.acknowledged


@dataclass(frozen=True, slots=True)
class Spread:
    """Median and 95th percentile in seconds, and of how many."""

    n: int
    median: float
    p95: float


@dataclass(frozen=True, slots=True)
class Group:
    """One line: its name ("" stands for the rest), its cases, those nobody took, and a spread for each measure.

    waiting: not taken yet. A spread is None where fewer than `SMALLEST` cases have that measure.
    """

    name: str
    n: int
    lost: int
    waiting: int
    spreads: dict[str, Spread | None]


def group(name: str, lives: Sequence[Life]) -> Group:
    """Sum up the cases of one group."""
    waiting = sum(not life.acknowledged and not life.closed for life in lives)
    lost = sum(life.lost for life in lives)
    return Group(name, len(lives), lost, waiting, {measure: _spread(lives, measure) for measure in MEASURES})


def _spread(lives: Sequence[Life], measure: str) -> Spread | None:
    found = sorted(seconds for life in lives if (seconds := life.seconds(measure)) is not None)
    if len(found) < SMALLEST:
        return None
    return Spread(len(found), statistics.median(found), found[math.ceil(0.95 * len(found)) - 1])


def groups(lives: Sequence[Life], name_of: Callable[[Life], str]) -> tuple[Group, ...]:
    """Return a line for each name that has enough cases, the largest first, and last one for all the rest together.

    If the rest were too few, subtracting would show them: then the smallest of the others joins them.
    """
    found: dict[str, list[Life]] = {}
    for life in lives:
        found.setdefault(name_of(life), []).append(life)
    order = sorted(found, key=lambda name: (-len(found[name]), name))
    shown = [name for name in order if name and len(found[name]) >= SMALLEST]
    rest = [life for name in order if name not in shown for life in found[name]]
    while 0 < len(rest) < SMALLEST and shown:
        rest += found[shown.pop()]
    lines = tuple(group(name, found[name]) for name in shown)
    return (*lines, group("", rest)) if len(rest) >= SMALLEST else lines
