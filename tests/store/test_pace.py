"""The pace is one for all processes, keeps room for danger, and obeys a platform that asks for silence."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import timedelta

from bot.app import Service
from bot.domain.messages import Address, ChannelName, Lane, OutboundMessage, Receipt, ReceiptState
from bot.domain.pace import Limit, Pace
from bot.domain.private import Private
from bot.ports import Channel, ChannelError, Due
from bot.service.deliver import Deliverer
from bot.store.history import Writer
from bot.store.mongo import prepare
from bot.store.pace import MongoPace

SLOW = Limit(60_000, 4, 2)
WIDE = Limit(1, 10_000)


def due(person: str, lane: Lane = Lane.REPLY) -> Due:
    to = Address(ChannelName.TELEGRAM, Private(person))
    return Due(f"{person}:1", person, to, OutboundMessage(Private("hello"), lane=lane))


def pace(service: Service, account: Limit, contact: Limit) -> MongoPace:
    return MongoPace(service.db, {ChannelName.TELEGRAM: Pace(account, contact)})


async def test_two_processes_share_one_burst_and_danger_has_its_own(service: Service) -> None:
    one, other = pace(service, SLOW, WIDE), pace(service, SLOW, WIDE)
    asked = [await pacer.take(due(f"p{number}")) for number, pacer in enumerate((one, other, one, other))]
    assert asked[:2] == [None, None]
    assert [hold.scope for hold in asked[2:] if hold] == ["account", "account"]
    assert asked[2]
    assert 50 < asked[2].seconds <= 60
    assert [await other.take(due("p9", Lane.DISTRESS)) for _ in range(2)] == [None, None]
    assert await one.take(due("p9", Lane.DISTRESS))


async def test_at_once_from_many_no_more_than_the_burst_leaves(service: Service) -> None:
    """Forty in parallel from two processes: the first row is made once, and counts every one."""
    pacers = (pace(service, SLOW, WIDE), pace(service, SLOW, WIDE))
    asked = await asyncio.gather(*(pacers[number % 2].take(due(f"p{number}")) for number in range(40)))
    assert sum(hold is None for hold in asked) == 2


async def test_who_must_wait_takes_nothing_from_the_others(service: Service) -> None:
    pacer = pace(service, SLOW, Limit(60_000, 1))
    assert await pacer.take(due("p1")) is None
    hold = await pacer.take(due("p1"))
    assert hold
    assert hold.scope == "address"
    assert await pacer.take(due("p2")) is None
    assert await pacer.take(due("p3"))


async def test_a_pause_holds_one_contact_or_all(service: Service) -> None:
    """Danger too: what is sent while a platform asks for silence is thrown away there."""
    pacer = pace(service, WIDE, WIDE)
    await pacer.pause(due("p1"), "address", 30)
    held = await pacer.take(due("p1", Lane.DISTRESS))
    assert held
    assert 20 < held.seconds <= 30
    assert await pacer.take(due("p2")) is None
    await pacer.pause(due("p1"), "account", 30)
    assert await pacer.take(due("p2", Lane.DISTRESS))


class Platform:
    """A channel that keeps what it was sent, and refuses once who is on the list."""

    name = ChannelName.TELEGRAM

    def __init__(self, refused: dict[str, ChannelError] | None = None) -> None:
        self.sent: list[tuple[str, str]] = []
        self.refused = refused or {}

    async def send(self, address: Address, message: OutboundMessage, outbox_id: str) -> Private:
        if error := self.refused.pop(address.value.reveal(), None):
            raise error
        self.sent.append((address.value.reveal(), message.text.reveal()))
        return Private(outbox_id)

    async def forget(self, address: Address, message_ids: Sequence[Private]) -> None:
        """Nothing to delete."""


async def commit(service: Service, person: str, texts: Sequence[str], lane: Lane = Lane.REPLY) -> None:
    """Queue messages to a person as one more version of the conversation."""
    address = await service.sealer.seal(person, f"address:{person}", {"address": person})
    row = await service.db["conversations"].find_one_and_update(
        {"_id": person}, {"$set": {"address": address}, "$inc": {"version": 1}}, upsert=True, return_document=True
    )
    assert row
    said = [OutboundMessage(Private(text), lane=lane) for text in texts]
    async with service.db.client.start_session() as session, await session.start_transaction():
        writer = Writer(service.db, service.sealer, ())
        await writer.outbox(person, "telegram", row["version"], said, service.now(), session)


async def drain(service: Service, platform: Channel, pacer: MongoPace) -> None:
    service.outbox._channels = ["telegram"]
    deliverer = Deliverer(service.outbox, {ChannelName.TELEGRAM: platform}, pacer, "o", lambda: 0.0)
    while await deliverer.work():
        pass


async def test_one_person_s_long_queue_hides_nobody(service: Service) -> None:
    """More wait behind one contact's pace than are looked at together."""
    await commit(service, "p1", [str(number) for number in range(80)])
    await commit(service, "p2", ["hello"])
    platform = Platform()
    await drain(service, platform, pace(service, WIDE, Limit(60_000, 3)))
    assert platform.sent == [("p1", "0"), ("p1", "1"), ("p1", "2"), ("p2", "hello")]


