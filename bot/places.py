"""`sahyatri places …`: bring a file of transit points, look at them, print and withdraw posters, count."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from bot.app import Service
from bot.clients.place_files import Known, PlaceFile, PlaceFileError, read_places
from bot.content.wall import unnamed
from bot.domain import codes, crowds
from bot.domain.places import PlaceList, Point, Poster, Purpose, VersionState
from bot.service.places import KINDS, SIZES, Changes, PlacesRefused, ways_of

FAULTS_SAID = 50
CODES_SAID = 20
MOST_DAYS = 366


async def import_file(service: Service, path: Path, *, apply: bool, force: bool, by: str) -> Iterator[str]:
    """Bring a file; yield what happened, for people. Raise `PlaceFileError` for one that is not in force afterwards."""
    found = read_file(service, path)
    changes = await service.places.compare(found.points)
    stored = await _keep(service, found, by, force=force) if apply else None
    said = [
        f"{found.name}: {len(found.points)} points read, {len(found.faults)} faults",
        *change_lines(changes, found),
    ]
    if found.faults:
        raise PlaceFileError("\n".join([*said, *fault_lines(found), _held(stored)]))
    if stored and stored.state is VersionState.QUARANTINED:
        raise PlaceFileError("\n".join([*said, f"Not believed: {stored.doubt}", _held(stored)]))
    done = f"In force as version {stored.version}." if stored else "Nothing applied yet: import with --apply."
    return iter([*said, done])


async def import_json(service: Service, path: Path, *, apply: bool, force: bool, by: str) -> dict[str, Any]:
    """Bring a file; return what happened, for programs."""
    found = read_file(service, path)
    changes = await service.places.compare(found.points)
    stored = await _keep(service, found, by, force=force) if apply else None
    return {
        "file": found.name, "points": len(found.points), "added": changes.added, "removed": changes.removed,
        "changed": changes.changed, "version": stored.version if stored else None,
        "in_force": bool(stored and stored.state is VersionState.KEPT), "doubt": stored.doubt if stored else "",
        "faults": [
            {"row": one.row, "column": one.column, "value": one.value, "what": one.what} for one in found.faults
        ],
    }  # fmt: skip


def read_file(service: Service, path: Path) -> PlaceFile:
    """Read a CSV file against our States, districts and locales. Raise `PlaceFileError`."""
    content = service.content
    districts = {(district.name, district.state) for district in content.districts}
    return read_places(path, Known(content.locales, content.states, districts), service.now().date())


async def _keep(service: Service, found: PlaceFile, by: str, *, force: bool) -> PlaceList:
    kept = VersionState.KEPT
    listing = PlaceList(
        0, kept, found.name, found.checksum, len(found.points), by, service.now(), found.faults
    )  # fmt: skip
    return await service.places.take(listing, found.points, force=force)


def _held(stored: PlaceList | None) -> str:
    if not stored:
        return "Nothing is stored; what is in force stays."
    mend = (
        "mend the file and import it again" if stored.faults else f"sahyatri places rollback {stored.version} --apply"
    )
    return f"In quarantine as version {stored.version}; what is in force stays. Next: {mend}."


def fault_lines(found: PlaceFile) -> list[str]:
    """Return a line for each fault, the first of many."""
    more = len(found.faults) - FAULTS_SAID
    return [*map(str, found.faults[:FAULTS_SAID]), *([f"… and {more} more"] if more > 0 else [])]


def change_lines(changes: Changes, found: PlaceFile) -> list[str]:
    """Return what a file changes."""
    if found.faults:
        return []
    kinds = (("+", changes.added), ("−", changes.removed), ("~", changes.changed))
    return [
        f"{mark} {len(which)}: {', '.join(which[:CODES_SAID])}{' …' if len(which) > CODES_SAID else ''}"
        for mark, which in kinds
        if which
    ] or ["no change"]


async def list_lines(service: Service) -> list[str]:
    """Return a line for each imported file and each point with a desk, withdrawn or reported poster."""
    current, lists = await service.places.lists()
    said = [f"{len(service.places.directory.points)} points, file in force: {current or 'none, the shipped ones'}"]
    for one in lists:
        mark = "IN FORCE" if one.version == current else one.state.value
        faults = f", {len(one.faults)} faults" if one.faults else f", {one.doubt}" if one.doubt else ""
        said.append(
            f"  version {one.version} {mark}: {one.file}, {one.rows} points, {one.at:%Y-%m-%d} by {one.by}{faults}"
        )
    return said + [point_line(service, point) for point in service.places.directory.points.values()]


def point_line(service: Service, point: Point) -> str:
    """Return a point in a line."""
    posters = service.places.directory.of(point.code)
    flags, gone = sum(one.flags for one in posters), sum(bool(one.revoked_at) for one in posters)
    today = service.now().date()
    desk = "" if not point.verified_on else ", desk" if point.is_fresh(today) else ", desk STALE: not shown"
    return (
        f"{point.code}: {point.name}, {point.kind}, {point.district} {point.state}, {' '.join(point.locales)}{desk}"
        + (f", {gone} withdrawn" if gone else "")
        + (f", {flags} REPORTED" if flags else "")
    )


def show_lines(service: Service, code: str) -> list[str]:
    """Return all that is known of a point. Raise `PlacesRefused`."""
    point = service.places.directory.points.get(code.upper())
    if not point:
        raise PlacesRefused(f"{code}: no such place; see sahyatri places list")
    names = ", ".join(f"{locale} {name}" for locale, name in point.names.items())
    said = [point_line(service, point), f"  names: {names}", f"  at {point.latitude}, {point.longitude}"]
    for locale, where in point.desk.where.items():
        said.append(f"  desk ({locale}): {where}")
    for name, post in (("RPF", point.rpf), ("GRP", point.grp), ("child help desk", point.child_desk)):
        said += [f"  {name}: {post.phone or 'there, no number'}"] if post.there else []
    if point.verified_on:
        said.append(
            f"  told by {point.source} on {point.verified_on}; desk {point.desk.hours} {point.desk.phone}".rstrip()
        )
    return [*said, *map(poster_line, service.places.directory.of(point.code))]


def poster_line(poster: Poster) -> str:
    """Return a series in a line."""
    said = f"  {codes.spaced(poster.code)}  {poster.purpose.value} {poster.series}"
    words = poster.phrase
    said += f"  words: {words.first} – {words.second} – {words.number}"
    if poster.revoked_at:
        said += f"  WITHDRAWN {poster.revoked_at:%Y-%m-%d} by {poster.revoked_by}: {poster.reason}"
    return said + (f"  REPORTED {poster.flags}×" if poster.flags else "")


def poster_json(poster: Poster) -> dict[str, Any]:
    """Return a series for programs."""
    return {
        "place": poster.place, "purpose": poster.purpose.value, "series": poster.series, "code": poster.code,
        "start": codes.start(poster.code), "revoked": bool(poster.revoked_at), "flags": poster.flags,
    }  # fmt: skip


def printed(service: Service, name: str, kind: str, size: str, locales: Sequence[str]) -> bytes:
    """Return a PDF of a poster, stickers or a volunteer's sheet. Raise `PlacesRefused`."""
    if kind not in KINDS or size not in SIZES:
        raise PlacesRefused(f"--kind {kind} --size {size}: use {', '.join(KINDS)} and {', '.join(SIZES)}")
    poster = service.places.named(name, Purpose.STICKER if kind == "sticker" else Purpose.POSTER)
    sheet = service.places.sheet(poster, locales, service.content, ways_of(service.config))
    return service.printer.pdf(sheet, kind, size, service.now())


