"""How far two folded names are apart for the ear and the eye: errors that people make cost less than others.

Costs are in letters: 1 for a letter that is simply another, less for what scripts, chats and bad photos confuse.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Final

from bot.recruiters.names import as_heard, coarse

VOWELS: Final = frozenset("aeiou")
ANY_VOWEL: Final = 0.7
NEAR_VOWEL: Final = 0.45
SAME_CLASS: Final = 0.6
SCHWA: Final = 0.3
VOWEL: Final = 0.6
BREATH: Final = 0.3
#: Urdu leaves short vowels out, and long ones stand for several sounds.
UNWRITTEN: Final = 0.15
SWAP: Final = 1.0
LOOKS_LIKE: Final = 0.5
_NEAR: Final = frozenset({"ie", "ei", "uo", "ou", "ae", "ea", "ao", "oa"})
_ALIKE: Final = frozenset(
    {
        "li",
        "il",
        "ec",
        "ce",
        "hn",
        "nh",
        "uv",
        "vu",
        "tf",
        "ft",
        "1l",
        "l1",
        "0o",
        "o0",
        "5s",
        "s5",
        "6b",
        "b6",
        "1i",
        "i1",
    }
)
_MOST_CACHED: Final = 10_000


def distance(left: str, right: str, script: str, most: float) -> float:
    """Return the cost of turning *left* into *right*, or something above *most* as soon as that is sure.

    *script*: the one that is not Latin, where one of the two is written in it ("" where both are in the same).
    """
    if script:
        left, right = as_heard(left, script), as_heard(right, script)
    if left == right:
        return 0.0
    before: list[float] = []
    row = [0.0]
    for letter in right:
        row.append(row[-1] + _lost(letter, script))
    for at, own in enumerate(left):
        lost = _lost(own, script)
        following = [row[0] + lost]
        for place, other in enumerate(right):
            cost = row[place]
            if own != other:
                added = following[place] + _lost(other, script)
                cost = min(cost + _changed(own, other, script), row[place + 1] + lost, added)
            if at and place and own == right[place - 1] and other == left[at - 1] and own != other:
                cost = min(cost, before[place - 1] + SWAP)
            following.append(cost)
        if min(following) > most:
            return most + 1
        before, row = row, following
    return row[-1]


@lru_cache(maxsize=_MOST_CACHED)
def _lost(letter: str, script: str) -> float:
    if script == "Arab" and letter in VOWELS:
        return UNWRITTEN
    if letter == "a":
        return SCHWA if script else VOWEL
    if letter in VOWELS:
        return VOWEL
    return BREATH if letter == "h" else 1.0


@lru_cache(maxsize=_MOST_CACHED)
def _changed(own: str, other: str, script: str) -> float:
    pair = own + other
    if own in VOWELS and other in VOWELS:
        return UNWRITTEN * 2 if script == "Arab" else NEAR_VOWEL if pair in _NEAR else ANY_VOWEL
    if pair in _ALIKE:
        return LOOKS_LIKE
    if own in VOWELS or other in VOWELS:
        return 1.0
    return SAME_CLASS if coarse(own) == coarse(other) != "" else 1.0
