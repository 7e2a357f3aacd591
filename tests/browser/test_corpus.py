"""F13 where no console page is drawn: the corpus itself, addresses, mail, papers, the web chat."""

from __future__ import annotations

import asyncio
import csv
import functools
import io
import re
from collections.abc import Iterable
from datetime import UTC, datetime
from email import message_from_string, policy
from email.message import EmailMessage
from urllib.parse import quote

import aiohttp
import pdfplumber
import pytest
from playwright.async_api import Browser, expect

from bot.clients.alerts import EmailPager
from bot.clients.packets import Packets
from bot.clients.sheets import Sheets
from bot.content.model import Content
from bot.domain.identifiers import Identifier, IdentifierKind
from bot.domain.referrals import Basis, Packet, Part, Recipient
from bot.domain.reports import HistoryState, Sheet
from bot.pagers import _page_words
from bot.ports import PLATFORM_LATE, Alert
from tests.browser.corpus import CLASSES, CORPUS, MARKUP, PLAIN, sheets
from tests.browser.test_browser import browser  # noqa: F401 - the fixture
from tests.browser.test_inert import HANDLERS, Guard
from tests.browser.test_web import chat, say
from tests.console.conftest import Site, site  # noqa: F401 - the fixture
from tests.service.test_list_watch import mail_server

AT = datetime(2026, 11, 24, 9, 30, tzinfo=UTC)


def test_the_corpus_has_two_hundred_different_strings_of_every_class() -> None:
    assert len(set(CORPUS)) == len(CORPUS) >= 200
    assert len(CLASSES) >= 12 and all(len(texts) >= 5 for texts in CLASSES.values())
    for sign in ("<svg", "data:", "<math", "{{", "${", "{%", "\u202e", "\u200b", "\0", "srcdoc", "<base", "refresh", "]]>",
                 "-->", "&#x09;", "@import", "\U0001f64f", "\t"):  # fmt: skip
        assert any(sign in text for text in CORPUS), sign


async def test_no_address_gives_back_what_stands_in_it(site: Site) -> None:  # noqa: F811
    """Poster ids, numbers of cases, searches, filters, errors: never as it was written."""
    asha, root = await site.login("asha"), await site.login("root")
    searched = [f"/console/queue?words={quote(text)}&kind={quote(text)}" for text in sheets(38, MARKUP)]
    asked: Iterable[tuple[aiohttp.ClientSession, str, str]] = [
        *((asha.session, f"/console/cases/{quote(text, safe='')}", text) for text in MARKUP),
        *((asha.session, f"/console/find?case={quote(text)}", text) for text in MARKUP[::4]),
        *((asha.session, path, text) for path, text in zip(searched, sheets(38, MARKUP), strict=True)),
        *((root.session, f"/console/places/{quote(text, safe='')}/print", text) for text in MARKUP),
        *((root.session, f"/q/{quote(text, safe='')}", text) for text in MARKUP),
    ]
    turn = asyncio.Semaphore(8)

    async def look(session: aiohttp.ClientSession, path: str, text: str) -> None:
        async with turn, session.get(site.url + path) as answer:
            body = await answer.text()
            assert answer.status < 500, path
            for line in filter(lambda line: len(line) > 8 and ("<" in line or '"' in line), text.split("\n")):
                assert line not in body, path

    await asyncio.gather(*(look(*one) for one in asked))
    for one in (asha, root):
        await one.session.close()


@pytest.mark.parametrize(("kind", "field"), [("quarantined_list", "reason"), (PLATFORM_LATE, "fault")])
async def test_a_mail_carries_words_as_plain_text_alone(content: Content, kind: str, field: str) -> None:
    """Titles of lists, words of platforms: one part, plain, every string there, and no header of theirs."""
    async with mail_server() as (port, box):
        settings: dict[str, object] = {"hostname": "127.0.0.1", "port": port, "use_tls": False, "start_tls": False}
        words = functools.partial(_page_words, lambda: content)
        pager = EmailPager(settings, "bot@a.example", "team@a.example", words, lambda _: ())
        for number, text in enumerate(sheets(3000)):
            values = dict.fromkeys((field, "list"), text)
            await pager.page(Alert(f"a:{number}", "", "email", kind, kind, "en", source="telegram", values=values))
    mails = [message_from_string(text, EmailMessage, policy=policy.default) for text in box.got]
    said = "\n".join(mail.get_content() for mail in mails)
    for mail in mails:
        assert mail.get_content_type() == "text/plain" and not mail.is_multipart()
        assert mail["Bcc"] is None and mail["To"] == "team@a.example" and mail["Subject"] == "Sahyatri telegram"
    for text in PLAIN:
        assert text in said, text


