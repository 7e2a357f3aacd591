"""The pages about histories: who may see and do what, nothing runs, every look is recorded, a sheet leaves once."""

from __future__ import annotations

import csv
import hashlib
import io
import re
from html import unescape
from typing import Any

import pdfplumber
import pytest

from bot.chat import Chat
from bot.console.graph import MOST_NODES, Node, draw
from bot.domain.reports import HistoryState
from bot.recruiters.history import History
from tests.console.conftest import Browser, Site
from tests.console.test_console import open_case
from tests.service.test_history import PHONE, WRITTEN

SHOWN = "70123 45670"
XSS = "<script>alert(1)</script>"
#: The one script that is ours on this page.
BELL = '<script src="/static/console/bell.js" defer></script>'


async def report(site: Site, text: str) -> str:
    """One more person reports; their turns are told to a chat of their own."""
    chat = Chat(site.service)
    turns, site.chat._turns = site.chat._turns, chat._turns
    await chat.say("", "l:en")
    turn, _ = await chat.say("", "c:report_recruiter")
    await chat.say(text)
    site.chat._turns = turns
    return turn.conversation.open_case


async def three(site: Site) -> History:
    for text in WRITTEN:
        await report(site, text)
    await site.service.histories.refresh()
    (history,) = site.service.histories.all
    return history


async def decide(browser: Browser, history: str, verb: str, **fields: str) -> tuple[int, str]:
    """Post one of the forms of the page as it stands now."""
    _, page = await browser.get(f"/console/histories/{history}")
    seen = re.search(r'name="seen" value="([0-9a-f]+)"', page)
    given: dict[str, Any] = {"csrf": await browser.token(), "seen": seen.group(1) if seen else "", **fields}
    return await browser.post(f"/console/histories/{history}/{verb}", **given)


async def confirm(browser: Browser, history: History) -> None:
    keys = [trace.key for trace in history.traces]
    _, page = await browser.get(f"/console/histories/{history.id}")
    seen = re.search(r'name="seen" value="([0-9a-f]+)"', page)
    assert seen
    fields = [("csrf", await browser.token()), ("seen", seen.group(1)), ("reason", "")]
    data = [*fields, *(("keys", key) for key in keys)]
    async with browser.session.post(f"{browser.url}/console/histories/{history.id}/confirm", data=data) as answer:
        assert answer.status == 200


def state(site: Site) -> HistoryState:
    found: HistoryState = site.service.histories.all[0].state
    return found


async def test_a_supervisor_goes_from_search_to_signature(site: Site) -> None:
    """Found by a number in another script, looked at, confirmed, signed with the tick, withdrawn with a reason."""
    history = await three(site)
    sudha = await site.login("sudha")
    status, page = await sudha.post("/console/histories", csrf=await sudha.token(), typed="७०१२३ ४५६७०")
    assert status == 200 and f"/console/histories/{history.id}" in page and SHOWN in page
    assert (
        f"/console/histories/{history.id}"
        not in (await sudha.post("/console/histories", csrf=await sudha.token(), typed="9111111111"))[1]
    )
    _, page = await sudha.get(f"/console/histories/{history.id}")
    assert "<svg" in page and "R1, R2: same phone" in re.sub(r"\s+", " ", re.sub(r"<[^>]+>", "", unescape(page)))
    assert (await decide(sudha, history.id, "sign", read="yes"))[0] == 409
    await confirm(sudha, history)
    assert state(site) is HistoryState.CONFIRMED
    _, page = await sudha.get(f"/console/histories/{history.id}")
    listed = page.partition('id="to-be-public"')[2].partition("</ul>")[0]
    assert SHOWN in listed and "gulf.jobs@okaxis" in listed
    assert (await decide(sudha, history.id, "sign"))[0] == 409
    assert (await decide(sudha, history.id, "sign", read="yes", reason="looked at it all"))[0] == 200
    assert state(site) is HistoryState.SIGNED and site.service.histories.reported(PHONE)
    assert (await decide(sudha, history.id, "withdraw"))[0] == 409
    status, page = await decide(sudha, history.id, "withdraw", reason="one of them took it back")
    assert state(site) is HistoryState.WITHDRAWN and not site.service.histories.reported(PHONE)
    assert "looked at it all" in page and "one of them took it back" in page


async def test_a_form_from_an_older_look_decides_nothing(site: Site) -> None:
    """A report came in between: the supervisor is told to look again."""
    history = await three(site)
    sudha = await site.login("sudha")
    _, page = await sudha.get(f"/console/histories/{history.id}")
    seen = re.search(r'name="seen" value="([0-9a-f]+)"', page)
    assert seen
    await report(site, "number 70123 45670")
    status, page = await sudha.post(
        f"/console/histories/{history.id}/confirm", csrf=await sudha.token(), seen=seen.group(1),
        keys=next(iter(history.traces)).key,
    )  # fmt: skip
    assert (status, state(site)) == (409, HistoryState.UNCONFIRMED)
    assert "has changed since" in page


