"""Pictures that go out with words: named by the content, described in every locale, small, drawn from their source."""

from __future__ import annotations

import io
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from PIL import Image

from bot.content import pictures
from bot.content.model import Content, alt_of
from bot.content.render import LIMITS, render
from bot.content.tables import preview
from bot.dialogue.speech import speakable
from bot.domain.messages import ChannelName, ChoiceRef, Reply
from tests.conftest import ROOT

GUIDE = "delete_chat"
WORDS = "waiting.hide_phone"
PNG = b"\x89PNG\r\n\x1a\n"


def shown_with(content: Content, **named: str) -> Content:
    return replace(content, shown_with={key.replace("__", "."): name for key, name in named.items()})


def without_alt(content: Content, code: str) -> Content:
    words = {key: said for key, said in content.messages[code].items() if key != alt_of(GUIDE)}
    return replace(content, messages={**content.messages, code: words})


def blank_alt(content: Content) -> Content:
    return content.with_words({"ta": {alt_of(GUIDE): "  "}})


def write(name: str, data: bytes) -> Callable[[Path], None]:
    def edit(root: Path) -> None:
        (root / "pictures" / name).write_bytes(data)

    return edit


def remove(name: str) -> Callable[[Path], None]:
    return lambda root: (root / "pictures" / name).unlink()


def drawn_anew(root: Path) -> None:
    source = root / "pictures" / f"{GUIDE}.svg"
    source.write_text(source.read_text(encoding="utf-8").replace("#a8201a", "#0000ff"), encoding="utf-8")


def untouched(_: Path) -> None:
    pass


DEFECTS: dict[str, tuple[Callable[[Content], Content], Callable[[Path], None], str]] = {
    "no file": (lambda content: content, remove(f"{GUIDE}.png"), "which is not there; put delete_chat.png"),
    "too large": (
        lambda content: content,
        write(f"{GUIDE}.png", PNG + b"x" * pictures.LARGEST),
        f"has {pictures.LARGEST + 8} bytes, at most {pictures.LARGEST}",
    ),
    "no picture": (lambda content: content, write(f"{GUIDE}.png", b"<svg/>"), "is no png"),
    "a JPEG called PNG": (lambda content: content, write(f"{GUIDE}.png", b"\xff\xd8\xff\xe0"), "is no png"),
    "source changed": (lambda content: content, drawn_anew, "was not drawn from delete_chat.svg as it is now"),
    "no alt in one locale": (lambda content: without_alt(content, "or"), untouched, "has no alt text in or"),
    "no alt in English": (lambda content: without_alt(content, "en"), untouched, "has no alt text in en"),
    "blank alt": (blank_alt, untouched, "has no alt text in ta"),
    "no such message": (
        lambda content: shown_with(content, waiting__hide_fone=GUIDE), untouched, "'waiting.hide_fone' does not exist",
    ),
    "out of the folder": (
        lambda content: shown_with(content, waiting__hide_phone="../danger/en"), untouched, "is no name of a picture",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("content_of", "edit", "expected"), DEFECTS.values(), ids=DEFECTS.keys())
def test_a_defect_of_a_picture_is_found_and_named(
    content: Content,
    tmp_path: Path,
    content_of: Callable[[Content], Content],
    edit: Callable[[Path], None],
    expected: str,
) -> None:
    shutil.copytree(ROOT / "content" / "pictures", tmp_path / "pictures")
    assert list(pictures.problems(content, tmp_path)) == []
    edit(tmp_path)
    found = list(pictures.problems(content_of(content), tmp_path))
    assert found and any(expected in problem for problem in found), found


def test_a_photo_without_a_source_is_welcome(content: Content, tmp_path: Path) -> None:
    """Not everything is drawn: a small JPEG alone is whole."""
    made = io.BytesIO()
    Image.new("RGB", (600, 400), "white").save(made, "JPEG")
    (tmp_path / "pictures").mkdir()
    (tmp_path / "pictures" / "delete_chat.jpg").write_bytes(made.getvalue())
    assert list(pictures.problems(content, tmp_path)) == []


def test_the_picture_goes_with_the_last_part_of_its_words(content: Content) -> None:
    """Nobody loses words to a picture: what is too long to stand under it goes before it."""
    long = content.with_words({"hi": {WORDS: "नमस्ते। " * 400}})
    for channel in ChannelName:
        *before, last = render((Reply(WORDS),), "hi", channel, long)
        assert before and not any(bubble.picture for bubble in before)
        assert last.picture and last.picture.name == GUIDE
        assert last.picture.alt == content.words("hi", alt_of(GUIDE))
        assert len(last.text.reveal()) <= LIMITS[channel].caption
        words = " ".join(bubble.text.reveal() for bubble in (*before, last))
        assert words.split() == long.words("hi", WORDS).split()


def test_a_voice_message_has_no_picture_and_other_words_have_none(content: Content) -> None:
    spoken = render(speakable((Reply(WORDS),)), "hi", ChannelName.WHATSAPP, content)
    others = render((Reply("waiting.cleared"),), "hi", ChannelName.WEB, content)
    assert [bubble.picture for bubble in (*spoken, *others)] == [None, None]


def test_authors_see_where_a_picture_stands(content: Content) -> None:
    shown = dict(preview(shown_with(content, eshram__answer=GUIDE), "eshram", "en"))
    assert f"[delete_chat: {content.words('en', alt_of(GUIDE))}]" in shown["whatsapp"]


def test_choices_stay_under_a_picture(content: Content) -> None:
    (bubble,) = render(
        (Reply(WORDS, choices=(ChoiceRef("c:menu", "core.menu.label"),)),), "en", ChannelName.WHATSAPP, content
    )
    assert bubble.picture and [choice.id for choice in bubble.choices] == ["c:menu"]
