"""The case page under a responder's hands: sent once, typed words kept, a voice note not cut off, a machine beside."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Browser, Page, Route, expect

from bot.chat import Chat
from bot.domain.cases import MergedFor
from bot.domain.private import Private
from bot.service.interpret import Interpreter
from tests.browser.test_browser import browser, login, picture  # noqa: F401 - the fixture
from tests.browser.test_day import NARROW, sound
from tests.console.conftest import Site, site  # noqa: F401 - the fixture
from tests.console.test_contact import Machine, on_whatsapp

LEVELS = {"runOnly": {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]}}
LOCKED = "please help me, they locked me in a room"


async def accessible(page: Page) -> None:
    """Axe finds nothing against WCAG 2.2 AA."""
    found: dict[str, Any] = (await Axe().run(page, options=LEVELS)).response
    assert [(item["id"], item["nodes"][0]["html"][:120]) for item in found["violations"]] == [], page.url


async def taken(browser: Browser, site: Site, name: str = "asha", width: int = 1100) -> Page:  # noqa: F811
    page = await login(browser, site, name, width)
    await page.locator("#queue li a").first.click()
    await page.click("button:has-text('Take this case')")
    await expect(page.locator("#reply")).to_be_visible()
    return page


async def replies(site: Site) -> list[str]:  # noqa: F811
    case = (await site.service.cases.queue())[0]
    lines = await site.service.cases.transcript(case.conversation_id)
    return [line.text.reveal() for line in lines if line.who == "asha"]


async def test_a_flaky_network_sends_once_and_keeps_the_words(browser: Browser, site: Site) -> None:  # noqa: F811
    """F11: the answer is lost after the server took it; the words stay; sent again they go out once; new words go out."""
    await site.chat.say(LOCKED)
    asha = await taken(browser, site)

    async def lose(route: Route) -> None:
        await route.fetch()
        await route.abort()

    await asha.route("**/reply", lose)
    await asha.fill("#reply textarea", "I am Asha.")
    await asha.click("#reply .buttons button")
    await expect(asha.locator("#reply .told-sent")).to_contain_text("will not go out twice")
    await expect(asha.locator("#reply textarea")).to_have_value("I am Asha.")
    await asha.unroute("**/reply")
    await asha.click("#reply .buttons button")
    await expect(asha.locator("#reply .told-sent")).to_have_text("Sent")
    await expect(asha.locator("#reply textarea")).to_have_value("")
    assert await replies(site) == ["I am Asha."]
    await asha.fill("#reply textarea", "Where are you?")
    await asha.click("#reply .buttons button")
    await expect(asha.locator("#lines")).to_contain_text("Where are you?")
    assert await replies(site) == ["I am Asha.", "Where are you?"]
    await asha.context.close()


async def test_typed_words_stay_when_the_case_changes_under_one(browser: Browser, site: Site) -> None:  # noqa: F811
    """F10: a colleague takes it over while one types: the page says so, nothing is sent, the words are still there."""
    await site.chat.say(LOCKED)
    asha = await taken(browser, site)
    await asha.fill("#reply textarea", "I am writing this just now")
    [case] = await site.service.cases.queue()
    await site.service.respond.transfer(case, "asha", "bina", "shift")
    await expect(asha.locator("#moved")).to_contain_text("is still here", timeout=10_000)
    await asha.click("#reply .buttons button")
    await expect(asha.locator("#reply .told-sent")).to_contain_text("Not sent")
    await expect(asha.locator("#reply textarea")).to_have_value("I am writing this just now")
    assert await replies(site) == []
    await asha.fill("form[action$='/note'] input[name=text]", "a note")
    await site.service.sessions.drop_all("asha")
    await asha.click("#reply .buttons button")
    await expect(asha.locator("#reply .told-sent")).to_contain_text("signed out")
    await expect(asha.locator("#reply textarea")).to_have_value("I am writing this just now")
    await asha.context.close()


async def test_only_what_is_new_is_drawn(browser: Browser, site: Site) -> None:  # noqa: F811
    """A line that has not changed stays the same element (a voice note goes on playing), new ones come without a reload."""
    await site.chat.say(LOCKED)
    asha = await taken(browser, site)
    await asha.wait_for_timeout(2000)
    await asha.evaluate("document.querySelector('#lines li.person').dataset.mark = 'the same'")
    await site.chat.say("I hear a train")
    await expect(asha.locator("#lines li.person").last).to_contain_text("I hear a train", timeout=10_000)
    assert await asha.locator("#lines li[data-mark]").count() == 1
    assert await asha.locator("#lines").get_attribute("aria-live") == "polite"
    await expect(asha.locator("#lines li.person time").last).to_have_text(re.compile(r"^\d\d:\d\d:\d\d$"))
    await asha.context.close()


async def test_a_machine_stands_beside_and_never_sends(browser: Browser, site: Site) -> None:  # noqa: F811
    """One line, then all; said to be a machine's; the original stays; a draft is looked over and sent by a human."""
    await site.chat.say("", "l:hi")
    await site.chat.say("मुझे मालिक ने कमरे में बंद कर दिया है")
    await site.chat.say("मुझे डर लग रहा है")
    machine = Machine("words in <b>English</b>")
    site.service.interpreter = Interpreter(machine)
    asha = await taken(browser, site)
    line = asha.locator("#lines li.person", has_text="मालिक")
    assert await asha.locator(".machine").count() == 0
    await line.locator("button").click()
    await expect(line.locator(".machine")).to_contain_text("Machine translation, may be wrong")
    await expect(line.locator(".machine")).to_contain_text("words in <b>English</b>")
    await expect(line.locator("bdi")).to_contain_text("मालिक")
    await asha.evaluate("document.activeElement.blur()")
    await asha.keyboard.press("t")
    await expect(asha.locator("#lines li.person", has_text="डर").locator(".machine")).to_be_visible()
    await accessible(asha)
    machine.answer = "मैं आशा हूँ"
    await asha.fill("#reply textarea", "I am Asha")
    await asha.click(".draft-it")
    await expect(asha.locator("#reply textarea")).to_have_value("मैं आशा हूँ")
    await expect(asha.locator(".draft .mine")).to_have_text("I am Asha")
    assert await replies(site) == []
    await asha.click("#reply .buttons button")
    await expect(asha.locator("#lines li.human")).to_contain_text("मैं आशा हूँ")
    machine.answer = ""
    await asha.fill("#reply textarea", "Call 112")
    await asha.click(".draft-it")
    await expect(asha.locator("#reply .told-sent")).to_contain_text("original stands")
    await expect(asha.locator("#reply textarea")).to_have_value("Call 112")
    await asha.context.close()


