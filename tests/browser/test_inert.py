"""F13: whatever people write is text in every place where it is shown: no dialog, no script, no request outside."""

from __future__ import annotations

from pathlib import Path

import pdfplumber
from playwright.async_api import Browser, Page, expect

from bot.domain.identifiers import Identifier, IdentifierKind
from bot.domain.private import Private
from bot.ports import Handover, Responder
from tests.browser.corpus import CORPUS, PLAIN, sheets
from tests.browser.test_browser import browser, login  # noqa: F401 - the fixture
from tests.console.conftest import Site, site  # noqa: F401 - the fixture

#: What our own pages are made of beside words; the corpus brings every other kind.
MADE = "main :is(script, iframe, object, embed, style, link, meta, base, math, video, marquee, noscript, template, img)"
HANDLERS = "() => [...document.querySelectorAll('*')].filter(e => [...e.attributes].some(a => /^on/i.test(a.name) || /^\\s*javascript:/i.test(a.value))).length"
EACH = 1500


class Guard:
    """Counts what must never happen on a page."""

    def __init__(self, page: Page, url: str) -> None:
        self.seen: list[str] = []
        page.on("dialog", lambda dialog: self.seen.append(f"dialog {dialog.message}"))
        page.on(
            "request",
            lambda request: self.seen.append(request.url) if not request.url.startswith((url, "data:,")) else None,
        )
        page.on("popup", lambda popup: self.seen.append("popup"))


async def inert(page: Page, address: str, *expected: str) -> None:
    """Open a page and look: the words are there as words, and nothing else came of them."""
    await page.goto(address)
    await page.wait_for_timeout(700)
    assert await page.locator(MADE).count() == 0, address
    assert await page.evaluate(HANDLERS) == 0, address
    assert await page.evaluate("window.ran || 0") == 0, address
    text = await page.locator("main").inner_text()
    fields = await page.evaluate(
        "[...document.querySelectorAll('main input, main textarea, main option')].map(e => e.value + e.textContent).join('\\n')"
    )
    for words in expected:
        assert words in text + fields, (address, words)


