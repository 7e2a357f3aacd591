"""J7: the printed poster is scanned though it is dirty, seen from the side, in the dark or coarsely printed."""

from __future__ import annotations

import random
from datetime import UTC, datetime

import numpy as np
import pypdfium2
import pytest
import zxingcpp
from PIL import Image, ImageDraw, ImageFilter

from bot.clients.wall import QUIET, poster_pdf, qr_matrix, stickers_pdf, volunteer_pdf
from bot.content.model import Content
from bot.content.wall import wall_text
from bot.domain.codes import is_whole, plain, spaced
from bot.domain.places import Purpose
from bot.domain.wall import WallSheet
from bot.service.places import directory_of, shipped
from tests.conftest import ROOT

pytestmark = pytest.mark.timeout(300)  # bold letters of five fonts are made first
Picture = Image.Image
AT = datetime(2026, 11, 24, tzinfo=UTC)
PICTOGRAMS = ROOT / "content" / "pictograms"
HOST = "sahyatri.example.org"
#: Left, top and side of the QR code with its quiet zone, in mm on A4.
SQUARE = (12.0, 44.5, 74.0)
MUD = (96, 74, 50)


def sheet(content: Content, *locales: str) -> WallSheet:
    poster = directory_of(shipped(content), (), b"k" * 32).newest("HWH", Purpose.POSTER)
    assert poster
    shown = f"{HOST}/q/{poster.code}"
    texts = tuple(wall_text("Howrah", poster.phrase, code, content) for code in locales)
    return WallSheet(spaced(poster.code), f"https://{shown}", shown, "+91 11111 22222", "@SahyatriBot", texts)


@pytest.fixture(scope="module")
def poster(content: Content) -> pypdfium2.PdfDocument:
    return pypdfium2.PdfDocument(poster_pdf(sheet(content, "hi", "bn", "ta", "ur"), "A4", PICTOGRAMS, AT))


def seen(poster: pypdfium2.PdfDocument, dpi: float = 150) -> Picture:
    picture: Picture = poster[0].render(scale=dpi / 72).to_pil().convert("RGB")
    return picture


def read(picture: Picture) -> str:
    found = zxingcpp.read_barcodes(picture)
    return found[0].text if found else ""


def square(dpi: float) -> tuple[float, float, float]:
    left, top, side = (value * dpi / 25.4 for value in SQUARE)
    return left, top, side


def dusty(picture: Picture, dpi: float, seed: int, thickness: int) -> Picture:
    """Blotches of mud over 20 % of the square, anywhere; *thickness* 255 would let nothing through."""
    left, top, side = square(dpi)
    chance, layer = random.Random(seed), Image.new("L", picture.size, 0)
    pen = ImageDraw.Draw(layer)
    box = (int(left), int(top), int(left + side), int(top + side))
    while np.count_nonzero(np.asarray(layer.crop(box))) < 0.2 * side * side:
        x, y, wide = chance.uniform(left, left + side), chance.uniform(top, top + side), chance.uniform(4, 11)
        pen.ellipse((x - wide, y - wide * 0.8, x + wide, y + wide * 0.8), fill=thickness)
    return Image.composite(Image.new("RGB", picture.size, MUD), picture, layer)


def torn(picture: Picture, dpi: float, at: tuple[float, float]) -> Picture:
    """A round hole over 20 % of the code, through which nothing is seen; *at* its middle, in shares of the code."""
    left, top, side = square(dpi)
    modules = len(qr_matrix(f"https://{HOST}/q/234567892"))
    edge = side * QUIET / (modules + 2 * QUIET)
    code = side - 2 * edge
    x, y, radius = left + edge + at[0] * code, top + edge + at[1] * code, code * (0.2 / np.pi) ** 0.5
    hole = picture.copy()
    ImageDraw.Draw(hole).ellipse((x - radius, y - radius, x + radius, y + radius), fill=(200, 200, 190))
    return hole


def from_the_side(picture: Picture, amount: float) -> Picture:
    """The same wall seen obliquely: two corners come nearer by this share of the width."""
    width, height = picture.size
    corners = [
        (width * amount, height * amount * 0.6),
        (0, height),
        (width * (1 - amount * 0.1), height * (1 - amount)),
        (width, 0),
    ]
    rows, values = [], []
    for (x, y), (u, v) in zip(corners, [(0, 0), (0, height), (width, height), (width, 0)]):
        rows += [[x, y, 1, 0, 0, 0, -u * x, -u * y], [0, 0, 0, x, y, 1, -v * x, -v * y]]
        values += [u, v]
    factors = np.linalg.solve(np.array(rows), np.array(values))
    return picture.transform(
        picture.size, Image.Transform.PERSPECTIVE, tuple(factors), Image.Resampling.BICUBIC, fillcolor=(150, 140, 130)
    )


