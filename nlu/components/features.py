"""What the classifier sees of a text: words and letter n-grams of three views, and the concepts of our lexicon."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import yaml
from scipy.sparse import csr_matrix, hstack, spmatrix
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.preprocessing import normalize

from bot.domain import text as forms

LEXICON = Path(__file__).resolve().parent.parent / "lexicon"
MOST_CACHED = 20_000
MOST_WORDS = 120
DIGITS = "0digits"


@lru_cache(maxsize=MOST_CACHED)
def _views(word: str) -> tuple[str, str, str]:
    if word.isdigit():
        return DIGITS, DIGITS, DIGITS
    folded = forms.fold(forms.romanise(word)) or word
    return word, folded, forms.skeleton(folded)


def words_of(text: str) -> list[tuple[str, str, str]]:
    """Return (raw, folded, skeleton) of each word."""
    return [_views(word) for word in forms.tokens(forms.normalise(text))[:MOST_WORDS]]


class Lexicon:
    """Concepts and the folded words that say them in any language; a word that ends in `*` matches as a beginning."""

    def __init__(self, folder: Path = LEXICON) -> None:
        self._words: dict[str, set[str]] = {}
        self._prefixes: dict[str, set[str]] = {}
        for path in sorted(folder.glob("*.yml")):
            for concept, locales in (yaml.safe_load(path.read_text(encoding="utf-8")) or {}).items():
                for words in locales.values():
                    for word in words:
                        self._add(str(word), concept)
        self._lengths = sorted({len(prefix) for prefix in self._prefixes})

    def _add(self, word: str, concept: str) -> None:
        table = self._prefixes if word.endswith("*") else self._words
        for _, folded, _ in words_of(word.rstrip("*"))[:1]:
            table.setdefault(folded, set()).add(concept)

    def concepts(self, folded: list[str]) -> list[str]:
        """Return the concepts of a message's folded words, in order."""
        found: list[str] = []
        for word in folded:
            hits = set(self._words.get(word, ()))
            for length in self._lengths:
                if length <= len(word):
                    hits |= self._prefixes.get(word[:length], set())
            found += sorted(hits)
        return found


class Features:
    """TF-IDF blocks, each normalised by itself, weighted, side by side."""

    def __init__(self, config: dict[str, Any]) -> None:
        self.config = config
        self.lexicon = Lexicon()
        self.blocks: list[tuple[str, TfidfVectorizer, float]] = []
        weights = config["weights"]
        for name, weight in weights.items():
            if not weight:
                continue
            view, kind = name.split("_")
            self.blocks.append((view, self._vectorizer(kind), float(weight)))

    def _vectorizer(self, kind: str) -> TfidfVectorizer:
        common: dict[str, Any] = {"sublinear_tf": True, "lowercase": False, "dtype": np.float32}
        if kind == "char":
            low, high = self.config["char_ngrams"]
            return TfidfVectorizer(analyzer="char_wb", ngram_range=(low, high), min_df=self.config["min_df"], **common)
        return TfidfVectorizer(analyzer=str.split if kind == "concept" else _bigrams, **common)

    def _documents(self, texts: list[str]) -> dict[str, list[str]]:
        views: dict[str, list[str]] = {"raw": [], "fold": [], "skel": [], "lex": []}
        for text in texts:
            words = words_of(text)
            views["raw"].append(" ".join(word[0] for word in words))
            views["fold"].append(" ".join(word[1] for word in words))
            views["skel"].append(" ".join(word[2] for word in words))
            concepts = self.lexicon.concepts([word[1] for word in words])
            pairs = [f"{left}+{right}" for left in set(concepts) for right in set(concepts) if left < right]
            views["lex"].append(" ".join([*concepts, *pairs]))
        return views

    def fit_transform(self, texts: list[str]) -> csr_matrix:
        """Learn the vocabularies; return the matrix."""
        views = self._documents(texts)
        return self._joined([block.fit_transform(views[view]) * weight for view, block, weight in self.blocks])

    def transform(self, texts: list[str]) -> csr_matrix:
        """Return the matrix of new texts."""
        views = self._documents(texts)
        return self._joined([block.transform(views[view]) * weight for view, block, weight in self.blocks])

    def _joined(self, parts: list[spmatrix]) -> csr_matrix:
        return normalize(hstack(parts, format="csr"))


def _bigrams(text: str) -> list[str]:
    words = text.split()
    return words + [f"{left} {right}" for left, right in zip(words, words[1:])]
