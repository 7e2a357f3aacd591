"""A responder's day in headless Chromium: queue, claim, a short reply, note, task, referral, close; on a phone too."""

from __future__ import annotations

import re
from pathlib import Path

import pdfplumber
from playwright.async_api import Browser, Page, expect

from bot.chat import Chat
from bot.domain.messages import Carrier, InboundMessage
from bot.domain.private import Private
from tests.browser.test_browser import XSS, browser, login, picture  # noqa: F401 - the fixture
from tests.console.conftest import Site, site  # noqa: F401 - the fixture

NARROW = 360
#: A time that counts: minutes and seconds, perhaps hours.
CLOCK = re.compile(r"^\d{1,2}:\d{2}(:\d{2})?$")
#: Things to press that are smaller than 24 by 24 px, without links inside a sentence and what nobody sees.
TOO_SMALL = """() => [...document.querySelectorAll('a, button, input:not([type=hidden]), select, textarea, summary')].filter(e => {
  const r = e.getBoundingClientRect();
  return r.width && r.height && !e.closest('.skip') && (r.width < 24 || r.height < 24) && getComputedStyle(e).visibility !== 'hidden';
}).map(e => e.outerHTML.slice(0, 90))"""
#: Fields without a name that a screen reader could say.
NAMELESS = """() => [...document.querySelectorAll('input:not([type=hidden]), select, textarea, button, summary, svg[role=img]')].filter(e =>
  !(e.labels && e.labels.length) && !e.getAttribute('aria-label') && !e.textContent.trim()).map(e => e.outerHTML.slice(0, 90))"""
#: Text whose contrast with what lies behind it is under 4.5, by the formula of WCAG 2.2.
PALE = """() => {
  const light = c => { const v = c.map(x => { x /= 255; return x <= .04045 ? x / 12.92 : ((x + .055) / 1.055) ** 2.4; }); return .2126 * v[0] + .7152 * v[1] + .0722 * v[2]; };
  const rgb = s => s.match(/[\\d.]+/g).map(Number);
  const behind = e => { for (; e; e = e.parentElement) { const c = rgb(getComputedStyle(e).backgroundColor); if (c.length < 4 || c[3] > .9) return c; } return [255, 255, 255]; };
  return [...document.querySelectorAll('main *, header *')].filter(e => !(e instanceof SVGElement) && !e.closest('.unseen, dialog:not([open])') && e.getBoundingClientRect().height &&
    [...e.childNodes].some(n => n.nodeType === 3 && n.textContent.trim())).filter(e => {
      const a = light(rgb(getComputedStyle(e).color)), b = light(behind(e));
      return (Math.max(a, b) + .05) / (Math.min(a, b) + .05) < 4.5; }).map(e => e.outerHTML.slice(0, 90));
}"""
WIDE = "document.documentElement.scrollWidth - document.documentElement.clientWidth"


async def sound(page: Page, *, width: int = 0) -> None:
    """Nothing is too small, nameless, pale or wider than the screen."""
    if width:
        await page.set_viewport_size({"width": width, "height": 780})
    for check in (TOO_SMALL, NAMELESS, PALE):
        assert await page.evaluate(check) == [], (page.url, check[:40])
    assert await page.evaluate(WIDE) <= 0, page.url


