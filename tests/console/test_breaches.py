"""The console's page for a breach notice: prepared, seen, confirmed by a second person, and in the audit."""

from __future__ import annotations

from tests.console.conftest import Site


async def test_an_administrator_prepares_and_a_supervisor_confirms(site: Site) -> None:
    """The dry run stands on the page; the audit has both names and the counts, and no conversation."""
    await site.chat.say("hello")
    root, sudha = await site.login("root"), await site.login("sudha")
    token = await root.token()
    status, page = await root.post("/console/breaches", csrf=token, since="soon")
    assert status == 400 and "choose a day" in page
    _, page = await root.post("/console/breaches", csrf=token, since="2026-01-01")
    assert "written to first" in page and "terminal" in page and "Confirm and send" not in page
    assert await site.service.db["breach_sends"].count_documents({}) == 0
    status, _ = await root.post("/console/breaches/1/confirm", csrf=token)
    assert status == 403
    page = (await sudha.get("/console/breaches"))[1]
    assert "Confirm and send" in page and "A note about this chat" in page and "इस चैट के बारे में" in page
    _, page = await sudha.post("/console/breaches/1/confirm", csrf=await sudha.token())
    assert "confirmed" in page and "root" in page and "sudha" in page
    (line,) = await site.service.audit.find(action="breach notice confirmed")
    assert line["who"] == "sudha" and line["about"] == "1"
    assert line["extra"] == {"first": "0", "deferred": "1"}
    status, page = await sudha.post("/console/breaches/1/confirm", csrf=await sudha.token())
    assert status == 400 and "Not confirmed" in page
    await root.post("/console/breaches/1/cancel", csrf=token)
    assert "cancelled" in (await root.get("/console/breaches"))[1]
    for browser in (root, sudha):
        await browser.session.close()
