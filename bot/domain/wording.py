"""Changes to our words: proposals, marks of who has read or signed what, and immutable published versions."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

Words = Mapping[str, Mapping[str, str]]


class MarkKind(StrEnum):
    """What a person says of a message: they have read it, or, as a native reader, they stand for it."""

    READ = "read"
    SIGNED = "signed"


@dataclass(frozen=True, slots=True)
class Proposal:
    """Other words for one message in one locale, not yet published."""

    locale: str
    message: str
    words: str
    who: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Mark:
    """Who said what of which words: `seal` covers the message's words and its English source."""

    locale: str
    message: str
    kind: MarkKind
    seal: str
    who: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Version:
    """One published state: every change against the content files, whole and for ever."""

    number: int
    words: Words
    who: str
    at: datetime
    note: str = ""
    current: bool = False

    @property
    def count(self) -> int:
        """How many messages differ from the files."""
        return sum(len(messages) for messages in self.words.values())


@dataclass(frozen=True, slots=True)
class Standing:
    """How one message stands in one locale."""

    words: str
    source: str
    proposed: str = ""
    read: Mark | None = None
    signed: Mark | None = None


@dataclass(frozen=True, slots=True)
class Tally:
    """How far one area of a locale is: messages, read, signed, with an open proposal."""

    messages: int = 0
    read: int = 0
    signed: int = 0
    proposed: int = 0
    names: tuple[str, ...] = field(default=())


def seal_of(words: str, source: str) -> str:
    """Return what a mark covers: change the words or their source, and the mark no longer holds."""
    return hashlib.sha256(f"{source}\x00{words}".encode()).hexdigest()[:32]
