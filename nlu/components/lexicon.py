"""Concepts of our domain and the words that say them, in every language, compared in the folded Latin form.

A lexicon file maps a concept to locales, and a locale to words: `wage: {en: [salary, "pay*"], hi: [मज़दूरी]}`. A word that
ends in `*` matches as a beginning; an entry of two or three words matches them side by side.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import yaml

from bot.domain import text as forms

LEXICON = Path(__file__).resolve().parent.parent / "lexicon"
LONGEST_ENTRY = 3
#: Words of these concepts are names of places: the entity extractor reports them.
PLACES = ("place_india", "place_gulf", "place_scam", "place_abroad")
#: Words of these concepts say who somebody is to the writer; reported too.
RELATIONS = ("son_daughter", "sibling", "parent", "husband", "wife", "relative")
#: concept → its entries, each the folded words of one; "*" at the end stands for any ending.
Entries = dict[str, list[str]]


def read(folder: Path = LEXICON) -> Entries:
    """Return every concept with its folded entries, sorted; the same whatever the order of the files' lines."""
    found: dict[str, set[str]] = {}
    for path in sorted(folder.glob("*.yml")):
        for concept, locales in (yaml.safe_load(path.read_text(encoding="utf-8")) or {}).items():
            for words in locales.values():
                found.setdefault(str(concept), set()).update(filter(None, map(_entry, map(str, words))))
    return {concept: sorted(entries) for concept, entries in sorted(found.items())}


def _entry(written: str) -> str:
    star = "*" if written.endswith("*") else ""
    folded = [forms.fold(forms.romanise(word)) or word for word in forms.tokens(forms.normalise(written.rstrip("*")))]
    return " ".join(folded[:LONGEST_ENTRY]) + star if folded else ""


class Lexicon:
    """Finds concepts among folded words, in time linear in their number."""

    def __init__(self, entries: Mapping[str, Sequence[str]]) -> None:
        self._words: dict[str, list[str]] = {}
        self._beginnings: dict[str, list[str]] = {}
        for concept, written in entries.items():
            for entry in written:
                table = self._beginnings if entry.endswith("*") else self._words
                table.setdefault(entry.rstrip("*"), []).append(concept)
        self._lengths = sorted({len(beginning) for beginning in self._beginnings})

    def concepts(self, folded: Sequence[str]) -> list[str]:
        """Return the concepts of a message's folded words, in order, repeats kept."""
        return [concept for _, _, concept in self.places_of(folded)]

    def places_of(self, folded: Sequence[str]) -> Iterator[tuple[int, int, str]]:
        """Yield (first word, word after the last, concept)."""
        for first in range(len(folded)):
            joined = ""
            for last in range(first, min(first + LONGEST_ENTRY, len(folded))):
                joined = f"{joined} {folded[last]}" if joined else folded[last]
                for concept in self._of(joined):
                    yield first, last + 1, concept

    def _of(self, words: str) -> set[str]:
        found = set(self._words.get(words, ()))
        for length in self._lengths:
            if length > len(words):
                break
            beginning = self._beginnings.get(words[:length])
            # The beginning must reach into the last word, else "pay*" would match "pay" and whatever follows it.
            if beginning and " " not in words[length:]:
                found.update(beginning)
        return found
