"""How much a text sounds like danger, by weights learned from examples: in process, no library, linear in the text.

It hears what no list of phrases can foresee ("since Monday the lattice is locked and he keeps the key"), also with the
NLU dead. The weights are content/danger/learned.json, made from the training examples by `nlu/danger.py`.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

SHORTEST = 3
LONGEST = 5
MOST_WORDS = 400
NUMBER = "0"


@dataclass(frozen=True, slots=True)
class Hunch:
    """Weights of terms: *terms* is term → (weight, rarity). A score is a log-odds; the limits are on it.

    From *now* on a case opens, from *perhaps* on the person is asked; below *doubt* even a phrase that means danger
    elsewhere only leads to the question ("rape victim gets how much from the government").
    """

    terms: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    bias: float = 0.0
    now: float = math.inf
    perhaps: float = math.inf
    doubt: float = -math.inf

    def score(self, words: Sequence[str]) -> float:
        """Return the log-odds that folded *words* are danger; minus infinity when none is known."""
        total = length = 0.0
        for term in terms_of(words[:MOST_WORDS]):
            known = self.terms.get(term)
            if known:
                weight, rarity = known
                total += weight * rarity
                length += rarity * rarity
        return self.bias + total / math.sqrt(length) if length else -math.inf


def terms_of(words: Sequence[str]) -> set[str]:
    """Return what is counted of folded words: each word, neighbours, words one apart, and letter runs inside a word.

    A number is a number, whichever it is.
    """
    words = [NUMBER if word.isdigit() else word for word in words]
    found = {f"={word}" for word in words}
    found.update(f"{left} {right}" for left, right in itertools.pairwise(words))
    found.update(f"{left} _ {right}" for left, right in zip(words, words[2:], strict=False))
    for word in set(words):
        padded = f"^{word}$"
        for size in range(SHORTEST, min(LONGEST, len(padded)) + 1):
            found.update(padded[at : at + size] for at in range(len(padded) - size + 1))
    return found
