"""Reads lists of recruiters from CSV, XLSX, HTML and PDF files through a declared mapping; every bad row is named.

CSV and XLSX files are read as they come and their rows kept on disk: a list may be longer than memory.
"""

from __future__ import annotations

import csv
import hashlib
import io
import itertools
import json
import re
import tempfile
import unicodedata
import zipfile
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import date, datetime
from functools import lru_cache
from io import BufferedReader
from pathlib import Path
from typing import Any, Final, Self

import lxml.etree
import lxml.html
import openpyxl
import pdfplumber
import yaml
from openpyxl.utils.exceptions import InvalidFileException

from bot.domain.agencies import Agency, Kind, Problem, Standing

MOST_BYTES = 200 * 1024 * 1024
MOST_UNPACKED = 1024 * 1024 * 1024
MOST_COLUMNS = 200
MOST_ROWS_SPANNED = 10_000
LONGEST_CELL = 500
#: Official files often begin with a title; the header is looked for in this many rows.
MOST_TITLE_ROWS = 20
DELIMITERS = ",;\t|"
#: The delimiter is looked for in this many bytes.
HEAD_BYTES = 256 * 1024
LEAST_PHONE_DIGITS = 5
#: When two rows of one licence disagree, the graver one is kept.
GRAVITY = (
    Standing.ACTIVE, Standing.EXPIRED, Standing.SUSPENDED, Standing.CANCELLED, Standing.BLACKLISTED,
    Standing.UNREGISTERED,
)  # fmt: skip
WANTED = ("name", "licence", "status", "valid_until", "place", "address", "phone", "email", "web", "upi")
REQUIRED = ("name",)
#: So many problems of a file are kept in words; the others are counted.
MOST_PROBLEMS = 200
TELL_EVERY = 20_000

_SOURCE = re.compile(r"[a-z0-9][a-z0-9_-]{0,39}")
_SEVERAL = re.compile(r"[,;/|]")
_SEVERAL_WEBS = re.compile(r"[,;|\s]")
_ROUNDED = re.compile(r"[0-9.,]+e[+-]?[0-9]+", re.IGNORECASE)
_Row = tuple[int, Sequence[object]]


class ListError(Exception):
    """A list or mapping that cannot be used: says what is wrong, why, and what to do."""


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


class OpenList:
    """A list that was read once: its usable rows wait on disk, to be gone through as often as wanted."""

    def __init__(self, spool: _Spool, findings: _Findings, checksum: str) -> None:
        """left_out: how many rows could not be read; problems: the first `MOST_PROBLEMS` of `problem_count`."""
        self._spool = spool
        self.left_out = findings.left_out
        self.problems = tuple(findings.problems)
        self.problem_count = findings.count
        self.checksum = checksum

    def __len__(self) -> int:
        return len(self._spool)

    def __iter__(self) -> Iterator[Agency]:
        """Give the rows in the order of the file."""
        return iter(self._spool)


