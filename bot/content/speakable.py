"""What a voice says for what we write: helpline numbers digit by digit, addresses in words, no list marks, no emoji."""

from __future__ import annotations

import re
import unicodedata
from typing import Final

#: A phone number: a short helpline, or groups of digits with hyphens. Amounts have a comma or stand under 100.
_HYPHENED: Final = re.compile(r"(?<![\w-])\d{3,5}(?:-\d{2,7}){1,3}(?![\w-])")
_BARE: Final = re.compile(r"(?<![\d,.])\d{3,6}(?![\d,.]*\d)")
_ADDRESS: Final = re.compile(r"(?<![\w@])(?:[a-z0-9-]+\.)+(?:in|org|com|net)(?:/[a-z0-9-]+)*", re.ASCII)
_BULLET: Final = re.compile(r"^\s*[•✓✗?]\s*", re.MULTILINE)
_CODES: Final = re.compile(r"\b[A-Z]{2,7}\b", re.ASCII)


def speakable(text: str, dot: str, numbers: frozenset[str]) -> str:
    """Return *text* for a voice. *numbers* are read digit by digit, as is everything written like a phone number.

    *dot* is how the locale says the dot in an address.
    """
    text = _ADDRESS.sub(lambda found: found[0].replace(".", f" {dot.strip()} ").replace("/", " "), text)
    text = _HYPHENED.sub(lambda found: _digits(found[0]), text)
    text = _BARE.sub(lambda found: _digits(found[0]) if found[0] in numbers else found[0], text)
    text = _CODES.sub(lambda found: " ".join(found[0]), text)
    text = _BULLET.sub("", text)
    return "".join(char for char in text if not _is_picture(char)).strip()


def _digits(number: str) -> str:
    return ", ".join(" ".join(group) for group in number.split("-"))


def _is_picture(char: str) -> bool:
    return unicodedata.category(char) in {"So", "Sk", "Cs"} or char in "\ufe0f\u2066\u2069"
