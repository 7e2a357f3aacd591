"""Corrected messages, moving locations, blocked chats, shared numbers: what a channel tells beside new words."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from bot.content.model import Content
from bot.dialogue.gazetteer import Gazetteer
from bot.dialogue.knowledge import Knowledge
from bot.dialogue.safety import Guard
from bot.dialogue.step import may_show_typing, step
from bot.domain.agencies import Check, Verdict
from bot.domain.conversation import Conversation, Forward, Identify, OpenCase, Turn, Unreachable
from bot.domain.messages import Address, Carrier, ChannelName, InboundMessage
from bot.domain.private import Private
from bot.domain.understanding import NOTHING
from bot.recruiters.names import Lexicon
from bot.recruiters.offers import Offers
from tests.conftest import NOW

ADDRESS = Address(ChannelName.TELEGRAM, Private("7"))
KNOWN = Conversation("c" * 64, ChannelName.TELEGRAM, locale="en", notice_seen=True)
WITH_CASE = replace(KNOWN, open_case="case", held=True, waiting="safe", seen_at=NOW)


@pytest.fixture(scope="module")
def knowledge(content: Content) -> Knowledge:
    return Knowledge(
        content,
        Guard(content.danger),
        lambda _: Check(Verdict.NOT_FOUND),
        {},
        Gazetteer(content),
        Offers(content.red_flags),
        Lexicon(content.firm_words),
    )


def came(words: str = "", carrier: Carrier = Carrier.EDITED, *, choice: str | None = None) -> InboundMessage:
    return InboundMessage("k", ADDRESS, carrier, Private(words), NOW, NOW, choice)


def led_to(conversation: Conversation, message: InboundMessage, knowledge: Knowledge, minutes: int = 1) -> Turn:
    return step(conversation, message, NOTHING, knowledge, NOW + timedelta(minutes=minutes))


def test_danger_written_in_by_a_correction_is_heard(knowledge: Knowledge) -> None:
    """135: an edit is checked like any words."""
    turn = led_to(KNOWN, came("they locked us in the factory, help me"), knowledge)
    assert any(isinstance(effect, OpenCase) for effect in turn.effects)
    assert turn.replies[0].message == "distress.first"


def test_a_corrected_message_is_not_answered_twice(knowledge: Knowledge) -> None:
    """Unless it mends what we had not understood."""
    assert led_to(KNOWN, came("what is the minimum wage"), knowledge).replies == ()
    lost = replace(KNOWN, repairs=1)
    assert led_to(lost, came("menu"), knowledge).replies[0].message == "core.menu"


def test_what_may_be_danger_is_asked_about(knowledge: Knowledge) -> None:
    turn = led_to(KNOWN, came("I am scared of the contractor"), knowledge)
    assert [reply.message for reply in turn.replies] == ["distress.perhaps"]


def test_a_moving_location_reaches_the_case_and_nothing_is_said(knowledge: Knowledge) -> None:
    """Every half minute for hours: no reply, no question, no end of a silence."""
    moving = replace(came(), point=Private("25.60000,85.10000"))
    assert led_to(KNOWN, moving, knowledge).replies == ()
    turn = led_to(WITH_CASE, moving, knowledge)
    assert turn.replies == () and turn.effects == (Forward("case"),)
    silent = replace(WITH_CASE, silent=True, silent_since=NOW)
    for message in (moving, came("hello"), came("mango")):
        held = led_to(replace(silent, safe_word="mango"), message, knowledge, minutes=600)
        assert held.conversation.silent and held.replies == ()


def test_a_correction_during_a_case_asks_nothing_more(knowledge: Knowledge) -> None:
    turn = led_to(WITH_CASE, came("a blue gate"), knowledge)
    assert turn.replies == () and Forward("case") in turn.effects


def test_who_has_blocked_us_is_only_noted(knowledge: Knowledge) -> None:
    """D6: nothing is said, nothing else changes."""
    turn = led_to(WITH_CASE, replace(came(carrier=Carrier.UNSUPPORTED), blocked=True), knowledge)
    assert turn == Turn(WITH_CASE, effects=(Unreachable(),))


def test_their_own_number_is_not_an_agents(knowledge: Knowledge) -> None:
    """A shared number may be checked or reported; their own is kept in the chat and never put into a report."""
    reporting = replace(KNOWN, open_case="case", reporting=True)
    other = led_to(reporting, came("Ravi +919876543210", Carrier.TEXT), knowledge)
    own = led_to(reporting, came("Me +919876543210", Carrier.CONTACT), knowledge)
    assert any(isinstance(effect, Identify) for effect in other.effects)
    assert not any(isinstance(effect, Identify) for effect in own.effects)
    assert own.replies[0].message == "telegram.contact"


def test_typing_is_never_shown_on_a_watched_phone(knowledge: Knowledge) -> None:
    """Nor while a human answers, nor for words of danger, nor for the very words that ask for silence."""
    assert may_show_typing(KNOWN, came("what is the minimum wage", Carrier.TEXT), knowledge)
    assert may_show_typing(KNOWN, came(carrier=Carrier.VOICE), knowledge)
    never = (
        (replace(KNOWN, silent=True), came("hello", Carrier.TEXT)),
        (WITH_CASE, came("hello", Carrier.TEXT)),
        (KNOWN, came("hello")),
        (KNOWN, came("he is here", Carrier.TEXT)),
        (KNOWN, came("hide", Carrier.TEXT)),
        (KNOWN, came(carrier=Carrier.CHOICE, choice="q:here")),
        (KNOWN, came("they locked us in the factory", Carrier.TEXT)),
        (KNOWN, replace(came(carrier=Carrier.UNSUPPORTED), blocked=True)),
    )
    for conversation, message in never:
        assert not may_show_typing(conversation, message, knowledge), message.text.reveal()
