"""Score the current model on sentences that training has not seen: `python nlu/evaluate.py [--check] [--write-baseline] [--cv N]`.

Per locale, and per script where a locale is written in several: accuracy, top 3, macro F1; danger: recall and false alarms
of the words alone (phrases and learned weights, in process), of the NLU alone (the distress intents' shares together), and
of both as the service joins them: `_now` opens a case, `_heard` also counts the question "do you need help now?";
out_of_scope kept from being answered; AUROC of the best confidence between sentences in and out of scope; calibration error. `--check` fails when
a figure has dropped by more than one point against reports/baseline.json. `--cv N` instead cross-validates on the training
data, which is what settings are tuned on: the evaluation files are for scoring only.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
HOME = Path(__file__).resolve().parent
sys.path.insert(0, str(HOME.parent))

from bot.content.load import load_danger  # noqa: E402
from bot.dialogue.safety import Guard, answers_first, assess  # noqa: E402
from bot.domain.risk import NO_RISK, Level, Risk  # noqa: E402
from bot.domain.text import script_of  # noqa: E402
from bot.domain.understanding import Ranked, Understanding  # noqa: E402
from nlu import inputs  # noqa: E402

DISTRESS = (
    "distress_help", "distress_confined", "distress_violence", "distress_sexual", "distress_child", "distress_in_transit",
    "distress_self_harm", "distress_stranded", "distress_abroad", "missing_person", "forced_marriage",
)  # fmt: skip
OUT = "out_of_scope"
BASELINE = HOME / "reports" / "baseline.json"
LATEST = HOME / "reports" / "latest.json"
DANGER = HOME.parent / "content" / "danger"
MOST_DROP = 1.0
SEED = 20261124
#: figure → whether more is better.
GUARDED = {
    "accuracy": True, "top3": True, "now": True, "heard": True, "words_heard": True, "false_now": False, "false_heard": False,
}  # fmt: skip
#: (locale, wanted intent, style, what the model found)
Row = tuple[str, str, str, dict[str, Any]]


def main() -> int:
    """Print the table; return 1 when a guarded figure has dropped."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="fail on a drop against the baseline")
    parser.add_argument("--write-baseline", action="store_true", help="make these figures the baseline")
    parser.add_argument("--cv", type=int, metavar="N", help="cross-validate on the training data in N folds")
    arguments = parser.parse_args()
    if arguments.cv:
        show(grouped(cross_validated(arguments.cv)))
        return 0
    note = inputs.current()
    if note is None:
        raise SystemExit("no model is trained yet; run: python nlu/train.py")
    figures = grouped(evaluated(note))
    show(figures)
    keep(note, figures)
    if arguments.write_baseline:
        BASELINE.write_text(LATEST.read_text(encoding="utf-8"), encoding="utf-8")
    return dropped(figures) if arguments.check else 0


def keep(note: dict[str, Any], figures: dict[str, dict[str, float]]) -> None:
    """Write the figures beside the model, for `/status`, and to reports/latest.json."""
    LATEST.parent.mkdir(exist_ok=True)
    LATEST.write_text(json.dumps(figures, indent=1, sort_keys=True) + "\n", encoding="utf-8")
    told = ("accuracy", "top3", "now", "heard", "false_now", "false_heard", "out_answered")
    scores = {group: {name: row[name] for name in told if name in row} for group, row in figures.items()}
    inputs.set_current({**note, "scores": scores})


def evaluated(note: dict[str, Any]) -> list[Row]:
    """Return what the current model makes of the evaluation files."""
    from nlu.server import Model

    model = Model(inputs.MODELS / f"{note['model']}.tar.gz")
    rows = inputs.evaluation()
    parsed = model.parse([row[3] for row in rows])
    guard = Guard(load_danger(DANGER))
    return [
        (locale, intent, style, {**found, "risks": risks(guard.check(text), found)})
        for (locale, intent, style, text), found in zip(rows, parsed)
    ]


def understood(found: dict[str, Any]) -> Understanding:
    """Return what the service would make of a parse."""
    ranking = tuple(Ranked(item["name"], item["confidence"]) for item in found["intent_ranking"])
    return Understanding(ranking[0].intent, ranking[0].confidence, ranking)


def risks(words: Risk, found: dict[str, Any]) -> dict[str, Level]:
    """Return the level that the words alone, the NLU alone, and both as the service joins them lead to."""
    heard = understood(found)
    both = assess(words, heard, in_flow=False)
    return {
        "words": words.level,
        "nlu": assess(NO_RISK, heard, in_flow=False).level,
        "both": Level.NONE if answers_first(both, heard) else both.level,
    }


def cross_validated(folds: int) -> list[Row]:
    """Return what models of all folds but one make of that one."""
    import numpy as np
    from sklearn.model_selection import StratifiedKFold

    from nlu.components.linear import DEFAULTS, fit

    rows = inputs.training()
    texts, intents = [row[3] for row in rows], np.array([row[2] for row in rows])
    made: list[Row] = []
    for learn, judge in StratifiedKFold(folds, shuffle=True, random_state=SEED).split(texts, intents):
        model = fit([texts[at] for at in learn], [str(intents[at]) for at in learn], DEFAULTS)
        for at, ranking in zip(judge, model.rank([texts[at] for at in judge])):
            style = "hard_negative" if rows[at][1].startswith("hard_negatives") else ""
            made.append(
                (rows[at][0], rows[at][2], style, {"text": texts[at], "intent": ranking[0], "intent_ranking": ranking})
            )
    return made


