"""Ways to page responders: a Telegram group, a signed webhook, e-mail. No page carries a person's words."""

from __future__ import annotations

import hashlib
import hmac
import json
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from email.message import EmailMessage

import aiosmtplib
from aiohttp import ClientError, ClientSession, ClientTimeout, ConnectionTimeoutError
from telegram import (
    Bot,
    ChatMemberAdministrator,
    ChatMemberMember,
    ChatMemberOwner,
    ChatMemberRestricted,
    InlineKeyboardButton,
    InlineKeyboardMarkup,
)
from telegram.error import ChatMigrated, RetryAfter, TelegramError, TimedOut

from bot.ports import FOR_OPERATORS, Alert, ChannelError, GroupMoved, StoreUnavailable

log = logging.getLogger(__name__)
#: What the source of an alert is, where it is not a list of recruiters.
_KINDS = dict.fromkeys(FOR_OPERATORS, "channel")
#: Who takes no connection within the first of these has surely not heard.
WAIT = ClientTimeout(total=10, sock_connect=5)
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

    async def check(self, alert: Alert) -> None:
        """Nothing to find out: consoles read the queue themselves."""


@dataclass(frozen=True, slots=True)
class GroupPages:
    """What a page in the group needs besides its words.

    chat: where the group is now. buttons: (id, label) under a page. kept: told where a page with buttons stands; may
    raise `StoreUnavailable`. moved: told of the group's new id.
    """

    chat: Callable[[], str]
    buttons: Callable[[Alert], Sequence[tuple[str, str]]]
    kept: Callable[[Alert, str, int], Awaitable[None]]
    moved: Callable[[str], Awaitable[None]]


class TelegramPager:
    """Writes into the responders' Telegram group: ids, a link to the console, and buttons."""

    name = "telegram"

    def __init__(self, bot: Bot, group: GroupPages, console_url: str, words: Callable[[Alert], str]) -> None:
        """*words* gives the text of a page; *console_url* is put below it."""
        self._bot = bot
        self._group = group
        self._console_url = console_url
        self._words = words

    async def page(self, alert: Alert) -> None:
        """Send it. Raise `ChannelError`."""
        text = f"{self._words(alert)}\n{self._console_url}{alert.path}"
        chat = self._group.chat()
        row = [InlineKeyboardButton(label, callback_data=name) for name, label in self._group.buttons(alert)]
        markup = InlineKeyboardMarkup([row]) if row else None
        async with self._errors():
            sent = await self._bot.send_message(chat, text, reply_markup=markup, disable_web_page_preview=True)
        if markup:
            with suppress(StoreUnavailable):  # the page is out: its buttons then stay, and still say who has the case
                await self._group.kept(alert, chat, sent.message_id)

    async def check(self, alert: Alert) -> None:  # noqa: ARG002
        """Ask Telegram whether we are in the group and may write there; nothing is written into it."""
        chat = self._group.chat()
        async with self._errors():
            await self._bot.get_me()
            member = await self._bot.get_chat_member(chat, int(self._bot.token.partition(":")[0]))
            may = isinstance(member, ChatMemberOwner | ChatMemberAdministrator)
            if isinstance(member, ChatMemberRestricted):
                may = member.is_member and member.can_send_messages
            elif isinstance(member, ChatMemberMember):
                rights = (await self._bot.get_chat(chat)).permissions
                may = not rights or rights.can_send_messages is not False
        if not may:
            raise ChannelError("alert:telegram:no_rights", retryable=True)

    @asynccontextmanager
    async def _errors(self) -> AsyncIterator[None]:
        """Turn the platform's errors into ours; a group that has moved is followed."""
        try:
            yield
        except ChatMigrated as error:
            await self._group.moved(str(error.new_chat_id))
            raise GroupMoved(str(error.new_chat_id)) from error
        except RetryAfter as error:
            wait = error.retry_after
            seconds = float(wait) if isinstance(wait, int | float) else wait.total_seconds()
            raise ChannelError("alert:telegram:429", retryable=True, retry_after=seconds) from error
        except TelegramError as error:
            left = not any(name in repr(error.__cause__) for name in ("ConnectTimeout", "PoolTimeout"))
            late = isinstance(error, TimedOut) and left
            raise ChannelError(f"alert:telegram:{type(error).__name__}", retryable=True, unknown=late) from error