async def test_the_corpus_is_text_in_every_place(browser: Browser, site: Site) -> None:  # noqa: F811
    """Messages, what was told, notes, tasks, outcomes, reasons, referrals, reports, histories, hand-over, search, names."""
    service = site.service
    await site.chat.say("please help me, they locked me in a room")
    await site.chat.say("", "q:safe_yes")
    for text in sheets(EACH):
        await site.chat.say(text)
    [case] = await service.cases.queue()
    everything = "\n".join(CORPUS)
    case = await service.respond.claim(case, "asha")
    for number, text in enumerate(sheets(EACH)):
        await service.respond.note(case, "asha", text, f"n{number}")
        await service.respond.reply(case, "asha", text, f"r{number}")
    for number, text in enumerate(sheets(480)):
        await service.tasks.add(case, "asha", text, 1, f"t{number}")
    for task, text in zip(await service.task_store.of(case.id), sheets(480), strict=False):
        await service.tasks.finish(case, "asha", task.id, text, for_others=True)
    await service.cases.write_down(case.id, "safe_contact", Private(everything), "asha", service.now())
    for text in CORPUS[:20]:
        held = Identifier(IdentifierKind.ALIAS, text[:60])
        await service.reports.hold(case.id, case.conversation_id, held, "asha", service.now())
    await service.histories.refresh()
    await service.respond.transfer(case, "asha", "bina", everything[:1900])
    case = await service.respond.transfer(case, "bina", "asha", CORPUS[0])
    await service.handovers.write(Handover("asha", service.now(), Private(everything[:1900])))
    await service.db["outbox"].update_many({"author": "responder"}, {"$set": {"state": "failed", "error": CORPUS[0]}})
    asha, sudha = await login(browser, site, "asha"), await login(browser, site, "sudha")
    guards = [Guard(page, site.url) for page in (asha, sudha)]
    for page in (asha, sudha):
        await page.add_init_script("window.alert = () => { window.ran = 1 + (window.ran || 0); };")
    await inert(asha, f"{site.url}/console/cases/{case.id}", *PLAIN)
    await inert(asha, f"{site.url}/console/queue", CORPUS[0], CORPUS[9])
    await site.service.db["cases"].update_one({"_id": case.id}, {"$set": {"place": everything, "labels": list(CORPUS)}})
    await inert(asha, f"{site.url}/console/queue", *PLAIN)
    await site.chat.say(everything[:1500])
    await expect(asha.locator("#bell")).to_be_visible(timeout=20_000)
    assert await asha.locator("#bell :not(a)").count() == 0
    for number, text in enumerate(CORPUS):
        person = Responder(f"p{number}", text, "responder", "-", active=False)
        await service.responders.save(person)
    root = await login(browser, site, "root", home="people")
    await inert(root, f"{site.url}/console/people", *PLAIN)
    await root.context.close()
    await inert(
        asha, f"{site.url}/console/queue?kind=%3Cscript%3Ealert(1)%3C/script%3E&locale=%22%3E%3Csvg/onload=alert(1)%3E"
    )
    for text in (CORPUS[0], CORPUS[9], '" autofocus onfocus=alert(1)'):
        await asha.goto(f"{site.url}/console/queue")
        await asha.fill("#find", text)
        await asha.press("#find", "Enter")
        await asha.wait_for_url("**/console/queue?**")
        assert await asha.locator(MADE).count() == 0 and await asha.evaluate(HANDLERS) == 0
    if linked := service.histories.of(case.id):
        await inert(sudha, f"{site.url}/console/histories/{linked.id}", CORPUS[0])
    await inert(sudha, f"{site.url}/console/histories")
    await inert(sudha, f"{site.url}/console/audit")
    await sudha.goto(f"{site.url}/console/recruiters")
    await sudha.fill("main input[name=query], main textarea[name=query]", CORPUS[3])
    await sudha.click("main form button")
    assert await sudha.locator(MADE).count() == 0
    await sudha.goto(f"{site.url}/console/cases/{case.id}?error=%3Cscript%3Ealert(1)%3C/script%3E")
    assert await sudha.locator(MADE).count() == 0
    await asha.goto(f"{site.url}/console/cases/{case.id}")
    await asha.locator("#referral summary").click()
    await asha.fill("#referral input[name=office]", CORPUS[0])
    await asha.fill("#referral input[name=reason]", CORPUS[9])
    await asha.check("#referral input[value=said]")
    await asha.check("#referral input[value=life]")
    async with asha.expect_download() as download:
        await asha.click("#referral form button")
    path = Path(await (await download.value).path())
    raw = path.read_bytes()
    assert b"/JavaScript" not in raw and b"/URI" not in raw and b"/Launch" not in raw
    with pdfplumber.open(path) as pdf:
        assert "<script>alert(1)</script>" in "".join(part.extract_text() for part in pdf.pages).replace("\n", "")
    for page in (asha, sudha):
        assert await page.evaluate("window.ran || 0") == 0
    assert [guard.seen for guard in guards] == [[], []]
    for page in (asha, sudha):
        await page.context.close()


async def test_the_guard_can_fail(browser: Browser, site: Site) -> None:  # noqa: F811
    """A dialog, an element of the corpus and a handler are each seen."""
    asha = await login(browser, site, "asha")
    guard = Guard(asha, site.url)
    asha.on("dialog", lambda dialog: dialog.dismiss())
    await asha.evaluate("alert(1)")
    await asha.evaluate("document.querySelector('main').innerHTML = \"<img src=x onerror='alert(1)'>\"")
    assert guard.seen == ["dialog 1"]
    assert await asha.locator(MADE).count() == 1
    assert await asha.evaluate(HANDLERS) == 1
    await asha.context.close()
