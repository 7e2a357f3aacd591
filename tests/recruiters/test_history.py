"""Histories: who is linked and why, what a split holds apart, and when the public may hear of it."""

from __future__ import annotations

import random
import time
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.domain.identifiers import IdentifierKind
from bot.domain.reports import Action, Decision, HistoryState, Report, Trace
from bot.recruiters.history import History, Rules, histories
from tests.conftest import NOW

NEEDED = 3


def trace(name: str) -> Trace:
    """`p1` is a phone, `u1` a UPI id, `a1` an alias."""
    kinds = {"p": IdentifierKind.PHONE, "u": IdentifierKind.UPI, "a": IdentifierKind.ALIAS}
    return Trace(name, kinds[name[0]])


def report(name: str, *traces: str, person: str = "") -> Report:
    """Reports are named r1, r2, …: the number is the hour of the report and, unless given, its person."""
    at = NOW + timedelta(hours=int(name[1:]))
    return Report(name, person or f"person {name}", at, tuple(map(trace, traces)))


def decision(number: int, action: Action, reports: str = "", *, others: str = "", keys: str = "") -> Decision:
    return Decision(
        action, "sudha", NOW, tuple(reports.split()), tuple(others.split()), tuple(keys.split()), number=number
    )


def parts(found: tuple[History, ...]) -> set[frozenset[str]]:
    return {frozenset(history.members) for history in found}


def named(*names: str) -> set[frozenset[str]]:
    return {frozenset(name.split()) for name in names}


THREE = (report("r1", "p1"), report("r2", "p1", "u1"), report("r3", "u1"), report("r4", "p2"))


def test_reports_are_linked_through_each_other() -> None:
    """r1 and r3 share nothing, but both share something with r2; every link says why; a stranger stays alone."""
    found = histories(THREE, ())
    assert parts(found) == named("r1 r2 r3", "r4")
    history = next(item for item in found if len(item.reports) == 3)
    assert [(link.key, link.reports) for link in history.links] == [("p1", ("r1", "r2")), ("u1", ("r2", "r3"))]
    assert (history.id, history.independent, history.state) == ("r1", 3, HistoryState.UNCONFIRMED)


def test_one_person_reporting_often_is_one_person() -> None:
    reports = [report(f"r{number}", "p1", person="same") for number in (1, 2, 3)]
    assert histories(reports, ())[0].independent == 1


@pytest.mark.parametrize(
    ("shared", "rules", "decisions", "why"),
    [
        ("a1", Rules(), (), "alias"),
        ("p1", Rules(official=frozenset({"p1"})), (), "official"),
        ("p1", Rules(official=frozenset({"p1"})), (decision(1, Action.TELLING, keys="p1"),), "official"),
        ("p1", Rules(most_shared=2), (), "shared"),
        ("p1", Rules(), (decision(1, Action.NOT_TELLING, keys="p1"),), "not_telling"),
    ],
)
def test_what_tells_nothing_links_nobody(shared: str, rules: Rules, decisions: tuple[Decision, ...], why: str) -> None:
    """A name, a helpline even against a supervisor's word, what too many share, what a supervisor marked."""
    found = histories([report(f"r{number}", shared) for number in (1, 2, 3)], decisions, rules)
    assert len(found) == 3
    assert all(history.silent == {shared: why} for history in found)


def test_a_supervisor_may_say_that_a_shared_number_tells() -> None:
    """By a mark, or by having confirmed it: a recruiter of many victims does not fall apart at the forty-first."""
    reports = [report(f"r{number}", "p1") for number in (1, 2, 3)]
    rules = Rules(most_shared=2)
    assert len(histories(reports, (decision(1, Action.TELLING, keys="p1"),), rules)) == 1
    assert len(histories(reports, (decision(1, Action.CONFIRM, "r1 r2", keys="p1"),), rules)) == 1


