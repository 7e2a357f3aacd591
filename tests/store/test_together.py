"""D3: plain words behind a pair pause leave as one message: all of them, each once, and nothing else with them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from typing import Any

import pytest
from pymongo.errors import OperationFailure

import bot.store.outbox
import bot.store.together
from bot.app import Service
from bot.config import Config
from bot.domain.messages import Choice, Lane, OutboundMessage
from bot.domain.private import NOTHING_SAID, Private
from bot.store.history import Writer
from bot.store.outbox import MongoOutbox
from bot.store.together import MERGED, Together
from bot.store.traces import MongoTraces
from tests.cloud import Cloud, cloud, until

PAIR = (400, {"error": {"code": 131056}})
ONE, TWO, THREE, FOUR = (OutboundMessage(Private(word)) for word in ("one", "two", "three", "four"))
BUTTONS = OutboundMessage(Private("which?"), (Choice("c:menu", "Menu"),))


@pytest.fixture
async def whatsapp(config: Config, mongodb_uri: str) -> AsyncIterator[Cloud]:
    async with cloud(config, mongodb_uri) as found:
        yield found


async def queue(service: Service, *messages: OutboundMessage, person: str = "p1", **fields: object) -> list[str]:
    """Queue messages to somebody as one turn; *fields* are set on the last of them. Return their rows' names."""
    people, rows = service.db["conversations"], service.db["outbox"]
    to = await service.sealer.seal(person, f"address:{person}", {"address": f"91000000010{person[1:]}"})
    told = {"address": to, "heard_at": service.now(), "channel": "whatsapp"}
    await people.update_one({"_id": person}, {"$set": told, "$inc": {"version": 1}}, upsert=True)
    row = await people.find_one({"_id": person})
    assert row
    writer = Writer(service.db, service.sealer, ())
    made = [
        await writer.outbox_row(f"{person}:{row['version']:010}:{n:03}", person, "whatsapp", message, service.now())
        for n, message in enumerate(messages)
    ]
    made[-1] |= fields
    await rows.insert_many(made)
    return [str(one["_id"]) for one in made]


async def later(service: Service) -> None:
    """Nobody waits here for what is waited for in earnest."""
    await service.db["pace"].delete_many({})
    await service.db["outbox"].update_many({"open": True}, {"$set": {"not_before": service.now()}})


async def crowded(service: Service, *messages: OutboundMessage, **fields: Any) -> list[str]:
    """Queue messages of which the first was refused because this person gets too much at once."""
    names = await queue(service, *messages, **fields)
    service.outbox._channels = ["whatsapp"]
    due = await service.outbox.next_due("me")
    assert due and due.id == names[0] and await service.outbox.sending(due)
    await service.outbox.retry(due, 0, "whatsapp:131056", crowded=True)
    await later(service)
    return names


async def leaving(service: Service) -> str:
    """The words that would leave next."""
    due = await service.outbox.next_due("me")
    assert due
    return due.message.text.reveal()


async def states(service: Service, names: Sequence[str]) -> list[str]:
    found = {row["_id"]: row["state"] async for row in service.db["outbox"].find({})}
    return [found[name] for name in names]


async def shown(service: Service) -> list[tuple[str, str]]:
    """What a responder reads of it: words and what became of them."""
    return [(line.text.reveal(), line.state) for line in await service.cases.transcript("p1")]


async def test_what_waits_behind_a_pair_pause_leaves_as_one(whatsapp: Cloud) -> None:
    """131056 for one person: their three texts are one message, in order; another's leave as ever; a report settles all."""
    service, platform = whatsapp.service, whatsapp.platform
    platform.answers.append(PAIR)
    names = await queue(service, ONE, TWO, THREE)

    async def refused() -> bool:
        row = await service.db["outbox"].find_one({"_id": names[0]})
        return bool(row and row.get("crowded") and row["state"] == "waiting")

    await until(refused)
    await queue(service, FOUR, TWO, person="p2")
    await until(lambda: _is(lambda: len(platform.calls) == 3))
    await later(service)
    await until(lambda: _is(lambda: len(platform.calls) == 4))
    assert whatsapp.words() == ["one", "four", "two", "one\n\ntwo\n\nthree"]
    assert platform.calls[3]["biz_opaque_callback_data"] == names[0]

    async def sent() -> bool:
        return await states(service, names) == ["sent", MERGED, MERGED]

    await until(sent)
    for status in ("sent", "read"):
        item = {"id": platform.calls[3]["wamid"], "status": status, "timestamp": "1"}
        assert await whatsapp.post(statuses=({**item, "biz_opaque_callback_data": names[0]},)) == 200
        assert await shown(service) == [("one", status), ("two", status), ("three", status)]
    assert not await service.db["outbox"].count_documents({"open": True})


