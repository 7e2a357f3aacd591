"""Voice notes by their first bytes."""

from __future__ import annotations

import pytest

from bot.domain.sounds import sound_type


@pytest.mark.parametrize(
    ("data", "mime"),
    [
        (b"OggS\0\2", "audio/ogg"),
        (b"\x1aE\xdf\xa3\x01", "audio/webm"),
        (b"\0\0\0\x18ftyp3gp4", "audio/mp4"),
        (b"\0\0\0\x18ftypM4A ", "audio/mp4"),
        (b"#!AMR\n", "audio/amr"),
        (b"ID3\x04", "audio/mpeg"),
        (b"\xff\xfb\x90\x00", "audio/mpeg"),
        (b"RIFF\0\0\0\0WAVE", ""),
        (b"\xff\xd8\xff\xe0", ""),
        (b"<html>", ""),
        (b"MZ\0", ""),
        (b"", ""),
    ],
)
def test_a_sound_is_told_by_its_bytes(data: bytes, mime: str) -> None:
    assert sound_type(data) == mime
