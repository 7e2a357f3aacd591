"""The shipped content is whole; the checker finds what it must."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest

from bot.content.checks import check
from bot.content.model import Content
from bot.content.render import LIMITS, fill, render, split
from bot.dialogue import answers
from bot.domain.messages import ChannelName

ROOT = Path(__file__).resolve().parent.parent.parent
TODAY = date(2026, 11, 24)


def test_the_shipped_content_has_no_problem() -> None:
    assert check(ROOT / "content", TODAY) == []


def test_every_topic_of_the_five_areas_in_every_locale(content: Content) -> None:
    assert len(content.topics) >= 56
    assert len(content.locales) == 15


def test_every_point_has_its_name_in_hindi_and_in_the_languages_heard_there(content: Content) -> None:
    """English is what is left for the others."""
    for point in content.places.values():
        assert set(point.names) == ({"hi"} | set(point.locales)) - {"en"}, point.code
    howrah = content.places["HWH"]
    assert (howrah.named("bn"), howrah.named("hi")) == ("হাওড়া জংশন", "हावड़ा जंक्शन")
    assert howrah.named("ta") == howrah.named("en") == "Howrah Jn"


def test_a_yes_and_a_no_are_commands_in_every_language(content: Content) -> None:
    """A bare yes in YAML is a truth value: it must not get lost."""
    for word in ("yes", "haan", "हाँ", "হ্যাঁ", "ஆமாம்", "అవును", "ہاں", "ହଁ"):
        assert content.commands.get(word) == "yes", word
    for word in ("no", "nahi", "नहीं", "না", "இல்லை", "కాదు", "نہیں", "ନାହିଁ"):
        assert content.commands.get(word) == "no", word


def test_what_we_tell_people_to_write_is_understood(content: Content) -> None:
    """Each locale's own words for "help me" are a call for help, and its number words choose."""
    for word in (
        "help me",
        "मेरी मदद करो",
        "সাহায্য চাই",
        "ମତେ ସାହାଯ୍ୟ କରନ୍ତୁ",
        "உடனே உதவி வேண்டும்",
        "నన్ను కాపాడండి",
        "મદદ કરો",
        "میری مدد کرو",
    ):
        assert content.commands.get(word) == "help_me", word
    assert [content.numbers.get(word) for word in ("மூன்று", "দুই", "నాలుగు", "پانچ")] == [3, 2, 4, 5]


def _edit(path: str, old: str, new: str) -> Callable[[Path], None]:
    def edit(root: Path) -> None:
        file = root / path
        words = file.read_text(encoding="utf-8")
        assert old in words
        file.write_text(words.replace(old, new, 1), encoding="utf-8")

    return edit


BROKEN = {
    "missing message": (_edit("messages/hi/core.yaml", "  core.thanks:", "  core.thanksx:"), "core.thanks"),
    "missing short reply": (
        _edit("messages/ta/canned.yaml", "  canned.believe:", "  canned.believex:"),
        "canned.believe' is missing",
    ),
    "wrong placeholder": (_edit("messages/hi/verify.yaml", "{name}", "{nam}"), "placeholders"),
    "long label": (
        _edit("messages/en/core.yaml", 'core.yes.label: "Yes"', f'core.yes.label: "{"Yes " * 9}"'),
        "at most 24",
    ),
    "fact without source": (_edit("topics/eshram.yaml", "source:", "sourcex:"), "no source"),
    "a bare yes": (_edit("commands.yaml", '"yes": ["yes"', 'yes: ["yes"'), "in quotes"),
    "a bare no among the words": (_edit("commands.yaml", '"no": ["no"', '"no": [no'), "in quotes"),
    "number left out": (_edit("messages/ta/rights.yaml", "15100", "15101"), "leaves out the number 15100"),
    "number added": (_edit("messages/ta/rights.yaml", "15100", "15100 1098765"), "names the number 1098765"),
    "helpline without its number": (_edit("messages/ta/places.yaml", '"112 ', '"113 '), "leaves out the number 112"),
    "long sentence": (
        _edit("messages/en/rights.yaml", 'wages_minimum.answer: "', f'wages_minimum.answer: "{"go " * 40}'),
        "has a sentence of",
    ),
    "sentences long on average": (
        _edit(
            "messages/en/rights.yaml", 'wages_minimum.answer: "', f'wages_minimum.answer: "{("go " * 30 + ". ") * 9}'
        ),
        "words to a sentence",
    ),
    "district of nowhere": (_edit("directory/districts.csv", "BR,Patna", "XX,Patna"), "not in states.yaml"),
    "station at sea": (
        _edit("directory/stations.csv", "PNBE,Patna Jn,BR,25.6026,85.1368", "PNBE,Patna Jn,BR,5.0,85.1"),
        "outside India",
    ),
    "point in no district": (
        _edit("directory/transit_points.yaml", 'district: "Patna"', 'district: "Patnaa"'),
        "not in districts.csv",
    ),
    "point without a name in its own language": (
        _edit("directory/transit_points.yaml", 'names: {bn: "হাওড়া জংশন", ', "names: {"),
        "HWH has no name in bn",
    ),
    "point with an empty name": (_edit("directory/transit_points.yaml", '"হাওড়া জংশন"', '" "'), "empty name in bn"),
    "point named in no language": (
        _edit("directory/transit_points.yaml", 'names: {bn: "হাওড়া', 'names: {xx: "Haora", bn: "হাওড়া'),
        "'xx' does not exist",
    ),
    "point named in another script": (
        _edit("directory/transit_points.yaml", 'bn: "হাওড়া জংশন"', 'bn: "हावड़ा जंक्शन"'),
        "in bn, which is written in Beng",
    ),
    "point with two English names": (
        _edit("directory/transit_points.yaml", 'names: {bn: "হাওড়া', 'names: {en: "Howrah", bn: "হাওড়া'),
        "English name under names",
    ),
    "point whose names are no map": (
        _edit("directory/transit_points.yaml", 'names: {bn: "হাওড়া জংশন", hi: "हावड़ा जंक्शन"}', "names: [Haora]"),
        "HWH: names is no map",
    ),
    "scheme without topic": (
        _edit("schemes/eshram.yaml", "topic: eshram", "topic: eshramm"),
        "'eshramm' does not exist",
    ),
    "audience of nobody": (_edit("topics/wages_unpaid.yaml", "audiences: [abroad]", "audiences: [uncles]"), "'uncles'"),
    "note under no topic": (_edit("directory/states.yaml", "topics: [voter_id]", "topics: [voter_idd]"), "'voter_idd'"),
    "table without source": (
        _edit("directory/sources.yaml", "file: stations.csv", "file: other.csv"),
        "stations.csv has no source",
    ),
    "point without a day": (
        _edit("directory/transit_points.yaml", "verified_on: 2026-11-25", "verified: 2026-11-25"),
        "no verified_on",
    ),
    "two titles alike": (
        _edit(
            "messages/en/rights.yaml", 'wages_minimum.title: "Minimum wage"', 'wages_minimum.title: "Wages not paid"'
        ),
        "tell them apart",
    ),
    "hold fact": (_edit("topics/eshram.yaml", "show: show", "show: hold"), "'hold'"),
    "stale fact": (_edit("topics/eshram.yaml", "2026-11-23", "2024-01-01"), "check it again"),
    "sensitive preview": (
        _edit(
            "messages/en/distress.yaml", "I have read this. You are not alone. Call", "The police will rescue you. Call"
        ),
        "lock screen",
    ),
    "helpline gone": (_edit("messages/hi/distress.yaml", "1098", "10 98"), "1098"),
    "danger of an unknown kind": (_edit("danger/en.yaml", "kind: distress_help", "kind: distress_helpp"), "no message"),
    "danger of an unknown level": (_edit("danger/en.yaml", "level: perhaps", "level: maybe"), "use now or perhaps"),
    "danger weights gone": (_edit("danger/learned.json", '"bias"', '"bios"'), "nlu-danger"),
    "broken yaml": (_edit("topics/eshram.yaml", "topic:", "topic: ["), "not valid YAML"),
}


