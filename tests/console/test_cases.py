"""The page of a case: what is known, where the person is, what else there is about them, words to choose from."""

from __future__ import annotations

import asyncio
import html
import io
import re
from dataclasses import replace
from datetime import timedelta

import pdfplumber
import pytest

from bot.domain.messages import Carrier, InboundMessage
from bot.domain.private import Private
from tests.console.conftest import Browser, Site

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
    assert "English (en)" in page and "POCSO" in page and "very urgent" in page


@pytest.mark.parametrize(("locale", "draft"), [("hi", True), ("ta", True), ("en", False)])
async def test_replies_to_choose_stand_in_both_languages(site: Site, locale: str, draft: bool) -> None:
    """The person's beside the responder's; the box holds nothing until a click, and nothing is sent."""
    await site.chat.say("", f"l:{locale}")
    case = await open_case(site)
    asha = await site.login("asha")
    await asha.act(case, "claim")
    _, page = await asha.get(f"/console/cases/{case}")
    words = site.service.content.messages
    assert html.escape(words["en"]["canned.believe"], quote=False) in page
    assert {code for code in words if html.escape(words[code]["canned.believe"], quote=False) in page} == {"en", locale}
    assert "no translation" not in page
    assert ("has checked these translations yet" in page) == draft
    keys = [key for key in words["en"] if key.startswith("canned.")]
    assert page.count('class="quiet put"') == page.count(f'class="words" lang="{locale}"') == len(keys) >= 25
    assert re.search(r"<textarea[^>]*></textarea>", page)
    sent = [message.text.reveal() for _, message in site.service.terminal.sent]
    assert words["en"]["canned.believe"] not in sent


async def test_replies_to_choose_say_honestly_where_a_translation_is_missing(site: Site) -> None:
    """A language that is not offered: the words stand once, in the responder's language, and the page says so."""
    case = await open_case(site)
    asha = await site.login("asha")
    await asha.act(case, "claim")
    await site.service.db["cases"].update_one({"_id": case}, {"$set": {"locale": "sat"}})
    _, page = await asha.get(f"/console/cases/{case}")
    assert "no translation" in page and "has checked these translations yet" not in page
    assert 'class="words" lang="en"' in page and 'class="words" lang="sat"' not in page


