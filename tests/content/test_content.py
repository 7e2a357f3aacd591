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


def test_at_least_forty_topics_in_three_locales(content: Content) -> None:
    assert len(content.topics) >= 40
    assert set(content.locales) >= {"en", "hi", "hi-Latn"}


def _edit(path: str, old: str, new: str) -> Callable[[Path], None]:
    def edit(root: Path) -> None:
        file = root / path
        words = file.read_text(encoding="utf-8")
        assert old in words
        file.write_text(words.replace(old, new, 1), encoding="utf-8")

    return edit


BROKEN = {
    "missing message": (_edit("messages/hi/core.yaml", "  core.thanks:", "  core.thanksx:"), "core.thanks"),
    "wrong placeholder": (_edit("messages/hi/verify.yaml", "{name}", "{nam}"), "placeholders"),
    "long label": (
        _edit("messages/en/core.yaml", 'core.yes.label: "Yes"', f'core.yes.label: "{"Yes " * 9}"'),
        "at most 24",
    ),
    "fact without source": (_edit("topics/eshram.yaml", "source:", "sourcex:"), "no source"),
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
