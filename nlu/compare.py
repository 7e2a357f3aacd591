"""Train other classifiers on the same examples and score them on the same evaluation files: `python nlu/compare.py`.

Rasa's DIET and logistic regression in Rasa's own pipeline over our tokens; plain scikit-learn over the text as written; and
fastText, which is not part of our environment: `uv pip install fasttext-wheel` beforehand, else its row is left out. It takes
half an hour to an hour, so it is a command, not a test. Writes nlu/reports/compare.json, which `make nlu-report` shows.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "2")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("SQLALCHEMY_SILENCE_UBER_WARNING", "1")
os.environ.setdefault("RASA_TELEMETRY_ENABLED", "false")
os.environ["RASA_MAX_CACHE_SIZE"] = "0"
HOME = Path(__file__).resolve().parent
sys.path.insert(0, str(HOME.parent))

from nlu import inputs  # noqa: E402
from nlu.components import linear  # noqa: E402

LOCALES = ("en", "hi", "hi-Latn")
SEED = linear.DEFAULTS["seed"]
Ranker = Callable[[Sequence[str]], list[list[str]]]
#: name → components after the tokenizer
RASA: dict[str, list[dict[str, Any]]] = {
    "Rasa DIET, no transformer layer, 30 epochs": [
        {"name": "CountVectorsFeaturizer", "analyzer": "word", "use_lemma": True},
        {"name": "CountVectorsFeaturizer", "analyzer": "char_wb", "min_ngram": 1, "max_ngram": 4, "use_lemma": True},
        {
            "name": "DIETClassifier", "epochs": 30, "number_of_transformer_layers": 0, "entity_recognition": False,
            "constrain_similarities": True, "random_seed": SEED, "ranking_length": 0,
        },
    ],
    "Rasa logistic regression": [
        {"name": "CountVectorsFeaturizer", "analyzer": "word", "use_lemma": True},
        {"name": "CountVectorsFeaturizer", "analyzer": "char_wb", "min_ngram": 1, "max_ngram": 4, "use_lemma": True},
        {"name": "LogisticRegressionClassifier", "random_state": SEED, "ranking_length": 95},
    ],
}  # fmt: skip


def main() -> int:
    """Print and keep the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--locales", default=",".join(LOCALES), help="train and score on these only; 'all' for all")
    parser.add_argument("--only", default="", help="only rows whose name holds this")
    arguments = parser.parse_args()
    wanted = None if arguments.locales == "all" else set(arguments.locales.split(","))
    training = [row for row in inputs.training() if not wanted or row[0] in wanted]
    evaluation = [row for row in inputs.evaluation() if not wanted or row[0] in wanted]
    rows = []
    for name, fit, note in _candidates(training):
        if arguments.only not in name:
            continue
        print(f"{name} …", flush=True)
        started = time.monotonic()
        ranker = fit()
        if ranker is None:
            print("  not installed, left out")
            continue
        rows.append(_scored(name, ranker, evaluation, round(time.monotonic() - started, 1), note))
        print(f"  {rows[-1]}", flush=True)
    about = f"Locales: {arguments.locales}. Evaluation: {len(evaluation)} sentences. One seed."
    kept = {"examples": len(training), "about": about, "rows": rows}
    path = HOME / "reports" / "compare.json"
    path.write_text(json.dumps(kept, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    return 0


def _scored(name: str, ranker: Ranker, evaluation: Sequence[tuple[str, str, str, str]], seconds: float, note: str) -> dict[str, Any]:
    texts = [row[3] for row in evaluation]
    started = time.perf_counter()
    rankings = ranker(texts)
    each = (time.perf_counter() - started) * 1000 / len(texts)

    def share(hits: Sequence[bool]) -> float:
        return round(100 * sum(hits) / len(hits), 2) if hits else 0.0

    by_locale = {
        locale: share([ranking[0] == row[1] for ranking, row in zip(rankings, evaluation) if row[0] == locale])
        for locale in sorted({row[0] for row in evaluation})
    }
    others = [score for locale, score in by_locale.items() if locale not in LOCALES]
    return {
        "name": name,
        "accuracy": share([ranking[0] == row[1] for ranking, row in zip(rankings, evaluation)]),
        "top3": share([row[1] in ranking[:3] for ranking, row in zip(rankings, evaluation)]),
        **{locale: by_locale.get(locale, "–") for locale in LOCALES},
        "others": round(statistics.mean(others), 2) if others else "–",
        "train_s": seconds,
        "parse_ms": round(each, 2),
        "note": note,
    }


def _candidates(training: Sequence[inputs.Example]) -> list[tuple[str, Callable[[], Ranker | None], str]]:
    texts, intents = [row[3] for row in training], [row[2] for row in training]

    def ours() -> Ranker:
        model = linear.fit(texts, intents, linear.DEFAULTS)
        return lambda asked: [[item["name"] for item in ranking] for ranking in model.rank(asked)]

    return [
        ("ours: linear SVM over the common Latin form", ours, "IndicLinearClassifier"),
        ("scikit-learn: TF-IDF words + letters as written, linear SVM", lambda: _plain(texts, intents, svm=True), "batch"),
        ("scikit-learn: the same, logistic regression", lambda: _plain(texts, intents, svm=False), "batch, one against rest"),
        ("fastText", lambda: _fasttext(texts, intents), "60 epochs, letters 2–5, words 1–2"),
        *((name, lambda parts=parts: _rasa(training, parts), "IndicTokenizer, folded words and letters") for name, parts in RASA.items()),
    ]


def _plain(texts: Sequence[str], intents: Sequence[str], *, svm: bool) -> Ranker:
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline, make_union
    from sklearn.svm import LinearSVC

    views = make_union(
        TfidfVectorizer(analyzer=lambda text: text.split(), sublinear_tf=True),
        TfidfVectorizer(analyzer="char_wb", ngram_range=(2, 5), min_df=2, sublinear_tf=True),
    )
    machine = LinearSVC(C=1.0, random_state=SEED) if svm else LogisticRegression(C=20.0, solver="liblinear", random_state=SEED)
    pipeline = make_pipeline(views, machine).fit(texts, intents)

    def rank(asked: Sequence[str]) -> list[list[str]]:
        scores = pipeline.decision_function(asked)
        return [[str(pipeline.classes_[at]) for at in (-row).argsort()[:3]] for row in scores]

    return rank


def _fasttext(texts: Sequence[str], intents: Sequence[str]) -> Ranker | None:
    try:
        import fasttext
    except ImportError:
        return None
    with tempfile.NamedTemporaryFile("w", suffix=".txt", encoding="utf-8") as file:
        file.writelines(f"__label__{intent} {' '.join(text.split())}\n" for text, intent in zip(texts, intents))
        file.flush()
        model = fasttext.train_supervised(file.name, epoch=60, lr=0.5, minn=2, maxn=5, wordNgrams=2, dim=64, thread=2, verbose=0)
    return lambda asked: [
        [label.removeprefix("__label__") for _, label in model.f.predict(" ".join(text.split()) + "\n", 3, 0.0, "strict")] for text in asked
    ]


def _rasa(training: Sequence[inputs.Example], parts: Sequence[dict[str, Any]]) -> Ranker:
    import logging

    import yaml
    from rasa.core.agent import Agent
    from rasa.model_training import train_nlu
    from rasa.utils.log_utils import configure_structlog

    configure_structlog(logging.ERROR)
    folder = Path(tempfile.mkdtemp())
    blocks: dict[str, list[str]] = {}
    for _, _, intent, text in training:
        blocks.setdefault(intent, []).append(text)
    data = {"version": "3.1", "nlu": [{"intent": intent, "examples": "\n".join(f"- {text}" for text in rows)} for intent, rows in blocks.items()]}
    (folder / "nlu.yml").write_text(yaml.safe_dump(data, allow_unicode=True), encoding="utf-8")
    config = {
        "recipe": "default.v1", "language": "xx", "assistant_id": "compare", "policies": [],
        "pipeline": [{"name": "nlu.components.tokenizer.IndicTokenizer"}, *parts],
    }  # fmt: skip
    (folder / "config.yml").write_text(yaml.safe_dump(config), encoding="utf-8")
    os.environ["RASA_CACHE_DIRECTORY"] = str(folder / "cache")
    made = train_nlu(str(folder / "config.yml"), str(folder / "nlu.yml"), str(folder), fixed_model_name="compare", domain=None)
    agent = Agent.load(made)

    async def parse(asked: Sequence[str]) -> list[list[str]]:
        found = []
        for text in asked:
            answer = await agent.parse_message(f"· {text}" if text.startswith("/") else text)
            found.append([item["name"] for item in answer["intent_ranking"]])
        return found

    return lambda asked: asyncio.run(parse(asked))


if __name__ == "__main__":
    sys.exit(main())
