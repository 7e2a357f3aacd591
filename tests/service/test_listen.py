"""Voice notes: kept sealed, fetched again after a failure, written down where a model is, heard by the right case only."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from bot.app import Service
from bot.domain.conversation import Turn, Waiting
from bot.domain.messages import Address, Carrier, ChannelName, InboundMessage, Media, OutboundMessage
from bot.domain.private import NOTHING_SAID, Private
from bot.ports import ChannelError
from bot.running import running
from bot.service.answer import Answerer, Senses
from bot.service.listen import Listener
from tests.conftest import NOW

SOUND = b"OggS" + bytes(range(256)) * 4000


class Platform:
    """Gives a file, or fails first."""

    def __init__(self, failures: int = 0) -> None:
        self.failures = failures
        self.asked = 0

    async def fetch(self, media: Media, most_bytes: int) -> bytes:
        self.asked += 1
        if self.asked <= self.failures:
            raise ChannelError("telegram:500", retryable=True)
        return SOUND


class Hears:
    """A speech model that always hears the same words."""

    def __init__(self, words: str) -> None:
        self.words = words
        self.heard: list[bytes] = []

    async def write_down(self, audio: bytes, locale: str) -> str:
        self.heard.append(audio)
        return self.words


def note(number: int, *, media: bool = True) -> InboundMessage:
    found = Media(Private("AwAC1"), "audio/ogg", 900) if media else None
    at = NOW + timedelta(seconds=number)
    return InboundMessage(
        f"telegram:1:{number}",
        Address(ChannelName.TELEGRAM, Private("77")),
        Carrier.VOICE,
        NOTHING_SAID,
        at,
        at,
        media=found,
    )


def text(number: int, words: str) -> InboundMessage:
    return replace(note(number), carrier=Carrier.TEXT, text=Private(words), media=None)


@pytest.fixture
def person(service: Service) -> Callable[..., object]:
    """Answers messages one after the other and returns the last turn with what is said."""

    async def says(
        *messages: InboundMessage, listener: Listener | None = None
    ) -> tuple[Turn, tuple[OutboundMessage, ...]]:
        told: list[tuple[Turn, tuple[OutboundMessage, ...]]] = []

        def seen(_: Waiting, turn: Turn, said: tuple[OutboundMessage, ...]) -> None:
            told.append((turn, said))

        senses = Senses(service.nlu, listener or service.listener)
        answerer = Answerer(
            service.inbox, service.conversations, senses, service.knowledge, lambda: NOW, lambda: None, "w", seen
        )
        for message in messages:
            await service.receiver.receive(message)
            await answerer.work()
        return told[-1]

    return says


def listener_of(service: Service, platform: Platform, model: Hears | None = None) -> Listener:
    return Listener(service.media, {ChannelName.TELEGRAM: platform.fetch}, model, lambda: NOW)


async def test_a_note_without_a_model_gets_the_spoken_menu(service: Service, person: Callable[..., object]) -> None:
    """Kept for people to hear; the person gets the menu spoken and written."""
    listener = listener_of(service, Platform())
    turn, said = await person(note(1), listener=listener)  # type: ignore[misc]
    assert next(reply.message for reply in turn.replies if not reply.spoken) == "media.voice"
    assert any(message.speech for message in said)
    assert await listener.fetch_wanted() == 1
    row = service.media.id_of("telegram:1:1")
    assert await service.media.get(row, turn.conversation.id) == ("audio/ogg", SOUND)
    assert await service.media.get(row, "somebody else") is None


async def test_what_fails_once_is_fetched_later(service: Service, person: Callable[..., object]) -> None:
    platform = Platform(failures=2)
    listener = listener_of(service, platform)
    await person(note(1), listener=listener)  # type: ignore[misc]
    found = []
    for minute in range(4):
        listener._now = lambda minute=minute: NOW + timedelta(minutes=minute)  # type: ignore[misc]
        found.append(await listener.fetch_wanted())
    assert found == [0, 0, 1, 0]


async def test_the_words_of_a_note_count_as_if_typed(service: Service, person: Callable[..., object]) -> None:
    """Danger in a voice note opens a case; what was understood is told back only while the bot speaks."""
    model = Hears("mujhe malik ne kamre me band kar diya hai bachao")
    turn, _ = await person(note(1), listener=listener_of(service, Platform(), model))  # type: ignore[misc]
    assert turn.conversation.open_case
    assert model.heard == [SOUND]
    assert turn.risk
    assert turn.risk.kind == "distress_confined"


async def test_ordinary_words_are_told_back(service: Service, person: Callable[..., object]) -> None:
    turn, said = await person(  # type: ignore[misc]
        text(1, "mujhe ration card chahiye"), note(2), listener=listener_of(service, Platform(), Hears("menu"))
    )
    assert turn.replies[0].message == "media.voice_heard"
    assert "menu" in said[0].text.reveal()


async def test_a_note_after_a_danger_word_opens_a_case(service: Service, person: Callable[..., object]) -> None:
    """Asked "do you need help now?", somebody who answers by voice is brought to a human, who hears it."""
    turn, _ = await person(text(1, "dar lag raha hai"))  # type: ignore[misc]
    assert turn.conversation.asked_if_in_danger
    turn, _ = await person(note(2), listener=listener_of(service, Platform()))  # type: ignore[misc]
    assert turn.conversation.open_case
    assert turn.risk
    assert turn.risk.reason == "voice:after_danger"


async def test_a_note_of_somebody_with_a_case_goes_to_the_responder(
    service: Service, person: Callable[..., object]
) -> None:
    await person(text(1, "bachao"))  # type: ignore[misc]
    listener = listener_of(service, Platform())
    turn, said = await person(note(2), listener=listener)  # type: ignore[misc]
    assert said == ()
    await listener.fetch_wanted()
    lines = await service.cases.transcript(turn.conversation.id)
    voice = next(line for line in lines if line.carrier == "voice")
    assert await service.media.get(voice.id, turn.conversation.id)


async def test_erasing_makes_the_note_unreadable(service: Service, person: Callable[..., object]) -> None:
    listener = listener_of(service, Platform())
    turn, _ = await person(note(1), listener=listener)  # type: ignore[misc]
    await listener.fetch_wanted()
    await service.sealer.set_aside(turn.conversation.id)
    await service.sealer.shred_aside(turn.conversation.id)
    await asyncio.sleep(1.2)
    assert await service.media.get(service.media.id_of("telegram:1:1"), turn.conversation.id) is None


async def test_a_location_is_kept_for_the_responder_and_answered_with_the_nearest_help(
    service: Service, person: Callable[..., object]
) -> None:
    place = replace(note(1), carrier=Carrier.LOCATION, media=None, point=Private("25.6400,85.2000"))
    turn, _ = await person(place)  # type: ignore[misc]
    assert [reply.message for reply in turn.replies][:2] == ["near.first", "near.station"]
    lines = await service.cases.transcript(turn.conversation.id)
    assert [line.text.reveal() for line in lines if line.who == "person"] == ["25.6400,85.2000"]


async def test_the_running_service_fetches_by_itself(service: Service) -> None:
    """The clock that fetches is among the jobs."""
    async with running(service):
        assert service.listener
