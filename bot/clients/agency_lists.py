"""Reads lists of recruiters from CSV, XLSX, HTML and PDF files through a declared mapping; every bad row is named."""

from __future__ import annotations

import csv
import hashlib
import io
import itertools
import re
import unicodedata
import zipfile
import zlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from pathlib import Path
from typing import Any, Final

import lxml.etree
import lxml.html
import openpyxl
import pdfplumber
import yaml
from openpyxl.utils.exceptions import InvalidFileException

from bot.domain.agencies import Agency, Standing

MOST_BYTES = 200 * 1024 * 1024
MOST_UNPACKED = 1024 * 1024 * 1024
MOST_COLUMNS = 200
MOST_ROWS_SPANNED = 10_000
LONGEST_CELL = 500
#: Official files often begin with a title; the header is looked for in this many rows.
MOST_TITLE_ROWS = 20
DELIMITERS = ",;\t|"
LEAST_PHONE_DIGITS = 5
#: When two rows of one licence disagree, the graver one is kept.
GRAVITY = (Standing.ACTIVE, Standing.EXPIRED, Standing.SUSPENDED, Standing.CANCELLED, Standing.UNREGISTERED)
WANTED = ("name", "licence", "status", "valid_until", "place", "phone", "email")
REQUIRED = ("name",)


_SEVERAL = re.compile(r"[,;/|]")
_ROUNDED = re.compile(r"[0-9.,]+e[+-]?[0-9]+", re.IGNORECASE)
_Row = tuple[int, Sequence[object]]


class ListError(Exception):
    """A list or mapping that cannot be used: says what is wrong, why, and what to do."""


@dataclass(frozen=True, slots=True)
class Problem:
    """A row left out or not taken as it stands: its line in the file, what is wrong, why it matters, what to do.

    line: where the row ends in a CSV file, its row in an XLSX sheet; 1 is the first.
    """

    line: int
    what: str
    why: str
    what_to_do: str


@dataclass(frozen=True, slots=True)
class Source:
    """A mapping file: where a list comes from and what its columns mean."""

    source: str
    title: str
    url: str
    kind: str
    sample: bool
    file: str
    as_of: date | None
    columns: dict[str, str]
    statuses: dict[str, Standing]
    default_status: str
    date_formats: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ParsedList:
    """The usable rows, what was left out, and the file's SHA-256."""

    rows: tuple[Agency, ...]
    problems: tuple[Problem, ...]
    checksum: str


def load_source(path: Path) -> Source:
    """Read a mapping file. Raise `ListError`."""
    try:
        row: dict[str, Any] = yaml.safe_load(path.read_text(encoding="utf-8"))
        unknown = sorted(set(row["columns"]) - set(WANTED))
        if unknown or not set(REQUIRED) <= set(row["columns"]):
            raise ValueError(f"columns: may be {', '.join(WANTED)} and must hold name; unknown: {unknown or 'none'}")
        statuses = {_key(word): Standing(name) for name, words in row["statuses"].items() for word in words}
        return Source(
            source=row["source"], title=row["title"], url=row.get("url", ""), kind=row["kind"],
            sample=bool(row["sample"]),
            file=row.get("file", ""), as_of=row.get("as_of"), columns=dict(row["columns"]), statuses=statuses,
            default_status=row.get("default_status", ""), date_formats=tuple(row["date_formats"]),
        )  # fmt: skip
    except OSError as error:
        raise ListError(
            f"{path}: cannot be read ({error.strerror}); name a file under content/recruiters/sources"
        ) from error
    except (yaml.YAMLError, KeyError, TypeError, ValueError, AttributeError) as error:
        raise ListError(f"{path}: is not a usable mapping ({error}); compare it with sources/sample.yaml") from error


def read_list(path: Path, source: Source) -> ParsedList:
    """Read a CSV, XLSX, HTML or PDF file. Raise `ListError` for a file that cannot be read as this source at all."""
    reader = READERS.get(path.suffix.lower())
    if not reader:
        raise ListError(f"{path}: is none of {', '.join(READERS)}; save it as one of them")
    try:
        size = path.stat().st_size
        raw = path.read_bytes() if size <= MOST_BYTES else b""
    except OSError as error:
        raise ListError(f"{path}: cannot be read ({error.strerror}); check the name") from error
    if size > MOST_BYTES:
        raise ListError(
            f"{path}: is larger than {MOST_BYTES // 2**20} MiB; split it or check that it is the right file"
        )
    rows = reader(raw, path, source)
    places = _header(rows, source, path)
    found, problems = _agencies(rows, places, source)
    if not found:
        raise ListError(f"{path}: holds no usable row; {problems[0].what if problems else 'there is only a header'}")
    return ParsedList(tuple(found), tuple(problems), hashlib.sha256(raw).hexdigest())