async def test_a_whole_day(browser: Browser, site: Site) -> None:  # noqa: F811
    """From the queue to the end of a child's case; a colleague sees it all; every page fits a phone."""
    content, service = site.service.content, site.service
    asha, bina = await login(browser, site, "asha"), await login(browser, site, "bina")
    await bina.locator(".handover summary").click()
    await bina.fill(".handover textarea", "Quiet night. The aunt of the second case phones at nine.")
    await bina.click(".handover form button")
    await expect(bina.locator(".handover")).to_contain_text("Quiet night")
    other = Chat(service)
    other._turns = site.chat._turns
    await other.say("", "l:ta")
    await other.say("", "c:report_recruiter")
    await site.chat.say("", "l:hi")
    await site.chat.say("बचाओ, मैं 15 साल की हूँ, मालिक ने कमरे में बंद कर दिया है")
    now = service.now()
    await service.receiver.receive(
        InboundMessage(
            "terminal:point", site.chat._address, Carrier.LOCATION, Private(""), now, now, point=Private("28.65,77.23")
        )
    )
    row = asha.locator("#queue li", has_text="under 18")
    await expect(row).to_be_visible(timeout=10_000)
    await expect(row.locator("time").first).to_have_text(CLOCK)
    await asha.reload()
    await expect(asha.locator(".handover")).to_contain_text("Quiet night")
    await asha.select_option("#filter select[name=locale]", "ta")
    await expect(row).to_have_count(0)
    await expect(asha.locator("#hidden")).to_contain_text("1")
    await asha.select_option("#filter select[name=locale]", "")
    await expect(row).to_have_count(1)
    await sound(asha)
    await picture(asha, "console-queue")
    await asha.keyboard.press("?")
    await expect(asha.locator("#keys")).to_be_visible()
    await sound(asha)
    await asha.keyboard.press("Escape")
    await expect(asha.locator("#keys")).to_be_hidden()
    await asha.evaluate("document.activeElement.blur()")
    await asha.keyboard.press("j")
    await expect(asha.locator("#queue li.here")).to_contain_text("under 18")
    await asha.keyboard.press("o")
    await asha.wait_for_url("**/console/cases/*")
    await asha.click("button:has-text('Take this case')")
    await expect(asha.locator("#reply")).to_be_visible()
    await expect(asha.locator("#point")).to_have_text("28.65000, 77.23000")
    assert await asha.locator("svg.map circle").count() == 6
    sent = len(service.terminal.sent)
    await asha.locator("#canned summary").click()
    words = content.messages["hi"]["canned.child_hello"]
    await asha.click(".put[data-id=child_hello]")
    await expect(asha.locator("#reply textarea")).to_have_value(words)
    await expect(asha.locator("#reply textarea")).to_be_focused()
    await asha.wait_for_timeout(500)
    assert words not in [message.text.reveal() for _, message in service.terminal.sent[sent:]]
    await sound(asha)
    await asha.set_viewport_size({"width": 1100, "height": 1500})
    await asha.evaluate("window.scrollTo(0, 0)")
    await picture(asha, "console-case")
    await asha.set_viewport_size({"width": 1100, "height": 800})
    await asha.fill("#reply textarea", words + " मैं आशा हूँ।")
    await asha.click("#reply button")
    await expect(asha.locator("#lines")).to_contain_text("मैं आशा हूँ", timeout=10_000)
    assert await asha.locator("#lines bdi[lang=hi]").count() > 0
    await expect(asha.locator("#reply textarea")).to_have_value("")
    await asha.evaluate("document.activeElement.blur()")
    await asha.keyboard.press("n")
    await expect(asha.locator("form[action$='/note'] input[name=text]")).to_be_focused()
    await asha.keyboard.type("Sounds alone; hears a train.")
    await asha.keyboard.press("Enter")
    await expect(asha.locator(".history")).to_contain_text("hears a train")
    await asha.fill("form[action$='/close'] input[name=text]", "gone")
    await asha.click("form[action$='/close'] button")
    await expect(asha.locator("[role=alert]")).to_contain_text("still open")
    duty = asha.locator("#tasks li", has_text="Child welfare")
    await expect(duty.locator("time")).to_have_text(CLOCK)
    await asha.locator("#referral summary").click()
    await asha.select_option("#referral select", "child_welfare")
    await asha.fill("#referral input[name=office]", "CWC Delhi, Ms Rao")
    await asha.fill("#referral input[name=reason]", "a child locked in")
    await asha.check("#referral input[value=point]")
    await asha.check("#referral input[value=child]")
    async with asha.expect_download() as download:
        await asha.click("#referral form button")
    with pdfplumber.open(Path(await (await download.value).path())) as pdf:
        paper = "\n".join(part.extract_text() for part in pdf.pages)
    assert "CWC Delhi, Ms Rao" in paper and "28.65000, 77.23000" in paper and "Duty to report" in paper
    await asha.reload()
    await expect(asha.locator(".history")).to_contain_text("CWC Delhi, Ms Rao")
    await duty.locator("input[name=text]").fill("Ms Rao told by phone and paper, 10:50")
    await duty.locator("button").click()
    await expect(asha.locator("#tasks li.done")).to_contain_text("Ms Rao told")
    await sound(asha, width=NARROW)
    await asha.evaluate("window.scrollTo(0, 0)")
    await picture(asha, "console-phone")
    address = asha.url
    await asha.goto(f"{site.url}/console/queue")
    await sound(asha, width=NARROW)
    await asha.goto(address)
    await asha.fill("form[action$='/close'] input[name=text]", "with the committee")
    await asha.click("form[action$='/close'] button")
    await expect(asha.locator("#case-state")).to_contain_text("closed")
    await bina.goto(address)
    for text in ("hears a train", "CWC Delhi", "Ms Rao told", "with the committee"):
        await expect(bina.locator("main")).to_contain_text(text)
    assert await service.cases.broken_at(address.rpartition("/")[2]) is None
    for page in (asha, bina):
        await page.context.close()


async def test_the_keyboard_is_never_caught(browser: Browser, site: Site) -> None:  # noqa: F811
    """Tab goes through the whole case page and out again, and where it is can be seen; keys can be switched off."""
    await site.chat.say("please help me, they locked me in a room")
    asha = await login(browser, site, "asha")
    await asha.locator("#queue li a").first.click()
    await asha.click("button:has-text('Take this case')")
    await asha.evaluate("document.activeElement.blur()")
    seen: set[str] = set()
    for _ in range(120):
        await asha.keyboard.press("Tab")
        at = await asha.evaluate(
            "(() => { const e = document.activeElement; if (e === document.body) { return ''; }"
            " const s = getComputedStyle(e); return [...document.querySelectorAll('*')].indexOf(e) + '|' + s.outlineStyle; })()"
        )
        if not at or at in seen:
            break
        assert at.endswith(("solid", "auto")), at
        seen.add(at)
    assert len(seen) > 15
    await asha.click("#keys-open")
    await asha.uncheck("#keys-on")
    await asha.click("#keys button")
    await asha.evaluate("document.activeElement.blur()")
    address = asha.url
    await asha.keyboard.press("q")
    await asha.wait_for_timeout(300)
    assert asha.url == address
    await asha.context.close()


