"""The in-process danger check: no NLU, any spelling, and its limits."""

from __future__ import annotations

import time
import unicodedata

import pytest

from bot.content.model import Content
from bot.dialogue.safety import Guard, assess
from bot.domain.risk import NO_RISK, Level, Risk
from bot.domain.understanding import NOTHING, Ranked, Understanding

NOW = [
    "mujhe malik ne kamre me band kar diya hai bachao",
    "मुझे मालिक ने कमरे में बंद कर दिया है",
    "बचाओ",
    "please help me they are beating me",
    "my husband beats me every day",
    "i want to die",
    "main marna chahti hu",
    "woh log meri bachi ko utha ke le gaye",
    "hame jane nahi dete, malik ne darwaza lock kar rakha hai",
    "जबरदस्ती शादी करवा रहे हैं",
    "they locked us in the factory and are not letting us go",
    "मेरी बेटी दो दिन से लापता है",
    "🆘",
    "mujhe bech diya gaya hai",
]
CALM = [
    "mujhe ration card chahiye",
    "bank account band ho gaya",
    "what is the minimum wage in Delhi",
    "मेरा राशन कार्ड बंद हो गया",
    "aadhaar me naam galat hai",
    "how to open a bank account",
    "train kab hai",
    "मज़दूरी नहीं मिली दो महीने से",
]


@pytest.fixture(scope="module")
def guard(content: Content) -> Guard:
    return Guard(content.danger)


@pytest.mark.parametrize("text", NOW)
def test_danger_is_heard(guard: Guard, text: str) -> None:
    assert guard.check(text).level is Level.NOW


@pytest.mark.parametrize("text", CALM)
def test_ordinary_questions_are_not_danger(guard: Guard, text: str) -> None:
    assert guard.check(text).level is Level.NONE


@pytest.mark.parametrize(
    "mutate",
    [
        lambda t: unicodedata.normalize("NFD", t),
        lambda t: t.upper(),
        lambda t: "  " + t + "!!! ",
        lambda t: "\u200b".join(t),
        lambda t: t.replace("o", "oooo"),
        lambda t: "sir namaste, " + t,
        lambda t: t + "\nbhai jaldi",
    ],
)
def test_danger_is_heard_however_it_is_typed(guard: Guard, mutate) -> None:  # type: ignore[no-untyped-def]
    for text in NOW[:12]:
        assert guard.check(mutate(text)).level >= Level.PERHAPS, mutate(text)


def test_a_question_about_the_law_is_asked_about_not_handed_off(guard: Guard) -> None:
    assert guard.check("rape ki saza kya hai").level is Level.PERHAPS


def test_silent_mode_and_age_are_noticed(guard: Guard) -> None:
    risk = guard.check("bachao, wo yahan hai, reply mat karna, meri umar 15 saal hai")
    assert risk.silent and risk.minor


def test_it_is_linear_in_long_text(guard: Guard) -> None:
    text = "mujhe kamre me band nahi " * 20_000
    started = time.process_time()
    guard.check(text)
    assert time.process_time() - started < 2.0


def test_the_nlu_may_raise_but_never_lower() -> None:
    spoken = Risk(Level.NOW, "distress_confined", "phrase:x")
    greets = Understanding("greet", 0.99, (Ranked("greet", 0.99),))
    assert assess(spoken, greets, in_flow=False).level is Level.NOW
    heard = Understanding(
        "distress_violence", 0.4, (Ranked("distress_violence", 0.4), Ranked("distress_confined", 0.3))
    )
    assert assess(NO_RISK, heard, in_flow=False) == Risk(Level.NOW, "distress_violence", "nlu:distress_violence")
    assert assess(NO_RISK, NOTHING, in_flow=False) is NO_RISK
