"""Danger, found in the words themselves: in process, before and without the NLU, in linear time.

Matching runs on folded words (`bot.domain.words`), so one phrase covers native script and Latin spellings. Nothing here
uses a regular expression on what people write: Indian vowel signs are not "word characters" to Python's `re`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from bot.content.model import Danger
from bot.domain.patterns import Matcher
from bot.domain.risk import NO_RISK, Level, Risk
from bot.domain.understanding import Understanding
from bot.domain.words import folded_words

DISTRESS = frozenset({
    "distress_help",
    "distress_confined",
    "distress_violence",
    "distress_sexual",
    "distress_child",
    "distress_in_transit",
    "distress_self_harm",
    "distress_stranded",
    "distress_abroad",
    "missing_person",
    "forced_marriage",
})  # fmt: skip
SIGNS = ("🆘",)
#: The reason when nothing but the learned weights speaks.
LEARNED = "learned"
NLU_SURE = 0.4
NLU_PERHAPS = 0.2
NLU_SURE_IN_FLOW = 0.8


class Guard:
    """The in-process danger check: phrases of every locale at once, whatever language the chat is in."""

    def __init__(self, danger: Danger) -> None:
        """Compile the patterns."""
        self._danger = Matcher(danger.patterns)
        self._calming = Matcher(danger.calming)
        self._silent = Matcher(danger.silent)
        self._minor = Matcher(danger.minor)
        self._hunch = danger.hunch

    def check(self, text: str, *, answers: bool = False) -> Risk:
        """Return the risk that the words alone show; `reason` names the pattern, never the words.

        *answers*: the whole message is a command, a number word or an offered choice. Phrases still count; the learned
        weights do not, for a bare "stop" or "second" is too little to go by.
        """
        words = folded_words(text)
        risk = self._phrases(words, text) if answers else self._level(words, text)
        silent = bool(self._silent.find(words))
        if silent and not risk.level:
            return Risk(Level.PERHAPS, "distress_help", "phrase:silent", silent=True)
        return replace(risk, silent=silent, minor=bool(self._minor.find(words))) if risk.level else risk

    def _level(self, words: Sequence[str], text: str) -> Risk:
        """Return the graver of what the phrases and what the learned weights hear; a phrase also names the kind."""
        score = self._hunch.score(words)
        spelt, felt = self._phrases(words, text), self._felt(score)
        if spelt.level is Level.NOW and score < self._hunch.doubt and not spelt.reason.startswith("sign"):
            spelt = replace(spelt, level=Level.PERHAPS)
        if spelt.level and felt.level > spelt.level:
            return replace(spelt, level=felt.level, reason=f"{spelt.reason} {felt.reason}")
        return spelt if spelt.level else felt

    def _felt(self, score: float) -> Risk:
        if score < self._hunch.perhaps:
            return NO_RISK
        return Risk(Level.NOW if score >= self._hunch.now else Level.PERHAPS, "distress_help", LEARNED)

    def _phrases(self, words: Sequence[str], text: str) -> Risk:
        found = self._danger.find(words)
        if any(sign in text for sign in SIGNS):
            return Risk(Level.NOW, "distress_help", "sign:sos")
        if not found:
            return NO_RISK
        now = [pattern for pattern in found if pattern.level == "now"]
        best = (now or found)[0]
        level = Level.NOW if now else Level.PERHAPS
        if self._calming.find(words):
            level = Level(level - 1)
        return Risk(level, best.kind, f"phrase:{best.id}") if level else NO_RISK


def assess(spoken: Risk, understanding: Understanding, *, in_flow: bool, minor: bool = False) -> Risk:
    """Join what the words show with what the NLU thinks: the NLU may raise the risk, never lower it."""
    heard = _heard(understanding, in_flow=in_flow)
    best = heard if heard.level > spoken.level else spoken
    if spoken.level and heard.level == spoken.level and spoken.kind == "distress_help":
        best = replace(spoken, kind=heard.kind, reason=f"{spoken.reason} {heard.reason}")
    child = spoken.minor or minor or best.kind == "distress_child"
    return replace(best, silent=spoken.silent, minor=child) if best.level else best


def answers_first(risk: Risk, understanding: Understanding) -> bool:
    """Say whether only the learned weights are uneasy while the NLU is sure of a question.

    Then the question is answered, with help among the choices, instead of asking "do you need help now?".
    """
    clear = understanding.intent not in DISTRESS and understanding.is_sure()
    return risk.level is Level.PERHAPS and risk.reason == LEARNED and clear


def _heard(understanding: Understanding, *, in_flow: bool) -> Risk:
    """Return the NLU's view: the distress intents' shares count together, since any of them needs a human."""
    ranked = [item for item in understanding.ranking if item.intent in DISTRESS]
    if not ranked and understanding.intent not in DISTRESS:
        return NO_RISK
    best = max(ranked, key=lambda item: item.confidence, default=None)
    share = min(sum(item.confidence for item in ranked), 1.0) if best else understanding.confidence
    kind = best.intent if best else str(understanding.intent)
    if share >= (NLU_SURE_IN_FLOW if in_flow else NLU_SURE):
        return Risk(Level.NOW, kind, f"nlu:{kind}")
    if share >= NLU_PERHAPS and not in_flow:
        return Risk(Level.PERHAPS, kind, f"nlu:{kind}")
    return NO_RISK
