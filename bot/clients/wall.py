"""Posters, stickers and a volunteer's sheet as PDF: every script shaped, the QR as vectors with its quiet zone."""

from __future__ import annotations

import io
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from typing import Final

import segno
from fpdf.enums import Align

from bot.clients.pdf import FONT_OF, LATIN, Paper
from bot.domain.wall import WallSheet, WallText

#: Everything is measured on A4 in mm; A3 is the same, this much larger.
SCALE: Final = {"A4": 1.0, "A3": 2**0.5}
WIDTH, HEIGHT, EDGE = 210.0, 297.0, 10.0
#: Light modules round a QR code that scanners need; printed on white, whatever is behind.
QUIET: Final = 4
#: Points in a millimetre, and the height of a line in times its letters: marks above and below need room.
MM: Final = 0.3528
LEADING: Final = 1.42
ROUND: Final = 3.0
SMALLEST: Final = 6.0
#: Letters of the same size look larger in some scripts; so much smaller they look alike.
OPTICAL: Final = {"Taml": 0.83, "Mlym": 0.85, "Telu": 0.92, "Knda": 0.92, "Arab": 1.08, "Latn": 0.92}
LEAST_SHRINK: Final = 0.45
TEAL, AMBER, RED, BROWN, BLUE = "0b4f4a", "f2b134", "a8201a", "8a4b00", "1f3d73"
INK, PALE, WHITE = "1b1b1b", "eaf3f1", "ffffff"
STICKERS: Final = (2, 4)
ASKED: Final = ("train", "wages", "papers", "agent", "talk")
_BLACK: Final = re.compile("#000000")


def poster_pdf(sheet: WallSheet, size: str, pictograms: Path, at: datetime) -> bytes:
    """Return one page with a poster in up to four languages."""
    wall = _Wall(size, sheet, pictograms, at)
    wall.add_page()
    wall.band()
    wall.square()
    wall.row_of_pictures()
    wall.languages()
    wall.numbers()
    return bytes(wall.output())


