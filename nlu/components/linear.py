"""The classifier's mathematics, free of Rasa: fit, save, load, rank. Reading a model needs numpy alone.

One linear support-vector machine per intent (one against the rest), then one temperature, fitted on predictions for held-out
examples, that turns the margins into honest confidences. Why this and not logistic regression: nlu/README.md.
"""

from __future__ import annotations

import io
import json
from collections.abc import Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from typing import Any

import numpy as np

from nlu.components.features import Features
from nlu.components.lexicon import read

FILE = "indic_linear.npz"
TEMPERATURES = np.geomspace(0.02, 2.0, 80)
FOLDS = 3
DEFAULTS: dict[str, Any] = {
    "weights": {
        "raw_word": 0.0, "raw_char": 0.0, "fold_word": 1.0, "fold_char": 1.0, "skel_word": 0.7, "lex_concept": 0.3,
    },
    "char_ngrams": [3, 5],
    "min_df": 2,
    "max_terms": 120_000,
    "C": 2.0,
    "seed": 20261124,
}  # fmt: skip


class Model:
    """A trained classifier."""

    def __init__(
        self, features: Features, coef: np.ndarray, intercept: np.ndarray, classes: Sequence[str], note: Mapping[str, Any]
    ) -> None:
        """*coef*: columns × classes; *note*: the config, the lexicon and the temperature, kept with the model."""
        self._features = features
        self._coef = coef
        self._intercept = intercept
        self.classes = list(classes)
        self.note = dict(note)

    def logits(self, texts: Sequence[str]) -> np.ndarray:
        """Return the margins, one row per text, one column per class."""
        rows = np.tile(self._intercept, (len(texts), 1))
        for at, text in enumerate(texts):
            columns, values = self._features.row(text)
            if len(columns):
                rows[at] += values @ self._coef[columns]
        return rows

    def scores(self, texts: Sequence[str]) -> np.ndarray:
        """Return the probability of each class for each text."""
        return softmax(self.logits(texts) / self.note["temperature"])

    def rank(self, texts: Sequence[str]) -> list[list[dict[str, Any]]]:
        """Return every intent with its confidence, best first, for each text."""
        rows = self.scores(texts)
        orders = np.argsort(-rows, axis=1, kind="stable")
        return [
            [{"name": self.classes[at], "confidence": round(float(row[at]), 6)} for at in order]
            for row, order in zip(rows, orders)
        ]

    def dumps(self) -> bytes:
        """Return the model as bytes; numbers and text only, nothing that runs when read."""
        kept = io.BytesIO()
        terms = json.dumps([list(block) for block in self._features.vocabulary], ensure_ascii=False)
        note = json.dumps({**self.note, "classes": self.classes}, ensure_ascii=False)
        np.savez(
            kept, coef=self._coef.astype(np.float16), intercept=self._intercept, idf=self._features.idf,
            terms=np.frombuffer(terms.encode(), np.uint8), note=np.frombuffer(note.encode(), np.uint8),
        )  # fmt: skip
        return kept.getvalue()


def loads(raw: bytes) -> Model:
    """Return the model that `dumps` wrote."""
    with np.load(io.BytesIO(raw), allow_pickle=False) as kept:
        note = json.loads(kept["note"].tobytes())
        blocks, vocabulary, at = json.loads(kept["terms"].tobytes()), [], 0
        for block in blocks:
            vocabulary.append({term: at + place for place, term in enumerate(block)})
            at += len(block)
        features = Features(note["config"], note["lexicon"])
        features.restore(vocabulary, kept["idf"])
        return Model(features, kept["coef"].astype(np.float32), kept["intercept"], note.pop("classes"), note)


def fit(texts: Sequence[str], intents: Sequence[str], config: Mapping[str, Any]) -> Model:
    """Return a model; the same for the same examples in whatever order they come."""
    pairs = sorted(set(zip(texts, intents)))
    texts, labels = [text for text, _ in pairs], np.array([intent for _, intent in pairs])
    lexicon = read()
    features = Features(config, lexicon)
    features.fit(texts)
    matrix = _matrix(features, texts)
    # The fit on held-out folds runs beside the fit on everything: two processes, since each is one core's work.
    with ProcessPoolExecutor(max_workers=1, mp_context=get_context("spawn")) as aside:
        judged = aside.submit(_temperature, matrix, labels, dict(config))
        machine = _machine(config).fit(matrix, labels)
        temperature = judged.result()
    note = {"config": dict(config), "lexicon": lexicon, "temperature": temperature}
    return Model(
        features, np.ascontiguousarray(machine.coef_.T.astype(np.float32)), machine.intercept_.astype(np.float32),
        [str(name) for name in machine.classes_], note,
    )  # fmt: skip


def softmax(logits: np.ndarray) -> np.ndarray:
    """Return each row as probabilities."""
    raised = np.exp(logits - logits.max(axis=1, keepdims=True))
    return raised / raised.sum(axis=1, keepdims=True)


def _matrix(features: Features, texts: Sequence[str]) -> Any:
    from scipy.sparse import csr_matrix

    rows = [features.row(text) for text in texts]
    ends = np.cumsum([0, *(len(columns) for columns, _ in rows)])
    columns = np.concatenate([columns for columns, _ in rows])
    values = np.concatenate([values for _, values in rows]).astype(np.float64)
    return csr_matrix((values, columns, ends), shape=(len(texts), features.size))


def _machine(config: Mapping[str, Any]) -> Any:
    from sklearn.svm import LinearSVC

    return LinearSVC(C=config["C"], random_state=config["seed"], tol=1e-2)


def _temperature(matrix: Any, labels: np.ndarray, config: Mapping[str, Any]) -> float:
    """Return the temperature that makes held-out predictions likeliest."""
    from sklearn.model_selection import StratifiedKFold

    folds = StratifiedKFold(FOLDS, shuffle=True, random_state=config["seed"])
    learn, judge = next(folds.split(matrix, labels))
    machine = _machine(config).fit(matrix[learn], labels[learn])
    logits = machine.decision_function(matrix[judge])
    right = np.searchsorted(machine.classes_, labels[judge])
    rows = np.arange(len(right))
    losses = [-np.log(softmax(logits / value)[rows, right] + 1e-12).mean() for value in TEMPERATURES]
    return float(TEMPERATURES[int(np.argmin(losses))])
