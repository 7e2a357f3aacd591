"""What stands on the wall and on the page behind it, in the reader's words."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from bot.content.model import Content
from bot.content.render import fill
from bot.domain.codes import Phrase, start
from bot.domain.wall import WallText

LONGEST_PREFILL = 140
#: The lines of the volunteer's sheet, its title first.
VOLUNTEER = ("title", "greet", "calm", "ask", "promise", "decide", "child", "danger", "silence", "after")


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


def unnamed(names: Mapping[str, str], locales: Iterable[str], content: Content) -> tuple[str, ...]:
    """Return those of *locales* in which a place has no name; Latin letters take the English one."""
    known = (content.locales[code] for code in locales if code in content.locales)
    return tuple(locale.code for locale in known if locale.script != "Latn" and locale.code not in names)


def wall_text(place: str, phrase: Phrase, locale: str, content: Content) -> WallText:
    """Return what a poster says in one language; *place* is the place's name in it."""

    def word(key: str) -> str:
        return content.words(locale, f"transit.{key}")

    known = content.locales[locale]
    return WallText(
        locale=locale, script=known.script, direction=known.direction, place=place, name=word("poster.name"),
        title=word("poster.title"), ask=word("poster.ask"), scan=word("poster.scan"),
        words=fill(word("poster.words"), {"words": words_of(phrase, locale, content)}), never=word("poster.never"),
        sticker=word("sticker"), danger=word("poster.danger"), child=word("poster.child"),
        railway=word("poster.railway"), volunteer=tuple(word(f"volunteer.{part}") for part in VOLUNTEER),
    )  # fmt: skip
