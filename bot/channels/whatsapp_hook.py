"""The Cloud API's webhook: signature over the raw bytes, each item of a batch alone, 200 once all of it is durable.

Rules W1–W6: constant-time compare of bytes, 4 MiB at most, no content encoding, one poisoned item never loses its
siblings.
"""

from __future__ import annotations

import functools
import hashlib
import hmac
import json
import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from aiohttp import web

from bot.channels.bodies import whole
from bot.channels.whatsapp_errors import outcome
from bot.channels.whatsapp_inbound import changes, error_code, listed, parse, parse_id_update, parse_move, parse_status
from bot.channels.whatsapp_inbound import text as text_of
from bot.domain.messages import InboundMessage, Moved, Receipt

log = logging.getLogger(__name__)
SIGNATURE_HEADER: Final = "X-Hub-Signature-256"
MOST_BYTES: Final = 4 * 1024 * 1024
LONGEST_CHALLENGE: Final = 256
#: More than a batch can hold.
MOST_ITEMS: Final = MOST_BYTES
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
    refused: Callable[[str], Awaitable[None]]


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
        body = await whole(request)
        if not verified(body, request.headers.get(SIGNATURE_HEADER, ""), self._secrets):
            return web.Response(status=401)
        try:
            await self.take(json.loads(body))
        except (ValueError, RecursionError, TypeError) as error:
            await self._desk.quarantine("whatsapp", body, type(error).__name__)
        return web.Response()

    async def take(self, payload: object) -> None:
        """Hand on every item of a batch that can be read, people's before the platform's own.

        Raise `TypeError` for what is no batch. What could not be kept now is raised at the end, so that the platform
        sends the batch again: no item waits for another, and what is known by then is not heard twice.
        """
        batch = list(changes(payload, self._phone_id))
        missed = [error for _, value in batch for error in await self._people(value)]
        missed += [error for field, value in batch for error in await self._platform(field, value)]
        if missed:
            log.error("items could not be kept; the batch must come again", extra={"items": len(missed)})
            raise missed[0]

    async def _people(self, value: Json) -> list[Exception]:
        """Take who has moved, then who writes: whoever writes from a new number is then the same person at once."""
        messages = listed(value.get("messages"))
        moves = [(item, self._id_update) for item in listed(value.get("user_id_update"))]
        moves += [(item, self._message) for item in messages if _is_notice(item)]
        missed = await self._all(moves, most_missed=1)
        return missed + await self._all([(item, self._message) for item in messages if not _is_notice(item)])

    async def _platform(self, field: str, value: Json) -> list[Exception]:
        items = [(value, functools.partial(self._notice, field))] if field in NOTICES else []
        reports = [(item, self._status) for item in listed(value.get("statuses"))]
        errors = [(item, self._error) for item in listed(value.get("errors"))]
        return await self._all([*items, *reports, *errors])

    async def _all(self, items: Sequence[tuple[object, Take]], most_missed: int = MOST_ITEMS) -> list[Exception]:
        """Take each; return what could not be kept. After *most_missed* no more are tried, for others wait."""
        missed: list[Exception] = []
        for item, take in items:
            try:
                await self._item(item, take)
            except Exception as error:
                missed.append(error)
            if len(missed) >= most_missed:
                break
        return missed

    async def _item(self, item: object, take: Take) -> None:
        """Take one item; a malformed one is kept aside and its siblings go on."""
        try:
            if not isinstance(item, dict):
                raise TypeError("not an object")
            await take(item)
        except (KeyError, TypeError, ValueError, OverflowError, AttributeError) as error:
            await self._desk.quarantine("whatsapp", json.dumps(item, default=str).encode(), type(error).__name__)

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
            await self._desk.refused(f"whatsapp:{code}")

    async def _notice(self, field: str, value: Json) -> None:
        event = text_of(value.get("event")) or text_of(value.get("alert_type")) or text_of(value.get("decision"))
        log.warning("the platform has a notice for us", extra={"field": field, "notice": event})
        if event.upper() not in GOOD:
            await self._desk.alarm(f"whatsapp:{field}:{event}"[:80])


def _is_notice(item: object) -> bool:
    return isinstance(item, dict) and item.get("type") == "system"
