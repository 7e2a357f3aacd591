"""The case of somebody else: what a supervisor can do with it, who may be given one, and what the history says."""

from __future__ import annotations

import re

from bot.domain.attending import CLOCK
from bot.domain.cases import CaseAction, CaseEvent
from bot.domain.private import NOTHING_SAID, Private
from bot.domain.rota import Person, Rota
from bot.domain.why import Why, reason
from tests.console.conftest import Browser, Site
from tests.console.test_console import open_case
from tests.service.test_shifts import ZONE, shift


async def owned(site: Site) -> tuple[str, Browser, Browser]:
    """A case that asha has; asha and a supervisor at the console."""
    case = await open_case(site)
    asha, sudha = await site.login("asha"), await site.login("sudha")
    await asha.act(case, "claim")
    return case, asha, sudha


async def lines(site: Site, case: str) -> list[tuple[str, str, str]]:
    history = await site.service.cases.history(case)
    return [(event.who, event.action.value, event.detail.reveal()) for event in history]


async def test_a_supervisor_takes_a_case_over_from_its_page(site: Site) -> None:
    """Only with a reason, and only a supervisor: the page of a colleague has no such button."""
    case, asha, sudha = await owned(site)
    assert "take_over" in (await sudha.get(f"/console/cases/{case}"))[1]
    bina = await site.login("bina")
    assert "take_over" not in (await bina.get(f"/console/cases/{case}"))[1]
    assert (await bina.act(case, "take_over", text="mine"))[0] == 403
    await sudha.act(case, "take_over", text="")
    assert (await lines(site, case))[-1][1] == "claim"
    for _ in range(2):
        await sudha.act(case, "take_over", text="<b>she is ill</b>", key="k1")
    assert (await lines(site, case))[-1] == ("sudha", "take_over", "asha · <b>she is ill</b>")
    assert [line[1] for line in await lines(site, case)].count("take_over") == 1
    found = await site.service.cases.get(case)
    assert found and found.owner == "sudha"
    page = (await sudha.get(f"/console/cases/{case}"))[1]
    assert "she is ill" in page and "<b>she is ill" not in page
    assert "case_owner" not in page and "/take_over" not in page
    assert (await asha.act(case, "reply", text="hello", key="r"))[0] == 409
    assert await site.service.audit.find(who="sudha", action="taken over", about=case)


async def test_a_supervisor_puts_a_case_back_and_the_person_knows(site: Site) -> None:
    case, _, sudha = await owned(site)
    await sudha.act(case, "put_back", text="she went home")
    found = await site.service.cases.get(case)
    assert found and found.owner is None
    said = [line.text.reveal() for line in await site.service.cases.transcript(found.conversation_id)]
    assert said[-1].startswith("The helper has left the chat.")
    assert await site.service.db["alerts"].count_documents({"case": case, "channel": "console"}) == 2
    assert (await sudha.act(case, "put_back", text="again"))[0] == 409


async def test_opening_the_page_is_reading(site: Site) -> None:
    """A case that was given is in good hands once its page was opened by whom it was given to."""
    case, asha, sudha = await owned(site)
    await asha.act(case, "transfer", to="bina", text="end of my shift")
    await sudha.get(f"/console/cases/{case}")
    given = await site.service.cases.get(case)
    assert given and (given.owner, given.duty) == ("bina", "given")
    bina = await site.login("bina")
    await bina.get(f"/console/cases/{case}")
    opened = await site.service.cases.get(case)
    assert opened and opened.duty != "given"


async def test_who_is_on_shift_stands_first_with_their_cases(site: Site) -> None:
    """Of those the one with the fewest; others below them, for nobody is left out."""
    case, asha, _ = await owned(site)
    rota = Rota(ZONE, (Person("sudha"),), (shift("sudha", "00:00", "00:00"),))
    await site.service.rotas.save(rota, "root", site.service.now())
    await site.service.oncall.refresh()
    page = (await asha.get(f"/console/cases/{case}"))[1]
    options = re.findall(r'<option value="(bina|sudha)">([^<]+)</option>', page)
    assert options == [("sudha", "sudha · on shift · 0 cases"), ("bina", "bina · 0 cases")]


async def test_the_history_of_a_shut_out_owner_names_the_clock(site: Site) -> None:
    """Not the owner, who did nothing; and each reader has the reason in their own language."""
    case, _, sudha = await owned(site)
    root = await site.login("root")
    await root.post("/console/people/asha/disable", csrf=await root.token())
    assert await site.service.people.clear() in {0, 1}
    found = await site.service.cases.get(case)
    assert found and found.owner is None
    assert (await lines(site, case))[-1] == (CLOCK, "put_back", "@owner_gone")
    said = [line.text.reveal() for line in await site.service.cases.transcript(found.conversation_id)]
    assert said[-1].startswith("The helper has left the chat.")
    for lang in ("en", "hi"):
        await sudha.post("/console/language", csrf=await sudha.token(), lang=lang)
        page = (await sudha.get(f"/console/cases/{case}"))[1]
        assert site.service.content.words(lang, "console.why.owner_gone") in page
        assert "@owner_gone" not in page


def test_every_reason_has_words_in_both_languages(site: Site) -> None:
    for why in Why:
        for lang in ("en", "hi"):
            assert site.service.content.words(lang, f"console.why.{why.value}")
    for action in CaseAction:
        for lang in ("en", "hi"):
            assert site.service.content.words(lang, f"console.action.{action.value}")


def test_reasons_of_old_are_read_and_words_of_people_are_not(site: Site) -> None:
    """Lines from before there were ids keep their meaning; what a person wrote is never taken for one of ours."""
    now = site.service.now()

    def read(action: CaseAction, detail: str, who: str = CLOCK) -> tuple[Why, str] | None:
        return reason(CaseEvent("c", 1, now, who, action, Private(detail) if detail else NOTHING_SAID))

    assert read(CaseAction.ESCALATE, "rung 2: sudha") == (Why.RUNG, " 2: sudha")
    assert read(CaseAction.ESCALATE, "@rung 3 · telegram: sudha") == (Why.RUNG, " 3 · telegram: sudha")
    assert read(CaseAction.RELEASE, "its owner may not work on it any more") == (Why.OWNER_GONE, "")
    assert read(CaseAction.PAGE, "nobody: more than 3 reports in a day") == (Why.TOO_MANY, "")
    assert read(CaseAction.TELL, "not asked: WhatsApp lets us write within 24 hours only") == (Why.WINDOW_OVER, "")
    assert read(CaseAction.TELL, "@kept", "person") is None
    for detail in ("@nothing", "rung 2", "hello", ""):
        assert read(CaseAction.NOTE, detail) is None
        assert read(CaseAction.PAGE, detail) is None
