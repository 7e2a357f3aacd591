"""Small patterns over folded words, found in linear time: danger phrases, warning signs in offers.

No regular expression on what people write: Indian vowel signs are not "word characters" to Python's `re`.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Pattern:
    """A small pattern over folded words: `steps` match in order, at most `gap` other words between two steps.

    A step is a set of folded words; a word that ends in `*` matches as a prefix. `kind` is what the pattern means,
    `level` how grave it is ("now" or "perhaps").
    """

    id: str
    kind: str
    level: str
    steps: tuple[frozenset[str], ...]
    gap: int = 0


class Matcher:
    """Finds patterns in folded words. Built once; `find` costs words × patterns that start with one of them."""

    def __init__(self, patterns: Iterable[Pattern]) -> None:
        """Index *patterns* by the words that they can start with."""
        self._by_word: dict[str, list[Pattern]] = defaultdict(list)
        self._by_prefix: dict[str, list[Pattern]] = defaultdict(list)
        for pattern in patterns:
            for word in pattern.steps[0] if pattern.steps else ():
                table = self._by_prefix if word.endswith("*") else self._by_word
                table[word.rstrip("*")].append(pattern)
        self._prefix_lengths = sorted({len(prefix) for prefix in self._by_prefix})

    def find(self, words: Sequence[str]) -> list[Pattern]:
        """Return the patterns that match somewhere in *words*, in order of place."""
        return [
            pattern for at, word in enumerate(words) for pattern in self._starting(word) if _fits(pattern, words, at)
        ]

    def _starting(self, word: str) -> Iterable[Pattern]:
        yield from self._by_word.get(word, ())
        for length in self._prefix_lengths:
            yield from self._by_prefix.get(word[:length], ()) if length <= len(word) else ()


def _fits(pattern: Pattern, words: Sequence[str], at: int) -> bool:
    places = {at}
    for step in pattern.steps[1:]:
        reach = {place + n for place in places for n in range(1, pattern.gap + 2) if place + n < len(words)}
        places = {place for place in reach if _is(words[place], step)}
    return bool(places)


def _is(word: str, step: frozenset[str]) -> bool:
    return word in step or any(option.endswith("*") and word.startswith(option[:-1]) for option in step)
