"""From what a person writes to what the public hears: found once, sealed, erased with the person, signed by a human."""

from __future__ import annotations

import asyncio
import csv
import io
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta

import pdfplumber
import pytest

from bot.app import Service
from bot.chat import Chat
from bot.clients.sheets import Sheets
from bot.content.model import Content
from bot.dialogue.gazetteer import Gazetteer
from bot.dialogue.knowledge import Knowledge
from bot.dialogue.safety import Guard
from bot.dialogue.step import step
from bot.domain.agencies import Check, Verdict
from bot.domain.cases import CaseAction
from bot.domain.conversation import Conversation, Identify, Turn, Waiting
from bot.domain.identifiers import Identifier, IdentifierKind
from bot.domain.messages import Address, Carrier, ChannelName, InboundMessage, OutboundMessage
from bot.domain.private import Private
from bot.domain.reports import HistoryState, Sheet, SheetReport
from bot.domain.text import normalise
from bot.domain.understanding import NOTHING
from bot.recruiters.history import History
from bot.recruiters.names import Lexicon
from bot.recruiters.offers import Offers
from bot.running import running
from bot.service.history import Histories, Refused
from tests.conftest import NOW
from tests.store.test_store import everything_stored

PHONE = "7012345670"
WRITTEN = ("number 70123 45670, upi gulf.jobs@okaxis", "उसका फ़ोन +९१ ७०१२३-४५६७० है", "upi: gulf.jobs@okaxis")


async def report(service: Service, *texts: str) -> tuple[Chat, str]:
    """A new person opens a report and writes these texts; return them and the case's id."""
    chat = Chat(service)
    service_turns.append(chat)
    await chat.say("", "l:en")
    turn, _ = await chat.say("", "c:report_recruiter")
    for text in texts:
        await chat.say(text)
    return chat, turn.conversation.open_case


service_turns: list[Chat] = []


@asynccontextmanager
async def answering(service: Service) -> AsyncIterator[None]:
    """The service runs, and every chat hears of its own turns."""
    service_turns.clear()

    def tell(waiting: Waiting, turn: Turn, messages: tuple[OutboundMessage, ...]) -> None:
        for chat in service_turns:
            chat.on_turn(waiting, turn, messages)

    async with running(service, tell):
        yield


async def held(service: Service, case: str) -> set[tuple[str, str]]:
    file = await service.reports.file(case)
    return {(item.identifier.kind.value, item.identifier.value) for item in file.held} if file else set()


async def three(service: Service) -> History:
    for text in WRITTEN:
        await report(service, text)
    await service.histories.refresh()
    (history,) = service.histories.all
    return history


async def signed(service: Service) -> History:
    await three(service)
    await service.histories.confirm(at(service), "sudha", [trace.key for trace in at(service).traces], "")
    await service.histories.sign(at(service), "sudha", "")
    return at(service)


def at(service: Service) -> History:
    return service.histories.all[0]


async def test_three_writings_and_scripts_are_one_history(service: Service) -> None:
    """One phone in two scripts, one UPI id: three people, one history; a person's second message counts once."""
    async with answering(service):
        history = await three(service)
        assert (history.independent, len(history.links)) == (3, 2)
        chat, case = await report(service, "his name is Ramesh")
        assert await held(service, case) == set()
        await chat.say("vehicle BR 01 AB 1234 and again BR-01-AB-1234")
        await chat.say("br01ab1234")
    assert await held(service, case) == {("vehicle", "BR01AB1234")}


async def test_what_is_only_asked_about_is_not_reported(service: Service) -> None:
    """Another recruiter checked while a report is open, and reports of another kind, are not looked through."""
    async with answering(service):
        chat, case = await report(service, "number 70123 45670")
        await chat.say("", "c:check")
        await chat.say("70999 88877")
        assert await held(service, case) == {("phone", PHONE)}
        other = Chat(service)
        service_turns.append(other)
        await other.say("", "l:en")
        turn, _ = await other.say("", "c:report_trafficking")
        await other.say("number 70123 45670")
    assert await held(service, turn.conversation.open_case) == set()