def test_a_split_holds_against_a_later_bridge() -> None:
    """r5 shares with both sides; it goes to the older one, and the two stay apart."""
    cut = decision(1, Action.SPLIT, "r3", others="r1 r2")
    assert parts(histories(THREE, (cut,))) == named("r1 r2", "r3", "r4")
    bridge = report("r5", "p1", "u1", "p9")
    found = histories((*THREE, bridge, report("r6", "p9")), (cut,))
    assert parts(found) == named("r1 r2 r5 r6", "r3", "r4")
    assert next(item for item in found if item.id == "r3").apart == {"u1"}


def test_a_later_join_lifts_a_split_and_a_later_split_a_join() -> None:
    """The last word counts."""
    cut = decision(1, Action.SPLIT, "r3", others="r1 r2")
    join = decision(2, Action.JOIN, "r1 r2", others="r3 r4")
    found = histories(THREE, (cut, join))
    assert parts(found) == named("r1 r2 r3 r4")
    assert any(not link.key and "r4" in link.reports for link in found[0].links)
    again = decision(3, Action.SPLIT, "r4", others="r1 r2 r3")
    assert parts(histories(THREE, (cut, join, again))) == named("r1 r2 r3", "r4")


def test_an_identifier_can_be_taken_out_of_one_history_only() -> None:
    """Its reports are no longer linked by it and it is no longer theirs; two new reports that share it are linked."""
    off = decision(1, Action.UNLINK, "r2 r3", keys="u1")
    found = histories((*THREE, report("r5", "u1"), report("r6", "u1")), (off,))
    assert parts(found) == named("r1 r2", "r3", "r4", "r5 r6")
    assert all(item.key != "u1" for history in found if history.id in {"r1", "r3"} for item in history.traces)


SIGNED = (decision(1, Action.CONFIRM, "r1 r2 r3", keys="p1"), decision(2, Action.SIGN, "r1 r2 r3", keys="p1"))


@pytest.mark.parametrize(
    ("reports", "decisions", "state", "public"),
    [
        (THREE, (), "unconfirmed", ""),
        (THREE, SIGNED[:1], "confirmed", ""),
        (THREE, SIGNED, "signed", "p1"),
        (THREE, (*SIGNED, decision(3, Action.WITHDRAW, "r1 r2 r3")), "withdrawn", ""),
        (THREE[:2], SIGNED, "signed", ""),
        ((*THREE, report("r5", "p1", "u7")), SIGNED, "signed", "p1"),
        ((*THREE, report("r5", "p1", "u7")), (*SIGNED, decision(3, Action.EXTEND, "r1 r2 r3 r5", keys="p1 u7")), "signed", "p1 u7"),
        (THREE, (*SIGNED, decision(3, Action.NOT_TELLING, keys="p1"), decision(4, Action.JOIN, "r1", others="r2 r3")), "signed", ""),
        (THREE, (*SIGNED, decision(3, Action.SPLIT, "r3", others="r1 r2")), "signed", ""),
        (THREE, (*SIGNED, decision(3, Action.UNLINK, "r2 r3", keys="u1")), "unconfirmed", ""),
        ((THREE[0], THREE[2], report("r5", "p1"), report("r6", "p1")), SIGNED, "unconfirmed", ""),
    ],
    ids=["unconfirmed", "confirmed", "signed", "withdrawn", "below", "joined", "extended", "marked", "split", "apart", "bridge_lost"],
)  # fmt: skip
def test_only_what_is_signed_and_at_the_threshold_is_public(
    reports: tuple[Report, ...], decisions: tuple[Decision, ...], state: str, public: str
) -> None:
    """Nothing else, in any state; what comes later waits; what falls apart or below must be looked at again."""
    found = next(item for item in histories(reports, decisions) if "r1" in item.members)
    assert (found.state.value, found.answers(NEEDED)) == (state, frozenset(public.split()))


