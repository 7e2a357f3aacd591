"""Who may do what: every route of the router × every role × own and foreign cases, and every forged form."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import aiohttp
import pytest
import pytest_asyncio

from bot.chat import Chat
from bot.console.routes import PAGES, ROUTES
from bot.console.views import Views
from bot.domain.cases import Case, CaseAction
from bot.domain.private import Private
from bot.doors import web_app
from tests.console.conftest import Browser, Site
from tests.console.test_console import DISTRESS, NAMES, TABLE, filled

MISSING = "0" * 12
#: Cases by what a person of the partner `prayas` (labels child, prayas; Patna and all of Jharkhand) may see of them.
VIEWS = {
    "own": (("child",), "BR:Patna"),
    "own by State": (("prayas",), "JH:Ranchi"),
    "other label": (("labour",), "BR:Patna"),
    "other district": (("child",), "BR:Gaya"),
    "neither": ((), ""),
}
OWN = {"own", "own by State"}


@dataclass
class Cases:
    """One open case of each kind."""

    site: Site
    ids: dict[str, str] = field(default_factory=dict)

    async def open(self, name: str, labels: tuple[str, ...], district: str) -> str:
        chat = Chat(self.site.service)
        chat._turns = self.site.chat._turns
        await chat.say("", "l:en")
        turn, _ = await chat.say(DISTRESS)
        case = turn.conversation.open_case
        if labels:
            await self.site.service.cases.act(
                case, CaseAction.SHARE, "sudha", self.site.service.now(), detail=Private("x"), labels=labels,
                district=district,
            )  # fmt: skip
        self.ids[name] = case
        return case


@pytest_asyncio.fixture
async def cases(site: Site) -> AsyncIterator[Cases]:
    found = Cases(site)
    for name, (labels, district) in VIEWS.items():
        await found.open(name, labels, district)
    yield found


async def asked(browser: Browser, method: str, path: str, csrf: str = "") -> tuple[int, str, str]:
    """Return status, body and where it leads; the body of a stream is left unread."""
    data = {"csrf": csrf} if method == "POST" else None
    async with browser.session.request(method, browser.url + path, data=data, allow_redirects=False) as answer:
        body = "" if path.endswith("/live") else (await answer.read()).decode(errors="replace")
        return answer.status, body, answer.headers.get("Location", "")


def routes_of_the_console(site: Site) -> set[tuple[str, str]]:
    """What the router really holds."""
    return {
        (route.method, route.resource.canonical)
        for route in web_app(site.service).router.routes()
        if route.resource and route.resource.canonical.startswith("/console") and route.method != "HEAD"
    }


async def test_every_route_of_the_router_has_a_row(site: Site) -> None:
    """F7, G14: a route that the table does not know fails the build, and so does a row without a route."""
    assert routes_of_the_console(site) == set(TABLE)


def test_every_route_has_one_view() -> None:
    """Of two views of one name, a route would get whichever comes first."""
    for route in ROUTES:
        assert sum(hasattr(part, route.view) for part in (Views, *PAGES)) == 1, route


async def test_every_cell_of_the_table(site: Site, cases: Cases) -> None:
    """F7, F8, G14: 0 wrong cells. A foreign case answers a partner exactly like one that does not exist."""
    cells = wrong = 0
    before = {name: len(await site.service.cases.history(case)) for name, case in cases.ids.items()}
    for letter, name in sorted(NAMES.items(), key=lambda item: item[0] != "p"):
        browser = await site.login(name)
        csrf = await browser.token()
        for method, path in sorted(TABLE):
            kinds = [*cases.ids, "missing"] if "{case}" in path else ["own"]
            nothing = await asked(browser, method, filled(path, MISSING), csrf) if "{case}" in path else None
            for kind in kinds:
                case = cases.ids.get(kind, MISSING)
                status, body, leads = await asked(browser, method, filled(path, case), csrf)
                cells += 1
                if letter not in TABLE[method, path]:
                    right = status == 403
                elif kind == "missing" or ("{case}" in path and letter == "p" and kind not in OWN) or "/glass/" in path:
                    right = (status, body, leads) == nothing and status == 404
                elif path in {"/console/login", "/console/passkey/login"}:
                    right = status == (200 if method == "GET" else 403)
                else:
                    right = status not in {401, 403, 405} and status < 500 and body != "not found"
                    right = right or (status == 404 and "{case}" not in path)
                wrong += not right
                assert right, (letter, kind, method, path, status, body[:80])
            if path == "/console/logout":
                await browser.session.close()
                browser = await site.login(name)
                csrf = await browser.token()
        await browser.session.close()
        if letter == "p":
            after = {name: len(await site.service.cases.history(case)) for name, case in cases.ids.items()}
            assert {name for name in after if after[name] != before[name]} <= OWN
    async with aiohttp.ClientSession() as session:
        for method, path in sorted(TABLE):
            for case in (*cases.ids.values(), MISSING) if "{case}" in path else ("",):
                cells += 1
                async with session.request(
                    method, site.url + filled(path, case), data={"csrf": "x"} if method == "POST" else None,
                    allow_redirects=False,
                ) as answer:  # fmt: skip
                    if "n" not in TABLE[method, path]:
                        assert (answer.status, answer.headers.get("Location")) == (303, "/console/login"), path
    print(f"{len(TABLE)} routes, {cells} cells, {wrong} wrong")
    refused = await site.service.audit.find(who="pari", action="foreign case refused")
    assert {line["about"] for line in refused} == {cases.ids[name] for name in cases.ids if name not in OWN}


#: F6: each is refused by every route that changes anything.
FORGED = {
    "no token": ({}, {}),
    "another person's token": ({"csrf": "foreign"}, {}),
    "another site's origin": ({"csrf": "good"}, {"Origin": "https://evil.example"}),
    "a hidden origin": ({"csrf": "good"}, {"Origin": "null"}),
    "a cross-site form": ({"csrf": "good"}, {"Sec-Fetch-Site": "cross-site"}),
    "a sister site's form": ({"csrf": "good"}, {"Sec-Fetch-Site": "same-site"}),
    "JSON as text": ({"csrf": "good"}, {"Content-Type": "text/plain"}),
    "JSON": ({"csrf": "good"}, {"Content-Type": "application/json"}),
}


async def test_every_changing_route_refuses_every_forged_form(site: Site, cases: Cases) -> None:
    """F6, G15: eight forms × every POST of the router, each by somebody who may use it; and a GET changes nothing."""
    browsers = {letter: await site.login(name) for letter, name in NAMES.items()}
    tokens = {letter: await browser.token() for letter, browser in browsers.items()}
    foreign = await (await site.login("bina")).token()
    before = {case: len(await site.service.cases.history(case)) for case in cases.ids.values()}
    tried = 0
    for method, path in sorted(TABLE):
        if method == "GET":
            continue
        letter = next(iter(sorted(set(TABLE[method, path]) - {"n"})))
        browser, real = browsers[letter], filled(path, cases.ids["own"])
        at_the_door = "n" in TABLE[method, path]
        for name, (fields, headers) in FORGED.items():
            if at_the_door and "token" in name:
                continue  # nobody is in yet whose session could be used
            tried += 1
            given = {key: {"good": tokens[letter], "foreign": foreign}[value] for key, value in fields.items()}
            data = json.dumps(given) if "JSON" in name else given
            async with browser.session.post(site.url + real, data=data, headers=headers) as answer:
                assert answer.status == 403, (name, path, answer.status)
        if ("GET", path) not in TABLE:
            assert (await browser.get(real))[0] in {404, 405}, path
    assert tried > 8 * 40
    assert {case: len(await site.service.cases.history(case)) for case in cases.ids.values()} == before
    bina = await site.service.responders.get("bina")
    assert bina and bina.active and not bina.must_change


async def test_what_changes_things_outside_the_console_has_its_own_guard(site: Site) -> None:
    """Every other POST of the router is a signed webhook or refuses another site's page."""
    others = {
        route.resource.canonical
        for route in web_app(site.service).router.routes()
        if route.resource and route.method == "POST" and not route.resource.canonical.startswith("/console")
    }
    async with aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True)) as session:
        async with session.post(site.url + "/chat/session"):
            pass
        for path in others:
            if path.startswith("/webhooks/"):
                continue
            async with session.post(site.url + path, data=b"x", headers={"Origin": "https://evil.example"}) as answer:
                assert answer.status == 403, path


