"""`sahyatri up`: everything on one machine, with progress, until Ctrl-C."""

from __future__ import annotations

import asyncio
import secrets
import signal
import time
from collections.abc import Callable

from aiohttp import web
from telegram.error import TelegramError

from bot.agencies import first_lists
from bot.app import Service, open_service
from bot.channels.telegram_profile import Setup, State, plainly
from bot.config import Config
from bot.console.auth import hash_password
from bot.doors import web_app
from bot.embedded import everything, train
from bot.local import nlu_ready
from bot.logs import configure
from bot.ports import Responder
from bot.public.patience import PatientRunner
from bot.running import running
from bot.telegram_setup import plan

#: The administrator manages people and cannot read cases; the supervisor works on cases.
CANARY_EVERY = 300.0
FIRST_PEOPLE = {"admin": "admin", "supervisor": "supervisor"}


async def up(config: Config, say: Callable[[str], None]) -> None:
    """Start, print the addresses, serve until SIGINT or SIGTERM, stop cleanly."""
    started = time.monotonic()
    config.data.mkdir(parents=True, exist_ok=True, mode=0o700)
    (config.data / "logs").mkdir(exist_ok=True)
    stop = _stop_signal()
    with (config.data / "logs" / "service.log").open("a", encoding="utf-8") as stream:
        configure(config.log_level, stream)
        if not config.nlu_url:
            await train(config, say)
        async with everything(config, say, wait_for_nlu=False) as (uri, nlu_url, nlu_token):
            update: dict[str, object] = {"nlu_token": type(config.nlu_token)(nlu_token)}
            if "canary_every" not in config.model_fields_set:
                update["canary_every"] = CANARY_EVERY
            given = config.model_copy(update=update)
            async with open_service(given, mongodb_uri=uri, nlu_url=nlu_url) as service:
                await _serve(service, nlu_url, say, started, stop)
    say("stopped")


async def _serve(
    service: Service, nlu_url: str, say: Callable[[str], None], started: float, stop: asyncio.Event
) -> None:
    await first_lists(service, say)
    topics, locales = len(service.content.topics), len(service.content.locales)
    say(f"content: {topics} topics in {locales} locales")
    password = await first_people(service)
    runner = PatientRunner(web_app(service))
    await runner.setup()
    async with running(service):
        site = web.TCPSite(runner, service.config.host, service.config.port)
        await site.start()
        await _connect_telegram(service, say)
        _say_addresses(service, say, password)
        say(f"ready after {time.monotonic() - started:.1f} s. Stop with Ctrl-C.")
        warming = asyncio.create_task(_say_when_warm(nlu_url, say, started))
        await stop.wait()
        say("stopping …")
        warming.cancel()
        await runner.cleanup()


async def _connect_telegram(service: Service, say: Callable[[str], None]) -> None:
    """Say how messages come, and set that up; a webhook that only might be ours to remove stays."""
    if not service.bot:
        return
    config = service.config
    implied = config.telegram_polls and not config.telegram_mode
    setup = Setup(service.bot, plan(config, service.content), service.now, dry_run=implied)
    try:
        found = await setup.receiving()
    except TelegramError as error:
        say(f"telegram: {plainly(error)}")
        return
    for finding in found:
        if finding.step == "messages" or finding.state is State.WRONG:
            say(f"telegram: {finding.detail}")
        if finding.state is State.WOULD_CHANGE:
            say("telegram: NOT receiving. If this machine is to take over: sahyatri telegram setup")


def _say_addresses(service: Service, say: Callable[[str], None], password: str) -> None:
    base = service.config.public_url or f"http://{service.config.host}:{service.config.port}"
    say(f"web chat:          {base}/")
    say(f"responder console: {base}/console/")
    if password:
        say(f"first logins:      supervisor (cases) and admin (people), one-time password: {password}")
        say("                   each must change it at the first login")


async def _say_when_warm(nlu_url: str, say: Callable[[str], None], started: float) -> None:
    if await nlu_ready(nlu_url, 180.0):
        say(f"understanding: ready after {time.monotonic() - started:.1f} s")
    else:
        say(
            "understanding: NOT ready; menus and the danger check work without it. See logs/nlu.log in the data folder."
        )


async def first_people(service: Service) -> str:
    """Make the first administrator and the first supervisor with one one-time password; "" if there is anybody."""
    if await service.responders.all():
        return ""
    password = secrets.token_urlsafe(12)
    for login, role in FIRST_PEOPLE.items():
        await service.responders.save(Responder(login, login.title(), role, hash_password(password), must_change=True))
    return password


def _stop_signal() -> asyncio.Event:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for name in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(name, stop.set)
    return stop