async def test_splitting_marking_and_merging(site: Site) -> None:
    """Each does what it says, is listed with its reason, and its reverse brings it back."""
    history = await three(site)
    sudha = await site.login("sudha")
    assert (await decide(sudha, history.id, "split", report=history.members[2]))[0] == 409
    await decide(sudha, history.id, "split", report=history.members[2], reason="another man")
    assert len(site.service.histories.all) == 2
    phone = next(trace.key for trace in history.traces if trace.kind.value == "phone")
    await decide(sudha, history.id, "mark", key=phone, telling="no", reason="a bank")
    assert len(site.service.histories.all) == 3
    await decide(sudha, history.id, "mark", key=phone, telling="yes", reason="no bank")
    assert len(site.service.histories.all) == 2
    await decide(sudha, history.id, "merge", other=history.members[2], reason="the same after all")
    assert len(site.service.histories.all) == 1
    assert (await decide(sudha, history.id, "merge", other="0" * 12, reason="x"))[0] == 409
    await decide(sudha, history.id, "unlink", key=phone, reason="typed wrongly")
    _, page = await sudha.get(f"/console/histories/{history.id}")
    for words in ("another man", "the same after all", "no bank", "typed wrongly"):
        assert words in page
    log = page.partition(">Decisions<")[2].partition("</ol>")[0]
    assert log.count(SHOWN) == 3 and "built-in" not in page


async def test_a_responder_edits_the_report_of_their_own_case_only(site: Site) -> None:
    """Add, correct, describe, retract; a colleague's case and nonsense are refused with words; all is recorded."""
    case = await report(site, "number 70123 45670")
    asha, bina = await site.login("asha"), await site.login("bina")
    _, page = await asha.act(case, "identifiers", kind="alias", value="Guddu")
    assert "Only the responder who has this case" in page
    await asha.act(case, "claim")
    assert "Only the responder who has this case" in (await bina.act(case, "retract", reason="x"))[1]
    for kind, value, words in (
        ("alias", XSS, "&lt;script&gt;"), ("upi", "nobody", "cannot be an identifier"), ("phone", SHOWN, "there already"),
        ("nonsense", "x", "cannot be an identifier"),
    ):  # fmt: skip
        _, page = await asha.act(case, "identifiers", kind=kind, value=value)
        assert words in page and XSS not in page
    _, page = await asha.act(case, "report", district="पटना", amount="80,000")
    assert "Patna" in page and "80,000" in page
    assert "no district of this name" in (await asha.act(case, "report", district="Atlantis", amount=""))[1]
    assert "number of rupees" in (await asha.act(case, "report", district="", amount="-5"))[1]
    _, page = await asha.act(case, "retract", reason="reported twice")
    assert "Retracted" in page and site.service.histories.all == ()
    _, page = await asha.act(case, "restore")
    assert "Retracted" not in page and len(site.service.histories.all) == 1
    assert "has changed since" in (await asha.act(case, "restore"))[1]
    actions = [line["action"] for line in await site.service.audit.latest()]
    for action in (
        "report identifier added",
        "report identifier added refused",
        "report described",
        "report retracted",
    ):
        assert action in actions


async def test_a_responder_may_look_but_not_decide(site: Site) -> None:
    """The page opens from the case, without a form, and tells of namesakes; the list is the supervisors'."""
    history = await three(site)
    asha = await site.login("asha")
    _, page = await asha.get(f"/console/cases/{history.id}")
    assert f"/console/histories/{history.id}" in page
    other = await report(site, "number 70999 88877")
    sudha = await site.login("sudha")
    for case, alias in ((history.id, "गुड्डू भैया"), (other, "Guddu Bhaiya")):
        await sudha.act(case, "identifiers", kind="alias", value=alias)
    assert len(site.service.histories.all) == 2
    status, page = await asha.get(f"/console/histories/{history.id}")
    assert other in page and "70999 88877" in page
    assert status == 200 and SHOWN in page and f"/{history.id}/sign" not in page and "/confirm" not in page
    assert (await asha.get("/console/histories"))[0] == 403
    assert (await asha.get("/console/histories/000000000000"))[0] == 404


async def test_what_people_and_responders_wrote_is_only_text(site: Site) -> None:
    """Alias, reasons and recipient with markup, in the graph, the tables and the log."""
    history = await three(site)
    sudha = await site.login("sudha")
    await sudha.act(history.id, "identifiers", kind="alias", value=f"{XSS}\u202e")
    await sudha.act(history.id, "identifiers", kind="web", value="https://x.example/<svg onload=alert(1)>")
    await confirm(sudha, site.service.histories.all[0])
    await decide(sudha, history.id, "export", reason=XSS, recipient=XSS, form="csv")
    await decide(sudha, history.id, "merge", other="0" * 12, reason=XSS)
    await decide(sudha, history.id, "withdraw", reason=XSS)
    _, page = await sudha.get(f"/console/histories/{history.id}")
    assert "&lt;script&gt;alert(1)" in page and "<script" not in page.replace(BELL, "") and "<svg onload" not in page
    _, page = await sudha.post("/console/histories", csrf=await sudha.token(), typed=XSS)
    assert "<script" not in page.replace(BELL, "")


