"""The lists' pages in headless Chromium: on a phone nothing runs out of the page, and nothing in a list runs at all."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.async_api import Browser, Page, expect

from bot.agencies import first_lists, import_file
from bot.clients.agency_lists import ListError
from tests.browser.test_browser import XSS, browser  # noqa: F401 - the fixture
from tests.console.conftest import PASSWORD, Site, site  # noqa: F401 - the fixture
from tests.made_up_lists import HEADER, write_mapping


async def login(browser: Browser, site: Site, width: int) -> Page:  # noqa: F811
    """Come in as the administrator."""
    context = await browser.new_context(viewport={"width": width, "height": 800})
    page = await context.new_page()
    await page.goto(f"{site.url}/console/login")
    await page.fill("input[name=name]", "root")
    await page.fill("input[name=password]", PASSWORD)
    await page.click("button:has-text('Log in')")
    await page.wait_for_url("**/console/people")
    return page


@pytest.mark.parametrize("width", [390, 1100])
async def test_an_administrator_looks_decides_and_checks(
    browser: Browser,  # noqa: F811
    site: Site,  # noqa: F811
    tmp_path: Path,
    width: int,
) -> None:
    """From the list of lists to the quarantined version, its release, and a check that finds what was released."""
    service = site.service
    await first_lists(service, lambda _: None)
    mapping, path = write_mapping(tmp_path / "m.yaml"), tmp_path / "list.csv"
    rows = [
        [f"{text} Works", f"B-{at}", "Active", "01-02-2099", text, text, "", "", text, ""]
        for at, text in enumerate(XSS)
    ]
    lines = [",".join('"' + cell.replace('"', '""') + '"' for cell in row) for row in rows]
    path.write_text("\n".join([",".join(HEADER), *lines, "Zarina Works,B-77,Active,01-02-2099,Gaya,,,,,"]))
    await import_file(service, path, mapping, force=False, apply=True)
    path.write_text("\n".join([",".join(HEADER), "Zarina Works,B-77,Suspended,01-02-2099,Gaya,,,,,", *lines[:3]]))
    with pytest.raises(ListError, match="version 2"):
        await import_file(service, path, mapping, force=False, apply=True)
    page = await login(browser, site, width)
    outside: list[str] = []
    page.on("request", lambda request: outside.append(request.url) if site.url not in request.url else None)
    page.on("dialog", lambda dialog: outside.append(dialog.message))
    await page.click("nav a:has-text('Lists')")
    await fits(page)
    await page.click(".held a")
    await expect(page.locator(".differences")).to_contain_text("active → suspended")
    await fits(page)
    await page.goto(f"{site.url}/console/lists/made-up/1")
    await expect(page.locator("table")).to_contain_text("<script>alert(1)</script> Works")
    await fits(page)
    await page.goto(f"{site.url}/console/lists/made-up/2")
    await page.fill("input[name=reason]", "the office says so")
    await page.click("button:has-text('Release')")
    await page.wait_for_url("**/console/lists")
    await service.recruiters.refresh()
    await page.click("nav a:has-text('Check a recruiter')")
    await page.fill("input[name=query]", "Zarina Works")
    await page.click("main button")
    await expect(page.locator("h2[role=status]")).to_contain_text("On a list, but may not recruit")
    await expect(page.locator("section.card").first).to_contain_text("Version 2, Line 2")
    assert "Zarina" not in page.url
    await fits(page)
    assert outside == []
    assert await page.locator("main script, main iframe, main img, main object").count() == 0


async def fits(page: Page) -> None:
    """Nothing is wider than the window; long tables scroll by themselves."""
    assert await page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")
