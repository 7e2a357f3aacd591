"""Pictures of ours, made from their SVG sources the way posters are: vectors on a page, the page as dots.

Heavy to load, so its users import it when they draw.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pypdfium2
from fpdf import FPDF
from lxml import etree
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from bot.content.pictures import FOLDER, SOURCE, mark_of

#: As many dots as a phone of five inches shows across, and no more: each costs somebody money.
WIDTH: Final = 900
#: Flat colours and the shades between them at edges.
COLOURS: Final = 64


class CannotDraw(Exception):
    """A source that is not there, or is no SVG with a viewBox; the message says what to do."""


def redraw(root: Path, name: str = "") -> Iterator[str]:
    """Draw every source under the content's *root*, or the one called *name*; yield a line for each that changed.

    Raise `CannotDraw`.
    """
    sources = sorted((root / FOLDER).glob("*.svg"))
    chosen = [path for path in sources if name in {"", path.stem}]
    if not chosen:
        raise CannotDraw(f"{root / FOLDER}: has no source {name or '*'}.svg; put it there")
    for source in chosen:
        target = source.with_suffix(".png")
        try:
            made = draw(source.read_bytes())
        except CannotDraw as error:
            raise CannotDraw(f"{source}: {error}") from error
        if not target.is_file() or target.read_bytes() != made:
            target.write_bytes(made)
            yield f"written: {target} ({len(made)} bytes)"


def draw(source: bytes) -> bytes:
    """Return the PNG of an SVG *source*, `WIDTH` dots wide, with the mark of that source. Raise `CannotDraw`."""
    page = _page(source)
    dots = page.render(scale=WIDTH / page.get_width()).to_pil().convert("RGB")
    flat = dots.quantize(COLOURS, Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE)
    mark, out = PngInfo(), io.BytesIO()
    mark.add_text(SOURCE, mark_of(source))
    flat.save(out, "PNG", optimize=True, pnginfo=mark)
    return out.getvalue()


def _page(source: bytes) -> pypdfium2.PdfPage:
    width, height = _size(source)
    paper = FPDF(unit="pt", format=(width, height))
    paper.set_auto_page_break(auto=False)
    paper.set_margin(0)
    paper.add_page()
    paper.image(io.BytesIO(source), 0, 0, width, height)
    return pypdfium2.PdfDocument(bytes(paper.output()))[0]


def _size(source: bytes) -> tuple[float, float]:
    try:
        _, _, width, height = map(float, etree.fromstring(source, _PARSER).get("viewBox", "").split())
    except (etree.XMLSyntaxError, ValueError) as error:
        raise CannotDraw("is no SVG with a viewBox of four numbers; compare it with delete_chat.svg") from error
    return width, height


_PARSER: Final = etree.XMLParser(resolve_entities=False, no_network=True)
