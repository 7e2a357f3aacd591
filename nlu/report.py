"""Write nlu/reports/report.md and confusion.png: `python nlu/report.py [--speed FILE] [--quick]`, or `make nlu-report`.

Everything is measured anew on the evaluation files, but the comparison of classifiers, which takes an hour and is read from
reports/compare.json (`python nlu/compare.py`). `--quick` leaves the ablations out, each of which trains once more.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import statistics
import sys
import time
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
HOME = Path(__file__).resolve().parent
sys.path.insert(0, str(HOME.parent))

import numpy as np  # noqa: E402

from bot.domain.text import romanise, script_of, tokens  # noqa: E402
from nlu import inputs  # noqa: E402
from nlu.components import linear  # noqa: E402
from nlu.evaluate import DISTRESS, OUT, Row, evaluated, grouped  # noqa: E402

REPORTS = HOME / "reports"
SEED = 20261125
NOISE = 0.6
WORST = 25
SPEED_TEXTS = 2000
Figures = dict[str, dict[str, float]]


def main() -> int:
    """Write the page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--speed", type=Path, help="what `sahyatri bench nlu --json` printed")
    parser.add_argument("--quick", action="store_true", help="without ablations")
    arguments = parser.parse_args()
    note = inputs.current()
    if note is None:
        raise SystemExit("no model is trained yet; run: python nlu/train.py")
    print("scoring the evaluation files …", flush=True)
    rows = evaluated(note)
    figures = grouped(rows)
    parts = [
        _head(note, figures),
        _scores(figures),
        _danger(figures),
        _out(figures),
        _worst(rows),
        _robust(note),
        "" if arguments.quick else _ablations(figures),
        _compared(),
        _speed(note, arguments.speed),
    ]
    plot(rows, REPORTS / "confusion.png")
    (REPORTS / "report.md").write_text("\n".join(part for part in parts if part), encoding="utf-8")
    print(f"written: {REPORTS / 'report.md'}, {REPORTS / 'confusion.png'}")
    return 0


def _head(note: dict[str, Any], figures: Figures) -> str:
    versions = ", ".join(f"{name} {version}" for name, version in sorted(note["versions"].items()))
    return (
        "# How well Sahyatri understands\n\n"
        "Written by `make nlu-report`; figures in percent on `nlu/evaluation/`, sentences that no training has seen, by\n"
        "authors who had not read the training text. None of them is a native reader's own measurement.\n\n"
        f"Model `{note['model']}`: {note['examples']} examples, {len(note['locales'])} locales, {note['intents']} intents, "
        f"trained in {note['seconds']} s ({versions}), seed {note['seed']}. Evaluation: {int(figures['all']['n'])} sentences.\n"
    )


