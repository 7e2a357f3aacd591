"""The page of a case: what is known, where the person is, what else there is about them, words to choose from."""

from __future__ import annotations

import asyncio
import html
import re
from datetime import timedelta

import pytest

from bot.domain.messages import Carrier, InboundMessage
from bot.domain.private import Private
from tests.console.conftest import Site

DISTRESS = "please help me, they locked me in a room"


async def open_case(site: Site, text: str = DISTRESS) -> str:
    turn, _ = await site.chat.say(text)
    return turn.conversation.open_case


async def test_the_point_a_person_sent_is_drawn_with_the_nearest_stations(site: Site) -> None:
    """Coordinates, a map without anything from outside, and stations with distance and direction."""
    case = await open_case(site)
    asha = await site.login("asha")
    assert "<svg" not in (await asha.get(f"/console/cases/{case}"))[1]
    now = site.service.now()
    point = InboundMessage(
        "terminal:point", site.chat._address, Carrier.LOCATION, Private(""), now, now, point=Private("28.6129,77.2295")
    )
    await site.service.receiver.receive(point)
    async with asyncio.timeout(10):
        while "<svg" not in (await asha.get(f"/console/cases/{case}"))[1]:
            await asyncio.sleep(0.1)
    _, page = await asha.get(f"/console/cases/{case}")
    assert "28.61290, 77.22950" in page and page.count("<circle") == 6
    assert re.search(r"railway station · \d\.\d km · to the", page)
    assert not re.findall(r"https?://(?!127)", page.partition('<svg viewBox="0 0 300')[2].partition("</svg>")[0])


async def test_facts_and_other_cases_of_the_same_person(site: Site) -> None:
    first = await open_case(site)
    asha = await site.login("asha")
    await asha.act(first, "claim")
    await asha.act(first, "hand_back", text="safe with her sister")
    second = await open_case(site, "please help, I am 15 and he beats me")
    assert second and second != first
    _, page = await asha.get(f"/console/cases/{second}")
    assert f'href="/console/cases/{first}"' in page and "same conversation" in page
    assert "English (en)" in page and "POCSO" in page and "Priority (0 is most urgent)" in page


@pytest.mark.parametrize(("locale", "own", "label"), [("hi", True, False), ("ta", False, True), ("en", True, False)])
async def test_replies_to_choose_say_honestly_where_a_translation_is_missing(
    site: Site, locale: str, own: bool, label: bool
) -> None:
    """Both languages side by side where both exist; the box holds nothing until a click, and nothing is sent."""
    await site.chat.say("", f"l:{locale}")
    case = await open_case(site)
    asha = await site.login("asha")
    await asha.act(case, "claim")
    _, page = await asha.get(f"/console/cases/{case}")
    words = site.service.content.messages
    assert html.escape(words["en"]["canned.believe"], quote=False) in page
    assert (words["hi"]["canned.believe"] in page) == (locale == "hi")
    assert ("no translation" in page) == label
    assert page.count('class="quiet put"') == len([key for key in words["en"] if key.startswith("canned.")]) >= 25
    assert (f'class="words" lang="{locale}"' in page) == own
    assert re.search(r"<textarea[^>]*></textarea>", page)
    sent = [message.text.reveal() for _, message in site.service.terminal.sent]
    assert words["en"]["canned.believe"] not in sent


async def test_the_whatsapp_window_counts_from_the_last_message_of_the_person(site: Site) -> None:
    """24 hours on WhatsApp; on other channels there is none."""
    case = await open_case(site)
    asha = await site.login("asha")
    assert 'id="window"' not in (await asha.get(f"/console/cases/{case}"))[1]
    await site.service.db["cases"].update_one({"_id": case}, {"$set": {"channel": "whatsapp"}})
    row = await site.service.db["cases"].find_one({"_id": case})
    assert row
    lines = await site.service.cases.transcript(row["conversation"])
    last = max(line.at for line in lines if line.who == "person")
    until = (last.replace(microsecond=0) + timedelta(hours=24)).isoformat()
    assert f'datetime="{until}"' in (await asha.get(f"/console/cases/{case}"))[1]
