"""The console: who may do what, sessions, forms, and the whole of a case."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import aiohttp
import pytest
from yarl import URL

from bot.console.routes import ROUTES
from tests.console.conftest import PASSWORD, Browser, Site

DISTRESS = "please help me, they locked me in a room"
#: Who may use each route: anonymous (n), responder, supervisor, admin, author (w, for words), partner, auditor (u).
#: A route without a row fails the build; tests/console/test_roles.py asks for every cell.
TABLE = {
    ("GET", "/console/login"): "nrsawpu",
    ("POST", "/console/login"): "nrsawpu",
    ("POST", "/console/logout"): "rsawpu",
    ("GET", "/console/password"): "rsawpu",
    ("POST", "/console/password"): "rsawpu",
    ("POST", "/console/language"): "rsawpu",
    ("GET", "/console/"): "rsawpu",
    ("GET", "/console/queue"): "rsp",
    ("GET", "/console/queue.json"): "rsp",
    ("POST", "/console/queue/change"): "rsp",
    ("POST", "/console/queue/handover"): "rs",
    ("GET", "/console/find"): "rsp",
    ("POST", "/console/cases/{case}/take_over"): "s",
    ("POST", "/console/cases/{case}/put_back"): "s",
    **{("POST", f"/console/cases/{{case}}/{verb}"): "s" for verb in ("hold", "lift")},
    ("GET", "/console/retention"): "su",
    ("GET", "/console/live"): "rsp",
    ("GET", "/console/closed"): "rsp",
    ("GET", "/console/cases/{case}"): "rsp",
    ("GET", "/console/cases/{case}/live.json"): "rsp",
    **{
        ("POST", f"/console/cases/{{case}}/{verb}"): "rsp"
        for verb in ("claim", "reply", "note", "release", "transfer", "refer", "hand_back", "close")
    },
    ("POST", "/console/cases/{case}/ask_to_write"): "rsp",
    **{("POST", f"/console/cases/{{case}}/{verb}"): "rsp" for verb in ("tasks", "tasks/finish", "referral")},
    **{
        ("POST", f"/console/cases/{{case}}/{verb}"): "rsp"
        for verb in ("template", "first", "consent", "contact", "minor")
    },
    ("POST", "/console/cases/{case}/translate"): "rs",
    **{("POST", f"/console/cases/{{case}}/{verb}"): "s" for verb in ("share", "unshare", "merge", "split", "reopen")},
    ("GET", "/console/cases/{case}/media/{line}"): "rsp",
    **{("POST", f"/console/cases/{{case}}/{verb}"): "rsp" for verb in ("identifiers", "identifiers/remove", "report")},
    **{("POST", f"/console/cases/{{case}}/{verb}"): "rs" for verb in ("retract", "restore")},
    **{("POST", f"/console/cases/{{case}}/media/{{line}}/{verb}"): "rs" for verb in ("ask", "hide")},
    ("POST", "/console/cases/{case}/media/{line}/fetch"): "rs",
    ("POST", "/console/cases/{case}/originals/{request}"): "rs",
    ("POST", "/console/cases/{case}/reveal"): "rs",
    ("GET", "/console/requests"): "rsa",
    ("POST", "/console/requests"): "rsa",
    **{("POST", f"/console/requests/{{request}}/{verb}"): "s" for verb in ("approve", "refuse")},
    ("GET", "/console/glass/{case}"): "rsa",
    ("GET", "/console/histories"): "s",
    ("POST", "/console/histories"): "s",
    ("GET", "/console/histories/{history}"): "rs",
    **{
        ("POST", f"/console/histories/{{history}}/{verb}"): "s"
        for verb in ("confirm", "sign", "withdraw", "split", "unlink", "mark", "merge", "export")
    },
    ("GET", "/console/words"): "w",
    ("GET", "/console/words/{locale}/{area}"): "w",
    ("POST", "/console/words/{locale}/{area}/mark"): "w",
    ("GET", "/console/words/{locale}/message/{message}"): "w",
    **{
        ("POST", f"/console/words/{{locale}}/message/{{message}}/{verb}"): "w"
        for verb in ("propose", "withdraw", "mark")
    },
    ("GET", "/console/versions"): "w",
    ("POST", "/console/versions/publish"): "w",
    ("POST", "/console/versions/{number}/restore"): "w",
    ("GET", "/console/lists"): "sa",
    ("GET", "/console/lists/{source}/{version}"): "sa",
    **{("POST", f"/console/lists/{{source}}/{{version}}/{verb}"): "a" for verb in ("release", "discard", "restore")},
    ("GET", "/console/places"): "sa",
    ("GET", "/console/places/{poster}/print"): "sa",
    ("GET", "/console/places/{poster}/poster.pdf"): "sa",
    ("POST", "/console/places/{poster}/revoke"): "a",
    ("POST", "/console/places/{place}/series"): "a",
    ("GET", "/console/recruiters"): "rsap",
    ("POST", "/console/recruiters"): "rsap",
    ("GET", "/console/audit"): "su",
    ("GET", "/console/exports"): "su",
    ("GET", "/console/numbers"): "sau",
    ("GET", "/console/breaches"): "sa",
    ("POST", "/console/breaches"): "a",
    ("POST", "/console/breaches/{number}/confirm"): "s",
    ("POST", "/console/breaches/{number}/cancel"): "sa",
    ("GET", "/console/campaigns"): "sw",
    ("POST", "/console/campaigns"): "sw",
    ("GET", "/console/campaigns/{number}"): "sw",
    ("POST", "/console/campaigns/{number}/confirm"): "s",
    ("POST", "/console/campaigns/{number}/again"): "s",
    ("POST", "/console/campaigns/{number}/cancel"): "sw",
    ("GET", "/console/telegram"): "rsa",
    ("POST", "/console/telegram/code"): "rs",
    ("POST", "/console/telegram/unlink"): "rs",
    ("POST", "/console/telegram/{person}/unlink"): "a",
    ("GET", "/console/people"): "a",
    ("POST", "/console/people"): "a",
    **{("POST", f"/console/people/{{person}}/{verb}"): "a" for verb in ("change", "disable", "reset", "factors")},
    ("POST", "/console/people/rules"): "a",
    ("GET", "/console/organisations"): "a",
    ("POST", "/console/organisations"): "a",
    **{("POST", f"/console/passkey/{verb}"): "nrsawpu" for verb in ("challenge", "login")},
    ("GET", "/console/prove"): "rsawpu",
    **{("POST", f"/console/prove{verb}"): "rsawpu" for verb in ("", "/passkey", "/challenge")},
    ("GET", "/console/security"): "rsawpu",
    **{
        ("POST", f"/console/security/{verb}"): "rsawpu"
        for verb in (
            "passkeys",
            "passkeys/remove",
            "codes",
            "codes/confirm",
            "codes/remove",
            "recovery",
            "sessions/end",
        )
    },
}
NAMES = {"r": "asha", "s": "sudha", "a": "root", "w": "vani", "p": "pari", "u": "anu"}
FILLED = {
    "{person}": "bina", "{locale}": "hi", "{area}": "core", "{message}": "core.thanks", "{number}": "0", "{line}": "x",
    "{source}": "sample", "{version}": "1", "{history}": "x", "{request}": "x", "{poster}": "x", "{place}": "x",
}  # fmt: skip


def filled(path: str, case: str) -> str:
    """Put real values into a route's path."""
    for name, value in {**FILLED, "{case}": case}.items():
        path = path.replace(name, value)
    return path


