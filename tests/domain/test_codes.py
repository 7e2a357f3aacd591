"""Codes on posters: every slip is found, nothing is guessed, and each code keeps its words."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.codes import (
    ALPHABET,
    LENGTH,
    THINGS,
    find,
    is_whole,
    phrase,
    plain,
    sign,
    spaced,
    start,
)

KEY = b"k" * 32
#: What Telegram takes behind ?start=.
START = re.compile(r"[A-Za-z0-9_-]{1,64}")
PLACES = st.text("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789", min_size=1, max_size=12)


def test_the_alphabet_has_nothing_that_looks_alike_and_no_vowels() -> None:
    assert not set(ALPHABET) & set("0O1IL2Z5S6G8BUVAEIOU") - set("2568V")
    assert all(
        len(pair & set(ALPHABET)) <= 1
        for pair in map(set, ("0O", "1I", "1L", "IL", "2Z", "5S", "6G", "8B", "UV", "0Q"))
    )


@given(PLACES, st.integers(1, 99))
def test_every_single_wrong_character_is_found(place: str, series: int) -> None:
    """Each of the nine characters, replaced by each of the others."""
    code = sign(KEY, place, "poster", str(series))
    assert is_whole(code) and len(code) == LENGTH
    for at, char in enumerate(code):
        for other in set(ALPHABET) - {char}:
            assert not is_whole(code[:at] + other + code[at + 1 :])


@given(PLACES, st.integers(1, 99))
def test_every_swap_is_found(place: str, series: int) -> None:
    """Neighbours, and any other two characters that differ."""
    code = sign(KEY, place, "poster", str(series))
    for one in range(LENGTH):
        for two in range(one + 1, LENGTH):
            if code[one] != code[two]:
                swapped = list(code)
                swapped[one], swapped[two] = swapped[two], swapped[one]
                assert not is_whole("".join(swapped))


@given(PLACES)
def test_another_key_series_or_purpose_gives_another_code(place: str) -> None:
    """A code tells nothing of the next one; the same parts give the same code for ever."""
    code = sign(KEY, place, "poster", "1")
    others = {sign(b"x" * 32, place, "poster", "1"), sign(KEY, place, "poster", "2"), sign(KEY, place, "sticker", "1")}
    assert code not in others
    assert code == sign(KEY, place, "poster", "1")


@given(PLACES)
def test_the_phrase_names_two_different_things(place: str) -> None:
    words = phrase(KEY, place, "poster", "1")
    assert words.first != words.second and {words.first, words.second} <= set(THINGS)
    assert 10 <= words.number <= 99


@given(PLACES, st.sampled_from(["", "Namaste, ", "नमस्ते "]), st.sampled_from(["", ".", " wages?", ") ok"]))
def test_a_code_is_read_in_any_writing(place: str, before: str, after: str) -> None:
    """With hyphens, in small letters, inside a sentence; what is round it stays."""
    code = sign(KEY, place, "poster", "1")
    for written in (start(code), start(spaced(code)), start(code).lower()):
        found = find(before + written + after)
        assert found is not None and found.code == code
    assert plain(spaced(code).lower()) == code
    assert START.fullmatch(start(code))


@pytest.mark.parametrize(
    "words",
    [
        "Is @easy_jobs_delhi genuine?", "mail daisy_travels@gmail.com asks 5000", "easy_money", "fantasy_tours.in",
        "BUSY_BEE placement", "@sy_jobs", "@my_sy_jobs", "sy_travels@gmail.com", "send to: sy_travels@gmail.com now",
        "the_sy_co", "9sy_work", "नौकरीsy", "t.me/easy_visa", "gypsy_crew_ltd asked for 2000",
    ],
)  # fmt: skip
def test_an_address_or_a_handle_holds_no_mark(words: str) -> None:
    assert find(words) is None


@given(PLACES)
def test_a_whole_code_is_found_behind_what_only_looks_like_one(place: str) -> None:
    code = sign(KEY, place, "poster", "1")
    found = find(f"is sy_tours of @easy_jobs real? {start(code)}")
    assert found is not None
    assert (found.code, found.rest) == (code, "is sy_tours of @easy_jobs real")


@given(st.text(max_size=200))
def test_reading_never_fails(text: str) -> None:
    """Whatever follows the mark: emoji, thousands of characters, nothing."""
    found = find("sy_" + text)
    assert found is None or len(found.code) in {0, LENGTH}
    assert find("sy_" + "A" * 5000).code == ""  # type: ignore[union-attr]
    assert find("sy_🙂").code == ""  # type: ignore[union-attr]
    assert find("no code here") is None