async def test_a_partner_sees_own_cases_in_every_list_and_no_others(site: Site, cases: Cases) -> None:
    """Queue, its JSON, the stream, the number search, closed cases, related cases; nothing internal of our shift."""
    own = {cases.ids[name] for name in OWN}
    foreign = set(cases.ids.values()) - own
    pari, asha = await site.login("pari"), await site.login("asha")
    await asha.post("/console/queue/handover", csrf=await asha.token(), text="between us")
    _, page = await pari.get("/console/queue")
    assert all(case in page for case in own) and not any(case in page for case in foreign)
    assert "between us" not in page and "asha" not in page and "bina" not in page
    _, body = await pari.get("/console/queue.json")
    assert {row["id"] for row in json.loads(body)["cases"]} == own
    async with pari.session.get(site.url + "/console/live") as stream:
        await stream.content.readline()
        line = await stream.content.readline()
        assert {row["id"] for row in json.loads(line.removeprefix(b"data: "))["cases"]} == own
    for case in cases.ids.values():
        _, found = await pari.get(f"/console/find?case={case}")
        assert ("No open case of this number" in found) == (case in foreign)
    for case in cases.ids.values():
        await site.service.respond.close(await one(site, case), "sudha", "done")
    _, page = await pari.get("/console/closed")
    assert all(case in page for case in own) and not any(case in page for case in foreign)