async def open_case(site: Site, text: str = DISTRESS) -> str:
    turn, _ = await site.chat.say(text)
    return turn.conversation.open_case


def test_every_route_has_a_row() -> None:
    assert {(route.method, route.path) for route in ROUTES} == set(TABLE)


async def test_a_case_from_claim_to_hand_back(site: Site) -> None:
    """Claim, reply once though sent twice, note, hand back: the person sees it all in the same chat; two cannot claim."""
    case = await open_case(site)
    asha, bina = await site.login("asha"), await site.login("bina")
    assert DISTRESS in (await asha.get(f"/console/cases/{case}"))[1]
    results = await asyncio.gather(*(browser.act(case, "claim") for browser in (asha, bina)))
    assert sorted(status for status, _ in results) == [200, 409]
    owner, other = (asha, bina) if results[0][0] == 200 else (bina, asha)
    assert (await other.act(case, "reply", text="hello", key="o1"))[0] == 409
    for _ in range(2):
        assert (await owner.act(case, "reply", text="I am here. Where are you?", key="k1"))[0] == 200
    _, silent = await site.chat.say("what is the minimum wage")
    assert silent == ()
    await owner.act(case, "note", text="called the police station", key="n1")
    await owner.act(case, "hand_back", text="rescued")
    await asyncio.sleep(0.5)
    said = [message.text.reveal() for address, message in site.service.terminal.sent]
    assert said.count("I am here. Where are you?") == 1
    _, again = await site.chat.say("menu")
    assert again
    assert await site.service.cases.broken_at(case) is None
    assert "called the police station" not in "".join(said)


