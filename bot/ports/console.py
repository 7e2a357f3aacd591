"""Who may enter the console, what they did, what they print, and the words they change."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Protocol

from bot.domain.passkeys import Challenge, ChallengeFor, Passkey
from bot.domain.referrals import Packet
from bot.domain.roles import Organisation
from bot.domain.wording import Mark, Proposal, Version, Words


class WordingStore(Protocol):
    """Proposals, marks and published versions of our words."""

    async def stamp(self) -> tuple[int, int]:
        """Return a value that changes whenever a version or a mark is new."""
        ...

    async def proposals(self) -> Sequence[Proposal]:
        """Return the open proposals."""
        ...

    async def propose(self, proposal: Proposal) -> None:
        """Store one."""
        ...

    async def withdraw(self, locale: str, message: str) -> None:
        """Drop one."""
        ...

    async def mark(self, mark: Mark) -> None:
        """Add a mark."""
        ...

    async def marks(self) -> Sequence[Mark]:
        """Return all marks, oldest first."""
        ...

    async def current(self) -> Version | None:
        """Return the version in force."""
        ...

    async def versions(self) -> Sequence[Version]:
        """Return all versions, newest first."""
        ...

    async def publish(self, words: Words, who: str, note: str, now: datetime) -> Version:
        """Store a new version and put it in force. Raise `VersionClash`."""
        ...

    async def make_current(self, number: int) -> None:
        """Put a version in force; 0: none."""
        ...


class PacketWriter(Protocol):
    """Writes a referral as a file."""

    def write(self, packet: Packet, words: Mapping[str, str]) -> bytes:
        """Return a PDF; *words*: what the paper says itself, in the language of its maker."""
        ...


@dataclass(frozen=True, slots=True)
class Stamp:
    """Who did what, for the audit."""

    who: str
    action: str
    about: str = ""
    reason: str = ""
    extra: Mapping[str, str] = field(default_factory=dict)


class Audit(Protocol):
    """Append-only, hash-chained record of every read and action in the console."""

    async def record(self, stamp: Stamp, now: datetime) -> None:
        """Append one entry."""
        ...

    async def abouts(self, who: str, action: str, since: datetime) -> frozenset[str]:
        """Return the ids about which *who* did this since then."""
        ...

    async def verify(self) -> int:
        """Return how many entries form an unbroken chain; raise `ValueError` naming the first broken one."""
        ...


@dataclass(frozen=True, slots=True)
class Responder:
    """A trained person with a login. role: see `bot.domain.roles.Role`. organisation: of a partner.

    recovery: keyed hashes of the codes that stand in for a lost second factor, each once.
    """

    id: str
    name: str
    role: str
    password_hash: str
    totp_secret: str = ""
    active: bool = True
    must_change: bool = False
    created_on: date | None = None
    organisation: str = ""
    recovery: tuple[str, ...] = ()


class Organisations(Protocol):
    """Partner organisations, and what the administrator asks of everybody."""

    async def get(self, organisation_id: str) -> Organisation | None:
        """Return one."""
        ...

    async def all(self) -> Sequence[Organisation]:
        """Return all, by id."""
        ...

    async def save(self, organisation: Organisation) -> None:
        """Insert or replace."""
        ...

    async def second_factor_needed(self) -> bool:
        """Say whether everybody must have a second factor."""
        ...

    async def need_second_factor(self, *, needed: bool) -> None:
        """Ask everybody for a second factor, or nobody."""
        ...


class Passkeys(Protocol):
    """Passkeys, and the challenges that are out."""

    async def of(self, person: str) -> Sequence[Passkey]:
        """Return the passkeys of a person, oldest first."""
        ...

    async def get(self, passkey_id: str) -> Passkey | None:
        """Return one."""
        ...

    async def add(self, passkey: Passkey) -> bool:
        """Store a new one; False if it is known already."""
        ...

    async def used(self, passkey: Passkey, count: int, now: datetime) -> bool:
        """Record a use; False if the count has moved since *passkey* was read: somebody else used it meanwhile."""
        ...

    async def drop(self, person: str, passkey_id: str = "") -> int:
        """Remove one of a person's passkeys, or all; return how many."""
        ...

    async def give(self, challenge: Challenge, until: datetime) -> None:
        """Keep a challenge until then."""
        ...

    async def take(self, name: str, purpose: ChallengeFor, now: datetime) -> Challenge | None:
        """Return a challenge that is still good and forget it: nobody gets it a second time."""
        ...


class Responders(Protocol):
    """People who may open the console."""

    async def get(self, responder_id: str) -> Responder | None:
        """Return one by login name."""
        ...

    async def all(self) -> Sequence[Responder]:
        """Return everyone."""
        ...

    async def save(self, responder: Responder) -> None:
        """Insert or replace."""
        ...
