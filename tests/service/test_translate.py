"""A machine's translation, from the person's wish to what they read: marked, on request, never in danger."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from bot.app import Service
from bot.domain.conversation import Turn, Waiting
from bot.domain.messages import Address, Carrier, ChannelName, InboundMessage, OutboundMessage
from bot.domain.private import Private
from bot.domain.understanding import NOTHING, Ranked, Understanding
from bot.service.answer import Answerer, Senses
from tests.conftest import NOW

BHOJPURI = "हमरा लगे ई-श्रम कार्ड नइखे, कइसे बनी"


class Hears:
    async def understand(self, text: str, locale: str) -> Understanding:
        return Understanding("eshram", 0.97, (Ranked("eshram", 0.97),)) if "श्रम" in text else NOTHING


class Machine:
    def __init__(self, *, works: bool = True) -> None:
        self.asked: list[tuple[str, str, str]] = []
        self.works = works

    async def translate(self, text: str, source: str, target: str) -> str:
        self.asked.append((text, source, target))
        return f"<{target}> {text[:20]}" if self.works else ""


class Person:
    def __init__(self, service: Service, machine: Machine, *, allowed: bool = True) -> None:
        self.told: list[tuple[Turn, tuple[OutboundMessage, ...]]] = []
        self.count = 0
        self.service = service

        def seen(_: Waiting, turn: Turn, said: tuple[OutboundMessage, ...]) -> None:
            self.told.append((turn, said))

        self.answerer = Answerer(
            service.inbox, service.conversations, Senses(Hears(), None, machine),
            lambda: replace(service.knowledge(), may_translate=allowed), lambda: NOW, lambda: None, "w", seen,
        )  # fmt: skip

    async def says(self, words: str = "", choice: str | None = None) -> list[str]:
        self.count += 1
        at = NOW + timedelta(seconds=self.count)
        address = Address(ChannelName.TERMINAL, Private("p"))
        carrier = Carrier.CHOICE if choice else Carrier.TEXT
        await self.service.receiver.receive(
            InboundMessage(f"terminal:p:{self.count}", address, carrier, Private(words), at, at, choice)
        )
        await self.answerer.work()
        return [reply.message for reply in self.told[-1][0].replies]

    @property
    def words(self) -> str:
        return "\n".join(message.text.reveal() for message in self.told[-1][1])


async def test_on_request_the_answer_comes_again_marked_as_made_by_a_machine(service: Service) -> None:
    machine = Machine()
    person = Person(service, machine)
    first = await person.says(BHOJPURI)
    assert first[0] == "core.other_language"
    assert "भोजपुरी" in person.words
    assert machine.asked == []
    assert await person.says(choice="c:translate") == ["core.machine", "core.machine", "core.translated"]
    assert [(source, target) for _, source, target in machine.asked] == [("en", "bho"), ("en", "bho")]
    assert "<bho>" in person.words
    assert not any(BHOJPURI in text for text, _, _ in machine.asked)


async def test_a_machine_that_fails_leaves_the_answer_standing(service: Service) -> None:
    person = Person(service, Machine(works=False))
    await person.says(BHOJPURI)
    assert await person.says(choice="c:translate") == ["core.translate_failed"]


@pytest.mark.parametrize("allowed", [True, False])
async def test_danger_and_law_never_reach_the_machine(service: Service, *, allowed: bool) -> None:
    machine = Machine()
    person = Person(service, machine, allowed=allowed)
    await person.says(BHOJPURI)
    await person.says(choice="t:trafficking_law")
    assert await person.says(choice="c:translate") == ["core.translate_never"]
    await person.says("bachao mujhe mar rahe hain")
    await person.says(choice="c:translate")
    assert machine.asked == []