async def one(site: Site, case: str) -> Case:
    found = await site.service.cases.get(case)
    assert found
    return found


async def share(browser: Browser, case: str, **fields: str) -> str:
    given = {
        "organisation": "prayas", "label": "child", "district": "BR:Patna", "basis": "consent",
        "consent": "yes, 10:05", "text": "they run a shelter there", "key": "k", **fields,
    }  # fmt: skip
    return (await browser.act(case, "share", **given))[1]


async def test_a_supervisor_shows_a_case_to_a_partner_and_takes_it_back(site: Site, cases: Cases) -> None:
    """Each is a line of the chained history; a partner who has the case loses it at once, and it waits again."""
    case = cases.ids["neither"]
    sudha, asha, pari, omar = [await site.login(name) for name in ("sudha", "asha", "pari", "omar")]
    assert (await pari.get(f"/console/cases/{case}"))[0] == 404
    for wrong in (
        {"label": "labour"}, {"district": "BR:Gaya"}, {"district": ""}, {"organisation": "nobody"}, {"text": " "},
        {"consent": " "}, {"basis": "child"}, {"basis": "whim"},
    ):  # fmt: skip
        assert 'role="alert"' in await share(sudha, case, **wrong), wrong
    assert (await asha.act(case, "share", organisation="prayas"))[0] == 403
    assert (await pari.get(f"/console/cases/{case}"))[0] == 404
    page = await share(sudha, case)
    await share(sudha, case)
    assert "sees this case" in page and "Patna, Bihar" in page
    status, page = await pari.get(f"/console/cases/{case}")
    assert status == 200 and DISTRESS in page and "Partner organisations" not in page
    assert (await omar.get(f"/console/cases/{case}"))[0] == 404
    assert "prayas" not in str(await site.service.db["case_events"].find_one({"case": case, "action": "share"}))
    await pari.act(case, "claim")
    await pari.act(case, "reply", text="We are near you. Where?", key="k1")
    assert (await one(site, case)).owner == "pari"
    async with pari.session.get(site.url + "/console/live") as stream:
        await sudha.act(case, "unshare", organisation="prayas", text="wrong shelter")
        left = [await stream.content.readline() for _ in range(8)]
    assert case.encode() not in left[-3] + left[-2] + left[-1]
    assert (await pari.get(f"/console/cases/{case}")) == (await pari.get(f"/console/cases/{MISSING}"))
    assert (await pari.act(case, "note", text="still here", key="n"))[0] == 404
    back = await one(site, case)
    assert back.owner is None and back.escalate_at is not None and back.labels == ()
    history = await site.service.cases.history(case)
    actions = [event.action for event in history]
    assert actions.count(CaseAction.SHARE) == 1
    assert actions[-2:] == [CaseAction.UNSHARE, CaseAction.PUT_BACK]
    assert "wrong shelter" in history[-2].detail.reveal()
    assert await site.service.cases.broken_at(case) is None
    lines = [line["action"] for line in await site.service.audit.find(about=case)]
    assert {"case shared", "case taken back", "case sharing refused"} <= set(lines)


