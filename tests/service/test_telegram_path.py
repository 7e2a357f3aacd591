"""Telegram through the whole service: albums, a blocked chat, typing, quick exit, polling under the real database."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from bot.app import Service, utc_now
from bot.domain.conversation import Turn, Waiting
from bot.domain.messages import Address, Carrier, ChannelName, InboundMessage, Media, OutboundMessage
from bot.domain.private import NOTHING_SAID, Private
from bot.domain.understanding import NOTHING, Understanding
from bot.running import running
from bot.service import typing as showing
from bot.service.answer import Answerer, Senses
from bot.service.listen import Listener
from bot.service.typing import Typing
from tests import pictures
from tests.channels.telegram_shapes import PERSON, edit, in_group, member, tap, update
from tests.platforms import FakeTelegram

PICTURE = pictures.picture("jpeg", 400, 300)


async def until(holds: Callable[[], Awaitable[bool] | bool]) -> None:
    async with asyncio.timeout(15):
        while True:
            found = holds()
            if found if isinstance(found, bool) else await found:
                return
            await asyncio.sleep(0.05)


async def quiet(service: Service) -> bool:
    waiting = await service.db["inbox"].count_documents({"state": "waiting"})
    return not waiting and not await service.db["outbox"].count_documents({"open": True})


async def test_a_conversation_from_end_to_end(polling: Service, platform: FakeTelegram) -> None:
    """Greeting, a tap, danger, an edit, a group: one conversation, one case, every call as published."""
    platform.updates = [update(1, text="/start"), tap(2, "l:en"), in_group(3, text="bachao")]
    async with running(polling):
        await until(lambda: platform.confirmed == 4)
        await until(lambda: quiet(polling))
        said = len(platform.sent)
        platform.updates = [edit(4, text="they locked us in the factory, help me")]
        await until(lambda: platform.confirmed == 5)
        await until(lambda: quiet(polling))
    assert len(platform.called("answerCallbackQuery")) == 1
    private = [fields["text"] for fields in platform.sent if fields["chat_id"] == str(PERSON)]
    assert len(private) > said - 1 and "112" in private[-2]
    group = [fields for fields in platform.sent if fields["chat_id"] != str(PERSON)]
    assert len(group) == 1 and "112" not in group[0]["text"]
    assert len(await polling.cases.queue()) == 1
    assert await polling.db["inbox"].count_documents({}) == 3


async def test_nothing_is_sent_to_who_has_blocked_us(polling: Service, platform: FakeTelegram) -> None:
    """D6: no try at all after the news; a responder's case shows it; the person's next message ends it."""
    async with running(polling):
        platform.updates = [update(1, text="they locked us in the factory, help me"), member(2, "kicked")]
        await until(lambda: platform.confirmed == 3)
        await until(lambda: quiet(polling))
        sent = len(platform.sent)
        case = (await polling.cases.queue())[0]
        await polling.respond.claim(case, "asha")
        await until(lambda: quiet(polling))
        assert len(platform.sent) == sent
        row = await polling.db["cases"].find_one({"_id": case.id})
        assert row and row["undelivered"] >= 2
        platform.updates = [update(3, text="i am back")]
        await until(lambda: platform.confirmed == 4)
        await until(lambda: quiet(polling))
        fresh = await polling.cases.get(case.id)
        assert fresh
        await polling.respond.reply(fresh, "asha", "Namaste", "k1")
        await until(lambda: len(platform.sent) > sent)
    assert platform.sent[-1]["text"] == "Namaste" and platform.sent[-1]["protect_content"] == "true"


async def test_a_refusal_marks_the_chat(polling: Service, platform: FakeTelegram) -> None:
    """D6: after "blocked" one try, then none."""
    platform.answers = [
        (403, {"ok": False, "error_code": 403, "description": "Forbidden: bot was blocked by the user"})
    ]
    async with running(polling):
        platform.updates = [update(1, text="they locked us in the factory, help me")]
        await until(lambda: platform.confirmed == 2)
        await until(lambda: quiet(polling))
    assert len(platform.sent) == 1
    states = [row["state"] async for row in polling.db["outbox"].find({})]
    assert len(states) >= 2 and set(states) == {"failed"}
    row = await polling.db["conversations"].find_one({})
    assert row and row["unreachable"] is True


async def test_quick_exit_deletes_both_sides(polling: Service, platform: FakeTelegram) -> None:
    """H2, T8: what the person wrote and what we wrote vanish; nothing is said."""
    async with running(polling):
        platform.updates = [update(1, text="menu")]
        await until(lambda: platform.confirmed == 2 and len(platform.sent) >= 1)
        await until(lambda: quiet(polling))
        sent = len(platform.sent)
        platform.updates = [update(2, text="/hide")]
        await until(lambda: bool(platform.called("deleteMessages")))
    ids = json.loads(platform.called("deleteMessages")[0]["message_ids"])
    ours = [at for at, (method, _) in enumerate(platform.calls, 1) if method == "sendMessage"]
    assert set(ids) >= {1, 2, *ours} and len(platform.sent) == sent


async def test_a_chat_that_must_wait_holds_up_no_other(polling: Service, platform: FakeTelegram) -> None:
    """D1: 429 for one chat; the other is answered meanwhile."""
    other = {"chat": {"id": 5, "type": "private"}, "from": {"id": 5, "is_bot": False, "first_name": "y"}}

    async def only_first(fields: dict[str, str]) -> None:
        if fields.get("chat_id") == str(PERSON):
            refusal = {"ok": False, "error_code": 429, "description": "x", "parameters": {"retry_after": 30}}
            platform.answers.append((429, refusal))

    platform.before_answer = only_first
    platform.updates = [update(1, text="menu"), update(2, text="menu", **other)]
    async with running(polling):
        await until(lambda: any(fields["chat_id"] == "5" for fields in platform.sent))
    row = await polling.db["outbox"].find_one({"state": "waiting"})
    assert row and row["error"] == "telegram:429"


class Slow:
    """An NLU that takes its time."""

    async def understand(self, text: str, locale: str) -> Understanding:
        await asyncio.sleep(0.4)
        return NOTHING


async def test_typing_is_shown_where_it_takes_long(
    polling: Service, platform: FakeTelegram, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not for a quick answer, never after "he is here", and renewed while it lasts."""
    monkeypatch.setattr(showing, "RENEWED", 0.1)
    polling.nlu = Slow()
    shown = [0]

    async def show(address: Address) -> None:
        shown[0] += 1

    senses = Senses(polling.nlu, None, None, Typing({ChannelName.TELEGRAM: show}, patience=0.05))
    answerer = Answerer(polling.inbox, polling.conversations, senses, polling.knowledge, utc_now, lambda: None, "w")
    for number, (words, least, most) in enumerate((("what about wages", 2, 5), ("he is here", 0, 0), ("hello", 0, 0))):
        shown[0] = 0
        await polling.receiver.receive(text(number, words))
        await answerer.work()
        assert least <= shown[0] <= most, words
    assert (await polling.db["conversations"].count_documents({})) == 1


