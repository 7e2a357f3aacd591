"""How urgent a case is, and what makes it so: risk, age, time, place, repetition. Points; fewer are looked at first."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from bot.domain.cases import FOLLOWED, PRIORITY, Case, CaseKind


class Where(StrEnum):
    """What is pressing about where somebody is, the most pressing first. A place that is not known is none of these.

    A crossing or station is one where they are, or whose poster they have just scanned; near a border is within some
    kilometres of a crossing that we know.
    """

    ON_THE_MOVE = "on_the_move"
    CROSSING = "crossing"
    NEAR_BORDER = "near_border"
    ABROAD = "abroad"
    TRANSIT_POINT = "transit_point"


class Part(StrEnum):
    """What an urgency is made of."""

    RISK = "risk"
    AGE = "age"
    TIME = "time"
    PLACE = "place"
    AGAIN = "again"


class Level(StrEnum):
    """An urgency in one word."""

    VERY_URGENT = "very_urgent"
    URGENT = "urgent"
    CAN_WAIT = "can_wait"


@dataclass(frozen=True, slots=True)
class Reason:
    """One part, its points, and what it says: an id, minutes, or how often."""

    part: Part
    points: int
    value: str


@dataclass(frozen=True, slots=True)
class Urgency:
    """The reasons that count, in the order of `Part`."""

    reasons: tuple[Reason, ...]

    @property
    def points(self) -> int:
        """Smaller is looked at first."""
        return sum(reason.points for reason in self.reasons)

    @property
    def level(self) -> Level:
        """In one word."""
        if self.points <= VERY_URGENT_TO:
            return Level.VERY_URGENT
        return Level.URGENT if self.points <= URGENT_TO else Level.CAN_WAIT


#: Where each kind stands before anything else is known; smaller is looked at first.
_BAND: Final = {
    CaseKind.DISTRESS: 100,
    CaseKind.MISSING: 120,
    CaseKind.TROUBLE: 400,
    CaseKind.REPORT: 450,
    CaseKind.PERSON_ASKED: 475,
}
_GRAVE: Final = frozenset({
    "distress_confined", "distress_violence", "distress_sexual", "distress_child", "distress_self_harm",
})  # fmt: skip
#: Less than a grave danger (10): where somebody is tells apart those whose danger is alike, and lifts no lesser one.
_PLACE: Final = {
    Where.ON_THE_MOVE: 8,
    Where.CROSSING: 8,
    Where.NEAR_BORDER: 6,
    Where.ABROAD: 5,
    Where.TRANSIT_POINT: 4,
}
#: Kinds of danger that say themselves where the person is.
_SAYS_WHERE: Final = {"distress_in_transit": Where.ON_THE_MOVE, "distress_abroad": Where.ABROAD}
_BY_PRIORITY: Final = {priority: kind for kind, priority in PRIORITY.items()}
VERY_URGENT_TO: Final = 90
URGENT_TO: Final = 420


def urgency(
    kind: CaseKind, risk_kind: str, waiting: timedelta, *, minor: bool, raised: int, where: Where | None = None
) -> Urgency:
    """Return how urgent a case is.

    A child, a grave danger, danger that was repeated (at most four times), time (a point for five minutes, at most two
    and a half hours) and, where somebody may be in danger, a place from which they may soon be gone move a case up; but
    none of them lifts a question or a report above somebody in danger. What is not known counts for nothing.
    """
    waited = min(max(int(waiting.total_seconds() // 300), 0), 30)
    grave = risk_kind in _GRAVE
    told = min(raised, 4)
    found = [Reason(Part.RISK, _BAND[kind] - (10 if grave else 0), "grave" if grave else kind.value)]
    found += [Reason(Part.AGE, -40, "child")] if minor else []
    found += [Reason(Part.TIME, -waited, str(waited * 5))] if waited else []
    found += [Reason(Part.PLACE, -_PLACE[where], where.value)] if where and kind in FOLLOWED else []
    found += [Reason(Part.AGAIN, -5 * told, str(raised))] if told else []
    return Urgency(tuple(found))


def urgency_of(case: Case, now: datetime) -> Urgency:
    """Return how urgent a case is now."""
    kind = _BY_PRIORITY.get(case.priority, case.kind)  # a graver one may have been merged into it
    waiting = now - case.waiting_since
    where = pressing(case.whereabouts, *(_SAYS_WHERE.get(danger, "") for danger in case.dangers))
    return urgency(kind, case.risk_kind, waiting, minor=case.minor, raised=case.raised, where=where)


def pressing(*found: str) -> Where | None:
    """Return the most pressing of what is known of where somebody is; None for nothing, or what is not known here."""
    return next((where for where in Where if where.value in found), None)
