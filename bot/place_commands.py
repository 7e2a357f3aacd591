"""The commands of `sahyatri places`; the work is in `bot.places`."""

from __future__ import annotations

import json
import sys
from getpass import getuser
from pathlib import Path
from typing import Annotated, Any

import typer

from bot.config import Config
from bot.options import Apply, By, Json, Opened, Reason, Run

PlaceCode = Annotated[str, typer.Argument(help="the place's code, for example HWH")]
PosterCode = Annotated[str, typer.Argument(help="the code on the poster, for example 3CM-XTW-4JN")]


def places_group(run: Run, opened: Opened) -> typer.Typer:
    """Return the group; *run* runs a command with the settings, *opened* opens the service."""
    group = typer.Typer(no_args_is_help=True, help="Stations, bus stands and crossings: import, posters, counts.")
    for add in (_add_import, _add_rollback, _add_views, _add_codes, _add_revoke, _add_print, _add_counts):
        add(group, run, lambda config: opened(config, with_lists=False))
    return group


def _add_import(group: typer.Typer, run: Run, opened: Opened) -> None:
    @group.command("import")
    def import_file(
        file: Annotated[Path, typer.Argument(help="a CSV file in UTF-8; docs/places.md tells its columns")],
        apply: Apply = False,
        force: Annotated[bool, typer.Option("--force", help="take it though many points go")] = False,
        by: By = "",
        json_lines: Json = False,
    ) -> None:
        """Compare a file of points with those in force; with --apply put it in force, a faulty one in quarantine."""
        from bot.places import import_file, import_json

        async def work(config: Config) -> None:
            async with opened(config) as service:
                given: dict[str, Any] = {"apply": apply, "force": force, "by": by or getuser()}
                if not json_lines:
                    print("\n".join(await import_file(service, file, **given)))
                    return
                found = await import_json(service, file, **given)
                print(json.dumps(found, ensure_ascii=False))
                if found["faults"] or (found["doubt"] and not found["in_force"]):
                    raise typer.Exit(2)

        run(work)


def _add_rollback(group: typer.Typer, run: Run, opened: Opened) -> None:
    @group.command("rollback")
    def roll_back(
        version: Annotated[int, typer.Argument(help="the version's number, as `places list` tells it")],
        apply: Apply = False,
        by: By = "",
        reason: Reason = "",
    ) -> None:
        """Put an older version in force, or one that was only not believed."""

        async def work(config: Config) -> None:
            async with opened(config) as service:
                if not apply:
                    print(f"Version {version} would be in force. Nothing applied yet: use --apply.")
                    return
                found = await service.places.put_in_force(version, by or getuser(), reason)
                print(f"Version {found.version} ({found.file}, {found.rows} points) is in force.")

        run(work)


def _add_views(group: typer.Typer, run: Run, opened: Opened) -> None:
    @group.command("list")
    def list_all() -> None:
        """Say which file is in force, and name every point."""
        from bot.places import list_lines

        async def work(config: Config) -> None:
            async with opened(config) as service:
                print("\n".join(await list_lines(service)))

        run(work)

    @group.command("show")
    def show(place: PlaceCode) -> None:
        """Say all that is known of a point, with its posters."""
        from bot.places import show_lines

        async def work(config: Config) -> None:
            async with opened(config) as service:
                print("\n".join(show_lines(service, place)))

        run(work)


def _add_codes(group: typer.Typer, run: Run, opened: Opened) -> None:
    @group.command("codes")
    def list_codes(
        place: PlaceCode,
        new: Annotated[str, typer.Option("--new", help="begin a new series: poster or sticker")] = "",
        by: By = "",
        json_lines: Json = False,
    ) -> None:
        """Name the codes of a place; with --new begin another series, for example after a withdrawal."""
        from bot.domain.places import Purpose
        from bot.places import poster_json, poster_line, show_lines
        from bot.service.places import PlacesRefused

        async def work(config: Config) -> None:
            if new and new not in tuple(Purpose):
                raise PlacesRefused(f"--new {new}: use {', '.join(Purpose)}")
            async with opened(config) as service:
                show_lines(service, place)
                if new:
                    await service.places.begin_series(place.upper(), Purpose(new), by or getuser())
                for poster in service.places.directory.of(place.upper()):
                    print(json.dumps(poster_json(poster)) if json_lines else poster_line(poster).strip())

        run(work)


def _add_revoke(group: typer.Typer, run: Run, opened: Opened) -> None:
    @group.command("revoke")
    def revoke(code: PosterCode, apply: Apply = False, by: By = "", reason: Reason = "") -> None:
        """Withdraw one series of posters for good; the other codes of the place stay."""
        from bot.places import poster_line

        async def work(config: Config) -> None:
            async with opened(config) as service:
                if not apply:
                    print(
                        f"{poster_line(service.places.named(code)).strip()}\nNothing applied yet: revoke with --apply."
                    )
                    return
                found = await service.places.revoke(code, by or getuser(), reason)
                print(f"Withdrawn: {poster_line(found).strip()}")

        run(work)


def _add_print(group: typer.Typer, run: Run, opened: Opened) -> None:
    @group.command("poster")
    def poster(
        code: Annotated[str, typer.Argument(help="the place's code, or the code of one of its series")],
        out: Annotated[Path, typer.Option("--out", help="the PDF to write")],
        size: Annotated[str, typer.Option("--size", help="a4 or a3")] = "a4",
        locales: Annotated[str, typer.Option("--locales", help="up to four, for example hi,bn,ta,ur")] = "hi,en",
        kind: Annotated[str, typer.Option("--kind", help="poster, sticker or volunteer")] = "poster",
    ) -> None:
        """Write a poster, a sheet of stickers, or a sheet for volunteers; withdrawn codes are not printed."""
        from bot.places import name_warning, printed

        async def work(config: Config) -> None:
            async with opened(config) as service:
                wanted = [part.strip() for part in locales.split(",") if part.strip()]
                data = printed(service, code, kind, size.lower(), wanted)
                out.write_bytes(data)
                print(f"{out}: {len(data) // 1024 + 1} KB, {kind} for {code} in {', '.join(wanted)}")
                if kind == "poster" and (warning := name_warning(service, code, wanted)):
                    print(warning, file=sys.stderr)

        run(work)


def _add_counts(group: typer.Typer, run: Run, opened: Opened) -> None:
    @group.command("stats")
    def count(
        days: Annotated[int, typer.Option("--days", help="whole days before today")] = 30, json_lines: Json = False
    ) -> None:
        """Count scans and conversations by place, day and channel; numbers under 11 are withheld."""
        from bot.places import stats, stats_line

        async def work(config: Config) -> None:
            async with opened(config) as service:
                for row in await stats(service, days):
                    print(stats_line(row, as_json=json_lines))

        run(work)
