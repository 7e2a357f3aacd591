"""`sahyatri …`: thin commands; the work is elsewhere."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path
from typing import Annotated, Any

import typer

from bot.agency_commands import With, agencies_group
from bot.config import Config, ConfigError, load_config, show
from bot.content.load import ContentError
from bot.content_commands import content_group
from bot.local import LocalError
from bot.logs import configure
from bot.options import By, Json, JsonLines, say
from bot.place_commands import places_group
from bot.ports import Stamp
from bot.responders import add_commands
from bot.store.sealed import KeyFileError
from bot.telegram_commands import telegram_app
from bot.whatsapp import group as whatsapp_group

app = typer.Typer(
    no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False, help="Sahyatri, the fellow traveller."
)
nlu_app = typer.Typer(no_args_is_help=True, help="Understanding.")
responders_app = typer.Typer(no_args_is_help=True, help="People who may open the console.")
organisations_app = typer.Typer(no_args_is_help=True, help="Partner organisations: labels and districts.")
rota_app = typer.Typer(no_args_is_help=True, help="Who is on call.")
app.add_typer(nlu_app, name="nlu")
app.add_typer(responders_app, name="responders")
app.add_typer(organisations_app, name="organisations")
responders_app.add_typer(rota_app, name="rota")
audit_app = typer.Typer(no_args_is_help=True, help="Who did what: check that nothing of it was changed.")
app.add_typer(audit_app, name="audit")
app.add_typer(telegram_app, name="telegram")

Locale = Annotated[str, typer.Option("--lang", help="locale that the person has already chosen, for example hi")]
Bench = Callable[[Config, Callable[[str], None]], AsyncIterator[dict[str, Any]]]


def _run(work: Callable[[Config], Awaitable[None]]) -> None:
    """Run *work* with the settings; every foreseeable failure is one clear line and exit code 2."""
    try:
        config = load_config()
        configure(config.log_level if config.log_level == "DEBUG" else "ERROR")
        asyncio.run(_as_coroutine(work(config)))
    except _known_errors() as error:
        say(f"sahyatri: {error}")
        raise typer.Exit(2) from error
    except KeyboardInterrupt as error:
        raise typer.Exit(130) from error


async def _as_coroutine(work: Awaitable[None]) -> None:
    await work


def _known_errors() -> tuple[type[Exception], ...]:
    from bot.clients.agency_lists import ListError
    from bot.clients.place_files import PlaceFileError
    from bot.clients.rota_file import RotaError
    from bot.clients.transcriber import SpeechModelError
    from bot.content.tables import SheetError
    from bot.service.places import PlacesRefused

    places = (PlaceFileError, PlacesRefused)
    content = (ContentError, SheetError, SpeechModelError)
    return (ConfigError, LocalError, KeyFileError, ListError, RotaError, *content, *places)


@app.command()
def up() -> None:
    """Start everything on this machine and print the addresses."""
    from bot.up import up as start

    def tell(text: str) -> None:
        print(text, flush=True)

    _run(lambda config: start(config, tell))


@app.command()
def config() -> None:
    """Print every setting, its source and what is missing; secrets are hidden."""
    problems = ""
    try:
        found = load_config()
    except ConfigError as error:
        problems = str(error)
        kept = {key: os.environ.pop(key) for key in list(os.environ) if key in _variables()}
        found = load_config()
        os.environ.update(kept)
    for variable, value, source, purpose in show(found, dict(os.environ)):
        print(f"{variable:32} {value:36} {source:12} {purpose}")
    if problems:
        print(f"\nNot usable as it is:\n{problems}")
        raise typer.Exit(2)


def _variables() -> set[str]:
    return {str(field.alias) for field in Config.model_fields.values()}


@app.command()
def chat(lang: Locale = "", json_lines: Json = False) -> None:
    """Hold one conversation over standard input."""
    from bot.chat import run_chat
    from bot.content.load import load

    async def work(config: Config) -> None:
        offered = load(config.content).locales
        if lang and lang not in offered:
            raise ConfigError(f"--lang {lang}: not offered; choose one of {', '.join(offered)}")
        await run_chat(config, lang, json_lines=json_lines, say=_quiet if json_lines else say, out=sys.stdout)

    _run(work)


def _quiet(_: str) -> None:
    return


@nlu_app.command("parse")
def nlu_parse(jsonl: JsonLines = True) -> None:  # noqa: ARG001
    """Parse `{"text": …}` lines; print intent, ranking, entities, language and the in-process danger check."""
    from bot.parse import run_parse

    _run(lambda config: run_parse(config, _objects("text"), sys.stdout, _quiet))


def _me() -> str:
    import getpass

    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return "command line"


@audit_app.command("verify")
def audit_verify(
    noted: Annotated[
        str, typer.Option("--noted", help="the last line that an earlier run printed, number:digest")
    ] = "",
) -> None:
    """Check the audit and every case's history to the last line; exit 1 if anything was changed, removed or cut off."""
    from bot.chains import Broken, verify

    async def work(config: Config) -> None:
        async with _service(config, with_lists=False) as service:
            try:
                async for line in verify(service, noted):
                    print(line)
            except Broken as error:
                say(f"sahyatri: {error}")
                raise typer.Exit(1) from error

    _run(work)


