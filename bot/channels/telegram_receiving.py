"""Telegram: taking an update, from the webhook or from polling: durable first, everything else after."""

from __future__ import annotations

import asyncio
import hmac
import json
from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Any

from aiohttp import web
from telegram import Bot

from bot.channels.bodies import whole
from bot.channels.telegram_groups import Groups
from bot.channels.telegram_updates import parse
from bot.domain.messages import InboundMessage

SECRET_HEADER = "X-Telegram-Bot-Api-Secret-Token"  # noqa: S105 - the header's name

Receive = Callable[[InboundMessage], Awaitable[bool]]
Quarantine = Callable[[str, bytes, str], Awaitable[None]]
#: Takes an update that is not a person's, such as one of the responders' group; False for all others, and for what it
#: cannot read, since a person may have said that. Raises what means "send it again".
Aside = Callable[[dict[str, Any]], Awaitable[bool]]


async def nobody(_: dict[str, Any]) -> bool:
    """Take nothing aside: there is no responders' group."""
    return False


class Intake:
    """Takes one update; the only way in."""

    def __init__(
        self,
        bot: Bot,
        receive: Receive,
        quarantine: Quarantine,
        now: Callable[[], datetime],
        groups: Groups | None = None,
        aside: Aside = nobody,
    ) -> None:
        """*groups* answers where we do not listen; None: nothing does. *aside* takes what is the responders' own."""
        self._bot = bot
        self._receive = receive
        self._quarantine = quarantine
        self._now = now
        self._groups = groups
        self._aside = aside
        self._beside: set[asyncio.Task[None]] = set()

    async def take(self, body: bytes) -> str:
        """Parse one update and keep it; return the id of a tapped button's query. Raises what means "send it again"."""
        try:
            update = _object(body)
        except Exception as error:
            await self._quarantine("telegram", body, type(error).__name__)
            return ""
        if await self._aside(update):
            return ""
        try:
            message = parse(update, self._bot, self._now())
        except Exception as error:
            await self._quarantine("telegram", body, type(error).__name__)
            return ""
        if message:
            await self._receive(message)
        elif self._groups:
            self._go_on_beside(self._groups.answer(update))
        query = update.get("callback_query")
        return str(query["id"]) if query else ""

    def _go_on_beside(self, work: Awaitable[None]) -> None:
        task = asyncio.ensure_future(work)
        self._beside.add(task)
        task.add_done_callback(self._beside.discard)


class TelegramWebhook:
    """`POST /webhooks/telegram`: 401 without the secret, 200 once the update is durable."""

    def __init__(self, intake: Intake, secrets: tuple[str, ...]) -> None:
        """*secrets*: the valid ones (two while rotating); none at all is refused, for it would let anybody in."""
        self._secrets = tuple(secret.encode() for secret in secrets if secret)
        if not self._secrets:
            raise ValueError("the Telegram webhook needs a secret")
        self._intake = intake

    async def handle(self, request: web.Request) -> web.Response:
        """Store and answer; whatever cannot be read is kept aside and answered 200."""
        given = request.headers.get(SECRET_HEADER, "").encode("utf-8", "surrogateescape")
        if not any([hmac.compare_digest(given, secret) for secret in self._secrets]):  # noqa: C419 - constant time
            return web.Response(status=401)
        if request.headers.get("Content-Encoding"):
            return web.Response(status=415)
        tapped = await self._intake.take(await whole(request))
        # The answer itself may call a method: this stops the tapped button's spinner without another request.
        answer = {"method": "answerCallbackQuery", "callback_query_id": tapped}
        return web.json_response(answer) if tapped else web.Response()


def _object(body: bytes) -> dict[str, Any]:
    found = json.loads(body)
    if not isinstance(found, dict) or not isinstance(found.get("update_id"), int):
        raise TypeError("not an update")
    return found