async def test_papers_hold_the_words_and_nothing_that_runs(site: Site) -> None:  # noqa: F811
    """The referral that is printed or mailed on: no script, no link, no file that opens."""
    views = site.service.content.messages["en"]
    words = {key.removeprefix("console.case.packet."): text for key, text in views.items()}
    facts = tuple((f"{number}", text) for number, text in enumerate(CORPUS))
    packet = Packet("0" * 12, AT, "asha", Recipient.POLICE, CORPUS[0], CORPUS[9], Basis.LIFE, "", (Part.SAID,), facts)
    raw = Packets().write(packet, words)
    for sign in (b"/JavaScript", b"/JS", b"/URI", b"/Launch", b"/EmbeddedFile", b"/SubmitForm"):
        assert not re.search(sign + rb"\b", raw), sign
    with pdfplumber.open(io.BytesIO(raw)) as pdf:
        text = re.sub(r"\s", "", "".join(page.extract_text() for page in pdf.pages))
        assert not any(page.hyperlinks or page.annots for page in pdf.pages)
    assert sum(re.sub(r"\s", "", part) in text for part in PLAIN) > len(PLAIN) * 0.9  # a page break parts some


def test_a_sheet_for_the_police_runs_nothing(content: Content) -> None:
    """A history that leaves the house: no cell of the CSV is a formula, nothing in the PDF opens or runs."""
    every = content.messages["en"]
    words = {key.removeprefix("console.hist.sheet.").removeprefix("console.hist."): text for key, text in every.items()}
    held = tuple((Identifier(IdentifierKind.ALIAS, text), 2) for text in CORPUS)
    sheet = Sheet(1, AT, "sudha", CORPUS[0], CORPUS[9], HistoryState.CONFIRMED, 3, held, (), 0)
    cells = [
        cell for row in csv.reader(io.StringIO(Sheets().write(sheet, "csv", words).decode("utf-8-sig"))) for cell in row
    ]
    assert not [cell for cell in cells if cell.startswith(("=", "+", "-", "@", "\t", "\r", "|", "%"))]
    assert [text for text in PLAIN if not any(text in cell for cell in cells)] == []
    raw = Sheets().write(sheet, "pdf", words)
    assert not any(sign in raw for sign in (b"/JavaScript", b"/URI", b"/Launch", b"/EmbeddedFile", b"/SubmitForm"))


async def test_the_web_chat_shows_them_as_words(browser: Browser, site: Site) -> None:  # noqa: F811
    """What a person writes, what a responder answers there, and the same page without scripts."""
    page = await chat(browser, site.url, "en")
    guard = Guard(page, site.url)
    await page.evaluate("() => { window.alert = () => { window.ran = 1 + (window.ran || 0); }; }")
    await say(page, "they locked me in a room")
    service = site.service
    async with asyncio.timeout(30):
        while not (cases := [case for case in await service.cases.queue() if case.channel == "web"]):
            await asyncio.sleep(0.05)
    case = await service.respond.claim(cases[0], "asha")
    written = list(sheets(3500))
    for number, text in enumerate(written):
        await say(page, text)
        await service.respond.reply(case, "asha", text, f"r{number}")
    await expect(page.locator(".mine .bubble")).to_have_count(len(written) + 1, timeout=30_000)
    await expect(page.get_by_text(CORPUS[-1][-30:]).nth(1)).to_be_attached(timeout=30_000)
    said = await page.locator("body").inner_text()
    for text in PLAIN:
        assert said.count(text) >= 2, text
    made = "#log :is(script, iframe, object, embed, style, link, meta, base, math, video, form, input, img, svg)"
    assert await page.locator(made).count() == 0
    assert await page.evaluate(HANDLERS) == 0 and await page.evaluate("window.ran || 0") == 0
    assert [seen for seen in guard.seen if not seen.startswith(site.url.replace("http", "ws"))] == []
    await page.context.close()
