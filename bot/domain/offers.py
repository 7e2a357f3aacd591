"""Warning signs in a job offer: what may be found, as frozen values."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from bot.domain.patterns import Pattern

#: The one sign that is found by sums and not by phrases.
ABOVE_CAP: Final = "fee_above_cap"


@dataclass(frozen=True, slots=True)
class RedFlags:
    """Phrases of every language for each sign, what takes a sign back in the same sentence, and words for large sums.

    order: the ids of the signs as they are told; urgent: those that should bring a human, and
    `together` those that do so when found together; asking: those that ask for
    money, so that a sum beside them counts as a fee. A pattern's `kind` is the sign.
    """

    order: tuple[str, ...] = ()
    urgent: frozenset[str] = frozenset()
    together: tuple[frozenset[str], ...] = ()
    asking: frozenset[str] = frozenset()
    patterns: tuple[Pattern, ...] = ()
    calming: tuple[Pattern, ...] = ()
    lakh: frozenset[str] = frozenset()
    thousand: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Flag:
    """One warning sign that was found: its id, and the pattern that found it (never the person's words)."""

    id: str
    reason: str
