"""Reads a rota from YAML and names every problem at once.

zone: Asia/Kolkata
people:
  asha: {languages: [hi, bn], districts: [Gaya], skills: [child, women], capacity: 5, email: asha@example.org}
shifts:
  - {people: [asha], days: [mon, tue, wed], from: "20:00", to: "08:00"}
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime, time
from functools import partial
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import yaml

from bot.domain.private import Private
from bot.domain.rota import SUPERVISORS_AT, Person, Rota, Shift, Skill, Staff, Wanted, addressed, on_call

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
OF_PERSON = frozenset({"languages", "districts", "skills", "capacity", "email"})
OF_SHIFT = frozenset({"people", "days", "from", "to"})


class RotaError(Exception):
    """A rota that cannot be used; a line per problem."""


def read_rota(path: Path, logins: frozenset[str], district: Callable[[str], str]) -> Rota:
    """Return the rota of a file; *logins* are those who work on cases. Raise `RotaError`.

    *district* gives a district or State as it is kept (`BR:Gaya`, `BR`), "" for one that it does not know for sure.
    """
    try:
        doc = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, yaml.YAMLError) as error:
        raise RotaError(f"{path}: {error}") from error
    problems = list(_problems(doc, logins, district))
    if problems:
        raise RotaError("\n".join(f"{path}: {problem}" for problem in problems))
    people = tuple(_person(login, row or {}, district) for login, row in doc["people"].items())
    return Rota(doc["zone"], people, tuple(_shift(row) for row in doc["shifts"]))


def _problems(  # what stands in the file may be anything
    doc: Any,  # noqa: ANN401
    logins: frozenset[str],
    district: Callable[[str], str],
) -> Iterator[str]:
    if not isinstance(doc, Mapping) or not isinstance(doc.get("people"), Mapping) or not doc.get("shifts"):
        yield "needs zone, people and shifts"
        return
    try:
        ZoneInfo(str(doc.get("zone")))
    except (KeyError, OSError, ValueError):
        yield f"zone {doc.get('zone')!r}: no such time zone; write for example Asia/Kolkata"
    for login, row in doc["people"].items():
        if login not in logins:
            yield f"{login}: no active responder or supervisor has this login; see the console under People"
        yield from (
            f"{login}: {problem}"
            for problem in _wrong(row or {}, OF_PERSON, partial(_person, district=district), str(login))
        )
    for number, row in enumerate(doc["shifts"], 1):
        yield from (
            f"shift {number}: {problem}" for problem in _wrong(row, OF_SHIFT, lambda _, given: _shift(given), "")
        )
        named = row.get("people", ()) if isinstance(row, Mapping) else ()
        yield from (f"shift {number}: {name} is not among the people" for name in named if name not in doc["people"])


def _wrong(row: Any, known: frozenset[str], make: Any, login: str) -> Iterator[str]:  # noqa: ANN401
    if not isinstance(row, Mapping):
        yield f"needs {', '.join(sorted(known))}"
        return
    for name in sorted(set(row) - known):
        yield f"{name} is not known; use {', '.join(sorted(known))}"
    try:
        make(login, row)
    except (KeyError, TypeError, ValueError) as error:
        yield f"{type(error).__name__}: {error}"


def _person(login: str, row: Mapping[str, Any], district: Callable[[str], str]) -> Person:
    capacity, email = row.get("capacity", 0), row.get("email", "")
    if not isinstance(capacity, int) or capacity < 0:
        raise ValueError("capacity must be a whole number, 0 for no limit")
    if email and (email.count("@") != 1 or any(char.isspace() or char == "," for char in email)):
        raise ValueError("email must be one address")
    named = {str(name): district(str(name)) for name in row.get("districts", ())}
    if unknown := [name for name, code in named.items() if not code]:
        raise ValueError(f"districts: {', '.join(unknown)}: not known, or in more than one State; write BR:Gaya")
    return Person(
        login,
        frozenset(row.get("languages", ())),
        frozenset(named.values()),
        frozenset(Skill(name) for name in row.get("skills", ())),
        capacity,
        Private(email),
    )


def _shift(row: Mapping[str, Any]) -> Shift:
    people, days = tuple(row["people"]), frozenset(DAYS.index(name) for name in row["days"])
    if not people or not days:
        raise ValueError("needs people and days")
    return Shift(people, days, time.fromisoformat(str(row["from"])), time.fromisoformat(str(row["to"])))


def lines(rota: Rota, staff: Staff, now: datetime) -> Iterator[str]:
    """Yield the rota as people read it: the shifts, who is on call at *now*, and whom each rung is for."""
    if not rota.shifts:
        yield "no rota: pages are for everybody. Import one: sahyatri responders rota import FILE.yaml"
        return
    for shift in rota.shifts:
        days = " ".join(DAYS[day] for day in sorted(shift.days))
        yield f"{shift.start:%H:%M}-{shift.end:%H:%M} {days}: {', '.join(shift.people)}"
    called = ", ".join(on_call(rota, staff, Wanted(), now)) or "nobody; all supervisors are paged"
    yield f"on call now ({rota.zone}): {called}"
    for rung in range(SUPERVISORS_AT + 1):
        yield f"rung {rung}: {', '.join(addressed(rota, staff, Wanted(), rung, now)) or 'nobody'}"
