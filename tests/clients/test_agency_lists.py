"""Lists as they come: every bad row is named, every bad file refused with one clear line, nothing in a file is run."""

from __future__ import annotations

import hashlib
import io
import zipfile
from collections.abc import Callable
from datetime import date, datetime
from pathlib import Path

import openpyxl
import pytest
from fpdf import FPDF

from bot.clients import agency_lists
from bot.clients.agency_lists import ListError, ParsedList, load_source, open_list, read_list
from bot.domain.agencies import Kind, Standing
from tests import made_up_lists
from tests.made_up_lists import write_mapping

SOURCES = Path(__file__).resolve().parent.parent.parent / "content" / "recruiters" / "sources"
SOURCE = load_source(SOURCES / "sample.yaml")
HEADER = "Agency name,RC number,Status,Valid until,Place,Phone"
ROW = "Suryodaya Overseas,B-1/X/1,Active,01-02-2027,Patna,00000 10001"


def read(folder: Path, text: str | bytes, name: str = "list.csv") -> ParsedList:
    """Write *text* as a file and read it as the sample source."""
    path = folder / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return read_list(path, SOURCE)


def xlsx(*rows: list[object]) -> bytes:
    """Return a workbook of one sheet."""
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    for row in rows:
        sheet.append(row)
    kept = io.BytesIO()
    book.save(kept)
    return kept.getvalue()


