"""The web chat as people use it, in headless Chromium: leaving, right to left, a shared screen, no scripts, bad lines."""

from __future__ import annotations

import asyncio
import io
import os
import re
from dataclasses import replace
from pathlib import Path

import pytest
from PIL import Image
from playwright.async_api import Browser, BrowserContext, Page, ViewportSize, expect

from bot.domain.messages import ChannelName
from tests.browser.test_browser import DOCS, browser  # noqa: F401 - the fixture
from tests.console.conftest import Site, site  # noqa: F401 - the fixture
from tests.public.test_landing import code_at
from tests.public.visit import bad_line

PHONE: ViewportSize = {"width": 360, "height": 640}
DESK: ViewportSize = {"width": 1024, "height": 768}
SECRET = "my boss took my passport"
STORES = """async () => JSON.stringify([
  Object.entries(localStorage), Object.entries(sessionStorage), document.cookie,
  (await indexedDB.databases()).map(d => d.name), await caches.keys(),
  (await navigator.serviceWorker.getRegistrations()).length ])"""
NOTHING = '[[],[],"",[],[],0]'


async def picture(page: Page, name: str) -> None:
    """Renew a picture of the docs, in few colours so that it stays small."""
    if os.environ.get("SAHYATRI_SCREENSHOTS"):
        shot = Image.open(io.BytesIO(await page.screenshot())).convert("RGB")
        shot.quantize(64).save(DOCS / f"{name}.png", optimize=True)


async def chat(browser: Browser, url: str, code: str = "", *, context: BrowserContext | None = None) -> Page:  # noqa: F811
    """Open the chat at phone width; with *code* in that locale."""
    context = context or await browser.new_context(viewport=PHONE)
    page = await context.new_page()
    await page.goto(f"{url}/{'?lang=' + code if code else ''}")
    await expect(page.locator(".choices button").last).to_be_visible(timeout=10_000)
    return page


async def say(page: Page, text: str) -> None:
    await page.fill("#text", text)
    await page.keyboard.press("Enter")


async def stored(page: Page) -> str:
    return str(await page.evaluate(STORES))


@pytest.mark.parametrize("by", ["button", "keys", "words"])
async def test_leaving_leaves_no_trace(browser: Browser, site: Site, by: str) -> None:  # noqa: F811
    """Button, Esc three times or the words: another page at once, nothing stored, nothing behind "back", server told."""
    context = await browser.new_context(viewport=PHONE)
    await context.route(re.compile("wikipedia"), lambda route: route.fulfill(body="a neutral page"))
    page = await context.new_page()
    await page.goto(site.url + "/health")
    await page.goto(site.url + "/?lang=en")
    await expect(page.locator(".choices button").last).to_be_visible(timeout=10_000)
    await say(page, SECRET)
    await expect(page.locator(".mine .bubble").last).to_have_text(SECRET)
    await expect(page.locator(".mine.unsent")).to_have_count(0)
    cached = await page.evaluate(
        "() => Promise.all([location.href, ...performance.getEntriesByType('resource').map(r => r.name)]"
        ".map(u => fetch(u, {cache: 'only-if-cached', mode: 'same-origin'}).then(() => u, () => '')))"
    )
    assert not any(cached), cached
    if by == "button":
        await page.click("#leave")
    elif by == "keys":
        for _ in range(3):
            await page.keyboard.press("Escape")
    else:
        await say(page, "clear chat")
    await page.wait_for_url("**wikipedia**")
    assert "neutral" in await page.inner_text("body")
    async with asyncio.timeout(10):
        while [one["name"] for one in await context.cookies(site.url + "/chat")]:
            await asyncio.sleep(0.1)
    async with asyncio.timeout(10):
        while not await site.service.db["conversations"].count_documents({"channel": "web"}):
            await asyncio.sleep(0.1)
    rows = await site.service.db["inbox"].find({"channel": "web"}).to_list()
    lines = await site.service.cases.transcript(rows[0]["conversation"])
    assert any("q:hide" in line.choices for line in lines)
    await page.go_back()
    assert page.url.endswith("/health")
    other = await context.new_page()
    await other.goto(site.url + "/nothing")
    assert await stored(other) == NOTHING
    await other.goto(site.url + "/")
    await expect(other.locator(".choices button").first).to_be_visible(timeout=10_000)
    assert SECRET not in await other.inner_text("body")
    await context.close()


