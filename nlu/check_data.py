"""Check the training and evaluation text: `python nlu/check_data.py`; exit 1 on problems.

Problems: an intent the domain does not know, letters of another script than the locale's, one text under two intents or
twice under one, texts of one intent that are nearly alike, a training text that also stands in the evaluation files, too
few examples or hard negatives (alarming words without danger) in a locale, too few of out_of_scope in all.
"""

from __future__ import annotations

import sys
from collections import Counter, defaultdict
from collections.abc import Sequence
from pathlib import Path

HOME = Path(__file__).resolve().parent
sys.path.insert(0, str(HOME.parent))

from bot.domain import text as forms  # noqa: E402
from nlu import inputs  # noqa: E402
from nlu.evaluate import DISTRESS, OUT  # noqa: E402

SCRIPTS = {
    "en": "Latn", "hi": "Deva", "bn": "Beng", "or": "Orya", "as": "Beng", "te": "Telu", "ta": "Taml", "mr": "Deva", "gu": "Gujr",
    "kn": "Knda", "ml": "Mlym", "pa": "Guru", "ur": "Arab", "ne": "Deva", "bho": "Deva", "mai": "Deva",
}  # fmt: skip
#: Two texts are nearly alike when they share this much of their words, of at least this many.
NEAR = 0.8
NEAR_LEAST_WORDS = 4
#: Shorter texts of another script ("ok", a code) are how people write.
SCRIPT_LEAST_LETTERS = 12
#: Locales by how much they need: (examples of an intent, of a distress intent, hard negatives, evaluation of an intent).
LARGE = frozenset({"en", "hi", "hi-Latn"})
NEEDS = {"large": (25, 50, 40, 4), "script": (15, 30, 40, 2), "latin": (6, 12, 10, 0), "guest": (4, 8, 0, 0)}
#: Languages we understand as far as we can, but do not answer in.
GUESTS = frozenset({"bho", "mai"})
LEAST_OUT = 600
HARD_FILES = ("hard_", "near_")


def main() -> int:
    """Print every problem; return 1 if there is any."""
    rows = inputs.training()
    problems = [
        *labels(rows),
        *scripts(rows),
        *same(rows),
        *leaked(rows),
        *near(rows),
        *counts(rows),
    ]
    print("\n".join(problems), end="\n" if problems else "")
    locales = Counter(row[0] for row in rows)
    per_locale = ", ".join(f"{name} {count}" for name, count in sorted(locales.items()))
    print(f"{len(rows)} examples ({per_locale}), {len(problems)} problems")
    return 1 if problems else 0


def key(text: str) -> str:
    """Return the form in which two texts are the same."""
    return " ".join(forms.tokens(forms.normalise(text)))


def labels(rows: Sequence[inputs.Example]) -> list[str]:
    """Return the intents that the domain does not know."""
    known = set(inputs.intents())
    seen = {(locale, intent) for locale, _, intent, _ in rows} | {(row[0], row[1]) for row in inputs.evaluation()}
    return [
        f"{locale}: intent {intent!r} is unknown; see domain.yml"
        for locale, intent in sorted(seen)
        if intent not in known
    ]


def scripts(rows: Sequence[inputs.Example]) -> list[str]:
    """Return examples whose letters are mostly of another script than their locale's."""
    found = []
    for locale, file, intent, text in rows:
        wanted = "Latn" if locale.endswith("-Latn") else SCRIPTS.get(locale)
        script = forms.script_of(text)
        if wanted and script and script != wanted and sum(map(str.isalpha, text)) > SCRIPT_LEAST_LETTERS:
            found.append(f"{locale}/{file}: {intent}: {text!r} is written in {script}, not {wanted}")
    return found


def same(rows: Sequence[inputs.Example]) -> list[str]:
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


def near(rows: Sequence[inputs.Example]) -> list[str]:
    """Return pairs of one locale and intent that share most of their words: they teach little."""
    groups: dict[tuple[str, str], list[tuple[str, frozenset[str]]]] = defaultdict(list)
    for locale, _, intent, text in rows:
        words = frozenset(forms.fold(forms.romanise(word)) for word in key(text).split())
        if len(words) >= NEAR_LEAST_WORDS:
            groups[locale, intent].append((text, words))
    return [
        f"{locale}: {intent}: {text!r} and {other!r} are nearly alike; reword one"
        for (locale, intent), texts in groups.items()
        for at, (text, words) in enumerate(texts)
        for other, others in texts[at + 1 :]
        if words != others and len(words & others) >= NEAR * len(words | others)
    ]


def leaked(rows: Sequence[inputs.Example]) -> list[str]:
    """Return training texts that also stand in the evaluation files."""
    trained = {key(text) for _, _, _, text in rows}
    return [
        f"evaluation/{locale}: {intent}: {text!r} also stands in the training data; reword the training example"
        for locale, intent, _, text in inputs.evaluation()
        if key(text) in trained
    ]


def counts(rows: Sequence[inputs.Example]) -> list[str]:
    """Return where there are too few examples, hard negatives or evaluation sentences."""
    have = Counter((locale, intent) for locale, _, intent, _ in rows)
    hard = Counter(locale for locale, file, _, _ in rows if file.startswith(HARD_FILES))
    judged = Counter((locale, intent) for locale, intent, _, _ in inputs.evaluation())
    found = []
    for locale in sorted({row[0] for row in rows}):
        least, least_distress, least_hard, least_judged = NEEDS[size(locale)]
        for intent in inputs.intents():
            wanted = least_distress if intent in DISTRESS else least
            if have[locale, intent] < wanted:
                found.append(f"{locale}: {intent} has {have[locale, intent]} examples, needs {wanted}; write more")
            if judged[locale, intent] < least_judged:
                found.append(f"evaluation/{locale}: {intent} has {judged[locale, intent]}, needs {least_judged}; write more")
        if hard[locale] < least_hard:
            found.append(f"{locale}: has {hard[locale]} hard negatives, needs {least_hard}; write more")
    out = sum(count for (_, intent), count in have.items() if intent == OUT)
    return found + ([f"{OUT} has {out} examples in all, needs {LEAST_OUT}; write more"] if out < LEAST_OUT else [])


def size(locale: str) -> str:
    """Return which row of NEEDS holds for a locale."""
    if locale in LARGE:
        return "large"
    return "latin" if locale.endswith("-Latn") else "guest" if locale in GUESTS else "script"


if __name__ == "__main__":
    sys.exit(main())