def _table(head: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    return "\n".join([*lines, *("| " + " | ".join(map(str, row)) + " |" for row in rows)]) + "\n"


def _scores(figures: Figures) -> str:
    names = ("n", "accuracy", "top3", "macro_f1", "calibration_error")
    rows = [[locale, *(figures[locale].get(name, "–") for name in names)] for locale in figures]
    return "## Intents, per locale (`@` a second script within one)\n\n" + _table(["locale", *names], rows)


def _danger(figures: Figures) -> str:
    text = (
        "## Danger\n\n`now`: a case opens at once. `heard`: that, or 'do you need help now?' is asked. *words*: the "
        "in-process check alone (phrases and learned weights), as with the NLU dead; *NLU*: the distress intents' shares; "
        "*both*: what the service does. False alarms on all other sentences; *hard*: on alarming words without danger.\n\n"
    )
    names = [
        f"{prefix}{source}{level}"
        for source in ("words_", "nlu_", "")
        for prefix in ("", "false_", "hard_")
        for level in ("now", "heard")
    ]
    head = ["locale"] + [
        f"{source} {prefix}{level}"
        for source in ("words", "NLU", "**both**")
        for prefix in ("", "false ", "hard ")
        for level in ("now", "heard")
    ]
    return text + _table(head, [[locale, *(row.get(name, "–") for name in names)] for locale, row in figures.items()])


def _out(figures: Figures) -> str:
    names = ("out_answered", "auroc_out")
    rows = [[locale, *(row.get(name, "–") for name in names)] for locale, row in figures.items()]
    return (
        "## Out of scope\n\n`out_answered`: out-of-scope sentences answered as if understood. AUROC of the best topic's confidence.\n\n"
        + _table(["locale", *names], rows)
    )


def _worst(rows: Sequence[Row]) -> str:
    wrong = Counter((row[1], row[3]["intent"]["name"]) for row in rows if row[1] != row[3]["intent"]["name"])
    asked = Counter(row[1] for row in rows)
    lines = [[wanted, found, count, asked[wanted]] for (wanted, found), count in wrong.most_common(WORST)]
    return "## Worst confusions\n\n![confusions](confusion.png)\n\n" + _table(["meant", "taken for", "times", "of"], lines)


def _robust(note: dict[str, Any]) -> str:
    from nlu.server import Model

    model = Model(inputs.MODELS / f"{note['model']}.tar.gz").classifier
    rows = inputs.evaluation()
    latin = [row for row in rows if row[0] == "hi-Latn"]
    chance = random.Random(SEED)  # noqa: S311 - makes typing errors, keeps no secret
    clean, noisy = _accuracy(model, latin, lambda text: text), _accuracy(model, latin, lambda text: noise(text, chance))
    lines = [["Latin-letter Hindi, a spelling changed in 6 words of 10", clean, noisy, round(clean - noisy, 2)]]
    for locale in sorted({row[0] for row in rows if not row[0].endswith("-Latn") and row[0] != "en"}):
        mine = [row for row in rows if row[0] == locale]
        native, typed = _accuracy(model, mine, lambda text: text), _accuracy(model, mine, in_latin_letters)
        lines.append([f"{locale}, the same sentences in Latin letters", native, typed, round(native - typed, 2)])
    return (
        "## Spelling and script\n\nThe Latin letters are those of a chat: long vowels single, no schwa at the end, v for w, some vowels of Urdu "
        "lost; made by rule, not by people.\n\n" + _table(["what", "as written", "changed", "lost"], lines)
    )


def _accuracy(model: linear.Model, rows: Sequence[tuple[str, str, str, str]], change: Callable[[str], str]) -> float:
    found = model.rank([change(text) for _, _, _, text in rows])
    return round(100 * sum(ranking[0]["name"] == intent for ranking, (_, intent, _, _) in zip(found, rows)) / len(rows), 2)


def noise(text: str, chance: random.Random) -> str:
    """Return *text* with a chat spelling changed in 6 of 10 words: vowels doubled, single or lost, v/w, f/ph, s/sh, z/j."""
    changes = (
        ("aa", "a"), ("a", "aa"), ("ee", "i"), ("i", "ee"), ("oo", "u"), ("u", "oo"), ("v", "w"), ("w", "v"), ("ph", "f"),
        ("f", "ph"), ("th", "t"), ("t", "th"), ("sh", "s"), ("s", "sh"), ("z", "j"), ("j", "z"), ("ai", "e"), ("e", "ai"),
        ("a", ""), ("i", ""), ("kh", "k"), ("dh", "d"), ("h", ""),
    )  # fmt: skip
    words = []
    for word in text.split():
        fits = [(old, new) for old, new in changes if old in word[1:]]
        changed = fits and len(word) > 2 and chance.random() < NOISE
        old, new = chance.choice(fits) if changed else ("", "")
        words.append(word[0] + word[1:].replace(old, new, 1) if changed else word)
    return " ".join(words)


def in_latin_letters(text: str) -> str:
    """Return a native-script text as it is typed in Latin letters, by rule: the same words, none of the script's own marks."""
    typed = []
    for word in tokens(text):
        latin = romanise(word) if script_of(word) != "Latn" else word
        for long, short in (("aa", "a"), ("ii", "i"), ("uu", "u"), ("chh", "ch"), ("w", "v")):
            latin = latin.replace(long, short)
        typed.append(latin)
    return " ".join(typed)


def _ablations(figures: Figures) -> str:
    rows, evaluation = inputs.training(), inputs.evaluation()
    texts, intents = [row[3] for row in rows], [row[2] for row in rows]
    weights = dict(linear.DEFAULTS["weights"])
    cases = {
        "no common Latin form (words and letters as written)": {
            **weights, "raw_word": 1.0, "raw_char": 1.0, "fold_word": 0.0, "fold_char": 0.0, "skel_word": 0.0, "lex_concept": 0.0,
        },
        "no lexicon": {**weights, "lex_concept": 0.0},
        "no letter n-grams": {**weights, "fold_char": 0.0, "raw_char": 0.0},
        "no consonant skeletons": {**weights, "skel_word": 0.0},
        "as written and common Latin form together": {**weights, "raw_word": 1.0, "raw_char": 1.0},
    }  # fmt: skip
    lines = [["as it is", figures["all"]["accuracy"], figures["all"]["top3"], *_by_locale_mean(figures)]]
    for name, changed in cases.items():
        print(f"ablation: {name} …", flush=True)
        model = linear.fit(texts, intents, {**linear.DEFAULTS, "weights": changed})
        rankings = model.rank([row[3] for row in evaluation])
        found = [
            (locale, intent, style, {"text": text, "intent": ranking[0], "intent_ranking": ranking})
            for (locale, intent, style, text), ranking in zip(evaluation, rankings)
        ]
        scored = grouped(found)
        lines.append([name, scored["all"]["accuracy"], scored["all"]["top3"], *_by_locale_mean(scored)])
    head = ["what", "accuracy", "top 3", "mean over locales", "worst locale"]
    return "## Ablations\n\n" + _table(head, lines)


def _by_locale_mean(figures: Figures) -> tuple[float, str]:
    scores = {locale: row["accuracy"] for locale, row in figures.items() if locale != "all" and "@" not in locale}
    worst = min(scores, key=lambda locale: scores[locale])
    return round(statistics.mean(scores.values()), 2), f"{worst} {scores[worst]}"


def _compared() -> str:
    path = REPORTS / "compare.json"
    if not path.exists():
        return ""
    kept = json.loads(path.read_text(encoding="utf-8"))
    head = ["classifier", "accuracy", "top 3", "en", "hi", "hi-Latn", "mean of the other locales", "training, s", "ms a sentence", "note"]
    rows = [[row.get(name, "–") for name in ("name", "accuracy", "top3", "en", "hi", "hi-Latn", "others", "train_s", "parse_ms", "note")] for row in kept["rows"]]
    return f"## Classifiers on the same split\n\nMade by `python nlu/compare.py` on {kept['examples']} examples. {kept['about']}\n\n" + _table(head, rows)


def _speed(note: dict[str, Any], path: Path | None) -> str:
    from nlu.server import Model

    model = Model(inputs.MODELS / f"{note['model']}.tar.gz")
    texts = [row[3] for row in inputs.evaluation()]
    times = []
    for at in range(SPEED_TEXTS):
        started = time.perf_counter()
        model.parse([texts[at % len(texts)]])
        times.append((time.perf_counter() - started) * 1000)
    ranks = statistics.quantiles(times, n=100)
    lines = [["in process, one at a time", f"p50 {ranks[49]:.2f} ms, p95 {ranks[94]:.2f} ms, {1000 / statistics.mean(times):.0f} a second"]]
    if path and path.exists():
        row = json.loads(path.read_text(encoding="utf-8").splitlines()[-1])
        lines += [
            ["over HTTP, one at a time", f"p50 {row['single_p50_ms']} ms, p95 {row['single_p95_ms']} ms"],
            [f"over HTTP, {row['in_flight']} in flight", f"{row['per_second']} a second, p95 {row['p95_ms']} ms, {row['failed']} failed"],
            ["server", f"ready after {row['ready_s']} s, {row['rss_mb']} MiB"],
        ]
    lines.append(["training", f"{note['seconds']} s"])
    return "## Speed (2 cores, the client on one of them; `sahyatri bench nlu`)\n\n" + _table(["what", "figure"], lines)


def plot(rows: Sequence[Row], path: Path) -> None:
    """Draw, by group of intents, where sentences of one group are taken for another."""
    import matplotlib as mpl

    mpl.use("Agg")
    import matplotlib.pyplot as plt

    names = [name for name in inputs.intents() if any(row[1] == name for row in rows)]
    places = {name: at for at, name in enumerate(names)}
    counts = np.zeros((len(names), len(names)))
    for _, wanted, _, found in rows:
        if found["intent"]["name"] in places:
            counts[places[wanted], places[found["intent"]["name"]]] += 1
    shares = counts / counts.sum(axis=1, keepdims=True)
    figure, axes = plt.subplots(figsize=(15, 14))
    axes.imshow(np.sqrt(shares), cmap="Blues", aspect="equal")
    axes.set_xticks(range(len(names)), names, rotation=90, fontsize=6)
    axes.set_yticks(range(len(names)), names, fontsize=6)
    for ticks in (axes.get_xticklabels(), axes.get_yticklabels()):
        for tick in ticks:
            tick.set_color("#b00020" if tick.get_text() in DISTRESS else "#555555" if tick.get_text() == OUT else "black")
    axes.set_xlabel("taken for")
    axes.set_ylabel("meant")
    axes.set_title("Where sentences go (root of the share; distress in red)")
    figure.tight_layout()
    figure.savefig(path, dpi=90)
    plt.close(figure)


if __name__ == "__main__":
    sys.exit(main())
