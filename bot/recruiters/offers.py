"""Warning signs in a job offer: phrases of every language, and sums of money. No sign is not "safe"."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from bot.domain.offers import ABOVE_CAP, Flag, RedFlags
from bot.domain.patterns import Matcher
from bot.domain.text import normalise, tokens
from bot.domain.words import folded_words

#: The most a registered agent may take as service charge for work abroad, in rupees (Rule 25 of 2017).
CAP: Final = 30_000
LAKH: Final = 100_000
THOUSAND: Final = 1_000
LONGEST: Final = 8000
#: Longer runs of digits are phone numbers.
MOST_DIGITS: Final = 7
#: Where one thing said ends: a "no fee" in one line does not excuse the next.
BREAKS: Final = ("\n", "\u0964", ". ", "\u06d4", "!", "?", "\u2022", "*", ";", "\u2705", "\U0001f449")


class Offers:
    """Finds the signs. Built once."""

    def __init__(self, flags: RedFlags) -> None:
        """Compile the phrases."""
        self._flags = flags
        self._signs = Matcher(flags.patterns)
        self._calming = Matcher(flags.calming)

    def find(self, text: str) -> tuple[Flag, ...]:
        """Return the signs in *text*, in the order in which they are told; linear in its length."""
        found: dict[str, Flag] = {}
        asked = False
        sentences = [(sentence, folded_words(sentence)) for sentence in _sentences(text[:LONGEST])]
        for _, words in sentences:
            taken_back = {pattern.kind for pattern in self._calming.find(words)}
            for pattern in self._signs.find(words):
                if pattern.kind not in taken_back:
                    found.setdefault(pattern.kind, Flag(pattern.kind, pattern.id))
                    asked = asked or pattern.kind in self._flags.asking
        if asked and any(self._asks_above_cap(sentence, words) for sentence, words in sentences):
            found.setdefault(ABOVE_CAP, Flag(ABOVE_CAP, f"sum:above_{CAP}"))
        return tuple(found[name] for name in self._flags.order if name in found)

    def is_urgent(self, flags: Iterable[Flag]) -> bool:
        """Say whether one of *flags* should bring a human."""
        ids = {flag.id for flag in flags}
        return bool(ids & self._flags.urgent) or any(both <= ids for both in self._flags.together)

    def _asks_above_cap(self, sentence: str, words: Sequence[str]) -> bool:
        """Say whether a sentence that asks for money names a sum above the cap."""
        asks = any(pattern.kind in self._flags.asking for pattern in self._signs.find(words))
        return asks and self._highest_sum(sentence) > CAP

    def _highest_sum(self, sentence: str) -> int:
        """Return the highest sum in rupees that is named: 35,000, 35k, 35 hazar, 1.5 lakh; 0 for none."""
        words = tokens(normalise(sentence.replace(",", "").replace("/-", " ")))
        highest = 0
        for at, word in enumerate(words):
            digits = word.removesuffix("k")
            if digits.isdecimal() and len(digits) <= MOST_DIGITS:
                unit = THOUSAND if digits != word else self._unit(words[at + 1] if at + 1 < len(words) else "")
                highest = max(highest, int(digits) * unit)
        return highest

    def _unit(self, word: str) -> int:
        folded = folded_words(word)[:1]
        if folded and folded[0] in self._flags.lakh:
            return LAKH
        return THOUSAND if folded and folded[0] in self._flags.thousand else 1


def _sentences(text: str) -> list[str]:
    parts = [text]
    for mark in BREAKS:
        parts = [piece for part in parts for piece in part.split(mark)]
    return [part for part in parts if part.strip()]
