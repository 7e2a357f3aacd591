"""The phone numbers that an administrator has signed."""

from __future__ import annotations

from typing import Protocol

from bot.content.phones import Phones


class Forged(Exception):
    """What was signed has been changed by somebody without our key."""


class SignedPhones(Protocol):
    """What was signed last."""

    async def signed(self) -> Phones | None:
        """Return it, None if nothing was ever signed. Raise `Forged`."""
        ...

    async def sign(self, phones: Phones, *, first: bool = False) -> None:
        """Put them in force; *first*: only if nothing was signed before."""
        ...
