"""Which page leaves next, which is not sent any more, and when nobody was reached."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from bot.app import Service, utc_now
from bot.domain.cases import CaseAction
from bot.ports import Alert, ChannelError, GroupMoved
from bot.running import running
from bot.service.watch import Watch
from bot.store import alerts as store
from tests.service.test_early import DISTRESS, message

HOOK = "webhook"


def alert(name: str, kind: str, case: str = "", rung: int = 0, channel: str = HOOK) -> Alert:
    return Alert(f"{name}:{channel}", case, channel, kind, "x", "en", rung=rung)


async def case_of(service: Service, person: str = "p1") -> str:
    """A case that waits on its first rung."""
    async with running(service), asyncio.timeout(20):
        await service.receiver.receive(message(1, DISTRESS, person))
        while not (cases := await service.cases.queue()):
            await asyncio.sleep(0.05)
    (case,) = cases
    await service.db["alerts"].delete_many({})
    return case.id


async def due(service: Service) -> list[str]:
    """The names of the pages in the order in which they leave."""
    found = []
    while page := await service.alerts.next_due("me", HOOK):
        found.append(page.id.removesuffix(f":{HOOK}"))
        await service.alerts.done(page)
    return found


async def test_danger_leaves_before_all_else_and_its_newest_rung_first(service: Service) -> None:
    now = utc_now()
    given = [alert("list", "stale_list"), alert("question", "person_asked"), alert("first", "distress")]
    given += [alert("third", "missing", rung=2), alert("second", "distress", rung=1), alert("other", "distress")]
    for number, page in enumerate(given):
        await service.alerts.add([page], now + timedelta(seconds=number))
    assert await due(service) == ["third", "second", "first", "other", "list", "question"]


async def test_a_page_that_was_overtaken_is_not_sent(service: Service) -> None:
    """Of two rungs the newer; nothing of a case that was claimed since or closed; renewed danger all the same."""
    case, before = await case_of(service), utc_now() - timedelta(seconds=60)
    await service.alerts.add([alert("a:1", "distress", case), alert("b:2", "distress", case, rung=1)], before)
    await service.cases.act(case, CaseAction.ESCALATE, "clock", utc_now())
    assert await due(service) == ["b:2"]
    await service.alerts.add([alert("c:3", "distress", case, rung=1)], before)
    await service.cases.act(case, CaseAction.CLAIM, "asha", utc_now())
    again = utc_now() + timedelta(seconds=1)
    await service.alerts.add([alert("again:4", "distress", case, rung=1), alert("read", "too_many_reads", case)], again)
    assert await due(service) == ["again:4", "read"]
    await service.alerts.add([alert("again:5", "distress", case, rung=1)], again)
    await service.cases.act(case, CaseAction.CLOSE, "asha", utc_now())
    assert await due(service) == []
    assert await service.db["alerts"].count_documents({"state": "dropped"}) == 3


async def test_a_page_that_nobody_takes_for_a_day_is_given_up(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = alert("a", "stale_list")
    await service.alerts.add([page], utc_now())
    for _ in range(2):
        assert await service.alerts.next_due("me", HOOK)
        await service.alerts.retry(page, 0.0, "down", missed=True)
    monkeypatch.setattr(store, "GIVE_UP_MS", -1)
    assert await service.alerts.next_due("me", HOOK)
    await service.alerts.retry(page, 0.0, "down", missed=True)
    assert await service.alerts.next_due("me", HOOK) is None
    row = await service.db["alerts"].find_one({})
    assert row and (row["state"], row["attempts"]) == ("failed", 3)


async def test_nobody_was_reached_by_this_page_alone(service: Service) -> None:
    """Pages of the same rung before a claim and a release say nothing; a channel that may have been heard counts."""
    now, kind = utc_now(), "distress"
    before = alert("case:2", kind, "case")
    await service.alerts.add([before], now)
    await service.alerts.done(before)
    hook, mail = alert("case:7", kind, "case"), alert("case:7", kind, "case", channel="email")
    await service.alerts.add([hook, mail, alert("case:7", kind, "case", channel="console")], now)
    await service.alerts.retry(hook, 0.0, "down", missed=True)
    assert not await service.alerts.nobody_reached(hook)
    await service.alerts.retry(mail, 0.0, "late", missed=False)
    assert not await service.alerts.nobody_reached(hook)
    await service.alerts.retry(mail, 0.0, "down", missed=True)
    assert await service.alerts.nobody_reached(hook)


class Refusing:
    """A pager that fails in one way."""

    name = HOOK

    def __init__(self, error: ChannelError) -> None:
        self.error = error

    async def page(self, alert: Alert) -> None:
        raise self.error

    async def check(self, alert: Alert) -> None:
        raise self.error


PATIENT = {
    "told to wait": ChannelError("x", retryable=True, retry_after=9.0),
    "may have arrived": ChannelError("x", retryable=True, unknown=True),
    "moved": GroupMoved("-5"),
}
FAILED = [(error, 0) for error in PATIENT.values()] + [(ChannelError("x", retryable=True), 1)]


@pytest.mark.parametrize(("error", "rungs"), FAILED, ids=[*PATIENT, "refused"])
async def test_only_who_was_surely_missed_makes_a_case_climb(service: Service, error: ChannelError, rungs: int) -> None:
    case = await case_of(service)
    await service.alerts.add([alert(f"{case}:1", "distress", case)], utc_now())
    pagers = {HOOK: Refusing(error)}
    content, merges = (lambda: service.content), service.merges
    watch = Watch(service.cases, service.alerts, pagers, content, utc_now, lambda: None, "me", merges)
    assert not await watch.page(HOOK)
    found = await service.cases.get(case)
    assert found and found.escalations == rungs
