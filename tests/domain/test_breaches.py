"""Who is told of a breach now, who later, and who only when they write by themselves."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from bot.domain.breaches import IN_CONTACT, Step, next_step
from bot.domain.conversation import Conversation
from bot.domain.messages import ChannelName

NOON = datetime(2026, 11, 25, 6, 30, tzinfo=UTC)  # 12:00 in India
NIGHT = datetime(2026, 11, 25, 20, 30, tzinfo=UTC)  # 02:00
EASY = Conversation("p", ChannelName.TELEGRAM, locale="en")
TROUBLES: list[dict[str, Any]] = [
    {"open_case": "c"}, {"silent": True}, {"stranger": True}, {"stopped": True}, {"asked_if_in_danger": "distress_help"},
    {"unanswered": True}, {"flow": "verify"}, {"erase_requested": True},
]  # fmt: skip


def step(conversation: Conversation, ago: timedelta | None, *, record: bool, now: datetime = NOON) -> Step:
    return next_step(conversation, now - ago if ago is not None else None, now, record=record)


def test_with_a_record_first_and_by_day() -> None:
    assert step(EASY, timedelta(days=9), record=True) is Step.TELL
    assert step(EASY, None, record=True) is Step.TELL
    assert step(EASY, timedelta(days=9), record=True, now=NIGHT) is Step.LATER


def test_on_whatsapp_first_only_where_it_takes_our_words() -> None:
    there = replace(EASY, channel=ChannelName.WHATSAPP)
    assert step(there, timedelta(days=9), record=True) is Step.DEFER
    assert step(there, timedelta(hours=9), record=True) is Step.TELL


def test_without_a_record_only_in_their_own_contact() -> None:
    """In the night too, for they are here; not before they have read what they asked for, and not a while later."""
    assert step(EASY, timedelta(days=9), record=False) is Step.DEFER
    assert step(EASY, None, record=False) is Step.DEFER
    assert step(EASY, timedelta(seconds=10), record=False) is Step.LATER
    assert step(EASY, timedelta(minutes=2), record=False, now=NIGHT) is Step.TELL
    assert step(EASY, IN_CONTACT + timedelta(seconds=1), record=False) is Step.DEFER


@pytest.mark.parametrize("trouble", TROUBLES, ids=lambda one: next(iter(one)))
def test_never_where_something_else_matters_more(trouble: dict[str, Any]) -> None:
    for record, ago in ((True, timedelta(days=9)), (True, timedelta(minutes=2)), (False, timedelta(minutes=2))):
        assert step(replace(EASY, **trouble), ago, record=record) is Step.LATER
