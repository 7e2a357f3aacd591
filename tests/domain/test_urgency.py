"""How urgent a case is, in points, in one word, and why: where somebody is counts, and never above their danger."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from bot.domain.cases import FOLLOWED, Case, CaseKind, CaseState
from bot.domain.risk import GRAVITY
from bot.domain.urgency import Level, Part, Where, pressing, urgency, urgency_of

NOW = datetime(2026, 11, 25, 6, 30, tzinfo=UTC)
CASE = Case(
    "c", "p", CaseKind.DISTRESS, CaseState.PAGED, "distress_help", "", "en", "terminal", NOW, NOW, 0,
    dangers=("distress_help",),
)  # fmt: skip


def points(kind: CaseKind, risk: str, where: Where | None = None) -> int:
    return urgency(kind, risk, timedelta(), minor=False, raised=0, where=where).points


@pytest.mark.parametrize("where", Where)
def test_a_place_tells_like_dangers_apart_and_lifts_no_lesser_one(where: Where) -> None:
    """Above the same danger at a place unknown; below a grave danger, and below a child, wherever those are."""
    here = points(CaseKind.DISTRESS, "distress_help", where)
    assert here < points(CaseKind.DISTRESS, "distress_help")
    assert here > points(CaseKind.DISTRESS, "distress_violence")
    child = urgency(CaseKind.DISTRESS, "distress_help", timedelta(), minor=True, raised=0)
    assert here > child.points
    assert points(CaseKind.MISSING, "missing_person", where) > points(CaseKind.DISTRESS, "distress_help")


@pytest.mark.parametrize("kind", sorted(set(CaseKind) - FOLLOWED))
def test_where_nobody_is_in_danger_a_place_counts_for_nothing(kind: CaseKind) -> None:
    assert points(kind, "report_recruiter", Where.CROSSING) == points(kind, "report_recruiter")


def test_all_that_counts_lifts_no_question_above_danger() -> None:
    most = urgency(CaseKind.TROUBLE, "trouble", timedelta(days=3), minor=True, raised=50, where=Where.ON_THE_MOVE)
    assert most.points > points(CaseKind.MISSING, "missing_person")


def test_the_most_pressing_of_what_is_known_counts_once() -> None:
    """What danger says of the place, and what was seen of it; a word from a later version is not known."""
    assert pressing("", "made_up") is None
    assert pressing("transit_point", "crossing") is Where.CROSSING
    moving = replace(CASE, dangers=("distress_help", "distress_in_transit"), whereabouts="near_border")
    (place,) = [reason for reason in urgency_of(moving, NOW).reasons if reason.part is Part.PLACE]
    assert (place.value, place.points) == ("on_the_move", -8)
    abroad = replace(CASE, dangers=("distress_abroad",))
    assert urgency_of(abroad, NOW).points == points(CaseKind.DISTRESS, "distress_help", Where.ABROAD)
    assert all(reason.part is not Part.PLACE for reason in urgency_of(CASE, NOW).reasons)


def test_the_reasons_add_up_and_say_what_they_are() -> None:
    found = urgency_of(replace(CASE, minor=True, raised=6, whereabouts="crossing"), NOW + timedelta(minutes=27))
    assert [(reason.part, reason.points, reason.value) for reason in found.reasons] == [
        (Part.RISK, 100, "distress"), (Part.AGE, -40, "child"), (Part.TIME, -5, "25"), (Part.PLACE, -8, "crossing"),
        (Part.AGAIN, -20, "6"),
    ]  # fmt: skip
    assert found.points == 27


@pytest.mark.parametrize(
    ("kind", "risk", "minutes", "minor", "level"),
    [
        (CaseKind.DISTRESS, "distress_violence", 0, False, Level.VERY_URGENT),
        (CaseKind.DISTRESS, "distress_help", 0, False, Level.URGENT),
        (CaseKind.DISTRESS, "distress_help", 50, False, Level.VERY_URGENT),
        (CaseKind.MISSING, "missing_person", 0, True, Level.VERY_URGENT),
        (CaseKind.MISSING, "missing_person", 0, False, Level.URGENT),
        (CaseKind.TROUBLE, "trouble", 0, False, Level.URGENT),
        (CaseKind.REPORT, "report_recruiter", 0, True, Level.URGENT),
        (CaseKind.REPORT, "report_recruiter", 0, False, Level.CAN_WAIT),
        (CaseKind.PERSON_ASKED, "person", 100, False, Level.CAN_WAIT),
    ],
)
def test_in_one_word(kind: CaseKind, risk: str, minutes: int, minor: bool, level: Level) -> None:
    assert urgency(kind, risk, timedelta(minutes=minutes), minor=minor, raised=0).level is level


def test_danger_is_never_said_to_wait() -> None:
    assert all(
        urgency(kind, risk, timedelta(), minor=False, raised=0).level is not Level.CAN_WAIT
        for kind in FOLLOWED
        for risk in GRAVITY
    )