def _csv_rows(raw: bytes, path: Path, source: Source) -> Iterator[_Row]:
    """Yield (line, cells); the delimiter is the one under which most of the mapped columns are found."""
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ListError(f"{path}: is not UTF-8 (byte {error.start}); save it as CSV UTF-8") from error
    if "\x00" in text:
        raise ListError(f"{path}: holds NUL characters; it is not a CSV file")
    delimiter = max(DELIMITERS, key=lambda mark: _columns_found(text, mark, source))
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    try:
        for row in reader:
            yield reader.line_num, row[:MOST_COLUMNS]
    except csv.Error as error:
        raise ListError(
            f"{path}: is not a CSV file from line {reader.line_num} on ({error}); look for a quote that is never closed"
        ) from error


def _columns_found(text: str, delimiter: str, source: Source) -> int:
    wanted = {_key(column) for column in source.columns.values()}
    try:
        head = list(itertools.islice(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter), MOST_TITLE_ROWS))
    except csv.Error:
        return 0
    return max((len(wanted & {_key(cell) for cell in row}) for row in head), default=0)


def _xlsx_rows(raw: bytes, path: Path, _: Source) -> Iterator[_Row]:
    """Yield (row number, values) of the first sheet; of a formula only the value stored with it is read."""
    try:
        with zipfile.ZipFile(io.BytesIO(raw)) as archive:
            unpacked = sum(item.file_size for item in archive.infolist())
            names = archive.namelist()
    except zipfile.BadZipFile as error:
        raise ListError(f"{path}: is not an XLSX file although its name says so; save it again") from error
    if unpacked > MOST_UNPACKED or any("vba" in name.lower() for name in names):
        raise ListError(f"{path}: is too large unpacked, or holds macros; save the plain table as XLSX")
    try:
        book = openpyxl.load_workbook(io.BytesIO(raw), read_only=True, data_only=True, keep_links=False)
        sheet = book.worksheets[0]
        sheet.reset_dimensions()
        yield from enumerate((list(row[:MOST_COLUMNS]) for row in sheet.iter_rows(values_only=True)), 1)
        book.close()
    except (LookupError, ValueError, TypeError, AttributeError, OSError, SyntaxError, zlib.error, zipfile.BadZipFile,
            RuntimeError, InvalidFileException) as error:  # fmt: skip
        raise ListError(
            f"{path}: cannot be read as XLSX ({type(error).__name__}); open it, check the table and save it again"
        ) from error


def _html_rows(raw: bytes, path: Path, source: Source) -> Iterator[_Row]:
    """Yield (row number, cells) of the table with most of the mapped columns; nothing is run or fetched."""
    try:
        raw.decode()
        encoding = "utf-8"
    except UnicodeDecodeError:
        encoding = None  # the page says it itself
    try:
        parser = lxml.html.HTMLParser(encoding=encoding, no_network=True, huge_tree=False)
        page = lxml.html.document_fromstring(raw, parser=parser)
        lxml.etree.strip_elements(page, "script", "style", with_tail=False)
        tables = page.findall(".//table")
    except (lxml.etree.LxmlError, ValueError) as error:
        raise ListError(f"{path}: is not an HTML page ({type(error).__name__}); save the page again") from error
    if not tables:
        raise ListError(f"{path}: holds no table; save the page on which the list is shown")
    wanted = {_key(column) for column in source.columns.values()}

    def fits(rows: Iterable[Sequence[str]]) -> int:
        top = itertools.islice(rows, MOST_TITLE_ROWS)
        return max((len(wanted & {_key(cell) for cell in row}) for row in top), default=0)

    yield from enumerate(max((_html_table(table) for table in tables), key=fits), 1)


