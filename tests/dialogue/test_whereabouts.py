"""What is pressing about where somebody is: from a location, a poster, or the answer to "where are you?"."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import pytest

from bot.content.model import Content
from bot.dialogue import whereabouts
from bot.dialogue.knowledge import Knowledge
from bot.domain.conversation import Conversation
from bot.domain.messages import Address, Carrier, ChannelName, InboundMessage
from bot.domain.places import HERE_FOR, Directory, Point
from bot.domain.private import NOTHING_SAID, Private
from tests.conftest import NOW
from tests.dialogue.test_waiting import knowledge, said

__all__ = ["knowledge"]
ADDRESS = Address(ChannelName.TERMINAL, Private("p"))


def point(at: str, text: str = "") -> InboundMessage:
    carrier = Carrier.LOCATION if at else Carrier.TEXT
    return InboundMessage("k", ADDRESS, carrier, Private(text), NOW, NOW, point=Private(at) if at else NOTHING_SAID)


@pytest.mark.parametrize(
    ("at", "where"),
    [
        ("26.9833,84.8500", "crossing"),  # Raxaul, at the border
        ("26.9870,84.8446", "near_border"),  # its station
        ("27.0800,84.9000", "near_border"),  # some kilometres from there
        ("25.6030,85.1370", "transit_point"),  # Patna Junction
        ("25.0961,85.3131", ""),  # a field in Bihar
        ("48.8566,2.3522", "abroad"),
    ],
)
def test_a_shared_location(knowledge: Knowledge, at: str, where: str) -> None:
    found = whereabouts.noticed(Conversation("p"), point(at), knowledge, NOW)
    assert found.whereabouts == where


def test_what_cannot_be_read_or_is_not_known_takes_nothing_away(knowledge: Knowledge) -> None:
    """Nor do words; after two days it is forgotten, for they may be anywhere."""
    known = Conversation("p", whereabouts="crossing", whereabouts_at=NOW)
    for message in (point("somewhere"), point("", "hello"), point("", "I am from Patna")):
        assert whereabouts.noticed(known, message, knowledge, NOW).whereabouts == "crossing"
    later = NOW + HERE_FOR + timedelta(seconds=1)
    assert whereabouts.noticed(known, point("", "hello"), knowledge, later).whereabouts == ""


def test_the_answer_to_where_are_you(knowledge: Knowledge) -> None:
    """A station named there counts; one named elsewhere may be where they come from."""
    conversation = said(Conversation("p", locale="en"), knowledge, "they are beating me").conversation
    told = said(replace(conversation, waiting="where"), knowledge, "Patna Junction").conversation
    assert told.whereabouts == "transit_point"
    assert said(Conversation("p", locale="en"), knowledge, "Patna Junction").conversation.whereabouts == ""


def test_a_poster_that_was_scanned_just_now(knowledge: Knowledge, content: Content) -> None:
    """Which is a crossing or a station by the operator's own list; an old scan says nothing new."""
    assert content
    here = Point("X1", "crossing", {"en": "Made-up gate"}, "BR", "Araria", 26.4, 87.2, ("hi",), verified_on=date.min)
    known = replace(knowledge, directory=Directory({"X1": here}))
    scanned = Conversation("p", place="X1", place_at=NOW)
    assert whereabouts.noticed(scanned, point("", "hello"), known, NOW).whereabouts == "crossing"
    assert whereabouts.noticed(scanned, point("", "hello"), known, NOW + timedelta(hours=1)).whereabouts == ""
