"""A case opened again by a supervisor, and one that a responder marks as a child's."""

from __future__ import annotations

from bot.domain.cases import CaseAction, CaseState
from bot.domain.tasks import TaskRule
from tests.console.conftest import Site, site  # noqa: F401 - the fixture
from tests.console.test_console import open_case


async def test_a_supervisor_opens_a_closed_case_again_for_a_reason(site: Site) -> None:  # noqa: F811
    """Not a responder, not without a reason; it pages, the bot says nothing to the person, and one form does it once."""
    service, case = site.service, await open_case(site)
    asha, sudha = await site.login("asha"), await site.login("sudha")
    await asha.act(case, "claim")
    _, page = await sudha.get(f"/console/cases/{case}")
    assert "/reopen" not in page
    await asha.act(case, "close", text="met")
    _, page = await asha.get(f"/console/cases/{case}")
    assert "/reopen" not in page
    _, page = await sudha.get(f"/console/cases/{case}")
    assert f'action="/console/cases/{case}/reopen"' in page
    assert (await asha.act(case, "reopen", text="x", key="r"))[0] == 403
    await sudha.act(case, "reopen", text=" ", key="r")
    found = await service.cases.get(case)
    assert found and found.state is CaseState.CLOSED
    before = await service.db["outbox"].count_documents({})
    pages = await service.db["alerts"].count_documents({"case": case})
    for _ in range(2):
        await sudha.act(case, "reopen", text="<b>the brother wrote</b>", key="r")
    found = await service.cases.get(case)
    assert found and (found.state, found.owner, found.escalations) == (CaseState.PAGED, None, 0)
    assert await service.db["alerts"].count_documents({"case": case}) > pages
    events = [event for event in await service.cases.history(case) if event.action is CaseAction.REOPEN]
    assert [(event.who, event.detail.reveal()) for event in events] == [("sudha", "<b>the brother wrote</b>")]
    _, page = await sudha.get(f"/console/cases/{case}")
    assert "&lt;b&gt;the brother wrote" in page
    await service.watch._climb(found)
    await asha.act(case, "claim")
    assert await service.db["outbox"].count_documents({}) == before
    await asha.act(case, "reply", text="Asha again", key="a")
    assert await service.db["outbox"].count_documents({}) == before + 1
    await asha.session.close()
    await sudha.session.close()


async def test_a_responder_marks_a_case_as_a_childs_and_the_duty_comes_with_it(site: Site) -> None:  # noqa: F811
    """Once, however often it is pressed; it cannot end before the duty is done, and the button is gone."""
    service, case = site.service, await open_case(site)
    asha = await site.login("asha")
    await asha.act(case, "claim")
    _, page = await asha.get(f"/console/cases/{case}")
    assert f'action="/console/cases/{case}/minor"' in page
    for _ in range(2):
        await asha.act(case, "minor")
    found = await service.cases.get(case)
    assert found and found.minor
    assert [task.rule for task in await service.task_store.of(case)] == [TaskRule.CHILD_WELFARE]
    _, page = await asha.get(f"/console/cases/{case}")
    assert "/minor" not in page and "under_18" not in page
    _, page = await asha.act(case, "close", text="met")
    found = await service.cases.get(case)
    assert found and found.state is not CaseState.CLOSED
    told = [event for event in await service.cases.history(case) if event.action is CaseAction.TELL]
    assert [(event.who, event.detail.reveal()) for event in told] == [("asha", "under_18: yes")]
    await asha.session.close()


async def test_who_says_that_they_are_under_18_makes_it_a_childs_case(site: Site) -> None:  # noqa: F811
    """As danger told of a child does: the flag, the task, and a page, for it may be somebody else's to take."""
    service, case = site.service, await open_case(site)
    pages = await service.db["alerts"].count_documents({"case": case})
    await site.chat.say("", "q:age_no")
    found = await service.cases.get(case)
    assert found and not found.minor
    turn, _ = await site.chat.say("", "q:age_yes")
    found = await service.cases.get(case)
    assert found and found.minor and turn.conversation.minor
    assert [task.rule for task in await service.task_store.of(case)] == [TaskRule.CHILD_WELFARE]
    assert await service.db["alerts"].count_documents({"case": case}) > pages