async def test_sessions_end_when_they_must(site: Site) -> None:
    """F4, G18: a new name at login, gone after logout, password change, disabling and idleness."""
    asha = await site.login("asha")
    cookie = next(iter(asha.session.cookie_jar)).value
    stale = aiohttp.ClientSession(cookies={"sahyatri_console": cookie}, cookie_jar=aiohttp.CookieJar(unsafe=True))
    old = Browser(site.url, stale)
    stale.cookie_jar.update_cookies({"sahyatri_console": cookie}, response_url=URL(site.url))
    assert "queue" in (await old.get("/console/queue"))[1]
    await asha.post(
        "/console/password", csrf=await asha.token(), password="another-long-password", again="another-long-password"
    )
    async with stale.get(f"{site.url}/console/queue", allow_redirects=False) as answer:
        assert answer.status == 303
    bina, root = await site.login("bina"), await site.login("root")
    assert (await bina.get("/console/queue"))[0] == 200
    await root.post("/console/people/bina/disable", csrf=await root.token())
    async with bina.session.get(f"{site.url}/console/queue", allow_redirects=False) as answer:
        assert answer.status == 303
    sudha = await site.login("sudha")
    await site.service.db["sessions"].update_many({}, {"$set": {"seen_at": site.service.now() - timedelta(minutes=16)}})
    async with sudha.session.get(f"{site.url}/console/queue", allow_redirects=False) as answer:
        assert answer.status == 303
    for browser in (asha, bina, root, sudha, old):
        await browser.session.close()


async def test_guessing_is_slowed_and_says_nothing(site: Site) -> None:
    """F1, F2, G17: ten tries an hour for a name; known and unknown names get the same answer."""
    async with aiohttp.ClientSession() as session:
        pages = set()
        for name in ("asha", "nobody"):
            async with session.post(f"{site.url}/console/login", data={"name": name, "password": "wrong"}) as answer:
                pages.add((answer.status, await answer.text()))
        assert len(pages) == 1
        for _ in range(9):
            async with session.post(f"{site.url}/console/login", data={"name": "asha", "password": "wrong"}) as answer:
                assert answer.status == 403
        async with session.post(f"{site.url}/console/login", data={"name": "asha", "password": PASSWORD}) as answer:
            assert answer.status == 403


async def test_unknown_cases_look_alike_and_everything_is_audited(site: Site) -> None:
    """F8, G19."""
    case = await open_case(site)
    asha, sudha = await site.login("asha"), await site.login("sudha")
    bodies = {(await asha.get(f"/console/cases/{name}")) for name in ("0" * 12, "x", "..%2f")}
    assert {status for status, _ in bodies} == {404} and len(bodies) == 1
    await asha.get(f"/console/cases/{case}")
    await asha.act(case, "claim")
    _, page = await sudha.get("/console/audit")
    assert "case read" in page and "claim" in page
    count = await site.service.audit.verify()
    await site.service.db["audit"].update_one({"number": 2}, {"$set": {"who": "somebody else"}})
    with pytest.raises(ValueError, match="line 2"):
        await site.service.audit.verify()
    assert count >= 5


async def test_headers_and_the_web_chat_over_http(site: Site) -> None:
    """The public side: strict headers, a session is needed, a repeated id is one message, foreign sites are refused."""
    jar = aiohttp.CookieJar(unsafe=True)
    async with aiohttp.ClientSession(cookie_jar=jar) as session:
        async with session.get(site.url + "/") as answer:
            assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
            assert answer.headers["Cache-Control"] == "no-store"
            assert "tel:1098" in await answer.text()
        async with session.get(site.url + "/chat/messages") as answer:
            assert answer.status == 401
        async with session.post(site.url + "/chat/session", headers={"Origin": "https://evil.example"}) as answer:
            assert answer.status == 403
        async with session.post(site.url + "/chat/session") as answer:
            assert answer.status == 200
        for _ in range(3):
            async with session.post(site.url + "/chat/messages", json={"id": "m1", "choice": "c:menu"}) as answer:
                assert answer.status == 200
        for bad in (
            {},
            {"id": "x"},
            {"id": "a b", "text": "x"},
            {"id": "y", "text": "x" * 4001},
            {"id": "z", "text": 5},
        ):
            async with session.post(site.url + "/chat/messages", json=bad) as answer:
                assert answer.status == 400, bad
        async with asyncio.timeout(10):
            found: list[dict[str, str]] = []
            while not found:
                async with session.get(site.url + "/chat/messages") as answer:
                    found = (await answer.json())["messages"]
        assert [item["about"] for item in found] == ["core.choose_language"]
    async with aiohttp.ClientSession() as session:
        for path, status in (
            ("/q/ZZZ1", 200),
            ("/q/ZZZ", 200),
            ("/health", 200),
            ("/ready", 200),
            ("/metrics", 200),
            ("/nothing", 404),
        ):
            async with session.get(site.url + path) as answer:
                assert answer.status == status, path