async def test_the_checks_of_the_pages_can_fail(browser: Browser, site: Site) -> None:  # noqa: F811
    """A button that is small, pale and nameless, and a line that is too wide, are each found."""
    asha = await login(browser, site, "asha")
    await sound(asha)
    await asha.evaluate(
        "() => { document.styleSheets[0].insertRule('.bad { color: #bbb; background: #fff; width: 10px; height: 10px;"
        " min-height: 0; padding: 0 }'); const b = document.createElement('button'), p = document.createElement('p');"
        " b.className = 'bad'; p.className = 'bad'; p.textContent = 'W'.repeat(900);"
        " document.querySelector('main').append(b, p); }"
    )
    for check in (TOO_SMALL, NAMELESS, PALE):
        assert len(await asha.evaluate(check)) == 1, check[:60]
    assert await asha.evaluate(WIDE) > 0
    await asha.context.close()


async def test_urdu_runs_from_the_right(browser: Browser, site: Site) -> None:  # noqa: F811
    """What an Urdu speaker writes, and what we may answer, says its language and runs from the right; our own words do not."""
    await site.chat.say("", "l:ur")
    await site.chat.say("مدد کریں، مجھے کمرے میں بند کر دیا ہے")
    asha = await login(browser, site, "asha")
    await asha.locator("#queue li a").first.click()
    line = asha.locator("#lines li.person bdi").last
    await expect(line).to_contain_text("مدد")
    await asha.wait_for_timeout(2000)
    assert await line.get_attribute("lang") == "ur"
    assert await line.evaluate("e => e.matches(':dir(rtl)')")
    await asha.click("button:has-text('Take this case')")
    await asha.locator("#canned summary").click()
    await expect(asha.locator("#canned .unproven")).to_contain_text("اردو")
    assert await asha.locator("#canned .words").first.evaluate("e => e.matches(':dir(rtl)')")
    assert await asha.locator("#canned .ours").first.evaluate("e => e.matches(':dir(ltr)')")
    await asha.context.close()


async def test_nothing_runs_wherever_words_are_shown(browser: Browser, site: Site) -> None:  # noqa: F811
    """Tasks, outcomes, transfer reasons, hand-over notes, referrals, search: text is text everywhere."""
    for text in XSS:
        await site.chat.say(f"help me {text}")
    asha = await login(browser, site, "asha")
    dialogs: list[str] = []
    outside: list[str] = []
    asha.on("dialog", lambda dialog: dialogs.append(dialog.message))
    asha.on("request", lambda request: outside.append(request.url) if not request.url.startswith(site.url) else None)
    await asha.locator(".handover summary").click()
    await asha.fill(".handover textarea", "\n".join(XSS))
    await asha.click(".handover form button")
    await expect(asha.locator(".handover bdi")).to_contain_text("onerror")
    await asha.locator("#queue li a").first.click()
    await asha.click("button:has-text('Take this case')")
    for text in XSS[:5]:
        await asha.locator("#tasks summary").click()
        await asha.fill("#tasks form[action$='/tasks'] input[name=text]", text)
        await asha.click("#tasks form[action$='/tasks'] button")
    first = asha.locator("#tasks li").first
    await first.locator("input[name=text]").fill(XSS[3])
    await first.locator("button").click()
    await expect(asha.locator("#tasks .outcome")).to_contain_text("srcdoc")
    await asha.locator("#referral summary").click()
    await asha.fill("#referral input[name=office]", XSS[0])
    await asha.fill("#referral input[name=reason]", XSS[1])
    await asha.check("#referral input[value=said]")
    await asha.check("#referral input[value=life]")
    async with asha.expect_download() as download:
        await asha.click("#referral form button")
    with pdfplumber.open(Path(await (await download.value).path())) as pdf:
        assert "<object" in "".join("".join(part.extract_text() for part in pdf.pages).split("\n"))
    await asha.reload()
    await asha.select_option("form[action$='/transfer'] select", "bina")
    await asha.fill("form[action$='/transfer'] input[name=text]", XSS[2])
    await asha.click("form[action$='/transfer'] button")
    await expect(asha.locator(".history")).to_contain_text("svg/onload")
    await asha.wait_for_timeout(2000)
    made = "#lines, #tasks, .history, .handover"
    inside = ", ".join(
        f"{part} {tag}" for part in made.split(", ") for tag in ("img", "script", "iframe", "object", "style")
    )
    assert await asha.locator(inside).count() == 0
    await asha.goto(f"{site.url}/console/find?case=%3Csvg/onload=alert(1)%3E")
    assert await asha.locator("main svg").count() == 0
    assert not dialogs and not outside
    await asha.context.close()
