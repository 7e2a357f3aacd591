"""Pictures in the web chat: beside their words, with what they show in words, apart from the page, for old browsers too."""

from __future__ import annotations

import html
from collections.abc import AsyncIterator
from dataclasses import replace

import aiohttp
import pytest_asyncio

from bot.app import Service
from bot.content.model import alt_of
from bot.doors import web_app
from bot.running import running
from tests.conftest import ROOT
from tests.platforms import serving
from tests.public.visit import visiting

GUIDE = "delete_chat"
ANSWER = "eshram.answer"
ALT = 'A hand "presses" <b>long</b> & waits'


def illustrate(service: Service) -> None:
    """Let an answer of a topic have a picture, as an author would."""
    shown = replace(service.content, shown_with={ANSWER: GUIDE})
    service.wording.content = shown.with_words({"en": {alt_of(GUIDE): ALT}})


@pytest_asyncio.fixture
async def url(service: Service) -> AsyncIterator[str]:
    illustrate(service)
    async with serving(web_app(service)) as address, running(service):
        yield address


async def test_a_picture_comes_with_its_message_and_apart_from_the_page(service: Service, url: str) -> None:
    """The message names it and says what it shows; the bytes are those on the disk, kept by no cache."""
    async with visiting(url) as visit:
        await visit.open()
        await visit.send(choice="l:en")
        await visit.send(choice="t:eshram")
        heard = await visit.heard(ANSWER)
        assert heard["picture"] == [GUIDE, ALT]
        assert heard["text"].startswith(service.content.words("en", ANSWER)[:30])
        assert [item["about"] for item in visit.seen if item["picture"]] == [ANSWER]
        async with visit.session.get(f"{url}/chat/pictures/{GUIDE}") as answer:
            assert (answer.status, answer.content_type) == (200, "image/png")
            assert await answer.read() == (ROOT / "content" / "pictures" / f"{GUIDE}.png").read_bytes()
            assert answer.headers["Cache-Control"] == "no-store"
            assert answer.headers["X-Content-Type-Options"] == "nosniff"
        async with visit.session.get(f"{url}/chat/messages?mine=1") as answer:
            again = (await answer.json())["messages"]
        assert [item["picture"] for item in again if item.get("about") == ANSWER] == [[GUIDE, ALT]]


async def test_only_what_a_message_names_is_given_out(service: Service, url: str) -> None:
    """No other file of the content, nothing outside of it, and nothing of a name that no message has any more."""
    async with aiohttp.ClientSession() as session:
        for name in (
            "nix",
            "delete_chat.svg",
            "..%2fcommands",
            "%2e%2e%2fdanger%2fen",
            "DELETE_CHAT",
            "%00",
            "a" * 500,
        ):
            async with session.get(f"{url}/chat/pictures/{name}") as answer:
                assert answer.status == 404, name
        service.wording.content = replace(service.content, shown_with={})
        async with session.get(f"{url}/chat/pictures/{GUIDE}") as answer:
            assert answer.status == 404


async def test_without_scripts_the_picture_stands_in_the_page(service: Service, url: str) -> None:
    """With what it shows beside it, inert whatever is in it."""
    async with visiting(url) as visit:
        data = {"id": "1" * 24, "lang": "en", "choice": "t:eshram"}
        async with visit.session.post(f"{url}/chat/simple", data=data) as answer:
            page = await answer.text()
    assert page.count(f'src="/chat/pictures/{GUIDE}"') == 1
    assert f'alt="{html.escape(ALT).replace("&quot;", "&#34;")}"' in page
    assert "<b>long" not in page
