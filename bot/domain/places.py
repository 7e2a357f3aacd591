"""Transit points as an operator knows them, the posters that hang there, and what both are worth today."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Final

from bot.domain.codes import Phrase

#: What an operator told of a desk is not shown any more after so long.
FRESH_FOR: Final = timedelta(days=180)
#: So long after a scan the conversation knows where the person is.
HERE_FOR: Final = timedelta(hours=48)


class Purpose(StrEnum):
    """What a code is printed on; each can be withdrawn alone."""

    POSTER = "poster"
    STICKER = "sticker"


@dataclass(frozen=True, slots=True)
class Post:
    """A service at a place: whether it is there, and its phone number if the operator gave one."""

    there: bool = False
    phone: str = ""


NO_POST: Final = Post()


@dataclass(frozen=True, slots=True)
class Desk:
    """The operator's help desk: where it is (by locale), when it is open ("24x7" or "08:00-20:00"), its phone."""

    where: Mapping[str, str] = field(default_factory=dict)
    hours: str = ""
    phone: str = ""


@dataclass(frozen=True, slots=True)
class Point:
    """A station, bus stand or crossing. Latitude and longitude in degrees; `locales`: those heard there, in order.

    `source` and `verified_on` tell who said what stands here of desks and police, and when.
    """

    code: str
    kind: str
    names: Mapping[str, str]
    state: str
    district: str
    latitude: float
    longitude: float
    locales: tuple[str, ...]
    aliases: tuple[str, ...] = ()
    desk: Desk = field(default_factory=Desk)
    rpf: Post = NO_POST
    grp: Post = NO_POST
    child_desk: Post = NO_POST
    source: str = ""
    verified_on: date | None = None

    @property
    def name(self) -> str:
        """Its name in English."""
        return self.names["en"]

    def named(self, locale: str) -> str:
        """Return its name in *locale*, else in English."""
        return self.names.get(locale) or self.name

    def is_fresh(self, today: date) -> bool:
        """Say whether what is told of desks and police may still be shown."""
        return self.verified_on is not None and today - self.verified_on <= FRESH_FOR


@dataclass(frozen=True, slots=True)
class Poster:
    """One series of posters or stickers of one place: its code, its words, and what became of it."""

    place: str
    purpose: Purpose
    series: int
    code: str
    phrase: Phrase
    revoked_at: datetime | None = None
    revoked_by: str = ""
    reason: str = ""
    flags: int = 0
    flagged_at: datetime | None = None

    @property
    def id(self) -> str:
        """Place, purpose and series in one."""
        return poster_id(self.place, self.purpose, self.series)


@dataclass(frozen=True, slots=True)
class PosterRow:
    """What is kept of a series: a first series of which there is nothing to tell has none."""

    place: str
    purpose: Purpose
    series: int
    revoked_at: datetime | None = None
    revoked_by: str = ""
    reason: str = ""
    flags: int = 0
    flagged_at: datetime | None = None


def poster_id(place: str, purpose: Purpose, series: int) -> str:
    """Return the name under which a series is kept."""
    return f"{place}:{purpose.value}:{series}"


@dataclass(frozen=True, slots=True)
class Directory:
    """Every point by its code, and every poster by the code that stands on it, withdrawn ones too."""

    points: Mapping[str, Point] = field(default_factory=dict)
    posters: Mapping[str, Poster] = field(default_factory=dict)

    def valid(self, code: str) -> Poster | None:
        """Return the poster that carries *code*; None for one that is unknown or withdrawn."""
        found = self.posters.get(code)
        return found if found and not found.revoked_at and found.place in self.points else None

    def of(self, place: str) -> tuple[Poster, ...]:
        """Return the posters of a place, in the order of purpose and series."""
        mine = (poster for poster in self.posters.values() if poster.place == place)
        return tuple(sorted(mine, key=lambda poster: (poster.purpose, poster.series)))

    def newest(self, place: str, purpose: Purpose) -> Poster | None:
        """Return the newest series that has not been withdrawn."""
        left = [poster for poster in self.of(place) if poster.purpose is purpose and not poster.revoked_at]
        return left[-1] if left else None


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong in one cell of a file: row 1 is the heading, `column` "" for the whole row."""

    row: int
    column: str
    value: str
    what: str

    def __str__(self) -> str:
        where = f"row {self.row}" + (f", column {self.column}" if self.column else "")
        return f"{where}: {self.value!r}: {self.what}" if self.value else f"{where}: {self.what}"


class VersionState(StrEnum):
    """What became of an imported file."""

    KEPT = "kept"
    QUARANTINED = "quarantined"


@dataclass(frozen=True, slots=True)
class PlaceList:
    """One imported file: its number, who brought it when, how many points, what is wrong with it."""

    version: int
    state: VersionState
    file: str
    checksum: str
    rows: int
    by: str
    at: datetime
    faults: tuple[Fault, ...] = ()
    doubt: str = ""


@dataclass(frozen=True, slots=True)
class Count:
    """How often something happened at a place on a day: `what` is "scan" or "start", `place` "" where unknown."""

    place: str
    day: date
    what: str
    channel: str
    number: int = 1