def photo(number: int, caption: str = "", album: str = "a") -> InboundMessage:
    at = utc_now() + timedelta(milliseconds=number)
    carrier = Carrier.CAPTION if caption else Carrier.IMAGE
    return InboundMessage(
        f"telegram:1:{number}", Address(ChannelName.TELEGRAM, Private("77")), carrier,
        Private(caption) if caption else NOTHING_SAID, at, at,
        media=Media(Private(f"AgAC{number}"), "image/jpeg", 900), album=album,
    )  # fmt: skip


def text(number: int, words: str) -> InboundMessage:
    return replace(photo(number), carrier=Carrier.TEXT, text=Private(words), media=None, album="", key=f"t:{number}")


class Reads:
    """Reads a different line in each picture."""

    def __init__(self, *lines: str) -> None:
        self.lines = list(lines)

    async def read(self, data: bytes, locale: str) -> str:
        return self.lines.pop(0) if self.lines else ""


async def fetched(media: Media, most_bytes: int) -> bytes:
    return PICTURE


async def album(
    service: Service, reader: Reads | None, *messages: InboundMessage
) -> list[tuple[Turn, tuple[OutboundMessage, ...]]]:
    told: list[tuple[Turn, tuple[OutboundMessage, ...]]] = []

    def seen(_: Waiting, turn: Turn, said: tuple[OutboundMessage, ...]) -> None:
        told.append((turn, said))

    listener = Listener(service.media, {ChannelName.TELEGRAM: fetched}, None, utc_now, reader)
    answerer = Answerer(
        service.inbox, service.conversations, Senses(service.nlu, listener), service.knowledge, utc_now,
        lambda: None, "w", seen,
    )  # fmt: skip
    for message in messages:
        await service.receiver.receive(message)
    await answerer.work()
    return told


async def test_an_album_is_one_turn(service: Service) -> None:
    """Its caption is answered, whichever part comes first; the other pictures are kept and say nothing."""
    told = await album(service, None, text(0, "menu"), photo(1), photo(2), photo(3, "menu"))
    assert [bool(said) for _, said in told] == [True, True, False, False]
    assert await service.db["media"].count_documents({}) == 3
    assert await service.db["inbox"].count_documents({"state": "answered"}) == 4
    late = await album(service, None, photo(9))
    assert [said for _, said in late] == [()]


async def test_the_pictures_of_an_album_are_read_together(service: Service) -> None:
    """Without a caption: three screenshots, one answer about the words in all of them."""
    lines = ("AL SAFA TRAVELS", "Pay Rs 45,000 for a visit visa before you fly", "Leave today, keep no papers")
    told = await album(service, Reads(*lines), *(photo(number) for number in range(3)))
    assert [bool(said) for _, said in told] == [True, False, False]
    assert any(
        "flag" in item.message or "offer" in item.message
        for reply in told[0][0].replies
        for item in (reply, *reply.items)
    )


async def test_danger_in_a_later_picture_of_an_album_is_heard(service: Service) -> None:
    """A part that comes after the answer: its caption calls for help."""
    await album(service, None, text(0, "menu"), photo(1, "menu"))
    told = await album(service, None, photo(2, "they locked us in the factory, help me"))
    assert told[0][0].replies[0].message == "distress.first"
