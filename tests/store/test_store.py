"""What the database holds and keeps: nothing readable, nothing after erasing, receipts only forward, clocks that climb."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import resource
import stat
import sys
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from bot.app import Service, utc_now
from bot.chat import Chat
from bot.domain.messages import Address, Carrier, ChannelName, InboundMessage, Receipt, ReceiptState
from bot.domain.private import Private
from bot.logs import JsonLines, redact
from bot.ports import Alert, ChannelError
from bot.running import running
from bot.store.clock import boot_seconds
from bot.store.sealed import KeyFileError, Unreadable, load_keys
from bot.store.spool import FileSpool

CANARY = "canary-सुनीता-9876512345"
ADDRESS = "919876512345"


async def everything_stored(service: Service) -> bytes:
    """Every byte of every document, as the server holds it."""
    found = []
    for name in await service.db.list_collection_names():
        async for row in service.db[name].find({}):
            found.append(repr(row).encode())
    return b"\n".join(found)


def message(text: str, number: int = 1) -> InboundMessage:
    now = utc_now()
    key = f"whatsapp:1:wamid.{ADDRESS}{number}"
    return InboundMessage(key, Address(ChannelName.TERMINAL, Private(ADDRESS)), Carrier.TEXT, Private(text), now, now)


async def answered(service: Service, count: int) -> None:
    async with asyncio.timeout(20):
        while await service.db["inbox"].count_documents({"state": "answered"}) < count:
            await asyncio.sleep(0.05)


async def test_a_dump_holds_no_canary(service: Service, caplog: pytest.LogCaptureFixture) -> None:
    """I1, I9: address, words, names of the files and ids: none of them can be read in the database or in the log."""
    caplog.set_level(logging.DEBUG)
    async with running(service):
        await service.receiver.receive(message(f"bachao {CANARY} kamre me band kar diya"))
        await answered(service, 1)
    (case,) = await service.cases.queue()
    claimed = await service.respond.claim(case, "asha")
    await service.respond.reply(claimed, "asha", f"reply {CANARY}", "k1")
    await service.respond.note(claimed, "asha", f"note {CANARY}")
    dump = await everything_stored(service)
    for secret in (CANARY, ADDRESS, "bachao", "9876512345"):
        assert secret.encode() not in dump
        assert repr(secret)[1:-1].encode() not in dump
        assert secret not in caplog.text
    lines = await service.cases.transcript(case.conversation_id)
    assert any(CANARY in line.text.reveal() for line in lines)


async def test_delete_my_data_destroys_the_key(service: Service) -> None:
    """I6: after the farewell nothing of the conversation can be read; whoever writes again starts anew."""
    chat = Chat(service)
    async with running(service, chat.on_turn):
        await chat.say("", "l:en")
        await chat.say(f"my name is {CANARY}")
        before = await service.db["inbox"].find({}).to_list()
        _, asked = await chat.say("delete my data")
        assert next(choice.id for choice in asked[0].choices) == "c:delete_yes"
        await chat.say("", "c:delete_yes")
        async with asyncio.timeout(20):
            while await service.db["conversations"].count_documents({}):
                await asyncio.sleep(0.1)
        await asyncio.sleep(1.2)
        for row in before:
            with pytest.raises(Unreadable):
                await service.sealer.open(f"inbox:{row['_id']}", row["sealed"])
        assert await service.db["outbox"].count_documents({}) == 0
        assert await service.db["inbox"].count_documents({"sealed": {"$exists": True}}) == 0
        turn, _ = await chat.say("hello again")
    assert turn.conversation.locale == ""


async def test_a_message_during_erasure_is_not_lost(service: Service) -> None:
    """Danger that is written right after "delete" opens its case; erasing waits until the case is closed."""
    chat = Chat(service)
    async with running(service, chat.on_turn):
        await chat.say("", "l:en")
        await chat.say("", "c:delete_yes")
        turn, said = await chat.say("please help me they locked me in")
        await asyncio.sleep(4)
        (case,) = await service.cases.queue()
        assert case.id == turn.conversation.open_case and said
        assert any("locked" in line.text.reveal() for line in await service.cases.transcript(case.conversation_id))


async def test_ciphertext_moved_elsewhere_is_refused(service: Service) -> None:
    """I2."""
    sealed = await service.sealer.seal("a", "place:1", {"x": 1})
    assert await service.sealer.open("place:1", sealed) == {"x": 1}
    with pytest.raises(Unreadable):
        await service.sealer.open("place:2", sealed)
    with pytest.raises(Unreadable):
        await service.sealer.open("place:1", bytes(sealed)[:-1] + bytes([bytes(sealed)[-1] ^ 1]))


def test_key_files_are_private_and_checked(tmp_path: Path) -> None:
    """J9: made with mode 600; readable by others or cut short, they are refused with what to do."""
    master, index = load_keys(tmp_path)
    assert (len(master), len(index)) == (96, 32)
    assert stat.S_IMODE((tmp_path / "master.key").stat().st_mode) == 0o600
    (tmp_path / "master.key").chmod(0o644)
    with pytest.raises(KeyFileError, match="chmod 600"):
        load_keys(tmp_path)
    (tmp_path / "master.key").chmod(0o600)
    (tmp_path / "master.key").write_bytes(b"x")
    with pytest.raises(KeyFileError, match="backup"):
        load_keys(tmp_path)


async def test_receipts_only_move_forward(service: Service) -> None:
    """D13–D15: reversed, early and contradicting receipts."""
    async with running(service):
        await service.receiver.receive(message("hello"))
        await answered(service, 1)
        async with asyncio.timeout(10):
            while not (row := await service.db["outbox"].find_one({"state": "sent"})):
                await asyncio.sleep(0.05)
    for state in (ReceiptState.READ, ReceiptState.DELIVERED, ReceiptState.SENT, ReceiptState.FAILED):
        assert await service.outbox.receipt(Receipt(ChannelName.TERMINAL, Private("x"), state, utc_now(), row["_id"]))
    final = await service.db["outbox"].find_one({"_id": row["_id"]})
    assert final and final["state"] == "read"
    assert not await service.outbox.receipt(
        Receipt(ChannelName.TERMINAL, Private("early"), ReceiptState.SENT, utc_now())
    )
    assert await service.db["parked_receipts"].count_documents({}) == 1


async def test_what_a_receipt_has_settled_does_not_leave_again(service: Service) -> None:
    """A receipt between the lease and the send closes the row: the deliverer must let it go."""
    chat = Chat(service)
    async with running(service, chat.on_turn):
        await chat.say("", "l:en")
    row = await service.db["outbox"].find_one({})
    assert row
    await service.db["outbox"].update_one(
        {"_id": row["_id"]}, {"$set": {"open": True, "state": "unknown"}, "$unset": {"not_before": "", "lease": ""}}
    )
    due = await service.outbox.next_due("w")
    assert due
    now = service.now()
    await service.outbox.receipt(Receipt(due.address.channel, Private("x"), ReceiptState.DELIVERED, now, due.id))
    assert not await service.outbox.sending(due)
    settled = await service.db["outbox"].find_one({"_id": due.id})
    assert settled
    assert (settled["state"], settled["open"]) == ("delivered", False)


async def test_nobody_claims_and_the_ladder_climbs(service: Service) -> None:
    """H12: pages at each rung, the person hears the helplines at the third; a claim ends it."""
    chat = Chat(service)
    async with running(service, chat.on_turn):
        await chat.say("", "l:en")
        await chat.say("help me they are beating me")
    (case,) = await service.cases.queue()
    later = timedelta(0)
    begun = boot_seconds()
    service.steady._seconds = lambda: begun + later.total_seconds()
    for rung, seconds in enumerate((61, 181, 301), 1):
        later = timedelta(seconds=seconds)
        assert await service.watch.escalate() == 1
        assert await service.watch.escalate() == 0
        (found,) = await service.cases.queue()
        assert found.escalations == rung
    said = await service.cases.transcript(case.conversation_id)
    assert "No helper is free yet" in said[-1].text.reveal() and "112" in said[-1].text.reveal()
    rows = await service.db["alerts"].find({"case": case.id, "channel": "console"}).to_list()
    assert sorted(row["rung"] for row in rows) == [0, 1, 2, 3]


async def test_one_dead_alert_channel_holds_up_no_other(service: Service) -> None:
    """A page that fails is tried again later; the others leave at once."""
    done: list[str] = []

    class Dead:
        name = "dead"

        async def page(self, alert: Alert) -> None:
            raise ChannelError("dead", retryable=True)

        check = page

    class Alive:
        name = "alive"

        async def page(self, alert: Alert) -> None:
            done.append(alert.case_id)

        check = page

    service.conversations._writer._pagers = ("dead", "alive")
    service.watch._pagers = {"dead": Dead(), "alive": Alive()}
    service.pagers.update(service.watch._pagers)
    async with running(service):
        await service.receiver.receive(message("bachao"))
        async with asyncio.timeout(10):
            while not done:
                await asyncio.sleep(0.05)
    assert await service.db["alerts"].count_documents({"state": "waiting", "channel": "dead"}) == 1


@contextlib.contextmanager
def full_disk(size: int) -> Iterator[None]:
    """No file may grow beyond *size* bytes: what crosses that is written in part, as on a disk that is full."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


