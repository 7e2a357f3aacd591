"""Ways to page responders: a Telegram group, a signed webhook, e-mail. No page carries a person's words."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Callable
from email.message import EmailMessage

import aiosmtplib
from aiohttp import ClientError, ClientSession, ClientTimeout
from telegram import Bot
from telegram.error import RetryAfter, TelegramError

from bot.ports import CHANNEL_FAULT, Alert, ChannelError

#: What the source of an alert is, where it is not a list of recruiters.
_KINDS = {CHANNEL_FAULT: "channel"}
SIGNATURE = "X-Sahyatri-Signature-256"


class ConsolePager:
    """The console reads the queue itself; its row records that the page reached it."""

    name = "console"

    def __init__(self, wake: Callable[[], None]) -> None:
        """*wake* makes open consoles look at once."""
        self._wake = wake

    async def page(self, alert: Alert) -> None:  # noqa: ARG002
        """Wake the open consoles."""
        self._wake()


class TelegramPager:
    """Writes into the responders' Telegram group."""

    name = "telegram"

    def __init__(self, bot: Bot, chat: str, console_url: str, words: Callable[[Alert], str]) -> None:
        """*words* gives the text of a page; *console_url* is put below it."""
        self._bot = bot
        self._chat = chat
        self._console_url = console_url
        self._words = words

    async def page(self, alert: Alert) -> None:
        """Send it. Raise `ChannelError`."""
        text = f"{self._words(alert)}\n{self._console_url}{alert.path}"
        try:
            await self._bot.send_message(self._chat, text, disable_web_page_preview=True)
        except RetryAfter as error:
            wait = error.retry_after
            seconds = float(wait) if isinstance(wait, int | float) else wait.total_seconds()
            raise ChannelError("alert:telegram:429", retryable=True, retry_after=seconds) from error
        except TelegramError as error:
            raise ChannelError(f"alert:telegram:{type(error).__name__}", retryable=True) from error


class WebhookPager:
    """Posts a signed JSON object: HMAC-SHA256 over the body, as `sha256=<hex>`."""

    name = "webhook"

    def __init__(self, session: ClientSession, url: str, secret: str) -> None:
        """The receiver recognises a repeat by `id`."""
        self._session = session
        self._url = url
        self._secret = secret.encode()

    async def page(self, alert: Alert) -> None:
        """Post it. Raise `ChannelError`."""
        about = {_KINDS.get(alert.kind, "list"): alert.source} if alert.source else {"case": alert.case_id}
        body = json.dumps({"id": alert.id, **about, "kind": alert.kind, "reason": alert.reason}).encode()
        signature = "sha256=" + hmac.new(self._secret, body, hashlib.sha256).hexdigest()
        headers = {SIGNATURE: signature, "Content-Type": "application/json"}
        try:
            async with self._session.post(
                self._url, data=body, headers=headers, timeout=ClientTimeout(total=10), allow_redirects=False
            ) as answer:
                if answer.status >= 300:  # noqa: PLR2004
                    raise ChannelError(f"alert:webhook:{answer.status}", retryable=True)
        except (ClientError, TimeoutError) as error:
            raise ChannelError(f"alert:webhook:{type(error).__name__}", retryable=True) from error


class EmailPager:
    """Sends an e-mail with a neutral subject."""

    name = "email"

    def __init__(self, settings: dict[str, object], sender: str, to: str, words: Callable[[Alert], str]) -> None:
        """*settings* are passed to `aiosmtplib.send`: hostname, port, username, password, start_tls, use_tls."""
        self._settings = settings
        self._sender = sender
        self._to = to
        self._words = words

    async def page(self, alert: Alert) -> None:
        """Send it. Raise `ChannelError`."""
        message = EmailMessage()
        message["From"], message["To"] = self._sender, self._to
        message["Subject"] = f"Sahyatri {alert.source or alert.case_id}"
        message["Message-ID"] = f"<{alert.id.replace(':', '.')}@sahyatri>"
        message.set_content(self._words(alert))
        try:
            await aiosmtplib.send(message, timeout=10, **self._settings)  # type: ignore[arg-type, unused-ignore]
        except (aiosmtplib.SMTPException, OSError) as error:
            raise ChannelError(f"alert:email:{type(error).__name__}", retryable=True) from error
