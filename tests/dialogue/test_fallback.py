"""Languages without content: known by letters or words, answered nearby, translated only on request and never danger."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from bot.content.model import Content
from bot.dialogue import answers, fallback
from bot.dialogue.gazetteer import Gazetteer
from bot.dialogue.knowledge import Knowledge
from bot.dialogue.safety import Guard
from bot.domain.agencies import Check, Verdict
from bot.domain.conversation import Conversation, Translate, Turn
from bot.domain.messages import Reply
from bot.domain.risk import Level, Risk
from bot.recruiters.names import Lexicon
from bot.recruiters.offers import Offers

EVALUATION = Path(__file__).resolve().parent.parent.parent / "nlu" / "evaluation"


@pytest.fixture(scope="module")
def knowledge(content: Content) -> Knowledge:
    gazetteer = Gazetteer(content)
    return Knowledge(
        content,
        Guard(content.danger),
        lambda _: Check(Verdict.NOT_FOUND),
        {},
        gazetteer,
        Offers(content.red_flags),
        Lexicon(content.firm_words),
        may_translate=True,
    )


@pytest.mark.parametrize(
    ("text", "code", "nearest"),
    [
        ("हमरा लगे कागज नइखे, का करीं", "bho", "hi"),
        ("अहाँ कतय छी, हमर बेटा कोना भेटत", "mai", "hi"),
        ("ᱤᱧ ᱫᱚ ᱠᱟᱹᱢᱤ ᱧᱟᱢ ᱠᱟᱱᱟ", "sat", "hi"),
        ("ꯑꯩ ꯊꯕꯛ ꯄꯥꯝꯃꯤ", "mni", "en"),
        ("මට වැඩක් ඕන", "si", "en"),
        ("ကျွန်တော် အလုပ်လိုချင်တယ်", "my", "en"),
        ("آهيان منهنجو ڪم", "sd", "ur"),
    ],
)
def test_a_language_without_content(content: Content, text: str, code: str, nearest: str) -> None:
    found = fallback.other_language(text, "", content)
    assert found
    assert (found.code, fallback.nearest(found, content)) == (code, nearest)


def test_what_the_nlu_hears_counts_too(content: Content) -> None:
    found = fallback.other_language("काम", "bho", content)
    assert found
    assert found.code == "bho"


def test_our_own_languages_are_not_taken_for_others(content: Content) -> None:
    """Of 6,563 sentences in our languages that no list was made from, fewer than one in five hundred."""
    sentences = [
        found[1]
        for path in EVALUATION.glob("*.yml")
        for line in path.read_text(encoding="utf-8").splitlines()
        if (found := re.match(r"\s*- (?:text: )?(.+)", line))
    ]
    wrong = [text for text in sentences if fallback.other_language(text, "", content)]
    assert len(sentences) > 6000
    assert len(wrong) <= len(sentences) // 500


def _said(*messages: str) -> tuple[Reply, ...]:
    return tuple(Reply(message) for message in messages)


def test_only_answers_about_schemes_and_papers_may_be_translated(knowledge: Knowledge) -> None:
    allowed = {topic.id for topic in knowledge.content.topics.values() if topic.area in {"schemes", "documents"}}
    for topic in knowledge.content.topics:
        said = _said(f"{topic}.answer", "core.source", f"{topic}.steps")
        assert fallback.translatable(said, knowledge) == (topic in allowed)
    for message in (
        "core.menu",
        "distress.perhaps",
        "report.opened",
        "verify.not_found",
        "person.opened",
        "finder.yes",
    ):
        assert not fallback.translatable(_said(message), knowledge)
    assert not fallback.translatable(answers.distress(Risk(Level.NOW, "distress_help", "x")), knowledge)


def test_a_wish_to_translate_the_law_is_refused_with_a_person(knowledge: Knowledge) -> None:
    conversation = Conversation("c", locale="hi", other_language="bho", last_replies=_said("trafficking_law.answer"))
    turn = fallback.translate(conversation, knowledge)
    assert [reply.message for reply in turn.replies] == ["core.translate_never"]
    assert turn.effects == ()


def test_a_wish_to_translate_a_scheme_becomes_an_effect(knowledge: Knowledge) -> None:
    said = _said("eshram.answer", "core.source", "eshram.steps")
    conversation = Conversation("c", locale="hi", other_language="bho", last_replies=said)
    turn = fallback.translate(conversation, knowledge)
    assert turn.effects == (Translate("bho", (said[0], said[2])),)


def test_the_machine_is_offered_only_when_switched_on(knowledge: Knowledge, content: Content) -> None:
    conversation = Conversation("c", locale_guess="hi", other_language="bho")
    turn = Turn(conversation, (Reply("eshram.answer"), Reply("eshram.steps", choices=(answers.MENU,))))
    told = fallback.tell(turn, knowledge)
    assert told.replies[0].message == "core.other_language"
    assert answers.TRANSLATE in told.replies[-1].choices
    off = Knowledge(
        content,
        knowledge.guard,
        knowledge.check_recruiter,
        {},
        knowledge.gazetteer,
        knowledge.offers,
        knowledge.lexicon,
    )
    assert answers.TRANSLATE not in fallback.tell(turn, off).replies[-1].choices
