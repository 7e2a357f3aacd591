"""What a pasted text holds to look a recruiter up by: phones, licence numbers, and the words that are left."""

from __future__ import annotations

import re
from dataclasses import dataclass

from bot.domain import text as forms

LONGEST = 4000
#: Phone numbers as written here, after digits became ASCII. Not word boundaries: look-arounds on digits alone.
_PHONE = re.compile(r"(?<!\d)(?:\+?91[ \-]{0,2}|0)?(\d(?:[ \-]?\d){9})(?!\d)")
#: Loose, only to pull a candidate out: nothing is approved or refused by its format.
_LICENCE = re.compile(r"[a-z]{1,3}[ \-]?\d{2,6}(?:[ ]?/[ ]?[a-z0-9+.\-]{1,14}){2,7}")
_NOISE = re.compile(r"(?:https?://|www\.)\S{1,200}|\S{1,64}@\S{1,64}")


@dataclass(frozen=True, slots=True)
class Query:
    """Phones as ten digits, licences without spaces in lower case, and the rest as the name."""

    phones: tuple[str, ...]
    licences: tuple[str, ...]
    name: str


def extract(text: str) -> Query:
    """Read a query: a name, a number, or a whole message."""
    plain = forms.normalise(text[:LONGEST])
    licences = tuple(dict.fromkeys(licence_key(found) for found in _LICENCE.findall(plain)))
    rest = _LICENCE.sub(" ", plain)
    phones = tuple(dict.fromkeys(forms.digits_of(found) for found in _PHONE.findall(rest)))
    rest = _NOISE.sub(" ", _PHONE.sub(" ", rest))
    return Query(phones, licences, " ".join(rest.split()))


def licence_key(licence: str) -> str:
    """Return the form in which licence numbers are compared: letters and digits only."""
    return "".join(char for char in forms.normalise(licence) if char.isalnum())


def phone_key(phone: str) -> str:
    """Return the last ten digits of a phone number."""
    return forms.digits_of(phone)[-10:]