def _html_table(table: lxml.html.HtmlElement) -> Sequence[Sequence[str]]:
    """Return the cells of the table's own rows; one over many rows stands in each, over many columns in the first."""
    rows: list[list[str]] = []
    hanging: dict[int, tuple[int, str]] = {}
    for row in table.iter("tr"):
        if next(row.iterancestors("table")) is not table:
            continue
        cells: list[str] = []

        def hang(cells: list[str] = cells) -> None:
            while len(cells) in hanging:
                left, words = hanging.pop(len(cells))
                if left > 1:
                    hanging[len(cells)] = (left - 1, words)
                cells.append(words)

        for cell in row.iterchildren("td", "th"):
            hang()
            words = " ".join(cell.text_content().split())[:LONGEST_CELL]
            for words_here in [words, *[""] * (_span(cell, "colspan") - 1)]:
                if (down := _span(cell, "rowspan")) > 1:
                    hanging[len(cells)] = (down - 1, words_here)
                cells.append(words_here)
        hang()
        rows.append(cells[:MOST_COLUMNS])
    return rows


def _span(cell: lxml.html.HtmlElement, name: str) -> int:
    said = str(cell.get(name, "1")).strip()
    most = MOST_COLUMNS if name == "colspan" else MOST_ROWS_SPANNED
    return max(1, min(int(said), most)) if said.isascii() and said.isdecimal() else 1


def _pdf_rows(raw: bytes, path: Path, source: Source) -> Iterator[_Row]:
    """Yield (row number, cells) of the ruled tables of all pages, counted over the whole file.

    Raise `ListError` for a table below the header that has another number of columns: its cells would be misread.
    """
    wanted = {_key(column) for column in source.columns.values()}
    number, width = 0, 0
    try:
        with pdfplumber.open(io.BytesIO(raw)) as document:
            for page in document.pages:
                for row in itertools.chain.from_iterable(page.extract_tables()):
                    number += 1
                    cells = [" ".join((cell or "").split())[:LONGEST_CELL] for cell in row]
                    if wanted <= {_key(cell) for cell in cells}:
                        width = len(cells)
                    if width and len(cells) != width:
                        raise ListError(
                            f"{path}: page {page.page_number} has a table of {len(cells)} columns where the list has "
                            f"{width}; get the list as CSV or XLSX"
                        )
                    yield number, cells
                page.close()
    except ListError:
        raise
    except Exception as error:  # the library lets any fault of a broken file through
        raise ListError(
            f"{path}: cannot be read as PDF ({type(error).__name__}); download it again, or save the table as CSV"
        ) from error
    if not number:
        raise ListError(f"{path}: holds no table with lines that can be read (a scan?); get it as CSV or XLSX")


READERS: Final = {
    ".csv": _csv_rows, ".xlsx": _xlsx_rows, ".html": _html_rows, ".htm": _html_rows, ".pdf": _pdf_rows,
}  # fmt: skip


def _header(rows: Iterator[_Row], source: Source, path: Path) -> dict[str, int]:
    """Return where each field stands, reading *rows* up to the header; raise `ListError` naming the missing columns."""
    best: tuple[list[str], list[str]] | None = None
    for _, row in itertools.islice(rows, MOST_TITLE_ROWS):
        cells = [_clean(cell) for cell in row]
        if not any(cells):
            continue
        have = {_key(cell): at for at, cell in reversed(list(enumerate(cells))) if cell}
        missing = [column for column in source.columns.values() if _key(column) not in have]
        if not missing:
            return {field: have[_key(column)] for field, column in source.columns.items()}
        if best is None or len(missing) < len(best[0]):
            best = (missing, [cell for cell in cells if cell])
    if best is None:
        raise ListError(f"{path}: is empty; get the file again")
    raise ListError(
        f"{path}: lacks the columns {', '.join(best[0])} (found: {', '.join(best[1])[:LONGEST_CELL]}); "
        "mend the file or the mapping"
    )


def _agencies(rows: Iterable[_Row], places: dict[str, int], source: Source) -> tuple[list[Agency], list[Problem]]:
    found: dict[str, Agency] = {}
    problems: list[Problem] = []
    for line, row in rows:
        cells = {field: row[at] if at < len(row) else None for field, at in places.items()}
        if not any(_clean(cell) for cell in cells.values()):
            continue
        if all(_key(_clean(cell)) == _key(source.columns[field]) for field, cell in cells.items()):
            continue  # the header again, on a new page
        read = _agency(cells, line, source)
        if isinstance(read, Problem):
            problems.append(read)
            continue
        if bad := _lost_phones(cells.get("phone")):
            problems.append(
                Problem(line, f"has the phone {bad!r}, taken without it", "no whole number", "format the cells as text")
            )
        twin = found.get(read.id)
        if twin:
            read, problem = _twin(twin, read, line)
            problems += [problem] if problem else []
        found[read.id] = read
    return list(found.values()), problems


