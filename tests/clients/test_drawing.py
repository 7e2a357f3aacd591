"""The picture that is shipped is the one that its source draws, small enough for a slow phone and clear enough to see."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from bot.clients.drawing import CannotDraw, draw, redraw
from bot.clients.gallery import Gallery
from bot.content.model import Content
from bot.content.pictures import LARGEST, SOURCE, file_of, mark_of
from tests.conftest import ROOT

CONTENT = ROOT / "content"
SOURCES = sorted((CONTENT / "pictures").glob("*.svg"))
BLUE = (
    b'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 20 10"><rect width="20" height="10" fill="#0000ff"/></svg>'
)


def seen(data: bytes) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(data)).convert("RGB"), dtype=int)


@pytest.mark.parametrize("source", SOURCES, ids=lambda path: path.stem)
def test_the_shipped_picture_belongs_to_its_source(source: Path) -> None:
    """Drawn again it looks the same, dot for dot but for what another version of a library rounds at edges."""
    shipped = source.with_suffix(".png").read_bytes()
    assert Image.open(io.BytesIO(shipped)).info[SOURCE] == mark_of(source.read_bytes())
    ours, again = seen(shipped), seen(draw(source.read_bytes()))
    assert ours.shape == again.shape
    assert np.mean(np.abs(ours - again).max(axis=2) > 48) < 0.002


def test_a_changed_source_draws_another_picture() -> None:
    """So that the test above can fail."""
    source = (CONTENT / "pictures" / "delete_chat.svg").read_bytes()
    ours, other = seen(draw(source)), seen(draw(source.replace(b"#a8201a", b"#0000ff")))
    assert np.mean(np.abs(ours - other).max(axis=2) > 48) > 0.002


def test_the_guide_is_readable_on_a_five_inch_screen(content: Content) -> None:
    """Upright, so that it fills a phone; few bytes; four panels with dark lines, and no words in it."""
    path = file_of(CONTENT, content.shown_with["waiting.hide_phone"])
    assert path
    picture = Image.open(path)
    assert path.stat().st_size < LARGEST
    assert picture.width >= 720 and 1.2 < picture.height / picture.width < 1.34
    small = np.asarray(picture.convert("L").resize((300, 375)), dtype=int)
    for panel in (small[:187, :150], small[:187, 150:], small[187:, :150], small[187:, 150:]):
        assert np.mean(panel < 80) > 0.04
        assert np.mean(panel > 200) > 0.4
    source = path.with_suffix(".svg").read_text(encoding="utf-8")
    assert "<text" not in source and "font" not in source


def test_every_source_is_drawn_once(tmp_path: Path) -> None:
    (tmp_path / "pictures").mkdir()
    (tmp_path / "pictures" / "blue.svg").write_bytes(BLUE)
    assert len(list(redraw(tmp_path))) == 1
    assert list(redraw(tmp_path, "blue")) == []
    picture = Gallery(tmp_path).get("blue")
    assert picture and picture.mime == "image/png"
    assert tuple(seen(picture.data)[0, 0]) == (0, 0, 255)


@pytest.mark.parametrize("source", [b"", b"<svg", b"<svg/>", b'<svg viewBox="0 0 wide high"/>', b"\x89PNG"])
def test_what_is_no_drawing_is_refused(tmp_path: Path, source: bytes) -> None:
    (tmp_path / "pictures").mkdir()
    (tmp_path / "pictures" / "bad.svg").write_bytes(source)
    with pytest.raises(CannotDraw, match=r"bad\.svg: is no SVG"):
        list(redraw(tmp_path))
    with pytest.raises(CannotDraw, match="put it there"):
        list(redraw(tmp_path, "none"))


def test_a_picture_that_cannot_be_sent_is_none(tmp_path: Path) -> None:
    """Whatever a name says, only small pictures of the folder are given out."""
    folder = tmp_path / "pictures"
    folder.mkdir()
    (tmp_path / "secret.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    (folder / "large.png").write_bytes(b"\x89PNG\r\n\x1a\n" + b"x" * LARGEST)
    (folder / "words.png").write_bytes(b"hello")
    for name in ("", "none", "large", "words", "../secret", "/etc/passwd", "UPPER", "a" * 41, "large.png", "a\x00b"):
        assert Gallery(tmp_path).get(name) is None, name