async def test_a_partner_gives_a_case_only_to_colleagues_of_the_house(site: Site, cases: Cases) -> None:
    """Nobody of another organisation or of ours; a supervisor may give one to a partner who sees it, and to no other."""
    case = cases.ids["own"]
    pari, asha = await site.login("pari"), await site.login("asha")
    await pari.act(case, "claim")
    for to in ("omar", "asha", "root", "nobody"):
        await pari.act(case, "transfer", to=to, text="please")
        assert (await one(site, case)).owner == "pari", to
    await pari.act(case, "release", text="cannot")
    await asha.act(case, "claim")
    await asha.act(case, "transfer", to="omar", text="please")
    assert (await one(site, case)).owner == "asha"
    await asha.act(case, "transfer", to="pari", text="please")
    assert (await one(site, case)).owner == "pari"
    data = {"csrf": await pari.token(), "do": "note", "text": "x", "key": "k", "cases": cases.ids["other label"]}
    async with pari.session.post(f"{site.url}/console/queue/change", data=data) as answer:
        assert "Left as they are: 1." in await answer.text()


async def test_a_case_of_the_same_person_stays_hidden_from_a_partner(site: Site, cases: Cases) -> None:
    """A partner is not told of other cases of the same person, nor of what was said in them before or after."""
    chat = Chat(site.service)
    chat._turns = site.chat._turns
    await chat.say("", "l:en")
    first, _ = await chat.say(DISTRESS)
    await site.service.respond.close(await one(site, first.conversation.open_case), "sudha", "done")
    second, _ = await chat.say(DISTRESS)
    case = second.conversation.open_case
    assert case != first.conversation.open_case
    sudha, pari = await site.login("sudha"), await site.login("pari")
    await share(sudha, case)
    assert first.conversation.open_case in (await sudha.get(f"/console/cases/{case}"))[1]
    assert first.conversation.open_case not in (await pari.get(f"/console/cases/{case}"))[1]
    past = site.service.now() - timedelta(hours=3)
    rows = (
        site.service.db["inbox"].find({"conversation": (await one(site, case)).conversation_id}).sort("received_at", 1)
    )
    ids = [row["_id"] async for row in rows]
    await chat.say("my secret of today")
    await site.service.respond.close(await one(site, case), "sudha", "done")
    closed = site.service.now() - timedelta(minutes=5)
    await site.service.db["inbox"].update_many({"_id": {"$in": ids[:2]}}, {"$set": {"received_at": past}})
    await site.service.db["cases"].update_one({"_id": case}, {"$set": {"closed_at": closed}})
    for path in (f"/console/cases/{case}", f"/console/cases/{case}/live.json"):
        _, theirs = await pari.get(path)
        _, ours = await sudha.get(path)
        assert "my secret of today" in ours and "my secret of today" not in theirs


async def merged(site: Site, browser: Browser, into: str, other: str) -> None:
    fields = {"other": other, "why": "event", "text": "both name room 9", "key": f"m{other}", "sure": "yes"}
    assert (await browser.act(into, "merge", **fields))[0] == 200
    assert (await one(site, other)).merged_into == into


async def test_a_partner_goes_on_with_merged_cases_only_where_both_were_theirs(site: Site, cases: Cases) -> None:
    """What was shown of one case shows nobody of another: it leaves the view, goes back, and may be shown anew."""
    pari, sudha = await site.login("pari"), await site.login("sudha")
    kept, gone = cases.ids["own"], cases.ids["neither"]
    await pari.act(kept, "claim")
    await merged(site, sudha, kept, gone)
    assert (await pari.get(f"/console/cases/{kept}")) == (await pari.get(f"/console/cases/{MISSING}"))
    back = await one(site, kept)
    assert back.owner is None and back.labels == () and back.escalate_at is not None
    await share(sudha, kept)
    status, page = await pari.get(f"/console/cases/{kept}")
    assert status == 200 and f"({gone})" in page
    assert "room 9" not in page and f"/console/cases/{gone}" not in page and "room 9" in (
        await sudha.get(f"/console/cases/{kept}")
    )[1]  # fmt: skip
    await pari.act(kept, "claim")
    await pari.act(kept, "reply", text="We are near both of you.", key="r1", via=gone)
    assert "We are near both of you." in (await pari.get(f"/console/cases/{kept}/live.json"))[1]
    for verb in ("merge", "split", "translate"):
        assert (await pari.act(kept, verb, other=cases.ids["other label"], text="x", sure="yes"))[0] == 403
    first, second = await one(site, kept), await cases.open("second", ("child",), "BR:Patna")
    await merged(site, sudha, kept, second)
    assert (await one(site, kept)).labels == first.labels and (await pari.get(f"/console/cases/{kept}"))[0] == 200
    assert (await one(site, kept)).owner == "pari"