async def test_leaving_takes_what_was_just_written_along(browser: Browser, site: Site) -> None:  # noqa: F811
    """Written while the line hangs, then quick exit: the cry for help still arrives."""
    async with bad_line(site.url) as line:
        context = await browser.new_context(viewport=PHONE)
        await context.route(re.compile("wikipedia"), lambda route: route.fulfill(body="a neutral page"))
        page = await chat(browser, line.url, "en", context=context)
        await context.route("**/chat/messages", lambda route: None)
        await say(page, "please help me he is beating me")
        await page.click("#leave")
        await page.wait_for_url("**wikipedia**")
        async with asyncio.timeout(15):
            while not await site.service.db["cases"].count_documents({"open": True}):
                await asyncio.sleep(0.1)
        await context.close()


async def test_urdu_runs_from_right_to_left(browser: Browser, site: Site) -> None:  # noqa: F811
    """Direction, alignment of both sides, the list of languages inside the screen; and back to the left in Tamil."""
    page = await chat(browser, site.url, "ur")
    assert await page.get_attribute("html", "dir") == "rtl"
    await say(page, "شکریہ")
    theirs, mine = page.locator(".theirs .bubble").first, page.locator(".mine .bubble").last
    left, right = await theirs.bounding_box(), await mine.bounding_box()
    assert left and right and left["x"] + left["width"] > 340 and right["x"] < 20
    await page.click("#languages summary")
    box = await page.locator("#languages ul").bounding_box()
    assert box and box["x"] >= 0 and box["x"] + box["width"] <= 360
    await page.click("#languages a:has-text('தமிழ்')")
    await expect(page.locator("html")).to_have_attribute("dir", "ltr")
    await expect(page.locator("#form [type=submit]")).to_have_text(site.service.content.words("ta", "web.send"))
    await expect(page.locator(".theirs .bubble").last).to_contain_text(re.compile("[\u0b80-\u0bff]"), timeout=10_000)
    await page.context.close()


async def test_without_scripts_a_person_is_answered(browser: Browser, site: Site) -> None:  # noqa: F811
    """Read the helplines, choose Bengali, write, get an answer and a choice, and leave: all with JavaScript off."""
    context = await browser.new_context(java_script_enabled=False, viewport=PHONE)
    await context.route(re.compile("wikipedia"), lambda route: route.fulfill(body="a neutral page"))
    page = await context.new_page()
    await page.goto(site.url + "/")
    await page.click("#languages summary")
    await page.click("#languages a:has-text('বাংলা')")
    await expect(page.locator("html")).to_have_attribute("lang", "bn")
    assert site.service.content.words("bn", "helpline.child_1098") in await page.inner_text("noscript ul")
    await page.fill("#text", "মজুরি পাইনি")
    await page.click("#form [type=submit]")
    await expect(page.locator(".mine .bubble").last).to_have_text("মজুরি পাইনি")
    await expect(page.locator(".theirs").last).to_be_attached()
    await page.click("form.choices button >> nth=0")
    await expect(page.locator(".mine")).to_have_count(2)
    assert await page.evaluate("document.documentElement.scrollWidth <= 360")
    await page.click("header form button")
    await page.wait_for_url("**wikipedia**")
    await context.close()


