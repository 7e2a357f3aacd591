"""F10: of responders who claim at once, exactly one has the case; the history says so and the other is told."""

from __future__ import annotations

import asyncio
from collections import Counter

import pytest

from bot.app import Service, utc_now
from bot.domain.cases import Case, IllegalTransition

RACES = 1000
AT_ONCE = 20


async def made(service: Service, number: int) -> Case:
    """Put an unclaimed case straight into the database: what is raced is the claim."""
    now = utc_now()
    row = {
        "_id": f"case{number}", "conversation": f"person{number}", "open": True, "kind": "distress", "state": "paged",
        "risk_kind": "distress_help", "reason": "phrase:made_up", "locale": "en", "channel": "terminal",
        "opened_at": now, "waiting_since": now, "updated_at": now, "alerted_at": now, "priority": 0, "owner": None,
        "silent": True, "version": 1, **service.cases._ladder.foot(),
    }  # fmt: skip
    await service.db["cases"].insert_one(row)
    found = await service.cases.get(f"case{number}")
    assert found
    return found


async def race(service: Service, number: int) -> str:
    """Let two claim one case; return the one who has it."""
    case = await made(service, number)
    names = ("asha", "bina") if number % 2 else ("bina", "asha")
    results = await asyncio.gather(*(service.respond.claim(case, who) for who in names), return_exceptions=True)
    winners = [who for who, result in zip(names, results, strict=True) if isinstance(result, Case)]
    losers = [result for result in results if isinstance(result, IllegalTransition)]
    assert (len(winners), len(losers)) == (1, 1), results
    after = await service.cases.get(case.id)
    assert after
    assert after.owner == winners[0]
    assert after.escalate_at is None
    claims = [event.who for event in await service.cases.history(case.id) if event.action == "claim"]
    assert claims == winners
    return winners[0]


@pytest.mark.timeout(120)
async def test_two_claim_at_once_a_thousand_times(service: Service) -> None:
    few = asyncio.Semaphore(AT_ONCE)

    async def one(number: int) -> str:
        async with few:
            return await race(service, number)

    winners = Counter(await asyncio.gather(*(one(number) for number in range(RACES))))

    assert winners.total() == RACES
    assert set(winners) == {"asha", "bina"}
