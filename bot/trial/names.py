"""Made-up agencies by the hundred thousand: names of coined and common words, each known by its sounds.

A sound is one of `CONSONANTS` or `VOWELS`; a word is a row of sounds, so it can be written in Latin letters and in
every script without going through our own romaniser. The same seed gives the same names.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

from bot.domain.agencies import Agency, Standing

CONSONANTS: Final = (
    "k",
    "kh",
    "g",
    "gh",
    "ch",
    "j",
    "jh",
    "t",
    "th",
    "d",
    "dh",
    "n",
    "p",
    "ph",
    "b",
    "bh",
    "m",
    "y",
    "r",
    "l",
    "v",
    "sh",
    "s",
    "h",
)
VOWELS: Final = ("a", "aa", "i", "ii", "u", "uu", "e", "ai", "o", "au")
_OFTEN: Final = (9, 7, 5, 2, 3, 1, 3, 1, 2, 1)
_CODAS: Final = ("n", "r", "l", "s", "k", "t", "m")
#: Common words, as sounds: the rows that thousands of names share.
COMMON: Final = tuple(
    tuple(word.split())
    for word in (
        "r aa j", "k u m aa r", "s i ng", "sh a r m aa", "l a k sh m ii", "g a n e sh", "k r i sh n a", "sh i v", "v i sh v a",
        "b h aa r a t", "n a v", "j y o t i", "p r a k aa sh", "s u r y a", "ch a n d r a", "g a n g aa", "h i m aa l a y",
        "g o p aa l", "m o h a n", "r aa m", "s ii t aa", "d u r g aa", "a m r i t", "j ii v a n", "u d a y", "v i k aa s",
        "p r e m", "s a t y a", "sh aa n t i", "s e v aa", "d h a n", "k i r a n", "m e gh", "n ii l", "p a v a n", "r a t a n",
    )
)  # fmt: skip
FILLERS: Final = (
    ("overseas",), ("international",), ("manpower", "service"), ("hr", "consultant"), ("travel",), ("enterprise",), ("placement", "service"),
    ("recruiter",), ("consultancy", "service"), ("global", "solution"), ("labour", "contractor"), ("security", "service"), ("human", "resource"),
    ("staffing", "solution"), ("tour", "travel"), ("associates",), ("group",),
)  # fmt: skip
LEGAL: Final = ((), (), ("pvt", "ltd"), ("llp",), ("ltd",))
PLACES: Final = (
    "Patna",
    "Lucknow",
    "Hyderabad",
    "Kochi",
    "Chennai",
    "Mumbai",
    "Ranchi",
    "Bhubaneswar",
    "Guwahati",
    "Jaipur",
)
_MOST_TRIES: Final = 50

Sounds = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class MadeUp:
    """One made-up name: telling words as sounds or initials (upper-case letters), fillers by what they stand for."""

    words: tuple[Sounds, ...]
    trade: tuple[str, ...]
    legal: tuple[str, ...]


def made_up(count: int, seed: int, apart_from: frozenset[MadeUp] = frozenset()) -> list[MadeUp]:
    """Return *count* different names; none has the telling words of one in *apart_from*."""
    chance = random.Random(seed)  # noqa: S311 - nothing here is secret
    taken = {name.words for name in apart_from}
    found: list[MadeUp] = []
    for _ in range(count):
        for _ in range(_MOST_TRIES):
            words = _telling(chance)
            if words not in taken:
                break
        taken.add(words)
        found.append(MadeUp(words, chance.choice(FILLERS), chance.choice(LEGAL)))
    return found


def agencies(spelt: Sequence[str], today: date) -> Iterator[Agency]:
    """Yield one row for each name, with all its contacts: nine in ten active, the rest lapsed; numbers that nobody can have."""
    for at, written in enumerate(spelt):
        active = at % 10 != 0
        yield Agency(
            id=str(at), name=written, licence=f"B-{at:06}/SAM/PER/100/5/{at * 7919 % 999983:06}/2022",
            standing=Standing.ACTIVE if active or at % 20 else Standing.CANCELLED,
            valid_until=today + timedelta(days=300 if active else -30), place=PLACES[at % len(PLACES)],
            phones=(f"0{at * 7351 % 999999937:09}",), emails=(f"office{at}@made-up.example",), source="made-up",
            webs=(f"https://www.made-up-{at}.example",) if at % 2 else (), upis=(f"made.up{at}@okbank",) if at % 3 else (),
            address=f"Plot {at % 997}, {COMMON[at % len(COMMON)][0]}{at % 61} Road, Ward {at % 89}",
        )  # fmt: skip


def _telling(chance: random.Random) -> tuple[Sounds, ...]:
    """Return telling words: mostly one coined word, alone or beside a common one, sometimes initials."""
    kind = chance.random()
    if kind < 0.1:  # noqa: PLR2004 - the shares that are written beside
        return (tuple(chance.choices("ABCDGHJKLMNPRSTV", k=3)), _coined(chance, 3))  # 10 in 100
    if kind < 0.4:  # noqa: PLR2004
        return (_coined(chance, 4),)  # 30
    if kind < 0.8:  # noqa: PLR2004
        pair = [chance.choice(COMMON), _coined(chance, 3)]  # 40
        chance.shuffle(pair)
        return tuple(pair)
    return (_coined(chance, 2), _coined(chance, 3))  # 20


def _coined(chance: random.Random, least: int) -> Sounds:
    """Return a word of *least* syllables or one more."""
    sounds: list[str] = []
    size = chance.randint(least, least + 1)
    for at in range(size):
        if at or chance.random() < 0.9:  # noqa: PLR2004 - one word in ten begins with a vowel
            sounds.append(chance.choice(CONSONANTS))
        sounds.append(chance.choices(VOWELS, _OFTEN)[0])
        if at < size - 1 and chance.random() < 0.15:  # noqa: PLR2004 - a consonant closes some syllables
            sounds.append(chance.choice(_CODAS))
    if chance.random() < 0.6:  # noqa: PLR2004 - most words end in a consonant
        sounds.append(chance.choice(_CODAS))
    return tuple(sounds)
