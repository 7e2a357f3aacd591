"""The classifier's mathematics, free of Rasa, so that the server starts in a second: fit, score, rank."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.special import softmax
from sklearn.model_selection import StratifiedKFold
from sklearn.svm import LinearSVC

from nlu.components.features import Features

FILE = "indic_linear.pkl"
TEMPERATURES = np.geomspace(0.02, 1.0, 60)


def fit(texts: list[str], intents: list[str], config: dict[str, Any]) -> dict[str, Any]:
    """Return a model: features, weights, classes and the temperature that makes its confidence honest."""
    features = Features(config)
    matrix = features.fit_transform(texts)
    labels = np.array(intents)
    temperature = _temperature(matrix, labels, config)
    linear = _linear(config).fit(matrix, labels)
    return {
        "features": features,
        "coef": np.ascontiguousarray(linear.coef_.T.astype(np.float32)),
        "intercept": linear.intercept_.astype(np.float32),
        "classes": [str(name) for name in linear.classes_],
        "temperature": temperature,
    }


def scores(model: dict[str, Any], texts: list[str]) -> np.ndarray:
    """Return the probability of each class (columns) for each text (rows)."""
    matrix = model["features"].transform(texts)
    logits = matrix @ model["coef"] + model["intercept"]
    return softmax(logits / model["temperature"], axis=1)


def rank(model: dict[str, Any], texts: list[str]) -> list[list[dict[str, Any]]]:
    """Return every intent with its confidence, best first, for each text."""
    rows = scores(model, texts)
    names = model["classes"]
    return [[{"name": names[at], "confidence": float(row[at])} for at in np.argsort(-row)] for row in rows]


def _linear(config: dict[str, Any]) -> LinearSVC:
    """One-against-rest linear SVM: trains in seconds; the comparison stands in nlu/README.md."""
    return LinearSVC(C=config["C"], random_state=config["seed"], tol=1e-3)


def _temperature(matrix: Any, labels: np.ndarray, config: dict[str, Any]) -> float:
    """Fit the temperature on a third that a model of the other two thirds has not seen."""
    folds = StratifiedKFold(3, shuffle=True, random_state=config["seed"])
    learn, judge = next(folds.split(matrix, labels))
    linear = _linear(config).fit(matrix[learn], labels[learn])
    logits = matrix[judge] @ linear.coef_.T + linear.intercept_
    index = {name: at for at, name in enumerate(linear.classes_)}
    right = np.array([index[label] for label in labels[judge]])
    rows = np.arange(len(right))
    losses = [-np.log(softmax(logits / value, axis=1)[rows, right] + 1e-12).mean() for value in TEMPERATURES]
    return float(TEMPERATURES[int(np.argmin(losses))])
