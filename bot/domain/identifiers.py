"""What a recruiter can be known again by: one number, account or name, in the form in which they are compared."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from bot.domain import text as forms

_PHONE_DIGITS: Final = 10
_HALF: Final = 5
_FOUR: Final = 4


class IdentifierKind(StrEnum):
    """What kind of thing it is."""

    PHONE = "phone"
    LICENCE = "licence"
    EMAIL = "email"
    WEB = "web"
    UPI = "upi"
    VEHICLE = "vehicle"
    ACCOUNT = "account"
    ALIAS = "alias"


@dataclass(frozen=True, slots=True, repr=False)
class Identifier:
    """One identifier in normal form; it says something about a person, so it never prints.

    phone: the last ten digits · licence: lower-case letters and digits · email, upi: lower case · web: domain, with the
    path where many share one · vehicle: `BR01AB1234` · account: digits · alias: the name as typed, tidied.
    """

    kind: IdentifierKind
    value: str

    @property
    def key(self) -> str:
        """Return what two writings of the same thing share: for an alias its sound, for all others the value."""
        if self.kind is not IdentifierKind.ALIAS:
            return self.value
        return " ".join(forms.fold(forms.romanise(token)) for token in forms.tokens(self.value))

    @property
    def shown(self) -> str:
        """Return it as people read it."""
        if self.kind is IdentifierKind.PHONE and len(self.value) == _PHONE_DIGITS:
            return f"{self.value[:_HALF]} {self.value[_HALF:]}"
        if self.kind is IdentifierKind.ACCOUNT:
            return " ".join(self.value[at : at + _FOUR] for at in range(0, len(self.value), _FOUR))
        return self.value.upper() if self.kind is IdentifierKind.LICENCE else self.value

    def __repr__(self) -> str:
        return f"Identifier({self.kind.value}, <{len(self.value)} characters>)"

    __str__ = __repr__
