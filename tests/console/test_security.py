"""Sessions, one-time and recovery codes, the proof before what is delicate, and the administrator's rule."""

from __future__ import annotations

import asyncio
import re
import time
from datetime import timedelta

import pyotp
import pytest
from aiohttp.test_utils import make_mocked_request
from argon2 import extract_parameters
from multidict import CIMultiDict
from yarl import URL

from bot.config import ConfigError, load_config
from bot.console.auth import Gate, right_password, step_of
from bot.console.peer import peer_of
from bot.console.security import own_path
from tests.conftest import NOW
from tests.console.conftest import PASSWORD, Browser, Site
from tests.console.test_console import open_case
from tests.console.test_passkeys import half_token, nobody

SECRET = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"


async def leads(browser: Browser, path: str) -> tuple[int, str]:
    async with browser.session.get(browser.url + path, allow_redirects=False) as answer:
        return answer.status, answer.headers.get("Location", "")


async def posted(browser: Browser, path: str, csrf: str, **fields: str) -> tuple[int, str]:
    async with browser.session.post(browser.url + path, data={"csrf": csrf, **fields}, allow_redirects=False) as answer:
        return answer.status, answer.headers.get("Location", "")


#: The code with which each secret was set up: half a minute later another one fits.
SET_UP: dict[str, str] = {}


async def with_codes(site: Site, name: str) -> tuple[Browser, str, list[str]]:
    """Set one-time codes up in the console; return the browser, the secret and the recovery codes."""
    browser = await site.login(name)
    csrf = await browser.token()
    _, page = await browser.post("/console/security/codes", csrf=csrf)
    assert "<svg" in page and "<script>" not in page and "style=" not in page
    secret = re.findall(r'id="secret">(\w+)<', page)[0]
    assert (await browser.post("/console/security/codes/confirm", csrf=csrf, code="000000"))[0] == 400
    code = SET_UP[secret] = pyotp.TOTP(secret).at(site.service.now())
    status, page = await browser.post("/console/security/codes/confirm", csrf=csrf, code=code)
    assert status == 200
    return browser, secret, re.findall(r"<li><code>([0-9a-f-]+)</code>", page)


def code_of(site: Site, secret: str, steps: int = 0) -> str:
    return pyotp.TOTP(secret).at(site.service.now() + timedelta(seconds=30 * steps))


async def try_code(site: Site, name: str, code: str) -> bool:
    browser = nobody(site)
    status, _ = await browser.post("/console/login", name=name, password=PASSWORD, code=code)
    return status == 200


async def test_codes_are_set_up_by_the_person_and_each_serves_once(site: Site) -> None:
    """F3: needed from then on; the one used for setting up is used up; sealed at rest; other sessions end."""
    before = await site.login("asha")
    _, secret, codes = await with_codes(site, "asha")
    assert len(codes) == len(set(codes)) == 10
    assert await leads(before, "/console/queue") == (303, "/console/login")
    assert not await try_code(site, "asha", "")
    assert not await try_code(site, "asha", SET_UP[secret])
    following = code_of(site, secret, 1)
    assert await try_code(site, "asha", following)
    assert not await try_code(site, "asha", following)
    stored = str(await site.service.db["responders"].find_one({"_id": "asha"}))
    assert secret not in stored and not any(code in stored for code in codes)


def test_a_code_fits_its_own_step_and_the_neighbours() -> None:
    """F3: two steps off and a clock 90 seconds away do not fit."""
    code = pyotp.TOTP(SECRET).at(NOW)
    for seconds, fits in ((0, True), (30, True), (-30, True), (60, False), (-60, False), (90, False)):
        assert bool(step_of(SECRET, code, NOW + timedelta(seconds=seconds))) == fits, seconds
    assert not step_of(SECRET, "", NOW) and not step_of("", code, NOW) and not step_of(SECRET, "１２３４５６", NOW)


async def test_codes_are_tried_five_times_in_ten_minutes(site: Site) -> None:
    """F3: at the sixth even the right one is not looked at; ten minutes later it is."""
    _, _, codes = await with_codes(site, "asha")
    for _ in range(5):
        assert not await try_code(site, "asha", "111111")
    assert not await try_code(site, "asha", codes[0])
    await site.service.db["attempts"].update_many({}, {"$set": {"at": site.service.now() - timedelta(minutes=61)}})
    assert await try_code(site, "asha", codes[0])


