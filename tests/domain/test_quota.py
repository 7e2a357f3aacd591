"""What one person may send: read from the settings, filled by count or by size, larger while a responder has them."""

from __future__ import annotations

from datetime import timedelta

import pytest

from bot.domain.quota import DEFAULT, MEGA, Sent, read_quota
from tests.conftest import NOW

SMALL = read_quota("2/1,3/2")


def sent(*ago: float, size: int = 10) -> list[Sent]:
    """Files of so many minutes ago."""
    return [Sent(NOW - timedelta(minutes=minutes), size) for minutes in ago]


def test_the_hour_and_the_day_count_files() -> None:
    assert not SMALL.is_reached(sent(1), NOW)
    assert SMALL.is_reached(sent(1, 59), NOW)
    assert not SMALL.is_reached(sent(1, 61), NOW)
    assert SMALL.is_reached(sent(61, 600, 1439), NOW)
    assert not SMALL.is_reached(sent(61, 600, 1441), NOW)


def test_bytes_count_as_well() -> None:
    assert SMALL.is_reached(sent(5, size=MEGA), NOW)
    assert SMALL.is_reached(sent(90, 100, size=MEGA), NOW)


def test_in_a_held_case_and_for_voice_notes_there_is_more() -> None:
    twenty = sent(*range(20))
    assert DEFAULT.of(voice=False, held=False).is_reached(twenty, NOW)
    assert not DEFAULT.of(voice=False, held=True).is_reached(twenty, NOW)
    assert not DEFAULT.of(voice=True, held=False).is_reached(twenty, NOW)


@pytest.mark.parametrize("text", ["", "20/25", "20,60", "0/25,60/75", "a/b,c/d", "1/1,2/2,3/3", "-1/5,6/7"])
def test_anything_else_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="files/MB"):
        read_quota(text)