def load_source(path: Path) -> Source:
    """Read a mapping file. Raise `ListError`."""
    try:
        row: dict[str, Any] = yaml.safe_load(path.read_text(encoding="utf-8"))
        unknown = sorted(set(row["columns"]) - set(WANTED))
        if unknown or not set(REQUIRED) <= set(row["columns"]):
            raise ValueError(f"columns: may be {', '.join(WANTED)} and must hold name; unknown: {unknown or 'none'}")
        if not _SOURCE.fullmatch(row["source"]):
            raise ValueError(f"source: {row['source']!r} must be small letters, digits and hyphens, at most 40")
        statuses = {_key(word): Standing(name) for name, words in row["statuses"].items() for word in words}
        return Source(
            source=row["source"], title=row["title"], url=row.get("url", ""), kind=Kind(row["kind"]).value,
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
    """Read a whole file into memory. Raise `ListError` for a file that cannot be read as this source at all."""
    with open_list(path, source) as found:
        return ParsedList(tuple(found), found.problems, found.checksum)


@contextmanager
def open_list(path: Path, source: Source, tell: Callable[[int], None] = lambda _: None) -> Iterator[OpenList]:
    """Read a CSV, XLSX, HTML or PDF file, keeping its rows on disk. Raise `ListError` if it is no such list at all.

    *tell* hears now and then how many rows have been read.
    """
    reader = READERS.get(path.suffix.lower())
    if not reader:
        raise ListError(f"{path}: is none of {', '.join(READERS)}; save it as one of them")
    try:
        file = path.open("rb")
    except OSError as error:
        raise ListError(f"{path}: cannot be read ({error.strerror}); check the name") from error
    with file, _Spool(source) as spool:
        if path.stat().st_size > MOST_BYTES:
            raise ListError(
                f"{path}: is larger than {MOST_BYTES // 2**20} MiB; split it or check that it is the right file"
            )
        checksum = hashlib.file_digest(file, "sha256").hexdigest()
        file.seek(0)
        rows = reader(file, path, source)
        findings = _agencies(rows, _header(rows, source, path), source, spool, tell)
        if not len(spool):
            said = findings.problems[0].what if findings.problems else "there is only a header"
            raise ListError(f"{path}: holds no usable row; {said}")
        spool.close()
        yield OpenList(spool, findings, checksum)


class _Spool:
    """Agencies in a nameless temporary file, one JSON line each; memory holds where each id stands, until `close`."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self._file = tempfile.TemporaryFile(buffering=2**20)  # noqa: SIM115 - closed by __exit__
        self._places: dict[str, int] = {}
        self._struck: set[int] = set()
        self._count = 0
        self._end = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def __len__(self) -> int:
        return self._count - len(self._struck)

    def close(self) -> None:
        """Forget where each id stands: everything has been put."""
        self._places = {}

    def put(self, agency: Agency) -> None:
        """Add a row; one of the same id that was there is forgotten."""
        until = agency.valid_until.isoformat() if agency.valid_until else ""
        line = json.dumps((
            agency.id, agency.name, agency.licence, agency.standing.value, until, agency.place, agency.phones,
            agency.emails, agency.webs, agency.upis, agency.address, agency.line,
        )).encode() + b"\n"  # fmt: skip
        if (former := self._places.get(agency.id)) is not None:
            self._struck.add(former)
        self._places[agency.id] = self._end
        self._count += 1
        self._file.write(line)
        self._end += len(line)

    def get(self, name: str) -> Agency | None:
        """Return the row of this id, if there is one."""
        at = self._places.get(name)
        if at is None:
            return None
        self._file.seek(at)
        found = self._agency(json.loads(self._file.readline()))
        self._file.seek(self._end)
        return found

    def __iter__(self) -> Iterator[Agency]:
        self._file.seek(0)
        at = 0
        for line in self._file:
            if at not in self._struck:
                yield self._agency(json.loads(line))
            at += len(line)

    def _agency(self, row: list[Any]) -> Agency:
        name, called, licence, standing, until, place, phones, emails, webs, upis, address, line = row
        return Agency(
            name, called, licence, _STANDINGS[standing], date.fromisoformat(until) if until else None, place,
            tuple(phones), tuple(emails), self._source.source, self._source.kind, tuple(webs), tuple(upis), address,
            line,
        )  # fmt: skip


_STANDINGS: Final = {standing.value: standing for standing in Standing}


class _Findings:
    """What was wrong with the rows: all counted, the first kept in words."""

    def __init__(self) -> None:
        self.problems: list[Problem] = []
        self.count = 0
        self.left_out = 0

    def add(self, problem: Problem) -> None:
        self.count += 1
        if len(self.problems) < MOST_PROBLEMS:
            self.problems.append(problem)


def _csv_rows(file: BufferedReader, path: Path, source: Source) -> Iterator[_Row]:
    """Yield (line, cells); the delimiter is the one under which most of the mapped columns are found."""
    head = file.read(HEAD_BYTES).decode("utf-8-sig", "ignore")
    delimiter = max(DELIMITERS, key=lambda mark: _columns_found(head, mark, source))
    file.seek(0)
    reader = csv.reader(_lines(file, path), delimiter=delimiter)
    try:
        for row in reader:
            yield reader.line_num, row[:MOST_COLUMNS]
    except UnicodeDecodeError as error:
        raise ListError(
            f"{path}: is not UTF-8 (behind line {reader.line_num}: {error.reason}); save it as CSV UTF-8"
        ) from error
    except csv.Error as error:
        raise ListError(
            f"{path}: is not a CSV file from line {reader.line_num} on ({error}); look for a quote that is never closed"
        ) from error


def _lines(file: BufferedReader, path: Path) -> Iterator[str]:
    for line in io.TextIOWrapper(file, encoding="utf-8-sig", newline=""):
        if "\x00" in line:
            raise ListError(f"{path}: holds NUL characters; it is not a CSV file")
        yield line


def _columns_found(text: str, delimiter: str, source: Source) -> int:
    wanted = {_key(column) for column in source.columns.values()}
    try:
        head = list(itertools.islice(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter), MOST_TITLE_ROWS))
    except csv.Error:
        return 0
    return max((len(wanted & {_key(cell) for cell in row}) for row in head), default=0)


def _xlsx_rows(file: BufferedReader, path: Path, _: Source) -> Iterator[_Row]:
    """Yield (row number, values) of the first sheet; of a formula only the value stored with it is read."""
    try:
        with zipfile.ZipFile(file) as archive:
            unpacked = sum(item.file_size for item in archive.infolist())
            names = archive.namelist()
    except zipfile.BadZipFile as error:
        raise ListError(f"{path}: is not an XLSX file although its name says so; save it again") from error
    if unpacked > MOST_UNPACKED or any("vba" in name.lower() for name in names):
        raise ListError(f"{path}: is too large unpacked, or holds macros; save the plain table as XLSX")
    try:
        book = openpyxl.load_workbook(file, read_only=True, data_only=True, keep_links=False)
        sheet = book.worksheets[0]
        sheet.reset_dimensions()
        yield from enumerate((list(row[:MOST_COLUMNS]) for row in sheet.iter_rows(values_only=True)), 1)
        book.close()
    except (LookupError, ValueError, TypeError, AttributeError, OSError, SyntaxError, zlib.error, zipfile.BadZipFile,
            RuntimeError, InvalidFileException) as error:  # fmt: skip
        raise ListError(
            f"{path}: cannot be read as XLSX ({type(error).__name__}); open it, check the table and save it again"
        ) from error


def _html_rows(file: BufferedReader, path: Path, source: Source) -> Iterator[_Row]:
    """Yield (row number, cells) of the table with most of the mapped columns; nothing is run or fetched."""
    raw = file.read()
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


def _pdf_rows(file: BufferedReader, path: Path, source: Source) -> Iterator[_Row]:
    """Yield (row number, cells) of the ruled tables of all pages, counted over the whole file.

    Raise `ListError` for a table below the header that has another number of columns: its cells would be misread.
    """
    wanted = {_key(column) for column in source.columns.values()}
    number, width = 0, 0
    try:
        with pdfplumber.open(file) as document:
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


def _agencies(
    rows: Iterable[_Row], places: Mapping[str, int], source: Source, spool: _Spool, tell: Callable[[int], None]
) -> _Findings:
    """Put every usable row into *spool*."""
    findings = _Findings()
    heads = {field: _key(source.columns[field]) for field in places}
    for count, (line, row) in enumerate(rows, 1):
        if count % TELL_EVERY == 0:
            tell(count)
        raw = {field: row[at] if at < len(row) else None for field, at in places.items()}
        cells = {field: _clean(cell) for field, cell in raw.items()}
        if not any(cells.values()) or all(cells[field].casefold() == head for field, head in heads.items()):
            continue  # nothing, or the header again on a new page
        read = _agency(cells, raw.get("valid_until"), line, source)
        if isinstance(read, Problem):
            findings.left_out += 1
            findings.add(read)
            continue
        for bad in _lost(cells):
            findings.add(Problem(line, f"has the {bad}, taken without it", "no whole one", "format the cells as text"))
        _settle(read, spool, findings)
    return findings


def _settle(read: Agency, spool: _Spool, findings: _Findings) -> None:
    """Put a row into *spool* beside, or in place of, the one that has its id already."""
    twin = spool.get(read.id)
    if twin and _is_branch(twin, read):
        branch = (read.place, read.address, *read.phones, *read.emails, *read.webs, *read.upis)
        read = replace(read, id=f"{read.id} @ {'; '.join(part for part in branch if part)}"[:LONGEST_CELL])
        twin = spool.get(read.id)
    if not twin:
        spool.put(read)
        return
    graver = read if _gravity(read) > _gravity(twin) else twin
    why = "the rows are alike" if twin == read else f"they disagree; the graver is kept ({graver.standing.value})"
    findings.add(Problem(read.line, f"{read.id!r} stands twice", why, "keep one row"))
    if graver is read:
        spool.put(read)


def _is_branch(first: Agency, second: Agency) -> bool:
    """Say whether two rows of one licence are one agency at two places."""
    return first != second and (first.name.casefold(), first.standing, first.valid_until) == (
        second.name.casefold(), second.standing, second.valid_until,
    )  # fmt: skip


def _gravity(agency: Agency) -> tuple[int, int]:
    """Graver first: a worse standing, then an earlier end, no end at all being the earliest."""
    return GRAVITY.index(agency.standing), -(agency.valid_until or date.min).toordinal()


def _agency(cells: Mapping[str, str], until: object, line: int, source: Source) -> Agency | Problem:
    name = cells.get("name", "")
    if not name:
        return Problem(line, "has no name", "nobody could find it", "fill it in or remove the row")
    status = cells.get("status", "").casefold() or _key(source.default_status)
    standing = source.statuses.get(status)
    if standing is None:
        return Problem(
            line, f"has the unknown status {status!r}", "it is not guessed", "add the word to the mapping's statuses"
        )
    try:
        day = _day(until, source.date_formats)
    except ValueError:
        said = cells["valid_until"]
        return Problem(line, f"has the unreadable date {said!r}", "it is not guessed", "add its form to date_formats")
    licence, place, address = (cells.get(field, "") for field in ("licence", "place", "address"))
    phones = _phones(cells.get("phone", ""))
    return Agency(
        id=licence or "; ".join(part for part in (name, place, *phones) if part)[:LONGEST_CELL],
        name=name, licence=licence, standing=standing, valid_until=day, place=place, phones=phones,
        emails=_several(cells.get("email", "")), source=source.source, kind=source.kind,
        webs=_webs(cells.get("web", "")), upis=tuple(filter(_is_upi, _webs(cells.get("upi", "")))), address=address,
        line=line,
    )  # fmt: skip


def _clean(cell: object) -> str:
    """Return a cell as plain text: control characters gone, formulas kept as text only."""
    text = "" if cell is None else str(int(cell) if isinstance(cell, float) and cell.is_integer() else cell)
    if not text.isprintable():
        text = "".join(" " if char.isspace() else char for char in text if char.isspace() or _is_visible(char))
    return " ".join(text.split())[:LONGEST_CELL]


def _is_visible(char: str) -> bool:
    return unicodedata.category(char) not in {"Cc", "Cf"}


def _key(cell: object) -> str:
    return _clean(cell).casefold()


def _several(text: str) -> tuple[str, ...]:
    return tuple(part for piece in _SEVERAL.split(text) if (part := piece.strip())) if text else ()


def _webs(text: str) -> tuple[str, ...]:
    return tuple(filter(None, _SEVERAL_WEBS.split(text))) if text else ()


def _phones(text: str) -> tuple[str, ...]:
    """Return the phones in a cell; a number that a spreadsheet has rounded or cut is not one."""
    return tuple(part for part in _several(text) if _is_phone(part))


def _lost(cells: Mapping[str, str]) -> Iterator[str]:
    """Name what is no whole phone number and no UPI id although it stands where one should."""
    for part in _several(cells.get("phone", "")):
        if not _is_phone(part) and any(map(str.isdigit, part)):
            yield f"phone {part!r}"
    for part in _webs(cells.get("upi", "")):
        if not _is_upi(part):
            yield f"UPI id {part!r}"


def _is_upi(text: str) -> bool:
    name, mark, handle = text.partition("@")
    return bool(name and mark and handle) and "@" not in handle


def _is_phone(text: str) -> bool:
    return sum(map(str.isdigit, text)) >= LEAST_PHONE_DIGITS and not _ROUNDED.fullmatch(text)


def _day(cell: object, formats: tuple[str, ...]) -> date | None:
    if isinstance(cell, datetime):
        return cell.date()
    if isinstance(cell, date):
        return cell
    text = _clean(cell)
    return _written_day(text, formats) if text else None


@lru_cache(maxsize=20_000)
def _written_day(text: str, formats: tuple[str, ...]) -> date:
    for form in formats:
        try:
            return datetime.strptime(text, form).date()  # noqa: DTZ007 - a calendar day has no zone
        except ValueError:
            continue
    raise ValueError(text)