async def test_every_page_of_the_day_is_accessible_and_fits_a_phone(browser: Browser, site: Site) -> None:  # noqa: F811
    """WCAG 2.2 AA by axe and by our own checks: queue, case, merged case, closed window, key sheet; Hindi; 360 px."""
    await site.chat.say("", "l:hi")
    await site.chat.say("बचाओ, मैं 15 साल की हूँ, मालिक ने कमरे में बंद कर दिया है")
    await site.chat.say("", "q:safe_yes")
    await site.chat.say("सेक्टर 9, तीसरी मंज़िल, पीले रंग का मकान")
    other = Chat(site.service)
    other._turns = site.chat._turns
    await other.say("", "l:bn")
    turn, _ = await other.say("আমাকে ঘরে আটকে রেখেছে, সাহায্য করুন")
    sudha = await login(browser, site, "sudha")
    await expect(sudha.locator("#queue li")).to_have_count(2)
    await accessible(sudha)
    await sudha.locator("#queue li", has_text="under 18").locator("a").click()
    await sudha.click("button:has-text('Take this case')")
    await sudha.fill("#reply textarea", "मैं आशा हूँ। मैं आपके साथ हूँ।")
    await sudha.click("#reply .buttons button")
    await expect(sudha.locator("#lines")).to_contain_text("मैं आपके साथ हूँ")
    await sudha.click("#consent button")
    await expect(sudha.locator("#consent-state")).to_contain_text("asked")
    await sudha.locator("#merge summary").click()
    await sudha.fill("#merge input[name=other]", turn.conversation.open_case)
    await sudha.check("#merge input[value=event]")
    await sudha.fill("#merge input[name=text]", "both describe the yellow house")
    await sudha.check("#merge input[name=sure]")
    await sudha.click("#merge form button")
    await expect(sudha.locator("#merged li")).to_have_count(1)
    await expect(sudha.locator("form[data-send]")).to_have_count(2)
    await sudha.locator("#canned summary").click()
    await accessible(sudha)
    await sound(sudha)
    await sudha.locator("#canned summary").click()
    address = sudha.url
    await sudha.click("button:has-text('हिन्दी')")
    await sudha.goto(address)
    await sound(sudha)
    await sudha.set_viewport_size({"width": 1100, "height": 1100})
    await sudha.evaluate("window.scrollTo(0, 0)")
    await picture(sudha, "console-case-hi")
    await sound(sudha, width=NARROW)
    await accessible(sudha)
    await sudha.evaluate("window.scrollTo(0, 0)")
    await picture(sudha, "console-phone-hi")
    await sudha.goto(f"{site.url}/console/queue")
    await sound(sudha, width=NARROW)
    await accessible(sudha)
    await sudha.keyboard.press("?")
    await accessible(sudha)
    kept, gone = address.rpartition("/")[2], turn.conversation.open_case
    assert [await site.service.cases.broken_at(name) for name in (kept, gone)] == [None, None]
    merged = await site.service.merges.merged(kept)
    assert [case.id for case in merged] == [gone]
    assert MergedFor.EVENT.value == (await site.service.db["cases"].find_one({"_id": gone}) or {})["merged_for"]
    await on_whatsapp(site, kept, "hello:hi", "answer:hi")
    await sudha.goto(address)
    await expect(sudha.locator("#first")).to_be_visible()
    await sound(sudha, width=NARROW)
    await accessible(sudha)
    await site.service.cases.write_down(kept, "safe_contact", Private("in the morning"), "sudha", site.service.now())
    await sudha.goto(address)
    await expect(sudha.locator("#template")).to_be_visible()
    await sound(sudha, width=NARROW)
    await accessible(sudha)
    await sudha.context.close()


