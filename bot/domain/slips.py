"""The slip: a number of sixteen digits by which whoever has told of something asks how it stands.

It looks like a serial number, is drawn by chance, and says only where the matter stands.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection
from enum import StrEnum
from typing import Final

from bot.domain.cases import CaseState

LENGTH: Final = 16
GROUP: Final = 4
#: A number written in any way is no longer than this, with all that stands between its digits.
LONGEST: Final = 80
HIDDEN: Final = "••••-••••-••••-••••"
#: What may stand between two digits: blanks, dashes, dots, and signs of direction that a copied text carries along.
_BETWEEN: Final = r"[\s.\-\u00ad\u2010-\u2015\u200b-\u200f\u2066-\u2069]{0,4}"
_RUN: Final = re.compile(rf"(?<!\d)\d(?:{_BETWEEN}\d){{{LENGTH - 1}}}(?!\d)")


class Standing(StrEnum):
    """What is said of a number, and all that is said of it.

    `waiting` is said of a matter that nobody has taken up, and of a number that belongs to nothing (any more).
    """

    WAITING = "waiting"
    WORKING = "working"
    PASSED = "passed"
    OVER = "over"
    LATER = "later"


_STANDINGS: Final = {
    CaseState.RECEIVED: Standing.WAITING,
    CaseState.PAGED: Standing.WAITING,
    CaseState.ACKNOWLEDGED: Standing.WORKING,
    CaseState.ACTIVE: Standing.WORKING,
    CaseState.REFERRED: Standing.PASSED,
    CaseState.CLOSED: Standing.OVER,
}


def standing_of(state: CaseState | None) -> Standing:
    """Return what is said of a case in this state; None: there is no such case."""
    return _STANDINGS[state] if state else Standing.WAITING


def written(drawn: int) -> str:
    """Return a number drawn below ten to the sixteenth as its digits, noughts in front included."""
    return f"{drawn:0{LENGTH}d}"


def grouped(number: str) -> str:
    """Return the digits as people read them: `4821-7730-1945-6602`. Hyphens keep their order in Urdu too."""
    return "-".join(number[at : at + GROUP] for at in range(0, len(number), GROUP))


def number_in(text: str) -> str:
    """Return the sixteen digits that the whole *text* is, of any script and however grouped, as ASCII; else ""."""
    found = (
        _RUN.fullmatch(text.strip().strip("\u200e\u200f\u2066\u2067\u2068\u2069.")) if len(text) <= LONGEST else None
    )
    return _digits(found.group()) if found else ""


def numbers_in(text: str) -> tuple[str, ...]:
    """Return every run of sixteen digits in *text*, as ASCII."""
    return tuple(_digits(run) for run in _RUN.findall(text))


def without(text: str, numbers: Collection[str]) -> str:
    """Return *text* with these numbers hidden."""
    return _RUN.sub(lambda found: HIDDEN if _digits(found.group()) in numbers else found.group(), text)


def _digits(run: str) -> str:
    return "".join(str(unicodedata.decimal(char)) for char in run if char.isdecimal())
