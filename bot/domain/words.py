"""The one folded form in which commands, danger phrases and names are compared, whatever script they came in."""

from __future__ import annotations

from bot.domain import text as forms

MOST_WORDS = 4000


def folded_words(text: str) -> tuple[str, ...]:
    """Return the folded Latin form of each word of *text*, at most 4,000 words; linear in its length.

    Numbers stay as they are: 11 is not 1, as "heeelp" is "help".
    """
    words = forms.tokens(forms.normalise(text))[:MOST_WORDS]
    return tuple(folded for word in words if (folded := word if word.isdecimal() else forms.fold(forms.romanise(word))))
