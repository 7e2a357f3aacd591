"""Nobody came: the last page is repeated; and when a shift begins, its people are paged for what waits."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from bot.app import Service
from bot.chat import Chat
from bot.domain.cases import Case, CaseAction
from bot.domain.private import Private
from bot.domain.rota import Person, Rota, Shift, begun
from bot.ports import SHIFT_WAITING
from bot.running import running
from bot.service.shifts import MOST_PAGES, Shifts
from tests.service.test_attend import DISTRESS, Later, staffed
from tests.store.test_claim import made

ZONE = "Asia/Kolkata"
EVERY_DAY = frozenset(range(7))


def shift(people: str, start: str, end: str) -> Shift:
    def at(text: str) -> datetime:
        return datetime.strptime(text, "%H:%M").replace(tzinfo=UTC)

    return Shift(tuple(people.split()), EVERY_DAY, at(start).time(), at(end).time())


async def waiting(service: Service) -> Case:
    chat = Chat(service)
    async with running(service, chat.on_turn):
        await chat.say("", "l:en")
        await chat.say(DISTRESS)
    (case,) = await service.cases.queue()
    return case


async def test_the_last_page_is_repeated_until_somebody_comes(service: Service) -> None:
    """Every ten minutes, to the same people; the person is not told a second time; a claim ends it."""
    case, later = await waiting(service), Later(service)
    for seconds in (61, 120, 120):
        later.goes_on(seconds)
        assert await service.watch.escalate() == 1
    said = len(await service.cases.transcript(case.conversation_id))
    for _ in range(3):
        later.goes_on(599)
        assert await service.watch.escalate() == 0
        later.goes_on(2)
        assert await service.watch.escalate() == 1
    assert len(await service.cases.transcript(case.conversation_id)) == said
    history = await service.cases.history(case.id)
    assert [event.detail.reveal() for event in history if event.action is CaseAction.PAGE][1:] == ["@again"] * 3
    found = await service.cases.get(case.id)
    assert found and found.escalations == 3
    await service.respond.claim(found, "asha")
    later.goes_on(5000)
    assert await service.watch.escalate() == 0


@pytest.mark.parametrize("kind", ["report", "person_asked"])
async def test_only_danger_is_paged_again(service: Service, kind: str) -> None:
    case, later = await waiting(service), Later(service)
    await service.db["cases"].update_one({"_id": case.id}, {"$set": {"kind": kind}})
    for seconds in (61, 120, 120):
        later.goes_on(seconds)
        assert await service.watch.escalate() == 1
    later.goes_on(5000)
    assert await service.watch.escalate() == 0


async def test_a_channel_that_was_dead_gets_the_newest_of_the_repeated_pages(service: Service) -> None:
    case = await waiting(service)
    await service.db["alerts"].delete_many({})
    for number in range(3):
        await service.cases.act(case.id, CaseAction.PAGE, "clock", service.now() + timedelta(seconds=number), to=())
    found = []
    while page := await service.alerts.next_due("me", "console"):
        found.append(page.id)
        await service.alerts.done(page)
    assert len(found) == 1
    assert await service.db["alerts"].count_documents({"state": "dropped"}) == 2


def test_when_a_shift_began() -> None:
    """The newest of those that run; one that crosses midnight began the day before."""
    rota = Rota(
        ZONE, (), (shift("asha", "08:00", "20:00"), shift("bina", "20:00", "08:00"), shift("eta", "12:00", "13:00"))
    )
    for at, hour, people in (("02:45", 8, "asha"), ("06:35", 12, "eta"), ("08:00", 8, "asha"), ("19:00", 20, "bina")):
        now = datetime.fromisoformat(f"2026-11-24T{at}+00:00")
        found = begun(rota, now)
        assert found
        assert (found[0].hour, found[1]) == (hour, (people,))
        assert found[0] <= now
    assert begun(Rota(ZONE), datetime(2026, 11, 24, tzinfo=UTC)) is None


async def test_a_shift_that_begins_is_paged_for_what_waits(service: Service) -> None:
    """One page for each case, five at most, and one that names the number of the others; once, whoever looks."""
    await staffed(service)
    for number in range(MOST_PAGES + 2):
        await made(service, number)
    await made(service, 90)
    owned = await service.cases.get("case90")
    assert owned
    await service.respond.claim(owned, "bina")
    await service.db["alerts"].delete_many({})
    local = (service.now() + timedelta(hours=5, minutes=30)).replace(second=0, microsecond=0)
    starts = local + timedelta(minutes=1)
    times = (f"{starts:%H:%M}", f"{starts - timedelta(minutes=1):%H:%M}")
    rota = Rota(ZONE, (Person("asha"),), (shift("asha gone", *times),))
    await service.rotas.save(rota, "root", service.now())
    await service.oncall.refresh()
    at = service.now() + timedelta(minutes=2)
    several = [
        Shifts(
            service.cases,
            service.alerts,
            service.rotas,
            service.oncall,
            ("console", "webhook"),
            lambda: at,
            lambda: None,
        )
        for _ in range(3)
    ]
    assert [await one.look() for one in several] == [MOST_PAGES + 2, 0, 0]
    assert await several[0].look() == 0

    rows = await service.db["alerts"].find({"channel": "console"}).to_list()
    assert [row["to"] for row in rows] == [["asha"]] * (MOST_PAGES + 1)
    (count,) = [row for row in rows if row["kind"] == SHIFT_WAITING]
    assert count["values"] == {"count": "2"}
    assert len({row["case"] for row in rows}) == MOST_PAGES + 1
    assert "case90" not in {row["case"] for row in rows}
    page = next(row["case"] for row in rows if row["case"])
    last = (await service.cases.history(page))[-1]
    assert (last.action, last.who, last.detail) == (CaseAction.PAGE, "clock", Private("@shift: asha"))


async def test_what_began_to_wait_in_the_shift_is_not_paged_twice(service: Service) -> None:
    await staffed(service)
    rota = Rota(ZONE, (Person("asha"),), (shift("asha", "00:00", "00:00"),))
    await service.rotas.save(rota, "root", service.now())
    await service.oncall.refresh()
    await made(service, 1)
    assert await service.shifts.look() == 0
    assert await service.db["alerts"].count_documents({}) == 0
