"""Places in any script, and the nearest station to a point."""

from __future__ import annotations

import time

import pytest

from bot.content.model import Content
from bot.dialogue.gazetteer import Gazetteer


@pytest.fixture(scope="module")
def places(content: Content) -> Gazetteer:
    return Gazetteer(content)


@pytest.mark.parametrize(
    ("text", "station"),
    [
        ("PNBE", "PNBE"),
        ("ndls", "NDLS"),
        ("I am at HWH now", "HWH"),
        ("Patna", "PNBE"),
        ("पटना जंक्शन", "PNBE"),
        ("surat railway station", "ST"),
        ("सूरत", "ST"),
        ("চেন্নাই", "MAS"),
        ("ଭୁବନେଶ୍ୱର", "BBS"),
        ("গুয়াহাটি", "GHY"),
        ("लखनऊ स्टेशन", "LKO"),
        ("jaipur", "JP"),
        ("சென்னை சென்ட்ரல்", "MAS"),
        ("کٹیہار جنکشن", "KIR"),
        ("സെക്കന്തരാബാദ്", "SC"),
        ("नई दिल्ली", "NDLS"),
    ],
)
def test_a_station_by_code_or_name(places: Gazetteer, text: str, station: str) -> None:
    found = places.find(text)
    assert found.station
    assert found.station.code == station


@pytest.mark.parametrize(
    ("text", "state"),
    [
        ("बिहार", "BR"),
        ("Bihar", "BR"),
        ("main bihar se hun", "BR"),
        ("ஒடிசா", "OD"),
        ("Orissa", "OD"),
        ("পশ্চিমবঙ্গ", "WB"),
        ("اتر پردیش", "UP"),
        ("UP", "UP"),
        ("Tamilnadu", "TN"),
        ("ਪੰਜਾਬ", "PB"),
        ("ଝାଡ଼ଖଣ୍ଡ", "JH"),
        ("dilli", "DL"),
        ("ತೆಲಂಗಾಣ", "TS"),
    ],
)
def test_a_state_in_any_script(places: Gazetteer, text: str, state: str) -> None:
    assert places.state(text) == state


@pytest.mark.parametrize(
    "text",
    [
        "hello",
        "mujhe nahi pata",
        "main kya karu",
        "help",
        "police station kahan hai",
        "",
        "1",
        "मेरे पास कागज नहीं है",
        "🙂",
    ],
)
def test_ordinary_words_are_no_place(places: Gazetteer, text: str) -> None:
    assert not places.find(text)


@pytest.mark.parametrize(
    ("text", "district", "state"),
    [
        ("Ganjam", "Ganjam", "OD"),
        ("ଗଞ୍ଜାମ", "Ganjam", "OD"),
        ("मुर्शिदाबाद जिला", "Murshidabad", "WB"),
        ("balangir", "Balangir", "OD"),
        ("kishanganj bihar", "Kishanganj", "BR"),
        ("Villupuram", "Villupuram", "TN"),
    ],
)
def test_a_district(places: Gazetteer, text: str, district: str, state: str) -> None:
    found = places.find(text)
    assert found.district
    assert (found.district.name, found.district.state) == (district, state)


def test_the_nearest_station_and_how_far(places: Gazetteer) -> None:
    near = places.nearest(25.6026, 85.1368)
    assert near
    assert (near.place.code, round(near.km)) == ("PNBE", 0)
    village = places.nearest(19.32, 84.80)
    assert village
    assert village.place.code == "BAM"
    assert 1 < village.km < 4


def test_a_bus_stand_or_crossing_only_where_one_stands_there(places: Gazetteer) -> None:
    stand = places.nearest(13.0675, 80.2057)
    assert stand
    assert (stand.place.kind, stand.place.name) == ("bus_stand", "CMBT Koyambedu")
    near = places.nearest(26.6467, 88.20)
    assert near
    assert near.place.kind == "station"
    found = places.find("Raxaul-Birgunj")
    assert found.station


@pytest.mark.parametrize("point", [(51.5, -0.1), (0.0, 0.0), (25.2, 55.27), (-33.9, 151.2)])
def test_outside_india_there_is_none(places: Gazetteer, point: tuple[float, float]) -> None:
    assert places.nearest(*point) is None


def test_a_long_text_is_read_quickly(places: Gazetteer) -> None:
    started = time.perf_counter()
    places.find("patna " * 5000)
    assert time.perf_counter() - started < 1.0