async def test_recovery_codes_serve_once_even_at_the_same_moment(site: Site) -> None:
    """Shown once, hashed, spent; new ones make the old ones worthless."""
    browser, _, codes = await with_codes(site, "asha")
    found = await asyncio.gather(*(try_code(site, "asha", codes[0]) for _ in range(5)))
    assert sum(found) == 1
    _, page = await browser.get("/console/security")
    assert "<b>9</b>" in page and codes[1] not in page
    _, page = await browser.post("/console/security/recovery", csrf=await browser.token())
    fresh = re.findall(r"<li><code>([0-9a-f-]+)</code>", page)
    await site.service.db["attempts"].delete_many({})
    assert not await try_code(site, "asha", codes[1])
    assert await try_code(site, "asha", fresh[1])


async def test_the_administrator_demands_a_second_factor_and_resets_a_lost_one(site: Site) -> None:
    """Also those who are in already have to set one up first; a reset is in the audit and ends the sessions."""
    asha, root = await site.login("asha"), await site.login("root")
    await root.post("/console/people/rules", csrf=await root.token(), second_factor="yes")
    for path in ("/console/queue", "/console/live", "/console/password"):
        assert await leads(asha, path) == (303, "/console/security"), path
    assert await leads(root, "/console/people") == (303, "/console/security")
    asha, _, _ = await with_second(site, asha)
    assert (await asha.get("/console/queue"))[0] == 200
    root, _, _ = await with_second(site, root)
    _, page = await root.get("/console/people")
    assert page.count("codes ") >= 2
    await root.post("/console/people/asha/factors", csrf=await root.token())
    assert await leads(asha, "/console/queue") == (303, "/console/login")
    person = await site.service.responders.get("asha")
    assert person and not person.totp_secret and not person.recovery
    actions = [line["action"] for line in await site.service.audit.find(who="root")]
    assert {"second factor demanded", "second factor reset"} <= set(actions)
    again = await site.login("asha")
    assert await leads(again, "/console/queue") == (303, "/console/security")


async def with_second(site: Site, browser: Browser) -> tuple[Browser, str, list[str]]:
    _, page = await browser.get("/console/security")
    csrf = page.partition('name="csrf" value="')[2].partition('"')[0]
    _, page = await browser.post("/console/security/codes", csrf=csrf)
    secret = re.findall(r'id="secret">(\w+)<', page)[0]
    _, page = await browser.post("/console/security/codes/confirm", csrf=csrf, code=code_of(site, secret))
    return browser, secret, re.findall(r"<li><code>([0-9a-f-]+)</code>", page)


async def grow_old(site: Site) -> None:
    """Let six minutes pass since anybody showed who they are."""
    await site.service.db["sessions"].update_many(
        {}, {"$set": {"proved_at": site.service.now() - timedelta(minutes=6)}}
    )


async def test_what_is_delicate_needs_a_fresh_proof(site: Site) -> None:
    """Handing out, people, partners, one's own way in: the password again, or a passkey; a stolen session is no help."""
    case = await open_case(site)
    asha, root, sudha = await site.login("asha"), await site.login("root"), await site.login("sudha")
    await asha.act(case, "claim")
    csrf = [await browser.token() for browser in (asha, root, sudha)]
    await grow_old(site)
    for browser, token, paths in (
        (asha, csrf[0], (
            f"/console/cases/{case}/referral", "/console/password", "/console/security/passkeys",
            "/console/security/codes", "/console/security/codes/remove", "/console/security/recovery",
        )),
        (root, csrf[1], (
            "/console/people", "/console/people/rules", "/console/organisations", "/console/people/bina/change",
            "/console/people/bina/disable", "/console/people/bina/reset", "/console/people/bina/factors",
        )),
        (sudha, csrf[2], (f"/console/cases/{case}/share", "/console/histories/x/export")),
    ):  # fmt: skip
        for path in paths:
            assert await posted(browser, path, token) == (303, "/console/prove?back=/console/"), path
    assert (await asha.get("/console/queue"))[0] == 200
    assert "show again who you are" in (await asha.get(f"/console/cases/{case}"))[1]
    assert (await posted(asha, "/console/prove", csrf[0], password="wrong", back="/console/queue"))[0] == 400
    assert await posted(asha, "/console/prove", csrf[0], password=PASSWORD, back="/console/queue") == (
        303, "/console/queue",
    )  # fmt: skip
    assert (await posted(asha, "/console/security/codes", csrf[0]))[0] == 200
    assert await posted(root, "/console/people", csrf[1]) == (303, "/console/prove?back=/console/")
    bina = await site.service.responders.get("bina")
    assert bina and bina.active


