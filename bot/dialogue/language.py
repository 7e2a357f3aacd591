"""Which language a person writes in, before they have said so; "unsure" is an answer."""

from __future__ import annotations

from bot.content.model import Content
from bot.domain import text as forms
from bot.domain.words import folded_words


def guess(text: str, content: Content) -> str:
    """Return a locale code, or "" when the words do not tell: by script first, then by everyday words.

    A native script that several locales share goes to the first of them when the words do not tell: its readers can
    read it. Latin letters tell nothing by themselves.
    """
    script = forms.script_of(text)
    candidates = [locale for locale in content.locales.values() if locale.script == script]
    if script and not candidates:
        return next((locale.code for locale in content.locales.values() if locale.status == "released"), "")
    if len(candidates) < 2:  # noqa: PLR2004
        return candidates[0].code if candidates else ""
    words = folded_words(text)
    scores = {locale.code: sum(word in locale.markers for word in words) for locale in candidates}
    best = max(scores.values())
    winners = [code for code, score in scores.items() if score == best]
    if best and len(winners) == 1:
        return winners[0]
    return "" if script == "Latn" else candidates[0].code


def speaking(locale: str, locale_guess: str, content: Content) -> str:
    """Return the locale to answer in: the chosen one, else the guess, else the first offered."""
    return locale or locale_guess or next(iter(content.locales))
