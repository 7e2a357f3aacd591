"""Looks at everything WhatsApp needs, mends what it may, and says in plain words what is wrong and what to do.

Each step is read first and changed only where it differs, so a second run changes nothing.
"""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Final

from aiohttp import ClientError, ClientSession, ClientTimeout

from bot.channels.whatsapp_account import AccountFault, Cloud
from bot.channels.whatsapp_health import limit_of
from bot.channels.whatsapp_hook import NOTICES
from bot.channels.whatsapp_inbound import listed, text

OBJECT: Final = "whatsapp_business_account"
WEBHOOK: Final = "/webhooks/whatsapp"
NEEDED: Final = frozenset({"messages", *NOTICES})
#: Fields that older versions of the interface do not know.
WISHED: Final = frozenset({"user_id_update"})
SCOPES: Final = ("whatsapp_business_messaging", "whatsapp_business_management")
LONGEST_ABOUT: Final = 139
LONGEST_DESCRIPTION: Final = 512
MOST_PROMPTS: Final = 4
LONGEST_PROMPT: Final = 80
LONGEST_COMMAND: Final = 32
LONGEST_HELP: Final = 256
SOON_DAYS: Final = 7
PHONE_FIELDS: Final = "display_phone_number,verified_name,quality_rating,name_status,code_verification_status,status"

Json = dict[str, Any]


class State(StrEnum):
    """How a step stands: right, changed now, to be changed, to be looked at by somebody, wrong."""

    OK = "ok"
    CHANGED = "changed"
    WOULD = "would change"
    LOOK = "look"
    WRONG = "wrong"


@dataclass(frozen=True, slots=True)
class Finding:
    """One step: its name, how it stands, what was found, what to do."""

    name: str
    state: State
    found: str
    todo: str = ""


@dataclass(frozen=True, slots=True)
class Presence:
    """What people see of us before they write: texts in one language."""

    about: str
    description: str
    prompts: Sequence[str]
    commands: Mapping[str, str]

    def problems(self) -> list[str]:
        """Return what the platform would refuse."""
        lengths = [("about", self.about, LONGEST_ABOUT), ("description", self.description, LONGEST_DESCRIPTION)]
        lengths += [("a prompt", prompt, LONGEST_PROMPT) for prompt in self.prompts]
        lengths += [(f"/{name}", name, LONGEST_COMMAND) for name in self.commands]
        lengths += [(f"the words for /{name}", said, LONGEST_HELP) for name, said in self.commands.items()]
        found = [f"{name}: {len(said)} characters, {most} at most" for name, said, most in lengths if len(said) > most]
        return found + ([f"more than {MOST_PROMPTS} prompts"] if len(self.prompts) > MOST_PROMPTS else [])


@dataclass(frozen=True, slots=True)
class Wanted:
    """How things are to be."""

    public_url: str
    verify_token: str
    number: str
    template: str
    presence: Presence
    dry_run: bool