@pytest.mark.parametrize("how", ["disable", "role", "organisation", "districts"])
async def test_a_partner_who_may_not_any_more_keeps_no_case(site: Site, cases: Cases, how: str) -> None:
    """F12: disabled, another role, another organisation, another district: the case waits again with an alert."""
    case = cases.ids["own"]
    pari, root = await site.login("pari"), await site.login("root")
    await pari.act(case, "claim")
    alerts = await site.service.db["alerts"].count_documents({"case": case})
    csrf = await root.token()
    if how == "disable":
        await root.post("/console/people/pari/disable", csrf=csrf)
    elif how == "role":
        await root.post("/console/people/pari/change", csrf=csrf, role="author")
    elif how == "organisation":
        await root.post("/console/people/pari/change", csrf=csrf, role="partner", organisation="other")
    else:
        fields: dict[str, Any] = {"id": "prayas", "name": "Prayas", "labels": "child", "districts": "Gaya, Bihar"}
        assert (await root.post("/console/organisations", csrf=csrf, **fields))[0] == 200
    back = await one(site, case)
    assert back.owner is None
    assert await site.service.db["alerts"].count_documents({"case": case}) > alerts
    assert (await pari.get("/console/queue"))[1].count(case) == 0


async def test_the_administrator_reads_no_case_and_the_auditor_changes_nothing(site: Site, cases: Cases) -> None:
    """The auditor sees who read what, and what left the house, in ids; no word of a person."""
    case = cases.ids["own"]
    asha, anu = await site.login("asha"), await site.login("anu")
    await asha.get(f"/console/cases/{case}")
    await asha.act(case, "claim")
    for page in ("/console/audit?about=" + case, "/console/audit?who=asha", "/console/audit?action=case+read"):
        _, body = await anu.get(page)
        assert "case read" in body and case in body and DISTRESS not in body
    assert "case read" not in (await anu.get("/console/audit?who=nobody"))[1]
    assert "referral handed out" not in (await anu.get("/console/exports"))[1]
    data = {
        "csrf": await asha.token(), "recipient": "police", "office": "Thana Kotwali", "reason": "rescue",
        "basis": "life", "consent": "", "key": "k", "parts": "danger",
    }  # fmt: skip
    async with asha.session.post(f"{site.url}/console/cases/{case}/referral", data=data) as answer:
        assert answer.content_type == "application/pdf"
    _, body = await anu.get("/console/exports")
    assert "referral handed out" in body and case in body and "Kotwali" not in body
    for path in (f"/console/cases/{case}", "/console/queue", "/console/people", "/console/histories", "/console/words"):
        assert (await anu.get(path))[0] == 403


async def test_reading_by_script_alone_is_in_the_audit(site: Site, cases: Cases) -> None:
    """The JSON of a case without its page: one line a session, not one a poll."""
    asha = await site.login("asha")
    for _ in range(3):
        await asha.get(f"/console/cases/{cases.ids['own']}/live.json")
    lines = await site.service.audit.find(about=cases.ids["own"], action="case read")
    assert [line["who"] for line in lines] == ["asha"]


async def test_organisations_are_checked_before_they_are_kept(site: Site) -> None:
    """A district that is none of ours, or two of ours, is refused with what was typed; a whole State is possible."""
    root = await site.login("root")
    for fields, typed in (
        ({"districts": "Atlantis"}, "Atlantis"), ({"districts": "Aurangabad"}, "Aurangabad"),
        ({"districts": "Patna\n<b>x</b>"}, "&lt;b&gt;x&lt;/b&gt;"), ({"labels": "Zoé!"}, ""), ({"labels": ""}, ""),
        ({"id": "No Name"}, ""), ({"name": " "}, ""),
    ):  # fmt: skip
        given: dict[str, Any] = {"id": "new", "name": "New", "labels": "child", "districts": "Patna", **fields}
        status, page = await root.post("/console/organisations", csrf=await root.token(), **given)
        assert status == 400 and typed in page, fields
        assert await site.service.organisations.get("new") is None
    given = {
        "id": "new",
        "name": "New",
        "labels": "Child, labour",
        "districts": "Patna\n\nAurangabad, Bihar\nJharkhand",
    }
    await root.post("/console/organisations", csrf=await root.token(), **given)
    made = await site.service.organisations.get("new")
    assert made and made.labels == ("child", "labour") and made.districts == ("BR:Patna", "BR:Aurangabad", "JH")
    assert made.covers("JH:Ranchi") and not made.covers("BR:Gaya") and not made.covers("")
