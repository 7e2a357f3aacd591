"""Reads lists of recruiters from CSV and XLSX files through a declared mapping; every bad row is named."""

from __future__ import annotations

import csv
import hashlib
import io
import unicodedata
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any

import openpyxl
import yaml

from bot.domain.agencies import Agency, Standing

MOST_BYTES = 200 * 1024 * 1024
MOST_UNPACKED = 1024 * 1024 * 1024
LONGEST_CELL = 500
WANTED = ("name", "licence", "status", "valid_until", "place", "phone", "email")
REQUIRED = ("name",)


class ListError(Exception):
    """A list or mapping that cannot be used: says what is wrong, why, and what to do."""


@dataclass(frozen=True, slots=True)
class Problem:
    """A row that was left out: its line in the file, what is wrong, what to do."""

    line: int
    what: str
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
    """Read a CSV or XLSX file. Raise `ListError` for a file that cannot be read as this source at all."""
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise ListError(f"{path}: cannot be read ({error.strerror}); check the name") from error
    if len(raw) > MOST_BYTES:
        raise ListError(
            f"{path}: is larger than {MOST_BYTES // 2**20} MiB; split it or check that it is the right file"
        )
    reader = {".csv": _csv_rows, ".xlsx": _xlsx_rows}.get(path.suffix.lower())
    if not reader:
        raise ListError(f"{path}: is neither .csv nor .xlsx; save it as one of them")
    rows = reader(raw, path)
    header = next(rows, None)
    if header is None:
        raise ListError(f"{path}: is empty; get the file again")
    places = _places(header, source, path)
    found, problems = _agencies(rows, places, source)
    if not found:
        raise ListError(f"{path}: holds no usable row; {problems[0].what if problems else 'there is only a header'}")
    return ParsedList(tuple(found), tuple(problems), hashlib.sha256(raw).hexdigest())


def _csv_rows(raw: bytes, path: Path) -> Iterator[Sequence[object]]:
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ListError(f"{path}: is not UTF-8 (byte {error.start}); save it as CSV UTF-8") from error
    if "\x00" in text:
        raise ListError(f"{path}: holds NUL characters; it is not a CSV file")
    try:
        dialect: Any = csv.Sniffer().sniff(text[:4096], delimiters=",;\t|")
    except csv.Error:
        dialect = csv.excel
    yield from (list(row) for row in csv.reader(io.StringIO(text, newline=""), dialect))


def _xlsx_rows(raw: bytes, path: Path) -> Iterator[Sequence[object]]:
    try:
        with zipfile.ZipFile(io.BytesIO(raw)) as archive:
            unpacked = sum(item.file_size for item in archive.infolist())
            names = archive.namelist()
    except zipfile.BadZipFile as error:
        raise ListError(f"{path}: is not an XLSX file although its name says so; save it again") from error
    if unpacked > MOST_UNPACKED or any("vba" in name.lower() for name in names):
        raise ListError(f"{path}: is too large unpacked, or holds macros; save the plain table as XLSX")
    try:
        book = openpyxl.load_workbook(io.BytesIO(raw), read_only=True, data_only=True)
    except (KeyError, ValueError, OSError, zipfile.BadZipFile) as error:
        raise ListError(f"{path}: cannot be opened as XLSX ({type(error).__name__}); save it again") from error
    sheet = book.worksheets[0]
    yield from (list(row) for row in sheet.iter_rows(values_only=True))
    book.close()


def _places(header: Sequence[object], source: Source, path: Path) -> dict[str, int]:
    have = {_key(cell): at for at, cell in enumerate(header) if cell is not None}
    places = {field: have[_key(column)] for field, column in source.columns.items() if _key(column) in have}
    missing = [source.columns[field] for field in source.columns if field not in places]
    if missing:
        names = ", ".join(str(cell) for cell in header if cell) or "none"
        raise ListError(
            f"{path}: lacks the columns {', '.join(missing)} (found: {names}); mend the file or the mapping"
        )
    return places


def _agencies(
    rows: Iterable[Sequence[object]], places: dict[str, int], source: Source
) -> tuple[list[Agency], list[Problem]]:
    found: dict[str, Agency] = {}
    problems: list[Problem] = []
    for line, row in enumerate(rows, 2):
        cells = {field: row[at] if at < len(row) else None for field, at in places.items()}
        if not any(_clean(cell) for cell in cells.values()):
            continue
        read = _agency(cells, line, source)
        if isinstance(read, Problem):
            problems.append(read)
        elif read.id in found:
            problems.append(Problem(line, f"{read.id!r} stands twice", "keep one row"))
        else:
            found[read.id] = read
    return list(found.values()), problems


def _agency(cells: dict[str, object], line: int, source: Source) -> Agency | Problem:
    name = _clean(cells.get("name"))
    if not name:
        return Problem(line, "has no name", "fill it in or remove the row")
    status = _key(cells.get("status")) or _key(source.default_status)
    standing = source.statuses.get(status)
    if standing is None:
        return Problem(line, f"has the unknown status {status!r}", "add the word to the mapping's statuses")
    try:
        until = _day(cells.get("valid_until"), source.date_formats)
    except ValueError:
        return Problem(
            line, f"has the unreadable date {_clean(cells.get('valid_until'))!r}", "add its form to date_formats"
        )
    licence = _clean(cells.get("licence"))
    return Agency(
        id=licence or name, name=name, licence=licence, standing=standing, valid_until=until,
        place=_clean(cells.get("place")), phones=_several(cells.get("phone")), emails=_several(cells.get("email")),
        source=source.source, kind=source.kind,
    )  # fmt: skip


def _clean(cell: object) -> str:
    """Return a cell as plain text: control characters gone, formulas kept as text only."""
    text = "" if cell is None else str(int(cell) if isinstance(cell, float) and cell.is_integer() else cell)
    text = "".join(char for char in text if unicodedata.category(char) not in {"Cc", "Cf"} or char == " ")
    return " ".join(text.split())[:LONGEST_CELL]


def _key(cell: object) -> str:
    return _clean(cell).casefold()


def _several(cell: object) -> tuple[str, ...]:
    return tuple(part for piece in _clean(cell).replace(";", ",").split(",") if (part := piece.strip()))


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