@rota_app.command("import")
def rota_import(file: Annotated[Path, typer.Argument(help="the rota, as YAML")], by: By = "") -> None:
    """Put a rota in force: who is on call when, for which languages, districts and skills."""
    from bot.clients.rota_file import read_rota
    from bot.console.districts import read

    async def work(config: Config) -> None:
        async with _service(config, with_lists=False) as service:
            active = (await service.rotas.staff()).active
            rota = read_rota(file, active, lambda name: read(name, service.content))
            await service.rotas.save(rota, by or _me(), service.now())
            await service.audit.record(Stamp(by or _me(), "rota imported"), service.now())
            print(f"{len(rota.people)} people, {len(rota.shifts)} shifts, times of {rota.zone}")

    _run(work)


@rota_app.command("show")
def rota_show() -> None:
    """Print the shifts, who is on call now, and whom a page would be for at each rung."""
    from bot.clients.rota_file import lines

    async def work(config: Config) -> None:
        async with _service(config, with_lists=False) as service:
            await service.oncall.refresh()
            for line in lines(service.oncall.rota, service.oncall.staff, service.now()):
                print(line)

    _run(work)


@app.command()
def bench(
    name: Annotated[str, typer.Argument(help="which benchmark: ingress, nlu, recruiters, handoff, channels")],
    json_lines: Json = False,
    n: Annotated[int, typer.Option("--n", min=0, help="handoff, channels: how many messages; 0: 1,000 and 3,000")] = 0,
) -> None:
    """Run one benchmark on loopback and print its figures."""
    from functools import partial

    from bot.bench import ingress, nlu
    from bot.bench_channels import channels
    from bot.bench_handoff import handoff
    from bot.trial.recruiters import recruiters

    benches: dict[str, Bench] = {
        "ingress": ingress,
        "nlu": nlu,
        "recruiters": recruiters,
        "handoff": partial(handoff, n=n),
        "channels": partial(channels, n=n),
    }

    async def work(config: Config) -> None:
        if name not in benches:
            raise ConfigError(f"bench {name}: unknown; choose one of {', '.join(benches)}")
        async for figures in benches[name](config, say):
            line = json.dumps(figures) if json_lines else "  ".join(f"{key}={value}" for key, value in figures.items())
            print(line, flush=True)

    _run(work)


def _service(config: Config, *, with_lists: bool = True) -> Any:  # noqa: ANN401 - an async context manager over Service
    from contextlib import asynccontextmanager

    from bot.agencies import first_lists
    from bot.app import open_service
    from bot.embedded import database

    @asynccontextmanager
    async def opened() -> Any:  # noqa: ANN401
        async with (
            database(config, _quiet) as uri,
            open_service(config, mongodb_uri=uri, nlu_url="", with_lists=with_lists) as service,
        ):
            await first_lists(service, _quiet, refresh=with_lists)
            yield service

    return opened()


def _objects(key: str) -> Iterator[dict[str, str]]:
    """Read JSON lines that have text under *key*; anything else is refused with its line number."""
    for number, line in enumerate(sys.stdin, 1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except ValueError as error:
            raise ConfigError(f'line {number} is not JSON ({error}); write {{"{key}": "…"}}') from error
        if not isinstance(row, dict) or not isinstance(row.get(key), str):
            raise ConfigError(f'line {number} has no text under "{key}"; write {{"{key}": "…"}}')
        yield row


app.add_typer(content_group(_run, _service, _me), name="content")
app.add_typer(agencies_group(With(_run, _service, _objects, say, _me)), name="agencies")
app.add_typer(places_group(_run, _service), name="places")
app.add_typer(whatsapp_group(_run), name="whatsapp")
add_commands(responders_app, organisations_app, _run, lambda config: _service(config, with_lists=False))


def main() -> None:
    """Entry point of the `sahyatri` command."""
    app()
