"""The page of numbers over real cases."""

from __future__ import annotations

import pytest
from pymongo.asynchronous.client_session import AsyncClientSession

from bot.console.numbers import spoken
from bot.domain.cases import CaseAction, Outcome
from bot.domain.private import Private
from bot.store.mongo import in_transaction
from tests.console.conftest import Site
from tests.store.test_claim import made


async def test_numbers_come_from_the_cases_events(site: Site) -> None:
    """Fewer than five cases show nothing; with five, each time is that of the events. No canary counts."""
    sudha = await site.login("sudha")
    service = site.service
    for number in range(4):
        await _worked(site, number)
    _, page = await sudha.get("/console/numbers")
    assert "There are too few cases yet." in page
    assert "<td>" not in page
    await _worked(site, 4)
    await made(service, 5)
    await service.db["cases"].update_one({"_id": "case5"}, {"$set": {"canary": True}})

    found = await service.cases.lives()
    assert len(found) == 5
    for life in found:
        took = [life.seconds(measure) for measure in ("acknowledge", "reply", "close")]
        assert all(seconds is not None and seconds >= 0 for seconds in took)
        assert not life.lost
        assert life.safe in {None, life.closed}
    assert sum(life.safe is not None for life in found) == 2
    status, page = await sudha.get("/console/numbers")
    assert status == 200
    assert page.count("<td>5</td>") == 3
    assert "case0" not in page


async def _worked(site: Site, number: int) -> None:
    """A case from its opening to its end."""
    service = site.service
    await made(service, number)
    row = await service.db["cases"].find_one({"_id": f"case{number}"}) or {}

    async def opened(session: AsyncClientSession) -> None:
        await service.conversations._writer.event(
            row, CaseAction.OPEN, "bot", service.now(), session, detail=Private("")
        )

    await in_transaction(service.db.client, opened)
    unclaimed = await service.cases.get(f"case{number}")
    assert unclaimed
    case = await service.respond.claim(unclaimed, "asha")
    await service.respond.reply(case, "asha", "hello", f"k{number}")
    await service.respond.close(case, "asha", "helped", outcome=Outcome.SAFE if number % 2 else Outcome.OTHER)


@pytest.mark.parametrize(
    ("seconds", "words"), [(45, "45 s"), (200, "3 min 20 s"), (7500, "2 h 05 min"), (273600, "3 d 4 h")]
)
def test_times_are_said_as_people_read_them(seconds: float, words: str) -> None:
    assert spoken(seconds) == words
