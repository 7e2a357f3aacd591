"""The lists of recruiters: what is in force and how old it is, what waits in quarantine, and a check as in the chat."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from aiohttp import web

from bot.console.auth import Session
from bot.console.views import Views
from bot.dialogue.answers import STALE_AFTER_DAYS
from bot.domain.agencies import Agency, AgencyList, Check, ListState, Match
from bot.recruiters.lists import Change, differences
from bot.service.imports import Difference, Refused

Service = Any
LONGEST_REASON = 300
SHORTEST_REASON = 3
LONGEST_QUERY = 1000
ROWS_SHOWN = 200
DIFFERENCES_SHOWN = 50
#: Comparing longer lists takes seconds; the page does it only when asked.
COMPARED_AT_ONCE = 50_000


@dataclass(frozen=True, slots=True)
class Shelf:
    """All versions of one list, newest first; the one in force, None if there is none."""

    source: str
    current: AgencyList | None
    versions: tuple[AgencyList, ...]
    today: date

    @property
    def newest(self) -> AgencyList:
        """The version whose title stands for the list."""
        return self.current or self.versions[0]

    @property
    def age(self) -> int:
        """Days since the day the list in force speaks of."""
        return (self.today - self.newest.as_of).days

    @property
    def is_stale(self) -> bool:
        """Whether a person hears that the list is old."""
        return self.current is not None and self.age > STALE_AFTER_DAYS

    @property
    def held(self) -> tuple[AgencyList, ...]:
        """The versions in quarantine."""
        return tuple(one for one in self.versions if one.state is ListState.QUARANTINED)


@dataclass(frozen=True, slots=True)
class Told:
    """What a version changes: how many rows of each kind, and the first of each with what differs."""

    counts: Mapping[str, int]
    shown: tuple[tuple[Difference, Mapping[str, tuple[str, str]]], ...]


class ListViews:
    """One method per route of the lists' part of the console."""

    def __init__(self, service: Service, views: Views, session_of: Callable[[web.Request], Session]) -> None:
        """*views* gives pages and the audit."""
        self._service = service
        self._views = views
        self._session = session_of
        self._comparing = asyncio.Lock()

    async def lists(self, request: web.Request) -> web.Response:
        """Every list: what is in force, how old, what waits."""
        return self._page("lists.html", request, shelves=await self._shelves())

    async def list_version(
        self, request: web.Request, *, error: str = "", typed: str = "", status: int = 200
    ) -> web.Response:
        """One version: where it comes from, what was left out, what it changes, its first rows."""
        listing = await self._listing(request)
        current = await self._service.imports.in_force(listing.source)
        in_force = current is not None and current.version == listing.version
        comparable = current is not None and not in_force and listing.has_rows
        long = comparable and max(listing.rows, current.rows) > COMPARED_AT_ONCE
        told = None
        if comparable and (not long or request.query.get("compare") == "yes"):
            told = await self._compared(listing.source, current.version, listing.version)
        return self._page(
            "lists_version.html",
            request,
            status=status,
            listing=listing,
            in_force=in_force,
            acts=() if in_force or not listing.has_rows else ACTS.get(listing.state, ()),
            told=told,
            ask_to_compare=long and told is None,
            rows=await self._service.agencies.first_rows(listing.source, listing.version, ROWS_SHOWN),
            error=error,
            typed=typed,
        )

    async def release_list(self, request: web.Request) -> web.StreamResponse:
        """Put a quarantined version in force."""
        return await self._act(request, self._service.imports.release)

    async def discard_list(self, request: web.Request) -> web.StreamResponse:
        """Drop a quarantined version."""
        return await self._act(request, self._service.imports.discard)

    async def restore_list(self, request: web.Request) -> web.StreamResponse:
        """Put an older version in force again."""
        return await self._act(request, self._service.imports.roll_back)

    async def _act(self, request: web.Request, verb: Callable[..., Any]) -> web.StreamResponse:
        listing = await self._listing(request)
        reason = " ".join(str((await request.post()).get("reason", ""))[:LONGEST_REASON].split())
        if len(reason) < SHORTEST_REASON:
            return await self.list_version(request, error="lists.reason_missing", typed=reason, status=400)
        try:
            await verb(listing.source, listing.version, self._session(request).responder.id, reason)
        except Refused:
            return await self.list_version(request, error="lists.refused", typed=reason, status=409)
        raise web.HTTPSeeOther("/console/lists")

    async def recruiters(self, request: web.Request) -> web.Response:
        """Ask for a name or number; the form is posted, so that no address and no log carries the words."""
        return self._page("recruiters.html", request, query="", found=None, matches=())

    async def check_recruiter(self, request: web.Request) -> web.Response:
        """Say what the chat would find, with the rows it rests on; the audit says only that somebody looked."""
        query = str((await request.post()).get("query", ""))[:LONGEST_QUERY].strip()
        found: Check | None = self._service.recruiters.check(query) if query else None
        if found:
            await self._views.record(self._session(request).responder.id, "recruiter looked up")
        matches = [await self._row(match) for match in found.matches] if found else []
        return self._page("recruiters.html", request, query=query, found=found, matches=matches)

    async def _row(self, match: Match) -> tuple[Match, Agency, AgencyList | None]:
        """Return a match with its row as it was stored, which knows its line, and its list."""
        listing: AgencyList | None = self._service.recruiters.lists.get(match.agency.source)
        if not listing:
            return match, match.agency, None
        stored = await self._service.agencies.find(listing.source, listing.version, [match.agency.id])
        return match, stored.get(match.agency.id, match.agency), listing

    # --- helpers

    async def _shelves(self) -> Sequence[Shelf]:
        current = {one.source: one for one in await self._service.agencies.lists()}
        versions: dict[str, list[AgencyList]] = {}
        for one in await self._service.agencies.versions():
            versions.setdefault(one.source, []).append(one)
        today = self._service.now().date()
        return [Shelf(source, current.get(source), tuple(found), today) for source, found in versions.items()]

    async def _compared(self, source: str, old: int, new: int) -> Told | None:
        """Compare two versions, one pair at a time; None if one of them has gone meanwhile."""
        counts: Counter[str] = Counter({change.value: 0 for change in Change})
        shown = []
        try:
            async with self._comparing:
                async for found in self._service.imports.differences(source, old, new):
                    counts[found.change.value] += 1
                    if counts[found.change.value] <= DIFFERENCES_SHOWN:
                        fields = differences(found.old, found.new) if found.old and found.new else {}
                        shown.append((found, fields))
        except Refused:
            return None
        return Told(counts, tuple(shown))

    async def _listing(self, request: web.Request) -> AgencyList:
        number = request.match_info["version"]
        found: AgencyList | None = None
        if number.isascii() and number.isdigit() and len(number) < 7:  # noqa: PLR2004
            found = await self._service.agencies.version(request.match_info["source"][:64], int(number))
        if not found:
            raise web.HTTPNotFound(text="no such list")
        return found

    def _page(self, template: str, request: web.Request, *, status: int = 200, **context: Any) -> web.Response:  # noqa: ANN401 - values for a template
        return self._views.page(template, request, self._session(request), status=status, **context)


#: What an administrator may do with a version that is not in force.
ACTS = {ListState.QUARANTINED: ("release", "discard"), ListState.KEPT: ("restore",)}