async def test_without_scripts_a_picture_is_sent(browser: Browser, site: Site, tmp_path: Path) -> None:  # noqa: F811
    """By the form's file window: a picture arrives; one that is too large is refused in words, not by a torn line."""
    context = await browser.new_context(java_script_enabled=False, viewport=PHONE)
    page = await context.new_page()
    Image.new("RGB", (60, 40), "white").save(tmp_path / "card.png")
    (tmp_path / "large.jpg").write_bytes(b"\xff\xd8\xff" + os.urandom(12 * 1024 * 1024))
    await page.goto(site.url + "/chat/simple?lang=ta")
    await page.set_input_files("#picture", tmp_path / "card.png")
    await page.click("#form [type=submit]")
    words = site.service.content.words
    await expect(page.locator(".mine .bubble").last).to_have_text(words("ta", "web.sent_picture"))
    await page.set_input_files("#picture", tmp_path / "large.jpg")
    await page.fill("#text", "menu")
    await page.click("#form [type=submit]")
    await expect(page.locator("#state")).to_have_text(words("ta", "web.refused"))
    await expect(page.locator(".mine .bubble").last).to_have_text("menu")
    await expect(page.locator("html")).to_have_attribute("lang", "ta")
    assert await site.service.db["media"].count_documents({}) == 1
    assert await page.evaluate("document.documentElement.scrollWidth <= 360")
    small = await page.locator("#form input[type=file], #form button").evaluate_all(
        "all => all.map(e => e.getBoundingClientRect()).filter(r => r.height < 44 || r.width < 44).length"
    )
    assert small == 0
    await page.screenshot(path=tmp_path / "simple.png", full_page=True)
    await context.close()


async def test_a_refused_websocket_falls_back_and_comes_back(browser: Browser, site: Site) -> None:  # noqa: F811
    """A proxy that lets no websocket through: answers come by asking; once it does, by websocket again."""
    async with bad_line(site.url) as line:
        line.refuses_sockets = True
        page = await chat(browser, line.url, "en")
        assert line.sockets >= 1
        await say(page, "menu")
        await expect(page.locator(".theirs .bubble").last).to_be_visible()
        count = await page.locator(".theirs").count()
        line.refuses_sockets = False
        asked: list[str] = []
        page.on("request", lambda request: asked.append(request.url) if "wait=" in request.url else None)
        async with page.expect_websocket(timeout=45_000):
            await page.evaluate("window.dispatchEvent(new Event('online'))")
        await page.wait_for_timeout(1500)
        asked.clear()
        await say(page, "menu")
        await expect(page.locator(".theirs")).to_have_count(count + 1, timeout=10_000)
        assert asked == []
        await page.context.close()


async def test_what_is_written_without_a_line_survives_a_reload(browser: Browser, site: Site) -> None:  # noqa: F811
    """Offline: kept in this tab; after a reload and with the line back it arrives, once, and both sides are shown."""
    async with bad_line(site.url) as line:
        page = await chat(browser, line.url, "en")
        line.down = True
        line.cut_all()
        for number in range(3):
            await say(page, f"wages {number}")
        await expect(page.locator("#state")).to_be_visible()
        await expect(page.locator(".mine.unsent")).to_have_count(3)
        line.down = False
        await page.context.route("**/chat/messages", lambda route: route.abort())
        await page.reload()
        await expect(page.locator(".mine")).to_have_count(3)
        await page.context.unroute("**/chat/messages")
        await expect(page.locator(".mine.unsent")).to_have_count(0, timeout=20_000)
        rows = await site.service.db["inbox"].find({"channel": "web"}).to_list()
        lines = await site.service.cases.transcript(rows[0]["conversation"])
        assert [one.text.reveal() for one in lines if one.who == "person" and one.text] == [
            f"wages {n}" for n in range(3)
        ]
        kept = await page.evaluate("JSON.parse(sessionStorage.getItem('s')).unsent.length")
        assert kept == 0
        await page.reload()
        await expect(page.locator(".mine .bubble").first).to_have_text("wages 0")
        await expect(page.locator(".mine")).to_have_count(3)
        await page.context.close()


async def test_a_torn_line_shows_each_answer_once(browser: Browser, site: Site) -> None:  # noqa: F811
    """Thirty tears while a person taps on: every answer is on the screen once, in the order in which it was said."""
    async with bad_line(site.url) as line:
        page = await chat(browser, line.url, "en")
        for number in range(15):
            await say(page, "menu" if number % 2 else "helplines")
            line.cut_all()
            await page.wait_for_timeout(150)
            line.cut_all()
        await expect(page.locator(".mine.unsent")).to_have_count(0, timeout=30_000)
        rows = await site.service.db["inbox"].find({"channel": "web"}).to_list()
        conversation = rows[0]["conversation"]
        async with asyncio.timeout(20):
            while await site.service.db["inbox"].count_documents({"conversation": conversation, "state": "waiting"}):
                await asyncio.sleep(0.1)
        said = [doc["text"] for _, _, doc in await site.service.outbox.since(conversation, "")]
        await expect(page.locator(".theirs .bubble")).to_have_count(len(said), timeout=20_000)
        shown = await page.locator(".theirs .bubble").evaluate_all("all => all.map(e => e.firstChild.textContent)")
        assert shown == said
        assert await page.locator(".mine").count() == 15
        await page.context.close()


