"""The Cloud API's webhook: signature over the raw bytes, each item of a batch alone, 200 once all of it is durable.

Rules W1–W6: constant-time compare of bytes, 4 MiB at most, no content encoding, one poisoned item never loses its
siblings.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from aiohttp import web

from bot.channels.whatsapp_errors import outcome
from bot.channels.whatsapp_inbound import changes, error_code, listed, parse, parse_id_update, parse_move, parse_status
from bot.channels.whatsapp_inbound import text as text_of
from bot.domain.messages import InboundMessage, Moved, Receipt

log = logging.getLogger(__name__)
SIGNATURE_HEADER: Final = "X-Hub-Signature-256"
MOST_BYTES: Final = 4 * 1024 * 1024
LONGEST_CHALLENGE: Final = 256
#: Fields of a webhook by which the platform says that the account, the number or a template is in trouble.
NOTICES: Final = frozenset({
    "account_alerts", "account_review_update", "account_update", "message_template_status_update",
    "phone_number_quality_update", "security",
})  # fmt: skip
#: What such a notice calls good news, or no news.
GOOD: Final = frozenset({
    "APPROVED", "VERIFIED_ACCOUNT", "ONBOARDING", "UPGRADE", "REINSTATED", "REINSTATE", "PENDING", "FLAGGED_RESOLVED",
})  # fmt: skip

Json = dict[str, Any]
Take = Callable[[Json], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Desk:
    """Who takes what the webhook brings. Each may raise when nothing could be kept; the platform then sends again."""

    receive: Callable[[InboundMessage], Awaitable[bool]]
    report: Callable[[Receipt], Awaitable[None]]
    quarantine: Callable[[str, bytes, str], Awaitable[None]]
    moved: Callable[[Moved], Awaitable[None]]
    alarm: Callable[[str], Awaitable[None]]


def verified(body: bytes, header: str, secrets: tuple[str, ...]) -> bool:
    """Check `sha256=<hex>` over the raw bytes against each valid app secret, in constant time and as bytes."""
    given = header.encode("utf-8", "surrogateescape")
    fits = [
        hmac.compare_digest(given, b"sha256=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest().encode())
        for secret in secrets
        if secret
    ]
    return any(fits)


class WhatsAppWebhook:
    """`GET` verifies the address, `POST` brings batches: 401 unsigned, 200 once every item is durable."""

    def __init__(
        self, phone_id: str, secrets: tuple[str, ...], verify_token: str, desk: Desk, now: Callable[[], datetime]
    ) -> None:
        """*secrets*: the valid app secrets (two while rotating)."""
        self._phone_id = phone_id
        self._secrets = secrets
        self._verify_token = verify_token.encode()
        self._desk = desk
        self._now = now

    async def verify(self, request: web.Request) -> web.Response:
        """Echo the challenge, as plain text, to whoever knows our token."""
        given = request.query.get("hub.verify_token", "").encode("utf-8", "surrogateescape")
        challenge = request.query.get("hub.challenge", "")
        right = hmac.compare_digest(given, self._verify_token) and request.query.get("hub.mode") == "subscribe"
        if not right or len(challenge) > LONGEST_CHALLENGE or not challenge.isascii() or not challenge.isalnum():
            return web.Response(status=403)
        return web.Response(text=challenge, content_type="text/plain")

    async def handle(self, request: web.Request) -> web.Response:
        """Store every item of the batch and answer."""
        if request.headers.get("Content-Encoding"):
            return web.Response(status=415)
        body = await request.read()
        if not verified(body, request.headers.get(SIGNATURE_HEADER, ""), self._secrets):
            return web.Response(status=401)
        try:
            await self.take(json.loads(body))
        except (ValueError, RecursionError, TypeError) as error:
            await self._desk.quarantine("whatsapp", body, type(error).__name__)
        return web.Response()

    async def take(self, payload: object) -> None:
        """Hand on every item of a batch that can be read. Raise `TypeError` for what is no batch.

        What could not be kept now is raised at the end, so that the platform sends the batch again: no item waits for
        another, and whoever is known already is not heard twice.
        """
        missed: list[Exception] = []
        for field, value in list(changes(payload, self._phone_id)):
            await self._change(field, value, missed)
        if missed:
            log.error("items could not be kept; the batch must come again", extra={"items": len(missed)})
            raise missed[0]

    async def _change(self, field: str, value: Json, missed: list[Exception]) -> None:
        """Take one change: moves first, so that whoever writes from a new number is at once the same person.

        A move that the database cannot take now makes no message wait for the others.
        """
        if field in NOTICES:
            await self._items([value], lambda item: self._notice(field, item), missed)
        messages = sorted(listed(value.get("messages")), key=_no_notice)
        moves = [item for item in messages if not _no_notice(item)]
        done = await self._items(listed(value.get("user_id_update")), self._id_update, missed, most_missed=1)
        left = moves if done else []
        later = [] if done else moves
        await self._items(left, self._message, missed, most_missed=1)
        await self._items([item for item in messages if _no_notice(item)], self._message, missed)
        await self._items(later, self._message, missed, most_missed=1)
        await self._items(listed(value.get("statuses")), self._status, missed)
        await self._items(listed(value.get("errors")), self._error, missed)

    async def _message(self, item: Json) -> None:
        if moved := parse_move(item, self._phone_id, self._now()):
            await self._desk.moved(moved)
        elif message := parse(item, self._phone_id, self._now()):
            await self._desk.receive(message)

    async def _id_update(self, item: Json) -> None:
        moved = parse_id_update(item, self._phone_id, self._now())
        if moved:
            await self._desk.moved(moved)

    async def _status(self, item: Json) -> None:
        receipt = parse_status(item, self._now())
        if receipt:
            await self._desk.report(receipt)

    async def _error(self, item: Json) -> None:
        """An error that belongs to no message of ours."""
        code = error_code({"errors": [item]})
        log.error("the platform reports an error", extra={"code": code})
        if outcome(code).account:
            await self._desk.alarm(f"whatsapp:{code}")

    async def _notice(self, field: str, value: Json) -> None:
        event = text_of(value.get("event")) or text_of(value.get("alert_type")) or text_of(value.get("decision"))
        log.warning("the platform has a notice for us", extra={"field": field, "notice": event})
        if event.upper() not in GOOD:
            await self._desk.alarm(f"whatsapp:{field}:{event}"[:80])


def _no_notice(item: object) -> bool:
    """Order moves before messages: whoever writes from a new number is then the same person at once."""
    return not (isinstance(item, dict) and item.get("type") == "system")