async def test_danger_overtakes_what_waits_for_the_same_person(service: Service) -> None:
    await commit(service, "p1", ["1", "2", "3"])
    await commit(service, "p1", ["112", "1098"], Lane.DISTRESS)
    await commit(service, "p1", ["lesson"], Lane.CAMPAIGN)
    platform = Platform()
    await drain(service, platform, pace(service, WIDE, WIDE))
    assert [text for _, text in platform.sent] == ["112", "1098", "1", "2", "3", "lesson"]


async def test_a_resting_account_still_sends_what_danger_needs(service: Service) -> None:
    await commit(service, "p1", ["1", "2", "3", "4"])
    await commit(service, "p2", ["112"], Lane.DISTRESS)
    platform = Platform()
    pacer = pace(service, SLOW, WIDE)
    service.outbox._channels = ["telegram"]
    deliverer = Deliverer(service.outbox, {ChannelName.TELEGRAM: platform}, pacer, "o", lambda: 0.0)
    while await deliverer.work():
        pass
    assert [text for _, text in platform.sent] == ["112", "1"]
    assert 0 < deliverer.nap(100.0) <= 60
    await commit(service, "p3", ["1098"], Lane.DISTRESS)
    assert await deliverer.work()
    assert platform.sent[-1] == ("p3", "1098")


async def test_a_platform_that_asks_one_contact_to_wait_holds_up_only_that_one(service: Service) -> None:
    await commit(service, "p1", ["1", "2"])
    await commit(service, "p2", ["hello"])
    slow = ChannelError("telegram:429", retryable=True, retry_after=30, pause="address")
    platform = Platform({"p1": slow})
    await drain(service, platform, pace(service, WIDE, WIDE))
    assert platform.sent == [("p2", "hello")]
    row = await service.db["outbox"].find_one({"conversation": "p1"}, sort=[("_id", 1)])
    assert row
    assert row["attempts"] == 1


async def test_a_platform_that_asks_us_all_to_wait_is_left_alone(service: Service) -> None:
    for person in ("p1", "p2", "p3"):
        await commit(service, person, ["hello"])
    busy = ChannelError("telegram:429", retryable=True, retry_after=30, pause="account")
    platform = Platform({"p1": busy})
    await drain(service, platform, pace(service, WIDE, WIDE))
    assert platform.sent == []


async def test_whoever_waits_for_a_receipt_or_a_second_try_hides_nobody(service: Service) -> None:
    """More wait behind two rows that are in doubt or refused than are looked at together; they wait with them."""
    for person in ("p1", "p2"):
        await commit(service, person, [str(number) for number in range(60)])
    await commit(service, "p3", ["hello"])
    doubt = ChannelError("telegram:timeout", retryable=True, unknown=True)
    platform = Platform({"p1": doubt, "p2": ChannelError("telegram:502", retryable=True)})
    await drain(service, platform, pace(service, WIDE, WIDE))
    assert platform.sent == [("p3", "hello")]
    due = {"open": True, "not_before": {"$lte": service.now()}}
    assert not await service.db["outbox"].count_documents(due)