@pytest.mark.parametrize("form", ["pdf", "csv"])
async def test_a_sheet_leaves_with_its_number_and_a_line_in_the_register(site: Site, form: str) -> None:
    """Number, date, who, reason, recipient, hash; nobody who reported; neither case nor conversation; not kept."""
    history = await three(site)
    case = await site.service.cases.get(history.id)
    assert case
    sudha = await site.login("sudha")
    await sudha.act(history.id, "report", district="Patna", amount="80000")
    assert (await decide(sudha, history.id, "export", reason="FIR", recipient="Thana", form=form))[0] == 409
    await confirm(sudha, history)
    for missing in ({"recipient": " ", "reason": "FIR"}, {"recipient": "Thana", "reason": " "}):
        assert (await decide(sudha, history.id, "export", form=form, **missing))[0] == 409
    _, page = await sudha.get(f"/console/histories/{history.id}")
    seen = re.search(r'name="seen" value="([0-9a-f]+)"', page)
    assert seen
    fields = {"csrf": await sudha.token(), "seen": seen.group(1), "reason": "FIR", "recipient": "Thana", "form": form}
    async with sudha.session.post(f"{site.url}/console/histories/{history.id}/export", data=fields) as answer:
        assert (
            answer.headers["Content-Disposition"].startswith("attachment")
            and answer.headers["Cache-Control"] == "no-store"
        )
        data = await answer.read()
    if form == "pdf":
        with pdfplumber.open(io.BytesIO(data)) as pdf:
            text = "\n".join(page.extract_text() for page in pdf.pages)
    else:
        text = "\n".join(" ".join(row) for row in csv.reader(io.StringIO(data.decode("utf-8-sig"))))
    for words in (
        SHOWN,
        "gulf.jobs@okaxis",
        "Patna, Bihar",
        "80,000",
        "sudha",
        "Thana",
        "FIR",
        "unproven",
        "Independent reports 3",
    ):
        assert words in text, words
    assert not any(private in text for private in (case.conversation_id, *history.members, "Ramesh"))
    (sheet,) = await site.service.histories.sheets(history)
    assert sheet.digest in text and sheet.file == hashlib.sha256(data).hexdigest()
    assert f"{sheet.at.year}-0001" in text
    _, page = await sudha.get(f"/console/histories/{history.id}")
    assert "Thana" in page and sheet.digest[:16] in page and "history exported" in page
    lines = await site.service.audit.latest()
    line = next(line for line in lines if line["action"] == "history exported")
    assert line["extra"]["digest"] == sheet.digest and "Thana" not in str(lines)
    assert await site.service.audit.verify()


async def test_every_look_is_recorded_and_what_was_searched_is_not(site: Site) -> None:
    history = await three(site)
    sudha = await site.login("sudha")
    await sudha.get("/console/histories")
    await sudha.post("/console/histories", csrf=await sudha.token(), typed=SHOWN)
    await sudha.get(f"/console/histories/{history.id}")
    lines = await site.service.audit.latest()
    done = [(line["action"], line["about"]) for line in lines if line["who"] == "sudha"]
    assert {("histories read", ""), ("histories searched", ""), ("history read", history.id)} <= set(done)
    assert SHOWN not in str(lines) and PHONE not in str(lines)


async def test_the_page_speaks_hindi(site: Site) -> None:
    history = await three(site)
    sudha = await site.login("sudha")
    await sudha.post("/console/language", csrf=await sudha.token(), lang="hi")
    _, page = await sudha.get(f"/console/histories/{history.id}")
    assert "ये साबित नहीं हुई हैं" in page and "एक ही" in page


async def test_other_cases_have_no_report_until_somebody_makes_one(site: Site) -> None:
    case = await open_case(site)
    sudha = await site.login("sudha")
    _, page = await sudha.get(f"/console/cases/{case}")
    assert "Retract the report" not in page
    _, page = await sudha.act(case, "identifiers", kind="phone", value=SHOWN)
    assert SHOWN in page and "Retract the report" in page


def test_the_graph_has_every_line_and_says_what_it_left_out() -> None:
    """A line per naming, an arc per joining, nothing outside the picture, the rest counted."""
    left = [Node(f"i{number}", "phone", "x" * 60, "") for number in range(MOST_NODES + 5)]
    right = [Node("R1", "R1", "person 1", ""), Node("R2", "R2", "person 2", "")]
    graph = draw(left, right, [("i0", "R1"), ("i1", "R2"), ("i44", "R2")], [("R1", "R2")])
    assert (len(graph.lines), len(graph.boxes), graph.cut_off) == (3, MOST_NODES + 2, 5)
    assert all(box.x + box.width <= graph.width and box.y + box.height <= graph.height for box in graph.boxes)
    assert all(len(box.large) <= 23 for box in graph.boxes)
