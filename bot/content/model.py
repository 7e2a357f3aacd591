"""Content as frozen values: what we say, the facts we rely on, the words that mean danger."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date

from bot.domain.hunch import Hunch

AREAS = ("rights", "overseas", "prevention", "schemes", "documents")
TOPIC_PARTS = ("title", "answer", "steps", "papers", "where")
NONE_APPLIES = "-"


@dataclass(frozen=True, slots=True)
class Locale:
    """A language we answer in: code, its own name for itself, script (ISO 15924), fallback, released or draft.

    `markers` are folded everyday words that tell it from other languages in the same script.
    """

    code: str
    own_name: str
    script: str
    direction: str
    fallback: str
    status: str
    markers: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Fact:
    """A dated, sourced statement; `show` is `show` or `show+caveat`, never `hold`."""

    id: str
    statement: str
    source: str
    url: str
    verified_on: date
    confidence: str
    show: str
    valid_from: date | None = None
    valid_to: date | None = None


@dataclass(frozen=True, slots=True)
class Topic:
    """One question people ask: the facts behind its answer, helplines, related topics. No words."""

    id: str
    area: str
    facts: tuple[Fact, ...]
    helplines: tuple[str, ...]
    related: tuple[str, ...]
    unverified: bool = False


@dataclass(frozen=True, slots=True)
class Helpline:
    """A number that may be shown, with the fact that says so."""

    id: str
    number: str
    fact: Fact


@dataclass(frozen=True, slots=True)
class DangerPattern:
    """A small pattern over folded words: `steps` match in order, at most `gap` other words between two steps.

    A step is a set of folded words; a word that ends in `*` matches as a prefix.
    """

    id: str
    kind: str
    level: str
    steps: tuple[frozenset[str], ...]
    gap: int = 0


@dataclass(frozen=True, slots=True)
class Danger:
    """Danger patterns of every locale, words that take a match back, silent-mode phrases, the learned weights."""

    patterns: tuple[DangerPattern, ...] = ()
    calming: tuple[DangerPattern, ...] = ()
    silent: tuple[DangerPattern, ...] = ()
    minor: tuple[DangerPattern, ...] = ()
    hunch: Hunch = field(default_factory=Hunch)


@dataclass(frozen=True, slots=True)
class Place:
    """A transit point whose code may stand on a poster."""

    code: str
    name: str
    kind: str
    district: str
    locales: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Content:
    """Everything under content/, loaded and checked. `messages` is locale → message id → words."""

    locales: Mapping[str, Locale]
    messages: Mapping[str, Mapping[str, str]]
    topics: Mapping[str, Topic]
    helplines: Mapping[str, Helpline]
    danger: Danger
    commands: Mapping[str, str] = field(default_factory=dict)
    numbers: Mapping[str, int] = field(default_factory=dict)
    places: Mapping[str, Place] = field(default_factory=dict)
    statuses: Mapping[tuple[str, str], str] = field(default_factory=dict)

    def words(self, locale: str, message_id: str) -> str:
        """Return the words of a message in *locale*, else in its fallbacks. Raise KeyError if nobody has them."""
        tried = locale
        while True:
            found = self.messages.get(tried, {}).get(message_id)
            if found is not None:
                return found
            if tried not in self.locales or not self.locales[tried].fallback:
                raise KeyError(message_id)
            tried = self.locales[tried].fallback

    def has(self, locale: str, message_id: str) -> bool:
        """Say whether *locale* has its own words for a message."""
        return message_id in self.messages.get(locale, {})
