"""The pages in headless Chromium, with the real service and database behind them."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pdfplumber
import pytest
import pytest_asyncio
from PIL import Image
from playwright.async_api import Browser, Page, ViewportSize, async_playwright, expect

from tests.console.conftest import PASSWORD, Site, site  # noqa: F401 - the fixture

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
DOCS = Path(__file__).resolve().parent.parent.parent / "docs"
PHONE: ViewportSize = {"width": 390, "height": 800}
XSS = [
    "<img src=x onerror=alert(1)>",
    "<script>alert(1)</script>",
    "<svg/onload=alert(1)>",
    "'\"><iframe srcdoc='<script>alert(1)</script>'>",
    "javascript:alert(1)",
    "[click](javascript:alert(1))",
    "{{7*7}}{% raw %}${7*7}",
    "<a href='https://evil.example/'>x</a>",
    "<style>@import 'https://evil.example/x.css'</style>",
    "\u202egnp.exe\u2066<b>",
    "<math><mtext></table><mglyph><style><!--</style><img src onerror=alert(1)>",
    "data:text/html,<script>alert(1)</script>",
    "</bdi></li></ol><script>alert(1)</script>",
    "<form action=https://evil.example><button>ok",
    "<meta http-equiv=refresh content='0;url=https://evil.example'>",
    "<object data=data:text/html,x></object>",
]


@pytest_asyncio.fixture
async def browser() -> AsyncIterator[Browser]:
    assert CHROMIUM, "Chromium is needed: make browser"
    async with async_playwright() as playwright:
        opened = await playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield opened
        await opened.close()


async def login(browser: Browser, site: Site, name: str, width: int = 1100, home: str = "queue") -> Page:  # noqa: F811
    context = await browser.new_context(viewport={"width": width, "height": 800})
    page = await context.new_page()
    await page.goto(f"{site.url}/console/login")
    await page.fill("input[name=name]", name)
    await page.fill("input[name=password]", PASSWORD)
    await page.click("button:has-text('Log in')")
    await page.wait_for_url(f"**/console/{home}")
    return page


async def picture(page: Page, name: str) -> None:
    """Renew a picture of the README: `make screenshots`."""
    if os.environ.get("SAHYATRI_SCREENSHOTS"):
        await page.screenshot(path=DOCS / f"{name}.png")
        Image.open(DOCS / f"{name}.png").convert("RGB").quantize(64).save(DOCS / f"{name}.png", optimize=True)


async def test_from_the_first_word_to_a_humans_answer(browser: Browser, site: Site) -> None:  # noqa: F811
    """A person chooses Hindi, writes that they are locked in; a responder sees it live, claims, replies, hands back."""

    def said(key: str) -> str:
        return site.service.content.words("hi", key)

    asha = await login(browser, site, "asha")
    bina = await login(browser, site, "bina")
    context = await browser.new_context(viewport=PHONE)
    person = await context.new_page()
    await person.goto(site.url + "/")
    await person.click("button:has-text('हिन्दी')")
    await expect(person.locator(".theirs .bubble").last).to_contain_text("मदद", timeout=10_000)
    await expect(person.locator("html")).to_have_attribute("lang", "hi")
    await picture(person, "webchat")
    await person.fill("#text", "मुझे मालिक ने कमरे में बंद कर दिया है")
    await person.click("form button[type=submit]")
    await expect(person.locator("#log")).to_contain_text("112", timeout=10_000)
    row = asha.locator("#queue li", has_text="locked in")
    await expect(row).to_be_visible(timeout=10_000)
    assert "(1)" in await asha.title()
    await row.locator("a").click()
    await bina.locator("#queue li a").first.click()
    await asha.click("button:has-text('Take this case')")
    await expect(person.locator("#log")).to_contain_text(said("case.claimed"), timeout=10_000)
    await bina.click("button:has-text('Take this case')")
    await expect(bina.locator("main")).to_contain_text("asha")
    await asha.fill("textarea[name=text]", "मैं आशा हूँ। आप कहाँ हैं?")
    await asha.click("#reply button")
    await expect(person.locator(".human .bubble").last).to_contain_text("आप कहाँ हैं", timeout=10_000)
    await person.fill("#text", "सेक्टर 9, तीसरी मंज़िल")
    await person.click("form button[type=submit]")
    await expect(asha.locator("#lines")).to_contain_text("तीसरी मंज़िल", timeout=10_000)
    hand_back = asha.locator("form[action$=hand_back]")
    await hand_back.locator("input[name=text]").fill("police informed, person out")
    await hand_back.locator("button").click()
    await expect(person.locator("#log")).to_contain_text(said("case.handed_back"), timeout=10_000)
    await person.fill("#text", "मेनू")
    await person.click("form button[type=submit]")
    await expect(person.locator(".choices").last).to_contain_text(said("area.rights.label"), timeout=10_000)


async def test_what_a_person_writes_is_only_ever_text(browser: Browser, site: Site) -> None:  # noqa: F811
    """F13: nothing runs, nothing is fetched, nothing becomes a link, in queue, case, transcript and history."""
    for text in XSS:
        await site.chat.say(f"help me {text}")
    asha = await login(browser, site, "asha")
    dialogs: list[str] = []
    outside: list[str] = []
    asha.on("dialog", lambda dialog: dialogs.append(dialog.message))
    asha.on("request", lambda request: outside.append(request.url) if not request.url.startswith(site.url) else None)
    await asha.locator("#queue li a").first.click()
    await asha.click("button:has-text('Take this case')")
    await asha.fill("form[action$=note] input[name=text]", XSS[0])
    await asha.click("form[action$=note] button")
    await expect(asha.locator(".history")).to_contain_text("onerror")
    await asha.wait_for_timeout(2500)
    text = await asha.locator("#lines").inner_text()
    assert all(item in text for item in XSS[:8])
    assert "⟨202E⟩" in text
    assert (
        await asha.locator("#lines a, #lines img, #lines script, #lines iframe, .history a, .history img").count() == 0
    )
    assert not dialogs and not outside


async def test_a_phone_shows_no_overflow_and_no_script_shows_the_helplines(browser: Browser, site: Site) -> None:  # noqa: F811
    """360 pixels wide; with JavaScript off the numbers are still there."""
    page = await browser.new_page(viewport={"width": 360, "height": 640})
    await page.goto(site.url + "/")
    await page.click("button:has-text('हिन्दी')")
    await expect(page.locator(".choices").last).to_contain_text("भाषा", timeout=10_000)
    assert await page.evaluate("document.documentElement.scrollWidth <= 360")
    await page.goto(site.url + "/q/NDLS")
    assert await page.evaluate("document.documentElement.scrollWidth <= 360")
    bare = await browser.new_context(java_script_enabled=False)
    still = await bare.new_page()
    await still.goto(site.url + "/")
    assert "1098" in await still.inner_text("body")


async def _chat(browser: Browser, site: Site, code: str) -> Page:  # noqa: F811
    """Open the web chat at phone width and choose a locale by its own name."""
    context = await browser.new_context(viewport=PHONE)
    page = await context.new_page()
    await page.goto(site.url + "/")
    await page.click(f".choices button:text-is('{site.service.content.locales[code].own_name}')")
    await expect(page.locator(".choices button.urgent").last).to_be_visible()
    return page


async def _tap(page: Page, words: str) -> None:
    await page.locator(f".choices button:text-is('{words}')").last.click()


@pytest.mark.parametrize("code", ["hi", "ta", "ur", "bn", "ml", "or"])
async def test_an_answer_fits_a_phone_in_every_script(browser: Browser, site: Site, code: str) -> None:  # noqa: F811
    """Nothing is wider than the screen, the direction is right, and every bubble can be heard."""
    content = site.service.content
    page = await _chat(browser, site, code)
    await _tap(page, content.words(code, "area.rights.label"))
    await _tap(page, content.words(code, "child_labour_law.title"))
    first_step = content.words(code, "child_labour_law.steps").split("\n")[0]
    await expect(page.locator(".theirs .bubble").last).to_contain_text(first_step)
    wide = await page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    assert wide <= 0
    beyond = await page.evaluate(
        "[...document.querySelectorAll('.bubble, .choices button')].filter(e => { const r = e.getBoundingClientRect();"
        " return r.left < -1 || r.right > innerWidth + 1 || e.scrollWidth > e.clientWidth + 1; }).length"
    )
    assert beyond == 0
    assert await page.get_attribute("html", "dir") == content.locales[code].direction
    assert await page.locator(".theirs .speak").count() == await page.locator(".theirs .bubble").count()
    await page.locator(".theirs .bubble").nth(-3).scroll_into_view_if_needed()
    if code in {"hi", "ta", "ur", "bn"}:
        await picture(page, f"chat-{code}")
    await page.context.close()


async def test_a_voice_message_plays_in_the_web_chat(browser: Browser, site: Site) -> None:  # noqa: F811
    """The browser fetches Opus from us, decodes it and plays it to the end of a short message."""
    page = await _chat(browser, site, "ta")
    problems: list[str] = []
    page.on("console", lambda message: problems.append(message.text) if message.type == "error" else None)
    await page.locator(".theirs .speak").last.click()
    await expect(page.locator("#log")).to_have_attribute("data-played", re.compile(".+"), timeout=20_000)
    played = await page.locator("#log").get_attribute("data-played")
    seconds = await page.evaluate(
        "id => new Promise((done, failed) => { const a = new Audio('/chat/audio/' + encodeURIComponent(id) + '?lang=ta');"
        " a.onloadedmetadata = () => done(a.duration); a.onerror = () => failed(a.error.message); })",
        played,
    )
    assert seconds > 1
    assert problems == []
    await page.context.close()


async def test_an_author_reads_proposes_and_signs(browser: Browser, site: Site) -> None:  # noqa: F811
    context = await browser.new_context(viewport={"width": 1100, "height": 800})
    page = await context.new_page()
    await page.goto(f"{site.url}/console/login")
    await page.fill("input[name=name]", "vani")
    await page.fill("input[name=password]", PASSWORD)
    await page.click("button:has-text('Log in')")
    await page.wait_for_url("**/console/words")
    await page.goto(f"{site.url}/console/words/bn/message/wages_unpaid.answer")
    await expect(page.locator("text=B-62")).to_be_visible()
    await picture(page, "console-words")
    await page.check("input[name=native]")
    await page.click("button:has-text('Sign off')")
    await expect(page.locator("text=vani,")).to_be_visible()
    await context.close()


async def test_three_reports_become_a_signed_history(browser: Browser, site: Site) -> None:  # noqa: F811
    """Three people, one phone in three writings, one UPI id; confirmed and signed; only then a fourth hears of it."""
    content = site.service.content
    for code, text in (
        ("en", "He took 80,000. His number is 70123-45670, pay to gulf.jobs@okaxis"),
        ("hi", "उसका नंबर +९१ ७०१२३ ४५६७० है, गाड़ी BR 01 AB 1234"),
        ("bn", "টাকা নিয়েছে gulf.jobs@okaxis, আমার কাছে ফোন নেই"),
    ):
        person = await _chat(browser, site, code)
        await _tap(person, content.words(code, "report.label"))
        await _tap(person, content.words(code, "report.recruiter.label"))
        await expect(person.locator(".theirs .bubble").last).to_contain_text(content.words(code, "report.opened")[:20])
        await person.fill("#text", text)
        await person.click("form button[type=submit]")
        await expect(person.locator(".choices button").last).to_be_visible()
        await person.wait_for_timeout(500)
        await person.context.close()
    sudha = await login(browser, site, "sudha")
    await sudha.click("nav a:has-text('Histories')")
    await sudha.fill("input[name=typed]", "wa.me/917012345670")
    await sudha.click("form.search button")
    row = sudha.locator("table.histories tbody tr")
    await expect(row).to_have_count(1)
    await expect(row.locator("td").first).to_have_text("3")
    await picture(sudha, "console-histories")
    await row.locator("a").click()
    await expect(sudha.locator("svg .node")).to_have_count(6)
    await expect(sudha.locator("svg path.edge")).to_have_count(5)
    await expect(sudha.locator(".links").first).to_contain_text("R1, R2: same phone 70123 45670")
    fourth = await _chat(browser, site, "en")
    await _tap(fourth, content.words("en", "verify.label"))
    await _check(fourth, site, "०७०१२३४५६७०")
    assert "People have reported" not in await fourth.locator("#log").inner_text()
    vehicle = sudha.locator("fieldset label", has_text="BR01AB1234").locator("input")
    assert not await vehicle.is_checked()
    await sudha.click("form[action$='/confirm'] button")
    await expect(sudha.locator("dl.facts")).to_contain_text("confirmed, not signed")
    await _check(fourth, site, "70123 45670")
    assert "People have reported" not in await fourth.locator("#log").inner_text()
    await expect(sudha.locator("#to-be-public li")).to_have_count(2)
    await sudha.check("input[name=read]")
    await sudha.click("form[action$='/sign'] button")
    await expect(sudha.locator("svg .node.public")).to_have_count(2)
    await picture(sudha, "console-history")
    await _check(fourth, site, "+91 70123 45670")
    told = fourth.locator(".theirs .bubble", has_text="People have reported")
    await expect(told).to_have_count(1)
    await expect(fourth.locator(".choices").last).to_contain_text(content.words("en", "core.person.label"))
    await _check(fourth, site, "BR 01 AB 1234")
    await expect(told).to_have_count(1)
    texts = {form: await _handed_out(sudha, form) for form in ("pdf", "csv")}
    for text in texts.values():
        assert "70123 45670" in text and "gulf.jobs@okaxis" in text and "unproven" in text and "Thana" in text
        assert "BR01AB1234" not in text and "80,000" not in text
    await sudha.reload()
    await expect(sudha.locator("#sheets li")).to_have_count(2)
    await sudha.set_viewport_size(PHONE)
    wide = await sudha.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    assert wide <= 0
    await picture(sudha, "console-history-phone")
    await sudha.goto(f"{site.url}/console/histories")
    wide = await sudha.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    assert wide <= 0
    for page in (sudha, fourth):
        await page.context.close()


async def _check(page: Page, site: Site, typed: str) -> None:  # noqa: F811
    """Check a recruiter in the web chat, and wait for the last line of the verdict."""
    last_line = site.service.content.words("en", "verify.ask_kind")
    before = await page.locator(".theirs .bubble", has_text=last_line).count()
    await page.fill("#text", typed)
    await page.click("form button[type=submit]")
    await expect(page.locator(".theirs .bubble", has_text=last_line)).to_have_count(before + 1)
    await page.wait_for_timeout(300)


async def _handed_out(page: Page, form: str) -> str:
    """Ask for a sheet; return what stands in the file that came."""
    if not await page.locator("#export[open]").count():
        await page.click("#export summary")
    await page.fill("#export input[name=recipient]", "Thana Kotwali")
    await page.fill("#export input[name=reason]", "FIR 12/2026")
    await page.select_option("#export select", form)
    async with page.expect_download() as download:
        await page.click("#export form button")
    found = await download.value
    path = Path(await found.path())
    if form == "csv":
        return path.read_text(encoding="utf-8-sig")
    with pdfplumber.open(path) as pdf:
        return "\n".join(part.extract_text() for part in pdf.pages)
