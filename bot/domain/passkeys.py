"""A passkey: a key pair whose secret half stays in a person's phone, computer or security key."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

#: A challenge is worth nothing after this time, or after its first use.
CHALLENGE_LASTS: Final = timedelta(minutes=2)
MOST_PASSKEYS: Final = 10
LONGEST_NAME: Final = 40


class ChallengeFor(StrEnum):
    """What a challenge was given out for; it serves nothing else."""

    REGISTER = "register"
    LOGIN = "login"
    PROVE = "prove"


@dataclass(frozen=True, slots=True)
class Passkey:
    """What we keep of a passkey. id: in hex. public_key: COSE. count: uses that its authenticator has told of."""

    id: str
    person: str
    name: str
    public_key: bytes
    count: int
    made_at: datetime
    used_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Challenge:
    """Random bytes that a passkey has to sign. session: the look-up name of the session that asked, "" at the login."""

    name: str
    purpose: ChallengeFor
    value: bytes
    person: str
    session: str