async def test_blocked_conversations_are_passed_over_page_by_page(service: Service) -> None:
    """Their first rows wait though nothing has pushed the others back: as after a late failed receipt."""
    for person in ("p1", "p2", "p3"):
        await commit(service, person, [str(number) for number in range(60)])
        first = await service.db["outbox"].find_one({"conversation": person}, sort=[("_id", 1)])
        assert first
        later = service.now() + timedelta(hours=1)
        await service.db["outbox"].update_one({"_id": first["_id"]}, {"$set": {"not_before": later}})
    await commit(service, "p4", ["hello"])
    platform = Platform()
    await drain(service, platform, pace(service, WIDE, WIDE))
    assert platform.sent == [("p4", "hello")]


async def test_a_receipt_that_settles_the_first_lets_the_others_go(service: Service) -> None:
    await commit(service, "p1", ["1", "2"])
    platform = Platform({"p1": ChannelError("telegram:timeout", retryable=True, unknown=True)})
    await drain(service, platform, pace(service, WIDE, WIDE))
    assert platform.sent == []
    first = await service.db["outbox"].find_one({"state": "unknown"})
    assert first
    receipt = Receipt(ChannelName.TELEGRAM, Private("x"), ReceiptState.SENT, service.now(), first["_id"])
    assert await service.outbox.receipt(receipt)
    await drain(service, platform, pace(service, WIDE, WIDE))
    assert platform.sent == [("p1", "2")]


async def test_the_queue_is_read_in_order_from_its_index(service: Service) -> None:
    """Nothing is sorted in memory, however many rows were ever sent."""
    query = {"open": True, "channel": {"$in": ["telegram"]}}
    found = service.db["outbox"].find(query).sort([("lane", 1), ("created_at", 1), ("_id", 1)]).limit(50)
    plan = str((await found.explain())["queryPlanner"]["winningPlan"])
    assert "open_in_order" in plan
    assert "SORT" not in plan.replace("SORT_MERGE", "")


async def test_whoever_looks_for_danger_or_at_another_channel_passes_no_row(service: Service) -> None:
    """However long one channel's queue is: its own answers to a plain look, nothing to any other."""
    for number in range(60):
        await commit(service, f"p{number}", ["1", "2"])
    mine, other = service.outbox.of(ChannelName.TELEGRAM), service.outbox.of(ChannelName.WHATSAPP)
    resting = frozenset({ChannelName.TELEGRAM})
    for outbox, query, seen in ((mine, mine._due(frozenset()), 50), (mine, mine._due(resting), 0),
                                (other, other._due(frozenset()), 0)):  # fmt: skip
        order = [("lane", 1), ("created_at", 1), ("_id", 1)]
        found = await outbox._rows.find(query).sort(order).limit(50).explain()
        assert found["executionStats"]["totalDocsExamined"] == seen


async def test_an_index_of_another_shape_gives_way_at_startup(service: Service) -> None:
    """An earlier version's, one under the same name, and one with the same keys; a second start changes nothing."""
    rows = service.db["outbox"]
    await rows.drop_index("open_in_order")
    await rows.create_index([("open", 1), ("lane", 1), ("created_at", 1)])
    await rows.create_index([("open", 1), ("lane", 1)], name="open_in_order")
    await rows.drop_index("receipt_1")
    await rows.create_index([("receipt", 1)], name="receipt_1", sparse=True)
    for _ in range(2):
        await prepare(service.db)
        found = await rows.index_information()
        assert len(found["open_in_order"]["key"]) == 5
        assert "sparse" not in found["receipt_1"]
        assert "open_1_lane_1_created_at_1" not in found


async def test_lessons_and_notes_are_dropped_when_late_or_a_case_is_open(service: Service) -> None:
    """One of two days ago, one to somebody in trouble, one that may leave: in one go."""
    for person in ("p1", "p2", "p3"):
        await commit(service, person, ["lesson"], Lane.CAMPAIGN)
    rows = service.db["outbox"]
    await rows.update_many({"conversation": "p1"}, {"$set": {"created_at": service.now() - timedelta(hours=49)}})
    await service.db["cases"].insert_one({"_id": "k", "conversation": "p2", "open": True})
    platform = Platform()
    await drain(service, platform, pace(service, WIDE, WIDE))
    assert platform.sent == [("p3", "lesson")]
    assert {row["conversation"]: row["state"] async for row in rows.find({})} == {
        "p1": "dropped", "p2": "dropped", "p3": "sent",
    }  # fmt: skip
