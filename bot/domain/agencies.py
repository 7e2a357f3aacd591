"""Who is on which list of recruiters, and what we may honestly say about a name."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum


class Standing(StrEnum):
    """What a list says of an agency."""

    ACTIVE = "active"
    EXPIRED = "expired"
    SUSPENDED = "suspended"
    CANCELLED = "cancelled"
    UNREGISTERED = "unregistered"


@dataclass(frozen=True, slots=True)
class Agency:
    """One row of a list: exact name, licence number, standing, validity, place, contacts, and where it came from."""

    id: str
    name: str
    licence: str
    standing: Standing
    valid_until: date | None = None
    place: str = ""
    phones: tuple[str, ...] = ()
    emails: tuple[str, ...] = ()
    source: str = ""
    kind: str = "overseas"
    webs: tuple[str, ...] = ()
    upis: tuple[str, ...] = ()
    address: str = ""


@dataclass(frozen=True, slots=True)
class AgencyList:
    """One imported version of one list: as-of date, checksum of the file, whether it is made up for trying out."""

    source: str
    title: str
    as_of: date
    imported_at: datetime
    checksum: str
    sample: bool
    rows: int
    version: int = 1
    url: str = ""


class Verdict(StrEnum):
    """The honest answers; there is no `safe`."""

    LISTED = "listed"
    LAPSED = "lapsed"
    LOOKALIKE = "lookalike"
    UNREGISTERED = "unregistered"
    NOT_FOUND = "not_found"


@dataclass(frozen=True, slots=True)
class Match:
    """An agency that a query may mean: score 0 to 100, and which details agree or differ (`name`, `phone`, …).

    meant: `licence` or `phone` when nothing but one wrong character in it speaks for this agency ("did you mean").
    """

    agency: Agency
    score: float
    agrees: tuple[str, ...] = ()
    differs: tuple[str, ...] = ()
    meant: str = ""


@dataclass(frozen=True, slots=True)
class Check:
    """The verdict on a query, its best matches first (at most five)."""

    verdict: Verdict
    matches: tuple[Match, ...] = ()
