"""D3: SIGKILL at each point at which words behind a pair pause are put together and leave: each arrives, and once."""

from __future__ import annotations

from typing import Any

import pytest

from bot.app import open_service
from bot.config import Config
from bot.domain.messages import OutboundMessage
from bot.domain.private import Private
from bot.store.history import Writer
from tests.faults.test_kill import Ledger, _echo_status
from tests.faults.test_kill import ledger as ledger

WORDS = ("one", "two", "three")
#: Where it dies, for which time, and in which states that leaves the rows.
POINTS = {
    "leased": ("after findAndModify outbox", 1, ["waiting"] * 3),
    "the first has all the words, not committed": ("after findAndModify outbox", 2, ["waiting"] * 3),
    "the others are closed, not committed": ("after update outbox merged", 1, ["waiting"] * 3),
    "before the commit": ("before commitTransaction", 1, ["waiting"] * 3),
    "committed": ("after commitTransaction", 1, ["waiting", "merged", "merged"]),
    "sending recorded": ("after update outbox sending", 1, ["sending", "merged", "merged"]),
    "it has arrived, not recorded": ("before update outbox sent", 1, ["sending", "merged", "merged"]),
    "recorded": ("after update outbox sent", 1, ["sent", "merged", "merged"]),
}


async def prepared(ledger: Ledger, config: Config) -> None:
    """Three texts for one person, of which the first was refused because they get too much at once."""
    settings = config.model_copy(update={"data": ledger.folder / "data", "mongodb_name": ledger.name})
    async with open_service(settings, mongodb_uri=ledger.uri, nlu_url="http://127.0.0.1:9") as service:
        to = await service.sealer.seal("p1", "address:p1", {"address": "910000000101"})
        person = {"_id": "p1", "version": 1, "address": to, "heard_at": service.now(), "channel": "whatsapp"}
        await service.db["conversations"].insert_one(person)
        writer = Writer(service.db, service.sealer, ())
        rows = [
            await writer.outbox_row(f"p1:1:{n}", "p1", "whatsapp", OutboundMessage(Private(word)), service.now())
            for n, word in enumerate(WORDS)
        ]
        rows[0] |= {"attempts": 1, "crowded": True, "error": "whatsapp:131056"}
        await service.db["outbox"].insert_many(rows)


async def states(ledger: Ledger, config: Config) -> list[str]:
    settings = config.model_copy(update={"data": ledger.folder / "data", "mongodb_name": ledger.name})
    async with open_service(settings, mongodb_uri=ledger.uri, nlu_url="http://127.0.0.1:9") as service:
        return [row["state"] async for row in service.db["outbox"].find({}).sort("_id", 1)]


@pytest.mark.parametrize(("point", "nth", "left"), POINTS.values(), ids=POINTS.keys())
async def test_a_kill_while_words_are_put_together_loses_and_doubles_none(
    ledger: Ledger, config: Config, point: str, nth: int, left: list[str]
) -> None:
    await prepared(ledger, config)
    await ledger.start(point, nth)
    await ledger.dead()
    assert await states(ledger, config) == left
    again = await ledger.start()
    if ledger.platform.calls:
        await _echo_status(ledger, again)

    found = await ledger.settled(set())

    said: list[Any] = [call["text"]["body"] for call in ledger.platform.calls]
    assert said == ["one\n\ntwo\n\nthree"] and not ledger.platform.faults
    assert [row["state"] for row in sorted(found["outbox"], key=lambda row: row["_id"])][1:] == ["merged", "merged"]
