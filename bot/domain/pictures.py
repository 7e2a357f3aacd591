"""Pictures that people send: which kinds are taken, told by their first bytes and never by what they claim to be."""

from __future__ import annotations

from typing import Final

PICTURE_TYPES: Final = frozenset({"image/jpeg", "image/png", "image/webp"})
_WEBP_AT: Final = 8


def picture_type(data: bytes) -> str:
    """Return the MIME type that the first bytes show, "" when it is no picture we take."""
    if data.startswith(b"\xff\xd8\xff"):
        return "image/jpeg"
    if data.startswith(b"\x89PNG\r\n\x1a\n"):
        return "image/png"
    if data.startswith(b"RIFF") and data[_WEBP_AT : _WEBP_AT + 4] == b"WEBP":
        return "image/webp"
    return ""
