"""A referral: who is told how much of a case, why, and what allows it. As little as possible is the beginning."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class Recipient(StrEnum):
    """Whom a case may be referred to."""

    POLICE = "police"
    CHILD_WELFARE = "child_welfare"
    RAILWAY_POLICE = "railway_police"
    OTHER = "other"


class Basis(StrEnum):
    """What allows it: the person's yes, the duty to report a child, or a life in danger when nobody can be asked."""

    CONSENT = "consent"
    CHILD = "child"
    LIFE = "life"


class Part(StrEnum):
    """What of a case may stand on the paper, each ticked by itself."""

    DANGER = "danger"
    OPENED = "opened"
    PLACE = "place"
    POINT = "point"
    AGE = "age"
    LANGUAGE = "language"
    IDENTIFIERS = "identifiers"
    SAID = "said"


#: What is ticked before anybody has ticked anything.
LEAST = frozenset({Part.DANGER, Part.OPENED})


@dataclass(frozen=True, slots=True)
class Packet:
    """A referral as it leaves the house. facts: (name, value) of the parts that were ticked, in their order."""

    case_id: str
    at: datetime
    who: str
    recipient: Recipient
    office: str
    reason: str
    basis: Basis
    consent: str
    parts: tuple[Part, ...]
    facts: tuple[tuple[str, str], ...]

    @property
    def same(self) -> str:
        """Name what would be passed on, whenever it is made: asking twice for it is one referral, hex."""
        content = [self.recipient.value, self.office, self.reason, self.basis.value, self.consent, self.facts]
        return hashlib.sha256(json.dumps(content, ensure_ascii=False).encode()).hexdigest()[:16]

    @property
    def digest(self) -> str:
        """SHA-256 of the content, hex; it stands on the paper and in the audit."""
        content = [
            self.case_id, self.at.isoformat(), self.who, self.recipient.value, self.office, self.reason,
            self.basis.value, self.consent, [part.value for part in self.parts], self.facts,
        ]  # fmt: skip
        return hashlib.sha256(json.dumps(content, ensure_ascii=False).encode()).hexdigest()


def allowed(basis: Basis, consent: str, *, minor: bool) -> bool:
    """Say whether *basis* carries a referral: a yes must be described, the duty needs a child."""
    if basis is Basis.CONSENT:
        return bool(consent.strip())
    return minor if basis is Basis.CHILD else True
