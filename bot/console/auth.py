"""Who may come in: Argon2id passwords, one-time and recovery codes, sessions on the server, throttled tries."""

from __future__ import annotations

import asyncio
import hmac
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

import pyotp
from aiohttp import web
from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from bot.console.browser import UNNAMED, Browser
from bot.domain.roles import Organisation
from bot.ports import Responder

HASHER = PasswordHasher()
IDLE = timedelta(minutes=15)
ABSOLUTE = timedelta(hours=10)
#: For this long after a login or a proof a person may hand things out and change who may come in.
FRESH = timedelta(minutes=5)
WINDOW = timedelta(hours=1)
CODE_WINDOW = timedelta(minutes=10)
MOST_PER_ACCOUNT = 10
MOST_PER_PEER = 100
MOST_CODES = 5
#: Wrong tries in an hour, of all accounts together, beyond which somebody goes through them.
MOST_WRONG = 40
SHORTEST_PASSWORD = 12
TOKEN_BYTES = 32
STEP: Final = 30
RECOVERY_CODES: Final = 10
RECOVERY_BYTES: Final = 8
#: Checked when nobody has the name, so that an unknown name takes as long as a wrong password.
DECOY = HASHER.hash(secrets.token_urlsafe(16))
Service = Any


def hash_password(password: str) -> str:
    """Return an Argon2id hash."""
    return HASHER.hash(password)


def right_password(found: str, password: str) -> bool:
    """Check a password."""
    try:
        return HASHER.verify(found, password)
    except (VerificationError, InvalidHashError):
        return False


def recovery_codes() -> list[str]:
    """Return new codes as they are shown, once: hexadecimal digits in fours."""
    found = (secrets.token_hex(RECOVERY_BYTES) for _ in range(RECOVERY_CODES))
    return ["-".join(code[at : at + 4] for at in range(0, len(code), 4)) for code in found]


@dataclass(frozen=True, slots=True)
class Session:
    """A session that is valid now, and the person it belongs to.

    strong: a second factor was shown. fresh: so little time has passed since the last proof that nothing is asked
    again. needs: what comes before anything else: `prove` (show the second factor), `security` (set one up), or "".
    """

    token: str
    responder: Responder
    csrf: str
    lang: str
    organisation: Organisation | None = None
    strong: bool = False
    fresh: bool = False
    needs: str = ""


SESSION: web.RequestKey[Session] = web.RequestKey("session", Session)


class TooManyTries(Exception):
    """More tries than are looked at."""