async def test_a_responders_chat_is_looked_through_too(service: Service) -> None:
    """While a human has the conversation, and after the case became one of danger."""
    async with answering(service):
        chat, case = await report(service)
        found = await service.cases.get(case)
        assert found
        await service.respond.claim(found, "asha")
        await chat.say("the account is a/c 12345678901")
        await chat.say("help me they locked me in a room, number 70123 45670")
    assert await held(service, case) == {("account", "12345678901"), ("phone", PHONE)}


async def test_a_commit_that_fails_keeps_nothing_and_comes_again(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The identifiers are in the turn's own transaction: a crash after writing them leaves none, the next try has them."""
    real, fails, seen = service.reports.identify, [True], []

    async def fragile(*given: object, **named: object) -> None:
        await real(*given, **named)  # type: ignore[arg-type]
        if fails:
            fails.clear()
            seen.append(await service.db["reports"].count_documents({"held.0": {"$exists": True}}))
            raise RuntimeError("power cut")

    async with answering(service):
        chat, case = await report(service)
        monkeypatch.setattr(service.reports, "identify", fragile)
        await chat.say("number 70123 45670")
    assert (seen, await held(service, case)) == ([0], {("phone", PHONE)})


async def test_a_dump_shows_no_number(service: Service) -> None:
    """Neither what people told nor what responders typed or decided can be read in the database."""
    async with answering(service):
        await signed(service)
        case = await service.cases.get(at(service).id)
        assert case
        await service.histories.hold(case, "asha", IdentifierKind.ALIAS, "Guddu Bhaiya")
        await service.histories.describe(case, "Patna, Bihar", 8_341_790)
        await service.histories.paper(at(service), "sudha", "csv", "Thana Kotwali", "FIR 12 of Sunita", WORDS)
        await service.histories.retract(case, "asha", "told twice by Sunita")
    dump = await everything_stored(service)
    for secret in (PHONE, "gulf.jobs", "Guddu", "guddu", "Patna", "8341790", "Sunita", "Kotwali"):
        assert secret.encode() not in dump, secret


async def test_erasing_a_person_erases_their_report(service: Service) -> None:
    """The report goes with its hashes; what only they told is gone from the history and is public no more."""
    async with answering(service):
        chat, case = await report(service, "upi gulf.jobs@okaxis vehicle BR 01 AB 1234")
        await signed(service)
        assert service.histories.reported("BR 01 AB 1234")
        await service.cases.act(case, CaseAction.CLOSE, "sudha", service.now())
        await chat.say("", "c:delete_yes")
        async with asyncio.timeout(20):
            while await service.reports.file(case):
                await asyncio.sleep(0.1)
        await service.histories.refresh()
        assert at(service).independent == 3
        assert service.histories.reported("70123 45670")
        assert not service.histories.reported("BR 01 AB 1234")
        found = await service.cases.get(case)
        assert found and not found.conversation_id
        with pytest.raises(Refused, match="erased"):
            await service.histories.hold(found, "asha", IdentifierKind.VEHICLE, "BR 01 AB 1234")
    key = service.reports.key(Identifier(IdentifierKind.VEHICLE, "BR01AB1234"))
    assert await service.db["reports"].count_documents({"held.key": key}) == 0


async def checked(service: Service, text: str) -> bool:
    """Say whether somebody who checks this is told of reports."""
    chat = Chat(service)
    service_turns.append(chat)
    await chat.say("", "l:en")
    await chat.say("", "c:check")
    turn, said = await chat.say(text)
    told = [reply for reply in turn.replies if reply.message == "verify.reported"]
    assert not told or {"c:person"} <= {choice.id for choice in told[0].choices}
    assert turn.replies[0].message == "verify.not_found"
    return bool(told) and any("People have reported" in message.text.reveal() for message in said)


async def test_the_public_hears_of_a_history_only_while_it_is_signed(service: Service) -> None:
    """Unconfirmed, confirmed, signed, below the threshold, withdrawn: only one of five changes an answer."""
    async with answering(service):
        await three(service)
        assert not await checked(service, "०७०१२३४५६७०")
        await service.histories.confirm(at(service), "sudha", [trace.key for trace in at(service).traces], "")
        assert (at(service).state, await checked(service, PHONE)) == (HistoryState.CONFIRMED, False)
        await service.histories.sign(at(service), "sudha", "")
        assert await checked(service, "०७०१२३४५६७०")
        assert await checked(service, "pay to gulf.jobs@okaxis")
        assert not await checked(service, "70123 45671")
        newer = Histories(service.reports, Sheets(), lambda: (), service.histories.limits, service.now)
        await newer.refresh()
        assert newer.reported(PHONE)
        case = await service.cases.get(at(service).members[-1])
        assert case
        await service.histories.retract(case, "asha", "the same person on another phone")
        assert (at(service).state, await checked(service, PHONE)) == (HistoryState.SIGNED, False)
        await report(service, "number 70123 45670 vehicle BR 01 AB 1234")
        await service.histories.refresh()
        assert await checked(service, PHONE)
        assert not await checked(service, "BR 01 AB 1234")
        await service.histories.confirm(at(service), "sudha", [trace.key for trace in at(service).traces], "")
        assert (at(service).state, await checked(service, "BR 01 AB 1234")) == (HistoryState.SIGNED, True)
        await service.histories.withdraw(at(service), "sudha", "a mistake")
        assert (at(service).state, await checked(service, PHONE)) == (HistoryState.WITHDRAWN, False)


async def test_a_bare_account_and_an_odd_licence_are_known_when_checked(service: Service) -> None:
    """Typed alone they need no word beside them; digits strewn over a text are no account; the search knows names."""
    async with answering(service):
        for _ in range(3):
            _, case_id = await report(service, "a/c 12345678901")
            case = await service.cases.get(case_id)
            assert case
            await service.histories.hold(case, "asha", IdentifierKind.LICENCE, "1234/DEL/2020")
            await service.histories.hold(case, "asha", IdentifierKind.ALIAS, "Ramesh Bhaiya")
        await service.histories.confirm(at(service), "sudha", [trace.key for trace in at(service).traces], "")
        await service.histories.sign(at(service), "sudha", "")
        known = {text: service.histories.reported(text) for text in (
            "1234 5678 901", "1234-DEL-2020", "12345 men, 678 women, 901 children", "Ramesh Bhaiya", "12345678902",
        )}  # fmt: skip
        assert list(known.values()) == [True, True, False, False, False]
        assert service.histories.find("रमेश भैया") == service.histories.all


async def test_old_reports_are_gone_and_count_no_more(service: Service) -> None:
    async with answering(service):
        await signed(service)
        later = Histories(
            service.reports, Sheets(), lambda: (), service.histories.limits, lambda: service.now() + timedelta(days=729)
        )
        await later.refresh()
        assert later.reported(PHONE)
        later._now = lambda: service.now() + timedelta(days=731)
        await later.refresh()
        assert not later.reported(PHONE)
    assert await service.db["reports"].count_documents({}) == 0


async def test_a_responder_corrects_and_the_person_does_not_undo_it(service: Service) -> None:
    """Taken out stays out when the person writes it again; corrected is another; an alias is found by its sound."""
    async with answering(service):
        chat, case_id = await report(service, "my own number is 98000 00001, his is 70123 45670")
        case = await service.cases.get(case_id)
        assert case
        await service.histories.let_go(case, service.reports.key(Identifier(IdentifierKind.PHONE, "9800000001")))
        wrong = service.reports.key(Identifier(IdentifierKind.PHONE, PHONE))
        await service.histories.hold(case, "asha", IdentifierKind.PHONE, "70123 45679", instead=wrong)
        await chat.say("98000 00001 or 70123 45670")
        await service.histories.hold(case, "asha", IdentifierKind.ALIAS, "गुड्डू")
        assert await held(service, case_id) == {("phone", "7012345679"), ("alias", normalise("गुड्डू"))}
        assert service.histories.find("guddu") == service.histories.all
        assert service.histories.find("70123 45679") == service.histories.all
        assert service.histories.find("70123 45670") == ()
        for kind, typed, why in (("phone", "12", "not_usable"), ("phone", "70123-45679", "there_already")):
            with pytest.raises(Refused, match=why):
                await service.histories.hold(case, "asha", IdentifierKind(kind), typed)


async def test_a_helpline_links_nobody(service: Service) -> None:
    """The number of a listed helpline, typed in by mistake, neither joins reports nor can be confirmed."""
    async with answering(service):
        for _ in range(2):
            _, case_id = await report(service)
            case = await service.cases.get(case_id)
            assert case
            await service.histories.hold(case, "asha", IdentifierKind.PHONE, "1800-102-7222")
        assert len(service.histories.all) == 2
        assert list(at(service).silent.values()) == ["official"]
        with pytest.raises(Refused, match="nothing_ticked"):
            await service.histories.confirm(at(service), "sudha", list(at(service).silent), "")


async def test_the_site_of_a_source_links_nobody(service: Service) -> None:
    """Many people name the office that helps them; that joins no two recruiters."""
    async with answering(service):
        for number in ("70123 45670", "70999 88877"):
            await report(service, f"number {number}, I told bba.org.in/complaint-cell")
        await service.histories.refresh()
        assert len(service.histories.all) == 2
        assert list(at(service).silent.values()) == ["official"]


async def test_two_supervisors_at_once(service: Service) -> None:
    """Both saw the same; one decides, the other must look again; nothing is lost in the log."""
    async with answering(service):
        history = await three(service)
        keys = [trace.key for trace in history.traces]
        done = await asyncio.gather(
            *(service.histories.confirm(history, who, keys, "") for who in ("sudha", "bina")), return_exceptions=True
        )
    assert sorted(type(item).__name__ for item in done) == ["NoneType", "Refused"]
    assert [decision.action.value for decision in await service.histories.log(at(service))] == ["confirm"]


async def test_a_signature_needs_its_grounds(service: Service) -> None:
    """Not unconfirmed, not too few, not only names; a withdrawal needs a reason."""
    async with answering(service):
        _, case_id = await report(service, "number 70123 45670")
        await service.histories.refresh()
        with pytest.raises(Refused, match="not_confirmed"):
            await service.histories.sign(at(service), "sudha", "")
        await service.histories.confirm(at(service), "sudha", [trace.key for trace in at(service).traces], "")
        with pytest.raises(Refused, match="too_few"):
            await service.histories.sign(at(service), "sudha", "")
        with pytest.raises(Refused, match="empty"):
            await service.histories.withdraw(at(service), "sudha", "  ")
        assert (await service.histories.log(at(service)))[0].who == "sudha"
    assert case_id


def test_the_number_a_person_writes_from_is_never_taken(content: Content) -> None:
    """On WhatsApp the address is the number."""
    knowledge = Knowledge(
        content, Guard(content.danger), lambda _: Check(Verdict.NOT_FOUND), {}, Gazetteer(content),
        Offers(content.red_flags), Lexicon(content.firm_words),
    )  # fmt: skip
    talk = Conversation("c" * 40, ChannelName.WHATSAPP, locale="en", notice_seen=True, open_case="a1", reporting=True)
    address = Address(ChannelName.WHATSAPP, Private("919800000001"))
    message = InboundMessage("1", address, Carrier.TEXT, Private("call 98000 00001, he has 70123 45670"), NOW, NOW)
    turn = step(talk, message, NOTHING, knowledge, NOW)
    (found,) = (effect for effect in turn.effects if isinstance(effect, Identify))
    assert found.identifiers == (Identifier(IdentifierKind.PHONE, PHONE),)
    silent = step(replace(talk, reporting=False), message, NOTHING, knowledge, NOW)
    assert not any(isinstance(effect, Identify) for effect in silent.effects)


WORDS = {
    name: name
    for name in (
        "title", "unproven", "number", "date", "who", "recipient", "reason", "state", "independent", "left_out", "digest",
        "identifiers", "kind", "identifier", "in_reports", "reports", "on", "district", "amount",
        *(f"kind.{kind.value}" for kind in IdentifierKind), *(f"state.{state.value}" for state in HistoryState),
    )
}  # fmt: skip
SHEET = Sheet(
    7, NOW, "sudha", '=HYPERLINK("http://evil.example")', "@SUM(1+1)\n=2", HistoryState.SIGNED, 3,
    ((Identifier(IdentifierKind.PHONE, PHONE), 3), (Identifier(IdentifierKind.ALIAS, "-गुड्डू 中"), 1)),
    (SheetReport(NOW.date(), "Patna, Bihar", 80_000), SheetReport(NOW.date(), "", 0)), 2, "ab" * 32,
)  # fmt: skip


def test_a_csv_runs_nothing() -> None:
    """What begins like a formula is text; one row per thing; numbers keep their digits."""
    rows = list(csv.reader(io.StringIO(Sheets().write(SHEET, "csv", WORDS).decode("utf-8-sig"))))
    cells = [cell for row in rows for cell in row]
    assert not any(cell.startswith(("=", "+", "-", "@", "\t", "\r")) for cell in cells)
    assert '\'=HYPERLINK("http://evil.example")' in cells
    assert ["kind.phone", "70123 45670", "3"] in rows
    assert ["24-11-2026", "Patna, Bihar", "80,000"] in rows
    assert ["number", "2026-0007"] in rows and ["digest", "ab" * 32] in rows and ["unproven"] in rows


def test_a_pdf_can_be_read_and_is_honest_about_letters() -> None:
    """Every page says that nothing is proven; a letter that no font has is shown by its code; many rows turn the page."""
    many = replace(SHEET, reports=SHEET.reports * 60)
    with pdfplumber.open(io.BytesIO(Sheets().write(many, "pdf", WORDS))) as pdf:
        texts = [page.extract_text() for page in pdf.pages]
        fonts = {char["fontname"] for char in pdf.pages[0].chars}
    assert len(texts) > 2
    assert all("unproven" in text and "2026-0007" in text for text in texts)
    assert "70123 45670" in texts[0] and "[U+4E2D]" in texts[0]
    assert any("Devanagari" in font for font in fonts)


@pytest.mark.parametrize("code", ["en", "hi"])
def test_a_pdf_shows_latin_values_beside_any_script(content: Content, code: str) -> None:
    """Values stand whole after words and names in another script: fpdf2 alone loses the font between them."""
    prefix = "console.hist."
    words = {key.removeprefix(prefix): text for key, text in content.messages[code].items() if key.startswith(prefix)}
    words |= {name.removeprefix("sheet."): text for name, text in words.items() if name.startswith("sheet.")}
    mixed = replace(SHEET, recipient="थाना कोतवाली, Patna City", reason="FIR 12/2026 धारा 143 BNS " * 8)
    with pdfplumber.open(io.BytesIO(Sheets().write(mixed, "pdf", words))) as pdf:
        text = pdf.pages[0].extract_text()
        fonts = {char["fontname"].partition("+")[2] for char in pdf.pages[0].chars if char["text"] in "2026FIRsudha"}
    for value in ("2026-0007", "24-11-2026 09:30 UTC", "sudha", "Patna City", "70123 45670", "ab" * 32, "Patna, Bihar"):
        assert value in text, value
    assert text.count("FIR 12/2026") == 8 and text.count("BNS") == 8
    assert fonts == {"NotoSans"}
