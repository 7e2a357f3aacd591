"""Several cases at once, by the rules of one, without JavaScript; the page says what became of each."""

from __future__ import annotations

import re

import pytest

from bot.config import Config
from bot.domain.cases import Case, CaseAction
from bot.domain.private import Private
from tests.console.conftest import Browser, Site
from tests.console.test_queue import change, rows, two_cases


@pytest.fixture
def config(config: Config) -> Config:
    return config.model_copy(update={"cases_each": 2})


async def one(site: Site, name: str) -> Case:
    case = await site.service.cases.get(name)
    assert case
    return case


def each(page: str) -> dict[str, str]:
    """Return what the page says of each case."""
    lines = re.findall(r"<li[^>]*>(.*?)</li>", page.partition('id="each"')[2].partition("</ul>")[0])
    told = [re.sub(r"<[^>]+>", "", line).rpartition(": ") if "not done" not in line else
            re.sub(r"<[^>]+>", "", line).partition(": ") for line in lines]  # fmt: skip
    return {name.split()[-1]: words for name, _, words in told}


async def claim(browser: Browser, *cases: str) -> None:
    for case in cases:
        await browser.act(case, "claim", anyway="yes")


async def test_several_are_closed_with_one_outcome_and_reason(site: Site) -> None:
    """A child's case with its duty open stays, and is named with the reason; a colleague's and a made-up one too."""
    danger, report = await two_cases(site)
    asha, bina = await site.login("asha"), await site.login("bina")
    await claim(asha, danger, report)
    await asha.act(danger, "minor")
    page = await change(asha, danger, report, "0" * 12, do="close", text="end of the line", outcome="safe", key="k")
    assert "Changed: 1." in page and "Left as they are: 2." in page
    said = each(page)
    assert said[report] == "done" and "a task that must be done is still open" in said[danger]
    assert "there is no such case" in said["0" * 12]
    assert (await one(site, danger)).owner == "asha" and (await one(site, danger)).state.value != "closed"
    closed = await site.service.db["cases"].find_one({"_id": report})
    assert closed and (closed["state"], closed["outcome"]) == ("closed", "safe")
    event = (await site.service.cases.history(report))[-1]
    assert (event.action, event.who, event.detail.reveal()) == (CaseAction.CLOSE, "asha", "end of the line")
    again = await change(asha, danger, report, do="close", text="end of the line", outcome="safe", key="k")
    assert each(again)[report] == "done" and len(await site.service.cases.history(report)) == event.number
    assert "this case is not yours" in each(await change(bina, danger, do="close", text="x", key="b"))[danger]
    assert "the reason is missing" in each(await change(asha, danger, do="close", text=" ", key="c"))[danger]
    lines = [line["action"] for line in await site.service.audit.find(who="asha")]
    assert "close" in lines and "close refused" in lines


async def test_a_supervisor_closes_and_gives_away_what_others_have(site: Site) -> None:
    """A responder sees boxes at their own cases only; one that nobody has is claimed on the way to its new owner."""
    danger, report = await two_cases(site)
    asha, sudha = await site.login("asha"), await site.login("sudha")
    await claim(asha, danger)
    for browser, boxes in ((asha, [danger]), (sudha, [danger, report])):
        _, page = await browser.get("/console/queue")
        assert rows(page) == [danger, report]
        assert re.findall(r'name="cases" value="(\w+)"', page) == boxes
    assert "this case is not yours" in each(await change(asha, report, do="transfer", to="bina", text="x"))[report]
    page = await change(sudha, danger, report, do="transfer", to="bina", text="asha is ill", key="k")
    assert each(page) == {danger: "done", report: "done"}
    assert {(await one(site, name)).owner for name in (danger, report)} == {"bina"}
    for name, actions in ((danger, ["transfer"]), (report, ["claim", "transfer"])):
        last = (await site.service.cases.history(name))[-len(actions) :]
        assert [(event.action.value, event.who) for event in last] == [(action, "sudha") for action in actions]
        assert last[-1].detail.reveal() == "bina · asha is ill"
        assert await site.service.cases.broken_at(name) is None
    again = each(await change(sudha, danger, do="transfer", to="bina", text="once more", key="k2"))
    assert "has it already" in again[danger]
    page = await change(sudha, danger, report, do="close", text="both are home", outcome="safe", key="k3")
    assert each(page) == {danger: "done", report: "done"}
    page = await change(sudha, danger, do="close", text="again", key="k4")
    assert "the case has changed meanwhile" in each(page)[danger]


async def test_nobody_is_given_more_than_they_can_carry(site: Site) -> None:
    """Those given a moment ago count; a tick gives all the same. Nobody is given what they may not see."""
    danger, report = await two_cases(site)
    sudha, bina = await site.login("sudha"), await site.login("bina")
    site.service.config = site.service.config.model_copy(update={"cases_each": 1})
    page = await change(sudha, danger, report, do="transfer", to="bina", text="please", key="k")
    assert each(page)[danger] == "done" and "as many cases as one can carry" in each(page)[report]
    page = await change(sudha, report, do="transfer", to="bina", text="please", anyway="yes", key="k")
    assert each(page) == {report: "done"}
    for to in ("pari", "root", "nobody", ""):
        page = await change(bina, danger, do="transfer", to=to, text="please", anyway="yes", key=f"to {to}")
        assert "cannot go to that person" in each(page)[danger], to
    now = site.service.now()
    await site.service.cases.act(
        danger, CaseAction.SHARE, "sudha", now, detail=Private("x"), labels=("child",), district="BR:Patna"
    )
    page = await change(bina, danger, do="transfer", to="pari", text="child welfare", key="k9")
    assert each(page) == {danger: "done"} and (await one(site, danger)).owner == "pari"


async def test_a_case_that_moves_meanwhile_is_left(site: Site) -> None:
    """Between reading and acting its owner changed: it stays with whoever has it now."""
    danger, _ = await two_cases(site)
    asha, sudha = await site.login("asha"), await site.login("sudha")
    await claim(asha, danger)
    read = site.service.cases.acted

    async def late(case_id: str, key: str, session: object = None) -> bool:
        if session is None and key.startswith("slow"):
            await site.service.respond.transfer(await one(site, danger), "asha", "bina", "quick")
        return await read(case_id, key, session)  # type: ignore[arg-type]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(site.service.cases, "acted", late)
        page = await change(sudha, danger, do="close", text="x", key="slow")
    assert "the case has changed meanwhile" in each(page)[danger]
    assert (await one(site, danger)).owner == "bina"
