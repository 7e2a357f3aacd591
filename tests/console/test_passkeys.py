"""Passkeys over HTTP: registered and used with real ES256 signatures, and refused for every reason there is."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import aiohttp
import pytest
from yarl import URL

from bot.console.passkeys import Party, party
from tests.authenticator import PRESENT, VERIFIED, Authenticator
from tests.console.conftest import PASSWORD, Browser, Site


def origin(site: Site) -> str:
    """Passkeys need a host name, so that the browser's address is this and not 127.0.0.1."""
    return f"http://localhost:{URL(site.url).port}"


async def challenge(browser: Browser, purpose: str) -> dict[str, Any]:
    """Ask for a challenge: at the door without a token, else with it."""
    path = "/console/passkey/challenge" if purpose == "login" else "/console/prove/challenge"
    csrf = "" if purpose == "login" else await browser.token()
    status, body = await browser.post(path, csrf=csrf, purpose=purpose)
    assert status == 200, body
    found: dict[str, Any] = json.loads(body)
    return found


async def register(browser: Browser, site: Site, key: Authenticator, label: str = "my phone") -> tuple[int, str]:
    given = await challenge(browser, "register")
    return await browser.post(
        "/console/security/passkeys", csrf=await browser.token(), label=label, challenge=given["challenge"],
        answer=key.create(given["options"]),
    )  # fmt: skip


def nobody(site: Site) -> Browser:
    return Browser(site.url, aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True)))


async def enter(site: Site, key: Authenticator, **changed: str) -> tuple[int, str, Browser]:
    browser = nobody(site)
    given = await challenge(browser, "login")
    fields = {"challenge": given["challenge"], "answer": key.get(given["options"]), **changed}
    status, page = await browser.post("/console/passkey/login", **fields)
    return status, page, browser


async def test_a_passkey_opens_the_console_without_a_password(site: Site) -> None:
    """Set up while in, named, used at the door; the options ask for a verified person and name nobody."""
    asha, key = await site.login("asha"), Authenticator(origin(site))
    given = await challenge(asha, "register")
    assert given["options"]["authenticatorSelection"]["userVerification"] == "required"
    assert given["options"]["authenticatorSelection"]["residentKey"] == "required"
    assert given["options"]["rp"]["id"] == "localhost" and "asha" not in given["options"]["user"]["id"]
    status, page = await register(asha, site, key, "<b>Asha's</b> phone")
    assert status == 200 and "&lt;b&gt;Asha" in page and page.count("<li><code>") == 10
    given = await challenge(nobody(site), "login")
    assert given["options"]["userVerification"] == "required" and not given["options"].get("allowCredentials")
    status, page, inside = await enter(site, key)
    assert status == 200 and "Queue" in page
    stored = await site.service.passkeys.of("asha")
    assert [(one.name, one.count) for one in stored] == [("<b>Asha's</b> phone", 1)]
    actions = [line["action"] for line in await site.service.audit.find(who="asha")]
    assert {"passkey added", "recovery codes made", "login"} <= set(actions)
    _, page = await inside.get("/console/security")
    assert "passkey" in page and page.count('name="passkey"') == 1


async def test_several_passkeys_each_removable(site: Site) -> None:
    """The second is told of the first, so that no device has two; a removed one opens nothing, the other still does."""
    asha = await site.login("asha")
    first, second = Authenticator(origin(site)), Authenticator(origin(site))
    await register(asha, site, first, "phone")
    given = await challenge(asha, "register")
    assert len(given["options"]["excludeCredentials"]) == 1
    await register(asha, site, second, "key")
    assert (await register(asha, site, second, "again"))[0] == 400
    bina = await site.login("bina")
    await bina.post("/console/security/passkeys/remove", csrf=await bina.token(), passkey=first.id.hex())
    assert len(await site.service.passkeys.of("asha")) == 2
    await asha.post("/console/security/passkeys/remove", csrf=await asha.token(), passkey=first.id.hex())
    assert (await enter(site, first))[0] == 403
    assert (await enter(site, second))[0] == 200


def unverified(key: Authenticator) -> Authenticator:
    return replace(key, flags=PRESENT)


LIES: dict[str, Callable[[Authenticator], Authenticator]] = {
    "not verified": unverified,
    "not present": lambda key: replace(key, flags=VERIFIED),
    "another site": lambda key: replace(key, origin="https://evil.example"),
    "another site's name": lambda key: replace(key, rp="evil.example"),
    "another key": lambda key: replace(key, key=Authenticator("").key),
    "another credential": lambda key: replace(key, id=b"y" * 32),
    "another person": lambda key: replace(key, handle=b"z" * 20),
    "a copy that is behind": lambda key: replace(key, count=0, step=1),
    "a copy that stands still": lambda key: replace(key, step=0),
}


@pytest.mark.parametrize("lie", LIES)
async def test_what_is_not_right_stays_outside(site: Site, lie: str) -> None:
    """User verification, origin, site, signature, person, and a counter that only rises; the answer says nothing."""
    asha, key = await site.login("asha"), Authenticator(origin(site), count=5)
    await register(asha, site, key)
    assert (await enter(site, key))[0] == 200
    status, page, _ = await enter(site, LIES[lie](key))
    wrong = await nobody(site).post("/console/login", name="asha", password="wrong")
    assert (status, page) == wrong == (403, page)
    assert (await enter(site, key))[0] == 200


@pytest.mark.parametrize("lie", ["not verified", "not present", "another site", "another site's name"])
async def test_what_is_not_right_is_not_registered(site: Site, lie: str) -> None:
    asha = await site.login("asha")
    assert (await register(asha, site, LIES[lie](Authenticator(origin(site)))))[0] == 400
    assert await site.service.passkeys.of("asha") == []


