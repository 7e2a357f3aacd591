"""Break-glass and the masked address: a reason, a second person, an end, and a trace that stays."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest

from bot.app import Service, open_service
from bot.config import Config, ConfigError, load_config
from tests.console.conftest import Browser, Site

DISTRESS = "please help me, they locked me in a room"
NUMBER = "919876501234"


async def open_case(site: Site) -> str:
    turn, _ = await site.chat.say(DISTRESS)
    return turn.conversation.open_case


async def ask(browser: Browser, case: str, text: str = "she is missing since noon") -> str:
    return (await browser.post("/console/requests", csrf=await browser.token(), case=case, text=text))[1]


async def decide(browser: Browser, request: str, verb: str = "approve") -> str:
    path = f"/console/requests/{request}/{verb}"
    return (await browser.post(path, csrf=await browser.token(), text="police asked at once"))[1]


async def request_of(site: Site, case: str) -> str:
    return (await site.service.approvals.of_case(case))[0].id


async def test_break_glass_from_asking_to_its_end(site: Site) -> None:
    """F19: the administrator reads one case, and only after a second person; the trace stays when the access has ended."""
    case = await open_case(site)
    root, sudha, asha = [await site.login(name) for name in ("root", "sudha", "asha")]
    assert (await root.get(f"/console/glass/{case}"))[0] == 404
    assert "reason is needed" in await ask(root, case, " ")
    assert "nothing of this number" in await ask(root, "0" * 12)
    assert "Tell a supervisor" in await ask(root, case)
    assert (await root.get(f"/console/glass/{case}"))[0] == 404
    request = await request_of(site, case)
    assert (await root.post(f"/console/requests/{request}/approve", csrf=await root.token()))[0] == 403
    await decide(sudha, request)
    status, page = await root.get(f"/console/glass/{case}")
    assert status == 200 and DISTRESS in page and "missing since noon" in page
    assert "<form" not in page.partition("<main")[2]
    assert (await root.get(f"/console/cases/{case}"))[0] == 403
    notice = (await asha.get(f"/console/cases/{case}"))[1]
    assert "Read by break-glass" in notice and "missing since noon" in notice and "root" in notice
    past = site.service.now() - timedelta(minutes=60)
    await site.service.db["approvals"].update_one(
        {"_id": request}, {"$set": {"decided_at": past, "until": site.service.now()}}
    )
    assert (await root.get(f"/console/glass/{case}"))[0] == 404
    async with asyncio.timeout(10):
        while "lapse" not in (done := [e.action.value for e in await site.service.cases.history(case)]):
            await asyncio.sleep(0.1)
    assert [action for action in done if action in {"ask", "grant", "lapse"}] == ["ask", "grant", "lapse"]
    assert "Read by break-glass" in (await asha.get(f"/console/cases/{case}"))[1]
    said = {line["action"] for line in await site.service.audit.latest() if line["about"] == case}
    assert {
        "case asked for", "case approved", "case read by break-glass", "break-glass refused", "case ended",
    } <= said  # fmt: skip
    assert await site.service.cases.broken_at(case) is None and await site.service.audit.verify()


async def test_a_supervisor_cannot_approve_their_own_request(site: Site) -> None:
    case = await open_case(site)
    sudha = await site.login("sudha")
    await ask(sudha, case)
    request = await request_of(site, case)
    assert "Nobody can approve" in await decide(sudha, request)
    assert (await sudha.get(f"/console/glass/{case}"))[0] == 404
    assert (await site.service.approvals.of_case(case))[0].state.value == "waiting"


async def test_a_second_supervisor_can(site: Site) -> None:
    case = await open_case(site)
    people = site.service.responders
    sudha = await people.get("sudha")
    assert sudha
    await people.save(replace(sudha, id="salma", name="Salma"))
    first, second = await site.login("sudha"), await site.login("salma")
    await ask(first, case)
    await decide(second, await request_of(site, case))
    assert (await first.get(f"/console/glass/{case}"))[0] == 200
    assert (await second.get(f"/console/glass/{case}"))[0] == 404


async def test_after_fifteen_minutes_nobody_can_approve(site: Site) -> None:
    case = await open_case(site)
    root, sudha = await site.login("root"), await site.login("sudha")
    await ask(root, case)
    request = await request_of(site, case)
    late = site.service.now() - timedelta(minutes=15)
    await site.service.db["approvals"].update_one({"_id": request}, {"$set": {"asked_at": late}})
    assert "15 minutes are over" in await decide(sudha, request)
    assert (await root.get(f"/console/glass/{case}"))[0] == 404


async def test_every_break_glass_is_paged(site: Site) -> None:
    """Without a data officer every channel hears of it, with no word of anybody; a refusal pages nobody."""
    case = await open_case(site)
    root, sudha = await site.login("root"), await site.login("sudha")
    await ask(root, case)
    await decide(sudha, await request_of(site, case), "refuse")
    pages = site.service.db["alerts"]
    assert not await pages.count_documents({"kind": "break_glass"})
    await ask(root, case)
    await decide(sudha, await request_of(site, case))
    found = await pages.find({"kind": "break_glass"}).to_list()
    assert [row["channel"] for row in found] == ["console"] and "noon" not in str(found)


async def test_the_data_officer_hears_of_it_alone(config: Config, mongodb_uri: str) -> None:
    """With an address set, that one gets it, and is not paged for cases."""
    given = load_config(
        SAHYATRI_DATA=config.data, MONGODB_NAME=config.mongodb_name, DATA_OFFICER_EMAIL="dpo@example.org",
        ALERT_EMAIL_FROM="bot@example.org", SMTP_HOST="127.0.0.1",
    )  # fmt: skip
    async with open_service(given, mongodb_uri=mongodb_uri, nlu_url="", with_lists=False) as service:
        assert service.approvals._writer._pagers == ("data_officer",)
        assert "data_officer" not in service.cases._writer._pagers
        assert "data_officer" in service.watch._pagers
    with pytest.raises(ConfigError, match="SMTP_HOST"):
        load_config(DATA_OFFICER_EMAIL="dpo@example.org")


async def on_whatsapp(service: Service, case: str) -> None:
    """Make the person one who writes from WhatsApp."""
    row = await service.db["cases"].find_one({"_id": case})
    assert row
    name = row["conversation"]
    sealed = await service.sealer.seal(name, f"address:{name}", {"address": NUMBER})
    await service.db["cases"].update_one({"_id": case}, {"$set": {"channel": "whatsapp"}})
    await service.db["conversations"].update_one({"_id": name}, {"$set": {"channel": "whatsapp", "address": sealed}})


async def test_an_address_is_masked_until_somebody_says_why(site: Site) -> None:
    """Row 106: on no page of the case; shown once, to the one who has it, with a line in the history and the audit."""
    case = await open_case(site)
    await on_whatsapp(site.service, case)
    asha, bina, sudha = [await site.login(name) for name in ("asha", "bina", "sudha")]
    await asha.act(case, "claim")
    for browser in (asha, bina, sudha):
        for path in (
            f"/console/cases/{case}",
            f"/console/cases/{case}/live.json",
            "/console/queue",
            "/console/queue.json",
        ):
            assert NUMBER not in (await browser.get(path))[1]
    assert "Somebody else" in (await bina.act(case, "reveal", text="to phone"))[1]
    assert "reason is needed" in (await asha.act(case, "reveal", text=" "))[1]
    status, page = await asha.act(case, "reveal", text="the police must phone her")
    assert status == 200 and f"+{NUMBER}" in page
    assert NUMBER in (await sudha.act(case, "reveal", text="asha is ill"))[1]
    assert NUMBER not in (await asha.get(f"/console/cases/{case}"))[1]
    events = [event for event in await site.service.cases.history(case) if event.action.value == "reveal"]
    assert [event.detail.reveal() for event in events] == ["the police must phone her", "asha is ill"]
    lines = [line for line in await site.service.audit.latest() if line["action"].startswith("address")]
    assert [line["action"] for line in lines] == ["address revealed", "address revealed", "address refused"]
    assert NUMBER not in str(lines) and "police" not in str(lines)


async def test_a_watched_phone_is_named_beside_the_number(site: Site) -> None:
    case = await open_case(site)
    await on_whatsapp(site.service, case)
    await site.service.db["cases"].update_one({"_id": case}, {"$set": {"silent": True}})
    asha = await site.login("asha")
    await asha.act(case, "claim")
    assert "Do not call" in (await asha.act(case, "reveal", text="to phone"))[1]


async def test_the_key_to_a_web_chat_is_never_shown(site: Site) -> None:
    """Whoever had it could write as the person."""
    case = await open_case(site)
    asha = await site.login("asha")
    await asha.act(case, "claim")
    assert 'id="contact"' not in (await asha.get(f"/console/cases/{case}"))[1]
    assert "nothing of this number" in (await asha.act(case, "reveal", text="to phone"))[1]


async def test_what_is_written_as_a_reason_stays_text(site: Site) -> None:
    case = await open_case(site)
    root, sudha = await site.login("root"), await site.login("sudha")
    await ask(root, case, "<script>alert(1)</script>\u202ex")
    _, page = await sudha.get("/console/requests")
    assert "<script>alert" not in page and "&lt;script&gt;" in page and "\u202e" not in page
    await decide(sudha, await request_of(site, case))
    for browser, path in ((root, f"/console/glass/{case}"), (sudha, f"/console/cases/{case}")):
        assert "<script>alert" not in (await browser.get(path))[1]


async def test_who_opens_case_after_case_needs_a_second_person(site: Site) -> None:
    """F17: beyond the limit only others' cases are held back; one's own, unclaimed and open pages are not; one page goes out."""
    first = await open_case(site)
    cases = [first]
    for number in range(4):
        row = await site.service.db["cases"].find_one({"_id": first})
        assert row
        copy = {**row, "_id": f"{number}" * 12, "conversation": f"other{number}", "owner": "bina"}
        await site.service.db["cases"].insert_one(copy)
        cases.append(copy["_id"])
    site.service.reads._most = 3
    asha, sudha = await site.login("asha"), await site.login("sudha")
    for case in cases[1:4]:
        assert (await asha.get(f"/console/cases/{case}"))[0] == 200
    for path in (f"/console/cases/{cases[4]}", f"/console/cases/{cases[4]}?error=empty"):
        assert "very many cases" in (await asha.get(path))[1]
    assert (await asha.get(f"/console/cases/{cases[4]}/live.json"))[0] == 429
    for case in (cases[1], first):
        assert (await asha.get(f"/console/cases/{case}"))[0] == 200
    assert (await asha.get(f"/console/cases/{cases[1]}/live.json"))[0] == 200
    await site.service.db["cases"].update_one({"_id": cases[4]}, {"$set": {"owner": "asha"}})
    assert (await asha.get(f"/console/cases/{cases[4]}"))[0] == 200
    await site.service.db["cases"].update_one({"_id": cases[4]}, {"$set": {"owner": "bina"}})
    assert (await sudha.get(f"/console/cases/{cases[4]}"))[0] == 200
    pages = await site.service.db["alerts"].find({"kind": "too_many_reads"}).to_list()
    assert len(pages) == 1
    lines = [line["action"] for line in await site.service.audit.latest()]
    assert lines.count("case refused: too many") == 3


async def test_a_partner_who_opens_case_after_case_is_stopped_too(site: Site) -> None:
    """A partner has nobody to ask: the page says so, and does not lead to where they may not go."""
    case = await open_case(site)
    shown = {"labels": ["child"], "district": "BR:Patna", "owner": "bina"}
    await site.service.db["cases"].update_one({"_id": case}, {"$set": shown})
    site.service.reads._most = 0
    pari = await site.login("pari")
    status, page = await pari.get(f"/console/cases/{case}")
    assert status == 429 and "very many cases" in page and DISTRESS not in page
    assert (await pari.get(f"/console/cases/{case}/live.json"))[0] == 429
    for path in ("/console/requests", f"/console/glass/{case}"):
        assert (await pari.get(path))[0] == 403
    await site.service.db["cases"].update_one({"_id": case}, {"$set": {"owner": "pari"}})
    assert DISTRESS in (await pari.get(f"/console/cases/{case}"))[1]


async def test_what_keeps_a_page_current_is_a_read_too(site: Site) -> None:
    """Somebody who asks only for it leaves a line; an open page does not leave one every few seconds."""
    case = await open_case(site)
    asha = await site.login("asha")
    for _ in range(3):
        await asha.get(f"/console/cases/{case}/live.json")
    lines = [line["action"] for line in await site.service.audit.latest() if line["about"] == case]
    assert lines.count("case read") == 1
