"""Pictures: fetched and kept sealed, read where a reader is, never lost, never read past a responder."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from bot.app import Service, open_service
from bot.config import Config
from bot.domain.conversation import Turn, Waiting
from bot.domain.messages import Address, Carrier, ChannelName, InboundMessage, Media, OutboundMessage
from bot.domain.private import NOTHING_SAID, Private
from bot.ports import ChannelError
from bot.service.answer import Answerer, Senses
from bot.service.listen import MOST_BYTES, Listener
from tests import pictures
from tests.conftest import NOW

PICTURE = pictures.picture("jpeg", 400, 300)
POSTER = "AL SAFA TRAVELS & MANPOWER\nPay Rs 45,000 for a visit visa before you fly\n98765 43210"
Says = Callable[..., Awaitable[tuple[Turn, tuple[OutboundMessage, ...]]]]


class Platform:
    """Gives a file, or fails first."""

    def __init__(self, data: bytes = PICTURE, failures: int = 0) -> None:
        self.data = data
        self.failures = failures
        self.asked = 0

    async def fetch(self, media: Media, most_bytes: int) -> bytes:
        self.asked += 1
        if self.asked <= self.failures:
            raise ChannelError("telegram:500", retryable=True)
        return self.data


class Reads:
    """A reader that always reads the same words, when it may."""

    def __init__(self, words: str) -> None:
        self.words = words
        self.read_before: list[tuple[bytes, str]] = []
        self.begun = asyncio.Event()
        self.free = asyncio.Event()
        self.free.set()

    async def read(self, data: bytes, locale: str) -> str:
        self.read_before.append((data, locale))
        self.begun.set()
        await self.free.wait()
        return self.words


def photo(number: int, caption: str = "", *, mime: str = "image/jpeg", size: int = 900) -> InboundMessage:
    at = NOW + timedelta(seconds=number)
    carrier = Carrier.CAPTION if caption else Carrier.IMAGE
    words = Private(caption) if caption else NOTHING_SAID
    address = Address(ChannelName.TELEGRAM, Private("77"))
    media = Media(Private(f"AgAC{number}"), mime, size)
    return InboundMessage(f"telegram:1:{number}", address, carrier, words, at, at, media=media)


def text(number: int, words: str) -> InboundMessage:
    return replace(photo(number), carrier=Carrier.TEXT, text=Private(words), media=None)


def tap(number: int, choice: str) -> InboundMessage:
    return replace(photo(number), carrier=Carrier.CHOICE, choice=choice, media=None)


@pytest.fixture
def person(service: Service) -> Says:
    """Answers messages one after the other and returns the last turn with what is said."""

    async def says(*messages: InboundMessage, listener: Listener) -> tuple[Turn, tuple[OutboundMessage, ...]]:
        told: list[tuple[Turn, tuple[OutboundMessage, ...]]] = []

        def seen(_: Waiting, turn: Turn, said: tuple[OutboundMessage, ...]) -> None:
            told.append((turn, said))

        answerer = Answerer(
            service.inbox, service.conversations, Senses(service.nlu, listener), service.knowledge, lambda: NOW,
            lambda: None, "w", seen,
        )  # fmt: skip
        for message in messages:
            await service.receiver.receive(message)
            await answerer.work()
        return told[-1]

    return says


def listener_of(service: Service, platform: Platform, reader: Reads | None = None, most: int = 4) -> Listener:
    return Listener(service.media, {ChannelName.TELEGRAM: platform.fetch}, None, lambda: NOW, reader, most)


def ids(turn: Turn) -> list[str]:
    return [reply.message for reply in turn.replies if not reply.spoken]


async def kept(service: Service, turn: Turn, number: int) -> tuple[str, bytes] | None:
    return await service.media.get(service.media.id_of(f"telegram:1:{number}"), turn.conversation.id)


async def test_a_poster_is_read_and_checked_and_kept_sealed(service: Service, person: Says) -> None:
    reader = Reads(POSTER)
    turn, said = await person(tap(1, "l:hi"), photo(2), listener=listener_of(service, Platform(), reader))
    assert ids(turn)[:2] == ["media.image_read", "offer.found"]
    assert "AL SAFA TRAVELS & MANPOWER Pay Rs 45,000" in said[0].text.reveal()
    assert reader.read_before == [(PICTURE, "hi")]
    assert await kept(service, turn, 2) == ("image/jpeg", PICTURE)
    pieces = await service.db["media_pieces"].find().to_list()
    assert pieces and all(PICTURE[:40] not in str(piece).encode() for piece in pieces)


async def test_what_was_read_is_stored_nowhere_but_in_what_was_answered(service: Service, person: Says) -> None:
    """The transcript has the picture without words, and the answer that names them."""
    turn, _ = await person(photo(1), listener=listener_of(service, Platform(), Reads(POSTER)))
    lines = await service.cases.transcript(turn.conversation.id)
    assert [line.text.reveal() for line in lines if line.who == "person"] == [""]
    for name in await service.db.list_collection_names():
        async for row in service.db[name].find():
            assert "AL SAFA" not in str(row)


async def test_without_a_reader_it_is_kept_for_people_and_answered_as_before(service: Service, person: Says) -> None:
    listener = listener_of(service, Platform())
    turn, _ = await person(photo(1), listener=listener)
    assert ids(turn)[0] == "media.image"
    assert await listener.fetch_wanted() == 1
    assert await kept(service, turn, 1) == ("image/jpeg", PICTURE)


async def test_a_fetch_that_fails_loses_neither_the_message_nor_the_picture(service: Service, person: Says) -> None:
    listener = listener_of(service, Platform(failures=1), Reads(POSTER))
    turn, _ = await person(tap(1, "c:check"), photo(2), listener=listener)
    assert ids(turn) == ["media.image_unread"]
    assert await kept(service, turn, 2) is None
    assert await listener.fetch_wanted() == 0
    listener._now = lambda: NOW + timedelta(seconds=6)
    assert await listener.fetch_wanted() == 1
    assert await kept(service, turn, 2) == ("image/jpeg", PICTURE)


@pytest.mark.parametrize(
    "data", [b"GIF89a" + b"x" * 90, b"this is text, called .jpg", b"%PDF-1.7", b"", PICTURE + b"\0" * MOST_BYTES]
)
async def test_what_is_no_picture_or_too_large_is_neither_kept_nor_asked_for_again(
    service: Service, person: Says, data: bytes
) -> None:
    platform, reader = Platform(data), Reads(POSTER)
    listener = listener_of(service, platform, reader)
    turn, _ = await person(photo(1), listener=listener)
    assert ids(turn)[0] == "media.image"
    assert [await listener.fetch_wanted(), await listener.fetch_wanted()] == [0, 0]
    assert (platform.asked, reader.read_before) == (1, [])
    assert await kept(service, turn, 1) is None


async def test_one_that_says_it_is_too_large_is_not_fetched(service: Service, person: Says) -> None:
    platform = Platform()
    await person(photo(1, size=MOST_BYTES + 1), listener=listener_of(service, platform, Reads(POSTER)))
    assert platform.asked == 0


async def test_the_kind_is_told_by_the_bytes_not_by_the_platform(service: Service, person: Says) -> None:
    whole = pictures.picture("png", 40, 40)
    turn, _ = await person(photo(1), listener=listener_of(service, Platform(whole), Reads("")))
    assert await kept(service, turn, 1) == ("image/png", whole)


async def test_a_caption_is_what_was_said_and_the_picture_is_kept(service: Service, person: Says) -> None:
    """Danger in a caption waits for no picture."""
    platform, reader = Platform(), Reads(POSTER)
    listener = listener_of(service, platform, reader)
    turn, _ = await person(photo(1, "malik ne kamre me band kar diya bachao"), listener=listener)
    assert turn.conversation.open_case
    assert (platform.asked, reader.read_before) == (0, [])
    assert await listener.fetch_wanted() == 1
    assert await kept(service, turn, 1) == ("image/jpeg", PICTURE)


async def test_a_photographed_call_for_help_opens_a_case(service: Service, person: Says) -> None:
    reader = Reads("Please help me\nI am locked in a room\nthey beat me")
    turn, _ = await person(photo(1), listener=listener_of(service, Platform(), reader))
    assert turn.conversation.open_case
    assert turn.risk and turn.risk.kind.startswith("distress_")


async def test_with_a_responder_it_is_kept_forwarded_and_not_read(service: Service, person: Says) -> None:
    reader = Reads(POSTER)
    listener = listener_of(service, Platform(), reader)
    turn, said = await person(text(1, "bachao"), photo(2), listener=listener)
    assert said == ()
    assert reader.read_before == []
    assert await listener.fetch_wanted() == 1
    lines = await service.cases.transcript(turn.conversation.id)
    line = next(line for line in lines if line.carrier == "image")
    assert await service.media.get(line.id, turn.conversation.id) == ("image/jpeg", PICTURE)


async def test_a_film_is_no_picture(service: Service, person: Says) -> None:
    """A picture may come without a file to fetch: answered as before, also in a check."""
    film = replace(photo(2), media=None)
    turn, _ = await person(tap(1, "c:check"), film, listener=listener_of(service, Platform(), Reads(POSTER)))
    assert ids(turn)[0] == "media.image"


async def test_pictures_never_take_every_worker(service: Service) -> None:
    """With as many looked at as may be, the next is kept and answered at once as unread."""
    reader = Reads(POSTER)
    reader.free.clear()
    listener = listener_of(service, Platform(), reader, most=1)
    waiting = [Waiting(f"row{number}", "conversation", photo(number)) for number in (1, 2)]
    for one in waiting:
        await listener.keep(one)
    first = asyncio.create_task(listener.look(waiting[0], "en"))
    async with asyncio.timeout(10):
        await reader.begun.wait()
    assert await listener.look(waiting[1], "en") == ""
    reader.free.set()
    assert await first == POSTER
    assert await listener.look(waiting[1], "en") == POSTER


async def test_the_whole_way_through_the_program(
    config: Config, mongodb_uri: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With tesseract on PATH the service reads by itself: bytes, decoder, program, words."""
    tools = tmp_path / "tools"
    tools.mkdir()
    pictures.saying(tools, *POSTER.splitlines())
    monkeypatch.setenv("PATH", str(tools))
    async with open_service(config, mongodb_uri=mongodb_uri, nlu_url="http://127.0.0.1:9") as service:
        message = replace(photo(1), media=None)
        row = service.media.id_of(message.key)
        conversation = service.inbox.conversation_id(message.address)
        await service.media.keep(row, conversation, "image/jpeg", PICTURE, NOW)
        assert await service.listener.look(Waiting(row, conversation, message), "hi") == POSTER


async def test_switched_off_nothing_is_read(
    config: Config, mongodb_uri: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pictures.saying(tmp_path, *POSTER.splitlines())
    monkeypatch.setenv("PATH", str(tmp_path))
    off = config.model_copy(update={"read_images": "off"})
    async with open_service(off, mongodb_uri=mongodb_uri, nlu_url="http://127.0.0.1:9") as service:
        assert await service.listener.look(Waiting("row", "conversation", photo(1)), "hi") is None
