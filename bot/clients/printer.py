"""What is printed for the wall; the fonts are loaded only when a PDF is asked for."""

from __future__ import annotations

import io
from datetime import datetime
from pathlib import Path

import segno

from bot.domain.wall import WallSheet

#: Light modules round the code, as scanners need them.
QUIET = 4


class Printer:
    """`bot.ports.WallPrinter`."""

    def __init__(self, pictograms: Path) -> None:
        """*pictograms*: folder of SVG drawings."""
        self._pictograms = pictograms

    def pdf(self, sheet: WallSheet, kind: str, size: str, at: datetime) -> bytes:
        """Return a PDF of a `poster`, of `sticker`s or of a `volunteer`'s sheet on `a4` or `a3`; takes seconds."""
        from bot.clients.wall import poster_pdf, stickers_pdf, volunteer_pdf  # noqa: PLC0415 - takes a second to load

        draw = {"poster": poster_pdf, "sticker": stickers_pdf, "volunteer": volunteer_pdf}[kind]
        return draw(sheet, size.upper(), self._pictograms, at)

    def square(self, link: str) -> str:
        """Return the QR code of *link* as SVG with its quiet zone."""
        made, out = segno.make(link, error="h", micro=False, boost_error=False), io.BytesIO()
        made.save(out, kind="svg", border=QUIET, xmldecl=False, svgns=True, omitsize=True, light="#fff")
        return out.getvalue().decode()

    def picture(self, name: str) -> str:
        """Return a pictogram as SVG in the colour of the text round it."""
        return (self._pictograms / f"{name}.svg").read_text(encoding="utf-8").replace("#000000", "currentColor")
