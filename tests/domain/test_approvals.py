"""The rules of a second person: not oneself, a supervisor, in time; once or for an hour; then it is over."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from bot.domain.approvals import NotAllowed, Request, RequestKind, RequestState, asked, decided, over, used
from bot.domain.private import Private
from tests.conftest import NOW


def request(kind: RequestKind = RequestKind.ORIGINAL) -> Request:
    return Request("r", kind, "c", "n", "asha", Private("the face is not clear"), NOW)


def at(minutes: float) -> datetime:
    return NOW + timedelta(minutes=minutes)


def approved(kind: RequestKind = RequestKind.ORIGINAL) -> Request:
    return decided(request(kind), "sudha", "supervisor", at(5), yes=True)


@pytest.mark.parametrize("reason", ["", " \n"])
def test_a_reason_is_needed(reason: str) -> None:
    with pytest.raises(NotAllowed, match="no_reason"):
        asked(replace(request(), reason=Private(reason)))
    assert asked(request()) == request()


@pytest.mark.parametrize("yes", [True, False])
@pytest.mark.parametrize(
    ("who", "role", "minutes", "why"),
    [
        ("asha", "supervisor", 1, "own"),
        ("bina", "responder", 1, "role"),
        ("root", "admin", 1, "role"),
        ("vani", "author", 1, "role"),
        ("sudha", "supervisor", 15, "late"),
        ("sudha", "supervisor", 10_000, "late"),
    ],
)
def test_who_may_not_decide(who: str, role: str, minutes: float, yes: bool, why: str) -> None:
    with pytest.raises(NotAllowed, match=why):
        decided(request(), who, role, at(minutes), yes=yes)


def test_a_decision_stands() -> None:
    for done in (approved(), decided(request(), "sudha", "supervisor", at(14.9), yes=False)):
        with pytest.raises(NotAllowed, match="decided"):
            decided(done, "salma", "supervisor", at(6), yes=True)


@pytest.mark.parametrize("kind", [RequestKind.ORIGINAL, RequestKind.CONTACT])
def test_an_original_and_a_first_message_are_good_for_one_use_within_the_hour(kind: RequestKind) -> None:
    done = used(approved(kind), "asha", at(64.9))
    assert done.state is RequestState.USED
    for item, who, minutes, why in (
        (done, "asha", 6, "not_approved"),
        (approved(kind), "asha", 65, "not_approved"),
        (approved(kind), "bina", 6, "not_yours"),
        (request(kind), "asha", 6, "not_approved"),
        (approved(RequestKind.CASE), "asha", 6, "not_approved"),
    ):
        with pytest.raises(NotAllowed, match=why):
            used(item, who, at(minutes))


def test_reading_a_case_ends_by_itself() -> None:
    access = approved(RequestKind.CASE)
    assert access.running(at(5)) and access.running(at(64.9)) and not access.running(at(65))
    assert over(access, at(64.9)) is None
    ended = over(access, at(65))
    assert ended and ended.state is RequestState.ENDED and not ended.running(at(10)) and over(ended, at(99)) is None
    lapsed = over(request(), at(15))
    assert lapsed and lapsed.state is RequestState.LAPSED and over(request(), at(14.9)) is None
