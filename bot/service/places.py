"""Transit points in force: brought by a file or shipped, with their posters; imports, series, withdrawals, counts."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Final, Protocol

from bot.content.model import Content, Place
from bot.content.wall import wall_text
from bot.dialogue.gazetteer import Gazetteer
from bot.domain import codes
from bot.domain.conversation import Arrived, Turn
from bot.domain.places import (
    Count,
    Directory,
    PlaceList,
    Point,
    Poster,
    PosterRow,
    Purpose,
    VersionState,
)
from bot.domain.wall import WallSheet
from bot.ports import Audit, PlaceStore, Stamp

#: A file that drops more than this share of the points in force, and more than a few, is not believed.
LOST: Final = 0.2
FEW: Final = 3
MOST_LOCALES: Final = 4
KINDS: Final = ("poster", "sticker", "volunteer")
SIZES: Final = ("a4", "a3")


class PlacesRefused(Exception):
    """What was asked cannot be done with this place, poster or version: says why and what to do."""


@dataclass(frozen=True, slots=True)
class Ways:
    """How people reach us, as it is printed: the public address, the WhatsApp number, the bot's name."""

    public_url: str
    whatsapp: str
    telegram: str


class Reach(Protocol):
    """The settings that tell how people reach us."""

    @property
    def public_url(self) -> str:
        """The https address people reach, "" for none."""
        ...

    @property
    def whatsapp_number(self) -> str:
        """The number people write to, "" for none."""
        ...

    @property
    def telegram_bot_name(self) -> str:
        """The bot's @name, "" for none."""
        ...


def ways_of(config: Reach) -> Ways:
    """Return what the settings say."""
    return Ways(config.public_url, config.whatsapp_number, config.telegram_bot_name)


@dataclass(frozen=True, slots=True)
class Changes:
    """What a file changes in the points brought by the file in force, by code."""

    added: tuple[str, ...]
    removed: tuple[str, ...]
    changed: tuple[str, ...]