async def test_a_line_that_does_not_fit_is_refused_whole(service: Service, tmp_path: Path) -> None:
    """Half a line is no kept message: its sender hears so, and the next line does not begin in its middle."""
    spool = FileSpool(tmp_path / "s", service.sealer.derived_key("spool"))
    await spool.append(message("one", 1))
    (file,) = (tmp_path / "s").glob("*.spool")
    size = file.stat().st_size
    for room in (40, 0):
        with full_disk(size + room), pytest.raises(OSError, match=r"No space|too large"):
            await spool.append(message("two", 2))
        assert file.stat().st_size == size
    await spool.append(message("three", 3))
    assert await spool.drain(service.inbox) == 2
    assert await service.db["inbox"].count_documents({}) == 2


async def test_a_torn_spool_line_is_cut_off(service: Service, tmp_path: Path) -> None:
    """A5: what was whole is drained, what was torn is skipped, and the file is gone."""
    spool = FileSpool(tmp_path / "s", service.sealer.derived_key("spool"))
    await spool.append(message("one", 1))
    await spool.append(message("two", 2))
    (file,) = (tmp_path / "s").glob("*.spool")
    assert b"one" not in file.read_bytes()
    with file.open("ab") as torn:
        torn.write(b"500 deadbeef QUJD")
    assert await spool.drain(service.inbox) == 2
    assert not spool.waiting
    assert await service.db["inbox"].count_documents({}) == 2


def test_logs_redact_tokens_and_numbers() -> None:
    """T7, G29: tokens in URLs, access tokens, wamids and long numbers are hidden; an exception shows no words."""
    secret = "https://api.telegram.org/bot123456789:AAFakeTokenFakeTokenFakeToken/x EAAGfakefakefakefakefakefake wamid.HBgM 919876512345"
    shown = redact(secret)
    assert not any(part in shown for part in ("AAFake", "EAAG", "HBgM", "9198"))
    try:
        raise ValueError(CANARY)
    except ValueError:
        record = logging.LogRecord("x", logging.ERROR, "f", 1, "failed", None, sys.exc_info())
    assert CANARY not in JsonLines().format(record)
    assert CANARY not in repr(Private(CANARY))
