"""Who is on which list of recruiters, and what we may honestly say about a name."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum


class Standing(StrEnum):
    """What a list says of an agency."""

    ACTIVE = "active"
    EXPIRED = "expired"
    SUSPENDED = "suspended"
    CANCELLED = "cancelled"
    BLACKLISTED = "blacklisted"
    UNREGISTERED = "unregistered"


class Kind(StrEnum):
    """What the agencies of a list do: send abroad, place in homes and firms, bring gangs of workers, guard."""

    OVERSEAS = "overseas"
    PLACEMENT = "placement"
    CONTRACTOR = "contractor"
    SECURITY = "security"


@dataclass(frozen=True, slots=True)
class Agency:
    """One row of a list: exact name, licence number, standing, validity, place, phones, and where it came from.

    kind: a value of `Kind`; line: where the row ends in the file it came from, 0 if unknown, no part of equality.
    """

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
    line: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class Problem:
    """A row left out or not taken as it stands: its line in the file, what is wrong, why it matters, what to do.

    line: where the row ends in a CSV file, its row in an XLSX sheet; 1 is the first.
    """

    line: int
    what: str
    why: str
    what_to_do: str


class ListState(StrEnum):
    """What became of an imported version; which of the kept ones is in force is said elsewhere."""

    STORING = "storing"
    KEPT = "kept"
    QUARANTINED = "quarantined"
    DISCARDED = "discarded"


@dataclass(frozen=True, slots=True)
class AgencyList:
    """One imported version of one list: as-of date, SHA-256 of the file, whether it is made up for trying out.

    file: its name without folders; by: who imported it; reason: why it was not believed; left_out: rows that could not
    be read; problems: the first, only where one version is asked for; has_rows: False once its rows are dropped.
    """

    source: str
    title: str
    as_of: date
    imported_at: datetime
    checksum: str
    sample: bool
    rows: int
    version: int = 1
    url: str = ""
    kind: str = "overseas"
    file: str = ""
    by: str = ""
    state: ListState = ListState.KEPT
    reason: str = ""
    left_out: int = 0
    problems: tuple[Problem, ...] = ()
    has_rows: bool = True


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