def _twin(first: Agency, second: Agency, line: int) -> tuple[Agency, Problem | None]:
    """Return what to keep of two rows of one agency: another branch stands by itself, else the graver row."""
    same = (second.name.casefold(), second.standing, second.valid_until) == (
        first.name.casefold(), first.standing, first.valid_until,
    )  # fmt: skip
    if same and (second.place, second.phones, second.emails) != (first.place, first.phones, first.emails):
        branch = "; ".join((second.place, *second.phones, *second.emails))
        return replace(second, id=f"{first.id} @ {branch}"[:LONGEST_CELL]), None
    kept = first if _gravity(first) >= _gravity(second) else second
    why = "the rows are alike" if same else f"they disagree; the graver is kept ({kept.standing.value})"
    return replace(kept, id=first.id), Problem(line, f"{first.id!r} stands twice", why, "keep one row")


def _gravity(agency: Agency) -> tuple[int, int]:
    """Graver first: a worse standing, then an earlier end, no end at all being the earliest."""
    return GRAVITY.index(agency.standing), -(agency.valid_until or date.min).toordinal()


def _agency(cells: dict[str, object], line: int, source: Source) -> Agency | Problem:
    name = _clean(cells.get("name"))
    if not name:
        return Problem(line, "has no name", "nobody could find it", "fill it in or remove the row")
    status = _key(cells.get("status")) or _key(source.default_status)
    standing = source.statuses.get(status)
    if standing is None:
        return Problem(
            line, f"has the unknown status {status!r}", "it is not guessed", "add the word to the mapping's statuses"
        )
    try:
        until = _day(cells.get("valid_until"), source.date_formats)
    except ValueError:
        said = _clean(cells.get("valid_until"))
        return Problem(line, f"has the unreadable date {said!r}", "it is not guessed", "add its form to date_formats")
    licence = _clean(cells.get("licence"))
    place, phones = _clean(cells.get("place")), _phones(cells.get("phone"))
    return Agency(
        id=licence or "; ".join(part for part in (name, place, *phones) if part)[:LONGEST_CELL],
        name=name, licence=licence, standing=standing, valid_until=until, place=place, phones=phones,
        emails=_several(cells.get("email")), source=source.source, kind=source.kind,
    )  # fmt: skip


def _clean(cell: object) -> str:
    """Return a cell as plain text: control characters gone, formulas kept as text only."""
    text = "" if cell is None else str(int(cell) if isinstance(cell, float) and cell.is_integer() else cell)
    text = "".join(" " if char.isspace() else char for char in text if char.isspace() or _is_visible(char))
    return " ".join(text.split())[:LONGEST_CELL]


def _is_visible(char: str) -> bool:
    return unicodedata.category(char) not in {"Cc", "Cf"}


def _key(cell: object) -> str:
    return _clean(cell).casefold()


def _several(cell: object) -> tuple[str, ...]:
    return tuple(part for piece in _SEVERAL.split(_clean(cell)) if (part := piece.strip()))


def _phones(cell: object) -> tuple[str, ...]:
    """Return the phones in a cell; a number that a spreadsheet has rounded or cut is not one."""
    return tuple(part for part in _several(cell) if _is_phone(part))


def _lost_phones(cell: object) -> str:
    return next((part for part in _several(cell) if not _is_phone(part) and any(map(str.isdigit, part))), "")


def _is_phone(text: str) -> bool:
    return sum(map(str.isdigit, text)) >= LEAST_PHONE_DIGITS and not _ROUNDED.fullmatch(text)


def _day(cell: object, formats: tuple[str, ...]) -> date | None:
    if isinstance(cell, datetime):
        return cell.date()
    if isinstance(cell, date):
        return cell
    text = _clean(cell)
    if not text:
        return None
    for form in formats:
        try:
            return datetime.strptime(text, form).date()  # noqa: DTZ007 - a calendar day has no zone
        except ValueError:
            continue
    raise ValueError(text)
