"""The whole service as a process to be killed, settings in VICTIM (JSON); see `tests.faults.nursery`.

`kill_at` names the point at which it ends itself with SIGKILL, once. Nothing in the service knows of this: the points are
seen from outside, by what it says to MongoDB, to the disk and to the NLU. Time limits are shortened, not removed.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from aiohttp import web
from pymongo.monitoring import CommandFailedEvent, CommandListener, CommandStartedEvent, CommandSucceededEvent

import bot.app
import bot.channels.telegram_polling
import bot.service.answer
import bot.service.deliver
import bot.store.conversations
import bot.store.group_inbox
import bot.store.outbox
import bot.store.spool
import bot.store.topics
from bot.app import Service, open_service, utc_now
from bot.channels.whatsapp_hook import MOST_BYTES
from bot.config import load_config
from bot.content.load import load
from bot.content.model import Content
from bot.domain.understanding import NOTHING, Understanding
from bot.doors import add_webhooks
from bot.logs import configure
from bot.running import running

SHIPPED = Path(__file__).resolve().parent.parent.parent / "content"
#: Read once for all that are forked from this process; no victim changes it.
CONTENT = load(SHIPPED)


def shipped(root: Path) -> Content:
    """Return the content without reading it again, if it is ours."""
    return CONTENT if root.resolve() == SHIPPED else load(root)


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def wall(clock_file: str) -> Callable[[], datetime]:
    """Return a clock that is wrong by the seconds that stand in the file, as soon as they stand there."""

    def now() -> datetime:
        wrong = Path(clock_file).read_text() if clock_file else ""
        return utc_now() + timedelta(seconds=float(wrong or 0))

    return now


class Killer(CommandListener):
    """Ends the process when the named point is reached for the *nth* time."""

    def __init__(self, point: str, nth: int) -> None:
        self._point = point
        self._left = nth
        self._asked: dict[int, str] = {}

    def _reach(self, point: str) -> None:
        if point != self._point:
            return
        self._left -= 1
        if self._left <= 0:
            die()

    def started(self, event: CommandStartedEvent) -> None:
        name = self._name(event)
        self._asked[event.request_id] = name
        self._reach(f"before {name}")

    def succeeded(self, event: CommandSucceededEvent) -> None:
        self._reach(f"after {self._asked.pop(event.request_id, '')}")

    def failed(self, event: CommandFailedEvent) -> None:
        self._asked.pop(event.request_id, None)

    @staticmethod
    def _name(event: CommandStartedEvent) -> str:
        command = event.command
        target = command.get(event.command_name)
        name = f"{event.command_name} {target}" if isinstance(target, str) else event.command_name
        if event.command_name == "update" and target in {"outbox", "alerts"}:
            update = command["updates"][0]["u"]
            fields = update.get("$set", {}) if isinstance(update, dict) else {}
            name += f" {fields.get('state', '')}"
        return name


class EchoNlu:
    """Understands nothing, after a moment; may die once it has answered."""

    def __init__(self, dies: bool) -> None:
        self._dies = dies

    async def understand(self, text: str, locale: str) -> Understanding:
        await asyncio.sleep(0.01)
        if self._dies:
            die()
        return NOTHING


def shorten() -> None:
    bot.store.conversations.LEASE_MS = 1500
    bot.store.outbox.LEASE_MS = 1500
    bot.store.outbox.UNKNOWN_SECONDS = 2.0
    bot.channels.telegram_polling.LEASE_SECONDS = 1.5
    bot.store.group_inbox.LEASE_MS = 1500
    bot.store.topics.LEASE_MS = 1500
    bot.service.answer.RENEWED = 0.4
    bot.service.deliver.RENEWED = 0.4


def arm_disk(point: str) -> None:
    if point == "before fsync":
        write = bot.store.spool.FileSpool._write

        def dying(spool: bot.store.spool.FileSpool, line: bytes) -> None:
            os.fsync = lambda _: die()  # type: ignore[assignment]
            write(spool, line)

        bot.store.spool.FileSpool._write = dying  # type: ignore[method-assign, assignment]
    if point == "before spool removal":
        Path.unlink = lambda *_args, **_kwargs: die()  # type: ignore[method-assign]


async def main() -> None:
    settings: dict[str, Any] = json.loads(os.environ["VICTIM"])
    point = settings.get("kill_at", "")
    configure("ERROR")
    shorten()
    bot.app.load_content = shipped  # type: ignore[attr-defined]
    arm_disk(point)
    config = load_config()
    listener = Killer(point, settings.get("nth", 1))
    async with open_service(
        config,
        mongodb_uri=settings["mongodb_uri"],
        nlu_url="http://127.0.0.1:9",
        listeners=[listener],
        now=wall(settings.get("clock_file", "")),
    ) as service:
        service.nlu = EchoNlu(point == "after nlu")
        await _serve(service, Path(settings["port_file"]))


async def _serve(service: Service, port_file: Path) -> None:
    app = web.Application(client_max_size=MOST_BYTES)
    add_webhooks(app, service)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    async with running(service):
        port_file.write_text(str(runner.addresses[0][1]))
        await asyncio.Event().wait()
