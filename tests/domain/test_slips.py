"""The number of a slip: read in any script and any grouping, and nothing else taken for it."""

from __future__ import annotations

import pytest

from bot.domain.cases import CaseState
from bot.domain.slips import HIDDEN, LENGTH, Standing, grouped, number_in, numbers_in, standing_of, without, written

NUMBER = "4821773019456602"
SCRIPTS = {
    "deva": 0x966, "beng": 0x9E6, "guru": 0xA66, "gujr": 0xAE6, "orya": 0xB66, "taml": 0xBE6, "telu": 0xC66,
    "knda": 0xCE6, "mlym": 0xD66, "arab": 0x660, "urdu": 0x6F0, "wide": 0xFF10,
}  # fmt: skip


@pytest.mark.parametrize("zero", SCRIPTS.values(), ids=SCRIPTS)
def test_digits_of_any_script(zero: int) -> None:
    there = "".join(chr(zero + int(digit)) for digit in NUMBER)
    assert number_in(there) == NUMBER
    assert number_in(grouped(there)) == NUMBER
    assert number_in(f" {grouped(there).replace('-', ' ')}\n") == NUMBER


@pytest.mark.parametrize(
    "text",
    [
        "4821 7730 1945 6602", "4821-7730-1945-6602", "4821–7730–1945–6602.", "4821\u00a07730\u00a01945\u00a06602",
        "\u20664821-7730-1945-6602\u2069", "4821.7730.1945.6602", "48 21773019 456602", "4821\n7730\n1945\n6602",
    ],
)  # fmt: skip
def test_however_it_was_copied(text: str) -> None:
    assert number_in(text) == NUMBER


@pytest.mark.parametrize(
    "text",
    [
        "482177301945660", "48217730194566021", "9876543210", "2345 6789 0123", "+91 98765 43210", "B-0123/DEL/4821",
        "my account 4821 7730 1945 6602", "4821/7730/1945/6602", "4821,7730,1945,6602", "4" * 90, "",
        "①②③④⑤⑥⑦⑧⑨①②③④⑤⑥⑦",
    ],
)  # fmt: skip
def test_phones_accounts_in_words_and_the_like_are_none(text: str) -> None:
    assert number_in(text) == ""


def test_noughts_in_front_count() -> None:
    assert written(7) == "0" * (LENGTH - 1) + "7"
    assert grouped(written(7)) == "0000-0000-0000-0007"


def test_only_known_numbers_are_hidden() -> None:
    """An account's number of the same length is what a responder needs to read."""
    text = "I paid 2 to 1111 2222 3333 4444, my number is 4821 7730 1945 6602."
    assert numbers_in(text) == ("1111222233334444", NUMBER)
    assert without(text, {NUMBER}) == f"I paid 2 to 1111 2222 3333 4444, my number is {HIDDEN}."


def test_an_unknown_number_is_answered_like_one_that_nobody_has_taken_up() -> None:
    assert standing_of(None) is standing_of(CaseState.RECEIVED) is standing_of(CaseState.PAGED) is Standing.WAITING
    assert {standing_of(state) for state in CaseState} == set(Standing) - {Standing.LATER}
