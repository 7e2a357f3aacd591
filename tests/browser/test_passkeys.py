"""Passkeys in Chromium with its virtual authenticator: set up, log in, prove, and the pages on a phone."""

from __future__ import annotations

from typing import Any

from playwright.async_api import Browser, Page, expect
from yarl import URL

from bot.domain.cases import CaseAction
from bot.domain.private import Private
from tests.browser.test_browser import PHONE, browser  # noqa: F401 - the fixture
from tests.console.conftest import PASSWORD, Site, site  # noqa: F401 - the fixture
from tests.console.test_console import open_case
from tests.console.test_security import grow_old


async def with_authenticator(page: Page) -> Any:
    """Give the page an authenticator that knows its owner by touch."""
    tools = await page.context.new_cdp_session(page)
    await tools.send("WebAuthn.enable")
    options = {
        "protocol": "ctap2", "transport": "internal", "hasResidentKey": True, "hasUserVerification": True,
        "isUserVerified": True, "automaticPresenceSimulation": True,
    }  # fmt: skip
    made = await tools.send("WebAuthn.addVirtualAuthenticator", {"options": options})
    return tools, made["authenticatorId"]


async def test_a_passkey_from_setting_up_to_the_next_login(browser: Browser, site: Site) -> None:  # noqa: F811
    """One click each; a finger that is not the owner's opens nothing; the page runs no script but its own."""
    here = f"http://localhost:{URL(site.url).port}"
    context = await browser.new_context(viewport=PHONE)
    page = await context.new_page()
    problems: list[str] = []
    page.on("console", lambda message: problems.append(message.text) if "Content Security" in message.text else None)
    tools, authenticator = await with_authenticator(page)
    await page.goto(f"{here}/console/login")
    await page.fill("input[name=name]", "asha")
    await page.fill("input[name=password]", PASSWORD)
    await page.click("button:text-is('Log in')")
    await page.wait_for_url("**/console/queue")
    await page.click("nav a:has-text('Your way in')")
    await page.fill("form[data-passkey=register] input[name=label]", "my phone")
    await page.click("form[data-passkey=register] button")
    await expect(page.locator("#recovery li")).to_have_count(10)
    await expect(page.locator("#passkeys")).to_contain_text("my phone")
    await page.goto(f"{here}/console/security")
    await page.click("form[action$='/codes'] button")
    await expect(page.locator(".qr svg")).to_be_visible()
    assert await page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")
    await grow_old(site)
    await page.goto(f"{here}/console/security")
    await page.click("a:has-text('show again who you are')")
    await page.click("form[data-passkey=prove] button")
    await page.wait_for_url("**/console/security")
    await expect(page.locator("a:has-text('show again who you are')")).to_have_count(0)
    await page.click("header form[action$=logout] button")
    await page.wait_for_url("**/console/login")
    await tools.send("WebAuthn.setUserVerified", {"authenticatorId": authenticator, "isUserVerified": False})
    await page.click("form[data-passkey=login] button")
    await expect(page.locator("form[data-passkey=login] [role=alert]")).to_be_visible(timeout=20_000)
    await tools.send("WebAuthn.setUserVerified", {"authenticatorId": authenticator, "isUserVerified": True})
    await page.click("form[data-passkey=login] button")
    await page.wait_for_url("**/console/queue")
    assert problems == []
    assert len(await site.service.passkeys.of("asha")) == 1
    await context.close()


async def test_a_case_appears_with_the_partner_and_vanishes(browser: Browser, site: Site) -> None:  # noqa: F811
    """A supervisor shows a case: it stands in the partner's open queue; taken back, it is gone without a reload."""
    case = await open_case(site)
    pages = []
    for name in ("sudha", "pari"):
        context = await browser.new_context(viewport={"width": 1100, "height": 800})
        page = await context.new_page()
        await page.goto(f"{site.url}/console/login")
        await page.fill("input[name=name]", name)
        await page.fill("input[name=password]", PASSWORD)
        await page.click("button:text-is('Log in')")
        await page.wait_for_url("**/console/queue")
        pages.append(page)
    sudha, pari = pages
    await expect(pari.locator("#queue")).to_contain_text("Nobody is waiting")
    await sudha.goto(f"{site.url}/console/cases/{case}")
    await sudha.click("#share summary:has-text('Prayas')")
    form = sudha.locator("#share form[action$='/share']").filter(has=sudha.locator("input[value=prayas]"))
    await form.locator("select[name=district]").select_option("BR:Patna")
    await form.locator("select[name=basis]").select_option("life")
    await form.locator("input[name=text]").fill("their shelter is near")
    await form.locator("button").click()
    await expect(sudha.locator("#share")).to_contain_text("Prayas: sees this case")
    await expect(pari.locator(f"#queue li[data-id='{case}']")).to_be_visible(timeout=10_000)
    await sudha.click("#share summary:has-text('Prayas')")
    back = sudha.locator("#share form[action$='/unshare']")
    await back.locator("input[name=text]").fill("a mistake")
    await back.locator("button").click()
    await expect(sudha.locator("#share")).to_contain_text("No partner sees this case")
    await expect(pari.locator(f"#queue li[data-id='{case}']")).to_have_count(0, timeout=10_000)
    await expect(sudha.locator("ol.history")).to_contain_text("taken back from a partner")
    for page in pages:
        await page.context.close()


async def test_the_administrators_pages_fit_a_phone(browser: Browser, site: Site) -> None:  # noqa: F811
    """People, partners, audit, exports, one's own way in: nothing is wider than 390 pixels."""
    case = await open_case(site)
    await site.service.cases.act(
        case, CaseAction.SHARE, "sudha", site.service.now(), detail=Private("x"), labels=("child",), district="BR:Patna"
    )
    for name, paths in (
        ("root", ("people", "organisations", "security", "prove")),
        ("anu", ("audit", "exports")),
        ("pari", ("queue", f"cases/{case}")),
        ("sudha", (f"cases/{case}",)),
    ):
        context = await browser.new_context(viewport=PHONE)
        page = await context.new_page()
        await page.goto(f"{site.url}/console/login")
        await page.fill("input[name=name]", name)
        await page.fill("input[name=password]", PASSWORD)
        await page.click("button:text-is('Log in')")
        await page.wait_for_url("**/console/**")
        for path in paths:
            await page.goto(f"{site.url}/console/{path}")
            wide = await page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
            assert wide <= 0, (name, path, wide)
        await context.close()
