"""Which schemes may fit a person: named predicates over what they told, each yes, no or cannot tell.

A predicate says "cannot tell" only while an answer that it needs is missing or too coarse, so one more answer can turn
"cannot tell" into yes or no, but never a no into "cannot tell". The conditions themselves are content/schemes/*.yaml.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Final

from bot.content.model import Criterion, Scheme

ADULT: Final = 18
#: Works that bring neither provident fund nor insurance.
UNORGANISED: Final = frozenset({"building", "village", "house", "vendor", "craft", "other"})
CHILDREN: Final = frozenset({"small", "school"})


class Fits(Enum):
    """What can be said: yes, no, or that an answer is missing."""

    YES = "yes"
    NO = "no"
    UNKNOWN = "cannot tell"


@dataclass(frozen=True, slots=True)
class Situation:
    """What a person told. "" and None: not answered; an empty set: answered, none of these.

    `age` is a closed interval in years, as coarse as the answer was.
    """

    state: str = ""
    where: str = ""
    age: tuple[int, int] | None = None
    sex: str = ""
    work: str = ""
    family: frozenset[str] | None = None
    papers: frozenset[str] | None = None
    tax: str = ""


@dataclass(frozen=True, slots=True)
class Finding:
    """One scheme, whether it fits, and the conditions that say why: those met, those not met, or those not known."""

    scheme: Scheme
    fits: Fits
    because: tuple[Criterion, ...]


def find(situation: Situation, schemes: Mapping[str, Scheme]) -> tuple[Finding, ...]:
    """Return a finding for every scheme, in order of rank."""
    return tuple(judge(situation, scheme) for scheme in sorted(schemes.values(), key=lambda scheme: scheme.rank))


def judge(situation: Situation, scheme: Scheme) -> Finding:
    """Weigh all conditions: one "no" decides, then one "cannot tell", else yes."""
    answers = [(criterion, RULES[criterion.rule](situation, criterion)) for criterion in scheme.criteria]
    for verdict in (Fits.NO, Fits.UNKNOWN):
        found = tuple(criterion for criterion, answer in answers if answer is verdict)
        if found:
            return Finding(scheme, verdict, found)
    return Finding(scheme, Fits.YES, scheme.criteria)


def _within(age: tuple[int, int] | None, low: int, high: int) -> Fits:
    if age is None:
        return Fits.UNKNOWN
    if low <= age[0] and age[1] <= high:
        return Fits.YES
    return Fits.NO if age[1] < low or age[0] > high else Fits.UNKNOWN


def _is(given: str, *wanted: str) -> Fits:
    if not given:
        return Fits.UNKNOWN
    return Fits.YES if given in wanted else Fits.NO


def _has(given: frozenset[str] | None, *wanted: str) -> Fits:
    if given is None:
        return Fits.UNKNOWN
    return Fits.YES if given & set(wanted) else Fits.NO


def _either(*answers: Fits) -> Fits:
    if Fits.YES in answers:
        return Fits.YES
    return Fits.NO if all(answer is Fits.NO for answer in answers) else Fits.UNKNOWN


def _not(answer: Fits) -> Fits:
    return {Fits.YES: Fits.NO, Fits.NO: Fits.YES, Fits.UNKNOWN: Fits.UNKNOWN}[answer]


def _at_best_unknown(answer: Fits) -> Fits:
    """Other grounds than those we ask about exist: what is not a yes cannot be told."""
    return Fits.YES if answer is Fits.YES else Fits.UNKNOWN


def _age_between(situation: Situation, criterion: Criterion) -> Fits:
    """With `also`, a relative may meet it whose exact age we do not ask, so never a no."""
    low, high = criterion.ages or (0, 0)
    own = _within(situation.age, low, high or 150)
    return _at_best_unknown(_either(own, _has(situation.family, criterion.also))) if criterion.also else own


def _unorganised(situation: Situation, _: Criterion) -> Fits:
    """Somebody who studies or has no work now may still be a worker without provident fund."""
    if situation.work in UNORGANISED:
        return Fits.YES
    return Fits.NO if situation.work == "salaried" else Fits.UNKNOWN


def _works_building(situation: Situation, _: Criterion) -> Fits:
    """Somebody without work now may have built for 90 days of the last twelve months."""
    return Fits.UNKNOWN if situation.work == "none" else _is(situation.work, "building")


def _works_village(situation: Situation, _: Criterion) -> Fits:
    """Any village household may ask for work, whatever a member does elsewhere."""
    return _at_best_unknown(_is(situation.work, "village"))


def _woman(situation: Situation, _: Criterion) -> Fits:
    return Fits.UNKNOWN if situation.sex == "other" else _is(situation.sex, "woman")


def _seventy(situation: Situation, _: Criterion) -> Fits:
    return _either(_within(situation.age, 70, 150), _has(situation.family, "old"))


def _minor_or_woman(situation: Situation, _: Criterion) -> Fits:
    """Legal aid has many more grounds (caste, disability, custody, income), so never a no."""
    return _at_best_unknown(_either(_is(situation.sex, "woman"), _within(situation.age, 0, ADULT - 1)))


def _school_child(situation: Situation, _: Criterion) -> Fits:
    return _either(_has(situation.family, "school"), _within(situation.age, 6, 14))


def _student_or_school_child(situation: Situation, _: Criterion) -> Fits:
    return _either(_is(situation.work, "student"), _has(situation.family, "school"))


def _widow_with_child(situation: Situation, _: Criterion) -> Fits:
    """A child has other grounds too (illness of a parent, rescue); without any child there is none."""
    child = _either(_has(situation.family, *CHILDREN), _within(situation.age, 0, ADULT - 1))
    if child is Fits.NO:
        return Fits.NO
    both = child is Fits.YES and _has(situation.family, "widow") is Fits.YES
    return Fits.YES if both else Fits.UNKNOWN


def _away_with_school_child(situation: Situation, _: Criterion) -> Fits:
    """A family at home may be about to leave."""
    child = _has(situation.family, "school")
    if child is Fits.NO:
        return Fits.NO
    return Fits.YES if child is Fits.YES and situation.where == "other" else Fits.UNKNOWN


def _ddugky_age(situation: Situation, _: Criterion) -> Fits:
    """15 to 35; to 45 for women and transgender persons, and for others on grounds that we do not ask about."""
    young, older = _within(situation.age, 15, 35), _within(situation.age, 15, 45)
    if young is Fits.YES or older is Fits.NO:
        return young if young is Fits.YES else Fits.NO
    return Fits.YES if older is Fits.YES and situation.sex in {"woman", "other"} else Fits.UNKNOWN


Rule = Callable[[Situation, Criterion], Fits]
RULES: Final[Mapping[str, Rule]] = {
    "age_between": _age_between,
    "age_from": _age_between,
    "ddugky_age": _ddugky_age,
    "minor_or_woman": _minor_or_woman,
    "unorganised": _unorganised,
    "no_income_tax": lambda situation, _: _not(_is(situation.tax, "yes")),
    "works_building": _works_building,
    "works_vendor": lambda situation, _: _is(situation.work, "vendor"),
    "works_village": _works_village,
    "works_salaried": lambda situation, _: _is(situation.work, "salaried"),
    "works_own": lambda situation, _: _is(situation.work, "craft", "vendor"),
    "woman": _woman,
    "pregnant": lambda situation, _: _has(situation.family, "pregnant"),
    "pregnant_or_small": lambda situation, _: _has(situation.family, "pregnant", "small"),
    "school_child": _school_child,
    "student_or_school_child": _student_or_school_child,
    "widow": lambda situation, _: _has(situation.family, "widow"),
    "widow_with_child": _widow_with_child,
    "seventy": _seventy,
    "listed": lambda _, __: Fits.UNKNOWN,
    "has_ration": lambda situation, _: _has(situation.papers, "ration"),
    "needs_aadhaar": lambda situation, _: _not(_has(situation.papers, "aadhaar")),
    "needs_bank": lambda situation, _: _not(_has(situation.papers, "bank")),
    "away": lambda situation, _: _is(situation.where, "other"),
    "away_with_school_child": _away_with_school_child,
    "abroad": lambda situation, _: _is(situation.where, "abroad", "going"),
}
