"""Sheets as files: a PDF in every script we speak, and a CSV that no spreadsheet takes for a formula."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from bot.domain.reports import Sheet

#: What a spreadsheet may run when a cell begins with it, the wide forms too.
FORMULA: Final = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠", "|", "%")
NOTHING: Final = "–"


class Sheets:
    """`bot.ports.SheetWriter`."""

    def write(self, sheet: Sheet, form: str, words: Mapping[str, str]) -> bytes:
        """Return a `pdf` or a `csv`."""
        return _pdf(sheet, words) if form == "pdf" else _csv(sheet, words)


def number_of(sheet: Sheet) -> str:
    """Return the number as it stands on the sheet: year and running number."""
    return f"{sheet.at.year}-{sheet.number:04d}"


def _facts(sheet: Sheet, words: Mapping[str, str]) -> list[tuple[str, str]]:
    return [
        (words["number"], number_of(sheet)),
        (words["date"], f"{sheet.at:%d-%m-%Y %H:%M} UTC"),
        (words["who"], sheet.who),
        (words["recipient"], sheet.recipient),
        (words["reason"], sheet.reason),
        (words["state"], words[f"state.{sheet.state.value}"]),
        (words["independent"], str(sheet.independent)),
        (words["left_out"], str(sheet.left_out)),
        (words["digest"], sheet.digest),
    ]


def _identifiers(sheet: Sheet, words: Mapping[str, str]) -> list[tuple[str, ...]]:
    return [(words[f"kind.{item.kind.value}"], item.shown, str(count)) for item, count in sheet.identifiers]


def _reports(sheet: Sheet) -> list[tuple[str, ...]]:
    return [
        (f"{report.on:%d-%m-%Y}", report.district or NOTHING, f"{report.amount:,}" if report.amount else NOTHING)
        for report in sheet.reports
    ]


def _csv(sheet: Sheet, words: Mapping[str, str]) -> bytes:
    """One row per fact, identifier and report, with a mark so that spreadsheets read the letters right."""
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow([_defused(words["unproven"])])
    for row in _facts(sheet, words):
        writer.writerow(map(_defused, row))
    for title, heads, rows in _tables(sheet, words):
        writer.writerow([])
        writer.writerow([_defused(title)])
        writer.writerow(map(_defused, heads))
        writer.writerows([list(map(_defused, row)) for row in rows])
    return out.getvalue().encode("utf-8-sig")


def _defused(cell: str) -> str:
    """Keep a cell from being run as a formula, and on one line."""
    cell = " ".join(cell.split())
    return f"'{cell}" if cell.startswith(FORMULA) else cell


def _tables(sheet: Sheet, words: Mapping[str, str]) -> Iterator[tuple[str, tuple[str, ...], Sequence[tuple[str, ...]]]]:
    heads = (words["kind"], words["identifier"], words["in_reports"])
    yield words["identifiers"], heads, _identifiers(sheet, words)
    yield words["reports"], (words["on"], words["district"], words["amount"]), _reports(sheet)


def _pdf(sheet: Sheet, words: Mapping[str, str]) -> bytes:
    from bot.clients.pdf import HEADING, TITLE, Page  # noqa: PLC0415 - takes a second to load, and is seldom needed

    title = f"{words['title']} {number_of(sheet)}"
    pdf = Page(title, words["unproven"], sheet.at)
    pdf.add_page()
    pdf.say(words["title"], TITLE)
    pdf.warn(words["unproven"])
    for name, value in _facts(sheet, words):
        pdf.pair(name, value)
    for title, heads, rows in _tables(sheet, words):
        pdf.ln(3)
        pdf.say(title, HEADING)
        pdf.rows(heads, rows)
    return bytes(pdf.output())
