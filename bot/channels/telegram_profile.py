"""Telegram: what the platform is to know of the bot: where messages go, its name, its texts, its commands.

Run again, it changes only what differs, for a bot may change its name only a few times a day. What waits at Telegram is
never dropped.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from urllib.parse import urlsplit

from telegram import Bot, BotCommand, MenuButton, MenuButtonCommands, User, WebhookInfo
from telegram.error import ChatMigrated, InvalidToken, NetworkError, RetryAfter, TelegramError

from bot.channels.telegram_updates import ALLOWED

WEBHOOK_PATH = "/webhooks/telegram"
CONNECTIONS = 40
PORTS = frozenset({443, 80, 88, 8443})
RECENT = timedelta(hours=1)
#: Telegram keeps what it could not bring for a day.
MANY_PENDING = 100
#: A part of Telegram's report on a failed delivery → what it means and what to do.
DELIVERY_FAULTS = (
    ("401", "the service runs with another secret; start it again with this TELEGRAM_WEBHOOK_SECRET"),
    (
        "404",
        f"nothing answers at {WEBHOOK_PATH}; let the proxy pass that path on, and start the service with the token",
    ),
    ("50", "the service or its database is down, or its disk is full; see its log"),
    ("certificate", "the certificate is not accepted; let the proxy send the whole chain"),
    ("ssl", "the certificate is not accepted; let the proxy send the whole chain"),
    ("", "Telegram cannot reach the address; check name server, firewall and port (443, 80, 88 or 8443)"),
)


class State(StrEnum):
    """What became of one step."""

    OK = "ok"
    CHANGED = "changed"
    WOULD_CHANGE = "would change"
    NOTE = "note"
    WRONG = "wrong"


@dataclass(frozen=True, slots=True)
class Finding:
    """One step, what became of it, and in plain words what is so or what to do."""

    step: str
    state: State
    detail: str


@dataclass(frozen=True, slots=True)
class Face:
    """What people see of the bot in one language; `language` is Telegram's code, "" for every other language.

    `commands`: (name without the slash, words).
    """

    language: str
    name: str
    short: str
    description: str
    commands: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Plan:
    """How it is to be. `url`: https address of the service, "" for polling; `username`: the name on our posters."""

    url: str
    secret: str
    username: str
    responders_chat: str
    faces: tuple[Face, ...]
    without_words: tuple[str, ...] = ()


class Setup:
    """Makes the platform agree with the plan, or only says in what it differs."""

    def __init__(self, bot: Bot, plan: Plan, now: Callable[[], datetime], *, dry_run: bool = False) -> None:
        """*dry_run*: change nothing."""
        self._bot = bot
        self._plan = plan
        self._now = now
        self._dry_run = dry_run

    async def run(self) -> AsyncIterator[Finding]:
        """Yield what is found, step by step; without a valid token there is only one."""
        try:
            me = await self._bot.get_me()
        except TelegramError as error:
            yield Finding("bot", State.WRONG, plainly(error))
            return
        for found in self._about(me):
            yield found
        for step, work in self._steps():
            try:
                for found in await work():
                    yield found
            except TelegramError as error:
                yield Finding(step, State.WRONG, plainly(error))

    def _steps(self) -> Sequence[tuple[str, Callable[[], Awaitable[list[Finding]]]]]:
        return (
            ("messages", self.receiving),
            ("name", self._names),
            ("short", self._shorts),
            ("description", self._descriptions),
            ("commands", self._commands),
            ("menu button", self._menu_button),
            ("responders", self._responders),
        )

    def _about(self, me: User) -> list[Finding]:
        found = [Finding("bot", State.OK, f"@{me.username}, id {me.id}")]
        wanted = self._plan.username.lstrip("@")
        if wanted and wanted.casefold() != (me.username or "").casefold():
            words = f"TELEGRAM_BOT_NAME is {wanted}: posters would lead people to another bot; set it to {me.username}"
            found.append(Finding("bot", State.WRONG, words))
        if me.can_read_all_group_messages:
            words = "privacy mode is off: the bot gets all that is said in groups; in @BotFather: /setprivacy, Enable"
            found.append(Finding("groups", State.WRONG, words))
        elif me.can_join_groups and not self._plan.responders_chat:
            words = (
                "anybody may add the bot to a group, where it only says to write in private; "
                "in @BotFather /setjoingroups forbids it"
            )
            found.append(Finding("groups", State.NOTE, words))
        if self._plan.without_words:
            words = f"no words yet in {', '.join(self._plan.without_words)}; people there see the default language"
            found.append(Finding("languages", State.NOTE, words))
        return found

    async def receiving(self) -> list[Finding]:
        """Set the webhook, or remove it for polling; then say what Telegram reports of its deliveries."""
        found = await (self._webhook() if self._plan.url else self._no_webhook())
        info = await self._bot.get_webhook_info()
        return [*found, *self._deliveries(info)]

    async def _webhook(self) -> list[Finding]:
        url = self._plan.url.rstrip("/") + WEBHOOK_PATH
        port = urlsplit(url).port or 443
        if port not in PORTS:
            return [Finding("messages", State.WRONG, f"Telegram does not use port {port}; use 443, 80, 88 or 8443")]
        before = await self._bot.get_webhook_info()
        same = before.url == url and before.max_connections == CONNECTIONS
        same = same and set(before.allowed_updates) == set(ALLOWED)
        if self._dry_run:
            words = f"webhook {url}; its secret cannot be read back and is set each time"
            return [Finding("messages", State.OK if same else State.WOULD_CHANGE, words)]
        await self._bot.set_webhook(
            url,
            secret_token=self._plan.secret,
            max_connections=CONNECTIONS,
            allowed_updates=list(ALLOWED),
            drop_pending_updates=False,
        )
        return [Finding("messages", State.OK if same else State.CHANGED, f"webhook {url}, its secret set")]

    async def _no_webhook(self) -> list[Finding]:
        before = await self._bot.get_webhook_info()
        if not before.url:
            return [Finding("messages", State.OK, "long polling: the service asks Telegram; no webhook is set")]
        host = urlsplit(before.url).hostname
        if self._dry_run:
            words = f"a webhook at {host} is set and would be removed: while it is there, nobody can poll"
            return [Finding("messages", State.WOULD_CHANGE, words)]
        await self._bot.delete_webhook(drop_pending_updates=False)
        return [Finding("messages", State.CHANGED, f"long polling: the webhook at {host} is removed")]

    def _deliveries(self, info: WebhookInfo) -> list[Finding]:
        words = f"{info.pending_update_count} messages wait at Telegram" + (
            f"; it connects to {info.ip_address}" if info.ip_address else ""
        )
        if info.pending_update_count > MANY_PENDING:
            words += "; it keeps them for a day at most: see that the service runs"
        found = [Finding("deliveries", State.NOTE if info.pending_update_count else State.OK, words)]
        at = info.last_error_date
        if self._plan.url and at and self._now() - at < RECENT:
            said = info.last_error_message or ""
            advice = next(words for part, words in DELIVERY_FAULTS if part in said.casefold())
            found.append(
                Finding("deliveries", State.WRONG, f"the last one failed at {at:%H:%M} UTC ({said}): {advice}")
            )
        return found

    async def _names(self) -> list[Finding]:
        async def current(language: str) -> str:
            return (await self._bot.get_my_name(language_code=language or None)).name

        async def change(face: Face) -> None:
            await self._bot.set_my_name(face.name, language_code=face.language or None)

        return await self._each("name", current, lambda face: face.name, change)

    async def _shorts(self) -> list[Finding]:
        async def current(language: str) -> str:
            return (await self._bot.get_my_short_description(language_code=language or None)).short_description

        async def change(face: Face) -> None:
            await self._bot.set_my_short_description(face.short, language_code=face.language or None)

        return await self._each("short", current, lambda face: face.short, change)

    async def _descriptions(self) -> list[Finding]:
        async def current(language: str) -> str:
            return (await self._bot.get_my_description(language_code=language or None)).description

        async def change(face: Face) -> None:
            await self._bot.set_my_description(face.description, language_code=face.language or None)

        return await self._each("description", current, lambda face: face.description, change)

    async def _commands(self) -> list[Finding]:
        async def current(language: str) -> str:
            found = await self._bot.get_my_commands(language_code=language or None)
            return repr(tuple((item.command, item.description) for item in found))

        async def change(face: Face) -> None:
            commands = [BotCommand(name, words) for name, words in face.commands]
            await self._bot.set_my_commands(commands, language_code=face.language or None)

        return await self._each("commands", current, lambda face: repr(face.commands), change)

    async def _each(
        self,
        step: str,
        current: Callable[[str], Awaitable[str]],
        wanted: Callable[[Face], str],
        change: Callable[[Face], Awaitable[None]],
    ) -> list[Finding]:
        """Change in each language what differs; name the languages."""
        differs = [face for face in self._plan.faces if await current(face.language) != wanted(face)]
        if not differs:
            return [Finding(step, State.OK, f"in {len(self._plan.faces)} languages")]
        named = ", ".join(face.language or "default" for face in differs)
        if self._dry_run:
            return [Finding(step, State.WOULD_CHANGE, named)]
        for face in differs:
            await change(face)
        return [Finding(step, State.CHANGED, named)]

    async def _menu_button(self) -> list[Finding]:
        button = await self._bot.get_chat_menu_button()
        if button.type in {MenuButton.COMMANDS, MenuButton.DEFAULT}:
            return [Finding("menu button", State.OK, "opens the commands")]
        if self._dry_run:
            return [Finding("menu button", State.WOULD_CHANGE, "would open the commands")]
        await self._bot.set_chat_menu_button(menu_button=MenuButtonCommands())
        return [Finding("menu button", State.CHANGED, "opens the commands")]

    async def _responders(self) -> list[Finding]:
        chat = self._plan.responders_chat
        if not chat:
            return [Finding("responders", State.NOTE, "no responders' group is set (TELEGRAM_RESPONDERS_CHAT)")]
        try:
            found = await self._bot.get_chat(chat)
        except ChatMigrated as error:
            words = f"the responders' group has become {error.new_chat_id}; set TELEGRAM_RESPONDERS_CHAT to that"
            return [Finding("responders", State.WRONG, words)]
        except NetworkError as error:
            words = (
                f"the responders' group cannot be seen ({plainly(error)}); "
                "add the bot to it, and check TELEGRAM_RESPONDERS_CHAT"
            )
            return [Finding("responders", State.WRONG, words)]
        return [Finding("responders", State.OK, f"pages go to a {found.type}")]


def plainly(error: TelegramError) -> str:
    """Say in plain words what a refusal means and what to do."""
    if isinstance(error, RetryAfter):
        wait = error.retry_after
        seconds = int(wait if isinstance(wait, int | float) else wait.total_seconds())
        return f"Telegram asks us to wait {seconds} s before this may be changed again; run this command once more then"
    if isinstance(error, InvalidToken):
        return "Telegram does not know this token; copy it anew from @BotFather into TELEGRAM_TOKEN"
    if type(error) is NetworkError or "timed out" in str(error).casefold():
        return "Telegram cannot be reached from here; check the network and TELEGRAM_API_URL"
    return str(error)
