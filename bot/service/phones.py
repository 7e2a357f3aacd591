"""No file changes a phone number that people are told: an administrator must have signed it."""

from __future__ import annotations

import logging
from collections.abc import Sequence

from bot.content.model import Content
from bot.content.phones import Change, held, phones_of
from bot.ports import Forged, SignedPhones

log = logging.getLogger(__name__)
FORGED = Change("the signature", (), ())


async def hold_phones(content: Content, store: SignedPhones) -> tuple[Content, Sequence[Change]]:
    """Return the content with the signed numbers, and what it would have changed; the first content is signed as it is.

    What only adds signed numbers to new messages, or says less, is signed along.
    """
    try:
        signed = await store.signed()
    except Forged:
        log.error("the signed phone numbers were changed by somebody without our key")  # noqa: TRY400
        return content, (FORGED,)
    if signed is None:
        await store.sign(phones_of(content), first=True)
        return content, ()
    safe, changes = held(content, signed)
    if not changes and phones_of(content) != signed:
        await store.sign(phones_of(content))
    for change in changes:
        log.error("a phone number is not signed", extra={"place": change.place})
    return safe, changes


async def unsigned_phones(content: Content, store: SignedPhones) -> Sequence[Change]:
    """Return what *content* names otherwise than was signed."""
    try:
        signed = await store.signed()
    except Forged:
        return (FORGED,)
    return held(content, signed)[1] if signed else ()


async def sign_phones(content: Content, store: SignedPhones) -> None:
    """Put the numbers of *content* in force."""
    await store.sign(phones_of(content))
