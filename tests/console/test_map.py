"""A point and the places nearest to it, as a picture."""

from __future__ import annotations

import pytest

from bot.console.map import SIZE, draw_map, point_of
from bot.content.model import Content


@pytest.mark.parametrize("text", ["", "here", "1", "91,10", "10,181", "1,2,3", "nan,nan", "<b>,1"])
def test_what_is_no_point_is_not_drawn(text: str) -> None:
    assert point_of(text) is None


def test_the_nearest_stations_with_distance_and_direction(content: Content) -> None:
    """From India Gate, New Delhi station lies about 3.5 km to the north-west; the picture keeps everything inside."""
    places = {place.code: place for place in (*content.stations, *content.places.values())}
    drawn = draw_map(28.6129, 77.2295, places.values())
    assert [item.km for item in drawn.near] == sorted(item.km for item in drawn.near)
    station = {item.place.code: item for item in draw_map(28.6129, 77.2295, [places["NDLS"]]).near}["NDLS"]
    assert 3.0 < station.km < 3.8 and station.direction in {"n", "nw"}
    assert len(drawn.near) == len(drawn.dots) == 5
    assert all(0 <= dot.x <= SIZE and 0 <= dot.y <= SIZE for dot in drawn.dots)
    assert 0 < drawn.bar < SIZE / 2 and drawn.bar_km <= max(item.km for item in drawn.near)


def test_south_and_east_are_down_and_right(content: Content) -> None:
    """Howrah lies west of Sealdah, so Sealdah is drawn to its right."""
    drawn = draw_map(22.5841, 88.341, [content.places["SDAH"]])
    (dot,) = drawn.dots
    assert dot.x > SIZE / 2 and dot.y > SIZE / 2
    assert drawn.near[0].direction in {"e", "se"}


def test_abroad_no_place_is_named(content: Content) -> None:
    assert draw_map(25.2, 55.27, content.stations).near == ()