async def test_guessing_at_the_proof_is_slowed_and_locks_nobody_out(site: Site) -> None:
    """Ten tries an hour in a stolen session; at the door the owner still comes in."""
    asha = await site.login("asha")
    csrf = await asha.token()
    for _ in range(10):
        assert (await posted(asha, "/console/prove", csrf, password="wrong"))[0] == 400
    assert (await posted(asha, "/console/prove", csrf, password=PASSWORD))[0] == 400
    assert (await (await site.login("asha")).get("/console/queue"))[0] == 200


def test_nobody_is_sent_elsewhere() -> None:
    """F22: only pages of the console."""
    for path in (
        "https://evil.example", "//evil.example/console/", "/\\evil.example", "/console/../../x//y", "/console\\x", "",
        "javascript:alert(1)", "/console/\r\nSet-Cookie: x=1", "/chat", "/console//evil.example",
    ):  # fmt: skip
        assert own_path(path) == "/console/", path
    assert own_path("/console/cases/abc") == "/console/cases/abc"


async def test_a_person_sees_own_sessions_and_ends_them(site: Site) -> None:
    """Each with its browser, as text; nobody ends another person's."""
    first = nobody(site)
    headers = {"User-Agent": "<b>old phone</b>"}
    async with first.session.post(
        f"{site.url}/console/login", data={"name": "asha", "password": PASSWORD}, headers=headers,
        allow_redirects=False,
    ) as answer:  # fmt: skip
        assert answer.status == 303
    second, bina = await site.login("asha"), await site.login("bina")
    _, page = await second.get("/console/security")
    assert "&lt;b&gt;old phone&lt;/b&gt;" in page
    names = re.findall(r'name="session" value="([0-9a-f]+)"', page)
    assert len(names) == 1
    await posted(bina, "/console/security/sessions/end", await bina.token(), session=names[0])
    assert len(await site.service.sessions.of("asha", site.service.now())) == 2
    await posted(second, "/console/security/sessions/end", await second.token(), session=names[0])
    assert [row["how"] for row in await site.service.sessions.of("asha", site.service.now())] == ["password"]
    await site.login("asha")
    await posted(second, "/console/security/sessions/end", await second.token(), session="others")
    assert len(await site.service.sessions.of("asha", site.service.now())) == 1
    assert (await second.get("/console/queue"))[0] == 200


async def test_a_stolen_cookie_in_another_browser_ends_the_session(site: Site) -> None:
    """F5."""
    asha = await site.login("asha")
    headers = {"User-Agent": "somebody else"}
    async with asha.session.get(f"{site.url}/console/queue", headers=headers, allow_redirects=False) as answer:
        assert (answer.status, answer.headers["Location"]) == (303, "/console/login")
    assert await leads(asha, "/console/queue") == (303, "/console/login")
    assert await site.service.audit.find(who="asha", action="session stopped: another browser")


async def test_a_login_takes_a_new_name_and_ends_the_old_session(site: Site) -> None:
    """F4: a name that somebody planted is worth nothing, and the session before this one is gone."""
    asha = await site.login("asha")
    before = next(iter(asha.session.cookie_jar)).value
    await asha.post("/console/login", name="asha", password=PASSWORD)
    after = next(iter(asha.session.cookie_jar)).value
    assert before != after and await site.service.sessions.get(before, site.service.now()) is None


async def test_what_a_script_asks_keeps_no_session_alive(site: Site) -> None:
    """G18: idle means that no human did anything, whatever an open page goes on asking; ten hours are the end."""
    case = await open_case(site)
    asha = await site.login("asha")
    old = site.service.now() - timedelta(minutes=14)
    await site.service.db["sessions"].update_many({}, {"$set": {"seen_at": old}})
    for path in ("/console/queue.json", f"/console/cases/{case}/live.json"):
        assert (await asha.get(path))[0] == 200
    (row,) = await site.service.sessions.of("asha", site.service.now())
    assert row["seen_at"] < site.service.now() - timedelta(minutes=13)
    assert row["expires_at"] <= site.service.now() + timedelta(hours=10)
    await site.service.db["sessions"].update_many({}, {"$set": {"expires_at": site.service.now()}})
    assert await leads(asha, "/console/queue") == (303, "/console/login")


