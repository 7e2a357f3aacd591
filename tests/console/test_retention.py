"""What ends soon and what a law keeps, in the console: seen by whom it concerns, decided by supervisors, with a reason."""

from __future__ import annotations

from datetime import timedelta

from bot.domain.cases import CaseAction
from tests.console.conftest import Site
from tests.console.test_console import open_case


async def test_a_supervisor_keeps_a_case_for_a_law_and_lets_it_go(site: Site) -> None:
    """Only with a reason; both stand in the history, in the audit, and on the page; nobody else has the button."""
    case = await open_case(site)
    sudha, asha = await site.login("sudha"), await site.login("asha")
    assert f"/console/cases/{case}/hold" in (await sudha.get(f"/console/cases/{case}"))[1]
    assert f"/console/cases/{case}/hold" not in (await asha.get(f"/console/cases/{case}"))[1]
    assert (await asha.act(case, "hold", text="x"))[0] == 403
    await sudha.act(case, "hold", text=" ")
    found = await site.service.cases.get(case)
    assert found and not found.kept_at
    await sudha.act(case, "hold", text="<b>FIR 12</b>", key="k1")
    found = await site.service.cases.get(case)
    assert found and found.kept_at and found.kept_by == "sudha"
    for browser in (sudha, asha):
        page = (await browser.get(f"/console/cases/{case}"))[1]
        assert "A law keeps this case" in page and "&lt;b&gt;FIR 12" in page and "<b>FIR 12" not in page
    assert (await sudha.act(case, "hold", text="again", key="k2"))[0] == 409
    listed = (await sudha.get("/console/retention"))[1]
    assert f'<a href="/console/cases/{case}">' in listed and "No law keeps" not in listed
    await sudha.act(case, "lift", text="over", key="k3")
    assert "No law keeps a case now" in (await sudha.get("/console/retention"))[1]
    actions = [event.action for event in await site.service.cases.history(case)]
    assert actions[-2:] == [CaseAction.HOLD, CaseAction.LIFT]
    assert await site.service.audit.find(who="sudha", action="held for a law", about=case)
    assert await site.service.audit.find(who="sudha", action="let go", about=case)


async def test_what_ends_soon_stands_on_its_page_and_in_the_list(site: Site) -> None:
    """I7: a week and two days before; an auditor sees which, and cannot open it; the phone hears nothing."""
    case = await open_case(site)
    service = site.service
    await service.cases.act(case, CaseAction.CLOSE, "asha", service.now())
    found = await service.cases.get(case)
    assert found
    said = len(await service.cases.transcript(found.conversation_id))
    sudha, asha, anu = await site.login("sudha"), await site.login("asha"), await site.login("anu")
    assert "Nothing ends within a week" in (await sudha.get("/console/retention"))[1]
    for left, last in ((timedelta(days=6), False), (timedelta(hours=40), True)):
        closed = service.now() - timedelta(days=service.config.case_days) + left
        ends = {"closed_at": closed, "ends_for": closed, "ends_at": service.now() + left}
        await service.db["cases"].update_one({"_id": case}, {"$set": ends})
        listed = (await sudha.get("/console/retention"))[1]
        assert case in listed and ("less than 48 hours" in listed) is last
        assert "This case is erased on" in (await asha.get(f"/console/cases/{case}"))[1]
        seen = (await anu.get("/console/retention"))[1]
        assert case in seen and f"/console/cases/{case}" not in seen
    assert len(await service.cases.transcript(found.conversation_id)) == said
    await sudha.post("/console/language", csrf=await sudha.token(), lang="hi")
    assert "कब तक रखा जाता है" in (await sudha.get("/console/retention"))[1]


async def test_that_the_person_asked_stands_beside_it(site: Site) -> None:
    case = await open_case(site)
    service = site.service
    await service.cases.act(case, CaseAction.CLOSE, "asha", service.now())
    sudha = await site.login("sudha")
    await sudha.act(case, "hold", text="an order", key="k")
    await site.chat.say("", "c:delete")
    await site.chat.say("", "c:delete_yes")
    found = await service.cases.get(case)
    assert found
    waits = {"erase_waits": service.now()}
    await service.db["conversations"].update_one({"_id": found.conversation_id}, {"$set": waits})
    for path in (f"/console/cases/{case}", "/console/retention"):
        assert "The person asked to have all of it erased" in (await sudha.get(path))[1]
