"""Transit points and their posters: what hangs where, what was reported, withdrawing, printing."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from aiohttp import web
from markupsafe import Markup

from bot.console.auth import Session
from bot.console.views import Views
from bot.content.wall import in_order
from bot.domain import codes, crowds
from bot.domain.places import Point, Poster, Purpose
from bot.service.places import KINDS, MOST_LOCALES, SIZES, PlacesRefused, ways_of

Service = Any
LONGEST_REASON = 300
SHORTEST_REASON = 3
DAYS = 30
ASKED = ("train", "wages", "papers", "agent", "talk")


@dataclass(frozen=True, slots=True)
class Wall:
    """A point with its posters, and how often it was scanned and written from: words, for small numbers are hidden."""

    point: Point
    posters: tuple[Poster, ...]
    scans: str
    starts: str
    stale: bool

    @property
    def flags(self) -> int:
        """How often somebody found a poster wrong."""
        return sum(poster.flags for poster in self.posters if not poster.revoked_at)


class PlaceViews:
    """One method per route of the places' part of the console."""

    def __init__(self, service: Service, views: Views, session_of: Callable[[web.Request], Session]) -> None:
        """*views* gives pages and the audit."""
        self._service = service
        self._views = views
        self._session = session_of
        self._drawing = asyncio.Lock()

    async def list_places(self, request: web.Request, *, error: str = "", status: int = 200) -> web.Response:
        """Every point, those with a reported poster first."""
        directory, today = self._service.places.directory, self._service.now().date()
        rows = crowds.shown(await self._service.places.counts(DAYS + 1), today)
        walls = [
            Wall(
                point, directory.of(point.code), _together(rows, point.code, "scan"),
                _together(rows, point.code, "start"), bool(point.verified_on) and not point.is_fresh(today),
            )
            for point in directory.points.values()
        ]  # fmt: skip
        walls.sort(key=lambda wall: (-wall.flags, wall.point.name))
        spaced = {poster.code: codes.spaced(poster.code) for poster in directory.posters.values()}
        return self._page(
            "places.html", request, status=status, walls=walls, spaced=spaced, purposes=tuple(Purpose), error=error
        )

    async def begin_series(self, request: web.Request) -> web.StreamResponse:
        """Give a place another code."""
        purpose = str((await request.post()).get("purpose", ""))
        if purpose not in tuple(Purpose):
            raise web.HTTPBadRequest(text="poster or sticker")
        place = request.match_info["place"][:64]
        try:
            await self._service.places.begin_series(place, Purpose(purpose), self._session(request).responder.id)
        except PlacesRefused as refused:
            raise web.HTTPNotFound(text="no such place") from refused
        raise web.HTTPSeeOther(f"/console/places#{place}")

    async def revoke_poster(self, request: web.Request) -> web.StreamResponse:
        """Withdraw a series, with a reason."""
        poster = self._poster(request)
        reason = " ".join(str((await request.post()).get("reason", ""))[:LONGEST_REASON].split())
        if len(reason) < SHORTEST_REASON:
            return await self.list_places(request, error="places.reason_missing", status=400)
        try:
            await self._service.places.revoke(poster.code, self._session(request).responder.id, reason)
        except PlacesRefused:
            return await self.list_places(request, error="places.gone", status=409)
        raise web.HTTPSeeOther(f"/console/places#{poster.place}")

    async def print_poster(self, request: web.Request) -> web.Response:
        """A page to be printed from the browser, and the way to the PDFs; nothing of a withdrawn series."""
        poster = self._poster(request)
        locales = self._locales(request, poster)
        printer = self._service.printer
        try:
            sheet = self._service.places.sheet(poster, locales, self._service.content, ways_of(self._service.config))
        except PlacesRefused as refused:
            return self._page("places_refused.html", request, status=409, why=str(refused))
        return self._page(
            "places_print.html", request, sheet=sheet, poster=poster, chosen=locales,
            offered=self._service.content.locales.values(), most=MOST_LOCALES, kinds=KINDS, sizes=SIZES,
            square=Markup(printer.square(sheet.link)),  # noqa: S704 - drawn by us
            picture=lambda name: Markup(printer.picture(name)), asked=ASKED,  # noqa: S704 - a file of ours
        )  # fmt: skip

    async def poster_pdf(self, request: web.Request) -> web.Response:
        """The same as PDF, drawn one at a time beside the service's own work."""
        poster, service = self._poster(request), self._service
        kind, size = request.query.get("kind", "poster"), request.query.get("size", "a4")
        if kind not in KINDS or size not in SIZES:
            raise web.HTTPBadRequest(text="kind: poster, sticker or volunteer; size: a4 or a3")
        try:
            locales = self._locales(request, poster)
            sheet = service.places.sheet(poster, locales, service.content, ways_of(service.config))
        except PlacesRefused as refused:
            return self._page("places_refused.html", request, status=409, why=str(refused))
        async with self._drawing:
            data = await asyncio.to_thread(service.printer.pdf, sheet, kind, size, service.now())
        name = f'inline; filename="{kind}-{sheet.code}.pdf"'
        return web.Response(body=data, content_type="application/pdf", headers={"Content-Disposition": name})

    def _poster(self, request: web.Request) -> Poster:
        found = self._service.places.directory.posters.get(codes.plain(request.match_info["poster"][:64]))
        if not found:
            raise web.HTTPNotFound(text="no such poster")
        poster: Poster = found
        return poster

    def _locales(self, request: web.Request, poster: Poster) -> Sequence[str]:
        """Return the languages asked for, else the first of the place's own."""
        asked = [code for code in request.query.getall("lang", []) if code in self._service.content.locales]
        point = self._service.places.directory.points.get(poster.place)
        own = in_order(point.locales if point else (), self._service.content)
        return (asked or [code for code in own if point and code in point.locales] or ["hi", "en"])[:MOST_LOCALES]

    def _page(self, template: str, request: web.Request, *, status: int = 200, **context: Any) -> web.Response:  # noqa: ANN401 - values for a template
        return self._views.page(template, request, self._session(request), status=status, **context)


def _together(rows: Sequence[crowds.Row], place: str, what: str) -> str:
    """Return the sum over all channels as far as it may be told."""
    sums = [row for row in rows if row.place == place and row.what == what and row.day is None]
    if not sums:
        return "–"
    number = sum(row.at_least if row.number is None else row.number for row in sums)
    if all(row.number is not None for row in sums):
        return str(number)
    return f"≥ {number}" if number else f"< {crowds.LEAST}"
