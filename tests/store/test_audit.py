"""The audit and the histories of cases: whatever is changed, removed, moved or cut off is found."""

from __future__ import annotations

import asyncio
import copy
import random
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from bot.app import Service
from bot.chains import Broken, verify
from bot.chat import Chat
from bot.domain.cases import CaseAction
from bot.domain.private import Private
from bot.ports import Stamp
from bot.running import running
from bot.store.audit import HEAD, HEAD_MADE, HISTORIES_SIGNED, Chain, MongoAudit, _digest, proof
from bot.store.cases import SIGNED
from tests.conftest import NOW

Doc = dict[str, Any]
Lines = list[Doc]
TRIES = 10_000


def edit(lines: Lines, dice: random.Random) -> None:
    line = dice.choice(lines)
    name = dice.choice(["who", "action", "about", "reason", "at", "number", "previous", "digest", "extra"])
    was = line[name]
    if name == "at":
        line[name] = was + timedelta(milliseconds=dice.choice([-1, 1, 60_000]))
    elif name == "number":
        line[name] = was + dice.choice([-1, 1, 100])
    elif name == "extra":
        line[name] = {**was, "x": "y"}
    else:
        line[name] = was + dice.choice("abc0 ")


def delete(lines: Lines, dice: random.Random) -> None:
    del lines[dice.randrange(len(lines))]


def reorder(lines: Lines, dice: random.Random) -> None:
    first, second = dice.sample(range(len(lines)), 2)
    lines[first], lines[second] = lines[second], lines[first]


def truncate(lines: Lines, dice: random.Random) -> None:
    del lines[dice.randrange(len(lines)) :]


def double(lines: Lines, dice: random.Random) -> None:
    lines.insert(dice.randrange(len(lines)), copy.deepcopy(dice.choice(lines)))


def forge(lines: Lines, dice: random.Random) -> None:
    """Somebody with the database and our code, but not the key, changes a line and works the whole chain out anew."""
    dice.choice(lines)["who"] += "x"
    previous = ""
    for line in lines:
        line["previous"] = previous
        line["digest"] = previous = _digest(line)


WAYS: tuple[Callable[[Lines, random.Random], None], ...] = (edit, delete, reorder, truncate, double, forge)


def whole(lines: Lines, head: Doc | None, key: bytes) -> bool:
    chain = Chain(key)
    try:
        for line in lines:
            chain.take(line)
        chain.close(head)
    except ValueError:
        return False
    return True


async def lines_of(service: Service, count: int) -> tuple[Lines, Doc, bytes]:
    for number in range(count):
        stamp = Stamp(f"p{number % 5}", "case read", f"c{number}", "why" * (number % 2), {"n": str(number)})
        await service.audit.record(stamp, NOW + timedelta(seconds=number))
    head = await service.db["meta"].find_one({"_id": HEAD})
    assert head
    rows = await service.db["audit"].find({}, {"_id": 0}).sort("number", 1).to_list()
    return rows, head, service.sealer.derived_key("audit")


async def test_ten_thousand_tamperings_are_all_found(service: Service) -> None:
    """F18, G19: lines as they were really written; an untouched chain is whole before and after."""
    lines, head, key = await lines_of(service, 24)
    assert whole(lines, head, key)
    dice, missed = random.Random(18), []
    for number in range(TRIES):
        way = WAYS[number % len(WAYS)]
        changed = copy.deepcopy(lines)
        way(changed, dice)
        if changed != lines and whole(changed, head, key):
            missed.append(way.__name__)
    assert missed == []
    assert whole(lines, head, key)


async def test_the_head_cannot_be_made_without_the_key(service: Service) -> None:
    lines, _, key = await lines_of(service, 4)
    short = lines[:2]
    last = short[-1]["digest"]
    assert whole(short, {"number": 2, "digest": last, "mac": proof(key, 2, last)}, key)
    for head in (None, {"number": 2, "digest": last, "mac": proof(b"another key", 2, last)}):
        assert not whole(short, head, key)


