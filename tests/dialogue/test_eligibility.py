"""The scheme finder's judgement: situations that a social worker can read, and what no answer may ever undo."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.content.load import load
from bot.content.model import Content
from bot.dialogue.eligibility import RULES, Fits, Situation, find
from bot.dialogue.finder import QUESTIONS

ROOT = Path(__file__).resolve().parent.parent
FOLDER = ROOT / "content" / "situations"
KEYS = {"person", "told", "probably", "ask", "not"}
CASES = [
    (f"{path.stem}: {case['person']}", case)
    for path in sorted(FOLDER.glob("*.yaml"))
    for case in yaml.safe_load(path.read_text(encoding="utf-8"))
]
SCHEMES = load(ROOT.parent / "content").schemes


def _age(given: Any) -> tuple[int, int] | None:
    if given is None:
        return None
    low, _, high = str(given).partition("-")
    return int(low), int(high or low)


def _situation(told: dict[str, Any]) -> Situation:
    unknown = set(told) - set(QUESTIONS)
    assert not unknown, unknown
    return Situation(
        state=told.get("state", ""),
        where=told.get("where", ""),
        age=_age(told.get("age")),
        sex=told.get("sex", ""),
        work=told.get("work", ""),
        family=frozenset(told["family"]) if "family" in told else None,
        papers=frozenset(told["papers"]) if "papers" in told else None,
        tax=told.get("tax", ""),
    )


@pytest.mark.parametrize(("case"), [case for _, case in CASES], ids=[name for name, _ in CASES])
def test_a_situation_is_judged_as_written(case: dict[str, Any], content: Content) -> None:
    """Each scheme the file names is found as it says: probably, to ask about, or not."""
    assert set(case) <= KEYS
    found = {finding.scheme.id: finding.fits for finding in find(_situation(case["told"]), content.schemes)}
    expected = dict.fromkeys(case.get("probably", ()), Fits.YES)
    expected |= dict.fromkeys(case.get("ask", ()), Fits.UNKNOWN) | dict.fromkeys(case.get("not", ()), Fits.NO)
    wrong = {
        name: f"{found[name].value}, expected {wanted.value}"
        for name, wanted in expected.items()
        if found[name] is not wanted
    }
    assert not wrong


def test_there_are_at_least_sixty_situations() -> None:
    assert len(CASES) >= 60


def test_every_rule_of_the_content_is_a_predicate(content: Content) -> None:
    assert {item.rule for scheme in content.schemes.values() for item in scheme.criteria} <= set(RULES)


AGES = st.integers(0, 110)
SITUATIONS = st.builds(
    Situation,
    state=st.sampled_from(["", "BR", "OD"]),
    where=st.sampled_from(["", *QUESTIONS["where"]]),
    age=st.none() | st.tuples(AGES, AGES).map(lambda pair: (min(pair), max(pair))),
    sex=st.sampled_from(["", *QUESTIONS["sex"]]),
    work=st.sampled_from(["", *QUESTIONS["work"]]),
    family=st.none() | st.frozensets(st.sampled_from(QUESTIONS["family"])),
    papers=st.none() | st.frozensets(st.sampled_from(QUESTIONS["papers"])),
    tax=st.sampled_from(["", "yes", "no"]),
)


def _more(known: Situation, other: Situation) -> Situation:
    """Fill what *known* leaves open from *other*; an age becomes finer, never another."""
    age = known.age
    if age is None or (other.age and age[0] <= other.age[0] and other.age[1] <= age[1]):
        age = other.age
    return replace(
        known,
        state=known.state or other.state,
        where=known.where or other.where,
        age=age,
        sex=known.sex or other.sex,
        work=known.work or other.work,
        family=known.family if known.family is not None else other.family,
        papers=known.papers if known.papers is not None else other.papers,
        tax=known.tax or other.tax,
    )


@settings(max_examples=600, deadline=None)
@given(SITUATIONS, SITUATIONS)
def test_answering_more_never_takes_a_yes_or_a_no_back(known: Situation, other: Situation) -> None:
    """What cannot be told may become yes or no; a yes stays yes and a no stays no."""
    before = {finding.scheme.id: finding.fits for finding in find(known, SCHEMES)}
    after = {finding.scheme.id: finding.fits for finding in find(_more(known, other), SCHEMES)}
    assert {name for name, fits in before.items() if fits is not Fits.UNKNOWN and after[name] is not fits} == set()


def test_nothing_told_decides_nothing() -> None:
    """Somebody who skips every question gets no yes and no no."""
    assert {finding.fits for finding in find(Situation(), SCHEMES)} == {Fits.UNKNOWN}


def test_every_finding_says_why() -> None:
    for finding in find(Situation(age=(20, 20), work="building", tax="no"), SCHEMES):
        assert finding.because
