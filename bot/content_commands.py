"""The commands of `sahyatri content`; the work is in `bot.content`."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import typer

from bot.config import Config, ConfigError
from bot.options import Apply, By, Opened, Run, say


def content_group(run: Run, opened: Opened, me: Callable[[], str]) -> typer.Typer:
    """Return the group; *run* runs a command with the settings, *opened* opens the service, *me* says who types."""
    group = typer.Typer(no_args_is_help=True, help="Check what we say.")
    for add in (_add_check, _add_preview, _add_stale, _add_coverage, _add_export, _add_import, _add_speak, _add_draw):
        add(group, run)
    _add_sign(group, run, opened, me)
    return group


def _add_check(group: typer.Typer, run: Run) -> None:
    @group.command("check")
    def content_check() -> None:
        """Report every problem of the content at once; exit 1 if there is any."""
        from bot.content.checks import check

        async def work(config: Config) -> None:
            problems = check(config.content)
            for problem in problems:
                print(problem)
            if problems:
                raise typer.Exit(1)
            say("content: no problems")

        run(work)


def _add_preview(group: typer.Typer, run: Run) -> None:
    @group.command("preview")
    def content_preview(topic: str, locale: str) -> None:
        """Show a topic as WhatsApp, Telegram and plain text would show it."""
        from bot.content.load import load
        from bot.content.tables import preview

        async def work(config: Config) -> None:
            content = load(config.content)
            if topic not in content.topics:
                raise ConfigError(f"{topic}: no such topic; one of {', '.join(content.topics)}")
            if locale not in content.locales:
                raise ConfigError(f"{locale}: not offered; choose one of {', '.join(content.locales)}")
            for channel, shown in preview(content, topic, locale):
                print(f"===== {channel}\n{shown}\n")

        run(work)


def _add_stale(group: typer.Typer, run: Run) -> None:
    @group.command("stale")
    def content_stale(
        days: Annotated[int, typer.Option("--days", min=0, help="older than this many days")] = 90,
    ) -> None:
        """List facts that were read too long ago or whose time is over; exit 1 if there is any."""
        from bot.app import utc_now
        from bot.content.load import load
        from bot.content.tables import stale

        async def work(config: Config) -> None:
            found = list(stale(load(config.content), days, utc_now().date()))
            for line in found:
                print(line)
            say(f"content: {len(found)} facts to read again")
            if found:
                raise typer.Exit(1)

        run(work)


def _add_coverage(group: typer.Typer, run: Run) -> None:
    @group.command("coverage")
    def content_coverage(
        readme: Annotated[
            Path | None, typer.Option("--readme", help="write the table between the coverage marks of this file")
        ] = None,
    ) -> None:
        """Print what is covered, locale by area, with the sums."""
        from bot.content.load import load
        from bot.content.tables import coverage_table, put_between_marks

        async def work(config: Config) -> None:
            table = coverage_table(load(config.content))
            if readme:
                put_between_marks(readme, table)
            else:
                print(table)

        run(work)


def _add_export(group: typer.Typer, run: Run) -> None:
    @group.command("export")
    def content_export(
        locale: str,
        file: Annotated[Path, typer.Argument(help="the .xlsx file to write")],
    ) -> None:
        """Write one locale as a spreadsheet for translators."""
        from bot.content.tables import write_sheet

        async def work(config: Config) -> None:
            count = write_sheet(_offered(config, locale), locale, file)
            say(f"{file}: {count} messages; fill the column `words`, then: sahyatri content import {locale} {file}")

        run(work)


def _add_import(group: typer.Typer, run: Run) -> None:
    @group.command("import")
    def content_import(
        locale: str,
        file: Annotated[Path, typer.Argument(help="the filled .xlsx file")],
        apply: Annotated[
            bool, typer.Option("--apply", help="write the words; without it only the changes are shown")
        ] = False,
    ) -> None:
        """Take a filled spreadsheet: show what changes, all problems at once; with --apply write the files."""
        from bot.content.tables import read_sheet, write_messages

        async def work(config: Config) -> None:
            content = _offered(config, locale)
            changed = read_sheet(content, locale, file)
            for key, words in changed.items():
                print(f"{key}\n- {content.messages[locale].get(key, '')}\n+ {words}")
            if apply and changed:
                for path in write_messages(content, config.content, locale, changed):
                    say(f"written: {path}")
            say(f"{len(changed)} messages change{'' if apply else '; add --apply to write them'}")

        run(work)


def _add_speak(group: typer.Typer, run: Run) -> None:
    @group.command("speak")
    def content_speak(
        locale: Annotated[str, typer.Option("--lang", help="only this locale")] = "",
        topic: Annotated[str, typer.Option("--topic", help="only this topic")] = "",
    ) -> None:
        """Render voice messages beforehand, so that nobody waits for them; print size and seconds of each."""
        from bot.speak import speak

        run(lambda config: speak(config, locale, topic, print, say))


def _add_draw(group: typer.Typer, run: Run) -> None:
    @group.command("draw")
    def content_draw(
        name: Annotated[str, typer.Argument(help="a picture's name; without it every one is drawn")] = "",
    ) -> None:
        """Draw the pictures that go out with words, content/pictures/NAME.png, from the SVG files beside them."""
        from bot.clients.drawing import CannotDraw, redraw

        async def work(config: Config) -> None:
            try:
                for line in redraw(config.content, name):
                    say(line)
            except CannotDraw as error:
                raise ConfigError(str(error)) from error

        run(work)


def _add_sign(group: typer.Typer, run: Run, opened: Opened, me: Callable[[], str]) -> None:
    @group.command("sign-numbers")
    def content_sign_numbers(apply: Apply = False, by: By = "") -> None:
        """Show the phone numbers that differ from the signed ones; with --apply sign them: people are told them then.

        Exit 1 while any is unsigned.
        """
        from bot.content.load import load
        from bot.ports import Stamp
        from bot.service.phones import sign_phones, unsigned_phones
        from bot.store.phones import MongoPhones

        async def work(config: Config) -> None:
            async with opened(config, with_lists=False) as service:
                content, store = load(config.content), MongoPhones(service.db, service.sealer)
                changes = await unsigned_phones(content, store)
                for change in changes:
                    print(f"{change.place}: {', '.join(change.before) or '-'} → {', '.join(change.after) or '-'}")
                if not changes:
                    say("phone numbers: all are signed")
                elif apply:
                    await sign_phones(content, store)
                    await service.audit.record(Stamp(by or me(), "phone numbers signed"), service.now())
                    say(f"phone numbers: {len(changes)} signed; a service that runs tells them after its next start")
                else:
                    say("phone numbers: not signed; compare each with its source, then run this again with --apply")
                    raise typer.Exit(1)

        run(work)


def _offered(config: Config, locale: str) -> Any:  # noqa: ANN401 - Content, imported only where needed
    from bot.content.load import load

    content = load(config.content)
    if locale not in content.locales:
        raise ConfigError(f"{locale}: not offered; choose one of {', '.join(content.locales)}")
    return content
