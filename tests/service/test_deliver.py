"""What a refused send leads to: who waits how long, what is given up, and when an operator hears of it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from bot.app import Service
from bot.config import Config
from bot.domain.messages import Address, ChannelName, Lane, OutboundMessage, Receipt, ReceiptState
from bot.domain.private import NOTHING_SAID, Private
from bot.ports import Channel, ChannelError, Due, Hold
from bot.service.deliver import LOOK_AGAIN, MOST_TRIES, TRIES_FOR_OPERATOR, Deliverer
from bot.store.history import Writer
from bot.store.standings import MongoStandings
from tests.cloud import DISTRESS, Cloud, cloud, until

TO = Address(ChannelName.WHATSAPP, Private("910000000001"))


class OneRow:
    """An outbox with one row that is due, and what became of it."""

    def __init__(self, attempts: int, lane: Lane = Lane.REPLY, name: str = "c:1:0", template: str = "") -> None:
        self.due = Due(name, "c", TO, OutboundMessage(Private("x"), lane=lane, template=template), attempts)
        self.outcome = ""
        self.seconds = 0.0

    async def next_due(self, owner: str, resting: frozenset[ChannelName] = frozenset()) -> Due | None:
        return self.due

    async def renew(self, due: Due, owner: str) -> bool:
        return True

    async def put_back(self, due: Due) -> None:
        self.outcome = "put back"

    async def put_off(self, due: Due, seconds: float) -> None:
        self.outcome, self.seconds = "put off", seconds

    async def unreachable(self, due: Due, reason: str) -> None:
        self.outcome = "unreachable"

    async def sending(self, due: Due) -> bool:
        return True

    async def sent(self, due: Due, channel_message_id: Private) -> None:
        self.outcome = "sent"

    async def retry(self, due: Due, seconds: float, reason: str, *, crowded: bool = False) -> None:
        self.outcome, self.seconds = "retry", seconds

    async def unknown(self, due: Due, reason: str) -> None:
        self.outcome = "unknown"

    async def failed(self, due: Due, reason: str) -> None:
        self.outcome = "failed"

    async def dropped(self, due: Due, reason: str) -> None:
        self.outcome = "dropped"

    async def spoken_since(self, due: Due) -> bool:
        return False

    async def receipt(self, receipt: Receipt) -> bool:
        return True


class Unhurried:
    """Never makes anybody wait, and notes who is to be left in peace."""

    def __init__(self) -> None:
        self.paused: list[str] = []
        self.seconds = 0.0

    async def take(self, due: Due) -> Hold | None:
        return None

    async def pause(self, due: Due, scope: str, seconds: float) -> None:
        self.paused.append(scope)
        self.seconds = seconds


class Refuses:
    """A channel that says no."""

    name = ChannelName.WHATSAPP

    def __init__(self, error: ChannelError) -> None:
        self.error = error

    async def send(self, address: Address, message: OutboundMessage, outbox_id: str) -> Private:
        raise self.error

    async def forget(self, address: Address, message_ids: object) -> None:
        return


async def refused(error: ChannelError, attempts: int = 0, name: str = "c:1:0") -> OneRow:
    row = OneRow(attempts, name=name)
    channels: dict[ChannelName, Channel] = {ChannelName.WHATSAPP: Refuses(error)}
    pacer = Unhurried()
    assert await Deliverer(row, channels, pacer, "me", lambda: 0.0).work()
    assert pacer.paused == ([error.pause] if error.pause and row.outcome == "retry" else [])
    return row


async def test_one_persons_pause_grows_by_powers_of_four() -> None:
    """D3: 1, 4, 16 s …, and not for ever longer."""
    pair = ChannelError("whatsapp:131056", retryable=True, pause="address")
    assert [(await refused(pair, attempts)).seconds for attempts in range(6)] == [1, 4, 16, 64, 256, 256]
    telegram = ChannelError("telegram:429", retryable=True, pause="address", retry_after=30)
    assert (await refused(telegram)).seconds == 30


async def test_everybodys_pause_differs_a_little() -> None:
    """D4: at least what the platform asks; not all rows at the same moment."""
    throttled = ChannelError("whatsapp:130429", retryable=True, pause="account", retry_after=5)
    seconds = {(await refused(throttled, 3, f"c:{number}:0")).seconds for number in range(20)}
    assert min(seconds) >= 10 and max(seconds) <= 12.5 and len(seconds) > 5
    assert (await refused(throttled)).seconds == 5


async def paused(error: ChannelError, attempts: int, template: str = "") -> tuple[OneRow, Unhurried]:
    """What one row's refusal leads to for itself, and for everybody."""
    row, pacer = OneRow(attempts, template=template), Unhurried()
    channels: dict[ChannelName, Channel] = {ChannelName.WHATSAPP: Refuses(error)}
    assert await Deliverer(row, channels, pacer, "me", lambda: 0.0).work()
    return row, pacer


