"""Who is addressed: time zones, nights, languages, skills, room for a case; and which case is looked at first."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta

import pytest

from bot.domain.cases import CaseKind
from bot.domain.rota import Person, Rota, Shift, Skill, Staff, Wanted, addressed, on_call
from bot.domain.urgency import urgency

DAY = Shift(("asha", "bina", "chitra"), frozenset(range(5)), time(8), time(20))
NIGHT = Shift(("bina",), frozenset({4}), time(20), time(8))
ROTA = Rota(
    "Asia/Kolkata",
    (
        Person("asha", frozenset({"hi"}), frozenset({"Gaya"}), capacity=2),
        Person("bina", frozenset({"bn", "hi"}), frozenset(), frozenset({Skill.CHILD, Skill.WOMEN})),
        Person("chitra", frozenset({"ta"}), frozenset({"Madurai"}), frozenset({Skill.OVERSEAS})),
    ),
    (DAY, NIGHT),
)
STAFF = Staff(frozenset({"asha", "bina", "chitra", "sudha", "uma"}), ("sudha", "uma"))
WEDNESDAY = datetime(2026, 11, 25, 6, 30, tzinfo=UTC)  # 12:00 in India
#: India is five and a half hours ahead: each of these is near an edge of a shift there.
HOURS = [
    (datetime(2026, 11, 25, 2, 29, tzinfo=UTC), ()),
    (datetime(2026, 11, 25, 2, 30, tzinfo=UTC), ("asha", "bina", "chitra")),
    (datetime(2026, 11, 25, 14, 29, tzinfo=UTC), ("asha", "bina", "chitra")),
    (datetime(2026, 11, 25, 14, 30, tzinfo=UTC), ()),
    (datetime(2026, 11, 27, 14, 30, tzinfo=UTC), ("bina",)),
    (datetime(2026, 11, 28, 2, 29, tzinfo=UTC), ("bina",)),
    (datetime(2026, 11, 28, 2, 30, tzinfo=UTC), ()),
]


@pytest.mark.parametrize(("now", "names"), HOURS)
def test_shifts_run_by_the_teams_own_clock(now: datetime, names: tuple[str, ...]) -> None:
    assert set(on_call(ROTA, STAFF, Wanted(), now)) == set(names)


FITTING = [
    (Wanted("hi", "gaya"), "asha"),
    (Wanted("hi-Latn", "", "distress_sexual"), "bina"),
    (Wanted("hi", minor=True), "bina"),
    (Wanted("bn"), "bina"),
    (Wanted("ta", "", "distress_abroad"), "chitra"),
    (Wanted("ml", "", "distress_abroad"), "chitra"),
]


@pytest.mark.parametrize(("wanted", "first"), FITTING)
def test_the_best_fitting_is_called_first(wanted: Wanted, first: str) -> None:
    assert on_call(ROTA, STAFF, wanted, WEDNESDAY)[0] == first


def test_who_is_full_comes_last_and_who_is_shut_out_never() -> None:
    full = Staff(STAFF.active - {"chitra"}, STAFF.supervisors, {"asha": 2})
    assert on_call(ROTA, full, Wanted("hi", "Gaya"), WEDNESDAY) == ("bina", "asha")


def test_each_rung_says_whom_it_is_for() -> None:
    """The first, the next, the supervisors; outside all shifts the supervisors at once; without a rota everybody."""
    wanted = Wanted("hi", "Gaya")
    assert [addressed(ROTA, STAFF, wanted, rung, WEDNESDAY) for rung in range(4)] == [
        ("asha",), ("bina",), ("sudha", "uma"), ("sudha", "uma"),
    ]  # fmt: skip
    sunday = WEDNESDAY + timedelta(days=4)
    assert addressed(ROTA, STAFF, wanted, 0, sunday) == ("sudha", "uma")
    friday_night = HOURS[4][0]
    assert [addressed(ROTA, STAFF, wanted, rung, friday_night) for rung in (0, 1)] == [("bina",), ("sudha", "uma")]
    assert addressed(Rota(), STAFF, wanted, 0, WEDNESDAY) == ()


#: Each line is looked at before the next: (kind, risk kind, minutes waited, a child, times raised).
ORDER = [
    (CaseKind.DISTRESS, "distress_child", 60, True, 2),
    (CaseKind.DISTRESS, "distress_violence", 0, True, 0),
    (CaseKind.MISSING, "missing_person", 0, True, 0),
    (CaseKind.DISTRESS, "distress_help", 0, False, 3),
    (CaseKind.DISTRESS, "distress_violence", 0, False, 0),
    (CaseKind.DISTRESS, "distress_stranded", 25, False, 0),
    (CaseKind.DISTRESS, "distress_stranded", 0, False, 0),
    (CaseKind.MISSING, "missing_person", 0, False, 0),
    (CaseKind.TROUBLE, "trouble", 600, True, 9),
    (CaseKind.TROUBLE, "trouble", 0, False, 0),
    (CaseKind.REPORT, "report_recruiter", 100, False, 0),
    (CaseKind.PERSON_ASKED, "person", 150, False, 0),
    (CaseKind.REPORT, "report_recruiter", 0, False, 0),
    (CaseKind.PERSON_ASKED, "person", 0, False, 0),
]


def test_which_case_is_looked_at_first() -> None:
    points = [
        urgency(kind, risk, timedelta(minutes=waited), minor=minor, raised=raised).points
        for kind, risk, waited, minor, raised in ORDER
    ]
    assert points == sorted(points)
    assert len(set(points)) == len(points)
