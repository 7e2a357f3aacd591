"""Voice notes that come as files: which kinds are taken, told by their first bytes and never by their names."""

from __future__ import annotations

from typing import Final

from bot.domain.attachments import FileKind, kind_of

#: (where, first bytes, MIME type); what else is a sound to us and none of these is MPEG.
_SIGNS: Final = (
    (0, b"OggS", "audio/ogg"),
    (0, b"\x1aE\xdf\xa3", "audio/webm"),
    (4, b"ftyp", "audio/mp4"),
    (0, b"#!AMR", "audio/amr"),
    (0, b"ID3", "audio/mpeg"),
)
_NOT_TAKEN: Final = ((0, b"fLaC"), (8, b"WAVE"))


def sound_type(data: bytes) -> str:
    """Return the MIME type that the first bytes show, "" when it is no voice note we take."""
    if any(data[at : at + len(sign)] == sign for at, sign in _NOT_TAKEN):
        return ""
    found = next((mime for at, sign, mime in _SIGNS if data[at : at + len(sign)] == sign), "")
    return found or ("audio/mpeg" if kind_of(data, "audio/mpeg") is FileKind.SOUND else "")
