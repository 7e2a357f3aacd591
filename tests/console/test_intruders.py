"""Guessing at a way into the console, and a session from elsewhere, are paged: seldom, and naming nobody."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest
import pytest_asyncio
from pydantic import SecretStr

from bot.config import Config
from bot.console.auth import MOST_WRONG
from bot.ports import GUESS_MANY, GUESS_ONE, SESSION_STOLEN
from tests.console.conftest import PASSWORD, Browser, Site
from tests.console.test_passkeys import half_token, nobody
from tests.console.test_security import leads, posted, with_codes
from tests.platforms import alert_server
from tests.service.test_list_watch import Mailbox, mail_server

HINTS = {"Sec-CH-UA": '"Chromium";v="130"', "Sec-CH-UA-Mobile": "?1", "Sec-CH-UA-Platform": '"Android"'}


@dataclass
class Paged:
    """What left by mail and by webhook."""

    port: int
    mail: Mailbox
    url: str
    webhook: list[dict[str, object]]

    async def until(self, count: int) -> None:
        async with asyncio.timeout(20):
            while min(len(self.mail.got), len(self.webhook)) < count:
                await asyncio.sleep(0.05)


@pytest_asyncio.fixture
async def paged() -> AsyncIterator[Paged]:
    async with alert_server() as (url, pages), mail_server() as (port, box):
        yield Paged(port, box, url, pages)


@pytest.fixture
def config(config: Config, paged: Paged) -> Config:
    return config.model_copy(
        update={
            "alert_email_to": "team@a.example", "alert_email_from": "bot@a.example", "smtp_host": "127.0.0.1",
            "smtp_port": paged.port, "smtp_tls": "none", "alert_webhook_url": paged.url,
            "alert_webhook_secret": SecretStr("made-up-alert-key"),
        }
    )  # fmt: skip


async def guess(browser: Browser, name: str, times: int = 1, password: str = "wrong") -> None:
    for _ in range(times):
        status, _ = await browser.post("/console/login", name=name, password=password)
        assert status == 403


async def ids(site: Site, kind: str) -> list[str]:
    """Return the ids of the pages of this kind that go by mail."""
    rows = site.service.db["alerts"].find({"kind": kind, "channel": "email"})
    return sorted([row["_id"] async for row in rows])


async def audited(site: Site, action: str) -> list[str]:
    """Return what the lines with this action are about."""
    return [line["about"] for line in await site.service.audit.find(action=action)]


async def test_guessing_at_one_account_is_paged_once_a_day(site: Site, paged: Paged) -> None:
    """F1: at the eleventh try, to every alert channel; the audit says whose account, the page does not."""
    thief = nobody(site)
    await guess(thief, "asha", 10)
    assert await ids(site, GUESS_ONE) == []
    await guess(thief, "asha", 3)
    await guess(thief, "asha", password=PASSWORD)
    site.service.intruders._told.clear()
    await guess(thief, "asha")
    assert len(await ids(site, GUESS_ONE)) == 1
    assert await audited(site, "login tries stopped") == ["asha", "asha"]
    await guess(thief, "bina", 11)
    await paged.until(2)
    assert {page["kind"] for page in paged.webhook} == {GUESS_ONE}
    said = "".join(paged.mail.got) + str(paged.webhook)
    assert "guess" in said and "asha" not in said and "bina" not in said and "127.0.0.1" not in said


async def test_names_that_nobody_has_share_one_page_a_day(site: Site) -> None:
    """No storm: whoever goes through made-up names pages once; the same is written down and sent for known ones."""
    thief = nobody(site)
    for number in range(4):
        await guess(thief, f"made-up {number}", 11)
    assert [name.split(":")[2] for name in await ids(site, GUESS_ONE)] == ["nobody"]
    assert await audited(site, "login tries stopped") == ["", "", "", ""]
    assert "made-up" not in str(await site.service.audit.latest())


async def test_guessing_at_many_accounts_is_paged_once_an_hour(site: Site) -> None:
    """F1: few tries for each name, so that none is stopped; what an owner types right in between is no guess."""
    thief, names = nobody(site), [f"name {number}" for number in range(MOST_WRONG)]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("bot.console.auth.MOST_PER_PEER", 1000)
        for name in names:
            await guess(thief, name)
        for _ in range(3):
            await site.login("bina")
        assert await ids(site, GUESS_MANY) == []
        for name in names[:20]:
            await guess(thief, name)
    assert len(await ids(site, GUESS_MANY)) == 1
    assert await ids(site, GUESS_ONE) == []
    assert len(await audited(site, "very many wrong tries")) == 1


async def test_ten_thousand_stopped_tries_do_not_flood_the_audit(site: Site) -> None:
    """F1: one address with ever new names leaves one line an hour once it is not looked at any more."""
    thief = nobody(site)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("bot.console.auth.MOST_PER_PEER", 5)
        for number in range(30):
            await guess(thief, f"name {number}")
    assert len(await audited(site, "address tries stopped")) == 1


async def test_guessing_at_codes_and_at_the_proof_is_paged(site: Site) -> None:
    """Somebody who has the password, or the session, and needs the rest."""
    asha, _, _ = await with_codes(site, "asha")
    for _ in range(6):
        await nobody(site).post("/console/login", name="asha", password=PASSWORD, code="111111")
    assert await audited(site, "code tries stopped") == ["asha"]
    assert len(await ids(site, GUESS_ONE)) == 1
    bina = await site.login("bina")
    csrf = await bina.token()
    for _ in range(11):
        assert (await posted(bina, "/console/prove", csrf, password="wrong"))[0] == 400
    assert await audited(site, "proof tries stopped") == ["bina"]
    assert len(await ids(site, GUESS_ONE)) == 2
    assert await half_token(bina)
    assert (await asha.get("/console/queue"))[0] == 200


async def stolen(site: Site, browser: Browser, **headers: str) -> bool:
    """Show the cookie of *browser* with other headers; say whether its session ended."""
    sent = {"User-Agent": "Chrome", **HINTS, **headers}
    async with browser.session.get(f"{site.url}/console/queue", headers=sent, allow_redirects=False) as answer:
        return answer.status == 303


async def signed_in(site: Site, name: str) -> Browser:
    browser = nobody(site)
    browser.session.headers.update({"User-Agent": "Chrome", **HINTS})
    await browser.post("/console/login", name=name, password=PASSWORD)
    return browser


@pytest.mark.parametrize("name", ["User-Agent", *HINTS])
async def test_a_session_from_another_browser_ends_and_is_paged(site: Site, paged: Paged, name: str) -> None:
    """F5: another name or any other client hint; the owner logs in again; once a day for each account."""
    asha = await signed_in(site, "asha")
    assert not await stolen(site, asha)
    assert await stolen(site, asha, **{name: '"Windows"'})
    assert await leads(asha, "/console/queue") == (303, "/console/login")
    again = await signed_in(site, "asha")
    assert await leads(again, "/console/queue") == (200, "")
    assert await stolen(site, again, **{name: '"Windows"'})
    assert len(await ids(site, SESSION_STOLEN)) == 1
    await paged.until(1)
    said = "".join(paged.mail.got) + str(paged.webhook)
    assert SESSION_STOLEN in said and "asha" not in said
    lines = await site.service.audit.find(who="asha", action="session stopped: another browser")
    assert len(lines) == 2


async def test_a_browser_that_leaves_hints_out_is_the_same(site: Site) -> None:
    """A file that is saved is fetched without them; so is every page by an old browser."""
    asha = await signed_in(site, "asha")
    bare = dict.fromkeys(HINTS, "")
    assert not await stolen(site, asha, **bare)
    assert not await stolen(site, asha)
    assert await ids(site, SESSION_STOLEN) == []