def grouped(rows: Sequence[Row]) -> dict[str, dict[str, float]]:
    """Return the figures of each locale, of each further script within one, and of all."""
    groups: dict[str, list[Row]] = defaultdict(list)
    main_script = {row[0]: "" for row in rows}
    for locale in main_script:
        scripts = [script_of(row[3]["text"]) for row in rows if row[0] == locale]
        main_script[locale] = max(sorted(set(scripts)), key=scripts.count)
    for row in rows:
        groups["all"].append(row)
        groups[row[0]].append(row)
        script = script_of(row[3]["text"])
        if script and script != main_script[row[0]]:
            groups[f"{row[0]}@{script}"].append(row)
    return {name: score(group) for name, group in sorted(groups.items())}


def score(group: Sequence[Row]) -> dict[str, float]:
    """Return the figures of one group, in percent (AUROC too); a figure without sentences is absent."""
    ranked = [[item["name"] for item in found["intent_ranking"][:3]] for _, _, _, found in group]
    figures = {
        "n": len(group),
        "n_danger": sum(row[1] in DISTRESS for row in group),
        "accuracy": _percent([names[0] == row[1] for names, row in zip(ranked, group)]),
        "top3": _percent([row[1] in names for names, row in zip(ranked, group)]),
        "macro_f1": _macro_f1(group),
        **_danger(group),
        "answered": _percent([_answered(row[3]) for row in group if row[1] != OUT]),
        "answered_right": _percent([row[3]["intent"]["name"] == row[1] for row in group if row[1] != OUT and _answered(row[3])]),
        "out_answered": _percent([_answered(row[3]) for row in group if row[1] == OUT]),
        "auroc_out": _auroc(group),
        "calibration_error": _calibration(group),
    }
    return {name: value for name, value in figures.items() if value is not None}


def _danger(group: Sequence[Row]) -> dict[str, float | None]:
    judged = [row for row in group if "risks" in row[3]]
    groups = {
        "": [row for row in judged if row[1] in DISTRESS],
        "false_": [row for row in judged if row[1] not in DISTRESS and row[2] != "hard_negative"],
        "hard_": [row for row in judged if row[1] not in DISTRESS and row[2] == "hard_negative"],
    }
    return {
        f"{prefix}{source}{name}": _percent([row[3]["risks"][by] >= level for row in rows])
        for source, by in (("", "both"), ("words_", "words"), ("nlu_", "nlu"))
        for prefix, rows in groups.items()
        for name, level in (("now", Level.NOW), ("heard", Level.PERHAPS))
    }


def _answered(found: dict[str, Any]) -> bool:
    return found["intent"]["name"] != OUT and understood(found).is_sure()


def _percent(values: Sequence[bool]) -> float | None:
    return round(100 * sum(values) / len(values), 2) if values else None


def _macro_f1(group: Sequence[Row]) -> float:
    hits: dict[str, int] = defaultdict(int)
    wanted: dict[str, int] = defaultdict(int)
    guessed: dict[str, int] = defaultdict(int)
    for _, intent, _, found in group:
        wanted[intent] += 1
        guessed[found["intent"]["name"]] += 1
        hits[intent] += found["intent"]["name"] == intent
    scores = [2 * hits[name] / (wanted[name] + guessed[name]) for name in wanted]
    return round(100 * sum(scores) / len(scores), 2)


def _auroc(group: Sequence[Row]) -> float | None:
    """Return how often a sentence in scope is more surely of some topic than one out of scope."""

    def topic(row: Row) -> float:
        return float(max(item["confidence"] for item in row[3]["intent_ranking"] if item["name"] != OUT))

    inside = [topic(row) for row in group if row[1] != OUT]
    outside = [topic(row) for row in group if row[1] == OUT]
    if not inside or not outside:
        return None
    wins = sum((a > b) + 0.5 * (a == b) for a in inside for b in outside)
    return round(100 * wins / (len(inside) * len(outside)), 2)


def _calibration(group: Sequence[Row]) -> float:
    """Return the expected calibration error over ten bins of confidence."""
    bins: dict[int, list[tuple[float, bool]]] = defaultdict(list)
    for _, intent, _, found in group:
        sure = float(found["intent"]["confidence"])
        bins[min(int(sure * 10), 9)].append((sure, found["intent"]["name"] == intent))
    gaps = [abs(sum(sure for sure, _ in rows) - sum(right for _, right in rows)) for rows in bins.values()]
    return round(100 * sum(gaps) / len(group), 2)


def show(figures: dict[str, dict[str, float]]) -> None:
    """Print one line per group."""
    names = [name for name in figures["all"] if ("nlu_" not in name and "words_" not in name) or name in GUARDED]
    print("locale".ljust(10) + "".join(name.removesuffix("_error").rjust(12) for name in names))
    for locale, row in figures.items():
        print(locale.ljust(10) + "".join(str(row.get(name, "–")).rjust(12) for name in names))


def dropped(figures: dict[str, dict[str, float]]) -> int:
    """Return 1, and say which, when a guarded figure is more than a point worse than the baseline."""
    before = json.loads(BASELINE.read_text(encoding="utf-8"))
    worse = [
        f"{group} {name}: {row[name]} → {figures.get(group, {}).get(name, 'gone')}"
        for group, row in before.items()
        for name, more_is_better in GUARDED.items()
        if name in row and _worse(row[name], figures.get(group, {}).get(name), more_is_better=more_is_better)
    ]
    for line in worse:
        print(f"dropped: {line}")
    return 1 if worse else 0


def _worse(before: float, after: float | None, *, more_is_better: bool) -> bool:
    if after is None:
        return True
    return (before - after if more_is_better else after - before) > MOST_DROP


if __name__ == "__main__":
    sys.exit(main())