@pytest.mark.parametrize(("asked", "pause"), [(0.0, 1.0), (5.0, 5.0), (60.0, 60.0), (300.0, 120.0)])
async def test_everybody_waits_only_as_long_as_the_platform_asks(asked: float, pause: float) -> None:
    """A row that was refused often waits for minutes; the others do not wait for it."""
    error = ChannelError("whatsapp:130429", retryable=True, pause="account", retry_after=asked)
    row, pacer = await paused(error, 9)
    assert row.seconds >= 300
    assert (pacer.paused, pacer.seconds) == (["account"], pause)


async def test_a_template_that_is_refused_stops_nobody_else() -> None:
    unpaid = ChannelError("whatsapp:131042", retryable=True, account=True, pause="account", retry_after=60)
    row, pacer = await paused(unpaid, 0, template="hello")
    assert (row.outcome, pacer.paused) == ("retry", [])
    throttled = ChannelError("whatsapp:130429", retryable=True, pause="account", retry_after=5)
    assert (await paused(throttled, 0, template="hello"))[1].paused == ["account"]


async def test_what_an_operator_must_mend_is_kept_for_days() -> None:
    """D7: anything else is given up after its tries."""
    fault = ChannelError("whatsapp:190", retryable=True, account=True, pause="account", retry_after=60)
    passing = ChannelError("whatsapp:500", retryable=True)
    assert (await refused(fault, MOST_TRIES)).outcome == "retry"
    assert (await refused(fault, TRIES_FOR_OPERATOR)).outcome == "failed"
    assert (await refused(passing, MOST_TRIES)).outcome == "failed"
    assert TRIES_FOR_OPERATOR * 300 >= 7 * 86400


async def test_what_may_have_arrived_is_never_simply_sent_again() -> None:
    doubt = ChannelError("whatsapp:in_doubt", retryable=True, unknown=True)
    assert (await refused(doubt)).outcome == "unknown"


class Silent:
    """WhatsApp takes the bytes and never answers."""

    name = ChannelName.WHATSAPP

    def __init__(self) -> None:
        self.copies = 0

    async def send(self, address: Address, message: OutboundMessage, outbox_id: str) -> Private:
        self.copies += 1
        raise ChannelError("whatsapp:in_doubt", retryable=True, unknown=True)

    async def forget(self, address: Address, message_ids: object) -> None:
        return


async def test_two_copies_at_most_of_what_may_have_arrived(service: Service) -> None:
    """Again after a minute, then ten minutes for a receipt, then it is given up and the case counts it."""
    to = await service.sealer.seal("p1", "address:p1", {"address": TO.value.reveal()})
    await service.db["conversations"].insert_one({"_id": "p1", "version": 1, "address": to})
    await service.db["cases"].insert_one({"_id": "k", "conversation": "p1", "open": True, "undelivered": 0})
    writer, rows = Writer(service.db, service.sealer, ()), service.db["outbox"]
    said = OutboundMessage(Private("112"), lane=Lane.DISTRESS)
    await rows.insert_one(await writer.outbox_row("p1:1:0", "p1", "whatsapp", said, service.now()))
    service.outbox._channels = ["whatsapp"]
    silent, waits = Silent(), []
    deliverer = Deliverer(service.outbox, {ChannelName.WHATSAPP: silent}, Unhurried(), "me", lambda: 0.0)
    for _ in range(2):
        assert await deliverer.work()
        row = await rows.find_one({"_id": "p1:1:0"})
        assert row and row["state"] == "unknown"
        waits.append(round((row["not_before"] - service.now()).total_seconds(), -1))
        await rows.update_one({"_id": row["_id"]}, {"$set": {"not_before": service.now()}})
    await asyncio.sleep(0.01)
    assert await deliverer.work()
    row, case = await rows.find_one({"_id": "p1:1:0"}), await service.db["cases"].find_one({"_id": "k"})
    assert row and case
    assert (silent.copies, waits, row["state"], case["undelivered"]) == (2, [60, 600], "failed", 1)


