"""Check the training and evaluation text: `python nlu/check_data.py [--least N] [--least-distress N] [--near]`; exit 1 on problems.

Problems: an intent the domain does not know, letters of another script than the locale's, one text under two intents or
twice under one, a training text that also stands in the evaluation files, too few examples. `--near` also lists texts of
one intent that are nearly alike; they teach little, but are no error.
"""

from __future__ import annotations

import argparse
import sys
from collections import Counter, defaultdict
from collections.abc import Sequence
from pathlib import Path

HOME = Path(__file__).resolve().parent
sys.path.insert(0, str(HOME.parent))

from bot.domain import text as forms  # noqa: E402
from nlu import inputs  # noqa: E402
from nlu.evaluate import DISTRESS  # noqa: E402

SCRIPTS = {
    "en": "Latn", "hi": "Deva", "bn": "Beng", "or": "Orya", "as": "Beng", "te": "Telu", "ta": "Taml", "mr": "Deva", "gu": "Gujr",
    "kn": "Knda", "ml": "Mlym", "pa": "Guru", "ur": "Arab", "ne": "Deva", "bho": "Deva", "mai": "Deva",
}  # fmt: skip
#: Two texts are nearly alike when they share this much of their words, of at least this many.
NEAR = 0.8
NEAR_LEAST_WORDS = 4
#: Shorter texts of another script ("ok", a code) are how people write.
SCRIPT_LEAST_LETTERS = 12
#: Shorter messages ("thank you") cannot but stand in both.
LEAK_LEAST_WORDS = 4
Example = tuple[str, str, str, str]


def main() -> int:
    """Print every problem; return 1 if there is any."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--least", type=int, default=20)
    parser.add_argument("--least-distress", type=int, default=40)
    parser.add_argument("--near", action="store_true", help="list what is nearly alike")
    arguments = parser.parse_args()
    rows = inputs.training()
    problems = [
        *labels(rows),
        *scripts(rows),
        *same(rows),
        *leaked(rows),
        *counts(rows, arguments.least, arguments.least_distress),
    ]
    print("\n".join([*problems, *(near(rows) if arguments.near else [])]))
    locales = Counter(row[0] for row in rows)
    per_locale = ", ".join(f"{name} {count}" for name, count in sorted(locales.items()))
    print(f"{len(rows)} examples ({per_locale}), {len(problems)} problems")
    return 1 if problems else 0


def key(text: str) -> str:
    """Return the form in which two texts are the same."""
    return " ".join(forms.tokens(forms.normalise(text)))


def labels(rows: Sequence[Example]) -> list[str]:
    """Return the intents that the domain does not know."""
    known = set(inputs.intents())
    seen = {(locale, intent) for locale, _, intent, _ in rows} | {(row[0], row[1]) for row in inputs.evaluation()}
    return [
        f"{locale}: intent {intent!r} is unknown; see domain.yml"
        for locale, intent in sorted(seen)
        if intent not in known
    ]


def scripts(rows: Sequence[Example]) -> list[str]:
    """Return examples whose letters are mostly of another script than their locale's."""
    found = []
    for locale, file, intent, text in rows:
        wanted = "Latn" if locale.endswith("-Latn") else SCRIPTS.get(locale)
        script = forms.script_of(text)
        if wanted and script and script != wanted and sum(map(str.isalpha, text)) > SCRIPT_LEAST_LETTERS:
            found.append(f"{locale}/{file}: {intent}: {text!r} is written in {script}, not {wanted}")
    return found


def same(rows: Sequence[Example]) -> list[str]:
    """Return texts that stand under two intents, or twice under one."""
    places: dict[tuple[str, str], list[str]] = defaultdict(list)
    for locale, _, intent, text in rows:
        places[locale, key(text) or text].append(intent)
    found = []
    for (locale, text), intents in places.items():
        if len(set(intents)) > 1:
            found.append(f"{locale}: {text!r} stands under {', '.join(sorted(set(intents)))}; keep one")
        elif len(intents) > 1:
            found.append(f"{locale}: {text!r} stands {len(intents)} times under {intents[0]}; keep one")
    return found


def near(rows: Sequence[Example]) -> list[str]:
    """Return pairs of one locale and intent that share most of their words; a list for authors, not an error."""
    groups: dict[tuple[str, str], list[tuple[str, frozenset[str]]]] = defaultdict(list)
    for locale, _, intent, text in rows:
        words = frozenset(forms.fold(forms.romanise(word)) for word in key(text).split())
        if len(words) >= NEAR_LEAST_WORDS:
            groups[locale, intent].append((text, words))
    return [
        f"near: {locale}: {intent}: {text!r} and {other!r}"
        for (locale, intent), texts in groups.items()
        for at, (text, words) in enumerate(texts)
        for other, others in texts[at + 1 :]
        if words != others and len(words & others) >= NEAR * len(words | others)
    ]


def leaked(rows: Sequence[Example]) -> list[str]:
    """Return training texts that also stand in the evaluation files; the shortest messages cannot be avoided."""
    trained = {key(text) for _, _, _, text in rows}
    return [
        f"evaluation/{locale}: {intent}: {text!r} also stands in the training data; reword the training example"
        for locale, intent, _, text in inputs.evaluation()
        if len(key(text).split()) >= LEAK_LEAST_WORDS and key(text) in trained
    ]


def counts(rows: Sequence[Example], least: int, least_distress: int) -> list[str]:
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
