"""New versions of lists: compared with the one in force, taken or quarantined, released, discarded, rolled back."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from bot.domain.agencies import Agency, AgencyList, ListState
from bot.ports import Agencies, Audit, Stamp
from bot.recruiters.lists import Change, Comparison, Tally, refusal, unreadable

LOOKED_UP = 500


class Refused(Exception):
    """What was asked cannot be done with this version of this list; says why."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of an import: the stored version, None if only tried; what it changes; why it is not believed."""

    listing: AgencyList | None
    change: Tally
    doubt: str


@dataclass(frozen=True, slots=True)
class Difference:
    """One row that two versions do not share alike: before and after, None where it is not."""

    change: Change
    old: Agency | None
    new: Agency | None

    @property
    def agency(self) -> Agency:
        """The row as it stands, or stood last."""
        found = self.new or self.old
        assert found  # noqa: S101 - one of the two is always there
        return found


class Imports:
    """What people do with versions of lists; each act leaves its line in the audit."""

    def __init__(self, agencies: Agencies, audit: Audit, now: Callable[[], datetime], keep: int) -> None:
        """*keep*: of how many versions of a list the rows are kept."""
        self._agencies = agencies
        self._audit = audit
        self._now = now
        self._keep = keep

    async def try_out(self, listing: AgencyList, rows: Iterable[Agency]) -> Outcome:
        """Say what a new version would change; nothing is stored."""
        comparison = await self._in_force(listing.source)
        count = sum(1 for _ in comparison.passing(rows))
        return Outcome(None, comparison.tally, _doubt(comparison.tally, count, listing.left_out))

    async def take(self, listing: AgencyList, rows: Iterable[Agency], *, force: bool) -> Outcome:
        """Store a new version and put it in force, or in quarantine if it is not believed and not forced."""
        comparison = await self._in_force(listing.source)
        stored = await self._agencies.store(listing, comparison.passing(rows))
        change = comparison.tally
        doubt = _doubt(change, stored.rows, listing.left_out)
        about = f"{stored.source} version {stored.version}"
        if doubt and not force:
            held = await self._agencies.settle(stored, ListState.QUARANTINED, doubt)
            await self._record(listing.by, "list quarantined", about, doubt)
            return Outcome(held, change, doubt)
        kept = await self._agencies.settle(stored, ListState.KEPT, doubt)
        await self._agencies.make_current(kept.source, kept.version, by=listing.by)
        await self._record(listing.by, "list imported", about, doubt)
        await self._agencies.prune(kept.source, self._keep, self._now())
        return Outcome(kept, change, doubt)

    async def release(self, source: str, version: int, who: str, reason: str) -> AgencyList:
        """Put a quarantined version in force. Raise `Refused`."""
        listing = await self._known(source, version)
        if listing.state is not ListState.QUARANTINED:
            raise Refused(f"{source}: version {version} is not in quarantine ({listing.state.value})")
        await self._make_current(listing, who, release=True)
        await self._record(who, "list released", f"{source} version {version}", reason)
        return listing

    async def discard(self, source: str, version: int, who: str, reason: str) -> AgencyList:
        """Drop a quarantined version; its line stays. Raise `Refused`."""
        listing = await self._known(source, version)
        if not await self._agencies.discard(source, version):
            raise Refused(f"{source}: version {version} is not in quarantine ({listing.state.value})")
        await self._record(who, "list discarded", f"{source} version {version}", reason)
        return listing

    async def roll_back(self, source: str, version: int, who: str, reason: str) -> AgencyList:
        """Put an older version in force. Raise `Refused`."""
        listing = await self._known(source, version)
        if listing.state is not ListState.KEPT or not listing.has_rows:
            raise Refused(f"{source}: the rows of version {version} cannot be used ({_why_not(listing)})")
        await self._make_current(listing, who, release=False)
        await self._record(who, "list rolled back", f"{source} version {version}", reason)
        return listing

    async def in_force(self, source: str) -> AgencyList | None:
        """Return the version of one list that is in force."""
        return next((listing for listing in await self._agencies.lists() if listing.source == source), None)

    async def differences(self, source: str, old: int, new: int) -> AsyncIterator[Difference]:
        """Yield what differs between two versions, as it is found; the rows removed come last. Raise `Refused`."""
        await self._comparable(source, old)
        await self._comparable(source, new)
        comparison = await self._compare_with(source, old)
        changed: list[Agency] = []
        async for agency in self._agencies.each_row(source, new):
            change = comparison.new(agency)
            if change is Change.ADDED:
                yield Difference(change, None, agency)
            elif change is Change.CHANGED:
                changed.append(agency)
            if len(changed) >= LOOKED_UP:
                async for found in self._changed(source, old, changed):
                    yield found
                changed.clear()
        async for found in self._changed(source, old, changed):
            yield found
        async for found in self._removed(source, old, comparison.removed):
            yield found

    async def _changed(self, source: str, old: int, rows: Sequence[Agency]) -> AsyncIterator[Difference]:
        before = await self._agencies.find(source, old, [agency.id for agency in rows]) if rows else {}
        for agency in rows:
            yield Difference(Change.CHANGED, before.get(agency.id), agency)

    async def _removed(self, source: str, old: int, ids: Sequence[str]) -> AsyncIterator[Difference]:
        for start in range(0, len(ids), LOOKED_UP):
            for agency in (await self._agencies.find(source, old, ids[start : start + LOOKED_UP])).values():
                yield Difference(Change.REMOVED, agency, None)

    async def _comparable(self, source: str, version: int) -> None:
        listing = await self._known(source, version)
        if not listing.has_rows:
            raise Refused(f"{source}: the rows of version {version} cannot be compared ({_why_not(listing)})")

    async def _in_force(self, source: str) -> Comparison:
        listing = await self.in_force(source)
        return await self._compare_with(source, listing.version) if listing else Comparison()

    async def _compare_with(self, source: str, version: int) -> Comparison:
        comparison = Comparison()
        async for agency in self._agencies.each_row(source, version):
            comparison.old(agency)
        return comparison

    async def _known(self, source: str, version: int) -> AgencyList:
        listing = await self._agencies.version(source, version)
        if not listing:
            versions = await self._agencies.versions(source)
            known = ", ".join(str(one.version) for one in versions if one.state is ListState.KEPT) or "none"
            raise Refused(f"{source}: has no version {version} (kept: {known}); see sahyatri agencies status")
        return listing

    async def _make_current(self, listing: AgencyList, who: str, *, release: bool) -> None:
        try:
            await self._agencies.make_current(listing.source, listing.version, by=who, release=release)
        except LookupError as error:
            raise Refused(f"{listing.source}: version {listing.version} has changed meanwhile; look again") from error

    async def _record(self, who: str, action: str, about: str, reason: str) -> None:
        await self._audit.record(Stamp(who or "?", action, about, reason), self._now())


def _doubt(change: Tally, rows: int, left_out: int) -> str:
    return " ".join(filter(None, (refusal(change), unreadable(rows, left_out))))


def _why_not(listing: AgencyList) -> str:
    return listing.state.value if listing.has_rows or listing.state is not ListState.KEPT else "its rows are dropped"
