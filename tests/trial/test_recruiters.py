"""The bench of the recruiter check: its figures are of what was really asked, and the same seeds ask the same."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from bot.config import Config
from bot.domain.agencies import Check, Verdict
from bot.domain.text import script_of
from bot.trial import recruiters, writing
from bot.trial.names import made_up
from bot.trial.recruiters import Query, questions, spellings_of, written_names

CONTENT = Path(__file__).resolve().parent.parent.parent / "content" / "recruiters"
KEYS = [
    "n",
    "p95_ms",
    "rss_mb",
    "build_s",
    "load_s",
    "top1_one_edit",
    "top1_cross_script",
    "false_listed",
    "false_suggested",
]


async def test_the_figures_are_measured(config: Config, monkeypatch: pytest.MonkeyPatch) -> None:
    """On a short list: every key is there for us and for the yardstick, and the quality is what a short list allows."""
    monkeypatch.setattr(recruiters, "SIZES", (1000,))
    monkeypatch.setattr(recruiters, "EACH", 60)
    monkeypatch.setattr(recruiters, "STRANGERS", 100)
    monkeypatch.setattr(recruiters, "PLAIN", 5)
    (figures,) = [row async for row in recruiters.recruiters(config, lambda _: None)]
    assert set(KEYS) <= set(figures)
    assert {f"plain_{key}" for key in KEYS[1:]} <= set(figures)
    assert figures["n"] == 1000
    assert figures["seeds"] == recruiters.SEEDS
    assert figures["top1_one_edit"] >= 0.95
    assert figures["top1_cross_script"] >= 0.92
    assert figures["top1_native_unseen"] >= 0.88
    assert figures["false_listed"] == figures["numbers_listed"] == figures["listed_another"] == 0
    assert figures["false_suggested"] <= 0.03
    assert figures["p95_ms"] > 0 and 0 < figures["rss_mb"] < 600
    assert figures["plain_top1_cross_script"] < 0.5


def test_the_same_seeds_ask_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recruiters, "EACH", 5)
    monkeypatch.setattr(recruiters, "EACH_SCRIPT", 2)
    spellings, written = spellings_of(CONTENT / "names"), written_names(CONTENT / "trial")

    def asked() -> list[Query]:
        names = made_up(200, 3)
        chance = random.Random(4)
        listed = [writing.registered(name, chance, spellings) for name in names]
        return questions(names, listed, written, spellings)

    assert asked() == asked()
    assert len({query.kind.partition(":")[0] for query in asked()}) == 13


def test_scores_count_what_was_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing found is neither right nor suggested."""
    monkeypatch.setattr(recruiters, "EACH", 5)
    monkeypatch.setattr(recruiters, "EACH_SCRIPT", 2)
    spellings, written = spellings_of(CONTENT / "names"), written_names(CONTENT / "trial")
    names = made_up(200, 3)
    asked = questions(
        names, [writing.registered(name, random.Random(1), spellings) for name in names], written, spellings
    )
    figures = recruiters._scored(asked, [Check(Verdict.NOT_FOUND)] * len(asked))
    assert figures["top1_one_edit"] == figures["top1_cross_script"] == figures["false_suggested"] == 0


def test_every_language_is_written_in_its_own_script() -> None:
    """Rule-made and hand-written names stand in the script of their language; the hand-written lists are of equal length."""
    scripts = {"hi": "Deva", "mr": "Deva", "ne": "Deva", "bn": "Beng", "as": "Beng", "pa": "Guru", "gu": "Gujr", "or": "Orya",
               "ta": "Taml", "te": "Telu", "kn": "Knda", "ml": "Mlym", "ur": "Arab"}  # fmt: skip
    spellings, written = spellings_of(CONTENT / "names"), written_names(CONTENT / "trial")
    assert set(scripts) == set(writing.SCRIPTS) == set(written)
    for language, script in scripts.items():
        name = made_up(1, 8)[0]
        assert script_of(writing.in_script(name, language, random.Random(1), spellings)) == script
        assert len(written[language]) == 190
        assert all(script_of(row["native"]) == script and row["latin"].isascii() for row in written[language])
