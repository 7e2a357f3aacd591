"""What the bot would say of a case stays unsaid on a phone that is watched, or in somebody else's hands."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from bot.app import Service
from bot.dialogue.waiting import OTHER
from bot.domain.cases import Case
from bot.domain.messages import Carrier
from bot.running import running
from tests.service.test_early import DISTRESS, message


async def opened(service: Service) -> Case:
    async with running(service), asyncio.timeout(20):
        await service.receiver.receive(message(1, DISTRESS))
        while not (cases := await service.cases.queue()):
            await asyncio.sleep(0.05)
    await service.db["outbox"].delete_many({})
    return cases[0]


@pytest.mark.parametrize("sign", ["silent", "stranger"])
async def test_what_was_made_before_the_phone_fell_silent_is_not_said(service: Service, sign: str) -> None:
    """The case was read before the turn that changed it was committed; a responder's own words leave all the same."""
    case = await opened(service)
    await service.db["cases"].update_one({"_id": case.id}, {"$set": {sign: True}})
    await service.watch._climb(replace(case, escalations=2))
    await service.respond.claim(case, "asha")
    assert await service.db["outbox"].count_documents({}) == 0
    await service.respond.reply(case, "asha", "I am here", "key")
    await service.respond.hand_back(case, "asha", "done")
    assert await service.db["outbox"].distinct("author") == ["responder"]


async def test_a_phone_in_other_hands_is_known_to_the_case(service: Service) -> None:
    case = await opened(service)
    async with running(service), asyncio.timeout(20):
        await service.receiver.receive(replace(message(2, ""), carrier=Carrier.CHOICE, choice=OTHER))
        while not await service.db["cases"].find_one({"_id": case.id, "stranger": True}):
            await asyncio.sleep(0.05)
    await service.db["outbox"].delete_many({})
    await service.respond.claim(case, "asha")
    assert await service.db["outbox"].count_documents({}) == 0


async def test_whose_phone_it_is_hears_who_has_the_case(service: Service) -> None:
    await service.respond.claim(await opened(service), "asha")
    assert await service.db["outbox"].distinct("author") == ["bot"]
