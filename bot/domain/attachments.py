"""Files that people send: what they are by their first bytes, which are refused, what a responder may see of them."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from bot.domain.pictures import PICTURE_TYPES, picture_type


class FileKind(StrEnum):
    """What a file is, whatever it says of itself."""

    PICTURE = "picture"
    SOUND = "sound"
    FILM = "film"
    PDF = "pdf"
    OFFICE = "office"
    ARCHIVE = "archive"
    WEB_PAGE = "web_page"
    PROGRAM = "program"
    TEXT = "text"
    OTHER = "other"


class CopyState(StrEnum):
    """Whether there is a clean copy: one on its way, one made, one refused, or none for files of this kind."""

    FETCHING = "fetching"
    WAITING = "waiting"
    MADE = "made"
    REFUSED = "refused"
    NONE = "none"


#: Of these a clean copy is made; everything else is named by kind and size, and never shown.
COPIED: Final = frozenset({FileKind.PICTURE, FileKind.SOUND})
EXTENSIONS: Final = {
    FileKind.SOUND: "audio", FileKind.FILM: "video", FileKind.PDF: "pdf", FileKind.OFFICE: "office",
    FileKind.ARCHIVE: "zip", FileKind.WEB_PAGE: "page", FileKind.TEXT: "txt",
}  # fmt: skip
#: What phones film in, as channels name it: MP4, 3GP and WebM show by their first bytes that they are films.
FILM_TYPES: Final = frozenset({"video/mp4", "video/3gpp", "video/webm"})
_PICTURE_ENDINGS: Final = {"image/jpeg": "jpg", "image/png": "png", "image/webp": "webp"}

#: (where, first bytes, kind). A container that holds sound or film is a film unless it was sent as sound.
_SIGNS: Final = (
    (0, b"OggS", FileKind.SOUND),
    (0, b"ID3", FileKind.SOUND),
    (0, b"#!AMR", FileKind.SOUND),
    (0, b"fLaC", FileKind.SOUND),
    (8, b"WAVE", FileKind.SOUND),
    (4, b"ftypM4A", FileKind.SOUND),
    (4, b"ftyp", FileKind.FILM),
    (0, b"\x1aE\xdf\xa3", FileKind.FILM),
    (8, b"AVI ", FileKind.FILM),
    (0, b"%PDF-", FileKind.PDF),
    (0, b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", FileKind.OFFICE),
    (0, b"{\\rtf", FileKind.OFFICE),
    (0, b"\x1f\x8b", FileKind.ARCHIVE),
    (0, b"BZh", FileKind.ARCHIVE),
    (0, b"7z\xbc\xaf\x27\x1c", FileKind.ARCHIVE),
    (0, b"Rar!\x1a\x07", FileKind.ARCHIVE),
    (0, b"\xfd7zXZ\0", FileKind.ARCHIVE),
    (0, b"\x7fELF", FileKind.PROGRAM),
    (0, b"#!", FileKind.PROGRAM),
    (0, b"dex\n", FileKind.PROGRAM),
    (0, b"\xca\xfe\xba\xbe", FileKind.PROGRAM),
    (0, b"\xcf\xfa\xed\xfe", FileKind.PROGRAM),
    (0, b"L\0\0\0\x01\x14\x02\0", FileKind.PROGRAM),
)
#: The harmless file by which virus scanners are tried out; scanners behind us would stop it too.
_TEST_VIRUS: Final = b"EICAR-STANDARD-ANTIVIRUS-TEST-FILE"
_ZIP: Final = b"PK\x03\x04"
_APP: Final = (b"AndroidManifest.xml", b"classes.dex", b"META-INF/MANIFEST.MF")
_MACRO: Final = b"vbaProject.bin"
_LOOKED_AT: Final = 4096
_PAGE_SIGNS: Final = (b"<!doctype html", b"<html", b"<head", b"<body", b"<script", b"<svg", b"<?xml", b"<iframe")
#: MPEG audio and AAC begin with one of these after a byte of ones; a byte order mark does not.
_MPEG: Final = frozenset((0xFA, 0xFB, 0xF2, 0xF3, 0xE2, 0xE3, 0xF1, 0xF9))
#: So far into a file its head goes: a Windows program has a zero there, words that begin alike have none.
_HEAD: Final = 64


@dataclass(frozen=True, slots=True)
class Attachment:
    """What is known of one file. id: the transcript's line it came with; size in bytes; why: the id of a refusal.

    hidden: a responder has said that it must not be shown again; sealed: the original is here. left: there was no room
    for it, so that it was not fetched; elsewhere: it may still be had where it came from.
    """

    id: str
    number: int
    kind: FileKind
    size: int
    copy: CopyState
    why: str = ""
    hidden: bool = False
    sealed: bool = False
    left: bool = False
    elsewhere: bool = False

    @property
    def shown(self) -> bool:
        """Say whether its clean copy may be seen or heard."""
        return self.copy is CopyState.MADE and not self.hidden

    @property
    def may_be_asked_for(self) -> bool:
        """Say whether the sealed original could be opened with a second person: never what must not be shown."""
        return self.sealed and not self.hidden and self.kind is not FileKind.PROGRAM


def kind_of(data: bytes, claimed: str = "") -> FileKind:
    """Return what *data* is. *claimed*, its MIME type, only tells sound from film in a container of both."""
    if _TEST_VIRUS in data[:_LOOKED_AT] or (data.startswith(b"MZ") and b"\0" in data[:_HEAD]):
        return FileKind.PROGRAM
    if picture_type(data):
        return FileKind.PICTURE
    found = next((kind for at, sign, kind in _SIGNS if data[at : at + len(sign)] == sign), None)
    if found is FileKind.FILM and claimed.startswith("audio/"):
        return FileKind.SOUND
    if found:
        return found
    if data.startswith(_ZIP):
        return _packed(data)
    if data[:1] == b"\xff" and not _MPEG.isdisjoint(data[1:2]):
        return FileKind.SOUND
    return _written(data[:_LOOKED_AT])


def _packed(data: bytes) -> FileKind:
    """Tell apps and papers with macros, papers, and plain archives apart by the names that a ZIP holds in clear."""
    if _MACRO in data or any(name in data for name in _APP):
        return FileKind.PROGRAM
    office = b"[Content_Types].xml" in data or b"opendocument" in data[:_LOOKED_AT]
    return FileKind.OFFICE if office else FileKind.ARCHIVE


def _written(head: bytes) -> FileKind:
    begins = head.lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if any(sign in begins for sign in _PAGE_SIGNS):
        return FileKind.WEB_PAGE
    try:
        text = head.decode() if len(head) < _LOOKED_AT else head[: -len("\u20ac".encode())].decode(errors="ignore")
    except UnicodeDecodeError:
        return FileKind.OTHER
    return FileKind.TEXT if text and all(char.isprintable() or char in "\r\n\t" for char in text) else FileKind.OTHER


def refusal(claimed: str, kind: FileKind) -> str:
    """Return why a file is not kept at all, "" for one that is: programs, and what is not the kind it was sent as."""
    if kind is FileKind.PROGRAM:
        return "program"
    wrong_picture = claimed in PICTURE_TYPES and kind is not FileKind.PICTURE
    wrong_sound = claimed.startswith("audio/") and kind is not FileKind.SOUND
    wrong_film = claimed in FILM_TYPES and kind is not FileKind.FILM
    return "not_as_claimed" if wrong_picture or wrong_sound or wrong_film else ""


def neutral_name(case_id: str, number: int, kind: FileKind, data: bytes = b"") -> str:
    """Return a file name that tells nothing of the person: never the one it came with."""
    ending = _PICTURE_ENDINGS.get(picture_type(data), "") or EXTENSIONS.get(kind, "bin")
    return f"original-{case_id}-{number}.{ending}"
