"""Whole conversations through `step`, from tests/conversations/*.yaml (see the README there)."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml

from bot.content.model import Content
from bot.content.render import render
from bot.dialogue.gazetteer import Gazetteer
from bot.dialogue.knowledge import Knowledge
from bot.dialogue.safety import Guard
from bot.dialogue.step import step
from bot.domain.conversation import Conversation, Erase, Forward, OpenCase, RaiseCase, Tell, Turn
from bot.domain.messages import Address, Carrier, ChannelName, InboundMessage
from bot.domain.places import Directory, Purpose
from bot.domain.private import Private
from bot.domain.understanding import NOTHING, Ranked, Understanding
from bot.recruiters.names import Lexicon
from bot.recruiters.offers import Offers
from bot.recruiters.verdict import check
from bot.service.places import directory_of, shipped
from tests.conftest import NOW
from tests.recruiters.test_check import INDEX, TODAY

FOLDER = Path(__file__).resolve().parent.parent / "conversations"
BRACES = re.compile(r"\{([A-Z]+)\}")
FILES = sorted(FOLDER.glob("*.yaml"))
KEYS = {
    "person",
    "tap",
    "understood",
    "bot",
    "bot_begins",
    "offers",
    "case",
    "claimed",
    "place",
    "erased",
    "after",
    "told",
    "silent",
}


@dataclass
class Person:
    """One person and where their conversation stands."""

    knowledge: Knowledge
    conversation: Conversation
    count: int = 0

    now: datetime = NOW

    def say(self, words: str, choice: str | None, understanding: Understanding, seconds: float = 20) -> Turn:
        self.count += 1
        self.now = now = self.now + timedelta(seconds=seconds)
        carrier = Carrier.CHOICE if choice else Carrier.TEXT
        message = InboundMessage(
            str(self.count), Address(ChannelName.TERMINAL, Private("p")), carrier, Private(words), now, now, choice
        )
        turn = step(self.conversation, message, understanding, self.knowledge, now)
        self.conversation = replace(turn.conversation, version=self.conversation.version + 1)
        return turn


def understanding(ranked: dict[str, float] | None) -> Understanding:
    if not ranked:
        return NOTHING
    ranking = tuple(Ranked(intent, confidence) for intent, confidence in ranked.items())
    return Understanding(ranking[0].intent, ranking[0].confidence, ranking)


def case_of(turn: Turn) -> str:
    for effect in turn.effects:
        if isinstance(effect, OpenCase):
            return f"opened {effect.kind.value}"
        if isinstance(effect, RaiseCase):
            return "raised"
        if isinstance(effect, Forward):
            return "told"
    return ""


@pytest.fixture(scope="module")
def knowledge(content: Content) -> Knowledge:
    return Knowledge(
        content,
        Guard(content.danger),
        lambda query: check(query, INDEX, TODAY),
        {},
        Gazetteer(content),
        Offers(content.red_flags),
        Lexicon(content.firm_words),
        directory=directory_of(shipped(content), (), b"k" * 32),
    )


def written_out(words: str, directory: Directory) -> str:
    """Put the code of a place's poster where its station code stands in braces."""
    return BRACES.sub(lambda found: directory.newest(found[1], Purpose.POSTER).code, words)  # type: ignore[union-attr]


@pytest.mark.parametrize("path", FILES, ids=[path.stem for path in FILES])
def test_a_conversation_goes_as_written(path: Path, knowledge: Knowledge) -> None:
    """Every turn says what the file says, offers what it names, and does to the case what it tells."""
    written: dict[str, Any] = yaml.safe_load(path.read_text(encoding="utf-8"))
    locale = written.get("locale", "")
    person = Person(knowledge, Conversation("c" * 64, locale=locale, notice_seen=bool(locale)))
    for number, line in enumerate(written["turns"], 1):
        assert set(line) <= KEYS, f"turn {number}: {set(line) - KEYS}"
        if line.get("claimed"):
            person.conversation = replace(person.conversation, held=True, claimed=True)
        words = written_out(str(line.get("person", "")), knowledge.directory)
        seconds = line.get("after", 20)
        turn = person.say(words, line.get("tap"), understanding(line.get("understood")), seconds)
        said = [reply.message for reply in turn.replies]
        where = f"turn {number} ({line.get('person') or line.get('tap')}): said {said}, {case_of(turn)}"
        if "bot" in line:
            assert said == line["bot"], where
        assert said[: len(line.get("bot_begins", ()))] == line.get("bot_begins", []), where
        offered = {choice.id for reply in turn.replies for choice in reply.choices}
        assert set(line.get("offers", ())) <= offered, f"{where}, offered {sorted(offered)}"
        assert case_of(turn) == line.get("case", ""), where
        assert any(isinstance(effect, Erase) for effect in turn.effects) == line.get("erased", False), where
        told = {effect.slot: effect.value.reveal() for effect in turn.effects if isinstance(effect, Tell)}
        assert told == line.get("told", {}), f"{where}, told {told}"
        assert person.conversation.silent == line.get("silent", False), where
        assert not (person.conversation.silent and turn.replies), where
        assert not (person.conversation.claimed and turn.replies), where
        assert person.conversation.place == line.get("place", person.conversation.place), where
        for code in knowledge.content.locales:
            render(turn.replies, code, ChannelName.WHATSAPP, knowledge.content)


def test_there_are_conversations() -> None:
    assert len(FILES) >= 10