class Setup:
    """One run over all steps."""

    def __init__(self, cloud: Cloud, wanted: Wanted, session: ClientSession, now: Callable[[], datetime]) -> None:
        """*session* asks our own public address, as the platform will."""
        self._cloud = cloud
        self._wanted = wanted
        self._session = session
        self._now = now

    async def findings(self) -> AsyncIterator[Finding]:
        """Yield every step; without a valid token nothing else can be asked."""
        first = await self._step("token", self._token)
        yield first
        if first.state is State.WRONG:
            return
        yield await self._step("app secret", self._secret)
        yield await self._step("account", self._account)
        yield await self._step("number", self._number)
        address = await self._step("public address", self._address)
        yield address
        if address.state is not State.WRONG:
            yield await self._step("webhook", self._webhook)
        for name, step in (("profile", self._profile), ("prompts", self._prompts)):
            yield await self._step(name, step)
        if self._cloud.account_id:
            yield await self._step("subscription", self._subscription)
            yield await self._step("templates", self._templates)

    async def _step(self, name: str, step: Callable[[], Awaitable[Finding]]) -> Finding:
        try:
            return await step()
        except AccountFault as fault:
            return Finding(name, State.WRONG, str(fault), fault.todo)

    async def _token(self) -> Finding:
        data = await self._cloud.inspect_token()
        if not data.get("is_valid"):
            return Finding("token", State.WRONG, "the access token is not valid (any more)", ASK_ANEW)
        scopes = {text(scope) for scope in listed(data.get("scopes"))}
        if lacking := [scope for scope in SCOPES if scope not in scopes]:
            return Finding("token", State.WRONG, f"the token lacks {', '.join(lacking)}", ASK_ANEW)
        ends = data.get("expires_at") or 0
        days = (ends - self._now().timestamp()) / 86400 if isinstance(ends, int | float) and ends else None
        if days is None:
            return Finding("token", State.OK, "valid, does not end")
        state = State.LOOK if days > SOON_DAYS else State.WRONG
        return Finding("token", state, f"valid, but ends in {days:.0f} days", ASK_ANEW)

    async def _secret(self) -> Finding:
        if not self._cloud.app_id:
            return Finding("app secret", State.LOOK, "the platform does not say which app the token belongs to")
        name = text((await self._cloud.app("", fields="id,name")).get("name"))
        return Finding("app secret", State.OK, f"fits the app {name or self._cloud.app_id}")

    async def _account(self) -> Finding:
        if not self._cloud.account_id:
            return Finding("account", State.WRONG, "which WhatsApp Business account is meant is not known", SET_ACCOUNT)
        found = await self._cloud.get(self._cloud.account_id, fields="id,name,account_review_status")
        numbers = await self._cloud.get(f"{self._cloud.account_id}/phone_numbers", fields="id")
        ids = {text(row.get("id")) for row in listed(numbers.get("data")) if isinstance(row, dict)}
        if self._cloud.phone_id not in ids:
            return Finding("account", State.WRONG, "the number does not belong to this account", SET_ACCOUNT)
        review = text(found.get("account_review_status"))
        if review and review != "APPROVED":
            return Finding("account", State.LOOK, f"the platform's review of the account: {review}", BUSINESS)
        return Finding("account", State.OK, text(found.get("name")) or self._cloud.account_id)

    async def _number(self) -> Finding:
        found = await self._cloud.get(self._cloud.phone_id, fields=PHONE_FIELDS)
        shown = text(found.get("display_phone_number"))
        quality, limit = text(found.get("quality_rating")), await limit_of(self._cloud)
        said = f"{shown} “{text(found.get('verified_name'))}”, quality {quality or 'unknown'}, "
        said += f"limit {limit or 'unknown'}"
        ours = _digits(self._wanted.number)
        if ours and _digits(shown) != ours:
            return Finding("number", State.WRONG, f"{said}; WHATSAPP_NUMBER says otherwise", SET_NUMBER)
        if text(found.get("status")) not in {"", "CONNECTED"}:
            return Finding("number", State.WRONG, f"{said}; it is {found['status']}", REGISTER)
        if quality in {"RED", "YELLOW"}:
            return Finding("number", State.LOOK, said, "Too many people block or report the number: send less.")
        return Finding("number", State.OK, said)

    async def _address(self) -> Finding:
        """Ask our own webhook as the platform will."""
        url = self._wanted.public_url.rstrip("/")
        if not url:
            return Finding("public address", State.WRONG, "PUBLIC_URL is not set", SET_URL)
        challenge = secrets.token_hex(8)
        params = {"hub.mode": "subscribe", "hub.verify_token": self._wanted.verify_token, "hub.challenge": challenge}
        try:
            async with self._session.get(
                url + WEBHOOK, params=params, timeout=ClientTimeout(total=10), allow_redirects=False
            ) as answer:
                right = answer.status == 200 and await answer.text() == challenge  # noqa: PLR2004
                status = answer.status
        except (ClientError, TimeoutError, ValueError) as error:
            return Finding("public address", State.WRONG, f"{url} cannot be reached ({type(error).__name__})", REACH)
        if not right:
            return Finding("public address", State.WRONG, f"{url}{WEBHOOK} answers {status}, not our challenge", REACH)
        return Finding("public address", State.OK, f"{url}{WEBHOOK} answers")

    async def _webhook(self) -> Finding:
        """What the app has asked for: our address, and every kind of news that we read."""
        callback = self._wanted.public_url.rstrip("/") + WEBHOOK
        if not self._cloud.app_id:
            return Finding("webhook", State.LOOK, "the app is not known", f"Set the address {callback} in the app.")
        rows = listed((await self._cloud.app("subscriptions")).get("data"))
        ours = next((row for row in rows if isinstance(row, dict) and row.get("object") == OBJECT), {})
        fields = {text(item.get("name")) for item in listed(ours.get("fields")) if isinstance(item, dict)}
        if ours.get("callback_url") == callback and fields >= NEEDED and ours.get("active", True):
            return Finding("webhook", State.OK, f"{callback}, {len(fields)} kinds of news")
        lacking = sorted(NEEDED - fields)
        if self._wanted.dry_run:
            return Finding("webhook", State.WOULD, f"{callback}, and ask for {', '.join(lacking) or 'nothing new'}")
        await self._subscribe(callback, fields | NEEDED)
        return Finding("webhook", State.CHANGED, f"{callback}, now also {', '.join(lacking) or 'nothing new'}")

    async def _subscribe(self, callback: str, fields: set[str] | frozenset[str]) -> None:
        body = {"object": OBJECT, "callback_url": callback, "verify_token": self._wanted.verify_token}
        try:
            await self._cloud.change_app("subscriptions", **body, fields=",".join(sorted(fields | WISHED)))
        except AccountFault:
            await self._cloud.change_app("subscriptions", **body, fields=",".join(sorted(fields - WISHED)))

    async def _subscription(self) -> Finding:
        """The account must hand its news to the app."""
        path = f"{self._cloud.account_id}/subscribed_apps"
        rows = listed((await self._cloud.get(path)).get("data"))
        apps = {text(_part(row, "whatsapp_business_api_data").get("id")) for row in rows}
        if self._cloud.app_id in apps or (not self._cloud.app_id and apps):
            return Finding("subscription", State.OK, "the account hands its messages to the app")
        if self._wanted.dry_run:
            return Finding("subscription", State.WOULD, "let the account hand its messages to the app")
        await self._cloud.post(path)
        return Finding("subscription", State.CHANGED, "the account now hands its messages to the app")

    async def _profile(self) -> Finding:
        presence = self._wanted.presence
        if problems := presence.problems():
            return Finding("profile", State.WRONG, "; ".join(problems), SHORTER)
        path = f"{self._cloud.phone_id}/whatsapp_business_profile"
        rows = listed((await self._cloud.get(path, fields="about,description")).get("data"))
        known = rows[0] if rows and isinstance(rows[0], dict) else {}
        wanted = {"about": presence.about, "description": presence.description}
        changed = {name: said for name, said in wanted.items() if text(known.get(name)) != said}
        if not changed:
            return Finding("profile", State.OK, "about and description are as they should be")
        if self._wanted.dry_run:
            return Finding("profile", State.WOULD, f"set {' and '.join(changed)}")
        await self._cloud.post(path, messaging_product="whatsapp", **changed)
        return Finding("profile", State.CHANGED, f"{' and '.join(changed)} set")

    async def _prompts(self) -> Finding:
        """The questions and commands that a person can tap in an empty chat."""
        presence = self._wanted.presence
        if problems := presence.problems():
            return Finding("prompts", State.WRONG, "; ".join(problems), SHORTER)
        found = await self._cloud.get(self._cloud.phone_id, fields="conversational_automation")
        known = _part(found, "conversational_automation")
        commands = [{"command_name": name, "command_description": said} for name, said in presence.commands.items()]
        known_commands = [
            {field: text(_part(item, "").get(field)) for field in ("command_name", "command_description")}
            for item in listed(known.get("commands"))
        ]
        if listed(known.get("prompts")) == [*presence.prompts] and known_commands == commands:
            return Finding("prompts", State.OK, f"{len(presence.prompts)} prompts, {len(commands)} commands")
        if self._wanted.dry_run:
            return Finding("prompts", State.WOULD, f"set {len(presence.prompts)} prompts, {len(commands)} commands")
        body: Json = {"enable_welcome_message": False, "prompts": [*presence.prompts], "commands": commands}
        await self._cloud.post(f"{self._cloud.phone_id}/conversational_automation", **body)
        return Finding("prompts", State.CHANGED, f"{len(presence.prompts)} prompts, {len(commands)} commands set")

    async def _templates(self) -> Finding:
        rows = [row async for row in self._cloud.pages(f"{self._cloud.account_id}/message_templates")]
        listing = ", ".join(f"{row.get('name')} ({row.get('language')}): {row.get('status')}" for row in rows) or "none"
        name = self._wanted.template
        if not name:
            return Finding("templates", State.LOOK, listing, NO_TEMPLATE)
        ours = [row for row in rows if row.get("name") == name]
        good = {text(row.get("language")) for row in ours if row.get("status") == "APPROVED"}
        if not good:
            return Finding("templates", State.WRONG, f"{name} is not approved; {listing}", SUBMIT)
        if any("{{" in text(part.get("text")) for row in ours for part in listed(row.get("components"))):
            return Finding("templates", State.WRONG, f"{name} has places to fill in; {listing}", SUBMIT)
        if "en" not in good:
            return Finding(
                "templates", State.LOOK, listing, f"Submit {name} in English (en) too: it stands in for others."
            )
        return Finding("templates", State.OK, listing)