class Places:
    """The directory in memory, and what people do with it; each act leaves its line in the audit."""

    def __init__(
        self, store: PlaceStore, audit: Audit, content: Content, key: bytes, now: Callable[[], datetime]
    ) -> None:
        """*key* signs the codes: with another key every poster that hangs would be unknown."""
        self._store = store
        self._audit = audit
        self._content = content
        self._key = key
        self._now = now
        self._shipped = shipped(content)
        self._version = 0
        self._rows: tuple[PosterRow, ...] = ()
        self._counted: Counter[tuple[str, date, str, str]] = Counter()
        self.gazetteer = Gazetteer(content)
        self.directory = directory_of(self._shipped, (), key)

    async def refresh(self) -> None:
        """Load what is in force, where it has changed; the counts so far are written."""
        await self.flush()
        version, rows = await self._store.in_force(), tuple(await self._store.posters())
        if version == self._version and rows == self._rows:
            return
        points = self.directory.points
        if version != self._version:
            brought = {point.code: point for point in await self._store.points(version)}
            points = {**self._shipped, **brought}
            named = replace(self._content, places={code: _place(point) for code, point in points.items()})
            self.gazetteer = await asyncio.to_thread(Gazetteer, named)
        self._version, self._rows = version, rows
        self.directory = directory_of(points, rows, self._key)

    # --- files

    async def compare(self, points: Sequence[Point]) -> Changes:
        """Say what these points would change."""
        old = {point.code: point for point in await self._store.points(await self._store.in_force())}
        new = {point.code: point for point in points}
        return Changes(
            tuple(sorted(set(new) - set(old))),
            tuple(sorted(set(old) - set(new))),
            tuple(sorted(code for code in set(new) & set(old) if new[code] != old[code])),
        )

    async def doubt(self, points: Sequence[Point], changes: Changes) -> str:
        """Say why a file without a fault is not believed; "" where it is."""
        if not points:
            return "the file has no points."
        before = len(points) - len(changes.added) + len(changes.removed)
        if len(changes.removed) > FEW and len(changes.removed) > LOST * before:
            return f"{len(changes.removed)} of {before} points would go; their posters would be unknown."
        return ""

    async def take(self, listing: PlaceList, points: Sequence[Point], *, force: bool) -> PlaceList:
        """Keep a file and put it in force; one with faults, or not believed and not forced, goes into quarantine."""
        doubt = await self.doubt(points, await self.compare(points)) if not listing.faults else ""
        held = bool(listing.faults) or bool(doubt and not force)
        state = VersionState.QUARANTINED if held else VersionState.KEPT
        stored = await self._store.keep(replace(listing, state=state, doubt=doubt), points)
        await self._record(listing.by, "places quarantined" if held else "places imported", f"version {stored.version}")
        if not held:
            await self._store.make_current(stored.version)
            await self.refresh()
        return stored

    async def put_in_force(self, version: int, who: str, reason: str) -> PlaceList:
        """Go back to an older version, or release one that was only not believed. Raise `PlacesRefused`."""
        lists = {one.version: one for one in await self._store.lists()}
        found = lists.get(version)
        if not found:
            raise PlacesRefused(f"there is no version {version}; see sahyatri places list")
        if found.faults:
            raise PlacesRefused(f"version {version} has faults in its file; mend the file and import it again")
        if found.state is VersionState.QUARANTINED:
            await self._store.release(version)
        await self._store.make_current(version)
        await self._record(who, "places put in force", f"version {version}", reason)
        await self.refresh()
        return found

    async def lists(self) -> tuple[int, Sequence[PlaceList]]:
        """Return the number in force and every imported file, newest first."""
        return await self._store.in_force(), await self._store.lists()

    # --- posters

    def named(self, name: str, purpose: Purpose = Purpose.POSTER) -> Poster:
        """Return a poster by its own code, else the newest of a place by the place's code. Raise `PlacesRefused`."""
        directory, plain = self.directory, codes.plain(name)
        found = directory.posters.get(plain)
        if found and found.revoked_at:
            raise PlacesRefused(
                f"{codes.spaced(found.code)} was withdrawn on {found.revoked_at:%Y-%m-%d} ({found.reason or '–'}); "
                f"begin a new series: sahyatri places codes {found.place} --new {found.purpose.value}"
            )
        if found:
            return found
        place = name.strip().upper()
        if place not in directory.points:
            raise PlacesRefused(f"{name}: no place and no poster has this code; see sahyatri places list")
        newest = directory.newest(place, purpose)
        if not newest:
            raise PlacesRefused(
                f"{place}: every {purpose.value} was withdrawn; begin a new series: "
                f"sahyatri places codes {place} --new {purpose.value}"
            )
        return newest

    async def begin_series(self, place: str, purpose: Purpose, who: str) -> Poster:
        """Give a place a new code; those that hang stay valid until they are withdrawn. Raise `PlacesRefused`."""
        if place not in self.directory.points:
            raise PlacesRefused(f"{place}: no such place; see sahyatri places list")
        series = max((one.series for one in self.directory.of(place) if one.purpose is purpose), default=0) + 1
        if not await self._store.add_series(place, purpose, series, self._now()):
            raise PlacesRefused(f"{place}: somebody else began a series at this moment; look again")
        await self._record(who, "poster series begun", f"{place} {purpose.value} {series}")
        await self.refresh()
        return _poster(PosterRow(place, purpose, series), self._key)

    async def revoke(self, code: str, who: str, reason: str) -> Poster:
        """Withdraw one series for good; the others stay. Raise `PlacesRefused`."""
        found = self.directory.posters.get(codes.plain(code))
        if not found:
            raise PlacesRefused(f"{code}: no poster has this code; see sahyatri places codes PLACE")
        if not await self._store.revoke(found.place, found.purpose, found.series, who, reason, self._now()):
            raise PlacesRefused(f"{codes.spaced(found.code)} was withdrawn before")
        await self._record(who, "poster withdrawn", f"{found.place} {found.purpose.value} {found.series}", reason)
        await self.refresh()
        return found

    def sheet(self, poster: Poster, locales: Sequence[str], content: Content, ways: Ways) -> WallSheet:
        """Return what a poster says in these languages. Raise `PlacesRefused`."""
        unknown = [code for code in locales if code not in content.locales]
        if unknown or not 1 <= len(locales) <= MOST_LOCALES:
            raise PlacesRefused(
                f"{', '.join(locales) or 'no language'}: name one to {MOST_LOCALES} of {', '.join(content.locales)}"
            )
        if not ways.public_url:
            raise PlacesRefused(
                "PUBLIC_URL is not set: a printed code would lead nowhere; set the address people reach"
            )
        if self.directory.valid(poster.code) != poster:
            raise PlacesRefused(f"{codes.spaced(poster.code)} is not in force; nothing is printed")
        point = self.directory.points[poster.place]
        link = f"{ways.public_url.rstrip('/')}/q/{poster.code}"
        texts = tuple(wall_text(point.named(code), poster.phrase, code, content) for code in locales)
        bot = ways.telegram.lstrip("@")
        return WallSheet(
            codes.spaced(poster.code),
            link,
            link.removeprefix("https://"),
            ways.whatsapp,
            f"@{bot}" if bot else "",
            texts,
        )

    # --- counts

    def scanned(self, place: str) -> None:
        """Count a page that was opened from a code; "" for a code that we do not know."""
        self._counted[place, self._now().date(), "scan", "page"] += 1

    def seen(self, turn: Turn) -> None:
        """Count a conversation that a code began."""
        for effect in turn.effects:
            if isinstance(effect, Arrived):
                self._counted[effect.place, self._now().date(), "start", turn.conversation.channel.value] += 1

    async def flush(self) -> None:
        """Write the counts; a crash loses those of the last seconds, a silent database does not."""
        counted, self._counted = self._counted, Counter()
        try:
            await self._store.count([Count(*name, number) for name, number in counted.items()])
        except Exception:
            self._counted.update(counted)
            raise

    async def counts(self, days: int) -> Sequence[Count]:
        """Return the numbers of the last *days* days."""
        await self.flush()
        return await self._store.counts(self._now().date() - timedelta(days=days - 1))

    @property
    def in_force(self) -> Mapping[str, Place]:
        """Return every point in force by its code, brought by a file or shipped, as the finder of places knows it."""
        return {code: _place(point) for code, point in self.directory.points.items()}

    async def _record(self, who: str, action: str, about: str, reason: str = "") -> None:
        await self._audit.record(Stamp(who or "?", action, about, reason), self._now())


