"""Transit points from a spreadsheet saved as CSV: every fault named by row, column and value, with what to do."""

from __future__ import annotations

import csv
import hashlib
import re
from collections.abc import Container, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Final

from bot.domain.places import Desk, Fault, Point, Post

MOST_BYTES: Final = 8 * 1024 * 1024
MOST_ROWS: Final = 12_000
NEEDED: Final = ("code", "kind", "name_en", "state", "district", "latitude", "longitude", "languages")
PLAIN: Final = (
    *NEEDED, "aliases", "hours", "desk_phone", "rpf", "rpf_phone", "grp", "grp_phone", "child_desk",
    "child_desk_phone", "source", "verified_on",
)  # fmt: skip
BY_LOCALE: Final = ("name_", "desk_")
KINDS: Final = ("station", "bus_stand", "crossing")
#: Latitude and longitude between which India lies, in degrees.
INDIA: Final = {"latitude": (6.0, 36.0), "longitude": (68.0, 97.5)}
YES, NO = frozenset({"yes", "y", "1"}), frozenset({"", "no", "n", "0"})
LONGEST: Final = 120
CODE: Final = re.compile(r"[A-Z0-9]{2,12}", re.ASCII)
HOURS: Final = re.compile(r"24x7|([01][0-9]|2[0-4]):[0-5][0-9]-([01][0-9]|2[0-4]):[0-5][0-9]", re.ASCII)
PHONE: Final = re.compile(r"\+?[0-9][0-9 -]{1,18}[0-9]", re.ASCII)


class PlaceFileError(Exception):
    """A file that cannot be read at all, or that was refused: says why and what to do."""


