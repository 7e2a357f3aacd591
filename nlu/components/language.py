"""Which language a text is in: by its script, then by the letters of its words; "unsure" is an answer.

One small linear model per script that several of our languages share (Devanagari, Bengali, Latin letters). A word's vote is
the same wherever it stands, so it is kept; a text's votes are added up and divided by the root of their number.
"""

from __future__ import annotations

import io
import json
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

import numpy as np

from bot.domain import text as forms

FILE = "language.npz"
DEFAULTS: dict[str, Any] = {"high": 4, "max_terms": 20_000, "C": 10.0, "sure": 0.7, "seed": 20261124}
MOST_CACHED = 20_000
MOST_WORDS = 60
#: Scripts that only one of our languages is written in need no model.
ALONE = {
    "Gujr": "gu", "Guru": "pa", "Orya": "or", "Taml": "ta", "Telu": "te", "Knda": "kn", "Mlym": "ml", "Arab": "ur",
    "Deva": "hi", "Beng": "bn",
}  # fmt: skip


class Languages:
    """Guesses the language of a text."""

    def __init__(self, config: Mapping[str, Any], scripts: Mapping[str, tuple[list[str], dict[str, int], np.ndarray, np.ndarray]]) -> None:
        """*scripts*: script → (languages, term → row, weights of each term for each language, intercepts)."""
        self._config = dict(config)
        self._scripts = dict(scripts)
        self._votes = lru_cache(maxsize=MOST_CACHED)(self._votes_of)

    def guess(self, text: str) -> tuple[str, float]:
        """Return (locale, confidence); locale is "" when there are no letters or the words do not tell."""
        script = forms.script_of(text)
        if script not in self._scripts:
            return (ALONE[script], 1.0) if script in ALONE else ("", 0.0)
        names, _, _, intercept = self._scripts[script]
        words = [word for word in forms.tokens(forms.normalise(text))[:MOST_WORDS] if forms.script_of(word) == script]
        if not words:
            return "", 0.0
        votes = sum((self._votes(script, word) for word in words), np.zeros(len(names), np.float32))
        if not votes.any():
            return "", 0.0
        logits = votes / len(words) ** 0.5 + intercept
        raised = np.exp(logits - logits.max())
        shares = raised / raised.sum()
        best = int(shares.argmax())
        sure = float(shares[best])
        return (names[best] if sure >= self._config["sure"] else "", round(sure, 4))

    def _votes_of(self, script: str, word: str) -> np.ndarray:
        _, terms, weights, _ = self._scripts[script]
        found = [(terms[gram], count) for gram, count in _grams(word, self._config["high"]).items() if gram in terms]
        if not found:
            return np.zeros(weights.shape[1], np.float32)
        values = np.array([count for _, count in found], np.float32)
        return (values / np.sqrt(values @ values)) @ weights[[row for row, _ in found]]

    def dumps(self) -> bytes:
        """Return the models as bytes; numbers and text only."""
        kept = io.BytesIO()
        note = {
            "config": self._config,
            "scripts": {script: {"names": names, "terms": list(terms)} for script, (names, terms, _, _) in self._scripts.items()},
        }
        arrays = {}
        for script, (_, _, weights, intercept) in self._scripts.items():
            arrays |= {f"weights_{script}": weights.astype(np.float16), f"intercept_{script}": intercept}
        np.savez(kept, note=np.frombuffer(json.dumps(note, ensure_ascii=False).encode(), np.uint8), **arrays)
        return kept.getvalue()


def loads(raw: bytes) -> Languages:
    """Return what `dumps` wrote."""
    with np.load(io.BytesIO(raw), allow_pickle=False) as kept:
        note = json.loads(kept["note"].tobytes())
        scripts = {
            script: (
                row["names"],
                {term: at for at, term in enumerate(row["terms"])},
                kept[f"weights_{script}"].astype(np.float32),
                kept[f"intercept_{script}"],
            )
            for script, row in note["scripts"].items()
        }
        return Languages(note["config"], scripts)


def fit(texts: Sequence[str], locales: Sequence[str], config: Mapping[str, Any]) -> Languages:
    """Return the models for texts whose locale is known; the same whatever their order."""
    groups: dict[str, list[tuple[str, str]]] = defaultdict(list)
    for text, locale in sorted(set(zip(texts, locales))):
        groups[forms.script_of(text)].append((text, locale))
    fitted = {}
    for script, rows in sorted(groups.items()):
        common = {locale for locale, count in Counter(locale for _, locale in rows).items() if count >= 0.005 * len(rows)}
        if script and len(common) > 1:
            fitted[script] = _fit(script, [row for row in rows if row[1] in common], config)
    return Languages(config, fitted)


def _fit(script: str, rows: Sequence[tuple[str, str]], config: Mapping[str, Any]) -> tuple[list[str], dict[str, int], np.ndarray, np.ndarray]:
    from scipy.sparse import csr_matrix
    from sklearn.linear_model import LogisticRegression

    said = [
        [word for word in forms.tokens(forms.normalise(text))[:MOST_WORDS] if forms.script_of(word) == script] for text, _ in rows
    ]
    seen: Counter[str] = Counter()
    for words in said:
        seen.update({gram for word in words for gram in _grams(word, config["high"])})
    chosen = sorted((term for term in seen if seen[term] > 1), key=lambda term: (-seen[term], term))[: config["max_terms"]]
    terms = {term: at for at, term in enumerate(chosen)}
    data, columns, ends = [], [], [0]
    for words in said:
        total: dict[int, float] = defaultdict(float)
        for word in words:
            grams = {terms[gram]: count for gram, count in _grams(word, config["high"]).items() if gram in terms}
            length = sum(count * count for count in grams.values()) ** 0.5
            for column, count in grams.items():
                total[column] += count / length / len(words) ** 0.5
        columns += list(total)
        data += list(total.values())
        ends.append(len(columns))
    machine = LogisticRegression(C=config["C"], max_iter=100, tol=1e-2, class_weight="balanced", random_state=config["seed"])
    machine.fit(csr_matrix((data, columns, ends), shape=(len(rows), len(terms))), [locale for _, locale in rows])
    weights, intercept = machine.coef_, machine.intercept_
    if len(machine.classes_) == 2:  # one row of weights stands for both
        weights, intercept = np.vstack([-weights[0], weights[0]]) / 2, np.array([-intercept[0], intercept[0]]) / 2
    return [str(name) for name in machine.classes_], terms, np.ascontiguousarray(weights.T.astype(np.float32)), intercept.astype(np.float32)


@lru_cache(maxsize=MOST_CACHED)
def _grams(word: str, high: int) -> Counter[str]:
    padded = f" {word} "
    found = Counter(padded[at : at + size] for size in range(1, high + 1) for at in range(len(padded) - size + 1))
    found[f"={word}"] = 2
    return found
