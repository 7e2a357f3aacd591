"""Transit points, their posters, and the printer."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import Protocol

from bot.domain.places import Count, PlaceList, Point, PosterRow, Purpose
from bot.domain.wall import WallSheet


class PlaceStore(Protocol):
    """Transit points by version, what became of posters, and counts by day."""

    async def in_force(self) -> int:
        """Return the number of the version in force; 0 for none."""
        ...

    async def make_current(self, version: int) -> None:
        """Put a version in force."""
        ...

    async def points(self, version: int) -> Sequence[Point]:
        """Return the points of one version, by code."""
        ...

    async def lists(self) -> Sequence[PlaceList]:
        """Return every imported file, newest first."""
        ...

    async def keep(self, listing: PlaceList, points: Sequence[Point]) -> PlaceList:
        """Store a file under the next number; not yet in force."""
        ...

    async def release(self, version: int) -> None:
        """Take a version out of quarantine."""
        ...

    async def posters(self) -> Sequence[PosterRow]:
        """Return what is known of posters: later series, withdrawn ones, reported ones."""
        ...

    async def add_series(self, place: str, purpose: Purpose, series: int, now: datetime) -> bool:
        """Begin a series; False if somebody else began it meanwhile."""
        ...

    async def revoke(self, place: str, purpose: Purpose, series: int, who: str, reason: str, now: datetime) -> bool:
        """Withdraw a series for good; False if it was withdrawn before."""
        ...

    async def count(self, counts: Sequence[Count]) -> None:
        """Add to the day's numbers."""
        ...

    async def counts(self, since: date) -> Sequence[Count]:
        """Return the numbers of every day from *since* on."""
        ...


class WallPrinter(Protocol):
    """Makes of a sheet what is printed."""

    def pdf(self, sheet: WallSheet, kind: str, size: str, at: datetime) -> bytes:
        """Return a PDF of a `poster`, of `sticker`s or of a `volunteer`'s sheet on `a4` or `a3`; takes seconds."""
        ...

    def square(self, link: str) -> str:
        """Return the QR code of *link* as SVG with its quiet zone."""
        ...

    def picture(self, name: str) -> str:
        """Return a pictogram as SVG in the colour of the text round it."""
        ...