def test_a_signed_history_that_meets_a_withdrawn_one_is_silent() -> None:
    """Doubt wins until a supervisor has looked."""
    reports = (*THREE, report("r5", "p5"), report("r6", "p5", "p1"))
    withdrawn = (decision(3, Action.WITHDRAW, "r5"),)
    (found,) = [item for item in histories(reports, (*SIGNED, *withdrawn)) if "r5" in item.members]
    assert len(found.reports) == 5
    assert (found.state, found.answers(NEEDED)) == (HistoryState.WITHDRAWN, frozenset())


def test_an_alias_is_never_public() -> None:
    """Even when a supervisor ticked it: many people bear one name."""
    reports = tuple(report(f"r{number}", "p1", "a1") for number in (1, 2, 3))
    signed = (decision(1, Action.SIGN, "r1 r2 r3", keys="p1 a1"),)
    assert histories(reports, signed)[0].answers(NEEDED) == {"p1"}


NAMES = [f"r{number}" for number in range(1, 9)]
some_reports = st.lists(
    st.tuples(st.sampled_from(NAMES), st.lists(st.sampled_from(["p1", "p2", "p3", "u1", "u2", "a1"]), max_size=3)),
    min_size=2, max_size=8, unique_by=lambda item: item[0],
).map(lambda rows: [report(name, *traces) for name, traces in rows])  # fmt: skip
two = st.lists(st.sampled_from(NAMES), min_size=2, max_size=2, unique=True)
some_decisions = st.lists(
    st.tuples(st.sampled_from([Action.JOIN, Action.SPLIT]), two), max_size=4
).map(lambda rows: [decision(number, action, one, others=other) for number, (action, (one, other)) in enumerate(rows, 1)])  # fmt: skip


@settings(max_examples=300, deadline=None)
@given(some_reports, some_decisions, st.randoms(use_true_random=False))
def test_the_order_does_not_matter_and_splits_hold(
    reports: list[Report], decisions: list[Decision], chance: random.Random
) -> None:
    """Shuffled, the same histories; each report in exactly one; no pair whose last word is a split is together."""
    found = histories(reports, decisions)
    shuffled = list(reports)
    chance.shuffle(shuffled)
    assert histories(shuffled, list(reversed(decisions))) == found
    assert sorted(name for history in found for name in history.members) == sorted(item.id for item in reports)
    last = {frozenset((*item.reports, *item.others)): item.action for item in decisions}
    for pair, action in last.items():
        assert action is not Action.SPLIT or not any(pair <= set(history.members) for history in found)


@settings(max_examples=200, deadline=None)
@given(some_reports, some_decisions, st.lists(st.sampled_from(["p1", "p2", "u1", "u2"]), max_size=4))
def test_a_newer_report_brings_together_and_never_rearranges(
    reports: list[Report], decisions: list[Decision], traces: list[str]
) -> None:
    """What was together stays together, splits and all, whatever a newer report shares."""
    before = parts(histories(reports, decisions))
    after = parts(histories([*reports, report("r99", *traces)], decisions))
    assert all(any(part <= whole for whole in after) for part in before)


@settings(max_examples=200, deadline=None)
@given(some_reports)
def test_without_decisions_sharing_is_all(reports: list[Report]) -> None:
    """Two reports that share a telling identifier are in one history; two histories share none."""
    found = histories(reports, ())
    for number, history in enumerate(found):
        mine = {item.key for item in history.traces} - history.silent.keys()
        for other in found[number + 1 :]:
            assert mine.isdisjoint({item.key for item in other.traces} - other.silent.keys())


def test_ten_thousand_reports_take_little_time() -> None:
    reports = [
        Report(f"r{number}", str(number), NOW + timedelta(minutes=number), (trace(f"p{number % 3000}"), trace(f"u{number % 1700}")))
        for number in range(10_000)
    ]  # fmt: skip
    start = time.process_time()
    histories(reports, (decision(1, Action.SPLIT, "r1", others="r3001"),))
    assert time.process_time() - start < 20