async def test_a_challenge_serves_once_shortly_and_one_purpose(site: Site) -> None:
    """Replayed, made up, of another purpose, of another session, or two minutes old: refused."""
    asha, key = await site.login("asha"), Authenticator(origin(site))
    await register(asha, site, key)
    browser = nobody(site)
    given = await challenge(browser, "login")
    fields = {"challenge": given["challenge"], "answer": key.get(given["options"])}
    assert (await browser.post("/console/passkey/login", **fields))[0] == 200
    assert (await nobody(site).post("/console/passkey/login", **fields))[0] == 403
    assert (await enter(site, key, challenge="made-up"))[0] == 403
    for bad in ("", "{}", "[]", "null", "nonsense", '{"id":1}', "[" * 5000, "x" * 30000, '{"id":"a","rawId":"!"}'):
        assert (await enter(site, key, answer=bad))[0] == 403, bad[:20]
    other = await challenge(asha, "prove")
    answer = key.get(other["options"])
    assert (await nobody(site).post("/console/passkey/login", challenge=other["challenge"], answer=answer))[0] == 403
    again = await challenge(asha, "prove")
    bina = await site.login("bina")
    status, _ = await bina.post(
        "/console/prove/passkey", csrf=await bina.token(), challenge=again["challenge"],
        answer=key.get(again["options"]),
    )  # fmt: skip
    assert status == 400
    late = await challenge(browser, "login")
    await site.service.db["challenges"].update_many({}, {"$set": {"until": site.service.now() - timedelta(seconds=1)}})
    fields = {"challenge": late["challenge"], "answer": key.get(late["options"])}
    assert (await nobody(site).post("/console/passkey/login", **fields))[0] == 403


async def test_one_assertion_at_once_counts_once(site: Site) -> None:
    """Twenty copies of one answer at the same moment open one session."""
    asha, key = await site.login("asha"), Authenticator(origin(site))
    await register(asha, site, key)
    given = await challenge(nobody(site), "login")
    fields = {"challenge": given["challenge"], "answer": key.get(given["options"])}
    found = await asyncio.gather(*(nobody(site).post("/console/passkey/login", **fields) for _ in range(20)))
    assert sorted(status for status, _ in found).count(200) == 1


async def test_nobody_locks_the_owner_of_a_passkey_out(site: Site) -> None:
    """F1, G17: a thousand guesses at once, of which ten are looked at; the owner comes in with the passkey."""
    asha, key = await site.login("asha"), Authenticator(origin(site))
    await register(asha, site, key)
    looked: list[str] = []

    def look(found: str, password: str) -> bool:
        looked.append(password)
        return False

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("bot.console.auth.right_password", look)
        async with aiohttp.ClientSession() as session:

            async def guess(number: int) -> int:
                async with session.post(
                    f"{site.url}/console/login", data={"name": "asha", "password": str(number)}
                ) as answer:
                    return answer.status

            assert set(await asyncio.gather(*(guess(number) for number in range(1000)))) == {403}
    assert len(looked) <= 10
    stopped = await site.service.audit.find(action="login tries stopped")
    assert len(stopped) == 1
    assert (await nobody(site).post("/console/login", name="asha", password=PASSWORD))[0] == 403
    assert (await enter(site, key))[0] == 200


async def test_a_disabled_person_does_not_come_in_by_passkey(site: Site) -> None:
    asha, key = await site.login("asha"), Authenticator(origin(site))
    await register(asha, site, key)
    root = await site.login("root")
    await root.post("/console/people/asha/disable", csrf=await root.token())
    assert (await enter(site, key))[0] == 403


async def test_a_password_alone_is_half_a_way_in_for_who_has_a_passkey(site: Site) -> None:
    """Nothing opens but the proof, with a passkey or a recovery code; no second passkey can be added meanwhile."""
    asha, key = await site.login("asha"), Authenticator(origin(site))
    _, page = await register(asha, site, key)
    codes = [part.partition("<")[0] for part in page.split("<li><code>")[1:]]
    thief = await site.login("asha")
    for path in ("/console/queue", "/console/security", "/console/password", "/console/queue.json"):
        async with thief.session.get(site.url + path, allow_redirects=False) as answer:
            assert (answer.status, answer.headers["Location"]) == (303, "/console/prove")
    token = await half_token(thief)
    status, _ = await thief.post("/console/prove/challenge", csrf=token, purpose="register")
    assert status == 403
    assert (await thief.post("/console/prove", csrf=token, password=PASSWORD))[0] == 400
    given = json.loads((await thief.post("/console/prove/challenge", csrf=token, purpose="prove"))[1])
    before = next(iter(thief.session.cookie_jar)).value
    status, page = await thief.post(
        "/console/prove/passkey", csrf=token, challenge=given["challenge"], answer=key.get(given["options"])
    )
    assert status == 200 and "Queue" in page
    assert next(iter(thief.session.cookie_jar)).value != before
    other = await site.login("asha")
    status, page = await other.post("/console/prove", csrf=await half_token(other), code=codes[0].upper())
    assert status == 200 and "Queue" in page
    third = await site.login("asha")
    assert (await third.post("/console/prove", csrf=await half_token(third), code=codes[0]))[0] == 400


async def half_token(browser: Browser) -> str:
    _, page = await browser.get("/console/prove")
    return page.partition('name="csrf" value="')[2].partition('"')[0]


def test_who_we_are_follows_the_public_address() -> None:
    assert party("https://help.example.org", "whatever:1") == Party("help.example.org", "https://help.example.org")
    assert party("https://help.example.org:8443/", "x") == Party("help.example.org", "https://help.example.org:8443")
    assert party("", "127.0.0.1:8080") == Party("localhost", "http://localhost:8080")