async def test_pictures_are_chosen_pasted_and_dropped(browser: Browser, site: Site, tmp_path: Path) -> None:  # noqa: F811
    """By the button's file window, from the clipboard and by dropping: three pictures arrive, a text file does not."""
    path = tmp_path / "card.png"
    Image.new("RGB", (60, 40), "white").save(path)
    page = await chat(browser, site.url, "en")
    async with page.expect_file_chooser() as chooser:
        await page.click("#picture")
    await (await chooser.value).set_files(path)
    await page.evaluate(
        """bytes => { for (const [target, kind, key] of [['#text', 'paste', 'clipboardData'], ['#log', 'drop', 'dataTransfer']]) {
        for (const type of ['image/png', 'text/plain']) {
          const data = new DataTransfer(); data.items.add(new File([new Uint8Array(bytes)], 'x', {type}));
          const event = new Event(kind, {bubbles: true, cancelable: true}); Object.defineProperty(event, key, {value: data});
          document.querySelector(target).dispatchEvent(event); } } }""",
        list(path.read_bytes()),
    )
    await expect(page.locator(".mine")).to_have_count(3)
    await expect(page.locator(".mine.unsent")).to_have_count(0, timeout=15_000)
    assert await site.service.db["media"].count_documents({}) == 3
    await page.context.close()


async def test_the_place_is_shared_only_by_a_tap(browser: Browser, site: Site) -> None:  # noqa: F811
    context = await browser.new_context(
        viewport=PHONE, geolocation={"latitude": 28.64, "longitude": 77.22}, permissions=["geolocation"]
    )
    page = await context.new_page()
    await page.add_init_script(
        "const real = navigator.geolocation.getCurrentPosition.bind(navigator.geolocation); window.looked = 0;"
        "navigator.geolocation.getCurrentPosition = (...a) => { window.looked += 1; real(...a); };"
    )
    await page.goto(site.url + "/?lang=en")
    await expect(page.locator(".choices button").last).to_be_visible(timeout=10_000)
    assert await page.evaluate("window.looked") == 0
    await page.click("#locate")
    await expect(page.locator(".mine .bubble").last).to_have_text("My location")
    told = page.locator(".theirs .bubble", has_text="New Delhi district")
    await expect(told).to_be_visible(timeout=10_000)
    await context.close()


async def test_a_voice_note_is_recorded(browser: Browser, site: Site) -> None:  # noqa: F811
    """With a made-up microphone: a tap begins, a tap sends, and the note is kept."""
    page = await chat(browser, site.url, "en")
    await page.evaluate(
        "() => { const a = new AudioContext(), o = a.createOscillator(), d = a.createMediaStreamDestination();"
        " o.connect(d); o.start(); navigator.mediaDevices.getUserMedia = async () => d.stream; }"
    )
    await page.click("#record")
    await expect(page.locator("#record")).to_have_attribute("aria-label", "Send what I said")
    await page.wait_for_timeout(600)
    await page.click("#record")
    await expect(page.locator(".mine .bubble").last).to_have_text("Voice message")
    await expect(page.locator(".mine.unsent")).to_have_count(0, timeout=10_000)
    kept = await site.service.db["media"].find_one({})
    assert kept and await site.service.db["inbox"].find_one({"channel": "web"})
    await page.context.close()


