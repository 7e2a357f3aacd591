"""Reactions, removed and edited messages, stickers, cards; and the yes to being greeted, which anything may take back."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bot.content.model import Content
from bot.dialogue.gazetteer import Gazetteer
from bot.dialogue.knowledge import Knowledge
from bot.dialogue.safety import Guard
from bot.dialogue.step import step
from bot.domain.agencies import Check, Verdict
from bot.domain.conversation import Conversation, Forward, OpenCase, RaiseCase, Tell, Turn
from bot.domain.messages import Address, Carrier, ChannelName, InboundMessage
from bot.domain.private import Private
from bot.domain.understanding import NOTHING
from bot.recruiters.names import Lexicon
from bot.recruiters.offers import Offers
from tests.conftest import NOW

CHATTING = Conversation("c" * 64, ChannelName.WHATSAPP, locale="en", notice_seen=True)


@pytest.fixture(scope="module")
def knowledge(content: Content) -> Knowledge:
    return Knowledge(
        content, Guard(content.danger), lambda _: Check(Verdict.NOT_FOUND), {}, Gazetteer(content), Offers(content.red_flags),
        Lexicon(content.firm_words),
    )  # fmt: skip


def said(
    conversation: Conversation, knowledge: Knowledge, carrier: Carrier, words: str = "", choice: str | None = None
) -> Turn:
    address = Address(ChannelName.WHATSAPP, Private("910000000001"))
    message = InboundMessage("k", address, carrier, Private(words), NOW, NOW, choice)
    return step(conversation, message, NOTHING, knowledge, NOW)


@pytest.mark.parametrize("carrier", [Carrier.REACTION, Carrier.STICKER, Carrier.EDITED, Carrier.CAPTION, Carrier.TEXT])
def test_the_sign_for_help_counts_however_it_comes(knowledge: Knowledge, carrier: Carrier) -> None:
    """H14: a case, and the helplines at once."""
    turn = said(CHATTING, knowledge, carrier, "🆘")
    assert any(isinstance(effect, OpenCase) for effect in turn.effects)
    assert turn.replies
    held = replace(CHATTING, open_case="case", held=True, claimed=True)
    assert any(isinstance(effect, RaiseCase) for effect in said(held, knowledge, carrier, "🆘").effects)


@pytest.mark.parametrize("words", ["👍", "❤️", "😂", ""])
def test_other_signs_are_heard_and_not_answered(knowledge: Knowledge, words: str) -> None:
    """They change nothing: not a flow, not a silence, not a stop."""
    carrier = Carrier.REACTION if words else Carrier.REMOVED
    for conversation in (
        CHATTING, replace(CHATTING, flow="verify"), replace(CHATTING, silent=True), replace(CHATTING, stopped=True),
    ):  # fmt: skip
        assert said(conversation, knowledge, carrier, words) == Turn(conversation)
    held = replace(CHATTING, open_case="case", held=True)
    assert said(held, knowledge, carrier, words).effects == (Forward("case"),)


def test_a_thumb_up_answers_whether_help_is_needed(knowledge: Knowledge) -> None:
    asked = replace(CHATTING, asked_if_in_danger="distress_help", offered=("c:help", "c:no"))
    assert any(isinstance(effect, OpenCase) for effect in said(asked, knowledge, Carrier.REACTION, "👍").effects)


@pytest.mark.parametrize("carrier", [Carrier.STICKER, Carrier.VIDEO, Carrier.CONTACT, Carrier.UNSUPPORTED])
def test_what_cannot_be_read_is_said_so_with_help_at_hand(knowledge: Knowledge, carrier: Carrier) -> None:
    turn = said(CHATTING, knowledge, carrier)
    assert turn.replies[0].message == "media.other"
    assert "c:help" in {choice.id for choice in turn.replies[0].choices}


def test_the_yes_to_a_greeting_is_kept_with_the_case(knowledge: Knowledge) -> None:
    held = replace(CHATTING, open_case="case", held=True, claimed=True)
    turn = said(held, knowledge, Carrier.CHOICE, choice="q:may_yes")
    assert turn.conversation.opted_in
    assert Tell("case", "write_later", Private("yes")) in turn.effects
    assert not said(turn.conversation, knowledge, Carrier.CHOICE, choice="q:may_no").conversation.opted_in


@pytest.mark.parametrize(
    "word", ["stop", "STOP", "मैसेज बंद करो", "নালাগে মেছেজ", "বন্ধ করুন", "niruthu", "/stop", "ആവശ്യമില്ല"]
)
def test_only_words_that_mean_stop_take_it_back(knowledge: Knowledge, word: str) -> None:
    """In the words of every language that the commands know, with a responder or without."""
    means_stop = knowledge.content.commands.get(word.casefold()) == "stop"
    for conversation in (CHATTING, replace(CHATTING, open_case="case", held=True, claimed=True)):
        agreed = replace(conversation, opted_in=True)
        assert said(agreed, knowledge, Carrier.TEXT, word).conversation.opted_in is not means_stop


def test_somebody_else_or_somebody_near_takes_it_back(knowledge: Knowledge) -> None:
    """Who said yes, said that nobody else reads this phone."""
    agreed = replace(CHATTING, opted_in=True, open_case="case", held=True)
    assert not said(agreed, knowledge, Carrier.TEXT, "he is here").conversation.opted_in
    assert not said(agreed, knowledge, Carrier.TEXT, "someone else is writing now").conversation.opted_in
    stranger = replace(agreed, opted_in=False, stranger=True)
    assert not said(stranger, knowledge, Carrier.CHOICE, choice="q:may_yes").conversation.opted_in
