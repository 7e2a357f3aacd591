"""Who may come in: Argon2id passwords, an optional one-time code, sessions on the server, throttled tries."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

import pyotp
from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from bot.ports import Responder

HASHER = PasswordHasher()
IDLE = timedelta(minutes=15)
ABSOLUTE = timedelta(hours=10)
WINDOW = timedelta(hours=1)
MOST_PER_ACCOUNT = 10
MOST_PER_PEER = 100
SHORTEST_PASSWORD = 12
TOKEN_BYTES = 32
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


@dataclass(frozen=True, slots=True)
class Session:
    """A session that is valid now, and the person it belongs to."""

    token: str
    responder: Responder
    csrf: str
    lang: str


class Gate:
    """Log in, look a session up, log out."""

    def __init__(self, service: Service) -> None:
        """Sessions and tries are kept in the database: a restart logs nobody out and forgets no try."""
        self._service = service

    async def log_in(self, name: str, password: str, code: str, peer: str) -> str | None:
        """Return a new session token, or None; the answer never says which part was wrong."""
        service, now = self._service, self._service.now()
        too_many = (
            await service.sessions.attempts(f"account:{name}", now - WINDOW) >= MOST_PER_ACCOUNT
            or await service.sessions.attempts(f"peer:{peer}", now - WINDOW) >= MOST_PER_PEER
        )
        responder = await service.responders.get(name)
        fits = right_password(responder.password_hash if responder else DECOY, password)
        if (
            too_many
            or not responder
            or not fits
            or not responder.active
            or not await self._code_fits(responder, code, now)
        ):
            await service.sessions.attempt(f"account:{name}", now)
            await service.sessions.attempt(f"peer:{peer}", now)
            return None
        if HASHER.check_needs_rehash(responder.password_hash):
            await service.responders.save(replace(responder, password_hash=hash_password(password)))
        return await self.open(responder)

    async def _code_fits(self, responder: Responder, code: str, now: datetime) -> bool:
        """Check the one-time code of those who have set one up; each code works once."""
        if not responder.totp_secret:
            return True
        if not pyotp.TOTP(responder.totp_secret).verify(code, for_time=now, valid_window=1):
            return False
        used = f"totp:{responder.id}:{code}"
        if await self._service.sessions.attempts(used, now - WINDOW):
            return False
        await self._service.sessions.attempt(used, now)
        return True

    async def open(self, responder: Responder, lang: str = "en") -> str:
        """Start a session with a new name."""
        token, now = secrets.token_urlsafe(TOKEN_BYTES), self._service.now()
        fields = {"responder": responder.id, "csrf": secrets.token_urlsafe(TOKEN_BYTES), "seen_at": now, "lang": lang}
        await self._service.sessions.save(token, fields, now + ABSOLUTE)
        return token

    async def session(self, token: str, *, touch: bool = True) -> Session | None:
        """Return the session of *token* if it is alive and its person still may come in."""
        now = self._service.now()
        row = await self._service.sessions.get(token, now) if token else None
        if not row or now - row["seen_at"] > IDLE:
            return None
        responder = await self._service.responders.get(row["responder"])
        if not responder or not responder.active:
            return None
        if touch:
            await self._service.sessions.touch(token, now)
        return Session(token, responder, row["csrf"], row.get("lang", "en"))

    async def change_password(self, responder: Responder, password: str) -> None:
        """Set a new password and end every session of the person."""
        await self._service.responders.save(
            replace(responder, password_hash=hash_password(password), must_change=False)
        )
        await self._service.sessions.drop_all(responder.id)