CONTRAST = """() => { const light = c => { const v = c.map(x => { x /= 255; return x <= .03928 ? x / 12.92 : ((x + .055) / 1.055) ** 2.4; });
    return .2126 * v[0] + .7152 * v[1] + .0722 * v[2]; };
  const parse = c => (c.match(/[\\d.]+/g) || [0, 0, 0, 0]).map(Number);
  const ground = e => { for (; e; e = e.parentElement) { const c = parse(getComputedStyle(e).backgroundColor); if (c.length < 4 || c[3] > 0) return c.slice(0, 3); } return [255, 255, 255]; };
  const bad = []; for (const e of document.querySelectorAll('body *')) {
    if (![...e.childNodes].some(n => n.nodeType === 3 && n.textContent.trim()) || !e.offsetParent) continue;
    const a = light(parse(getComputedStyle(e).color).slice(0, 3)), b = light(ground(e));
    const ratio = (Math.max(a, b) + .05) / (Math.min(a, b) + .05);
    if (ratio < 4.5) bad.push([e.outerHTML.slice(0, 80), ratio]); } return bad; }"""


async def test_keyboard_and_screen_reader(browser: Browser, site: Site) -> None:  # noqa: F811
    """Order of focus, names of everything that can be pressed, a live log, enough contrast, larger letters that fit."""
    page = await chat(browser, site.url, "en")
    order = []
    for _ in range(5):
        await page.keyboard.press("Tab")
        order.append(
            await page.evaluate(
                "document.activeElement.id || document.activeElement.getAttribute('href') || document.activeElement.tagName"
            )
        )
    assert order == ["tel:112", "tel:1098", "leave", "SUMMARY", "bigger"]
    unnamed = await page.evaluate(
        "[...document.querySelectorAll('button, a, input:not([type=hidden]):not([hidden]), textarea')].filter(e => e.offsetParent)"
        ".filter(e => !(e.getAttribute('aria-label') || e.textContent.trim() || (e.labels && e.labels[0]) )).map(e => e.outerHTML)"
    )
    assert unnamed == []
    await page.click("#languages summary")
    small = await page.evaluate(
        "[...document.querySelectorAll('button, header a, summary')].filter(e => e.offsetParent).map(e => e.getBoundingClientRect())"
        ".filter(r => r.height < 44 || r.width < 44).length"
    )
    assert small == 0
    await page.click("#languages summary")
    assert await page.get_attribute("#log", "aria-live") == "polite"
    assert await page.evaluate(CONTRAST) == []
    await page.click("#bigger")
    await expect(page.locator("#bigger")).to_have_attribute("aria-pressed", "true")
    assert await page.evaluate("document.documentElement.scrollWidth <= 360")
    await page.reload()
    await expect(page.locator("html")).to_have_class("big")
    await page.context.close()


async def places(site: Site) -> list[str]:  # noqa: F811
    """Return where the people of the web chat are taken to be."""
    names = await site.service.db["conversations"].distinct("_id", {"channel": "web"})
    return [(await site.service.conversations.load(name, ChannelName.WEB)).place for name in names]


async def test_a_shared_screen_empties_itself(browser: Browser, site: Site) -> None:  # noqa: F811
    """Countdown, "I am here" goes on, silence empties: a new contact, nothing of the former person, nothing stored."""
    context = await browser.new_context(viewport=DESK)
    page = await context.new_page()
    await page.goto(site.url + "/chat?kiosk=1&place=NDLS&lang=en&idle=10")
    await expect(page.locator(".choices button").last).to_be_visible(timeout=10_000)
    assert await page.evaluate(CONTRAST) == []
    await say(page, SECRET)
    await expect(page.locator(".mine.unsent")).to_have_count(0)
    first = [one["value"] for one in await context.cookies(site.url + "/chat")]
    await expect(page.locator("#idle")).to_be_visible(timeout=15_000)
    await expect(page.locator("#left")).to_contain_text(re.compile(r"In [1-5] seconds"))
    await expect(page.locator("#here")).to_be_focused()
    await page.click("#here")
    await expect(page.locator("#idle")).to_be_hidden()
    assert SECRET in await page.inner_text("#log")
    await expect(page.locator("#idle")).to_be_visible(timeout=15_000)
    await expect(page.locator("#idle")).to_be_hidden(timeout=15_000)
    assert SECRET not in await page.content()
    await expect(page.locator(".choices button").last).to_be_visible(timeout=10_000)
    assert [one["value"] for one in await context.cookies(site.url + "/chat")] != first
    assert await stored(page) == NOTHING
    async with asyncio.timeout(10):
        while await site.service.db["conversations"].count_documents({"channel": "web"}) < 2:
            await asyncio.sleep(0.1)
    await expect(page.locator("#log")).to_contain_text("New Delhi", timeout=10_000)
    assert await places(site) == ["NDLS", "NDLS"]
    await page.wait_for_timeout(11_000)
    assert await page.locator("#idle").is_hidden()
    assert await site.service.db["conversations"].count_documents({"channel": "web"}) == 2
    for _ in range(3):
        await page.keyboard.press("Escape")
    await page.wait_for_timeout(500)
    assert "kiosk=1" in page.url
    await context.close()


