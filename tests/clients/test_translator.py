"""googletrans against a local server that speaks its interface: numbers kept, a breaker, a cache, never a surprise."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import httpx
import pytest
import pytest_asyncio
from aiohttp import web
from aiohttp.test_utils import TestServer
from googletrans import Translator

from bot.clients.translator import GoogleTranslate, protect, restore, speaks


@dataclass
class Machine:
    """`GET /translate_a/single` as the library calls it."""

    asked: list[dict[str, str]] = field(default_factory=list)
    status: int = 200
    spoil: str = ""
    delay: float = 0.0
    url: str = ""

    async def handle(self, request: web.Request) -> web.Response:
        self.asked.append(dict(request.query))
        await asyncio.sleep(self.delay)
        if self.status != 200:
            return web.Response(status=self.status)
        text = request.query["q"].replace("Register", "पंजीयन")
        if self.spoil:
            text = text.replace(self.spoil, "")
        return web.json_response([[[text, request.query["q"], None, None, 1]], None, request.query["sl"]])


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest_asyncio.fixture
async def machine() -> AsyncIterator[Machine]:
    found = Machine()
    app = web.Application()
    app.router.add_get("/translate_a/single", found.handle)
    async with TestServer(app) as server:
        found.url = str(server.make_url("")).rstrip("/")
        yield found


def _translator(machine: Machine, clock: Clock) -> GoogleTranslate:
    """The real library, its requests led to the local server."""
    library = Translator(raise_exception=True)
    local = httpx.URL(machine.url)

    async def lead(request: httpx.Request) -> None:
        request.url = request.url.copy_with(scheme=local.scheme, host=local.host, port=local.port)

    library.client = httpx.AsyncClient(event_hooks={"request": [lead]})
    return GoogleTranslate(clock, library)


async def test_words_change_and_numbers_stay(machine: Machine) -> None:
    translator = _translator(machine, Clock())
    found = await translator.translate("Register at eshram.gov.in or call 14434. Rs 30,000, a CSC.", "en", "bho")
    assert found == "पंजीयन at eshram.gov.in or call 14434. Rs 30,000, a CSC."
    assert "14434" not in machine.asked[0]["q"]
    assert machine.asked[0]["tl"] == "bho"


async def test_the_same_text_is_asked_once(machine: Machine) -> None:
    translator = _translator(machine, Clock())
    assert await translator.translate("Register", "en", "mai") == await translator.translate("Register", "en", "mai")
    assert len(machine.asked) == 1


async def test_a_lost_number_is_no_translation(machine: Machine) -> None:
    machine.spoil = "[0]"
    assert await _translator(machine, Clock()).translate("Register: 112", "en", "bho") == ""


async def test_three_failures_open_the_breaker_for_two_minutes(machine: Machine) -> None:
    machine.status = 500
    clock = Clock()
    translator = _translator(machine, clock)
    for word in ("a", "b", "c", "d", "e"):
        assert await translator.translate(word, "en", "bho") == ""
    assert len(machine.asked) == 3
    clock.now, machine.status = 121.0, 200
    assert await translator.translate("Register", "en", "bho") == "पंजीयन"


async def test_a_slow_machine_is_given_up(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bot.clients.translator.PATIENCE", 0.05)
    machine.delay = 0.5
    assert await _translator(machine, Clock()).translate("Register", "en", "bho") == ""


async def test_a_language_it_does_not_know_is_not_asked(machine: Machine) -> None:
    assert await _translator(machine, Clock()).translate("Register", "en", "brx") == ""
    assert machine.asked == []


def test_marks_come_back_in_any_order() -> None:
    marked, kept = protect("call 112 or 1098, see nalsa.gov.in")
    assert kept == ("112", "1098", "nalsa.gov.in")
    assert restore("[2] [ 1 ] [0]", kept) == "nalsa.gov.in 1098 112"
    assert restore("[0] [0] [1] [2]", kept) == ""
    assert restore(marked, kept) == "call 112 or 1098, see nalsa.gov.in"


def test_which_languages() -> None:
    assert all(speaks(code) for code in ("bho", "mai", "sat", "doi", "kok", "mni"))
    assert not speaks("brx")


async def test_names_and_digits_of_every_script_stay_and_nothing_is_kept(machine: Machine) -> None:
    """For words of a case: helplines' names and Indian digits do not go out, and the same words are asked again."""
    translator = _translator(machine, Clock())
    translator._names, translator._most_cached = ("Tele-MANAS", "Rail Madad"), 0
    said = "Register: tele-manas or Rail Madad १३९, ৯৮৭৬৫ 43210"
    for _ in range(2):
        assert await translator.translate(said, "auto", "hi") == said.replace("Register", "पंजीयन")
    assert len(machine.asked) == 2
    sent = machine.asked[0]["q"]
    assert not any(kept in sent for kept in ("manas", "Madad", "१३९", "৯৮৭৬৫", "43210"))
    assert machine.asked[0]["sl"] == "auto"


def test_names_are_whole_words() -> None:
    marked, kept = protect("Sakhi, Sakhipur", ("Sakhi",))
    assert (marked, kept) == ("[0], Sakhipur", ("Sakhi",))