async def test_what_came_back_meanwhile_is_not_closed_as_sent(service: Service) -> None:
    """A receipt gives the message up before its sender has written that it was sent: it stays open for the next try."""
    to = await service.sealer.seal("p1", "address:p1", {"address": TO.value.reveal()})
    await service.db["conversations"].insert_one({"_id": "p1", "version": 1, "address": to})
    writer, rows = Writer(service.db, service.sealer, ()), service.db["outbox"]
    said = OutboundMessage(Private("hello"))
    await rows.insert_one(await writer.outbox_row("p1:1:0", "p1", "whatsapp", said, service.now()))
    service.outbox._channels = ["whatsapp"]
    due = await service.outbox.next_due("me")
    assert due and await service.outbox.sending(due)
    failed = Receipt(ChannelName.WHATSAPP, Private("w"), ReceiptState.FAILED, service.now(), "p1:1:0", again=0)
    assert await service.outbox.receipt(failed)
    await service.outbox.sent(due, Private("w"))
    row = await rows.find_one({"_id": "p1:1:0"})
    assert row and (row["state"], row["open"]) == ("waiting", True)


async def test_a_late_receipt_does_not_shut_a_window_that_was_opened_since(service: Service) -> None:
    """The message met a closed window; the person wrote before the receipt came."""
    now = service.now()
    for name, heard in (("p1", now), ("p2", now - timedelta(hours=5))):
        await service.db["conversations"].insert_one({"_id": name, "version": 1, "heard_at": heard})
        row = {"_id": f"{name}:1:0", "conversation": name, "state": "sent", "open": False, "attempts": 1, "lane": 1}
        await service.db["outbox"].insert_one({**row, "created_at": now, "sending_at": now - timedelta(hours=1)})
        closed = Receipt(ChannelName.WHATSAPP, Private(name), ReceiptState.FAILED, now, f"{name}:1:0", closed=True)
        assert await service.outbox.receipt(closed)
    kept = {row["_id"]: row["heard_at"] async for row in service.db["conversations"].find({})}
    assert abs(kept["p1"] - now) < timedelta(seconds=1)
    assert kept["p2"] <= now - timedelta(hours=24)


@pytest.fixture
async def whatsapp(config: Config, mongodb_uri: str) -> AsyncIterator[Cloud]:
    async with cloud(config, mongodb_uri, alert_webhook_url="http://127.0.0.1:9/page") as found:
        yield found


async def test_a_dead_token_pages_the_operator_once_and_loses_nothing(whatsapp: Cloud) -> None:
    """D7: the page is there at once; the row waits, is sent when the token works, and is not sent twice.

    Meanwhile all processes know that the channel refuses us.
    """
    whatsapp.platform.answers += [(401, {"error": {"code": 190}})] * 2
    alerts, rows = whatsapp.service.db["alerts"], whatsapp.service.db["outbox"]
    assert await whatsapp.post(whatsapp.item("text", {"body": DISTRESS})) == 200

    async def both() -> bool:
        """Nobody waits here for what the account's pause asks."""
        await whatsapp.service.db["pace"].delete_many({})
        await rows.update_many({"open": True}, {"$set": {"not_before": whatsapp.service.now()}})
        return len(whatsapp.platform.calls) >= 3

    standings = MongoStandings(whatsapp.service.db)

    async def refused() -> bool:
        await standings.refresh()
        return standings.refused == {ChannelName.WHATSAPP}

    await until(refused)
    await until(both)
    pages = await alerts.find({"kind": "channel_fault"}).to_list()
    assert [(page["channel"], page["source"], page["values"]["reason"]) for page in pages] == [
        ("webhook", "whatsapp", "whatsapp:190")
    ]

    async def sent() -> bool:
        return not await rows.count_documents({"open": True})

    await until(sent)
    await standings.refresh()
    assert standings.refused == whatsapp.service.standings.refused == frozenset()
    texts = whatsapp.words()
    assert texts[0] == texts[1] == texts[2]
    assert len(set(texts[2:])) == len(texts[2:])


