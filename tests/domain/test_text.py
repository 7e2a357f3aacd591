"""The normal form: every script is read whole, and spellings of one word agree."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain import text as forms
from bot.domain.words import folded_words

PASSPORTS = [
    "पासपोर्ट",
    "পাসপোর্ট",
    "પાસપોર્ટ",
    "ପାସପୋର୍ଟ",
    "பாஸ்போர்ட்",
    "పాస్\u200cపోర్ట్",
    "ಪಾಸ್\u200cಪೋರ್ಟ್",
    "പാസ്\u200cപോർട്ട്",
    "پاسپورٹ",
]
SCRIPTS = {
    "Deva": "मुझे",
    "Beng": "আমাকে",
    "Guru": "ਮੈਨੂੰ",
    "Gujr": "મને",
    "Orya": "ମୋତେ",
    "Taml": "எனக்கு",
    "Telu": "నాకు",
    "Knda": "ನನಗೆ",
    "Mlym": "എനിക്ക്",
    "Arab": "مجھے",
    "Latn": "mujhe",
}


@pytest.mark.parametrize(
    ("native", "latin"),
    [
        ("বাড়ি", "bari"),
        ("টাকা", "taka"),
        ("দেয়", "dey"),
        ("சம்பளம்", "sambalam"),
        ("வாழ்க்கை", "vaazhkai"),
        ("மகள்", "magal"),
        ("படிப்பு", "padippu"),
        ("మీద", "meeda"),
        ("పని", "pani"),
        ("ಕೆಲಸ", "kelasa"),
        ("ജോലി", "joli"),
    ],
)
def test_other_scripts_agree_with_their_chat_spelling(native: str, latin: str) -> None:
    assert folded_words(native) == folded_words(latin)


def test_a_dot_is_kept_only_where_it_makes_another_letter() -> None:
    assert forms.normalise("ज़") == forms.normalise("ज\u093c") == "ज"
    assert forms.normalise("\u09dc") == forms.normalise("\u09a1\u09bc") != "\u09a1"


@pytest.mark.parametrize("word", PASSPORTS)
def test_one_word_in_every_script_has_one_folded_form(word: str) -> None:
    assert folded_words(word) == ("pasport",)


@pytest.mark.parametrize(
    ("native", "latin"),
    [
        ("शादी", "shaadi"),
        ("ज़बरदस्ती", "jabardasti"),
        ("मजदूरी", "mazdoori"),
        ("कमरे", "kamre"),
        ("मुझे", "mujhe"),
        ("नहीं", "nahin"),
        ("बचाओ", "bachao"),
    ],
)
def test_native_and_latin_spelling_agree(native: str, latin: str) -> None:
    assert folded_words(native) == folded_words(latin)


def test_a_nukta_written_in_either_way_is_one() -> None:
    assert forms.normalise("\u095b") == forms.normalise("\u091c\u093c") == "\u091c"


@pytest.mark.parametrize("joined", ["मु\u200bझे", "मु\u200dझे", "\u202eमुझे", "मुझे\ufeff"])
def test_invisible_characters_change_nothing(joined: str) -> None:
    assert folded_words(joined) == folded_words("मुझे")


def test_repeated_letters_and_full_width_forms_fold() -> None:
    assert folded_words("bachaoooooo") == folded_words("bachao")


def test_numbers_are_not_drawn_together() -> None:
    """11 is not 1, whatever the digits."""
    assert folded_words("11 ११ ௧௧ 5000") == ("11", "11", "11", "5000")
    assert forms.normalise("ｓｔｏｐ　１２") == "stop 12"


@pytest.mark.parametrize(
    "digits", ["२०२६", "২০২৬", "૨૦૨૬", "୨୦୨୬", "௨௦௨௬", "౨౦౨౬", "೨೦೨೬", "൨൦൨൬", "੨੦੨੬", "۲۰۲۶", "2026"]
)
def test_digits_of_every_script(digits: str) -> None:
    assert forms.digits_of(digits) == "2026"
    assert forms.normalise(digits) == "2026"


@pytest.mark.parametrize(("script", "word"), SCRIPTS.items())
def test_the_script_is_told(script: str, word: str) -> None:
    assert forms.script_of(word) == script
    assert forms.tokens(forms.normalise(word)) == [forms.normalise(word)], "no vowel sign is lost"


@given(st.text(max_size=300))
def test_anything_can_be_read(text: str) -> None:
    words = folded_words(text)
    assert all(isinstance(word, str) and word for word in words)
    assert forms.normalise(forms.normalise(text)) == forms.normalise(text)


def test_the_trap_this_avoids_is_real() -> None:
    """Python's own word class cuts Indian words at their vowel signs."""
    assert re.findall(r"\w+", "मुझे") != ["मुझे"]


@given(st.text(alphabet=st.characters(max_codepoint=127), max_size=60) | st.text(alphabet="aab' .1-", max_size=30))
def test_plain_ascii_is_read_the_same_on_the_short_way(text: str) -> None:
    """The quick path for ASCII gives what the letter-by-letter one gives."""
    assert forms.normalise(text) == forms.normalise_any(text)
    assert forms.tokens(forms.normalise(text)) == forms.tokens_any(forms.normalise(text))
