"""Reports about a recruiter, what humans decided about them, and the dated sheet that may leave the house."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from bot.domain.identifiers import Identifier, IdentifierKind
from bot.domain.private import NOTHING_SAID, Private


@dataclass(frozen=True, slots=True)
class Trace:
    """An identifier as reports are compared by: its keyed hash, and its kind. The hash says nothing by itself."""

    key: str
    kind: IdentifierKind


@dataclass(frozen=True, slots=True)
class Report:
    """One report that counts: the id of its case, whose it is (a conversation's hash), when, and its traces."""

    id: str
    person: str
    at: datetime
    traces: tuple[Trace, ...] = ()


class Action(StrEnum):
    """What a supervisor can decide about reports and identifiers."""

    JOIN = "join"
    SPLIT = "split"
    UNLINK = "unlink"
    NOT_TELLING = "not_telling"
    TELLING = "telling"
    CONFIRM = "confirm"
    EXTEND = "extend"
    SIGN = "sign"
    WITHDRAW = "withdraw"


@dataclass(frozen=True, slots=True)
class Decision:
    """One decision, never changed or removed.

    reports, others: ids of reports. join, split: the two sides · unlink: the reports in which the key tells nothing.
    confirm, extend, sign, withdraw: all reports of the history as the supervisor saw it. keys: keyed hashes.
    """

    action: Action
    who: str
    at: datetime
    reports: tuple[str, ...] = ()
    others: tuple[str, ...] = ()
    keys: tuple[str, ...] = ()
    reason: Private = NOTHING_SAID
    number: int = 0


class HistoryState(StrEnum):
    """Unconfirmed → confirmed (one recruiter, says a supervisor) → signed (may be answered) → withdrawn."""

    UNCONFIRMED = "unconfirmed"
    CONFIRMED = "confirmed"
    SIGNED = "signed"
    WITHDRAWN = "withdrawn"


@dataclass(frozen=True, slots=True)
class Held:
    """An identifier on a report, readable: its keyed hash, itself, who put it there (`person` or a responder), when."""

    key: str
    identifier: Identifier
    who: str
    at: datetime


@dataclass(frozen=True, slots=True)
class ReportFile:
    """A report as the people who look after it see it. amount: whole rupees, as a responder typed it; 0: none."""

    id: str
    at: datetime
    held: tuple[Held, ...] = ()
    district: str = ""
    amount: int = 0
    retracted_by: str = ""
    retracted_at: datetime | None = None
    reason: Private = NOTHING_SAID


@dataclass(frozen=True, slots=True)
class SheetReport:
    """What of one report stands on a sheet."""

    on: date
    district: str
    amount: int


@dataclass(frozen=True, slots=True)
class Sheet:
    """A history as it may leave the house: confirmed identifiers, dates, districts and amounts; nobody who reported.

    digest: SHA-256 of the content, hex; it stands on every copy, PDF or CSV.
    """

    number: int
    at: datetime
    who: str
    recipient: str
    reason: str
    state: HistoryState
    independent: int
    identifiers: tuple[tuple[Identifier, int], ...]
    reports: tuple[SheetReport, ...]
    left_out: int
    digest: str = ""


@dataclass(frozen=True, slots=True)
class SheetLine:
    """One line of the register of sheets: file is the SHA-256 of the bytes that were handed out."""

    number: int
    at: datetime
    who: str
    recipient: Private
    reason: Private
    form: str
    digest: str
    file: str