async def test_tampering_in_the_real_database_is_found(service: Service) -> None:
    """Each way once, in MongoDB; the last lines cut off, then the head removed and made anew: that stands in the audit."""
    await lines_of(service, 8)
    audit, rows, meta = service.audit, service.db["audit"], service.db["meta"]
    assert await audit.verify() == 8
    kept = await rows.find({}).sort("number", 1).to_list()
    await rows.update_one({"number": 3}, {"$set": {"about": "c99"}})
    with pytest.raises(ValueError, match="line 3"):
        await audit.verify()
    await rows.replace_one({"number": 3}, kept[2])
    await rows.delete_many({"number": {"$gt": 6}})
    with pytest.raises(ValueError, match="line 7 was cut off"):
        await audit.verify()
    await meta.delete_one({"_id": HEAD})
    with pytest.raises(ValueError, match="head"):
        await audit.verify()
    await audit.record(Stamp("asha", "login"), NOW)
    assert [line["action"] for line in await audit.latest(2)] == ["login", HEAD_MADE]
    await rows.insert_one({**kept[6], "number": 9})
    with pytest.raises(ValueError, match="line 9"):
        await audit.verify()


async def test_many_who_write_at_once_make_one_chain(service: Service) -> None:
    other = MongoAudit(service.db, service.sealer.derived_key("audit"))
    await asyncio.gather(
        *(audit.record(Stamp(f"p{n}", "x"), NOW) for n in range(20) for audit in (service.audit, other))
    )
    assert await service.audit.verify() == 40


async def test_a_clock_set_back_is_pointed_out(service: Service) -> None:
    for at in (NOW, NOW + timedelta(hours=1), NOW + timedelta(minutes=59, seconds=30), NOW, NOW + timedelta(hours=2)):
        await service.audit.record(Stamp("asha", "case read"), at)
    assert (await service.audit.chain()).set_back == [4]


async def test_a_history_that_was_cut_off_is_found(service: Service) -> None:
    """A case's last lines removed, or a line forged with a chain worked out anew; the command says where."""
    chat = Chat(service)
    async with running(service, chat.on_turn):
        turn, _ = await chat.say("please help me, they locked me in a room")
    case = turn.conversation.open_case
    for text in ("one", "two"):
        await service.cases.act(case, CaseAction.NOTE, "asha", service.now(), detail=Private(text))
    told = [line async for line in verify(service, "0:")]
    assert told[-1] == "cases: 1 of 1 histories whole"
    noted = f"1:{'0' * 64}"
    with pytest.raises(Broken):
        [line async for line in verify(service, noted)]
    events = service.db["case_events"]
    last = await events.find_one({"case": case}, sort=[("number", -1)])
    assert last
    await events.delete_one({"_id": last["_id"]})
    assert await service.cases.broken_at(case) == last["number"]
    with pytest.raises(Broken, match="1 chains"):
        [line async for line in verify(service)]
    await events.delete_many({"case": case})
    assert await service.cases.broken_at(case) == 1


async def test_a_removed_proof_of_the_end_is_found(service: Service) -> None:
    """It stands for an old case only until all old cases were signed, once; a second signing is a problem."""
    chat = Chat(service)
    async with running(service, chat.on_turn):
        turn, _ = await chat.say("please help me, they locked me in a room")
    case, cases = turn.conversation.open_case, service.db["cases"]
    await cases.update_one({"_id": case}, {"$unset": {"chain": ""}})
    assert not await service.cases.prepare()
    assert await service.cases.broken_at(case) == await service.db["case_events"].count_documents({"case": case}) + 1
    for times in (1, 2):
        await service.db["meta"].delete_one({"_id": SIGNED})
        await cases.update_one({"_id": case}, {"$unset": {"chain": ""}})
        assert await service.cases.prepare()
        assert await service.cases.broken_at(case) is None
        await service.audit.record(Stamp("audit", HISTORIES_SIGNED), service.now())
        if times == 1:
            assert [line async for line in verify(service)]
    with pytest.raises(Broken, match="1 chains"):
        [line async for line in verify(service)]


async def test_a_head_made_anew_twice_is_a_problem(service: Service) -> None:
    await service.audit.record(Stamp("asha", "login"), NOW)
    for _ in range(2):
        assert (await service.audit.chain()).made_anew == []
        await service.db["meta"].delete_one({"_id": HEAD})
        await service.audit.record(Stamp("asha", "login"), NOW)
    with pytest.raises(Broken, match="1 chains"):
        [line async for line in verify(service)]
