"""A page that reaches nobody jumps the rung; one that reaches anybody leaves the clock to run."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest

from bot.app import Service, open_service
from bot.config import Config, load_config
from bot.domain.cases import Case, CaseAction
from bot.running import running
from bot.service.watch import TELL_PERSON_AT
from tests.platforms import alert_server
from tests.service.test_early import DISTRESS, message

NOWHERE = "http://127.0.0.1:9/page"


@asynccontextmanager
async def paged(config: Config, uri: str, **settings: Any) -> AsyncIterator[Service]:
    given = load_config(
        SAHYATRI_DATA=config.data, MONGODB_NAME=config.mongodb_name, ALERT_WEBHOOK_SECRET="made-up-alert-key",
        **settings,
    )  # fmt: skip
    async with open_service(given, mongodb_uri=uri, nlu_url="http://127.0.0.1:9") as service:
        async with running(service):
            await service.receiver.receive(message(1, DISTRESS))
            yield service


async def case_when(service: Service, right: Callable[[Case], bool]) -> Case:
    async with asyncio.timeout(20):
        while True:
            for case in await service.cases.queue():
                if right(case):
                    return case
            await asyncio.sleep(0.05)


@pytest.mark.timeout(60)
async def test_a_page_that_reaches_nobody_goes_to_the_next_on_call_at_once(config: Config, mongodb_uri: str) -> None:
    """Up to the supervisors, each rung once; what the person hears at the last rung keeps its own time."""
    async with paged(config, mongodb_uri, ALERT_WEBHOOK_URL=NOWHERE) as service:
        case = await case_when(service, lambda case: case.escalations == TELL_PERSON_AT - 1)
        await asyncio.sleep(1.5)
        history = await service.cases.history(case.id)
        assert [event.action for event in history].count(CaseAction.ESCALATE) == TELL_PERSON_AT - 1
        rungs = {row["rung"] async for row in service.db["alerts"].find({"channel": "webhook"})}
        assert rungs == set(range(TELL_PERSON_AT))


@pytest.mark.timeout(60)
async def test_one_dead_channel_of_two_jumps_no_rung(config: Config, mongodb_uri: str) -> None:
    async with alert_server() as (url, pages):
        mail = {"ALERT_EMAIL_TO": "a@example.org", "ALERT_EMAIL_FROM": "b@example.org"}
        mail |= {"SMTP_HOST": "127.0.0.1", "SMTP_PORT": "9", "SMTP_TLS": "none"}
        async with paged(config, mongodb_uri, ALERT_WEBHOOK_URL=url, **mail) as service:
            case = await case_when(service, lambda case: bool(case.id))
            async with asyncio.timeout(20):
                while not await service.db["alerts"].find_one({"channel": "email", "attempts": {"$gte": 2}}):
                    await asyncio.sleep(0.05)
            assert pages
            found = await service.cases.get(case.id)
            assert found
            assert found.escalations == 0
