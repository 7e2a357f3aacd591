"""What a pasted text holds to look a recruiter up by: phones, licence numbers, e-mails, and the words that are left."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from bot.domain import text as forms

LONGEST: Final = 4000
PHONE_DIGITS: Final = 10
_GAP: Final = r"[ .\-()]{0,3}"
#: Phone numbers as written here, after digits became ASCII. Not word boundaries: look-arounds on digits alone.
_PHONE: Final = re.compile(rf"(?<!\d)(?:(?:\+|00)?91{_GAP}(?:0{_GAP})?|0{_GAP})??(\d(?:{_GAP}\d){{9}})(?!{_GAP}\d)")
_TIGHT_PHONE: Final = re.compile(r"(?<!\d)(?:(?:\+|00)?91[ \-]{0,2}|0[ \-]?)??(\d(?:[ \-]?\d){9})(?!\d)")
#: Numbers of other countries: the sign of a country code, then 8 to 14 digits.
_FOREIGN: Final = re.compile(rf"\+(\d(?:{_GAP}\d){{7,13}})(?!\d)")
#: One digit lost or one too many: never exact, only "did you mean".
_ODD: Final = re.compile(r"(?<!\d)(\d(?:[ \-]?\d){8}|\d(?:[ \-]?\d){10})(?!\d)")
#: Loose, only to pull a candidate out: nothing is approved or refused by its format.
_LICENCE: Final = re.compile(r"(?<![a-z])[a-z]{1,3}[ \-]?\d{2,6}(?:(?:[ ]?[/\\][ ]?|[_\-])[a-z0-9+.]{1,14}){2,7}")
_EMAIL: Final = re.compile(r"[a-z0-9._%+\-]{1,64}@[a-z0-9\-]{1,63}(?:\.[a-z0-9\-]{1,63}){1,4}")
_NOISE: Final = re.compile(r"(?:https?://|www\.)\S{1,200}|\S{1,64}@\S{1,64}")
_NOT_PLAIN: Final = re.compile(r"[^a-z0-9]+")
_LEAST_KEY: Final = 5
_LEAST_DIGITS: Final = 2
_BREAK: Final = " | "


@dataclass(frozen=True, slots=True)
class Query:
    """What was asked: phones as ten digits, licences as letters and digits in lower case, e-mails, the name.

    odd_phones: 9 or 11 digits; maybe_licences: other mixes of letters and digits, to be looked up but never held
    against an agency.
    """

    phones: tuple[str, ...]
    licences: tuple[str, ...]
    name: str
    emails: tuple[str, ...] = ()
    odd_phones: tuple[str, ...] = ()
    maybe_licences: tuple[str, ...] = ()


def extract(text: str) -> Query:
    """Read a query: a name, a number, or a whole message; what stands after 4,000 characters is not read."""
    lines = text[:LONGEST].splitlines()
    plain = _BREAK.join(line for part in lines if (line := forms.normalise(part)))
    emails, rest = _taken(_EMAIL, plain)
    licences, rest = _taken(_LICENCE, _NOISE.sub(_BREAK, rest))
    foreign, rest = _taken(_FOREIGN, rest)
    tight, rest = _taken(_TIGHT_PHONE, rest)
    phones, rest = _taken(_PHONE, rest)
    odd, rest = _taken(_ODD, rest)
    maybe = [licence_key(plain)] if len(lines) == 1 else []
    maybe += [key for part in rest.split() if (key := licence_key(part)) and _may_be_licence(key)]
    return Query(
        phones=_unique(phone_key(found) for found in (*foreign, *tight, *phones)),
        licences=_unique(licence_key(found) for found in licences),
        name=" ".join(rest.split()).strip("| "),
        emails=_unique(emails),
        odd_phones=_unique(forms.digits_of(found) for found in odd),
        maybe_licences=_unique(key for key in maybe if _may_be_licence(key)),
    )


def licence_key(licence: str) -> str:
    """Return the form in which licence numbers are compared: letters and digits only."""
    plain = forms.normalise(licence)
    return _NOT_PLAIN.sub("", plain) if plain.isascii() else "".join(char for char in plain if char.isalnum())


def phone_key(phone: str) -> str:
    """Return the last ten digits of a phone number."""
    return forms.digits_of(phone)[-PHONE_DIGITS:]


def email_key(email: str) -> str:
    """Return the form in which e-mail addresses are compared."""
    return forms.normalise(email)


def _taken(pattern: re.Pattern[str], text: str) -> tuple[list[str], str]:
    """Return what *pattern* finds and the text without it; the gap stays a break between two things said."""
    return pattern.findall(text), pattern.sub(_BREAK, text)


def _may_be_licence(key: str) -> bool:
    return len(key) >= _LEAST_KEY and sum(char.isdigit() for char in key) >= _LEAST_DIGITS


def _unique(found: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(found))