@dataclass(frozen=True, slots=True)
class Known:
    """What a row may refer to: locales, States, and districts as (name, State)."""

    locales: Container[str]
    states: Container[str]
    districts: Container[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class PlaceFile:
    """The points of a file, and everything that is wrong with it."""

    name: str
    checksum: str
    points: tuple[Point, ...]
    faults: tuple[Fault, ...]


def read_places(path: Path, known: Known, today: date) -> PlaceFile:
    """Read a CSV file in UTF-8. Raise `PlaceFileError` if it is none."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise PlaceFileError(f"{path}: cannot be read ({error.strerror}); name a CSV file") from error
    if len(data) > MOST_BYTES:
        raise PlaceFileError(f"{path}: has more than {MOST_BYTES // 1024 // 1024} MB; that is no list of places")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise PlaceFileError(
            f"{path}: is not UTF-8 at byte {error.start}; save it as “CSV UTF-8” in the spreadsheet program"
        ) from error
    try:
        rows = list(csv.reader(text.splitlines(), strict=True))
    except csv.Error as error:
        raise PlaceFileError(f"{path}: is no CSV file ({error}); save it as “CSV UTF-8”") from error
    faults = list(_heading_faults(rows[0] if rows else [], known))
    points: list[Point] = []
    if len(rows) > MOST_ROWS:
        faults.append(Fault(1, "", "", f"the file has more than {MOST_ROWS} rows; split it"))
    elif not faults:
        points, faults = _points(rows, known, today)
    return PlaceFile(path.name, hashlib.sha256(data).hexdigest(), tuple(points), tuple(faults))


def _heading_faults(heads: list[str], known: Known) -> Iterator[Fault]:
    for name in NEEDED:
        if name not in heads:
            yield Fault(1, name, "", "this column is missing; add it")
    for name in heads:
        if heads.count(name) > 1:
            yield Fault(1, name, name, "this column stands twice; remove one")
        if name not in PLAIN and not any(
            name.startswith(begin) and name.removeprefix(begin) in known.locales for begin in BY_LOCALE
        ):
            yield Fault(1, name, name, f"is no column of ours; use {', '.join(PLAIN)}, name_<locale>, desk_<locale>")


def _points(rows: list[list[str]], known: Known, today: date) -> tuple[list[Point], list[Fault]]:
    points: list[Point] = []
    faults: list[Fault] = []
    seen: dict[str, int] = {}
    for number, cells in enumerate(rows[1:], 2):
        if not any(cell.strip() for cell in cells):
            continue
        if len(cells) != len(rows[0]):
            faults.append(Fault(number, "", "", f"has {len(cells)} cells, the heading {len(rows[0])}; mend the row"))
            continue
        row = _Row(number, {name: " ".join(cell.split()) for name, cell in zip(rows[0], cells)}, known, today)
        points += row.point()
        faults += row.faults
        code = row.cell("code").upper()
        first = seen.setdefault(code, number)
        if first != number:
            faults.append(Fault(number, "code", code, f"stands in row {first} already; remove one"))
    return points, faults


class _Row:
    """One row; what is wrong with it gathers in `faults`."""

    def __init__(self, number: int, cells: Mapping[str, str], known: Known, today: date) -> None:
        self._number = number
        self._cells = cells
        self._known = known
        self._today = today
        self.faults: list[Fault] = []

    def cell(self, name: str) -> str:
        return self._cells.get(name, "")

    def point(self) -> list[Point]:
        """Return the point, or nothing where something is wrong."""
        for name in self._cells:
            if len(self.cell(name)) > LONGEST:
                self._fault(name, f"has more than {LONGEST} characters; shorten it")
        found = Point(
            code=self._code(), kind=self._one_of("kind", KINDS), names=self._words("name_"),
            state=self._state(), district=self._district(), latitude=self._degrees("latitude"),
            longitude=self._degrees("longitude"), locales=self._locales(),
            aliases=tuple(filter(None, (part.strip() for part in self.cell("aliases").split(";")))),
            desk=Desk(self._words("desk_"), self._hours(), self._phone("desk_phone")),
            rpf=self._post("rpf"), grp=self._post("grp"), child_desk=self._post("child_desk"),
            source=self.cell("source"), verified_on=self._verified_on(),
        )  # fmt: skip
        if not found.names.get("en"):
            self._fault("name_en", "is empty; write the name in English")
        return [] if self.faults else [found]

    def _fault(self, column: str, what: str) -> None:
        self.faults.append(Fault(self._number, column, self.cell(column)[:60], what))

    def _code(self) -> str:
        code = self.cell("code").upper()
        if not CODE.fullmatch(code):
            self._fault("code", "use 2 to 12 letters A-Z and digits, as on the station's board")
        return code

    def _one_of(self, column: str, values: tuple[str, ...]) -> str:
        if self.cell(column) not in values:
            self._fault(column, f"use one of {', '.join(values)}")
        return self.cell(column)

    def _state(self) -> str:
        if self.cell("state") not in self._known.states:
            self._fault("state", "is no State's code; use those of content/directory/states.yaml, for example BR")
        return self.cell("state")

    def _district(self) -> str:
        name, state = self.cell("district"), self.cell("state")
        if state in self._known.states and (name, state) not in self._known.districts:
            self._fault(
                "district", f"is no district of {state} in content/directory/districts.csv; correct the spelling"
            )
        return name

    def _degrees(self, column: str) -> float:
        low, high = INDIA[column]
        try:
            value = float(self.cell(column))
        except ValueError:
            value = float("nan")
        if not low <= value <= high:
            self._fault(column, f"write degrees between {low:g} and {high:g}, for example {low + 20:g}.5")
        return value

    def _locales(self) -> tuple[str, ...]:
        codes = tuple(dict.fromkeys(self.cell("languages").replace(";", " ").split()))
        unknown = [code for code in codes if code not in self._known.locales]
        if not codes or unknown:
            self._fault("languages", "name the languages heard there, most heard first, for example: bn hi en")
        return codes

    def _words(self, begin: str) -> dict[str, str]:
        return {name.removeprefix(begin): words for name, words in self._cells.items() if self._has(name, begin, words)}

    def _has(self, name: str, begin: str, words: str) -> bool:
        return bool(words) and name.startswith(begin) and name.removeprefix(begin) in self._known.locales

    def _hours(self) -> str:
        if self.cell("hours") and not HOURS.fullmatch(self.cell("hours")):
            self._fault("hours", "write 24x7 or for example 08:00-20:00")
        return self.cell("hours")

    def _phone(self, column: str) -> str:
        if self.cell(column) and not PHONE.fullmatch(self.cell(column)):
            self._fault(column, "write a phone number: digits, spaces, hyphens, + in front")
        return self.cell(column)

    def _post(self, column: str) -> Post:
        said, phone = self.cell(column).casefold(), self._phone(f"{column}_phone")
        if said not in YES | NO:
            self._fault(column, "write yes or no")
        if phone and said not in YES:
            self._fault(column, f"{column}_phone has a number; write yes here, or take the number away")
        return Post(said in YES, phone)

    def _verified_on(self) -> date | None:
        claims = any(self.cell(name) for name in self._cells if name.startswith(("desk_", "hours"))) or any(
            self.cell(name).casefold() in YES for name in ("rpf", "grp", "child_desk")
        )
        if claims and not self.cell("source"):
            self._fault("source", "is empty; say who told of the desk, police or phone numbers")
        if not self.cell("verified_on"):
            if claims:
                self._fault("verified_on", "is empty; write the day on which it was checked, for example 2026-11-23")
            return None
        try:
            day = date.fromisoformat(self.cell("verified_on"))
        except ValueError:
            self._fault("verified_on", "is no date; write it as 2026-11-23")
            return None
        if day > self._today:
            self._fault("verified_on", "lies in the future; write the day on which it was checked")
        return day
