"""How well the right agency is found under noise, and how seldom a stranger is suggested; figures measured, seeds fixed.

Names are made of syllables, so that thousands are near one another. Measured when written, 3,000 names: the right agency
first after one edit in 96.9 % (1,500 tries, seed 7), in another chat spelling in 99.7 % (seed 8), no other ever listed;
of strangers (seed 99) none listed, a suggestion for 2.8 % of names of three syllables and more, 14 % of any length.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from datetime import date

import pytest

from bot.domain.agencies import Agency, Standing, Verdict
from bot.recruiters.index import Index
from bot.recruiters.verdict import check
from tests.recruiters import LEXICON

TODAY = date(2026, 11, 24)
VOWELLED = tuple(f"{consonant}{vowel}" for consonant in "kgtdnprmlvsh" for vowel in "aiu")
SYLLABLES = (*VOWELLED, "sha", "ja", "ya", "pra", "kar", "man", "dar", "vik", "lok", "tan", "shil")
TRADES = (
    "Overseas", "International", "Manpower Services", "HR Consultants Pvt Ltd", "Travels & Manpower", "Enterprises",
    "Placement Services", "Recruiters", "Consultancy Services",
)  # fmt: skip
#: Shipped sample names as a Hindi speaker writes them.
IN_DEVANAGARI = {
    "Suryodaya Overseas": "सूर्योदय ओवरसीज",
    "Navjeevan Manpower Services": "नवजीवन मैनपावर सर्विसेज",
    "Himgiri International": "हिमगिरी इंटरनेशनल",
    "Himgiri Recruiters": "हिमगिरि रिक्रूटर्स",
    "Uttarayan Overseas": "उत्तरायण ओवरसीज",
    "Deepjyoti Travels & Manpower": "दीपज्योति ट्रैवल्स एंड मैनपावर",
    "Vanshika Enterprises": "वंशिका एंटरप्राइजेज",
    "Kalpataru International": "कल्पतरु इंटरनेशनल",
    "Amaltas Placement Services": "अमलतास प्लेसमेंट सर्विसेज",
    "Gulmohar HR Consultants Pvt Ltd": "गुलमोहर एचआर कंसल्टेंट्स प्राइवेट लिमिटेड",
    "Sanjeevtaru Enterprises": "संजीवतरु एंटरप्राइजेज",
    "Rajhanslok Manpower Services": "राजहंसलोक मैनपावर सर्विसेज",
    "K. K. R. Overseas": "के. के. आर. ओवरसीज",
}


def some_names(count: int, seed: int, shortest: int = 2) -> list[str]:
    """Return *count* different names of the shape agencies have, words of *shortest* to four syllables."""
    chance = random.Random(seed)
    found: dict[str, None] = {}
    while len(found) < count:
        words = [
            "".join(chance.choices(SYLLABLES, k=chance.randint(shortest, 4))).title()
            for _ in range(chance.choice((1, 1, 2)))
        ]
        found[f"{' '.join(words)} {chance.choice(TRADES)}"] = None
    return list(found)


def an_index(names: list[str]) -> Index:
    """Index made-up agencies of these names."""
    return Index.of((
        Agency(
            str(at), name, f"B-{at:05}/SAM/PER/100/5/{at * 7 % 99991:05}/2020", Standing.ACTIVE, date(2028, 1, 1), "Patna",
            (f"00{at * 37:08}",), (), "t",
        )
        for at, name in enumerate(names)), LEXICON)  # fmt: skip


NAMES = some_names(3000, seed=11)
INDEX = an_index(NAMES)


def changed(name: str, chance: random.Random) -> str:
    """Return *name* with one letter changed, lost, doubled, added or swapped with the next."""
    letters = [at for at, char in enumerate(name) if char.isalpha()]
    at = chance.choice(letters)
    extra = chance.choice("abcdefghiklmnoprstuvy")
    return chance.choice(
        (
            name[:at] + extra + name[at + 1 :],
            name[:at] + name[at + 1 :],
            name[:at] + name[at] + name[at:],
            name[:at] + extra + name[at:],
            name[:at] + name[at + 1 : at + 2] + name[at] + name[at + 2 :],
        )
    )


def sounded(name: str, chance: random.Random) -> str:
    """Return *name* in another chat spelling of the same sounds."""
    wrong, right = chance.choice(
        (("a", "aa"), ("i", "ee"), ("u", "oo"), ("v", "w"), ("sh", "s"), ("k", "kh"), ("d", "dh"))
    )
    return name.replace(wrong, right, 1)


def top(noise: Callable[[str, random.Random], str], tries: int, seed: int) -> tuple[float, int]:
    """Return the share of noisy names whose agency came first, and how many other names were called listed."""
    chance, right, wrongly = random.Random(seed), 0, 0
    known = set(NAMES)
    for name in chance.sample(NAMES, tries):
        noisy = noise(name, chance)
        found = check(noisy, INDEX, TODAY)
        right += bool(found.matches) and found.matches[0].agency.name == name
        wrongly += found.verdict is Verdict.LISTED and noisy not in known and found.matches[0].agency.name != name
    return right / tries, wrongly


def test_one_edit_still_finds_the_agency() -> None:
    """The right agency first in at least 95 %, and no wrong one ever listed."""
    share, wrongly = top(changed, 600, seed=7)
    assert share >= 0.95, share
    assert not wrongly


def test_another_spelling_of_the_same_sounds_finds_the_agency() -> None:
    """The right agency first in at least 97 %, and no wrong one ever listed."""
    share, wrongly = top(sounded, 400, seed=8)
    assert share >= 0.97, share
    assert not wrongly


@pytest.mark.parametrize(("name", "written"), IN_DEVANAGARI.items())
def test_a_name_in_devanagari_finds_the_agency(name: str, written: str) -> None:
    """First among three thousand others, and listed, for every letter that sounds was given.

    A vowel that the script leaves unwritten in another place than the list has it makes it "did you mean".
    """
    index = an_index([*NAMES, *IN_DEVANAGARI])
    found = check(written, index, TODAY)
    assert found.matches
    assert found.matches[0].agency.name == name
    assert found.verdict is (Verdict.LOOKALIKE if name == "Sanjeevtaru Enterprises" else Verdict.LISTED)


def test_an_english_word_in_devanagari_is_at_least_suggested() -> None:
    """Silent letters keep it from being sure; it must not be lost."""
    found = check("ब्लूलोटस रिक्रूटर्स", an_index([*NAMES, "Bluelotus Recruiters"]), TODAY)
    assert found.matches[0].agency.name == "Bluelotus Recruiters"


@pytest.mark.parametrize(("shortest", "most_suggested"), [(2, 0.2), (3, 0.05)])
def test_strangers_are_never_listed(shortest: int, most_suggested: float) -> None:
    """Names of the same make that are on no list: none listed; few suggested once they have three syllables.

    Of words of two syllables there are so few that one in seven strangers truly shares its telling word with a listed
    agency, or is one letter off: a suggestion is right then.
    """
    strangers = [name for name in some_names(1200, seed=99, shortest=shortest) if name not in set(NAMES)]
    verdicts = [check(name, INDEX, TODAY).verdict for name in strangers]
    assert verdicts.count(Verdict.LISTED) == 0
    suggested = 1 - verdicts.count(Verdict.NOT_FOUND) / len(verdicts)
    assert suggested <= most_suggested, suggested


def test_ten_thousand_rows_are_indexed_and_searched_quickly() -> None:
    """Measured on one busy core: built in about 1.2 s, p95 of a check under 5 ms; held here at three times that or more."""
    names = some_names(10_000, seed=5)
    start = time.process_time()
    index = an_index(names)
    assert time.process_time() - start < 5
    chance, spent = random.Random(6), []
    for name in chance.sample(names, 300):
        start = time.process_time()
        check(changed(name, chance), index, TODAY)
        spent.append(time.process_time() - start)
    assert sorted(spent)[int(len(spent) * 0.95)] < 0.015