@pytest.mark.parametrize(("edit", "expected"), BROKEN.values(), ids=BROKEN.keys())
def test_a_defect_is_found_and_named(tmp_path: Path, edit: Callable[[Path], None], expected: str) -> None:
    shutil.copytree(ROOT / "content", tmp_path / "content")
    edit(tmp_path / "content")

    problems = check(tmp_path / "content", TODAY)

    assert any(expected in problem for problem in problems), problems[:5]


@pytest.mark.parametrize("channel", list(ChannelName))
def test_every_topic_fits_every_channel(content: Content, channel: ChannelName) -> None:
    limits = LIMITS[channel]
    for locale in content.locales:
        for topic in content.topics.values():
            for bubble in render(answers.topic(topic, content, locale), locale, channel, content):
                units = len(bubble.text.reveal().encode("utf-16-le")) // 2
                assert 0 < units <= (limits.text_with_choices if bubble.choices else limits.text)
                assert len(bubble.choices) <= limits.choices


def test_a_value_is_never_read_as_a_placeholder() -> None:
    assert fill("'{name}' is {x}", {"name": "{x}", "x": "1"}) == "'{x}' is 1"
    assert fill("an open { brace", {}) == "an open { brace"


@pytest.mark.parametrize(
    "text", ["a" * 9000, "क्ष" * 3000, "👨‍👩‍👧‍👦" * 900, ("मज़दूरी नहीं मिली। " * 600).strip(), "x\n\n" * 3000]
)
def test_long_text_is_split_at_grapheme_borders(text: str) -> None:
    parts = split(text, 4096)
    assert all(len(part.encode("utf-16-le")) // 2 <= 4096 for part in parts)
    assert "".join("".join(parts).split()) == "".join(text.split())
    assert not any(part[0] in "\u093e\u094d\u200d\u0937" and part[0] != "\u0937" for part in parts)


def test_every_locale_tells_words_that_are_a_call_for_help(content: Content) -> None:
    """Where an answer says `write "help me"`, those very words open a case."""
    calls = [words for words, name in content.commands.items() if name == "help_me"]
    for code in content.locales:
        for key in ("overseas_help.steps", "cyber_slavery.steps", "documents_withheld.for_abroad"):
            words = content.words(code, key).casefold()
            assert any(call in words for call in calls), (code, key)


def test_the_words_of_the_notice_are_commands(content: Content) -> None:
    """The notice says what one can always write; each of those words does what it says."""
    for code in content.locales:
        notice = content.words(code, "core.notice").casefold()
        for name in ("menu", "language", "stop", "delete", "person"):
            told = [words for words, command in content.commands.items() if command == name and words in notice]
            assert told, (code, name)
