"""What a message holds: phones in any writing, licence numbers, e-mails, the name."""

from __future__ import annotations

import time

import pytest

from bot.recruiters.extract import extract, licence_key, phone_key


@pytest.mark.parametrize(
    "written",
    [
        "0000010037", "00000 10037", "00000-10037", "+91 00000 10037", "+910000010037", "0091 00000 10037", "0 00000 10037",
        "00000.10037", "(00000) 10037", "+91 (0) 00000-10037", "०००००१००३७", "০০০০০১০০৩৭", "௦௦௦௦௦௧௦௦௩௭", "００００0１００３７",
        "call kijiye 00000 10037 par", "00000 10037 5 log chahiye", "फोन:०००००-१००३७।", "00000\u200b10037",
    ],
)  # fmt: skip
def test_a_phone_is_read_in_any_writing(written: str) -> None:
    """Prefixes, separators, brackets and the digits of any script come to the same ten digits."""
    assert extract(written).phones == ("0000010037",)


def test_several_phones_stay_several() -> None:
    """Numbers side by side do not run together."""
    assert extract("0000010037 0000010074 / 00000 10111").phones == ("0000010037", "0000010074", "0000010111")


@pytest.mark.parametrize("text", ["salary 80,000", "24 ghante", "1098", "112", "pin 800001", "", "30-06-2028"])
def test_other_numbers_are_no_phones(text: str) -> None:
    """Wages, dates, helplines and pin codes are not taken for phones."""
    found = extract(text)
    assert not found.phones
    assert not found.odd_phones


@pytest.mark.parametrize(
    "written",
    [
        "B-0001/SAM/PER/100/5/9001/2020", "b 0001 / sam / per / 100 / 5 / 9001 / 2020", "B-0001-SAM-PER-100-5-9001-2020",
        "B-०००१/SAM/PER/१००/५/९००१/२०२०", "RC No: B-0001/SAM/PER/100/5/9001/2020, Patna", "B-0001\\SAM\\PER\\100\\5\\9001\\2020",
    ],
)  # fmt: skip
def test_a_licence_is_read_in_any_writing(written: str) -> None:
    """Case, spaces, separators and digits of any script do not matter."""
    assert extract(written).licences == (licence_key("B-0001/SAM/PER/100/5/9001/2020"),)


def test_a_licence_of_another_style_is_still_a_candidate() -> None:
    """No number is refused by its format: it is looked up, but not held against anyone."""
    found = extract("licence 1234DEL2020 hai")
    assert not found.licences
    assert "1234del2020" in found.maybe_licences


def test_a_pasted_text_is_taken_apart() -> None:
    """Each thing is found, and the links are gone from the name."""
    found = extract(
        "Himgiri Recruiters\nB-0006/SAM/PER/100/5/9006/2022\n00000 10222 hr@himgiri.example https://x.example/a"
    )
    assert found.name == "himgiri recruiters"
    assert found.emails == ("hr@himgiri.example",)
    assert found.phones == ("0000010222",)


@pytest.mark.parametrize("between", ["\n", " - ", ", ", " ", " ph ", "; "])
def test_a_licence_does_not_swallow_the_phone_behind_it(between: str) -> None:
    """Both are found, whatever stands between them."""
    found = extract(f"B-0006/SAM/PER/100/5/9006/2022{between}98765 43210")
    assert found.licences == ("b0006samper100590062022",)
    assert found.phones == ("9876543210",)


def test_a_hostile_text_takes_no_time() -> None:
    """Patterns stay linear enough: the longest accepted texts of digits, slashes and at-signs in under a second."""
    for text in ("1 " * 20_000, "a1/" * 20_000, "@" * 20_000, "B-1" + "/1" * 20_000, "91-(" * 20_000, "a." * 20_000):
        start = time.process_time()
        extract(text)
        assert time.process_time() - start < 1


def test_keys() -> None:
    """Phones compare by their last ten digits, licences by letters and digits."""
    assert phone_key("+91-00000 10037") == "0000010037"
    assert licence_key(" B-1/x ") == "b1x"