async def test_a_bad_template_is_a_dead_letter_with_an_alarm(whatsapp: Cloud) -> None:
    """D19: 132015 is not tried again; an operator hears of it."""
    await whatsapp.tap("l:en")
    await whatsapp.say(DISTRESS)
    case = await whatsapp.case()
    whatsapp.platform.answers.append((400, {"error": {"code": 132015}}))
    template = OutboundMessage(NOTHING_SAID, template="hello", locale="en")
    row = await whatsapp.service.db["outbox"].find_one({}, sort=[("_id", -1)])
    assert row
    due = Due(f"{row['_id']}:x", case.conversation_id, TO, template)
    with pytest.raises(ChannelError) as refusal:
        await whatsapp.service.channels[ChannelName.WHATSAPP].send(TO, template, due.id)
    assert (refusal.value.retryable, refusal.value.alarm) == (False, True)
    assert await whatsapp.service.operator.tell(ChannelName.WHATSAPP, refusal.value.reason) == 1
    assert await whatsapp.service.operator.tell(ChannelName.WHATSAPP, refusal.value.reason) == 0


async def test_a_report_settles_a_send_in_doubt(whatsapp: Cloud) -> None:
    """D10, D11: no answer came; the platform's report under our own id says that it arrived, and it is not sent again."""
    whatsapp.platform.answers += [(200, "<html>")]
    rows = whatsapp.service.db["outbox"]
    assert await whatsapp.post(whatsapp.item("text", {"body": "hello"})) == 200

    async def in_doubt() -> bool:
        return await rows.count_documents({"state": "unknown"}) == 1

    await until(in_doubt)
    doubtful = await rows.find_one({"state": "unknown"})
    assert doubtful
    status = {"id": "wamid.other", "status": "delivered", "timestamp": "1", "biz_opaque_callback_data": doubtful["_id"]}
    assert await whatsapp.post(statuses=(status,)) == 200
    await whatsapp.settled()
    found = await rows.find_one({"_id": doubtful["_id"]})
    assert found and (found["state"], found["open"]) == ("delivered", False)
    assert whatsapp.platform.copies()[doubtful["_id"]] == 1


async def test_a_report_that_comes_before_the_answer_counts(whatsapp: Cloud) -> None:
    """D13: the platform tells that it was read before it has answered the call."""

    async def early(body: dict[str, object]) -> None:
        whatsapp.platform.before_answer = None
        status = {"id": "wamid.x", "status": "read", "timestamp": "1"}
        done = await whatsapp.post(statuses=({**status, "biz_opaque_callback_data": body["biz_opaque_callback_data"]},))
        assert done == 200

    whatsapp.platform.before_answer = early
    await whatsapp.tap("l:en")
    await whatsapp.settled()
    first = await whatsapp.service.db["outbox"].find_one({}, sort=[("_id", 1)])
    assert first and first["state"] == "read"


async def test_who_may_not_be_written_to_first_today_waits_and_an_operator_hears_of_it_once(whatsapp: Cloud) -> None:
    """It looks again soon, for the person may write meanwhile; the platform is not asked in vain."""
    service, row = whatsapp.service, OneRow(0, template="hello")

    class Full(Unhurried):
        async def take(self, due: Due) -> Hold | None:
            return Hold("tomorrow", 80_000, 250)

    deliverer = Deliverer(row, {}, Full(), "o", lambda: 1.0, operator=service.operator)
    for _ in range(3):
        assert await deliverer.work()
    assert (row.outcome, row.seconds) == ("put off", LOOK_AGAIN)
    pages = await service.db["alerts"].find({"kind": "people_a_day"}).to_list()
    assert [(page["channel"], page["values"]["limit"]) for page in pages] == [("webhook", "250")]
