"""The page behind a poster: small, without a script, the numbers first, and honest about a code it does not know."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import date
from urllib.parse import parse_qs, urlsplit

import aiohttp
import pytest
import pytest_asyncio
from markupsafe import escape

from bot.app import Service
from bot.content.model import Content
from bot.content.wall import LONGEST_PREFILL, prefill
from bot.dialogue.safety import Guard
from bot.domain.codes import find, sign
from bot.domain.messages import ChannelName
from bot.domain.places import Desk, PlaceList, Post, Purpose, VersionState
from bot.domain.risk import NO_RISK
from bot.doors import web_app
from tests.conftest import NOW
from tests.platforms import serving

MOST_BYTES = 30 * 1024


@pytest_asyncio.fixture
async def url(service: Service) -> AsyncIterator[str]:
    config = service.config.model_copy(update={"whatsapp_number": "+91 11111 22222", "telegram_bot_name": "@SyBot"})
    service.config = config
    async with serving(web_app(service)) as address:
        yield address


async def fetch(address: str) -> str:
    async with aiohttp.ClientSession() as session, session.get(address) as answer:
        assert answer.status == 200
        return await answer.text()


def code_at(service: Service, place: str, purpose: Purpose = Purpose.POSTER) -> str:
    poster = service.places.directory.newest(place, purpose)
    assert poster
    return poster.code


async def test_the_page_is_small_and_needs_no_script(service: Service, url: str) -> None:
    """Every locale is on it, those of Howrah first; each can call, and write in its own words."""
    page = await fetch(f"{url}/q/{code_at(service, 'HWH')}")
    assert len(page.encode()) <= MOST_BYTES
    assert "<script" not in page and "onclick" not in page
    spoken = re.findall(r'<section lang="([^"]+)"', page)
    assert spoken[:3] == ["bn", "hi", "en"] and set(spoken) == set(service.content.locales)
    bengali = page.partition('<section lang="bn"')[2].partition("</section>")[0]
    assert "হাওড়া জংশন" in bengali and "Howrah" not in bengali
    for number in ("112", "1098", "139"):
        assert page.count(f'href="tel:{number}"') == len(spoken)
    links = re.findall(r'href="(https://wa\.me/911111122222\?text=[^"]+)"', page)
    assert len(links) == len(spoken)
    for link in links:
        text = parse_qs(urlsplit(link).query)["text"][0]
        found = find(text)
        assert found and found.code == code_at(service, "HWH") and len(text) <= LONGEST_PREFILL
    assert f"https://t.me/SyBot?start=sy_{code_at(service, 'HWH')}" in page
    assert f"/chat?place={code_at(service, 'HWH')}" in page
    assert f'data-place="{code_at(service, "HWH")}"' in await fetch(f"{url}/chat?place={code_at(service, 'HWH')}")


async def test_a_channel_that_refuses_us_stands_last(service: Service, url: str) -> None:
    """Whoever scans a poster is led first to where an answer comes from, in every language; mended, all is as before."""
    address, words = f"{url}/q/{code_at(service, 'HWH')}", service.content.words
    before = await fetch(address)
    await service.standings.refuses(ChannelName.WHATSAPP)
    page = await fetch(address)
    assert len(page.encode()) <= MOST_BYTES
    for section in re.findall(r"<section.*?</section>", page, re.DOTALL):
        assert section.index("https://t.me/") < section.index("/chat?place=") < section.index("https://wa.me/")
    for locale in service.content.locales:
        said = str(escape(words(locale, "transit.page.late").replace("{channel}", "WhatsApp")))
        assert said in page and said not in before, locale
    await service.standings.takes(ChannelName.WHATSAPP)
    assert await fetch(address) == before


async def test_an_unknown_code_still_shows_the_way_to_help(service: Service, url: str) -> None:
    """J6: forged, another's, withdrawn, too long, emoji, the bare station code: numbers, channels, a plain warning."""
    gone = code_at(service, "GAYA")
    await service.places.revoke(gone, "root", "copied")
    forged = sign(b"another key" * 3, "HWH", "poster", "1")
    for code in (gone, forged, "NDLS", "A" * 70, "%F0%9F%99%82", "%3Cb%3E"):
        page = await fetch(f"{url}/q/{code}")
        assert service.content.words("hi", "transit.page.unknown") in page, code
        assert (
            'href="tel:1098"' in page and "https://wa.me/" in page and "?start=" not in page and 'href="/chat"' in page
        )
        assert "<b></" not in page and "Gaya" not in page


async def test_the_desk_stands_there_as_long_as_it_is_fresh(service: Service, url: str) -> None:
    """What an operator wrote is escaped, and goes half a year after it was checked."""
    point = service.places.directory.points["HWH"]
    where = {"en": "Beside <b>gate 3</b>"}
    for checked, shown in ((NOW.date(), True), (date(2026, 5, 1), False)):
        fresh = replace(
            point, desk=Desk(where, "08:00-20:00", "033 2222 1111"), rpf=Post(there=True), source="Asha Trust",
            verified_on=checked,
        )  # fmt: skip
        listing = PlaceList(0, VersionState.KEPT, "x.csv", "0", 1, "root", NOW)
        await service.places.take(listing, [fresh], force=True)
        page = await fetch(f"{url}/q/{code_at(service, 'HWH')}")
        assert ("033 2222 1111" in page) == shown
        assert ("Beside &lt;b&gt;gate 3" in page) == shown


async def test_scans_are_counted_by_place_and_day(service: Service, url: str) -> None:
    """Known by place, unknown ones together; nothing of who scanned."""
    for code in (code_at(service, "HWH"), code_at(service, "HWH", Purpose.STICKER), "NDLS"):
        await fetch(f"{url}/q/{code}")
    counts = {(one.place, one.what, one.channel): one.number for one in await service.places.counts(2)}
    assert counts == {("HWH", "scan", "page"): 2, ("", "scan", "page"): 1}


@pytest.mark.parametrize(
    "code", ["hi", "bn", "or", "te", "ta", "mr", "gu", "kn", "ml", "as", "pa", "ur", "ne", "hi-Latn", "en"]
)
def test_the_prefilled_words_fit_and_lead_back(code: str, content: Content) -> None:
    """At most 140 characters in every locale, with the code to be found in them, and nothing that sounds like danger."""
    text = prefill("234567892", code, content)
    found = find(text)
    assert len(text) <= LONGEST_PREFILL and found and found.code == "234567892"
    assert Guard(content.danger).check(text) == NO_RISK