def name_warning(service: Service, name: str, locales: Sequence[str]) -> str:
    """Say in which of these languages a poster has only its place's English name; "" where it has them all."""
    point = service.places.directory.points[service.places.named(name).place]
    missing = unnamed(point.names, locales, service.content)
    if not missing:
        return ""
    columns = ", ".join(f"name_{code}" for code in missing)
    return f"{point.code} has no name in {', '.join(missing)}: “{point.name}” stands there; add {columns} to your file"


async def stats(service: Service, days: int) -> Sequence[crowds.Row]:
    """Return the counts of whole days that may be shown. Raise `PlacesRefused`."""
    if not 1 <= days <= MOST_DAYS:
        raise PlacesRefused(f"--days {days}: 1 to {MOST_DAYS}")
    return crowds.shown(await service.places.counts(days + 1), service.now().date())


def stats_line(row: crowds.Row, *, as_json: bool) -> str:
    """Return a count in a line."""
    if as_json:
        day = row.day.isoformat() if row.day else None
        found = {"place": row.place, "what": row.what, "channel": row.channel, "day": day, "number": row.number}
        return json.dumps(
            {**found, "less_than": crowds.LEAST if row.day and row.number is None else None, "at_least": row.at_least}
        )
    number = str(row.number) if row.number is not None else f"<{crowds.LEAST}" if row.day else f"≥{row.at_least}"
    return f"{row.place or '(unknown code)':16} {row.what:6} {row.channel:10} {row.day or 'together':10} {number:>8}"
