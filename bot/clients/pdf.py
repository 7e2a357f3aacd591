"""Pages of a PDF in every script we speak; heavy to load, so its users import it when they write one."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from typing import Final

import manimgx_fonts
from fontTools.ttLib import TTFont
from fpdf import FPDF
from fpdf.enums import Align, MethodReturnValue, XPos, YPos
from fpdf.fonts import TTFFont

FONTS: Final = Path(manimgx_fonts.__file__).parent
LATIN: Final = "NotoSans"
SCRIPTS: Final = (
    "NotoSansDevanagari", "NotoSansBengali", "NotoSansGurmukhi", "NotoSansGujarati", "NotoSansOriya", "NotoSansTamil",
    "NotoSansTelugu", "NotoSansKannada", "NotoSansMalayalam", "NotoSansArabic",
)  # fmt: skip
#: ISO 15924 code of a script → its font.
FONT_OF: Final = dict(
    zip(("Deva", "Beng", "Guru", "Gujr", "Orya", "Taml", "Telu", "Knda", "Mlym", "Arab"), SCRIPTS), Latn=LATIN
)
TITLE, HEADING, BODY, SMALL = 16, 12, 10, 8
LINE: Final = 6.0
MARGIN: Final = 18
NAMES: Final = 48.0
LONG: Final = 60
BOLD: Final = 700.0


@lru_cache(maxsize=16)
def _letters(font: str) -> frozenset[int]:
    """Return the code points that a font can draw."""
    with TTFont(_path(font), lazy=True) as opened:
        return frozenset(opened.getBestCmap())


def _path(font: str) -> str:
    return str(FONTS / f"{font}[wght].ttf")


def _drawable(text: str) -> str:
    """Say the code of what no font of ours can draw, instead of an empty box."""
    return "".join(
        char if any(ord(char) in _letters(font) for font in (LATIN, *SCRIPTS)) else f"[U+{ord(char):04X}]"
        for char in " ".join(text.split())
    )


class Paper(FPDF):
    """Paper that takes every script we speak."""

    def __init__(self, size: str, title: str, at: datetime, bold: Collection[str] = ()) -> None:
        """*size*: A4 or A3. *bold*: fonts of which bold letters are wanted too; they take a while to be made."""
        super().__init__(format=size)
        self.set_creation_date(at)
        self.set_title(title)
        for font in (LATIN, *SCRIPTS):
            self.add_font(font, fname=_path(font))
            if font in bold:
                self.add_font(font, "B", fname=_path(font), variations={"wght": BOLD})
                # fpdf2 2.8 draws the bold letters, but measures those of the file as it is.
                made = self.fonts[f"{font.lower()}B"]
                if isinstance(made, TTFFont):
                    made.hbfont.set_variations({"wght": BOLD})
        self.set_font(LATIN, size=BODY)
        self.set_fallback_fonts(list(SCRIPTS), exact_match=bool(bold))
        self.set_text_shaping(use_shaping_engine=True)

    def wrapped(self, text: str, width: float, size: float, style: str = "") -> list[str]:
        """Return the lines of *text* in *size* points that fit into *width* mm."""
        self.set_font(LATIN, style, size=size)
        found = self.multi_cell(
            width, LINE, _drawable(text), align=Align.L, dry_run=True, output=MethodReturnValue.LINES
        )
        return [str(line) for line in found] if isinstance(found, list) else []

    def lines(
        self, text: str, width: float, size: float, height: float, style: str = "", align: Align = Align.L
    ) -> None:
        """Draw each wrapped line by itself, from the present place down.

        fpdf2 2.8 forgets, after a line in two scripts, that its own font must be set again: what follows in Latin
        letters would be drawn with another font's glyphs, so the font is declared unset before each line.
        """
        left = self.get_x()
        for line in self.wrapped(text, width, size, style):
            self.current_font_is_set_on_page = False
            self.set_x(left)
            self.cell(width, height, line, align=align, new_x=XPos.LMARGIN, new_y=YPos.NEXT)


class Page(Paper):
    """An A4 page; each foot repeats the title, the date and a caution."""

    def __init__(self, title: str, caution: str, at: datetime) -> None:
        """Set up margins and foot."""
        super().__init__("A4", title, at)
        self._foot = f"{title} · {at:%d-%m-%Y} · {caution}"
        self.set_margins(MARGIN, MARGIN)
        self.set_auto_page_break(auto=True, margin=MARGIN + 6)

    def footer(self) -> None:
        """Say at the foot of each page what it is."""
        self.set_y(-MARGIN)
        self.lines(self._foot + f" · {self.page_no()}", self.epw, SMALL, 4)

    def say(self, text: str, size: int) -> None:
        """Write a paragraph in *size* points."""
        self.lines(text, self.epw, size, size * 0.55)

    def warn(self, text: str) -> None:
        """Say it in a frame."""
        top = self.get_y()
        self.set_xy(self.l_margin + 2, top + 2)
        self.lines(text, self.epw - 4, HEADING, HEADING * 0.55)
        self.rect(self.l_margin, top, self.epw, self.get_y() - top + 2)
        self.set_xy(self.l_margin, self.get_y() + 4)

    def pair(self, name: str, value: str) -> None:
        """Write a name and its value beside it."""
        self.rows((), [(name, value)], widths=(NAMES, self.epw - NAMES))

    def rows(self, heads: tuple[str, ...], rows: Sequence[tuple[str, ...]], *, widths: tuple[float, ...] = ()) -> None:
        """A table whose cells wrap; a row is never torn apart by the end of a page."""
        widths = widths or (45.0, self.epw - 45.0 - 35.0, 35.0)
        for row in ([heads] if heads else []) + list(rows):
            sizes = [SMALL if row is heads or _is_long(cell) else BODY for cell in row]
            height = LINE * max(len(self.wrapped(*part)) for part in zip(row, widths, sizes))
            if self.get_y() + height > self.page_break_trigger:
                self.add_page()
            top, left = self.get_y(), self.l_margin
            for cell, width, size in zip(row, widths, sizes):
                self.set_xy(left, top)
                self.lines(cell, width, size, LINE)
                left += width
            self.line(self.l_margin, top + height, self.l_margin + self.epw, top + height)
            self.set_xy(self.l_margin, top + height)


def _is_long(cell: str) -> bool:
    """A hash must stay on one line, to be read back by machines."""
    return len(cell) >= LONG and " " not in cell
