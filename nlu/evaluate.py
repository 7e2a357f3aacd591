"""Score the current model on sentences that training has not seen: `python nlu/evaluate.py [--check] [--write-baseline]`.

Per locale: accuracy, top 3, macro F1; recall of danger (any distress intent counts) and false alarms of the NLU alone;
out_of_scope recognised. `--check` fails when a figure has dropped by more than one point against reports/baseline.json.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections import defaultdict
from pathlib import Path
from typing import Any

HOME = Path(__file__).resolve().parent
sys.path.insert(0, str(HOME.parent))

from nlu import inputs  # noqa: E402

DISTRESS = (
    "distress_help", "distress_confined", "distress_violence", "distress_sexual", "distress_child", "distress_in_transit",
    "distress_self_harm", "distress_stranded", "distress_abroad", "missing_person", "forced_marriage",
)  # fmt: skip
BASELINE = HOME / "reports" / "baseline.json"
LATEST = HOME / "reports" / "latest.json"
SURE = 0.5
GUARDED = ("accuracy", "top3", "danger_recall")


def main() -> int:
    """Print the table; return 1 when a guarded figure has dropped."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true")
    parser.add_argument("--write-baseline", action="store_true")
    arguments = parser.parse_args()
    from nlu.server import Model

    note = json.loads(inputs.CURRENT.read_text())
    model = Model(inputs.MODELS / f"{note['model']}.tar.gz")
    rows = inputs.evaluation()
    parsed = model.parse([row[3] for row in rows])
    groups: dict[str, list[tuple[str, str, dict[str, Any]]]] = defaultdict(list)
    for (locale, intent, style, _), found in zip(rows, parsed):
        groups[locale].append((intent, style, found))
        groups["all"].append((intent, style, found))
    figures = {locale: score(group) for locale, group in sorted(groups.items())}
    show(figures)
    LATEST.write_text(json.dumps(figures, indent=1, sort_keys=True) + "\n")
    if arguments.write_baseline:
        BASELINE.write_text(LATEST.read_text())
    return dropped(figures) if arguments.check else 0


def score(group: list[tuple[str, str, dict[str, Any]]]) -> dict[str, float]:
    """Return the figures of one group, in percent."""
    right = [found["intent"]["name"] == intent for intent, _, found in group]
    top3 = [intent in [item["name"] for item in found["intent_ranking"][:3]] for intent, _, found in group]
    danger = [_danger(found) for intent, _, found in group if intent in DISTRESS]
    calm = [_danger(found) for intent, style, found in group if intent not in DISTRESS and style != "hard_negative"]
    hard = [_danger(found) for _, style, found in group if style == "hard_negative"]
    out = [
        found["intent"]["name"] == "out_of_scope" or found["intent"]["confidence"] < 0.4
        for intent, _, found in group
        if intent == "out_of_scope"
    ]
    return {
        "n": len(group),
        "accuracy": _percent(right),
        "top3": _percent(top3),
        "macro_f1": _macro_f1(group),
        "danger_recall": _percent(danger),
        "false_alarms": _percent(calm),
        "false_alarms_hard": _percent(hard),
        "out_of_scope": _percent(out),
    }


def _danger(found: dict[str, Any]) -> bool:
    return sum(item["confidence"] for item in found["intent_ranking"] if item["name"] in DISTRESS) >= SURE


def _percent(values: list[bool]) -> float:
    return round(100 * sum(values) / len(values), 2) if values else 0.0


def _macro_f1(group: list[tuple[str, str, dict[str, Any]]]) -> float:
    hits: dict[str, int] = defaultdict(int)
    wanted: dict[str, int] = defaultdict(int)
    guessed: dict[str, int] = defaultdict(int)
    for intent, _, found in group:
        wanted[intent] += 1
        guessed[found["intent"]["name"]] += 1
        hits[intent] += found["intent"]["name"] == intent
    scores = [2 * hits[name] / (wanted[name] + guessed[name]) for name in wanted]
    return round(100 * sum(scores) / len(scores), 2)


def show(figures: dict[str, dict[str, float]]) -> None:
    """Print one line per locale."""
    names = list(next(iter(figures.values())))
    print("locale".ljust(10) + "".join(name.rjust(19) for name in names))
    for locale, row in figures.items():
        print(locale.ljust(10) + "".join(f"{row[name]:>19}" for name in names))


def dropped(figures: dict[str, dict[str, float]]) -> int:
    """Return 1, and say which, when a guarded figure is more than one point below the baseline."""
    before = json.loads(BASELINE.read_text())
    worse = [
        f"{locale} {name}: {row[name]} → {figures[locale][name]}"
        for locale, row in before.items()
        for name in GUARDED
        if locale in figures and figures[locale][name] < row[name] - 1
    ]
    for line in worse:
        print(f"dropped: {line}")
    return 1 if worse else 0


if __name__ == "__main__":
    sys.exit(main())