def shipped(content: Content) -> dict[str, Point]:
    """Return the points that the content brings, of which no desk is known."""
    return {place.code: _point(place) for place in content.places.values()}


def directory_of(points: Mapping[str, Point], rows: Sequence[PosterRow], key: bytes) -> Directory:
    """Return these points with their posters: the first series of each purpose, and all that *rows* tell of."""
    known = {(row.place, row.purpose, row.series): row for row in rows}
    first = ((place, purpose, 1) for place in points for purpose in Purpose)
    posters = (_poster(known.get(name) or PosterRow(*name), key) for name in dict.fromkeys((*first, *known)))
    return Directory(points, {poster.code: poster for poster in posters})


def _poster(row: PosterRow, key: bytes) -> Poster:
    parts = (row.place, row.purpose.value, str(row.series))
    return Poster(
        row.place, row.purpose, row.series, codes.sign(key, *parts), codes.phrase(key, *parts),
        row.revoked_at, row.revoked_by, row.reason, row.flags, row.flagged_at,
    )  # fmt: skip


def _point(place: Place) -> Point:
    return Point(
        place.code, place.kind, {"en": place.name, **place.names}, place.state, place.district, place.latitude or 0.0,
        place.longitude or 0.0, place.locales, place.aliases,
    )  # fmt: skip


def _place(point: Point) -> Place:
    """Return what the finder of places needs to know; a person may write the name in any language."""
    others = {code: name for code, name in point.names.items() if code != "en"}
    return Place(
        point.code, point.name, point.kind, point.district, point.locales, point.state, point.latitude,
        point.longitude, aliases=point.aliases, names=others,
    )  # fmt: skip
