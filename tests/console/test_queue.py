"""The queue: filters, the way to a case by its number, several cases at once, the next shift, and who carries how much."""

from __future__ import annotations

from urllib.parse import quote

import pytest

from bot.chat import Chat
from bot.config import Config
from tests.console.conftest import Browser, Site

DISTRESS = "please help me, they locked me in a room"


async def two_cases(site: Site) -> tuple[str, str]:
    """A case of somebody locked in, and a report in Hindi by another person."""
    first, _ = await site.chat.say(DISTRESS)
    other = Chat(site.service)
    told = site.chat._turns
    other._turns = told
    await other.say("", "l:hi")
    second, _ = await other.say("", "c:report_recruiter")
    return first.conversation.open_case, second.conversation.open_case


def rows(page: str) -> list[str]:
    """Return the numbers of the cases shown, in order."""
    return [part.partition('"')[0] for part in page.split('data-id="')[1:]]


async def change(browser: Browser, *cases: str, **fields: str) -> str:
    data = [("csrf", await browser.token()), *fields.items(), *(("cases", case) for case in cases)]
    async with browser.session.post(f"{browser.url}/console/queue/change", data=data) as answer:
        return await answer.text()


async def test_filters_show_some_and_say_how_many_are_hidden(site: Site) -> None:
    """Danger comes first; each filter by itself; a hidden case is counted, never forgotten."""
    danger, report = await two_cases(site)
    asha = await site.login("asha")
    assert rows((await asha.get("/console/queue"))[1]) == [danger, report]
    await asha.act(report, "claim")
    for query, shown in (
        ("kind=distress", [danger]),
        ("kind=report", [report]),
        ("locale=hi", [report]),
        ("whose=mine", [report]),
        ("whose=unclaimed", [danger]),
        ("overdue=1", []),
        ("channel=terminal", [danger, report]),
        ("channel=whatsapp", []),
        ("minor=1", []),
        ("state=BR", []),
        ("kind=distress&locale=hi", []),
    ):
        _, page = await asha.get(f"/console/queue?{query}")
        assert rows(page) == shown, query
        assert f"<b>{2 - len(shown)}</b></p>" in page


async def test_a_case_is_found_by_its_number(site: Site) -> None:
    danger, _ = await two_cases(site)
    asha = await site.login("asha")
    assert danger in (await asha.get(f"/console/find?case={danger.upper()}"))[1]
    for typed in ("000000000000", "", "%3Cscript%3E"):
        _, page = await asha.get(f"/console/find?case={typed}")
        assert "No open case of this number" in page and "<script>" not in page


async def test_cases_are_found_by_place_district_and_label(site: Site) -> None:
    """In whichever script the place is written; the rest of the queue is said to be hidden."""
    danger, _ = await two_cases(site)
    point = next(iter(site.service.places.directory.points.values()))
    fields = {"place": point.code, "district": "BR:Gaya", "labels": ["night-shelter"]}
    await site.service.db["cases"].update_one({"_id": danger}, {"$set": fields})
    asha = await site.login("asha")
    for typed in (point.names["en"], point.code.lower(), "gaya", "Bihar", "NIGHT"):
        _, page = await asha.get(f"/console/find?case={quote(typed)}")
        assert rows(page) == [danger], typed
    assert rows((await asha.get("/console/queue?state=BR"))[1]) == [danger]
    assert rows((await asha.get("/console/queue?state=TN"))[1]) == []
    await asha.session.close()


async def test_several_own_cases_change_at_once_and_no_others(site: Site) -> None:
    """A note twice with one key is one; a colleague's case stays; giving away needs a reason and a person on duty."""
    danger, report = await two_cases(site)
    asha, bina = await site.login("asha"), await site.login("bina")
    await asha.act(danger, "claim")
    await bina.act(report, "claim")
    for _ in range(2):
        page = await change(asha, danger, report, "0" * 12, do="note", text="shift ends", key="k")
        assert "Changed: 1." in page and "Left as they are: 2." in page
    for fields in ({"do": "transfer", "text": "tired", "to": "root"}, {"do": "transfer", "text": " ", "to": "bina"},
                   {"do": "erase", "text": "x"}):  # fmt: skip
        assert "Left as they are: 1." in await change(asha, danger, **fields)
    assert "Changed: 1." in await change(asha, danger, do="transfer", text="my shift ends", to="bina", anyway="yes")
    case = await site.service.cases.get(danger)
    assert case and case.owner == "bina"
    events = await site.service.cases.history(danger)
    assert [event.action.value for event in events].count("note") == 1
    assert events[-1].detail.reveal() == "bina · my shift ends"
    assert "Changed: 2." in await change(bina, danger, report, do="release", text="too much")
    assert {case.owner for case in await site.service.cases.queue()} == {None}
    assert await site.service.cases.broken_at(danger) is None
    assert "transfer" in [line["action"] for line in await site.service.audit.latest()]


async def test_a_transfer_needs_a_reason(site: Site) -> None:
    danger, _ = await two_cases(site)
    asha = await site.login("asha")
    await asha.act(danger, "claim")
    await asha.act(danger, "transfer", to="bina", text=" ")
    case = await site.service.cases.get(danger)
    assert case and case.owner == "asha"
    await asha.act(danger, "transfer", to="bina", text="speaks Bengali")
    case = await site.service.cases.get(danger)
    assert case and case.owner == "bina"
    assert "bina · speaks Bengali" in (await asha.get(f"/console/cases/{danger}"))[1]


async def test_the_next_shift_reads_what_this_one_wrote(site: Site) -> None:
    """Sealed in the database, as text on the page, the newest only."""
    asha, bina = await site.login("asha"), await site.login("bina")
    for text in ("older note", "<script>alert(1)</script> look at the second case"):
        await asha.post("/console/queue/handover", csrf=await asha.token(), text=text)
    _, page = await bina.get("/console/queue")
    assert "&lt;script&gt;alert(1)&lt;/script&gt; look at the second case" in page and "older note" not in page
    assert "second case" not in str(await site.service.db["handovers"].find({}).to_list())
    assert "shift handed over" in [line["action"] for line in await site.service.audit.latest()]


@pytest.fixture
def config(config: Config) -> Config:
    return config.model_copy(update={"cases_each": 1})


async def test_the_console_warns_before_one_case_too_many(site: Site) -> None:
    """From the limit on, taking another needs a second, willing click; it is never forbidden."""
    danger, report = await two_cases(site)
    asha = await site.login("asha")
    await asha.act(report, "claim")
    assert 'class="full">asha <b>1</b> / 1' in (await asha.get("/console/queue"))[1]
    _, page = await asha.act(danger, "claim")
    assert "worn out" in page
    case = await site.service.cases.get(danger)
    assert case and case.owner is None
    await asha.act(danger, "claim", anyway="yes")
    case = await site.service.cases.get(danger)
    assert case and case.owner == "asha"
