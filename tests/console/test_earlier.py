"""The case page says how a contact's earlier cases ended; words of a responder are shown as words."""

from __future__ import annotations

from bot.domain.messages import Address, Carrier, ChannelName, InboundMessage
from bot.domain.private import Private
from bot.service.answer import Answerer, Senses
from tests.console.conftest import Site

DISTRESS = "please help me, they locked me in a room"


async def cry(site: Site, number: int) -> str:
    """Let the same person cry for help; return the case."""
    service = site.service
    to, now = Address(ChannelName.TELEGRAM, Private("77")), service.now()
    await service.receiver.receive(
        InboundMessage(f"telegram:1:{number}", to, Carrier.TEXT, Private(DISTRESS), now, now)
    )
    answerer = Answerer(
        service.inbox, service.conversations, Senses(service.nlu), service.knowledge, service.now, lambda: None, "w"
    )
    while not (cases := [case for case in await service.cases.queue() if case.channel == "telegram"]):
        await answerer.work()
    return cases[0].id


async def test_a_case_shows_as_what_the_earlier_ones_were_closed(site: Site) -> None:
    for number, words in enumerate(("prank", "Prank", "<b>no need</b>")):
        case = await site.service.cases.get(await cry(site, number))
        assert case
        await site.service.respond.claim(case, "asha")
        await site.service.respond.close(case, "asha", words)
    name = await cry(site, 9)
    assert await site.service.db["alerts"].count_documents({"case": name})
    page = (await (await site.login("asha")).get(f"/console/cases/{name}"))[1]
    assert "Earlier cases of this contact, closed: 3" in page
    assert "2 \u00d7" in page
    assert ">prank<" in page.lower()
    assert "&lt;b&gt;no need&lt;/b&gt;" in page
    assert "paged all the same" in page


async def test_a_first_case_says_nothing_of_the_kind(site: Site) -> None:
    page = (await (await site.login("asha")).get(f"/console/cases/{await cry(site, 1)}"))[1]
    assert "Earlier cases of this contact" not in page