async def test_the_next_poster_is_heard_in_the_same_tab(browser: Browser, site: Site) -> None:  # noqa: F811
    """Who scans another poster later goes on with the same conversation, at the other place."""
    page = await browser.new_page(viewport=PHONE)
    for name, place in (("HWH", "Howrah"), ("NDLS", "New Delhi")):
        await page.goto(f"{site.url}/chat?lang=en&place={code_at(site.service, name)}")
        await expect(page.locator("#log")).to_contain_text(f"This is {place}", timeout=10_000)
        assert await places(site) == [name]
    await page.reload()
    await expect(page.locator("#log")).to_contain_text("This is New Delhi", timeout=10_000)
    assert (await page.inner_text("#log")).count("This is New Delhi") == 1
    await page.context.close()


async def test_an_answer_is_printed_with_its_square(browser: Browser, site: Site) -> None:  # noqa: F811
    """The sheet holds the answer, the numbers and a QR code; nothing of the screen; the code opens the same topic."""
    content = site.service.content
    context = await browser.new_context(viewport=DESK)
    page = await context.new_page()
    await page.add_init_script(
        "window.printed = 0; window.print = () => { window.printed += 1; window.dispatchEvent(new Event('printed')); };"
    )
    await page.goto(site.url + "/chat?kiosk=1&place=NDLS&lang=hi&t=wages_unpaid")
    words = content.words("hi", "wages_unpaid.answer")[:25]
    await expect(page.locator("#log")).to_contain_text(words, timeout=10_000)
    await picture(page, "kiosk")
    await page.evaluate(
        "window.print = () => { window.printed += 1; document.body.dataset.sheet = document.getElementById('sheet').outerHTML; }"
    )
    await page.locator(".theirs .bubble", has_text=words).locator(".print").click()
    await expect(page.locator("body")).to_have_attribute("data-sheet", re.compile(re.escape(words)))
    sheet = str(await page.get_attribute("body", "data-sheet"))
    assert content.words("hi", "core.notice")[:20] not in sheet
    assert "1098" in sheet and "112" in sheet and "t=wages_unpaid" in sheet
    await page.evaluate(
        "() => { const s = document.getElementById('sheet'); s.hidden = false; document.body.classList.add('printing'); }"
    )
    await page.emulate_media(media="print")
    await page.set_viewport_size({"width": 794, "height": 1123})
    assert await page.locator("header").is_hidden() and await page.locator("#form").is_hidden()
    await expect(page.locator("#sheet img")).to_be_visible()
    assert (await page.locator("#sheet img").evaluate("e => e.naturalWidth")) > 100
    await picture(page, "printed")
    phone = await browser.new_page(viewport=PHONE)
    await phone.goto(site.url + "/?lang=hi&t=wages_unpaid&place=NDLS")
    await expect(phone.locator("#log")).to_contain_text(words, timeout=10_000)
    await phone.close()
    await context.close()