class WebhookPager:
    """Posts a signed JSON object: HMAC-SHA256 over the body, as `sha256=<hex>`."""

    name = "webhook"

    def __init__(self, session: ClientSession, url: str, secret: str) -> None:
        """The receiver recognises a repeat by `id`, and by `ref` that two pages are about the same message."""
        self._session = session
        self._url = url
        self._secret = secret.encode()

    async def page(self, alert: Alert) -> None:
        """Post it. Raise `ChannelError`."""
        about = {_KINDS.get(alert.kind, "list"): alert.source} if alert.source else {"case": alert.case_id}
        said = {"kind": alert.kind, "reason": alert.reason, "ref": alert.ref, "rung": alert.rung, "to": list(alert.to)}
        body = json.dumps({"id": alert.id, **about, **said}).encode()
        signature = "sha256=" + hmac.new(self._secret, body, hashlib.sha256).hexdigest()
        headers = {SIGNATURE: signature, "Content-Type": "application/json"}
        try:
            async with self._session.post(
                self._url, data=body, headers=headers, timeout=WAIT, allow_redirects=False
            ) as answer:
                if answer.status >= 300:  # noqa: PLR2004
                    raise ChannelError(f"alert:webhook:{answer.status}", retryable=True)
        except (ClientError, TimeoutError) as error:
            late = isinstance(error, TimeoutError) and not isinstance(error, ConnectionTimeoutError)
            raise ChannelError(f"alert:webhook:{type(error).__name__}", retryable=True, unknown=late) from error

    async def check(self, alert: Alert) -> None:
        """Post it as every page; its kind `canary` tells the receiver to wake nobody."""
        await self.page(alert)


class EmailPager:
    """Sends an e-mail with a neutral subject: to those whom the page is for, else to the team's address."""

    name = "email"

    def __init__(
        self,
        settings: dict[str, object],
        sender: str,
        to: str,
        words: Callable[[Alert], str],
        addresses: Callable[[Alert], Sequence[str]],
    ) -> None:
        """*settings* are passed to `aiosmtplib.send`: hostname, port, username, password, start_tls, use_tls.

        *addresses* gives the own addresses of those whom a page is for. Once nobody has come, the team hears too.
        """
        self._addresses = addresses
        self._settings = settings
        self._sender = sender
        self._to = to
        self._words = words

    async def page(self, alert: Alert) -> None:
        """Send it. Raise `ChannelError`."""
        message = EmailMessage()
        own = self._addresses(alert)
        to = [*own, self._to] if alert.rung or not own else own
        message["From"], message["To"] = self._sender, ", ".join(to)
        message["Subject"] = f"Sahyatri {alert.source or alert.case_id or alert.ref}"
        message["Message-ID"] = f"<{alert.id.replace(':', '.')}@sahyatri>"
        message.set_content(self._words(alert))
        try:
            await aiosmtplib.send(message, timeout=10, **self._settings)  # type: ignore[arg-type, unused-ignore]
        except (aiosmtplib.SMTPException, OSError) as error:
            late = isinstance(error, aiosmtplib.SMTPReadTimeoutError)
            raise ChannelError(f"alert:email:{type(error).__name__}", retryable=True, unknown=late) from error

    async def check(self, alert: Alert) -> None:  # noqa: ARG002
        """Go as far as naming sender and receiver, then take it back: no mail is sent."""
        login = {name: self._settings[name] for name in ("username", "password") if name in self._settings}
        given = {name: value for name, value in self._settings.items() if name not in login}
        try:
            async with aiosmtplib.SMTP(timeout=10, **given, **login) as server:  # type: ignore[arg-type]
                await server.noop()
                await server.mail(self._sender)
                await server.rcpt(self._to)
                await server.rset()
        except (aiosmtplib.SMTPException, OSError) as error:
            raise ChannelError(f"alert:email:{type(error).__name__}", retryable=True) from error
