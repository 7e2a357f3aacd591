"""Files: what they are by their bytes, which are refused, and names that tell nothing."""

from __future__ import annotations

import io
import zipfile

import pytest

from bot.domain.attachments import Attachment, CopyState, FileKind, kind_of, neutral_name, refusal
from tests import pictures


def packed(*names: str) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as file:
        for name in names:
            file.writestr(name, "x")
    return out.getvalue()


EICAR = rb"X5O!P%@AP[4\PZX54(P^)7CC)7}$" + b"EICAR-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*"
FILES = {
    "jpeg": (pictures.picture("jpeg"), FileKind.PICTURE),
    "png": (pictures.picture("png"), FileKind.PICTURE),
    "opus": (pictures.sound(), FileKind.SOUND),
    "mp3": (pictures.sound("mp3", "libmp3lame"), FileKind.SOUND),
    "aac": (pictures.sound("adts", "aac"), FileKind.SOUND),
    "wav": (pictures.sound("wav", "pcm_s16le"), FileKind.SOUND),
    "gif": (b"GIF89a\x01\0\x01\0", FileKind.OTHER),
    "pdf": (b"%PDF-1.7\n", FileKind.PDF),
    "docx": (packed("[Content_Types].xml", "word/document.xml"), FileKind.OFFICE),
    "docm": (packed("[Content_Types].xml", "word/vbaProject.bin"), FileKind.PROGRAM),
    "old doc": (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 64, FileKind.OFFICE),
    "zip": (packed("a.txt", "b.zip"), FileKind.ARCHIVE),
    "apk": (packed("AndroidManifest.xml", "classes.dex"), FileKind.PROGRAM),
    "gzip": (b"\x1f\x8b\x08\0" + b"\0" * 60, FileKind.ARCHIVE),
    "elf": (b"\x7fELF\x02\x01\x01" + b"\0" * 60, FileKind.PROGRAM),
    "exe": (b"MZ\x90\0\x03\0\0\0" + b"\0" * 60, FileKind.PROGRAM),
    "script": (b"#!/bin/sh\nrm -rf /\n", FileKind.PROGRAM),
    "test virus": (EICAR, FileKind.PROGRAM),
    "html": (b"\n <!DOCTYPE html><script>alert(1)</script>", FileKind.WEB_PAGE),
    "svg": (b'<?xml version="1.0"?><svg onload="x"/>', FileKind.WEB_PAGE),
    "words of Mizoram": (b"MZ 01 AB 1234 is the bus", FileKind.TEXT),
    "hindi": ("मुझे बचाओ\n".encode() * 600, FileKind.TEXT),
    "utf-16": (b"\xff\xfeh\0e\0", FileKind.OTHER),
    "noise": (bytes(range(256)), FileKind.OTHER),
    "nothing": (b"", FileKind.OTHER),
}


@pytest.mark.parametrize("name", FILES)
def test_a_file_is_what_its_bytes_say(name: str) -> None:
    data, kind = FILES[name]
    assert kind_of(data) is kind
    assert kind_of(data, "image/jpeg") is kind


@pytest.mark.parametrize("container", ["mp4", "webm"])
def test_a_container_is_sound_only_where_it_was_sent_as_sound(container: str) -> None:
    data = pictures.sound(container, "aac" if container == "mp4" else "libopus")
    assert kind_of(data, "audio/mp4") is FileKind.SOUND
    assert kind_of(data, "video/mp4") is kind_of(data) is FileKind.FILM


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("claimed", ["image/jpeg", "audio/ogg", "video/mp4", "video/3gpp", "application/pdf"])
def test_what_is_not_as_claimed_is_refused(name: str, claimed: str) -> None:
    """G2, G7: HTML, ZIP and ELF as a picture or a voice note; programs whatever they say of themselves."""
    data, kind = FILES[name]
    films = dict.fromkeys(("video/mp4", "video/3gpp"), FileKind.FILM)
    wanted = {"image/jpeg": FileKind.PICTURE, "audio/ogg": FileKind.SOUND, **films}.get(claimed, kind)
    why = "program" if kind is FileKind.PROGRAM else "" if kind is wanted else "not_as_claimed"
    assert refusal(claimed, kind_of(data, claimed)) == why


def test_names_come_from_us_alone() -> None:
    """G1: no part of a name is the person's."""
    data, kind = FILES["jpeg"]
    assert neutral_name("0123456789ab", 3, kind, data) == "original-0123456789ab-3.jpg"
    assert neutral_name("0123456789ab", 4, FileKind.WEB_PAGE) == "original-0123456789ab-4.page"
    assert neutral_name("0123456789ab", 5, FileKind.OTHER) == "original-0123456789ab-5.bin"


def test_what_must_not_be_shown_is_neither_shown_nor_asked_for() -> None:
    shown = Attachment("n", 1, FileKind.PICTURE, 9, CopyState.MADE, sealed=True)
    hidden = Attachment("n", 1, FileKind.PICTURE, 9, CopyState.MADE, hidden=True, sealed=True)
    assert shown.shown and shown.may_be_asked_for
    assert not hidden.shown and not hidden.may_be_asked_for
    assert not Attachment("n", 1, FileKind.PDF, 9, CopyState.NONE, sealed=True).shown
    assert not Attachment("n", 1, FileKind.OTHER, 0, CopyState.FETCHING).may_be_asked_for
