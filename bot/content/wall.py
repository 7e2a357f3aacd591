"""What stands on the wall and on the page behind it, in the reader's words."""

from __future__ import annotations

from collections.abc import Iterable

from bot.content.model import Content
from bot.content.render import fill
from bot.domain.codes import Phrase, start

LONGEST_PREFILL = 140


def words_of(phrase: Phrase, locale: str, content: Content) -> str:
    """Return the words of a poster in *locale*: "river – bell – 47"."""
    things = (content.words(locale, f"transit.word.{thing}") for thing in (phrase.first, phrase.second))
    return " – ".join([*things, str(phrase.number)])


def prefill(code: str, locale: str, content: Content) -> str:
    """Return what WhatsApp puts into the person's message for them; without a code, only the greeting."""
    words = fill(content.words(locale, "transit.prefill"), {"code": start(code) if code else ""})
    return " ".join(words.split())


def in_order(first: Iterable[str], content: Content) -> tuple[str, ...]:
    """Return every locale, those of a place first."""
    known = [code for code in first if code in content.locales]
    return tuple(dict.fromkeys((*known, *content.locales)))
