"""A press on "Escalate" climbs one rung, however often it is handled and whether or not it can be answered."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from bot.app import Service, open_service
from bot.channels.telegram_group import parse_group
from bot.config import Config, load_config
from bot.domain.cases import Case
from bot.domain.private import Private
from bot.domain.topics import GroupUpdate, Press, button
from bot.ports import Responder
from bot.running import running
from tests.forum import GROUP, FakeForum, forum_server, press
from tests.platforms import TELEGRAM_SECRET, TELEGRAM_TOKEN
from tests.service.test_early import DISTRESS, message

ASHA = 7001


@asynccontextmanager
async def at_desk(config: Config, uri: str) -> AsyncIterator[tuple[Service, FakeForum, Case]]:
    """A responder who is linked, and a case on its first rung; nothing runs."""
    async with forum_server() as forum:
        given = load_config(
            SAHYATRI_DATA=config.data, MONGODB_NAME=config.mongodb_name, TELEGRAM_TOKEN=TELEGRAM_TOKEN,
            TELEGRAM_WEBHOOK_SECRET=TELEGRAM_SECRET, TELEGRAM_API_URL=forum.url, PUBLIC_URL="https://a.example",
            TELEGRAM_RESPONDERS_CHAT=str(GROUP), TELEGRAM_TOPICS="1",
        )  # fmt: skip
        async with open_service(given, mongodb_uri=uri, nlu_url="http://127.0.0.1:9", with_lists=False) as service:
            await service.responders.save(Responder("asha", "Asha", "responder", ""))
            assert await service.group.linking.link(await service.group.linking.code("asha"), Private(str(ASHA)))
            async with running(service), asyncio.timeout(20):
                await service.receiver.receive(message(1, DISTRESS))
                while not (cases := await service.cases.queue()) or not forum.pages:
                    await asyncio.sleep(0.05)
            yield service, forum, cases[0]


def pressed(service: Service, number: int, case: Case) -> GroupUpdate:
    assert service.bot
    update = parse_group(press(number, ASHA, button(Press.ESCALATE, case.id)), service.bot, str(GROUP))
    assert update
    return update


async def rung(service: Service, case: Case) -> int:
    found = await service.cases.get(case.id)
    assert found
    return found.escalations


@pytest.mark.timeout(60)
async def test_a_press_climbs_one_rung(config: Config, mongodb_uri: str) -> None:
    """Its answer fails three times; then it is handled anew; the next press climbs the next rung."""
    async with at_desk(config, mongodb_uri) as (service, forum, case):
        desk, first = service.group.desk, pressed(service, 1, case)
        assert desk
        forum.answers += [(500, {"ok": False, "error_code": 500, "description": "Internal Server Error"})] * 3
        await service.group.inbox.add(first)
        for _ in range(4):
            await desk.work()
            await service.db["group_inbox"].update_many({}, {"$unset": {"lease": "", "not_before": ""}})
        assert await rung(service, case) == case.escalations + 1
        for _ in range(3):
            await desk._presses.press(first)
        assert await rung(service, case) == case.escalations + 1
        await desk._presses.press(pressed(service, 2, case))
        assert await rung(service, case) == case.escalations + 2
