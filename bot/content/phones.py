"""The phone numbers that people are told: signed by an administrator, so that no changed file tells others."""

from __future__ import annotations

import unicodedata
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Final

import regex

from bot.content.model import Content

#: A run of digits of this length is a phone number, whoever's; a shorter one is, where a helpline has it.
LONG: Final = 7
_RUN: Final = regex.compile(r"\p{Nd}(?:[ \-]?\p{Nd})*")
#: Read by responders alone.
OWN: Final = "console."

Words = Mapping[str, Mapping[str, str]]


@dataclass(frozen=True, slots=True)
class Phones:
    """Numbers as they were signed. helplines: id → number; words: locale → message → words that name a number."""

    helplines: Mapping[str, str]
    words: Words


@dataclass(frozen=True, slots=True)
class Change:
    """A place that names other numbers than were signed; `before` and `after` may be empty."""

    place: str
    before: tuple[str, ...]
    after: tuple[str, ...]


def phones_of(content: Content) -> Phones:
    """Return the helplines, and every message that names one of them or another phone number."""
    helplines = {line.id: line.number for line in content.helplines.values()}
    known = frozenset(map(digits, helplines.values()))
    words = {
        code: {key: text for key, text in messages.items() if not key.startswith(OWN) and numbers(text, known)}
        for code, messages in content.messages.items()
    }
    return Phones(helplines, words)


def held(content: Content, signed: Phones) -> tuple[Content, tuple[Change, ...]]:
    """Return the content with the signed numbers in it, and what it names otherwise.

    A helpline keeps its signed number, a message whose numbers differ its signed words; what is new may name signed
    helplines only, else it is a change too (it has no former words to keep). The rest of the content stays as it is.
    """
    changes = [*_lines(content, signed), *_new(content, signed)]
    kept: dict[str, dict[str, str]] = {}
    for locale, key, change in _messages(content, signed):
        changes.append(change)
        kept.setdefault(locale, {})[key] = signed.words[locale][key]
    lines = {
        name: replace(line, number=signed.helplines.get(line.id, line.number))
        for name, line in content.helplines.items()
    }
    return replace(content.with_words(kept), helplines=lines), tuple(changes)


def _lines(content: Content, signed: Phones) -> Iterator[Change]:
    now = {line.id: line.number for line in content.helplines.values()}
    for name in sorted(signed.helplines.keys() | now.keys()):
        if signed.helplines.get(name) != now.get(name):
            before, after = (tuple(filter(None, [found.get(name)])) for found in (signed.helplines, now))
            yield Change(f"helpline {name}", before, after)


def _messages(content: Content, signed: Phones) -> Iterator[tuple[str, str, Change]]:
    known = frozenset(map(digits, signed.helplines.values()))
    for locale, messages in signed.words.items():
        offered = content.messages.get(locale, {})
        for key, words in messages.items():
            if key not in offered:
                continue  # what is said no more misleads nobody
            before, after = numbers(words, known), numbers(offered[key], known)
            if before != after:
                yield locale, key, Change(f"{locale} {key}", before, after)


def _new(content: Content, signed: Phones) -> Iterator[Change]:
    known = frozenset(map(digits, signed.helplines.values()))
    said = {
        number for messages in signed.words.values() for words in messages.values() for number in numbers(words, known)
    }
    for locale, messages in content.messages.items():
        before = signed.words.get(locale, {})
        for key, words in messages.items():
            if key in before or key.startswith(OWN):
                continue
            if strange := tuple(number for number in numbers(words, known) if number not in said | known):
                yield Change(f"{locale} {key}", (), strange)


def numbers(words: str, known: Collection[str]) -> tuple[str, ...]:
    """Return the phone numbers in a text, as ASCII digits, sorted: *known* ones, and every long one."""
    found = map(digits, _RUN.findall(words))
    return tuple(sorted(number for number in found if number in known or len(number) >= LONG))


def digits(text: str) -> str:
    """Return the digits of a number as ASCII, without what stands between them."""
    return "".join(str(unicodedata.decimal(char)) for char in text if char.isdecimal())
