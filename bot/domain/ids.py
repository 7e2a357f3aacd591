"""Identifiers that are derived, so that the same cause always has the same name."""

from __future__ import annotations

import hashlib

CASE_ID_LENGTH = 12


def case_id(conversation_id: str, version: int) -> str:
    """Return the id of the case that this version of the conversation opens: 12 hex digits.

    A turn that runs again after a crash names the same case, so it cannot open a second one.
    """
    digest = hashlib.sha256(f"case:{conversation_id}:{version}".encode()).hexdigest()
    return digest[:CASE_ID_LENGTH]


def outbox_id(conversation_id: str, version: int, index: int) -> str:
    """Return the id of the *index*-th message of a turn; ids of one conversation sort in sending order."""
    return f"{conversation_id}:{version:012d}:{index:03d}"
