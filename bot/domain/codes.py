"""Short codes on posters: signed, readable aloud, and never one slip of the hand from another.

Eight characters of a keyed hash and one check character, written as ABC-DEF-GHJ. The alphabet has no vowels, so that no
word comes out, and none of the pairs that look alike (0 O, 1 I L, 2 Z, 5 S, 6 G, 8 B, U V). Its length is a prime, so
that a weighted sum finds every single wrong character and every two that were swapped.
"""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass
from typing import Final

ALPHABET: Final = "23456789CDFHJKMNPRTVWXY"
BASE: Final = len(ALPHABET)
SIGNED: Final = 8
LENGTH: Final = SIGNED + 1
GROUP: Final = 3
#: Begins a code in a link, in Telegram's start payload and in WhatsApp's prefilled text.
MARK: Final = "sy_"
#: What stands round a code in a sentence.
AROUND: Final = ".,;:!?()[]<>\"'\u2066\u2069\u200e\u200f\u0964\u06d4"
#: Everyday things, known to a child; the words are messages `transit.word.<name>`.
THINGS: Final = (
    "river", "moon", "rain", "mountain", "bridge", "parrot", "frog", "fish",
    "horse", "camel", "mango", "rice", "milk", "salt", "bell", "needle",
)  # fmt: skip
FIRST_NUMBER: Final = 10
NUMBERS: Final = 90


@dataclass(frozen=True, slots=True)
class Phrase:
    """What a poster says and the bot repeats: two different things and a number of two digits."""

    first: str
    second: str
    number: int


@dataclass(frozen=True, slots=True)
class Written:
    """A code as it stands in a message, in its plain form, and the words round it."""

    code: str
    rest: str


def sign(key: bytes, *parts: str) -> str:
    """Return the code of these parts (place, purpose, series): the same for the same key, always."""
    value = int.from_bytes(_digest(key, "code", *parts)[:16])
    body = ""
    for _ in range(SIGNED):
        value, digit = divmod(value, BASE)
        body += ALPHABET[digit]
    return body + _check(body)


def phrase(key: bytes, *parts: str) -> Phrase:
    """Return the words that belong to the code of these parts."""
    value = int.from_bytes(_digest(key, "phrase", *parts)[:16])
    value, first = divmod(value, len(THINGS))
    value, other = divmod(value, len(THINGS) - 1)
    second = (first + 1 + other) % len(THINGS)
    return Phrase(THINGS[first], THINGS[second], FIRST_NUMBER + value % NUMBERS)


def is_whole(code: str) -> bool:
    """Say whether a plain code has the right length, characters and check character."""
    return len(code) == LENGTH and set(code) <= set(ALPHABET) and _sum(code) == 0


def plain(typed: str) -> str:
    """Return a code as we compare it, from what somebody typed; "" where it cannot be one."""
    bare = "".join(char for char in typed.strip(AROUND) if char not in "- ").upper()
    return bare if len(bare) == LENGTH and bare.isascii() and bare.isalnum() else ""


def spaced(code: str) -> str:
    """Return a code as it is printed: ABC-DEF-GHJ."""
    return "-".join(code[at : at + GROUP] for at in range(0, len(code), GROUP))


def find(text: str) -> Written | None:
    """Return the code that stands in *text* behind the mark, "" where something else does; None without a mark.

    A whole code goes before what only begins like one. The mark begins a word: "easy_jobs", "@sy_jobs" and an e-mail
    address hold none.
    """
    found = [written for at in _marks(text) if (written := _written(text, at))]
    return next((written for written in found if is_whole(written.code)), found[0] if found else None)


def _marks(text: str) -> list[int]:
    folded = text.casefold()
    if len(folded) != len(text):
        return []
    return [at for at in range(len(text)) if folded.startswith(MARK, at) and _begins_word(text[at - 1 : at])]


def _begins_word(before: str) -> bool:
    return not before.isalnum() and before not in {"@", "_"}


def _written(text: str, at: int) -> Written | None:
    tail = text[at + len(MARK) :]
    token = "".join(tail.split(maxsplit=1)[:1]) if not tail[:1].isspace() else ""
    if "@" in token:
        return None
    rest = f"{text[:at]} {tail[len(token) :]}".strip()
    return Written(plain(token), rest.strip(AROUND).strip())


def start(code: str) -> str:
    """Return what a link carries."""
    return f"{MARK}{code}"


def _digest(key: bytes, *parts: str) -> bytes:
    return hmac.new(key, "\x00".join(parts).encode(), hashlib.sha256).digest()


def _sum(code: str) -> int:
    """Weigh the characters by their places: neighbours, and any others, weigh differently."""
    return sum(weight * ALPHABET.index(char) for weight, char in enumerate(code, 1)) % BASE


def _check(body: str) -> str:
    """Return the character that brings the sum to nothing."""
    weight = len(body) + 1
    return ALPHABET[-_sum(body) * pow(weight, -1, BASE) % BASE]
