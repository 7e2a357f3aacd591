"""From a poster to a person who helps, over HTTP: its page, the chat that it leads to, the nearest help, danger."""

from __future__ import annotations

import re

import pytest
from yarl import URL

from bot.app import Service
from bot.domain.messages import Address, ChannelName
from bot.domain.private import Private
from bot.public.visitors import COOKIE
from tests.public.test_chat import url  # noqa: F401 - the fixture
from tests.public.test_landing import code_at
from tests.public.visit import Visit, visiting

DANGER = "please help me, they locked me in a room"


async def text_of(visit: Visit, path: str) -> str:
    async with visit.session.get(visit.url + path) as answer:
        assert answer.status == 200
        return await answer.text()


async def place_of(service: Service, visit: Visit) -> str:
    """Return where the visitor's conversation takes them to be."""
    session = visit.session.cookie_jar.filter_cookies(URL(visit.url + "/chat"))[COOKIE].value
    conversation = service.inbox.conversation_id(Address(ChannelName.WEB, Private(session)))
    return (await service.conversations.load(conversation, ChannelName.WEB)).place


def offered(item: dict[str, object]) -> list[str]:
    return [choice[0] for choice in item["choices"]]  # type: ignore[attr-defined]


async def test_the_whole_way_from_a_poster_to_a_case(service: Service, url: str) -> None:  # noqa: F811
    """Scan, open the chat, choose a language, say the way, ask who helps here, cry for help: the case knows where."""
    code = code_at(service, "GAYA")
    async with visiting(url) as visit:
        link = re.search(r'href="(/chat\?place=[^"]+)"', await text_of(visit, f"/q/{code}"))
        assert link
        shown = re.search(r'data-place="([^"]+)"', await text_of(visit, link[1]))
        assert shown and shown[1] == code
        await visit.open()
        await visit.send(text="sy_" + shown[1])
        point = service.places.directory.points["GAYA"]
        assert point.named(point.locales[0]) in (await visit.heard("transit.here"))["text"]
        await visit.heard("core.choose_language")
        await visit.send(choice="l:en")
        way = await visit.heard("transit.way")
        assert {"c:leaving", "c:arriving", "c:near", "c:help"} <= set(offered(way))
        await visit.send(choice="c:arriving")
        assert "c:near" in offered(await visit.heard("transit.arriving"))
        await visit.send(choice="c:near")
        here = await visit.heard("near.station_here")
        assert "Gaya" in here["text"]
        await visit.heard("transit.elsewhere")
        await visit.send(text=DANGER)
        await visit.heard("distress.first")
    case = await service.db["cases"].find_one({})
    assert case and case["open"] and case["kind"] == "distress"
    assert (case["place"], case["district"], case["channel"]) == ("GAYA", "BR:Gaya", "web")
    counts = {(one.place, one.what, one.channel): one.number for one in await service.places.counts(2)}
    assert counts == {("GAYA", "scan", "page"): 1, ("GAYA", "start", "web"): 1}


async def test_the_way_without_scripts(service: Service, url: str) -> None:  # noqa: F811
    """A browser without scripts carries the place too: with the first words, and once."""
    code = code_at(service, "GAYA")
    async with visiting(url) as visit:
        page = await text_of(visit, f"/chat?place={code}")
        assert f'name="place" value="{code}"' in page and f"/chat/simple?lang=hi&amp;place={code}" in page
        page = await text_of(visit, f"/chat/simple?lang=en&place={code}")
        name = re.search(r'name="id" value="(\w+)"', page)
        assert name
        form = {"id": name[1], "lang": "en", "place": code, "text": DANGER}
        for _ in range(2):
            async with visit.session.post(url + "/chat/simple", data=form) as answer:
                page = await answer.text()
        assert page.count(service.content.words("en", "transit.way")) == 1
        assert 'name="place" value=""' in page
    case = await service.db["cases"].find_one({})
    assert case and (case["place"], case["district"]) == ("GAYA", "BR:Gaya")


@pytest.mark.parametrize("place", ["NDLS", "ndls", "poster"])
async def test_a_screen_may_be_bound_by_the_name_of_its_place(service: Service, url: str, place: str) -> None:  # noqa: F811
    """A help desk need not know a code; one that hangs there is found, and no longer once all were withdrawn."""
    code = code_at(service, "NDLS")
    given = code if place == "poster" else place
    async with visiting(url) as visit:
        assert f'data-place="{code}"' in await text_of(visit, f"/chat?kiosk=1&place={given}")
        await visit.open()
        await visit.send(text=f"sy_{code}")
        await visit.heard("transit.here")
        assert await place_of(service, visit) == "NDLS"
        for poster in service.places.directory.of("NDLS"):
            await service.places.revoke(poster.code, "root", "copied")
        bound = "" if place != "poster" else code
        assert f'data-place="{bound}"' in await text_of(visit, f"/chat?kiosk=1&place={given}")
