"""What is known of a case's person, in words: what they answered, and what became of what we sent them."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from bot.content.model import Content
from bot.domain.cases import CaseAction, CaseEvent, Told
from bot.domain.urgency import Part, Reason, Urgency

Word = Callable[[str], str]
TOLD: Final = "told."
#: The answers that a tap gives, by slot; anything else under a slot are the person's own words.
ANSWERS: Final[Mapping[str, frozenset[str]]] = {
    "safe_to_talk": frozenset({"yes", "no", "watched"}),
    "with_whom": frozenset({"somebody", "child"}),
    "under_18": frozenset({"yes", "no", "skip"}),
    "hurt": frozenset({"yes", "no"}),
    "need": frozenset({"safe place", "doctor", "go home", "talk"}),
    "writer": frozenset({"the same person", "somebody else"}),
    "consent": frozenset({"yes", "no"}),
    "reached": frozenset({"yes", "no"}),
    "follow_up": frozenset({"yes", "no"}),
    "wish": frozenset({"stop", "delete"}),
}
#: The slots that are filled by words alone.
IN_WORDS: Final = frozenset({"where", "safe_contact", "word_tries"})
#: Slots of a flow that say something about the person; the rest are its bookkeeping.
ASKED: Final = ("state", "where", "age", "sex", "work", "family", "papers", "tax", "topic")
#: The words for what a channel's short code means; see `send.why.*`.
_CODE: Final = re.compile(r"^(?:whatsapp|channel):(\d+)$")
KNOWN_CODES: Final = frozenset({131026, 131047, 131049, 131056})
TEMPLATE_CODES: Final = range(132000, 132100)
ACCOUNT_CODES: Final = frozenset({10, 190, 368, 131005, 131031, 131042, 131048, 131064, 130497, *range(200, 300)})
OURS: Final = {
    "telegram:403": "gone",
    "the person asked for silence": "silence",
    "in doubt after a second try": "doubt",
    "in doubt, and the person has written since": "doubt",
}
OPEN_STATES: Final = frozenset({"waiting", "sending", "unknown"})


@dataclass(frozen=True, slots=True)
class Answered:
    """One thing the person told us: its name and words, when, and whether we know the words as an answer of ours."""

    slot: str
    name: str
    value: str
    at: datetime | None = None
    ours: bool = False


def answered(told: Iterable[Told], word: Word, shown: Callable[[str], str]) -> list[Answered]:
    """Return what was told, with our words for our own answers; *shown* makes a person's words fit to be shown."""
    return [_answered(item, word, shown) for item in told]


def _answered(item: Told, word: Word, shown: Callable[[str], str]) -> Answered:
    value = item.value.reveal()
    words = value_words(item.slot, value, word)
    return Answered(item.slot, word(f"{TOLD}{item.slot}"), words or shown(value), item.at, ours=bool(words))


def urgent_words(urgency: Urgency, word: Word) -> str:
    """Return how urgent a case is in one word, and what makes it so."""
    return f"{word(f'urgency.{urgency.level.value}')}: " + " · ".join(_why(item, word) for item in urgency.reasons)


def _why(reason: Reason, word: Word) -> str:
    """Return one reason: a time and a number behind their words, all else in words of its own."""
    if reason.part in {Part.TIME, Part.AGAIN}:
        return f"{word(f'urgency.{reason.part.value}')} {reason.value}"
    return word(f"urgency.{reason.part.value}.{reason.value}")


def value_words(slot: str, value: str, word: Word) -> str:
    """Return our words for an answer that a tap gives, or "" for words of the person's own."""
    return word(f"{TOLD}{slot}.{value.replace(' ', '_')}") if value in ANSWERS.get(slot, ()) else ""


def told_line(detail: str, word: Word, shown: Callable[[str], str]) -> str:
    """Return "slot: value" of a history's line in words."""
    slot, colon, value = detail.partition(": ")
    if not colon or slot not in ANSWERS.keys() | IN_WORDS:
        return shown(detail)
    return f"{word(f'{TOLD}{slot}')}: {value_words(slot, value, word) or shown(value)}"


def asked(slots: Mapping[str, str], content: Content, lang: str, word: Word) -> list[Answered]:
    """Return what the person has answered in the flow they are in, as far as it says something about them."""
    return [
        Answered(
            name, word(f"{TOLD}asked.{name}"), ", ".join(_label(name, part, content, lang) for part in value.split(","))
        )
        for name in ASKED
        if (value := slots.get(name, "")) and value != "-"
    ]


def _label(question: str, value: str, content: Content, lang: str) -> str:
    keys = {"topic": f"{value}.title", "tax": f"core.{value}.label", "state": f"state.{value}.name"}
    try:
        return content.words(lang, keys.get(question, f"finder.{question}.{value}.label"))
    except KeyError:
        low, _, high = value.lstrip("a").partition("_")
        return low if low.isdecimal() and low == high else value


def consent(events: Iterable[CaseEvent], told: Iterable[Told]) -> str:
    """Return `none`, `asked`, `yes` or `no`: an answer counts until the person is asked again."""
    asks = [event.at for event in events if event.action is CaseAction.ASK_CONSENT]
    answers = [item for item in told if item.slot == "consent"]
    if answers and (not asks or answers[-1].at >= asks[-1]):
        return answers[-1].value.reveal()
    return "asked" if asks else "none"


def why_not(error: str, state: str) -> str:
    """Return the key of the words for why a message of ours has not arrived, "" if there is nothing to say."""
    if not error or state in {"sent", "delivered", "read"}:
        return ""
    if error in OURS:
        return OURS[error]
    if state in OPEN_STATES:
        return "later"
    return _by_code(int(found[1])) if (found := _CODE.match(error)) else "other"


def _by_code(code: int) -> str:
    if code in KNOWN_CODES:
        return str(code)
    if code in TEMPLATE_CODES:
        return "template"
    return "account" if code in ACCOUNT_CODES else "other"