async def _is(true: Any) -> bool:
    return bool(true())


async def test_what_is_merged_can_vanish_and_be_found_by_its_own_id(service: Service) -> None:
    """Clearing the chat names the one message that there is; a report without our echo settles it too."""
    names = await crowded(service, ONE, TWO)
    due = await service.outbox.next_due("me")
    assert due and (due.message.text.reveal(), due.joined) == ("one\n\ntwo", 2)
    assert await service.outbox.sending(due)
    await service.outbox.sent(due, Private("wamid.7"))
    await service.db["conversations"].update_one(
        {"_id": "p1"}, {"$set": {"forget_at": service.now(), "forget_since": service.now()}}
    )
    (trace,) = await MongoTraces(service.db, service.sealer, frozenset({"whatsapp"})).due(service.now())
    assert [one.reveal() for one in trace.message_ids] == ["wamid.7"]
    assert await states(service, names) == ["sent", MERGED]


@pytest.mark.parametrize(
    ("second", "fields"),
    [
        (BUTTONS, {}),
        (replace(TWO, speech="hi"), {}),
        (replace(TWO, digits=2), {}),
        (replace(TWO, asks_location=True), {}),
        (replace(TWO, author="asha"), {}),
        (replace(TWO, protected=True), {}),
        (replace(TWO, lane=Lane.CAMPAIGN), {}),
        (OutboundMessage(NOTHING_SAID, template="hello", locale="en"), {}),
        (OutboundMessage(Private("x" * 4092)), {}),
        (OutboundMessage(Private("😀" * 2046)), {}),
        (TWO, {"state": "unknown"}),
        (TWO, {"state": "sending"}),
        (TWO, {"attempts": 1}),
        (TWO, {"doubts": 1}),
        (TWO, {"lesson": "rights:1:en"}),
        (TWO, {"greeting": True}),
        (TWO, {"plain": True}),
    ],
)
async def test_what_is_not_plain_and_untried_stays_apart(
    service: Service, second: OutboundMessage, fields: dict[str, object]
) -> None:
    names = await crowded(service, ONE, second, **fields)
    assert await leaving(service) == "one"
    assert (await states(service, names))[1] == fields.get("state", "waiting")


async def test_up_to_the_limit_they_fit(service: Service) -> None:
    await crowded(service, ONE, OutboundMessage(Private("😀" * 2045)))
    assert await leaving(service) == "one\n\n" + "😀" * 2045


async def test_order_stops_at_the_first_that_stays_apart(service: Service) -> None:
    """What stands behind a question with buttons does not pass it."""
    names = await crowded(service, ONE, TWO, BUTTONS, THREE)
    assert await leaving(service) == "one\n\ntwo"
    assert await states(service, names) == ["waiting", MERGED, "waiting", "waiting"]


@pytest.mark.parametrize(
    "change", [{"state": "unknown"}, {"doubts": 1}, {"author": "responder"}, {"plain": True}, {"crowded": False}]
)
async def test_a_first_that_may_have_arrived_or_is_not_crowded_leaves_alone(
    service: Service, change: dict[str, object]
) -> None:
    names = await crowded(service, ONE, TWO)
    await service.db["outbox"].update_one({"_id": names[0]}, {"$set": change})
    assert await leaving(service) == "one"
    assert (await states(service, names))[1] == "waiting"


async def test_what_comes_while_it_waits_again_joins_too(service: Service) -> None:
    """Refused once more: what was said since joins it; each line keeps its own words; a failure is one of all."""
    names = await crowded(service, ONE, TWO)
    due = await service.outbox.next_due("me")
    assert due and await service.outbox.sending(due)
    await service.outbox.retry(due, 0, "whatsapp:131056", crowded=True)
    names += await queue(service, THREE)
    await later(service)
    due = await service.outbox.next_due("me")
    assert due and (due.message.text.reveal(), due.joined) == ("one\n\ntwo\n\nthree", 3)
    assert await service.outbox.sending(due)
    await service.outbox.failed(due, "whatsapp:131026")
    assert await shown(service) == [("one", "failed"), ("two", "failed"), ("three", "failed")]