def _part(value: object, name: str) -> Json:
    """Return a member that is an object; with no *name*, the value itself."""
    found = value if not name else value.get(name) if isinstance(value, dict) else None
    return found if isinstance(found, dict) else {}


def _digits(number: str) -> str:
    return "".join(char for char in number if char.isdigit())


ASK_ANEW: Final = (
    "In business.facebook.com, Settings, System users: make a token for the app with both WhatsApp permissions and"
    " no end date, and put it into WHATSAPP_TOKEN."
)
SET_ACCOUNT: Final = (
    "Set WHATSAPP_BUSINESS_ACCOUNT_ID and WHATSAPP_PHONE_NUMBER_ID as the app's page API Setup shows them."
)
BUSINESS: Final = "Look at the account in business.facebook.com; what is asked of you there must be answered first."
SET_NUMBER: Final = "Correct WHATSAPP_NUMBER, or WHATSAPP_PHONE_NUMBER_ID: posters would lead to a wrong number."
REGISTER: Final = "Register the number in WhatsApp Manager."
SET_URL: Final = "Set PUBLIC_URL to the https address people reach, and start the service."
REACH: Final = "Start the service, and let the https address lead to it; WHATSAPP_VERIFY_TOKEN must be the same there."
SHORTER: Final = "Choose another --lang, or let an author shorten the words (area whatsapp)."
SUBMIT: Final = (
    "In WhatsApp Manager, Message templates: submit it as Utility, without places to fill in, with the words of the"
    " message whatsapp.template."
)
NO_TEMPLATE: Final = f"Without WHATSAPP_TEMPLATE nobody is greeted after 24 hours. To have one: {SUBMIT}"
