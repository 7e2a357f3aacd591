"""Check the training and evaluation text: `python nlu/check_data.py [--least N] [--least-distress N]`; exit 1 on problems."""

from __future__ import annotations

import argparse
import sys
from collections import Counter, defaultdict
from pathlib import Path

HOME = Path(__file__).resolve().parent
sys.path.insert(0, str(HOME.parent))

from bot.domain import text as forms  # noqa: E402
from nlu import inputs  # noqa: E402
from nlu.evaluate import DISTRESS  # noqa: E402

SCRIPTS = {"hi": "Deva", "en": "Latn"}
NEAR = 0.9
OVERLAP_ALLOWED = frozenset(
    {
        "greet",
        "thank",
        "goodbye",
        "affirm",
        "deny",
        "menu",
        "repeat",
        "restart",
        "stop_messages",
        "helpline_numbers",
        "talk_to_human",
        "out_of_scope",
        "voice_please",
        "check_in",
    }
)


def main() -> int:
    """Print every problem; return 1 if there is any."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--least", type=int, default=20)
    parser.add_argument("--least-distress", type=int, default=40)
    arguments = parser.parse_args()
    rows = inputs.training()
    problems = [
        *labels(rows),
        *scripts(rows),
        *same(rows),
        *leaked(rows),
        *counts(rows, arguments.least, arguments.least_distress),
    ]
    for problem in problems:
        print(problem)
    locales = Counter(row[0] for row in rows)
    print(
        f"{len(rows)} examples ({', '.join(f'{name} {count}' for name, count in sorted(locales.items()))}), {len(problems)} problems"
    )
    return 1 if problems else 0


def labels(rows: list[tuple[str, str, str, str]]) -> list[str]:
    """Return the intents that the domain does not know."""
    known = set(inputs.intents())
    seen = {(locale, intent) for locale, _, intent, _ in rows} | {(row[0], row[1]) for row in inputs.evaluation()}
    return [
        f"{locale}: intent {intent!r} is unknown; see domain.yml"
        for locale, intent in sorted(seen)
        if intent not in known
    ]


def scripts(rows: list[tuple[str, str, str, str]]) -> list[str]:
    """Return examples whose letters are of another script than their locale's."""
    found = []
    for locale, file, intent, text in rows:
        wanted = "Latn" if locale.endswith("-Latn") else SCRIPTS.get(locale)
        script = forms.script_of(text)
        if wanted and script and script != wanted and sum(char.isalpha() for char in text) > 12:
            found.append(f"{locale}/{file}: {intent}: {text!r} is written in {script}, not {wanted}")
    return found


def same(rows: list[tuple[str, str, str, str]]) -> list[str]:
    """Return texts that stand under two intents, or twice under one."""
    places: dict[tuple[str, str], list[str]] = defaultdict(list)
    for locale, _, intent, text in rows:
        places[locale, " ".join(forms.tokens(forms.normalise(text)))].append(intent)
    found = []
    for (locale, text), intents in places.items():
        if len(set(intents)) > 1:
            found.append(f"{locale}: {text!r} stands under {', '.join(sorted(set(intents)))}; keep one")
        elif len(intents) > 1:
            found.append(f"{locale}: {text!r} stands {len(intents)} times under {intents[0]}; keep one")
    return found


def leaked(rows: list[tuple[str, str, str, str]]) -> list[str]:
    """Return training texts that also stand in the evaluation files; one- and two-word messages cannot be avoided."""
    trained = {" ".join(forms.tokens(forms.normalise(text))) for _, _, _, text in rows}
    found = []
    for locale, intent, _, text in inputs.evaluation():
        words = forms.tokens(forms.normalise(text))
        if len(words) > 3 and " ".join(words) in trained:
            found.append(
                f"evaluation/{locale}: {intent}: {text!r} also stands in the training data; reword the training example"
            )
    return found


def counts(rows: list[tuple[str, str, str, str]], least: int, least_distress: int) -> list[str]:
    """Return the intents with too few examples, per locale."""
    have = Counter((locale, intent) for locale, _, intent, _ in rows)
    found = []
    for locale in sorted({row[0] for row in rows}):
        for intent in inputs.intents():
            wanted = least_distress if intent in DISTRESS else least
            if have[locale, intent] < wanted:
                found.append(f"{locale}: {intent} has {have[locale, intent]} examples, needs {wanted}")
    return found


if __name__ == "__main__":
    sys.exit(main())
