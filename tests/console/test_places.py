"""The console's page of posters: reported ones first, withdrawing with a reason, printing what is in force."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pypdfium2
import pytest
import zxingcpp

from bot.domain.codes import spaced, start
from bot.domain.places import Count, Purpose
from tests.console.conftest import Site


def code_at(site: Site, place: str) -> str:
    poster = site.service.places.directory.newest(place, Purpose.POSTER)
    assert poster
    return poster.code


async def test_a_reported_poster_comes_first_and_is_withdrawn_with_a_reason(site: Site) -> None:
    """J8: the administrator sees it, says why, and from then on it is unknown; a supervisor only looks."""
    code = code_at(site, "SDAH")
    await site.chat.say(start(code))
    await site.chat.say("this poster looks false")
    await site.service.places.refresh()
    root, sudha = await site.login("root"), await site.login("sudha")
    _, page = await root.get("/console/places")
    assert page.index("Sealdah") < page.index("Howrah") and "Reported 1" in page
    assert "/revoke" not in (await sudha.get("/console/places"))[1]
    token = await root.token()
    status, page = await root.post(f"/console/places/{code}/revoke", csrf=token, reason=" ")
    assert status == 400 and "Write a reason" in page
    status, page = await root.post(f"/console/places/{code}/revoke", csrf=token, reason="copied <b>by</b> a tout")
    assert status == 200 and "copied &lt;b&gt;by" in page
    assert site.service.places.directory.valid(code) is None
    assert (await root.post(f"/console/places/{code}/revoke", csrf=token, reason="again"))[0] == 409
    assert any(line["action"] == "poster withdrawn" for line in await site.service.audit.latest())
    await root.post("/console/places/SDAH/series", csrf=token, purpose="poster")
    assert code_at(site, "SDAH") != code
    for browser in (root, sudha):
        await browser.session.close()


async def test_what_is_withdrawn_is_not_printed(site: Site) -> None:
    """Without an address to print, and for a withdrawn code, the page says why; else it holds the code and its words."""
    code = code_at(site, "HWH")
    root = await site.login("root")
    status, page = await root.get(f"/console/places/{code}/print")
    assert status == 409 and "PUBLIC_URL" in page
    address = {"public_url": "https://sahyatri.example.org", "whatsapp_number": "+91 11111 22222"}
    site.service.config = site.service.config.model_copy(update=address)
    status, page = await root.get(f"/console/places/{code}/print?lang=hi&lang=ur&lang=xx")
    assert status == 200 and spaced(code) in page and f"sahyatri.example.org/q/{code}" in page
    assert 'dir="rtl"' in page and "<script" not in page.partition("<article")[2] and page.count("<svg") >= 9
    await site.service.places.revoke(code, "root", "copied")
    for path in ("print", "poster.pdf"):
        status, page = await root.get(f"/console/places/{code}/{path}")
        assert status == 409 and "not in force" in page
    await root.session.close()


@pytest.mark.timeout(300)
async def test_the_pdf_is_drawn(site: Site) -> None:
    """From the console, in the languages asked for; strange wishes are refused."""
    site.service.config = site.service.config.model_copy(update={"public_url": "https://sahyatri.example.org"})
    code, root = code_at(site, "HWH"), await site.login("root")
    async with root.session.get(f"{site.url}/console/places/{code}/poster.pdf?kind=sticker&lang=en") as answer:
        assert answer.content_type == "application/pdf"
        page = pypdfium2.PdfDocument(await answer.read())[0]
    found = zxingcpp.read_barcodes(page.render(scale=2).to_pil())
    assert found[0].text == f"https://sahyatri.example.org/q/{code}"
    assert (await root.get(f"/console/places/{code}/poster.pdf?kind=banner"))[0] == 400
    await root.session.close()


async def test_small_numbers_are_not_shown(site: Site) -> None:
    """Ten scans of a day are "< 11", and so is a day that is not over."""
    yesterday = (site.service.now() - timedelta(days=1)).date()
    few = Count("HWH", yesterday, "scan", "page", 10)
    await site.service.places._store.count(
        [few, replace(few, place="SDAH", number=53), replace(few, what="start", number=7)]
    )
    root = await site.login("root")
    _, page = await root.get("/console/places")
    sealdah, howrah = (page.partition(f'id="{code}"')[2].partition("</p>")[0] for code in ("SDAH", "HWH"))
    assert "53" in sealdah and "&lt; 11" in howrah and "10" not in howrah.partition("<p>")[2]
    await root.session.close()
