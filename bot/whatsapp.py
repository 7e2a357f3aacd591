"""`sahyatri whatsapp …`: what the command line does with the platform's own record of us."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated

import typer

from bot.config import Config, ConfigError
from bot.options import Json, Run

if TYPE_CHECKING:
    from bot.channels.whatsapp_setup import Finding, Presence

PROMPTS = ("offer", "papers", "wages", "person")
COMMANDS = ("menu", "language", "person", "stop", "hide", "delete")
NEEDED = "WHATSAPP_TOKEN, WHATSAPP_PHONE_NUMBER_ID, WHATSAPP_APP_SECRET and WHATSAPP_VERIFY_TOKEN"

Lang = Annotated[str, typer.Option("--lang", help="language of profile and prompts; a number has one for everybody")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="only look, change nothing")]


def group(run: Run) -> typer.Typer:
    """Return the commands; *run* runs one with the settings."""
    commands = typer.Typer(no_args_is_help=True, help="WhatsApp: set it up and see what is wrong.")

    @commands.callback()
    def _only_a_group() -> None: ...

    @commands.command("setup")
    def setup(lang: Lang = "en", dry_run: DryRun = False, json_lines: Json = False) -> None:
        """Check and mend all that WhatsApp needs, from the token to the templates; exit 1 if something stays wrong."""
        run(lambda config: set_up(config, lang, dry_run=dry_run, json_lines=json_lines, say=print))

    return commands


async def set_up(config: Config, lang: str, *, dry_run: bool, json_lines: bool, say: Callable[[str], None]) -> None:
    """Go through every step and say how each stands; exit 1 where something stays wrong."""
    from aiohttp import ClientSession

    from bot.app import utc_now
    from bot.channels.whatsapp import proof_of
    from bot.channels.whatsapp_account import Cloud
    from bot.channels.whatsapp_setup import Setup, State, Wanted

    token, secret = config.whatsapp_token.get_secret_value(), config.whatsapp_app_secret.get_secret_value()
    if not token:
        raise ConfigError(f"WhatsApp is not configured; set {NEEDED}")
    wanted = Wanted(
        config.public_url, config.whatsapp_verify_token.get_secret_value(), config.whatsapp_number,
        config.whatsapp_template, _presence(config, lang), dry_run,
    )  # fmt: skip
    show: Callable[[Finding], str] = _json if json_lines else _line
    wrong = False
    async with ClientSession() as session:
        proof = proof_of(token, secret) if config.whatsapp_prove else ""
        cloud = Cloud(
            session, config.whatsapp_api_url, token, secret, config.whatsapp_phone_id, config.whatsapp_account_id, proof
        )
        async for finding in Setup(cloud, wanted, session, utc_now).findings():
            say(show(finding))
            wrong = wrong or finding.state is State.WRONG
    if wrong:
        raise typer.Exit(1)


def _presence(config: Config, lang: str) -> Presence:
    from bot.channels.whatsapp_setup import Presence
    from bot.content.load import load

    content = load(config.content)
    if lang not in content.locales:
        raise ConfigError(f"--lang {lang}: not offered; choose one of {', '.join(content.locales)}")

    def words(name: str) -> str:
        return " ".join(content.words(lang, f"whatsapp.{name}").split())

    return Presence(
        words("about"), words("description"), [words(f"prompt_{name}") for name in PROMPTS],
        {name: words(f"command_{name}") for name in COMMANDS},
    )  # fmt: skip


def _line(finding: Finding) -> str:
    todo = f"\n  {finding.todo}" if finding.todo else ""
    return f"{finding.state.value:12} {finding.name}: {finding.found}{todo}"


def _json(finding: Finding) -> str:
    row = {"name": finding.name, "state": finding.state.value, "found": finding.found, "todo": finding.todo}
    return json.dumps(row, ensure_ascii=False)