@pytest.mark.parametrize(("code", "kiosk"), [("ur", False), ("hi", True)])
async def test_a_picture_stands_above_its_words(
    browser: Browser,  # noqa: F811
    site: Site,  # noqa: F811
    monkeypatch: pytest.MonkeyPatch,
    code: str,
    kiosk: bool,
) -> None:
    """On a phone and on a shared screen: whole, within the width, said in words, on paper too; gone with the chat."""
    content = site.service.content
    shown = replace(content, shown_with={"eshram.answer": "delete_chat"})
    monkeypatch.setattr(site.service.wording, "content", shown)
    context = await browser.new_context(viewport=DESK if kiosk else PHONE)
    page = await context.new_page()
    await page.goto(f"{site.url}/?lang={code}&t=eshram{'&kiosk=1' if kiosk else ''}")
    image = page.locator("#log img.shown")
    await expect(image).to_have_attribute("alt", content.words(code, "picture.delete_chat.alt"), timeout=10_000)
    await page.wait_for_function("document.querySelector('img.shown').naturalWidth > 700")
    box, words = await image.bounding_box(), await page.locator(".theirs .bubble").first.bounding_box()
    assert box and words and box["x"] >= 0 and box["x"] + box["width"] <= (1024 if kiosk else 360)
    assert box["width"] > 250 and abs(box["height"] / box["width"] - 1.25) < 0.05
    assert (await page.evaluate("document.documentElement.scrollWidth")) <= (1024 if kiosk else 360)
    if kiosk:
        await page.evaluate(
            "() => { window.print = () => { const i = document.querySelector('#sheet img.shown');"
            " document.body.dataset.seen = i.complete && i.naturalWidth > 700 && i.getBoundingClientRect().width > 100; } }"
        )
        await page.emulate_media(media="print")
        await page.locator(".theirs:has(img.shown) .print").evaluate("button => button.click()")
        await expect(page.locator("body")).to_have_attribute("data-seen", "true")
        await page.emulate_media(media="screen")
        for _ in range(3):
            await page.keyboard.press("Escape")
        await expect(image).to_have_count(0)
    await context.close()


@pytest.mark.parametrize("code", ["hi", "ur", "ta"])
async def test_a_phone_of_360_pixels(browser: Browser, site: Site, code: str) -> None:  # noqa: F811
    """Nothing runs out of the screen, nothing asks an outside server, the console of the browser stays silent."""
    context = await browser.new_context(viewport=PHONE)
    page = await context.new_page()
    problems: list[str] = []
    page.on("console", lambda message: problems.append(message.text) if message.type in {"error", "warning"} else None)
    page.on("request", lambda request: problems.append(request.url) if not request.url.startswith(site.url) else None)
    await page.goto(f"{site.url}/?lang={code}&t=wages_unpaid")
    content = site.service.content
    await expect(page.locator("#log")).to_contain_text(content.words(code, "wages_unpaid.answer")[:25], timeout=10_000)
    assert await page.evaluate("document.documentElement.scrollWidth <= 360")
    assert await page.evaluate(CONTRAST) == []
    await page.locator(
        ".theirs .bubble", has_text=content.words(code, "wages_unpaid.answer")[:25]
    ).scroll_into_view_if_needed()
    await picture(page, f"web-{code}")
    assert problems == []
    await context.close()


async def test_the_page_of_a_poster_fits_a_phone(browser: Browser, site: Site) -> None:  # noqa: F811
    """Nothing runs out of the screen in any language, every link is large enough for a finger, Urdu runs to the left."""
    service = site.service
    service.config = service.config.model_copy(
        update={"whatsapp_number": "+91 11111 22222", "telegram_bot_name": "SyBot"}
    )
    page = await browser.new_page(viewport=PHONE)
    await page.goto(f"{site.url}/q/{code_at(service, 'NDLS')}")
    await picture(page, "q-page")
    assert await page.evaluate("document.documentElement.scrollWidth <= 360")
    assert await page.evaluate(CONTRAST) == []
    for summary in await page.locator("summary").all():
        await summary.click()
    assert await page.evaluate("document.documentElement.scrollWidth <= 360")
    small = await page.locator("a, summary").evaluate_all(
        "all => all.map(e => [e.textContent, e.getBoundingClientRect().height]).filter(r => r[1] < 44)"
    )
    assert small == []
    assert await page.locator("section[lang=ur]").evaluate("e => getComputedStyle(e).direction") == "rtl"
    await page.context.close()