async def test_one_untranslated_reply_is_told_from_the_others(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where one reply alone lacks the person's language, the others are still in it."""
    await site.chat.say("", "l:ta")
    case = await open_case(site)
    asha = await site.login("asha")
    await asha.act(case, "claim")
    content = site.service.content
    short = {key: words for key, words in content.messages["ta"].items() if key != "canned.believe"}
    lacking = replace(content, messages={**content.messages, "ta": short})
    monkeypatch.setattr(site.service.wording, "content", lacking)
    _, page = await asha.get(f"/console/cases/{case}")
    assert "no translation" in page
    assert page.count('class="words" lang="en"') == 1
    assert page.count('class="words" lang="ta"') == page.count('class="quiet put"') - 1


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


async def test_a_child_makes_a_task_that_must_be_done_before_the_case_can_end(site: Site) -> None:
    """Due in 24 hours; closing and handing back are refused; no outcome, no end; all of it in an unbroken chain."""
    case = await open_case(site, "please help, I am 15 and he beats me")
    asha, bina = await site.login("asha"), await site.login("bina")
    (task,) = await site.service.task_store.of(case)
    assert task.mandatory and task.due and timedelta(hours=23) < task.due - site.service.now() <= timedelta(hours=24)
    await asha.act(case, "claim")
    for verb in ("close", "hand_back"):
        _, page = await asha.act(case, verb, text="done")
        assert "still open" in page
    await asha.act(case, "tasks/finish", task=task.id, text="   ")
    _, page = await bina.act(case, "tasks/finish", task=task.id, text="I did")
    assert "Somebody else" in page
    (still,) = await site.service.task_store.of(case)
    assert still.open
    await asha.act(case, "tasks/finish", task=task.id, text="CWC told at 10:40, Ms Rao")
    _, page = await asha.act(case, "tasks/finish", task=task.id, text="a second time")
    assert "CWC told at 10:40" in page and "a second time" not in page
    await asha.act(case, "hand_back", text="with the child welfare committee")
    closed = await site.service.cases.get(case)
    assert closed and closed.state.value == "closed"
    assert await site.service.cases.broken_at(case) is None
    actions = [event.action.value for event in await site.service.cases.history(case)]
    assert actions.count("task") == 1 and actions.count("task_done") == 1


async def test_an_overdue_task_is_seen_in_the_queue(site: Site) -> None:
    """By hand, once though sent twice; it does not hold the case up; its words are sealed in the database."""
    case = await open_case(site)
    asha = await site.login("asha")
    token = await asha.token()
    for _ in range(2):
        await asha.post(f"/console/cases/{case}/tasks", csrf=token, text="phone her aunt", hours="1", key="t1")
    (task,) = await site.service.task_store.of(case)
    assert task.text.reveal() == "phone her aunt" and not task.mandatory
    queue = (await asha.get("/console/queue.json"))[1]
    assert '"overdue": false' in queue
    past = site.service.now() - timedelta(minutes=1)
    await site.service.db["tasks"].update_one({"_id": task.id}, {"$set": {"due": past}})
    assert '"overdue": true' in (await asha.get("/console/queue.json"))[1]
    assert "task overdue" in (await asha.get("/console/queue"))[1]
    assert "phone her aunt" not in str(await site.service.db["tasks"].find_one({"_id": task.id}))
    await asha.act(case, "claim")
    await asha.act(case, "hand_back", text="well")
    closed = await site.service.cases.get(case)
    assert closed and closed.state.value == "closed"


async def hand_out(browser: Browser, case: str, **fields: str) -> tuple[int, bytes]:
    given = {
        "csrf": await browser.token(), "recipient": "police", "office": "Thana Kotwali", "reason": "rescue",
        "basis": "consent", "consent": "said yes at 10:05", "key": "k", **fields,
    }  # fmt: skip
    parts = [("parts", part) for part in given.pop("parts", "danger,opened").split(",")]
    data = [*given.items(), *parts]
    async with browser.session.post(f"{browser.url}/console/cases/{case}/referral", data=data) as answer:
        return answer.status, await answer.read()


def paper(data: bytes) -> str:
    with pdfplumber.open(io.BytesIO(data)) as pdf:
        return "\n".join(part.extract_text() for part in pdf.pages)


async def test_a_referral_holds_only_what_was_ticked(site: Site) -> None:
    """The least by default; what the person wrote only when ticked; said in the history and the audit, not printed there."""
    await site.chat.say("", "l:hi")
    case = await open_case(site, "मुझे मालिक ने कमरे में बंद कर दिया है")
    asha, bina, sudha = await site.login("asha"), await site.login("bina"), await site.login("sudha")
    await asha.act(case, "claim")
    _, page = await asha.get(f"/console/cases/{case}")
    ticked = re.findall(r'name="parts" value="(\w+)"( checked)?', page)
    assert {name for name, yes in ticked if yes} == {"danger", "opened"} and ("said", "") in ticked
    status, data = await hand_out(asha, case)
    least = paper(data)
    assert status == 200 and data.startswith(b"%PDF-")
    assert "locked in" in least and "Thana Kotwali" in least and "said yes at 10:05" in least and case in least
    assert "कमरे" not in least and "Hindi" not in least and "हिन्दी" not in least
    status, data = await hand_out(asha, case, parts="danger,said", office="<b>Thana</b> \u202ex")
    more = paper(data)
    await hand_out(asha, case)
    assert "<b>Thana</b>" in more and "202E" in more and "UTC" in more and len(more) > len(least) - 200
    history = await site.service.cases.history(case)
    refers = [event for event in history if event.action.value == "refer"]
    assert len(refers) == 2 and "Thana Kotwali" in refers[0].detail.reveal() and "rescue" in refers[0].detail.reveal()
    assert (await bina.get(f"/console/cases/{case}"))[1].count("Thana Kotwali") == 1
    lines = [line for line in await site.service.audit.latest() if line["action"] == "referral handed out"]
    assert [line["extra"]["parts"] for line in lines] == ["danger,opened", "danger,said", "danger,opened"]
    assert "Kotwali" not in str(lines) and "rescue" not in str(lines)
    assert "referral handed out" in (await sudha.get("/console/audit"))[1]


async def test_a_referral_needs_a_ground_and_the_owner(site: Site) -> None:
    """No described yes, no child, no owner, no office: no paper, and no line that says there was one."""
    case = await open_case(site)
    asha, bina = await site.login("asha"), await site.login("bina")
    await asha.act(case, "claim")
    for browser, fields in (
        (asha, {"consent": " "}),
        (asha, {"basis": "child"}),
        (asha, {"basis": "whim"}),
        (asha, {"office": " "}),
        (asha, {"recipient": "press"}),
        (bina, {}),
    ):
        _, data = await hand_out(browser, case, **fields)
        assert not data.startswith(b"%PDF-") and b'role="alert"' in data, fields
    assert not [event for event in await site.service.cases.history(case) if event.action.value == "refer"]
    child = site.chat
    await asha.act(case, "hand_back", text="done")
    turn, _ = await child.say("please help, I am 15 and he beats me")
    await asha.act(turn.conversation.open_case, "claim")
    _, data = await hand_out(asha, turn.conversation.open_case, basis="child", consent="", recipient="child_welfare")
    assert "Duty to report" in paper(data) and "Child Welfare Committee" in paper(data)


async def test_an_erased_person_leaves_no_words_in_tasks(site: Site) -> None:
    """The task stays as a line that something was done; what was written about the person is gone."""
    case = await open_case(site)
    asha = await site.login("asha")
    await asha.act(case, "claim")
    await asha.post(
        f"/console/cases/{case}/tasks", csrf=await asha.token(), text="phone her aunt Meena", hours="4", key="t"
    )
    (task,) = await site.service.task_store.of(case)
    await asha.act(case, "tasks/finish", task=task.id, text="aunt Meena reached")
    await asha.act(case, "hand_back", text="well")
    await site.chat.say("", "c:delete_yes")
    async with asyncio.timeout(20):
        while (await site.service.task_store.of(case))[0].text:
            await asyncio.sleep(0.1)
    (left,) = await site.service.task_store.of(case)
    assert left.text.reveal() == left.outcome.reveal() == "" and left.done_by == "asha"
    assert "Meena" not in (await asha.get(f"/console/cases/{case}"))[1]