@pytest.mark.parametrize("how", ["role", "disable", "password", "reset", "factors", "logout", "ended"])
async def test_the_live_stream_ends_with_the_session(site: Site, how: str) -> None:
    """F9, F12, G18: within five seconds."""
    asha, root = await site.login("asha"), await site.login("root")
    other = await site.login("asha")
    csrf, admin, others = await asha.token(), await root.token(), await other.token()
    async with asha.session.get(f"{site.url}/console/live") as stream:
        await stream.content.readline()
        if how == "role":
            await posted(root, "/console/people/asha/change", admin, role="author")
        elif how in {"disable", "reset", "factors"}:
            await posted(root, f"/console/people/asha/{how}", admin)
        elif how == "password":
            await posted(other, "/console/password", others, password="another-long-one", again="another-long-one")
        elif how == "logout":
            await posted(asha, "/console/logout", csrf)
        else:
            await posted(other, "/console/security/sessions/end", others, session="others")
        began = time.monotonic()
        async with asyncio.timeout(10):
            while await stream.content.readline():
                pass
        assert time.monotonic() - began <= 5
    assert await leads(asha, "/console/queue") == (303, "/console/login")


async def test_at_most_three_streams_a_person(site: Site) -> None:
    """F9."""
    asha = await site.login("asha")
    open_ones = [await asha.session.get(f"{site.url}/console/live") for _ in range(3)]
    async with asha.session.get(f"{site.url}/console/live") as answer:
        assert answer.status == 429
    for stream in open_ones:
        stream.close()


async def test_known_and_unknown_names_cost_the_same(site: Site) -> None:
    """F2, G17: exactly one hash of the same parameters is checked, whoever it is; a clock would say less under load."""
    gate, checked = Gate(site.service), []

    def check(found: str, password: str) -> bool:
        checked.append(extract_parameters(found))
        return right_password(found, password)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("bot.console.auth.right_password", check)
        for name in ("asha", "nobody", "", "x" * 200):
            assert await gate.log_in(name, "wrong", "", "peer") is None
    assert len(checked) == 4 and len(set(map(str, checked))) == 1


async def test_the_first_password_is_changed_after_the_second_factor(site: Site) -> None:
    """Whoever got hold of a one-time password still has to show the second factor before anything."""
    await with_codes(site, "asha")
    root = await site.login("root")
    _, page = await root.post("/console/people/asha/reset", csrf=await root.token())
    given = re.findall(r"<code>asha / ([^<]+)</code>", page)[0]
    browser = nobody(site)
    assert (await browser.post("/console/login", name="asha", password=given))[0] == 403
    person = await site.service.responders.get("asha")
    assert person and person.totp_secret and person.must_change


async def test_the_proof_page_takes_no_password_where_the_second_factor_is_due(site: Site) -> None:
    await with_codes(site, "asha")
    responder = await site.service.responders.get("asha")
    assert responder
    token = await Gate(site.service).open(responder)
    browser = nobody(site)
    browser.session.headers.update({"User-Agent": ""})
    browser.session.cookie_jar.update_cookies({"sahyatri_console": token}, response_url=URL(site.url))
    csrf = await half_token(browser)
    assert (await posted(browser, "/console/prove", csrf, password=PASSWORD))[0] == 400


@pytest.mark.parametrize(
    ("remote", "told", "counted"),
    [
        ("172.18.0.5", "203.0.113.9", "203.0.113.9"),
        ("172.18.0.5", "6.6.6.6, 203.0.113.9", "203.0.113.9"),
        ("172.18.0.5", "", "172.18.0.5"),
        ("172.18.0.5", "nonsense", "172.18.0.5"),
        ("198.51.100.1", "203.0.113.9", "198.51.100.1"),
    ],
)
def test_only_our_proxy_is_believed(remote: str, told: str, counted: str) -> None:
    """Tries are counted by the visitor's address, and nobody gets a new one by writing a header."""
    headers = CIMultiDict({"X-Forwarded-For": told} if told else {})
    request = make_mocked_request("POST", "/console/login", headers=headers).clone(remote=remote)
    assert peer_of(request, load_config(SAHYATRI_PROXIES="172.16.0.0/12, 10.0.0.0/8").proxy_networks) == counted


def test_a_network_that_is_none_is_named() -> None:
    with pytest.raises(ConfigError, match="SAHYATRI_PROXIES"):
        load_config(SAHYATRI_PROXIES="my-proxy")
