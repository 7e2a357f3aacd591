"""Learn the weights of the in-process danger check: `python nlu/danger.py`, which writes content/danger/learned.json.

Logistic regression over the terms of `bot/domain/hunch.py`, "is this of the distress intents?", on the training examples.
The two limits are set on predictions for held-out folds: at most LOUD_NOW of the examples without danger may open a case at
once, at most LOUD_PERHAPS may lead to the question "do you need help now?". The evaluation files play no part.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")
HOME = Path(__file__).resolve().parent
sys.path.insert(0, str(HOME.parent))

import numpy as np  # noqa: E402

from bot.domain.hunch import MOST_WORDS, terms_of  # noqa: E402
from bot.domain.words import folded_words  # noqa: E402
from nlu import inputs  # noqa: E402
from nlu.evaluate import DISTRESS  # noqa: E402

LEARNED = HOME.parent / "content" / "danger" / "learned.json"
SEED = 20261124
FOLDS = 5
C = 20.0
LEAST_SEEN = 3
MOST_TERMS = 40_000
#: Alarming words without danger count this much: a check that cries wolf is switched off.
HARD_WEIGHT = 3.0
LOUD_NOW = 0.006
LOUD_PERHAPS = 0.03
#: So many of the danger examples score so low that a phrase alone would not open a case for them, only ask.
DOUBTED = 0.01
MADE_FROM = "made_from"


def main() -> int:
    """Write the weights if the training examples have changed; with --check only say whether they are up to date."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="fail if the weights were made from other examples")
    check = parser.parse_args().check
    made_from = inputs.text_hash()
    current = json.loads(LEARNED.read_text(encoding="utf-8"))[MADE_FROM] if LEARNED.exists() else ""
    if current == made_from:
        print("danger: the weights fit the present examples")
        return 0
    if check:
        print("danger: content/danger/learned.json was made from other examples; run: make nlu-danger")
        return 1
    learned = learn(inputs.training())
    LEARNED.write_text(_lines({MADE_FROM: made_from, **learned}), encoding="utf-8")
    print(f"danger: {len(learned['terms'])} terms, now from {learned['now']}, perhaps from {learned['perhaps']}")
    return 0


def learn(rows: Sequence[inputs.Example]) -> dict[str, Any]:
    """Return bias, limits and terms (term → [weight, rarity]), rounded so that the file stays small."""
    terms = [terms_of(folded_words(text)[:MOST_WORDS]) for _, _, _, text in rows]
    danger = np.array([intent in DISTRESS for _, _, intent, _ in rows])
    weight = np.array([HARD_WEIGHT if file.startswith(("hard_", "near_")) else 1.0 for _, file, _, _ in rows])
    chosen = _strongest(terms, danger, weight)
    kept, rarity = _rarity(terms, chosen)
    matrix = _matrix(terms, kept, rarity)
    held_out = _held_out(matrix, danger, weight)
    calm = np.sort(held_out[~danger])
    now, perhaps = (float(calm[math.ceil((1 - loud) * len(calm)) - 1]) for loud in (LOUD_NOW, LOUD_PERHAPS))
    doubt = float(np.quantile(held_out[danger], DOUBTED))
    machine = _machine().fit(matrix, danger, sample_weight=weight)
    table = {
        term: [round(float(value), 2), round(float(rare), 2)] for term, value, rare in zip(kept, machine.coef_[0], rarity)
    }
    return {"bias": round(float(machine.intercept_[0]), 3), "now": round(now, 3), "perhaps": round(perhaps, 3), "doubt": round(doubt, 3), "terms": table}


def _lines(learned: dict[str, Any]) -> str:
    """Return the file: one term a line, so that a change shows as the lines it touches."""
    head = [f'"{name}": {json.dumps(value)},' for name, value in learned.items() if name != "terms"]
    terms = [f"{json.dumps(term, ensure_ascii=False)}: {json.dumps(value)}" for term, value in learned["terms"].items()]
    return "\n".join(["{", *head, '"terms": {', ",\n".join(terms), "}}", ""])


def _machine() -> Any:
    from sklearn.linear_model import LogisticRegression

    return LogisticRegression(C=C, solver="liblinear", random_state=SEED)


def _strongest(terms: Sequence[set[str]], danger: np.ndarray, weight: np.ndarray) -> list[str]:
    """Return the terms that matter most, sorted, of those seen often enough."""
    seen = Counter(term for found in terms for term in found)
    common = sorted(term for term, count in seen.items() if count >= LEAST_SEEN)
    kept, rarity = _rarity(terms, common)
    pull = np.abs(_machine().fit(_matrix(terms, kept, rarity), danger, sample_weight=weight).coef_[0]) * rarity
    order = sorted(range(len(kept)), key=lambda at: (-pull[at], kept[at]))[:MOST_TERMS]
    return sorted(kept[at] for at in order)


def _rarity(terms: Sequence[set[str]], chosen: Sequence[str]) -> tuple[list[str], np.ndarray]:
    wanted = set(chosen)
    seen = Counter(term for found in terms for term in found if term in wanted)
    return list(chosen), np.array([math.log((1 + len(terms)) / (1 + seen[term])) + 1 for term in chosen])


def _matrix(terms: Sequence[set[str]], kept: Sequence[str], rarity: np.ndarray) -> Any:
    from scipy.sparse import csr_matrix

    places = {term: at for at, term in enumerate(kept)}
    data: list[float] = []
    columns: list[int] = []
    ends = [0]
    for found in terms:
        row = sorted(places[term] for term in found if term in places)
        values = rarity[row]
        data += list(values / (math.sqrt(float(values @ values)) or 1.0))
        columns += row
        ends.append(len(columns))
    return csr_matrix((data, columns, ends), shape=(len(terms), len(kept)))


def _held_out(matrix: Any, danger: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """Return each example's log-odds from a model that has not seen it."""
    from sklearn.model_selection import StratifiedKFold

    scores = np.zeros(len(danger))
    for learn_at, judge_at in StratifiedKFold(FOLDS, shuffle=True, random_state=SEED).split(matrix, danger):
        machine = _machine().fit(matrix[learn_at], danger[learn_at], sample_weight=weight[learn_at])
        scores[judge_at] = machine.decision_function(matrix[judge_at])
    return scores


if __name__ == "__main__":
    sys.exit(main())
