"""The learned weights: what they count, and that they hear what no phrase foresees."""

from __future__ import annotations

import math

import pytest

from bot.content.model import Content
from bot.dialogue.safety import LEARNED, Guard
from bot.domain.hunch import Hunch, terms_of
from bot.domain.risk import Level
from bot.domain.words import folded_words

UNFORESEEN = [
    "since monday the gate has a lock on it, the supervisor keeps the key and nobody may go out",
    "ghar jane ki baat karu to phone cheen lete hai aur darwaze pe aadmi baitha dete hai",
    "वो रात को आता है और ज़बरदस्ती करता है, मैं किसी से कह नहीं सकती",
]
ORDINARY = [
    "how do i get a ration card here",
    "ठेकेदार ने पास बुक नहीं दी",
    "bank me khata kaise khulega",
    "",
    "12345",
    "🙂",
]


def test_words_neighbours_and_letter_runs_are_counted() -> None:
    assert terms_of(["band", "kar"]) >= {"=band", "band kar", "^ban", "nd$", "kar"}
    assert terms_of(["5"]) == terms_of(["17"])


def test_a_text_without_known_terms_has_no_score() -> None:
    hunch = Hunch({"=a": (1.0, 1.0)}, bias=-1.0)
    assert hunch.score(("b",)) == -math.inf
    assert hunch.score(("a",)) == 0.0


@pytest.mark.parametrize("text", UNFORESEEN)
def test_danger_that_no_phrase_foresees_is_heard(content: Content, text: str) -> None:
    assert Guard(content.danger).check(text).level >= Level.PERHAPS


@pytest.mark.parametrize("text", ORDINARY)
def test_ordinary_words_stay_ordinary(content: Content, text: str) -> None:
    assert Guard(content.danger).check(text).level is Level.NONE


def test_a_phrase_in_a_harmless_sentence_only_asks(content: Content) -> None:
    guard = Guard(content.danger)
    risk = guard.check("rape victim gets how much compensation from the government, which office and which form")
    assert risk.level <= Level.PERHAPS and risk.reason != LEARNED


def test_the_weights_are_small_and_whole(content: Content) -> None:
    hunch = content.danger.hunch
    assert 10_000 < len(hunch.terms) <= 40_000
    assert hunch.doubt < hunch.perhaps < hunch.now
    assert hunch.score(folded_words("mujhe bachao kamre me band hu")) > hunch.now
