"""A point and the places nearest to it, as a picture."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest

from bot.console.map import SIZE, draw_map, point_of
from bot.content.model import Content, Place
from bot.domain.messages import Carrier, InboundMessage
from bot.domain.places import FRESH_FOR, Desk, PlaceList, Point, Post, VersionState
from bot.domain.private import Private
from tests.console.conftest import Site


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


def test_points_where_there_is_help_are_shown_besides_the_nearest(content: Content) -> None:
    """Two desks are farther than the five nearest stations; a third too far away to go to."""
    near, far, too_far = (
        Place(code, f"Desk {code}", "bus_stand", "D", ("hi",), "DL", latitude, 77.2295)
        for code, latitude in (("AAA", 28.75), ("BBB", 29.2), ("CCC", 30.5))
    )
    drawn = draw_map(28.6129, 77.2295, [*content.stations, near, far, too_far], frozenset({"AAA", "BBB", "CCC"}))
    codes = [item.place.code for item in drawn.near]
    assert codes[-2:] == ["AAA", "BBB"] and len(codes) == len(drawn.dots) == 7
    assert 64 < drawn.near[-1].km < 67


async def test_a_case_shows_the_help_that_an_imported_file_tells_of(site: Site) -> None:
    """With its distance, desk and phone, as long as the file is in force and what it tells is fresh."""
    service = site.service
    turn, _ = await site.chat.say("please help me, they locked me in a room")
    case, now = turn.conversation.open_case, service.now()
    here = Private("28.61290,77.22950")
    sent = InboundMessage("terminal:x:p", site.chat._address, Carrier.LOCATION, Private(""), now, now, point=here)
    await service.receiver.receive(sent)
    mine = {"conversation": turn.conversation.id, "state": "waiting"}
    async with asyncio.timeout(10):
        while await service.db["inbox"].count_documents(mine):
            await asyncio.sleep(0.02)
    asha = await site.login("asha")
    assert "Made-up stand" not in (await asha.get(f"/console/cases/{case}"))[1]
    desk = Desk({"en": "gate <2>"}, "08:00-20:00", "011 1111 1111")
    point = Point(
        "DLX1", "bus_stand", {"en": "Made-up stand"}, "DL", "New Delhi", 28.6300, 77.2295, ("hi",), desk=desk,
        child_desk=Post(there=True), source="its operator", verified_on=now.date(),
    )  # fmt: skip
    for fresh in (True, False):
        shown = point if fresh else replace(point, verified_on=now.date() - FRESH_FOR - timedelta(days=1))
        listing = PlaceList(0, VersionState.KEPT, "made up", str(fresh), 1, "root", now)
        await service.places.take(listing, [shown], force=True)
        _, page = await asha.get(f"/console/cases/{case}")
        line = next(part for part in page.split("<li>") if part.startswith("Made-up stand"))
        assert "1.9 km" in line
        assert ("gate &lt;2&gt; · 08:00-20:00 · <bdi>011 1111 1111</bdi>" in line) == fresh
        assert ("Child help desk" in line) == fresh and "Railway police" not in line
    await asha.session.close()


def test_south_and_east_are_down_and_right(content: Content) -> None:
    """Howrah lies west of Sealdah, so Sealdah is drawn to its right."""
    drawn = draw_map(22.5841, 88.341, [content.places["SDAH"]])
    (dot,) = drawn.dots
    assert dot.x > SIZE / 2 and dot.y > SIZE / 2
    assert drawn.near[0].direction in {"e", "se"}


def test_abroad_no_place_is_named(content: Content) -> None:
    assert draw_map(25.2, 55.27, content.stations).near == ()