async def test_on_every_page_a_new_cry_sounds_and_a_watched_phone_is_told_of(browser: Browser, site: Site) -> None:  # noqa: F811
    """The wish for sound is kept from page to page; the open case's form asks as soon as the phone is watched."""
    await site.chat.say("help, they locked me in a room")
    case = (await site.service.cases.queue())[0].id
    asha = await login(browser, site, "asha")
    await asha.click("#sound")
    await expect(asha.locator("#sound")).to_have_attribute("aria-pressed", "true")
    await asha.goto(f"{site.url}/console/cases/{case}")
    await asha.click("button:has-text('Take this case')")
    await expect(asha.locator("#reply")).to_be_visible()
    await expect(asha.locator("#sound")).to_have_attribute("aria-pressed", "true")
    await expect(asha.locator("#bell")).to_be_hidden()
    await expect(asha.locator("[data-quiet]").first).to_be_hidden()
    await site.chat.say("he is here")
    await expect(asha.locator("#reply [name=aware]")).to_be_visible(timeout=10_000)
    await asha.fill("#reply textarea", "Are you alone?")
    sent = len(site.service.terminal.sent)
    await asha.click("#reply button:has-text('Send')")
    await asha.wait_for_timeout(500)
    assert len(site.service.terminal.sent) == sent
    await asha.check("#reply [name=aware]")
    await asha.click("#reply button:has-text('Send')")
    await expect(asha.locator("#lines")).to_contain_text("Are you alone?", timeout=10_000)
    other = Chat(site.service)
    other._turns = site.chat._turns
    await other.say("please help, the owner is beating me")
    await expect(asha.locator("#bell a")).to_contain_text("NEW CASE", timeout=10_000)
    await sound(asha)


BEEPS = """
  window.beeps = 0;
  var made = AudioContext.prototype.createOscillator;
  AudioContext.prototype.createOscillator = function () { window.beeps += 1; return made.call(this); };
"""


async def test_a_last_page_that_is_repeated_sounds_again(browser: Browser, site: Site) -> None:  # noqa: F811
    """Nobody came: each time the last page goes out once more the console sounds, and shows the case above."""
    asha = await login(browser, site, "asha")
    await asha.add_init_script(BEEPS)
    await asha.goto(f"{site.url}/console/closed")
    await asha.click("#sound")
    await expect(asha.locator("#sound")).to_have_attribute("aria-pressed", "true")
    await site.chat.say("help, they locked me in a room")
    case = (await site.service.cases.queue())[0]
    await expect(asha.locator("#bell a")).to_have_attribute("href", f"/console/cases/{case.id}", timeout=10_000)
    cases = site.service.db["cases"]
    at_top = {"escalations": len(site.service.config.rungs), "escalate_at": case.opened_at}
    await cases.update_one({"_id": case.id}, {"$set": at_top})
    await asha.wait_for_function("window.beeps > 0")
    for again in (1, 2):
        while (await site.service.cases.get(case.id)).pages < again:  # type: ignore[union-attr]
            await asha.wait_for_timeout(50)
        await asha.evaluate("document.getElementById('bell').hidden = true")
        heard = await asha.evaluate("window.beeps")
        earlier = case.opened_at - timedelta(seconds=again)
        await cases.update_one({"_id": case.id}, {"$set": {"escalate_at": earlier}})
        await asha.wait_for_function("before => window.beeps > before", arg=heard, timeout=10_000)
        await expect(asha.locator("#bell a")).to_have_attribute("href", f"/console/cases/{case.id}")


async def test_a_case_says_in_words_how_urgent_it_is_and_why(browser: Browser, site: Site) -> None:  # noqa: F811
    """In the queue one word, also once the page's script has drawn it; on the case what makes it so."""
    await site.chat.say("they locked me in a room at the station, I am 14 years old")
    case = (await site.service.cases.queue())[0]
    await site.service.db["cases"].update_one({"_id": case.id}, {"$set": {"whereabouts": "transit_point"}})
    asha = await login(browser, site, "asha")
    await expect(asha.locator(f"#queue [data-id='{case.id}'] strong")).to_have_text("very urgent")
    await asha.wait_for_timeout(1500)
    await expect(asha.locator(f"#queue [data-id='{case.id}'] strong")).to_have_text("very urgent")
    await asha.goto(f"{site.url}/console/cases/{case.id}")
    said = asha.locator("dl.facts.wrapped")
    for words in (
        "How urgent",
        "very urgent: what was told is a grave danger",
        "under 18",
        "at a station or bus stand",
    ):
        await expect(said).to_contain_text(words)
