"""Who is on call: shifts in the team's own time zone, and which of those on shift a case is for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, time, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from bot.domain.private import NOTHING_SAID, Private


class Skill(StrEnum):
    """What a person is trained for beyond what all are."""

    CHILD = "child"
    WOMEN = "women"
    OVERSEAS = "overseas"


#: Kinds of danger that ask for a skill.
NEEDED = {
    "distress_child": Skill.CHILD,
    "distress_sexual": Skill.WOMEN,
    "forced_marriage": Skill.WOMEN,
    "distress_abroad": Skill.OVERSEAS,
}
#: From this rung on it is the supervisors' turn.
SUPERVISORS_AT = 2


@dataclass(frozen=True, slots=True)
class Person:
    """One responder of the rota, by login. districts: `BR:Gaya`; capacity: open cases at most, 0 for no limit."""

    login: str
    languages: frozenset[str] = frozenset()
    districts: frozenset[str] = frozenset()
    skills: frozenset[Skill] = frozenset()
    capacity: int = 0
    email: Private = NOTHING_SAID


@dataclass(frozen=True, slots=True)
class Shift:
    """Days of the week (0 is Monday) and hours; one that ends before it begins, or as it begins, ends the next day."""

    people: tuple[str, ...]
    days: frozenset[int]
    start: time
    end: time

    def began(self, local: datetime) -> datetime | None:
        """Return when the shift that runs at this local time began, or None while it does not run."""
        if not self.covers(local):
            return None
        today = local.replace(hour=self.start.hour, minute=self.start.minute, second=0, microsecond=0)
        return today if today <= local else today - timedelta(days=1)

    def covers(self, local: datetime) -> bool:
        """Say whether the shift runs at this local time."""
        today, at = local.weekday(), local.time()
        if self.start < self.end:
            return today in self.days and self.start <= at < self.end
        yesterday = (local - timedelta(days=1)).weekday()
        return (today in self.days and at >= self.start) or (yesterday in self.days and at < self.end)


@dataclass(frozen=True, slots=True)
class Rota:
    """The team's shifts; `zone` is the name of a time zone, for example Asia/Kolkata."""

    zone: str = "Asia/Kolkata"
    people: tuple[Person, ...] = ()
    shifts: tuple[Shift, ...] = ()


@dataclass(frozen=True, slots=True)
class Staff:
    """What the rota does not know: who may come in today, who supervises, and how many open cases each has."""

    active: frozenset[str] = frozenset()
    supervisors: tuple[str, ...] = ()
    load: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a case asks of whoever takes it."""

    locale: str = ""
    district: str = ""
    risk_kind: str = ""
    minor: bool = False
    also: tuple[str, ...] = ()

    @property
    def skills(self) -> frozenset[Skill]:
        """The skills that the case asks for; *also*: the other kinds of danger that were told."""
        found = {NEEDED[kind] for kind in (self.risk_kind, *self.also) if kind in NEEDED}
        return frozenset(found | {Skill.CHILD} if self.minor else found)


def on_call(rota: Rota, staff: Staff, wanted: Wanted, now: datetime) -> tuple[str, ...]:
    """Return who is on shift at *now*, best first: room for a case, the language, the skills, the district.

    Nobody is left out for what they lack: somebody who has much to do is better than nobody.
    """
    names = on_shift(rota, now)
    people = {person.login: person for person in rota.people}
    here = [people.get(name, Person(name)) for name in names if name in staff.active]
    order = sorted(here, key=lambda person: _distance(person, staff, wanted))
    return tuple(person.login for person in order)


def on_shift(rota: Rota, now: datetime) -> tuple[str, ...]:
    """Return who is on shift at *now*, in the order of the rota."""
    local = now.astimezone(ZoneInfo(rota.zone))
    return tuple(dict.fromkeys(name for shift in rota.shifts if shift.covers(local) for name in shift.people))


def begun(rota: Rota, now: datetime) -> tuple[datetime, tuple[str, ...]] | None:
    """Return when the newest of the shifts that run at *now* began, and who began then; None outside all shifts."""
    local = now.astimezone(ZoneInfo(rota.zone))
    starts = [(start, shift.people) for shift in rota.shifts if (start := shift.began(local))]
    if not starts:
        return None
    newest = max(start for start, _ in starts)
    return newest, tuple(dict.fromkeys(name for start, people in starts if start == newest for name in people))


def _distance(person: Person, staff: Staff, wanted: Wanted) -> tuple[bool, bool, int, bool]:
    full = bool(person.capacity) and staff.load.get(person.login, 0) >= person.capacity
    mute = _language(wanted.locale) not in {_language(name) for name in person.languages}
    far = not _near(person.districts, wanted.district)
    return full, mute, len(wanted.skills - person.skills), far


def _near(districts: frozenset[str], code: str) -> bool:
    """Say whether a district, written `BR:Gaya`, is one of these: codes, whole States, or (as of old) names."""
    state, _, name = code.casefold().partition(":")
    return bool(code) and not {code.casefold(), state, name or state}.isdisjoint(map(str.casefold, districts))


def _language(locale: str) -> str:
    return locale.partition("-")[0].casefold()


def addressed(rota: Rota, staff: Staff, wanted: Wanted, rung: int, now: datetime) -> tuple[str, ...]:
    """Return whom the page of this rung is for: the first on call, the next, the supervisors; () for everybody.

    Outside all shifts every supervisor is paged at once. Without a rota, pages are for everybody.
    """
    if not rota.shifts:
        return ()
    called = on_call(rota, staff, wanted, now)
    supervisors = tuple(name for name in staff.supervisors if name in staff.active)
    if rung >= SUPERVISORS_AT or not called:
        return supervisors or called
    return called[rung : rung + 1] or supervisors
