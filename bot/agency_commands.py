"""The commands of `sahyatri agencies`; the work is in `bot.agencies`."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from bot.config import Config
from bot.options import Apply, By, Json, JsonLines, Opened, Reason, Run

ListName = Annotated[str, typer.Argument(help="the list, as `agencies status` names it")]
VersionNumber = Annotated[int, typer.Argument(help="the version's number")]


@dataclass(frozen=True, slots=True)
class With:
    """What a command is given: how to run, to open the service, to read JSON lines, to tell, and who types."""

    run: Run
    opened: Opened
    objects: Callable[[str], Iterator[dict[str, str]]]
    say: Callable[[str], None]
    me: Callable[[], str]


def agencies_group(with_: With) -> typer.Typer:
    """Return the group."""
    group = typer.Typer(no_args_is_help=True, help="Lists of recruiters: import, check, status.")
    for add in (_add_check, _add_offer, _add_import, _add_rollback, _add_release, _add_discard, _add_diff, _add_status):
        add(group, with_)
    return group


def _add_check(group: typer.Typer, with_: With) -> None:
    @group.command("check")
    def agencies_check(jsonl: JsonLines = True) -> None:  # noqa: ARG001
        """Check `{"query": …}` lines against the lists in force."""
        from bot.agencies import check_json

        async def work(config: Config) -> None:
            async with with_.opened(config) as service:
                for row in with_.objects("query"):
                    found = service.recruiters.check(row["query"])
                    print(json.dumps(check_json(row["query"], found, service.recruiters.lists), ensure_ascii=False))

        with_.run(work)


def _add_offer(group: typer.Typer, with_: With) -> None:
    @group.command("offer")
    def agencies_offer(jsonl: JsonLines = True) -> None:  # noqa: ARG001
        """Find warning signs in `{"text": …}` lines; print flags with their facts, and whether a human should look."""
        from bot.agencies import offer_json
        from bot.content.load import load
        from bot.recruiters.offers import Offers

        async def work(config: Config) -> None:
            content = load(config.content)
            offers = Offers(content.red_flags)
            for row in with_.objects("text"):
                print(json.dumps(offer_json(row["text"], offers, content), ensure_ascii=False))

        with_.run(work)


def _add_import(group: typer.Typer, with_: With) -> None:
    @group.command("import")
    def agencies_import(
        file: Annotated[Path, typer.Argument(help="CSV, XLSX, HTML or PDF file")],
        source: Annotated[
            Path, typer.Option("--source", help="mapping file, content/recruiters/sources/<source>.yaml")
        ],
        apply: Annotated[
            bool, typer.Option("--apply", help="put the new list in force; without it only the diff is shown")
        ] = False,
        force: Annotated[bool, typer.Option("--force", help="apply even if the list shrinks suspiciously")] = False,
        by: By = "",
    ) -> None:
        """Show what a list would change; --apply puts it in force, or in quarantine if it is not believed (exit 2)."""
        from bot.agencies import import_file

        async def work(config: Config) -> None:
            async with with_.opened(config, with_lists=False) as service:
                by_whom = by or with_.me()
                done = await import_file(
                    service, file, source, force=force, apply=apply, by=by_whom, refresh=False, say=with_.say
                )
                print(done)

        with_.run(work)


def _add_rollback(group: typer.Typer, with_: With) -> None:
    @group.command("rollback")
    def agencies_rollback(
        source: ListName, version: VersionNumber, apply: Apply = False, by: By = "", reason: Reason = ""
    ) -> None:
        """Put an older version of a list in force again."""
        _change_list(with_, "roll_back", source, version, apply=apply, by=by, reason=reason)


def _add_release(group: typer.Typer, with_: With) -> None:
    @group.command("release")
    def agencies_release(
        source: ListName, version: VersionNumber, apply: Apply = False, by: By = "", reason: Reason = ""
    ) -> None:
        """Put a version in force that was in quarantine, after you have looked at it (agencies diff)."""
        _change_list(with_, "release", source, version, apply=apply, by=by, reason=reason)


def _add_discard(group: typer.Typer, with_: With) -> None:
    @group.command("discard")
    def agencies_discard(
        source: ListName, version: VersionNumber, apply: Apply = False, by: By = "", reason: Reason = ""
    ) -> None:
        """Drop a version that is in quarantine; what it was and why it was held stays on record."""
        _change_list(with_, "discard", source, version, apply=apply, by=by, reason=reason)


def _add_diff(group: typer.Typer, with_: With) -> None:
    @group.command("diff")
    def agencies_diff(
        source: ListName,
        version: VersionNumber,
        second: Annotated[
            int, typer.Argument(help="a newer version; without it VERSION is compared with what is in force")
        ] = 0,
        json_lines: Json = False,
    ) -> None:
        """Print the rows that two versions of a list do not share, what changed in them, and the counts."""
        from collections import Counter

        from bot.agencies import DIFFERENCES_SAID, difference_json, difference_line, each_difference
        from bot.recruiters.lists import Change

        async def work(config: Config) -> None:
            counts: Counter[Change] = Counter()
            async with with_.opened(config, with_lists=False) as service:
                async for found in each_difference(service, source, version, second or None):
                    counts[found.change] += 1
                    if json_lines:
                        print(json.dumps(difference_json(found), ensure_ascii=False))
                    elif counts[found.change] <= DIFFERENCES_SAID:
                        print(difference_line(found))
            if json_lines:
                print(json.dumps({"counts": {change.value: counts[change] for change in Change}}))
            else:
                more = ", the first of each kind shown" if max(counts.values(), default=0) > DIFFERENCES_SAID else ""
                print(", ".join(f"{change.value} {counts[change]}" for change in Change) + more)

        with_.run(work)


def _add_status(group: typer.Typer, with_: With) -> None:
    @group.command("status")
    def agencies_status() -> None:
        """Say which lists are in force, how old they are, which versions are kept, and what is in quarantine."""
        from bot.agencies import status

        async def work(config: Config) -> None:
            async with with_.opened(config, with_lists=False) as service:
                async for line in status(service):
                    print(line)

        with_.run(work)


def _change_list(with_: With, verb: str, source: str, version: int, *, apply: bool, by: str, reason: str) -> None:
    from bot import agencies

    act = getattr(agencies, verb)

    async def work(config: Config) -> None:
        async with with_.opened(config, with_lists=False) as service:
            print(await act(service, source, version, apply=apply, by=by or with_.me(), reason=reason, refresh=False))

    with_.run(work)