def stickers_pdf(sheet: WallSheet, size: str, pictograms: Path, at: datetime) -> bytes:
    """Return a page of eight stickers with the same code, with lines to cut along."""
    wall = _Wall(size, sheet, pictograms, at)
    wall.add_page()
    columns, rows = STICKERS
    for number in range(columns * rows):
        wall.sticker(number % columns, number // columns)
    return bytes(wall.output())


def volunteer_pdf(sheet: WallSheet, size: str, pictograms: Path, at: datetime) -> bytes:
    """Return a page for each language: how to talk to a person, what to do."""
    wall = _Wall(size, sheet, pictograms, at)
    for text in sheet.texts:
        wall.add_page()
        wall.volunteer(text)
    return bytes(wall.output())


def qr_matrix(link: str) -> tuple[tuple[bool, ...], ...]:
    """Return the dark modules of a QR code of the highest error correction, without its quiet zone."""
    made = segno.make(link, error="h", micro=False, boost_error=False)
    return tuple(tuple(bool(module) for module in row) for row in made.matrix)


@lru_cache(maxsize=64)
def _drawing(path: Path, colour: str) -> str:
    return _BLACK.sub(f"#{colour}", path.read_text(encoding="utf-8"))


@dataclass(frozen=True, slots=True)
class Part:
    """Words to be written: size in points, style "B" for bold, colour in hex."""

    words: str
    size: float
    style: str = ""
    colour: str = INK
    align: Align = Align.L


class _Wall(Paper):
    """A page on which everything is placed by hand; all measures are those of A4."""

    def __init__(self, size: str, sheet: WallSheet, pictograms: Path, at: datetime) -> None:
        fonts = {LATIN, *(FONT_OF[text.script] for text in sheet.texts)}
        super().__init__(size, f"Sahyatri {sheet.code}", at, fonts)
        self._scale = SCALE[size]
        self._sheet = sheet
        self._pictograms = pictograms
        self.set_auto_page_break(auto=False)
        self.set_margins(0, 0)
        self.c_margin = 0

    # --- the poster, from top to bottom

    def band(self) -> None:
        """The name in every script of the sheet, and the place."""
        self._box(0, 0, WIDTH, 38, TEAL, rounded=False)
        self._picture("walkers", EDGE, 5, 28, AMBER)
        left, wide = EDGE + 32, WIDTH - 2 * EDGE - 32
        parts = [self._part(text, text.name, 40, "B", WHITE) for text in self._sheet.texts]
        names = [replace(part, align=Align.C) for part in dict.fromkeys(parts)]
        shrink = min(1.0, (wide - 8 * len(names)) / sum(self._breadth(part) for part in names))
        widths = [self._breadth(part) * shrink for part in names]
        gap = (wide - sum(widths)) / len(names)
        for part, width in zip(names, widths):
            size = part.size * shrink
            self._text(replace(part, size=size), left, 15.5 - size * MM * LEADING / 2, width + gap)
            left += width + gap
        left = EDGE + 32
        places = " · ".join(dict.fromkeys(text.place for text in self._sheet.texts))
        self._text(Part(places, 14, "", WHITE, Align.C), left, 27, wide, 10.5)

    def square(self) -> None:
        """The QR code with what it holds as text below it; how to use it and where else to write beside it."""
        side, top = 78.0, 43.0
        self._box(EDGE, top, side, side + 18, WHITE, TEAL)
        self._qr(EDGE + 2, top + 1.5, side - 4)
        self._text(Part(self._sheet.code, 26, "B", TEAL, Align.C), EDGE + 2, top + side - 3, side - 4, 12)
        self._text(Part(self._sheet.shown, 12, "B", INK, Align.C), EDGE + 2, top + side + 9, side - 4, 7)
        left, width = EDGE + side + 7, WIDTH - 2 * EDGE - side - 7
        ways = [("WhatsApp", self._sheet.whatsapp), ("Telegram", self._sheet.telegram)]
        written = [f"{name}  {value}" for name, value in ways if value]
        room = side + 18 - 11 * len(written)
        self._picture("phone", left + width / 2 - 13, top, 26, TEAL)
        parts = [self._part(text, text.scan, 13) for text in self._sheet.texts]
        self._stack(parts, left, top + 28, width, room - 29)
        for number, words in enumerate(written):
            down = top + room + 1 + number * 11
            self._box(left, down, width, 9.5, PALE)
            self._text(Part(words, 15, "B", TEAL, Align.C), left + 2, down + 0.9, width - 4, 9)

    def row_of_pictures(self) -> None:
        """What one may ask about, for those who do not read."""
        top, side = 144.0, 18.0
        step = (WIDTH - 2 * EDGE) / len(ASKED)
        for number, name in enumerate(ASKED):
            left = EDGE + number * step + (step - side) / 2
            self._round(left, top, side, AMBER)
            self._picture(name, left + 3.2, top + 3.2, side - 6.4, TEAL)

    def languages(self) -> None:
        """One block for each language: two side by side from two on."""
        top, height, count = 166.0, 87.0, len(self._sheet.texts)
        columns = 1 if count == 1 else 2
        rows = -(-count // columns)
        width, tall = (WIDTH - 2 * EDGE - 4 * (columns - 1)) / columns, height / rows - 3
        blocks = [self._block(text) for text in self._sheet.texts]
        for number, parts in enumerate(blocks):
            wide = WIDTH - 2 * EDGE if number == count - 1 and count % columns else width
            left, down = EDGE + number % columns * (width + 4), top + number // columns * (tall + 3)
            self._box(left, down, wide, tall, PALE)
            self._stack(parts, left + 4, down + 2.5, wide - 8, tall - 5)

    def _block(self, text: WallText) -> list[Part]:
        large = 1.0 if len(self._sheet.texts) > 2 else 1.5  # noqa: PLR2004 - two rows of two
        return [
            self._part(text, text.title, 17 * large, "B", TEAL),
            self._part(text, text.ask, 12.5 * large),
            self._part(text, text.words, 12 * large, "B"),
            self._part(text, text.never, 12 * large),
        ]

    def numbers(self) -> None:
        """The numbers that help without us."""
        top, height = 253.0, 37.0
        width = (WIDTH - 2 * EDGE - 8) / 3
        kinds = (("112", "danger", "danger", RED), ("1098", "child", "child", BROWN), ("139", "train", "railway", BLUE))
        for number, (digits, picture, kind, colour) in enumerate(kinds):
            left = EDGE + number * (width + 4)
            self._box(left, top, width, height, colour)
            self._picture(picture, left + 5, top + 3, 14, WHITE)
            self._text(Part(digits, 38, "B", WHITE), left + 21, top + 0.5, width - 22, 19)
            parts = [self._part(text, str(getattr(text, kind)), 12, "", WHITE) for text in self._sheet.texts]
            parts = [replace(part, align=Align.C) for part in dict.fromkeys(parts)]
            self._stack(parts, left + 2, top + 18.5, width - 4, height - 19.5, gap=0.0)

    # --- stickers and the volunteer's sheet

    def sticker(self, column: int, row: int) -> None:
        """One of eight: the QR, the words, the numbers."""
        columns, rows = STICKERS
        width, height = WIDTH / columns, HEIGHT / rows
        left, top = column * width, row * height
        self.set_dash_pattern(dash=1.5, gap=1.5)
        self._box(left, top, width, height, "", "9aa5a3", rounded=False)
        self.set_dash_pattern()
        self._box(left + 4, top + 4, width - 8, height - 8, "", TEAL)
        self._qr(left + 6, top + 6, 46)
        self._text(Part(self._sheet.code, 13, "B", TEAL, Align.C), left + 7, top + 51.5, 44, 7)
        self._text(Part(self._sheet.shown, 7.5, "", INK, Align.C), left + 7, top + 58.5, 44, 5)
        inner = width - 62
        parts = []
        for text in self._sheet.texts:
            parts += [self._part(text, text.name, 15, "B", TEAL), self._part(text, text.sticker, 10)]
        self._stack(parts, left + 55, top + 7, inner, 50)
        self._text(Part("112 · 1098 · 139", 15, "B", RED), left + 55, top + 58.5, inner, 8)

    def volunteer(self, text: WallText) -> None:
        """A page to carry in the pocket."""
        title, *lines = text.volunteer
        self._box(0, 0, WIDTH, 30, TEAL, rounded=False)
        self._text(self._part(text, title, 24, "B", WHITE), EDGE, 8, WIDTH - 2 * EDGE, 16)
        right = text.direction == "rtl"
        height, inner = (HEIGHT - 30 - 42) / len(lines), WIDTH - 2 * EDGE - 15
        size = min(self._fitting(self._part(text, line, 17), inner, height - 2) for line in lines)
        for number, line in enumerate(lines):
            top, mark = 35 + number * height, WIDTH - EDGE - 10 if right else EDGE
            self._round(mark, top, 10, AMBER)
            self._text(Part(str(number + 1), 14, "B", TEAL, Align.C), mark, top + 1.5, 10)
            self._text(self._part(text, line, size), EDGE if right else EDGE + 15, top, inner, height - 1)
        self._box(EDGE, HEIGHT - 32, WIDTH - 2 * EDGE, 20, PALE)
        self._text(Part("112 · 1098 · 139", 26, "B", RED), EDGE + 5, HEIGHT - 29, 85, 15)
        self._text(Part(self._sheet.shown, 13, "B", TEAL, Align.R), EDGE + 92, HEIGHT - 25.5, WIDTH - 2 * EDGE - 97, 8)

    # --- how things are drawn

    def _part(self, text: WallText, words: str, size: float, style: str = "", colour: str = INK) -> Part:
        """Return words of a language, to be written from the side where it begins."""
        size *= OPTICAL.get(text.script, 1.0)
        return Part(words, size, style, colour, Align.R if text.direction == "rtl" else Align.L)

    def _stack(
        self, parts: Sequence[Part], left: float, top: float, width: float, height: float,
        gap: float | None = None,
    ) -> None:  # fmt: skip
        """Write parts one below the other, all smaller by the same share where they would not fit; the rest is space.

        *gap*: mm between parts, else whatever is left over.
        """
        shrink = self._shrinking(parts, width, height)
        drawn = [replace(part, size=part.size * shrink) for part in parts]
        heights = [self._height(part, width) for part in drawn]
        left_over = max(height - sum(heights), 0)
        between = min(left_over / max(len(parts), 1), 4.0) if gap is None else gap
        top += (left_over - between * (len(parts) - 1)) / 2
        for part, tall in zip(drawn, heights):
            self._text(part, left, top, width)
            top += tall + between

    def _shrinking(self, parts: Sequence[Part], width: float, height: float) -> float:
        shrink = 1.0
        while sum(self._height(replace(part, size=part.size * shrink), width) for part in parts) > height:
            if shrink < LEAST_SHRINK:
                break
            shrink *= 0.95
        return shrink

    def _text(self, part: Part, left: float, top: float, width: float, height: float = 0.0) -> None:
        """Write words into a box, smaller where they would not fit into its *height*."""
        scale = self._scale
        size = self._fitting(part, width, height) if height else part.size
        self.set_text_color(*_rgb(part.colour))
        step = size * MM * LEADING
        for number, line in enumerate(self._wrap(part, width, size)):
            self.set_xy(left * scale, (top + number * step) * scale)
            self.current_font_is_set_on_page = False
            self.set_font(LATIN, part.style, size=size * scale)
            self.cell(width * scale, step * scale, line, align=part.align)

    def _breadth(self, part: Part) -> float:
        """Return the width of words on one line, in mm on A4."""
        self.set_font(LATIN, part.style, size=part.size)
        return float(self.get_string_width(part.words))

    def _fitting(self, part: Part, width: float, height: float) -> float:
        """Return the largest size at which the words fit into a box."""
        size = part.size
        while size > SMALLEST and self._height(replace(part, size=size), width) > height:
            size *= 0.95
        return size

    def _height(self, part: Part, width: float) -> float:
        lines = self._wrap(part, width, part.size)
        return len(lines) * part.size * MM * LEADING if self._whole(part, lines) else float("inf")

    def _wrap(self, part: Part, width: float, size: float) -> list[str]:
        return self.wrapped(part.words, width * self._scale, size * self._scale, part.style)

    def _whole(self, part: Part, lines: Sequence[str]) -> bool:
        """Say whether no word was torn in two because the box is narrow."""
        return " ".join(lines).split() == " ".join(part.words.split()).split()

    def _box(
        self, left: float, top: float, width: float, height: float, fill: str, edge: str = "", *, rounded: bool = True
    ) -> None:
        scale = self._scale
        if fill:
            self.set_fill_color(*_rgb(fill))
        if edge:
            self.set_draw_color(*_rgb(edge))
            self.set_line_width(0.8 * scale)
        style = ("F" if fill else "") + ("D" if edge else "")
        self.rect(
            left * scale, top * scale, width * scale, height * scale, style=style,
            round_corners=rounded, corner_radius=ROUND * scale,
        )  # fmt: skip

    def _round(self, left: float, top: float, side: float, fill: str) -> None:
        self.set_fill_color(*_rgb(fill))
        self.ellipse(left * self._scale, top * self._scale, side * self._scale, side * self._scale, style="F")

    def _picture(self, name: str, left: float, top: float, side: float, colour: str) -> None:
        svg = io.BytesIO(_drawing(self._pictograms / f"{name}.svg", colour).encode())
        self.image(svg, left * self._scale, top * self._scale, side * self._scale, side * self._scale)

    def _qr(self, left: float, top: float, side: float) -> None:
        """Draw the code on white, its quiet zone inside *side*."""
        matrix = qr_matrix(self._sheet.link)
        module = side / (len(matrix) + 2 * QUIET)
        self._box(left, top, side, side, WHITE, rounded=False)
        self.set_fill_color(0, 0, 0)
        for row, cells in enumerate(matrix):
            for start, length in _runs(cells):
                x, y = left + (QUIET + start) * module, top + (QUIET + row) * module
                self.rect(
                    x * self._scale,
                    y * self._scale,
                    length * module * self._scale,
                    module * self._scale * 1.01,
                    style="F",
                )


def _runs(cells: Sequence[bool]) -> list[tuple[int, int]]:
    """Return (start, length) of each run of dark modules."""
    found: list[tuple[int, int]] = []
    for at, dark in enumerate(cells):
        if dark and found and sum(found[-1]) == at:
            found[-1] = (found[-1][0], found[-1][1] + 1)
        elif dark:
            found.append((at, 1))
    return found


def _rgb(colour: str) -> tuple[int, int, int]:
    return int(colour[:2], 16), int(colour[2:4], 16), int(colour[4:], 16)
