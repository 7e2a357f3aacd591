"""A file of transit points: every fault by row, column and value, and a good one read whole."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from bot.clients.place_files import Known, PlaceFileError, read_places
from bot.domain.places import Desk, Post

KNOWN = Known({"hi", "bn", "en"}, {"WB"}, {("Howrah", "WB")})
TODAY = date(2026, 11, 24)
HEAD = "code,kind,name_en,name_bn,state,district,latitude,longitude,languages"
ROW = "HWH,station,Howrah,হাওড়া,WB,Howrah,22.58,88.34,bn hi"


def write(folder: Path, text: str) -> Path:
    path = folder / "places.csv"
    path.write_text(text, encoding="utf-8")
    return path


def faults(folder: Path, text: str) -> list[tuple[int, str]]:
    return [(fault.row, fault.column) for fault in read_places(write(folder, text), KNOWN, TODAY).faults]


def test_a_good_file_is_read_whole(tmp_path: Path) -> None:
    """With a byte order mark, spaces, an empty row and a desk."""
    more = "desk_en,desk_bn,hours,desk_phone,rpf,rpf_phone,grp,child_desk,aliases,source,verified_on"
    row = ',"Platform 8, the clock",ঘড়ি,08:00-20:00,+91 33 2222 1111,yes,139,no,Yes,Haora; Havda,Asha Trust,2026-11-20'
    found = read_places(write(tmp_path, f"\ufeff{HEAD},{more}\n{ROW}{row}\n,,,\n\n"), KNOWN, TODAY)
    assert found.faults == ()
    (point,) = found.points
    assert point.names == {"en": "Howrah", "bn": "হাওড়া"} and point.locales == ("bn", "hi")
    assert point.desk == Desk({"en": "Platform 8, the clock", "bn": "ঘড়ি"}, "08:00-20:00", "+91 33 2222 1111")
    assert (point.rpf, point.grp, point.child_desk) == (Post(there=True, phone="139"), Post(), Post(there=True))
    assert point.aliases == ("Haora", "Havda") and point.verified_on == date(2026, 11, 20)


@pytest.mark.parametrize(
    ("change", "found"),
    [
        (("HWH,", "H!,"), [(2, "code")]),
        (("station", "tram"), [(2, "kind")]),
        (("Howrah,হা", ",হা"), [(2, "name_en")]),
        ((",WB,", ",XX,"), [(2, "state")]),
        (("WB,Howrah", "WB,Haora"), [(2, "district")]),
        (("22.58", "222"), [(2, "latitude")]),
        (("88.34", "nan"), [(2, "longitude")]),
        (("bn hi", "bn xx"), [(2, "languages")]),
        (("Howrah,হা", "x" * 121 + ",হা"), [(2, "name_en")]),
        ((",bn hi", ""), [(2, "")]),
    ],
)
def test_each_fault_names_its_cell(tmp_path: Path, change: tuple[str, str], found: list[tuple[int, str]]) -> None:
    assert faults(tmp_path, f"{HEAD}\n{ROW.replace(*change, 1)}\n") == found


@pytest.mark.parametrize(
    ("head", "cells", "columns"),
    [
        ("hours", "8-20", {"hours", "source", "verified_on"}),
        ("desk_phone", "call me", {"desk_phone", "source", "verified_on"}),
        ("rpf", "maybe", {"rpf"}),
        ("rpf", "yes", {"source", "verified_on"}),
        ("rpf_phone", "12345", {"rpf"}),
        ("desk_en,source,verified_on", "Gate,Asha,2027-01-01", {"verified_on"}),
        ("desk_en,source,verified_on", "Gate,Asha,20.11.2026", {"verified_on"}),
    ],
)
def test_what_is_told_of_a_desk_has_a_form_and_a_source(
    tmp_path: Path, head: str, cells: str, columns: set[str]
) -> None:
    assert {column for _, column in faults(tmp_path, f"{HEAD},{head}\n{ROW},{cells}\n")} == columns


def test_a_code_that_stands_twice_and_a_strange_heading_are_faults(tmp_path: Path) -> None:
    assert faults(tmp_path, f"{HEAD}\n{ROW}\n{ROW}\n") == [(3, "code")]
    assert faults(tmp_path, f"{HEAD},colour\n{ROW},red\n") == [(1, "colour")]
    assert faults(tmp_path, f"{HEAD},name_zz\n{ROW},x\n") == [(1, "name_zz")]
    assert (1, "languages") in faults(tmp_path, "code,kind\nHWH,station\n")
    assert faults(tmp_path, "") != []


def test_a_fault_in_words_says_what_to_do(tmp_path: Path) -> None:
    found = read_places(write(tmp_path, f"{HEAD}\n{ROW.replace('station', 'tram')}\n"), KNOWN, TODAY)
    assert str(found.faults[0]) == "row 2, column kind: 'tram': use one of station, bus_stand, crossing"


def test_what_is_no_csv_in_utf8_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "places.csv"
    path.write_bytes("code\nHåwrah".encode("latin-1"))
    with pytest.raises(PlaceFileError, match="UTF-8"):
        read_places(path, KNOWN, TODAY)
    with pytest.raises(PlaceFileError, match="cannot be read"):
        read_places(tmp_path / "none.csv", KNOWN, TODAY)