def in_the_dark(picture: Picture, light: float) -> Picture:
    """So much of the light, unevenly, with the noise of a cheap camera."""
    chance = np.random.default_rng(7)
    shade = np.linspace(0.6, 1.2, picture.size[0])[None, :, None]
    values = np.asarray(picture).astype(float) * light * shade
    return Image.fromarray(np.clip(values + chance.normal(0, 8, values.shape), 0, 255).astype("uint8"))


@pytest.fixture(scope="module")
def link(content: Content) -> str:
    return sheet(content, "hi").link


@pytest.mark.parametrize("dpi", [150, 100, 72, 50])
def test_a_coarse_print_is_read(poster: pypdfium2.PdfDocument, link: str, dpi: float) -> None:
    """From 150 dots to the inch down to 50."""
    assert read(seen(poster, dpi)) == link


@pytest.mark.parametrize("seed", range(8))
def test_a_dirty_print_is_read(poster: pypdfium2.PdfDocument, link: str, seed: int) -> None:
    """A fifth of the square under mud that still lets some light through."""
    assert read(dusty(seen(poster), 150, seed, 110)) == link


@pytest.mark.parametrize("at", [(0.5, 0.5), (0.776, 0.776)])
def test_a_torn_print_is_read(poster: pypdfium2.PdfDocument, link: str, at: tuple[float, float]) -> None:
    """A fifth of the code gone for good, in the middle or in the corner without a mark."""
    assert read(torn(seen(poster), 150, at)) == link


@pytest.mark.parametrize("amount", [0.1, 0.2, 0.25])
@pytest.mark.parametrize("dpi", [150, 75])
def test_a_print_is_read_from_the_side(poster: pypdfium2.PdfDocument, link: str, amount: float, dpi: float) -> None:
    assert read(from_the_side(seen(poster, dpi), amount)) == link


@pytest.mark.parametrize("light", [0.4, 0.25, 0.15])
def test_a_print_is_read_in_low_light(poster: pypdfium2.PdfDocument, link: str, light: float) -> None:
    assert read(in_the_dark(seen(poster), light)) == link


def test_a_print_is_read_under_all_of_it_at_once(poster: pypdfium2.PdfDocument, link: str) -> None:
    """Dusty, from the side, out of focus, in the evening."""
    picture = from_the_side(dusty(seen(poster), 150, 3, 60), 0.15).filter(ImageFilter.GaussianBlur(1.2))
    assert read(in_the_dark(picture, 0.4)) == link


def test_the_text_beside_the_code_is_what_the_code_holds(poster: pypdfium2.PdfDocument, link: str) -> None:
    """Whoever cannot scan types the same: the address, and the code with its check character, as text in the PDF."""
    written = poster[0].get_textpage().get_text_range()
    shown = link.removeprefix("https://")
    code = shown.rpartition("/")[2]
    assert shown in written and spaced(code) in written
    assert is_whole(plain(spaced(code)))
    assert len(poster) == 1
    assert "+91 11111 22222" in written and "@SahyatriBot" in written
    for number in ("112", "1098", "139"):
        assert number in written


def test_the_manual_tells_what_the_code_of_its_poster_holds() -> None:
    """Read from the very picture that stands there."""
    with Image.open(ROOT / "docs" / "poster.png") as picture:
        held = read(picture)
    assert held.startswith("https://") and f"`{held}`" in (ROOT / "docs" / "places.md").read_text(encoding="utf-8")


def test_stickers_and_volunteers_sheets_lead_to_the_same_place(content: Content, link: str) -> None:
    """Eight stickers on a page, each to be scanned; a page for volunteers with the address; A3 is larger."""
    stickers = pypdfium2.PdfDocument(stickers_pdf(sheet(content, "en"), "A4", PICTOGRAMS, AT))
    assert [found.text for found in zxingcpp.read_barcodes(seen(stickers))] == [link] * 8
    paper = pypdfium2.PdfDocument(volunteer_pdf(sheet(content, "en"), "A3", PICTOGRAMS, AT))
    assert (
        round(paper[0].get_width()) == 842 and link.removeprefix("https://") in paper[0].get_textpage().get_text_range()
    )