def zipped_again(raw: bytes, mend: Callable[[str, bytes], bytes]) -> bytes:
    """Return the workbook with each part passed through *mend*."""
    kept = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(raw)) as old, zipfile.ZipFile(kept, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            new.writestr(name, mend(name, old.read(name)))
    return kept.getvalue()


def pdf(*tables: list[list[str]]) -> bytes:
    """Return a document with one ruled table on each page; without any, a page of plain words."""
    paper = FPDF(orientation="landscape")
    paper.set_font("Helvetica", size=9)
    for table in tables:
        paper.add_page()
        with paper.table() as drawn:
            for row in table:
                drawn.row(row)
    if not tables:
        paper.add_page()
        paper.cell(text="Agency name, none")
    return bytes(paper.output())


GOOD_XLSX = xlsx(list(HEADER.split(",")), ["A", "B-1", "Active", datetime(2027, 2, 1), "Patna", 1000010037])


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@pytest.mark.parametrize("mark", ["", "\ufeff"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_a_csv_is_read_with_any_delimiter(tmp_path: Path, delimiter: str, mark: str, end: str) -> None:
    """With and without a byte order mark, and with a title above the header."""
    text = end.join(["List of agents", "", HEADER.replace(",", delimiter), ROW.replace(",", delimiter), ""])
    parsed = read(tmp_path, mark + text)
    assert not parsed.problems
    (row,) = parsed.rows
    assert (row.name, row.licence, row.standing) == ("Suryodaya Overseas", "B-1/X/1", Standing.ACTIVE)
    assert (row.valid_until, row.phones, row.source) == (date(2027, 2, 1), ("00000 10001",), "sample")


def test_the_checksum_is_that_of_the_file(tmp_path: Path) -> None:
    """SHA-256 of the bytes as they came."""
    text = f"{HEADER}\n{ROW}\n"
    assert read(tmp_path, text).checksum == hashlib.sha256(text.encode()).hexdigest()


def test_an_xlsx_gives_dates_and_numbers_as_they_are_meant(tmp_path: Path) -> None:
    """A date cell is a date, a phone kept as a number keeps its digits."""
    (row,) = read(tmp_path, GOOD_XLSX, "list.xlsx").rows
    assert row.valid_until == date(2027, 2, 1)
    assert row.phones == ("1000010037",)


def test_text_that_looks_like_a_formula_stays_text(tmp_path: Path) -> None:
    """Nothing is run or dropped; control and invisible characters go, line breaks become spaces."""
    parsed = read(tmp_path, f'{HEADER}\n"=cmd|\' /C calc\'!A0",B-1,Active,,"Pat\u200bna\x07\nCity",\n')
    assert parsed.rows[0].name == "=cmd|' /C calc'!A0"
    assert parsed.rows[0].place == "Patna City"


def test_bad_rows_are_named_with_their_line(tmp_path: Path) -> None:
    """Lines are those of the file, even behind a cell that runs over two; each says what, why and what to do."""
    lines = [
        HEADER,
        '"Two\nlines",B-1,Active,01-02-2027,,',
        ",B-2,Active,,,",
        "C,B-3,Perhaps,,,",
        "D,B-4,Active,31-02-2027,,",
    ]
    parsed = read(tmp_path, "\n".join(lines))
    assert [problem.line for problem in parsed.problems] == [4, 5, 6]
    assert [row.licence for row in parsed.rows] == ["B-1"]
    assert all(problem.what and problem.why and problem.what_to_do for problem in parsed.problems)


def test_a_page_of_html_gives_the_table_that_holds_the_list(tmp_path: Path) -> None:
    """Among tables for layout, with cells over several rows and columns, and the header repeated; no script is run."""
    head = "".join(f"<th>{name}</th>" for name in HEADER.split(","))
    page = f"""<html><body><table><tr><td>Menu</td><td><script>document.write("x")</script>
    <table><tr><td colspan=6>List of agents</td></tr><tr>{head}</tr>
    <tr><td>A &amp; B</td><td>B-1</td><td rowspan="2">Active</td><td>01-02-2027</td><td rowspan=2> Patna
    City </td><td>00000 10001</td></tr>
    <tr><td>C<style>td {{}}</style></td><td>B-2</td><td>01-03-2027</td></tr>
    <tr>{head}</tr>
    <tr><td>D</td><td>B-3</td><td colspan="2">Cancelled</td><td>Gaya</td><td>00000 10003</td></tr>
    <tr><td></td><td>B-4</td><td>Active</td></tr></table></td></tr></table>"""
    parsed = read(tmp_path, page, "list.html")
    assert [(row.name, row.licence, row.standing, row.valid_until, row.place, row.phones) for row in parsed.rows] == [
        ("A & B", "B-1", Standing.ACTIVE, date(2027, 2, 1), "Patna City", ("00000 10001",)),
        ("C", "B-2", Standing.ACTIVE, date(2027, 3, 1), "Patna City", ()),
        ("D", "B-3", Standing.CANCELLED, None, "Gaya", ("00000 10003",)),
    ]
    assert [problem.line for problem in parsed.problems] == [7]


def test_a_pdf_is_read_over_all_its_pages(tmp_path: Path) -> None:
    """With the header on each, and a row without a name reported by its number in the file."""
    head = HEADER.split(",")
    raw = pdf(
        [
            head,
            ROW.split(","),
            ["Second with a long name that\nis wrapped", "B-2", "Suspended", "", "Gaya", "00000 10002"],
        ],
        [head, ["", "B-3", "Active", "", "", ""], ["Third", "B-4", "Active", "01-02-2027", "Ara", ""]],
    )
    parsed = read(tmp_path, raw, "list.pdf")
    assert [(row.name, row.standing, row.place) for row in parsed.rows] == [
        ("Suryodaya Overseas", Standing.ACTIVE, "Patna"),
        ("Second with a long name that is wrapped", Standing.SUSPENDED, "Gaya"),
        ("Third", Standing.ACTIVE, "Ara"),
    ]
    assert [problem.line for problem in parsed.problems] == [5]


def test_xlsx_rows_are_named_by_their_number(tmp_path: Path) -> None:
    """Empty rows are counted but are no problem."""
    raw = xlsx(list(HEADER.split(",")), ["A", "B-1", "Active"], [], ["", "B-2", "Active"])
    assert [problem.line for problem in read(tmp_path, raw, "list.xlsx").problems] == [4]


@pytest.mark.parametrize("turned", [False, True])
def test_of_two_rows_that_disagree_the_graver_is_kept(tmp_path: Path, turned: bool) -> None:
    """Whatever their order, and the second is reported."""
    rows = ["A,B-1,Active,01-02-2027,Patna,", "A,B-1,Cancelled,01-02-2027,Patna,"]
    parsed = read(tmp_path, "\n".join([HEADER, *(reversed(rows) if turned else rows)]))
    assert [row.standing for row in parsed.rows] == [Standing.CANCELLED]
    assert [problem.line for problem in parsed.problems] == [3]


def test_branches_keep_their_rows(tmp_path: Path) -> None:
    """Same licence, other place and phone: both stay, with ids of their own; a row twice over is a problem."""
    rows = ["A,B-1,Active,01-02-2027,Patna,00000 10001", "A,B-1,Active,01-02-2027,Delhi,00000 10002"]
    parsed = read(tmp_path, "\n".join([HEADER, *rows, rows[0]]))
    assert len({row.id for row in parsed.rows}) == len(parsed.rows) == 2
    assert [problem.line for problem in parsed.problems] == [4]


def test_a_phone_that_a_spreadsheet_spoilt_is_not_kept(tmp_path: Path) -> None:
    """The agency stays, without a number that is nobody's; several phones are split."""
    parsed = read(tmp_path, f"{HEADER}\nA,B-1,Active,,,9.87654E+09\nB,B-2,Active,,,00000 10001 / 00000 10002\n")
    assert [row.phones for row in parsed.rows] == [(), ("00000 10001", "00000 10002")]
    assert [problem.line for problem in parsed.problems] == [2]


@pytest.mark.parametrize(
    ("name", "raw", "said"),
    [
        (
            "a.csv",
            "Agency name,Status,Phone\nx,y,z\n",
            r"lacks the columns RC number, Valid until, Place \(found: Agency name",
        ),
        ("a.csv", "", "is empty"),
        ("a.csv", HEADER, "only a header"),
        ("a.csv", f"{HEADER}\nA,B-1,Perhaps,,,\n", "no usable row"),
        ("a.csv", f"{HEADER}\nCafé".encode("latin-1"), "not UTF-8"),
        ("a.csv", f"{HEADER}\n\x00", "NUL"),
        ("a.csv", f'{HEADER}\n"A' + "x" * 200_000, "from line 2"),
        ("a.xls", b"x", "none of .csv"),
        ("a.xlsx", b"x", "not an XLSX"),
        ("a.xlsx", GOOD_XLSX[: len(GOOD_XLSX) // 2], "not an XLSX"),
        (
            "a.xlsx",
            zipped_again(GOOD_XLSX, lambda name, part: part[:99] if "sheet1" in name else part),
            "cannot be read",
        ),
        (
            "a.xlsx",
            zipped_again(GOOD_XLSX, lambda name, part: b"" if "workbook.xml" in name else part),
            "cannot be read",
        ),
        ("a.xlsx", xlsx(["Agency name"], ["A"]), "lacks the columns"),
        ("a.html", "", "not an HTML page"),
        ("a.html", "<p>nothing here", "holds no table"),
        ("a.html", "<table><tr><td>Agency name<td>Status</table>", "lacks the columns"),
        ("a.html", "<table><tr><td></table>", "is empty"),
        ("a.pdf", b"x", "cannot be read as PDF"),
        ("a.pdf", pdf([["Agency name"], ["A"]])[:400], "cannot be read as PDF"),
        ("a.pdf", pdf(), "a scan"),
        ("a.pdf", pdf([["Agency name"], ["A"]]), "lacks the columns"),
        ("a.pdf", pdf([HEADER.split(","), ROW.split(",")], [["Signed", "Nobody"]]), "page 2 has a table of 2 columns"),
    ],
)
def test_a_file_that_cannot_be_such_a_list_is_refused(tmp_path: Path, name: str, raw: str | bytes, said: str) -> None:
    """With one line that names the file, the cause and the next step."""
    with pytest.raises(ListError, match=said) as refused:
        read(tmp_path, raw, name)
    assert "\n" not in str(refused.value)
    assert name in str(refused.value)


def test_macros_and_bombs_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A workbook with macros, one that unpacks to too much, and a file over the limit, which is not even read."""
    kept = io.BytesIO(GOOD_XLSX)
    with zipfile.ZipFile(kept, "a") as book:
        book.writestr("xl/vbaProject.bin", b"x")
    with pytest.raises(ListError, match="macros"):
        read(tmp_path, kept.getvalue(), "macro.xlsx")
    monkeypatch.setattr(agency_lists, "MOST_UNPACKED", 100)
    with pytest.raises(ListError, match="too large unpacked"):
        read(tmp_path, GOOD_XLSX, "bomb.xlsx")
    monkeypatch.setattr(agency_lists, "MOST_BYTES", 10)
    with pytest.raises(ListError, match="is larger than"):
        read(tmp_path, f"{HEADER}\n{ROW}", "large.csv")


def test_a_missing_file_is_said_plainly(tmp_path: Path) -> None:
    """Not as a traceback."""
    with pytest.raises(ListError, match="cannot be read"):
        read_list(tmp_path / "none.csv", SOURCE)


@pytest.mark.parametrize(
    "text",
    ["", "[]", "source: x", "a: [", (SOURCES / "sample.yaml").read_text().replace("name:", "nam:"),
     (SOURCES / "sample.yaml").read_text().replace("suspended:", "asleep:")],
)  # fmt: skip
def test_a_mapping_that_cannot_be_used_is_refused(tmp_path: Path, text: str) -> None:
    """An unknown field, an unknown standing, a missing name column or no YAML at all."""
    path = tmp_path / "x.yaml"
    path.write_text(text)
    with pytest.raises(ListError, match="not a usable mapping"):
        load_source(path)


@pytest.mark.parametrize("path", sorted(SOURCES.glob("*.yaml")), ids=lambda path: path.stem)
def test_shipped_lists_are_whole_and_made_up(path: Path) -> None:
    """Each says that it is a sample, has its date, reads without a problem, and carries only phones nobody has."""
    source = load_source(path)
    parsed = read_list(SOURCES.parent / source.file, source)
    assert source.sample
    assert source.as_of
    assert not parsed.problems
    assert all(phone.startswith("00000") for row in parsed.rows for phone in row.phones)


def mapped(folder: Path, change: str = "", to: str = "") -> Path:
    """Write a mapping with every column, changed in one place."""
    path = write_mapping(folder / "mapping.yaml")
    path.write_text(path.read_text().replace(change, to))
    return path


def test_web_upi_and_address_are_read_where_the_mapping_names_them(tmp_path: Path) -> None:
    """Several in a cell are split, slashes of an address on the web are not; what is no UPI id is named and left."""
    row = 'A,B-1,Blacklisted,,Patna,"1, Made-up Road",00000 10001,a@b.example,"https://b.example/x, c.example",{}'
    path = tmp_path / "list.csv"
    path.write_text(
        "\n".join([",".join(made_up_lists.HEADER), row.format("a@example b.c@example"), row.format("98@@x")])
    )
    parsed = read_list(path, load_source(mapped(tmp_path)))
    first, second = parsed.rows
    assert (first.webs, first.upis) == (("https://b.example/x", "c.example"), ("a@example", "b.c@example"))
    assert (first.address, first.standing, first.line) == ("1, Made-up Road", Standing.BLACKLISTED, 2)
    assert (second.upis, second.line) == ((), 3)
    assert [(problem.line, problem.what) for problem in parsed.problems] == [
        (3, "has the UPI id '98@@x', taken without it")
    ]


@pytest.mark.parametrize(
    ("change", "to", "said"),
    [("kind: overseas", "kind: travel", "travel"), ("source: made-up", 'source: "../x"', "small letters")],
)
def test_a_mapping_with_an_unknown_kind_or_an_unusable_name_is_refused(
    tmp_path: Path, change: str, to: str, said: str
) -> None:
    with pytest.raises(ListError, match=said):
        load_source(mapped(tmp_path, change, to))


def test_all_kinds_are_known(tmp_path: Path) -> None:
    for kind in Kind:
        assert load_source(mapped(tmp_path, "kind: overseas", f"kind: {kind}")).kind == kind


def test_a_blacklisted_row_outweighs_a_cancelled_one(tmp_path: Path) -> None:
    rows = ["A,B-1,Blacklisted,01-02-2027,Patna,", "A,B-1,Cancelled,01-02-2026,Patna,"]
    assert [row.standing for row in read(tmp_path, "\n".join([HEADER, *rows])).rows] == [Standing.BLACKLISTED]


def test_only_the_first_problems_are_kept_but_all_are_counted(tmp_path: Path) -> None:
    """And the rows wait on disk: gone through twice they are the same, in the order of the file."""
    path = tmp_path / "list.csv"
    lines = [f"A{at},B-{at},{'Active' if at % 2 else 'Perhaps'},,," for at in range(1000)]
    path.write_text("\n".join([HEADER, *lines, "A1 again,B-1,Cancelled,,,"]))
    told: list[int] = []
    with open_list(path, SOURCE, told.append) as found:
        assert (len(found), found.left_out, found.problem_count) == (500, 500, 501)
        assert len(found.problems) == agency_lists.MOST_PROBLEMS
        once, twice = [list(found) for _ in range(2)]
    assert once == twice
    assert [row.line for row in once] == [*(at + 2 for at in range(3, 1000, 2)), 1002]


def test_a_long_list_tells_how_far_it_is(tmp_path: Path) -> None:
    path = made_up_lists.write_csv(tmp_path / "long.csv", 45_000)
    told: list[int] = []
    with open_list(path, load_source(write_mapping(tmp_path / "m.yaml")), told.append) as found:
        assert len(found) == 45_000
        assert not found.problem_count
    assert told == [20_000, 40_000]