async def test_a_sender_whose_lease_has_ended_does_not_send_the_first_alone(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It holds the words of before; another has put more into the row since: they leave together, and once."""
    names = await crowded(service, ONE)
    monkeypatch.setattr(bot.store.outbox, "LEASE_MS", 50)
    stale = await service.outbox.next_due("me")
    await queue(service, TWO)
    await asyncio.sleep(0.1)
    fresh = await service.outbox.next_due("other")
    assert stale and fresh and fresh.id == names[0] and fresh.joined == 2
    assert not await service.outbox.sending(stale)
    assert await service.outbox.sending(fresh)


async def test_silence_drops_all_of_it(service: Service) -> None:
    """Whoever asks for silence once they are put together gets none of them."""
    await crowded(service, ONE, TWO)
    assert await service.outbox.next_due("me")
    await service.db["outbox"].update_many({}, {"$unset": {"lease": ""}})
    await service.db["conversations"].update_one({"_id": "p1"}, {"$set": {"silent": True}})
    assert await service.outbox.next_due("me") is None
    assert await shown(service) == [("one", "dropped"), ("two", "dropped")]


@pytest.mark.parametrize("wish", ["erase_after", "forget_at"])
async def test_nothing_is_put_together_over_a_wish_to_vanish(service: Service, wish: str) -> None:
    await crowded(service, ONE, TWO)
    await service.db["conversations"].update_one({"_id": "p1"}, {"$set": {wish: service.now()}})
    assert await leaving(service) == "one"


async def test_a_cut_in_the_middle_changes_nothing(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    """The database refuses the second half: neither half is there, and the next try puts them together."""
    names = await crowded(service, ONE, TWO)
    put = bot.store.together.MERGED
    await service.db.command({
        "collMod": "outbox", "validator": {"state": {"$ne": put}}, "validationLevel": "strict",
    })  # fmt: skip
    with pytest.raises(OperationFailure):
        await service.outbox.next_due("me")
    row = await service.db["outbox"].find_one({"_id": names[0]})
    assert row and "joined" not in row and await states(service, names) == ["waiting", "waiting"]
    await service.db.command({"collMod": "outbox", "validator": {}})
    await service.db["outbox"].update_many({}, {"$unset": {"lease": ""}})
    assert await leaving(service) == "one\n\ntwo"


@pytest.mark.parametrize("change", [{"state": "dropped", "open": False}, {"state": "sending"}, {"attempts": 1}])
@pytest.mark.parametrize("which", [0, 1])
async def test_a_row_that_changes_meanwhile_leaves_the_other_as_it_was(
    service: Service, monkeypatch: pytest.MonkeyPatch, which: int, change: dict[str, object]
) -> None:
    """Between reading and writing one of them is dropped, or sent by somebody else: nothing is put together."""
    names = await crowded(service, ONE, TWO)
    put = Together._put

    async def late(self: Together, row: Any, others: Any, message: OutboundMessage) -> Any:
        more = {"attempts": 2} if which == 0 and "attempts" in change else change
        await service.db["outbox"].update_one({"_id": names[which]}, {"$set": more})
        return await put(self, row, others, message)

    monkeypatch.setattr(Together, "_put", late)
    assert await leaving(service) == "one"
    rows = await service.db["outbox"].find({}).sort("_id", 1).to_list()
    assert not any("joined" in row or "within" in row for row in rows)
    assert MERGED not in await states(service, names)


async def test_two_processes_put_them_together_once(service: Service) -> None:
    names = await crowded(service, ONE, TWO, THREE)
    other = MongoOutbox(service.db, service.sealer, frozenset({"whatsapp"}))
    found = [due for due in await asyncio.gather(service.outbox.next_due("me"), other.next_due("you")) if due]
    assert [due.message.text.reveal() for due in found] == ["one\n\ntwo\n\nthree"]
    assert await states(service, names) == ["waiting", MERGED, MERGED]
