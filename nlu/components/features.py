"""What the classifier sees of a text: words and letter n-grams of several views, and the concepts of our lexicon.

Views of a word: `raw` (normal form), `fold` (its Latin sound, one for all scripts and chat spellings), `skel` (consonants).
Blocks: `<view>_word` (words and pairs of neighbours), `<view>_char` (n-grams inside a word), `lex_concept` (concepts and pairs
of them). Each block is TF-IDF of length 1 times its weight; the whole has length 1. numpy only, so a server starts at once.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Any

import numpy as np

from bot.domain import text as forms
from nlu.components.lexicon import Lexicon

MOST_CACHED = 20_000
MOST_WORDS = 120
MOST_CONCEPTS = 24
DIGITS = "0digits"
VIEWS = ("raw", "fold", "skel")
Words = list[tuple[str, str, str]]


@lru_cache(maxsize=MOST_CACHED)
def _views(word: str) -> tuple[str, str, str]:
    if word.isdigit():
        return DIGITS, DIGITS, DIGITS
    folded = forms.fold(forms.romanise(word)) or word
    return word, folded, forms.skeleton(folded)


def words_of(text: str) -> Words:
    """Return (raw, folded, skeleton) of each word."""
    return [_views(word) for word in forms.tokens(forms.normalise(text))[:MOST_WORDS]]


class Features:
    """Turns texts into sparse rows: (column numbers, values)."""

    def __init__(self, config: Mapping[str, Any], lexicon: Mapping[str, Sequence[str]]) -> None:
        self._low, self._high = config["char_ngrams"]
        self._least = config["min_df"]
        self._most = config["max_terms"]
        self._blocks = [(name, float(weight)) for name, weight in config["weights"].items() if weight]
        self._lexicon = Lexicon(lexicon)
        self.vocabulary: list[dict[str, int]] = []
        self.idf = np.zeros(0, np.float32)
        self._cached = lru_cache(maxsize=MOST_CACHED)(self._columns_of_word)

    @property
    def size(self) -> int:
        """The number of columns."""
        return len(self.idf)

    def fit(self, texts: Sequence[str]) -> None:
        """Learn each block's terms and how rare they are."""
        read = [words_of(text) for text in texts]
        self.vocabulary, idf, at = [], [], 0
        for name, _ in self._blocks:
            seen: Counter[str] = Counter()
            for words in read:
                seen.update(set(self._terms(name, words)))
            kept = sorted(seen, key=lambda term: (-seen[term], term))[: self._most]
            kept = [term for term in kept if seen[term] >= (1 if name.endswith("concept") else self._least)]
            self.vocabulary.append({term: at + place for place, term in enumerate(kept)})
            idf += [math.log((1 + len(texts)) / (1 + seen[term])) + 1 for term in kept]
            at += len(kept)
        self.restore(self.vocabulary, np.array(idf, np.float32))

    def restore(self, vocabulary: list[dict[str, int]], idf: np.ndarray) -> None:
        """Take over what an earlier `fit` learned."""
        self.vocabulary, self.idf = vocabulary, idf
        self._cached.cache_clear()

    def row(self, text: str) -> tuple[np.ndarray, np.ndarray]:
        """Return the columns and values of one text; both empty when it holds nothing known."""
        words = words_of(text)
        columns, values = [], []
        for at, (name, weight) in enumerate(self._blocks):
            found = self._columns(at, name, words)
            if not len(found):
                continue
            unique, counts = np.unique(found, return_counts=True)
            value = (1 + np.log(counts)) * self.idf[unique]
            columns.append(unique)
            values.append(value * (weight / math.sqrt(float(value @ value))))
        if not columns:
            return np.zeros(0, np.int64), np.zeros(0, np.float32)
        joined = np.concatenate(values)
        return np.concatenate(columns), (joined / math.sqrt(float(joined @ joined))).astype(np.float32)

    def _columns(self, at: int, name: str, words: Words) -> np.ndarray:
        view = name.partition("_")[0]
        if name.endswith("_char"):
            place = VIEWS.index(view)
            pieces = [self._cached(at, word[place]) for word in words]
            return np.concatenate(pieces) if pieces else np.zeros(0, np.int64)
        known = self.vocabulary[at]
        return np.array([known[term] for term in self._terms(name, words) if term in known], np.int64)

    def _columns_of_word(self, at: int, word: str) -> np.ndarray:
        known = self.vocabulary[at]
        return np.array([known[term] for term in self._grams(word) if term in known], np.int64)

    def _terms(self, name: str, words: Words) -> Iterable[str]:
        view, _, kind = name.partition("_")
        if kind == "concept":
            return _with_pairs(self._lexicon.concepts([word[1] for word in words]))
        chosen = [word[VIEWS.index(view)] for word in words]
        if kind == "char":
            return [gram for word in chosen for gram in self._grams(word)]
        return chosen + [f"{left} {right}" for left, right in zip(chosen, chosen[1:])]

    def _grams(self, word: str) -> list[str]:
        padded = f" {word} "
        return [
            padded[at : at + size]
            for size in range(self._low, min(self._high, len(padded)) + 1)
            for at in range(len(padded) - size + 1)
        ]


def _with_pairs(concepts: list[str]) -> list[str]:
    once = sorted(set(concepts))[:MOST_CONCEPTS]
    return concepts + [f"{left}+{right}" for at, left in enumerate(once) for right in once[at + 1 :]]
