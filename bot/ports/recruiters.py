"""Lists of recruiters, and what people report about them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Protocol

from bot.domain.agencies import Agency, AgencyList, ListState
from bot.domain.identifiers import Identifier
from bot.domain.private import Private
from bot.domain.reports import Decision, Report, ReportFile, Sheet, SheetLine


class Agencies(Protocol):
    """Imported lists of recruiters, every former version kept."""

    async def lists(self) -> Sequence[AgencyList]:
        """Return the version in force of every list, without the problems of its file."""
        ...

    async def versions(self, source: str = "") -> Sequence[AgencyList]:
        """Return every version of one list, or of all, newest first; without the problems of their files."""
        ...

    async def version(self, source: str, number: int) -> AgencyList | None:
        """Return one version with the problems of its file."""
        ...

    async def rows(self, source: str) -> Sequence[Agency]:
        """Return the rows of the version in force of one list."""
        ...

    def each_row(self, source: str, version: int | None = None) -> AsyncIterator[Agency]:
        """Yield the rows of one version, else of the one in force, in the order of the file."""
        ...

    async def first_rows(self, source: str, version: int, most: int) -> Sequence[Agency]:
        """Return at most *most* rows from the top of the file."""
        ...

    async def find(self, source: str, version: int, ids: Sequence[str]) -> Mapping[str, Agency]:
        """Return the rows of these ids, those that are there."""
        ...

    async def store(self, listing: AgencyList, rows: Iterable[Agency]) -> AgencyList:
        """Store a new version under the next number, as `STORING`: not in force, and not yet to be put in force."""
        ...

    async def settle(self, listing: AgencyList, state: ListState, reason: str = "") -> AgencyList:
        """Say what became of a version that has been stored: kept or quarantined."""
        ...

    async def apply(self, listing: AgencyList, rows: Sequence[Agency]) -> AgencyList:
        """Store a new version and put it in force."""
        ...

    async def make_current(self, source: str, version: int, *, by: str = "", release: bool = False) -> None:
        """Put one version in force by one write; with *release* also a quarantined one. Raise `LookupError`."""
        ...

    async def discard(self, source: str, version: int) -> bool:
        """Drop the rows of a quarantined version, its line stays; False if it is not (any more) quarantined."""
        ...

    async def prune(self, source: str, keep: int, now: datetime) -> int:
        """Drop the rows of all but the *keep* newest kept versions and the one in force; return how many versions."""
        ...


class Reports(Protocol):
    """Reports about recruiters, each under the id of its case, what humans decided of them, and the sheets."""

    def key(self, identifier: Identifier) -> str:
        """Return the keyed hash by which an identifier is found again."""
        ...

    async def stamp(self) -> tuple[int, int, int]:
        """Return a value that changes whenever a report or a decision does."""
        ...

    async def live(self) -> Sequence[Report]:
        """Return every report that counts, with hashes only."""
        ...

    async def decisions(self) -> Sequence[Decision]:
        """Return all, oldest first, without their reasons."""
        ...

    async def reasons(self, numbers: Sequence[int]) -> Mapping[int, Private]:
        """Return the reasons of some decisions."""
        ...

    async def decide(self, decision: Decision, seen: int) -> Decision:
        """Append the decision after number *seen*. Raise `VersionClash` if that is not the last."""
        ...

    async def file(self, case_id: str) -> ReportFile | None:
        """Return one report, readable."""
        ...

    async def files(self, case_ids: Sequence[str]) -> Sequence[ReportFile]:
        """Return several, readable; those that are gone are left out."""
        ...

    async def hold(self, case_id: str, conversation: str, identifier: Identifier, who: str, now: datetime) -> bool:
        """Add an identifier, beginning the report if there is none; False if it is there or the report is full."""
        ...

    async def let_go(self, case_id: str, key: str) -> bool:
        """Take an identifier out for good; False if it is not there."""
        ...

    async def describe(self, case_id: str, conversation: str, district: str, amount: int, now: datetime) -> None:
        """Keep district and amount."""
        ...

    async def retract(self, case_id: str, conversation: str, who: str, reason: str, now: datetime) -> bool:
        """Let a report count no more; False if it does not count already."""
        ...

    async def restore(self, case_id: str) -> bool:
        """Let a retracted report count again; False if it was not retracted."""
        ...

    async def expire(self, before: datetime) -> int:
        """Remove the reports that were opened before; return how many."""
        ...

    async def next_sheet(self, reports: Sequence[str], line: SheetLine) -> SheetLine:
        """Take the next number of a sheet."""
        ...

    async def sheet_made(self, number: int, digest: str, file: str) -> None:
        """Record what was handed out."""
        ...

    async def sheets(self, reports: Sequence[str]) -> Sequence[SheetLine]:
        """Return the sheets that told of any of these reports, newest first."""
        ...


class SheetWriter(Protocol):
    """Writes a sheet as a file."""

    def write(self, sheet: Sheet, form: str, words: Mapping[str, str]) -> bytes:
        """Return the bytes of a `pdf` or `csv`; *words*: what the sheet says itself, in the language of its maker."""
        ...