class Gate:
    """Log in, look a session up, log out."""

    def __init__(self, service: Service) -> None:
        """Sessions and tries are kept in the database: a restart logs nobody out and forgets no try."""
        self._service = service

    async def log_in(self, name: str, password: str, code: str, peer: str, browser: Browser = UNNAMED) -> str | None:
        """Return a new session token, or None; the answer never says which part was wrong. Raise `TooManyTries`."""
        tickets = await self._counted(name, peer)
        responder = await self._right(name, password)
        shown = responder is not None and await self.code_fits(responder, code)
        if not responder or (responder.totp_secret and not shown):
            if not await self._try("wrong", MOST_WRONG, WINDOW):
                await self._service.intruders.many(MOST_WRONG)
            return None
        await self._service.sessions.forgive(tickets)
        if HASHER.check_needs_rehash(responder.password_hash):
            renewed = await asyncio.to_thread(hash_password, password)
            await self._service.responders.set_password(responder.id, renewed, must_change=responder.must_change)
        return await self.open(responder, strong=shown, how="password_code" if shown else "password", browser=browser)

    async def _counted(self, name: str, peer: str) -> list[object]:
        """Count a try for the name and for the address, and return its tickets. Raise `TooManyTries`."""
        of_name = await self._try(f"account:{name}", MOST_PER_ACCOUNT, WINDOW)
        of_peer = await self._try(f"peer:{peer}", MOST_PER_PEER, WINDOW)
        if of_name and of_peer:
            return [of_name, of_peer]
        if not of_peer:
            await self._service.intruders.crowded(peer)
        if not of_name:
            known = await self._service.responders.get(name)
            await self._service.intruders.guessed("login", name, known.id if known else "")
        raise TooManyTries

    async def _right(self, name: str, password: str) -> Responder | None:
        """Return who has this name and password and may come in."""
        responder: Responder | None = await self._service.responders.get(name)
        found = responder.password_hash if responder else DECOY
        fits = await asyncio.to_thread(right_password, found, password)
        return responder if responder and fits and responder.active else None

    async def _try(self, key: str, most: int, window: timedelta) -> object | None:
        """Count a try, then ask whether it is one too many: of a thousand at once only the first few are looked at."""
        now = self._service.now()
        ticket: object = await self._service.sessions.attempt(key, now)
        return ticket if await self._service.sessions.attempts(key, now - window) <= most else None

    async def code_fits(self, responder: Responder, code: str) -> bool:
        """Check a one-time code or a recovery code; each works once, and only a few tries are looked at."""
        code = code.strip().lower()
        if not code or not (responder.totp_secret or responder.recovery):
            return False
        ticket = await self._try(f"code:{responder.id}", MOST_CODES, CODE_WINDOW)
        if not ticket:
            await self._service.intruders.guessed("code", responder.id, responder.id)
            return False
        step = step_of(responder.totp_secret, code, self._service.now())
        fits = step and await self._service.responders.spend_step(responder.id, step)
        if not fits and not await self._service.responders.spend_recovery(responder.id, code):
            return False
        await self._service.sessions.forgive([ticket])
        return True

    async def sets_up(self, responder: Responder, secret: str, code: str) -> bool:
        """Take a new secret into use if *code* is one of its codes now, which is thereby used up."""
        ticket = await self._try(f"code:{responder.id}", MOST_CODES, CODE_WINDOW)
        step = step_of(secret, code, self._service.now()) if ticket else 0
        if not step:
            return False
        await self._service.sessions.forgive([ticket])
        await self._service.responders.set_totp(responder.id, secret)
        await self._service.responders.spend_step(responder.id, step)
        return True

    async def knows_password(self, responder: Responder, password: str) -> bool:
        """Check the password of somebody who is in already; guessing here locks nobody out at the door."""
        ticket = await self._try(f"prove:{responder.id}", MOST_PER_ACCOUNT, WINDOW)
        if not ticket:
            await self._service.intruders.guessed("proof", responder.id, responder.id)
            return False
        if not await asyncio.to_thread(right_password, responder.password_hash, password):
            return False
        await self._service.sessions.forgive([ticket])
        return True

    async def open(
        self,
        responder: Responder,
        lang: str = "en",
        *,
        strong: bool = False,
        how: str = "password",
        browser: Browser = UNNAMED,
    ) -> str:
        """Start a session with a new name. how: the id of the words that say how the person came in."""
        token, now = secrets.token_urlsafe(TOKEN_BYTES), self._service.now()
        fields = {
            "responder": responder.id, "csrf": secrets.token_urlsafe(TOKEN_BYTES), "seen_at": now, "lang": lang,
            "made_at": now, "proved_at": now, "strong": strong, "how": how, **browser.fields,
        }  # fmt: skip
        await self._service.sessions.save(token, fields, now + ABSOLUTE)
        return token

    async def session(self, token: str, *, touch: bool = True, browser: Browser | None = None) -> Session | None:
        """Return the session of *token* if it is alive and its person still may come in.

        Where *browser* is given it must be the browser that logged in: a stolen cookie ends the session.
        """
        now = self._service.now()
        row = await self._service.sessions.get(token, now) if token else None
        if not row or now - row["seen_at"] > IDLE:
            return None
        if browser is not None and not browser.is_of(row):
            await self._service.sessions.drop(token)
            await self._service.intruders.stolen(row["responder"])
            return None
        responder = await self._service.responders.get(row["responder"])
        if not responder or not responder.active:
            return None
        if touch:
            await self._service.sessions.touch(token, now)
        return Session(
            token,
            responder,
            row["csrf"],
            row.get("lang", "en"),
            await self._service.organisations.get(responder.organisation),
            row.get("strong", False),
            now - row.get("proved_at", now - IDLE) <= FRESH,
            "" if row.get("strong") else await self._needs(responder),
        )

    async def _needs(self, responder: Responder) -> str:
        """Say what a session without a second factor has to do first."""
        if await self.has_factor(responder):
            return "prove"
        return "security" if await self._service.organisations.second_factor_needed() else ""

    async def has_factor(self, responder: Responder) -> bool:
        """Say whether a person has set up one-time codes or a passkey."""
        return bool(responder.totp_secret) or bool(await self._service.passkeys.of(responder.id))

    async def proved(self, session: Session, *, strong: bool, how: str, browser: Browser) -> str:
        """Record that the person has just shown who they are; return the token, a new one if the session rose."""
        if not strong or session.strong:
            await self._service.sessions.change(session.token, proved_at=self._service.now())
            return session.token
        token = await self.open(session.responder, session.lang, strong=True, how=how, browser=browser)
        await self._service.sessions.drop(session.token)
        return token

    async def change_password(self, responder: Responder, password: str) -> None:
        """Set a new password and end every session of the person."""
        hashed = await asyncio.to_thread(hash_password, password)
        await self._service.responders.set_password(responder.id, hashed, must_change=False)
        await self._service.sessions.drop_all(responder.id)


def step_of(secret: str, code: str, now: datetime) -> int:
    """Return the time step that a one-time code belongs to, the one now or a neighbour; 0 if it is none of them."""
    if not secret or not (code.isascii() and code.isdigit()):
        return 0
    at = int(now.timestamp()) // STEP
    maker = pyotp.TOTP(secret)
    return next((step for step in (at, at - 1, at + 1) if hmac.compare_digest(maker.at(step * STEP), code)), 0)
