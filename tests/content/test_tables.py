"""What authors work with: coverage and its sums, previews, stale facts, a spreadsheet that comes back whole."""

from __future__ import annotations

import shutil
from datetime import date
from pathlib import Path

import pytest
from openpyxl import load_workbook

from bot.content.load import load
from bot.content.model import AREAS, Content
from bot.content.tables import (
    SheetError,
    coverage,
    coverage_table,
    facts_of,
    preview,
    put_between_marks,
    read_sheet,
    stale,
    write_messages,
    write_sheet,
)

ROOT = Path(__file__).resolve().parent.parent.parent
OFFERED = {"en", "hi", "bn", "or", "as", "te", "ta", "mr", "gu", "kn", "ml", "pa", "ur", "ne", "hi-Latn"}


def test_every_locale_covers_every_area(content: Content) -> None:
    """Fourteen locales and Latin-letter Hindi, each area whole."""
    table = coverage(content)
    assert set(table) == OFFERED
    for code, row in table.items():
        assert {*AREAS, "canned"} <= set(row)
        assert ("console" in row) == (code in {"en", "hi"})
        assert {area: cover.percent for area, cover in row.items() if cover.percent != 100} == {}, code


def test_a_missing_message_is_never_rounded_up(content: Content) -> None:
    short = dict(content.messages["ta"])
    del short["core.menu"]
    cover = coverage(content.with_statuses({c: x.status for c, x in content.locales.items()}))["ta"]["core"]
    assert cover.percent == 100
    lacking = Content(
        **{
            **{f: getattr(content, f) for f in content.__dataclass_fields__},
            "messages": {**content.messages, "ta": short},
        }
    )
    assert coverage(lacking)["ta"]["core"].percent == 98 or coverage(lacking)["ta"]["core"].percent == 99


def test_the_readme_holds_the_table_of_the_command(content: Content) -> None:
    """The sums in README are made by `sahyatri content coverage --readme README.md`, not by hand."""
    assert coverage_table(content) in (ROOT / "README.md").read_text(encoding="utf-8")


def test_a_readme_without_marks_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "README.md"
    file.write_text("nothing", encoding="utf-8")
    with pytest.raises(SheetError, match="add both lines"):
        put_between_marks(file, "table")


def test_every_fact_has_a_source_and_a_day(content: Content) -> None:
    found = facts_of(content)
    assert len({fact.id for _, fact in found}) > 100
    assert all(fact.source and fact.url and fact.verified_on for _, fact in found)


def test_stale_facts_are_listed_oldest_first(content: Content) -> None:
    """The scheme that was approved to March 2026 is always listed: somebody must ask whether it goes on."""
    over = list(stale(content, 90, date(2026, 11, 25)))
    assert over
    assert all("B-31 was valid until 2026-03-31" in line for line in over)
    later = list(stale(content, 90, date(2027, 6, 1)))
    assert len(later) == len(facts_of(content))
    assert all("again" in line or "goes on" in line for line in later)


@pytest.mark.parametrize("locale", ["ta", "ur", "en"])
def test_a_preview_shows_each_channel(content: Content, locale: str) -> None:
    shown = dict(preview(content, "wages_unpaid", locale))
    assert set(shown) == {"whatsapp", "telegram", "plain text"}
    assert "of 1024 characters" in shown["whatsapp"]
    assert "of 4096 characters" in shown["telegram"]
    assert content.words(locale, "wages_unpaid.title") in shown["whatsapp"]


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    shutil.copytree(ROOT / "content", tmp_path / "content")
    return tmp_path / "content"


def test_a_sheet_comes_back_as_it_went(content: Content, tmp_path: Path) -> None:
    for locale in ("ur", "ta"):
        path = tmp_path / f"{locale}.xlsx"
        assert write_sheet(content, locale, path) == len(content.messages[locale])
        assert read_sheet(content, locale, path) == {}


def test_changed_words_are_taken_and_written(content: Content, tmp_path: Path, copy: Path) -> None:
    """The round trip: export, change one line and one block, import; nothing else changes."""
    path = tmp_path / "ta.xlsx"
    write_sheet(content, "ta", path)
    book = load_workbook(path)
    sheet = book["words"]
    wanted = {"core.thanks": 'ஒன்று "மேற்கோள்"', "core.privacy": content.words("ta", "core.privacy") + "\nமேலும்"}
    for row in sheet.iter_rows(min_row=2):
        if row[0].value in wanted:
            row[3].value = wanted[str(row[0].value)]
    book.save(path)
    changed = read_sheet(content, "ta", path)
    assert changed == wanted
    written = write_messages(content, copy, "ta", changed)
    assert [file.name for file in written] == ["core.yaml"]
    again = load(copy)
    assert dict(again.messages["ta"]) == {**content.messages["ta"], **wanted}
    assert again.messages["hi"] == content.messages["hi"]


def test_every_problem_of_a_sheet_is_told_at_once(content: Content, tmp_path: Path) -> None:
    path = tmp_path / "hi.xlsx"
    write_sheet(content, "hi", path)
    book = load_workbook(path)
    sheet = book["words"]
    for row in sheet.iter_rows(min_row=2):
        if row[0].value == "core.yes.label":
            row[3].value = "x" * 40
        if row[0].value == "verify.listed":
            row[3].value = "{nam} 112"
        if row[0].value == "core.ok":
            row[1].value = "another source"
    sheet.append(["core.unknown", "x", "", "y", ""])
    book.save(path)
    with pytest.raises(SheetError) as refused:
        read_sheet(content, "hi", path)
    told = str(refused.value)
    for part in ("core.yes.label", "at most 24", "placeholders", "the English has changed", "core.unknown"):
        assert part in told
    assert "hi.xlsx:" in told


def test_a_file_that_is_no_sheet_is_refused(content: Content, tmp_path: Path) -> None:
    path = tmp_path / "x.xlsx"
    path.write_text("nothing", encoding="utf-8")
    with pytest.raises(SheetError, match=r"save it as \.xlsx"):
        read_sheet(content, "hi", path)
