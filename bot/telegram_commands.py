"""`sahyatri telegram …`: what an operator does once, and again after every change of words or address."""

from __future__ import annotations

import asyncio
import json
import sys
from typing import Annotated

import typer

from bot.config import ConfigError, load_config
from bot.content.load import ContentError, load
from bot.logs import configure

telegram_app = typer.Typer(no_args_is_help=True, help="Telegram: set up the bot, and say what is wrong.")
NO_TOKEN = "TELEGRAM_TOKEN is not set: make a bot with @BotFather in Telegram, and put its token there"  # noqa: S105

DryRun = Annotated[bool, typer.Option("--dry-run", help="change nothing; only say what would change")]
Json = Annotated[bool, typer.Option("--json", help="one JSON object a line: step, state, detail")]


@telegram_app.callback()
def _group() -> None:
    """Keep `setup` a command of its own."""


@telegram_app.command()
def setup(*, dry_run: DryRun = False, json_lines: Json = False) -> None:
    """Tell Telegram where messages go, the bot's name, texts and commands; exit 1 if anything is wrong."""
    from bot.telegram_setup import set_up  # noqa: PLC0415 - so that --help is quick

    def say(step: str, state: str, detail: str) -> None:
        row = {"step": step, "state": state, "detail": detail}
        print(json.dumps(row, ensure_ascii=False) if json_lines else f"{state:13} {step:12} {detail}", flush=True)

    try:
        config = load_config()
        if not config.telegram_token.get_secret_value():
            raise ConfigError(NO_TOKEN)
        configure("ERROR")
        sound = asyncio.run(set_up(config, load(config.content), say, dry_run=dry_run))
    except (ConfigError, ContentError) as error:
        print(f"sahyatri: {error}", file=sys.stderr)
        raise typer.Exit(2) from error
    raise typer.Exit(0 if sound else 1)
