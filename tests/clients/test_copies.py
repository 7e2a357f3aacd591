"""Clean copies: nothing is left of what came with a picture or a sound, and bombs stop at their head."""

from __future__ import annotations

import asyncio
import io
import struct
import subprocess
import sys
import zlib

import av
import pytest
from PIL import Image

from bot.clients import copier
from bot.clients.copies import ChildCopies
from bot.domain.attachments import FileKind
from bot.ports import CopyFailed
from tests import pictures

CANARY = b"CANARY-7f3a"
NOISE = b"".join(bytes((at * 37 % 251,)) for at in range(120 * 80))
THUMBNAIL = pictures.picture("jpeg", 16, 16, bytes(range(256)))
XMP = b'<x:xmpmeta xmlns:x="adobe:ns:meta/">' + CANARY + b"</x:xmpmeta>"


def exif() -> Image.Exif:
    """GPS, maker notes that hold a small picture, serial number, owner."""
    made = Image.Exif()
    made[0x010F], made[0x0110], made[0xA431] = "MAKER-CANARY-7f3a", "MODEL-CANARY-7f3a", "SERIAL-CANARY-7f3a"
    made.get_ifd(0x8769)[0x927C] = CANARY + THUMBNAIL
    gps = made.get_ifd(0x8825)
    gps[1], gps[2], gps[3], gps[4] = "N", (25.0, 36.0, 41.0), "E", (85.0, 8.0, 38.0)
    gps[29] = "2026:11:24"
    return made


def told(kind: str, width: int = 64, height: int = 48) -> bytes:
    """A picture that tells everything a phone may put into one."""
    out = io.BytesIO()
    image = Image.linear_gradient("L").resize((width, height)).convert("RGB")
    image.save(out, kind, exif=exif(), **({} if kind == "PNG" else {"xmp": XMP}))
    data = out.getvalue()
    if kind == "JPEG":
        comment = b"\xff\xfe" + struct.pack(">H", len(CANARY) + 2) + CANARY
        return data[:2] + comment + data[2:] + CANARY
    if kind == "PNG":
        text = b"tEXtComment\0" + CANARY
        chunk = struct.pack(">I", len(text) - 4) + text + struct.pack(">I", zlib.crc32(text))
        return data[:33] + chunk + data[33:] + CANARY
    return data


def traces(data: bytes) -> list[str]:
    """What a byte scan finds of it."""
    wanted = {
        "canary": CANARY, "exif": b"Exif", "gps": struct.pack(">II", 25, 1), "gps little": struct.pack("<II", 25, 1),
        "date": b"2026:11:24", "xmp": b"xmpmeta", "thumbnail": THUMBNAIL[200:300], "icc": b"ICC_PROFILE",
        "maker": b"MAKER", "app1": b"\xff\xe1", "comment": b"\xff\xfe",
    }  # fmt: skip
    header = data[: data.find(b"\xff\xda")] if data.startswith(b"\xff\xd8") else data
    return [name for name, sign in wanted.items() if sign in (header if name in {"app1", "comment"} else data)]


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
async def test_a_byte_scan_finds_nothing_in_the_copy_of_a_picture(kind: str) -> None:
    """G3: GPS, maker notes, thumbnail, XMP, comments and what hangs on at the end are in the original, not in the copy."""
    original = told(kind)
    assert {"canary", "thumbnail", "date"} <= set(traces(original))
    copy = await ChildCopies().copy(FileKind.PICTURE, original)
    assert copy.mime == "image/jpeg" and traces(copy.data) == []
    with Image.open(io.BytesIO(copy.data)) as seen:
        assert (
            seen.size == (64, 48)
            and not seen.getexif()
            and set(seen.info) <= {"jfif", "jfif_version", "jfif_unit", "jfif_density"}
        )
        assert abs(seen.convert("L").getpixel((32, 5)) - 25) < 25  # type: ignore[operator]


@pytest.mark.parametrize(("orientation", "size"), [(1, (120, 80)), (3, (120, 80)), (6, (80, 120)), (8, (80, 120))])
def test_a_copy_is_upright(orientation: int, size: tuple[int, int]) -> None:
    """The note of how the camera was held is gone; so it must have been obeyed."""
    with Image.open(io.BytesIO(copier.picture_of(pictures.lying(pictures.picture(), orientation)))) as seen:
        assert seen.size == size


@pytest.mark.parametrize("mode", ["RGBA", "LA", "P", "CMYK", "1", "L"])
def test_every_kind_of_pixel_can_be_copied(mode: str) -> None:
    out = io.BytesIO()
    Image.new(mode, (30, 30)).save(out, "JPEG" if mode == "CMYK" else "PNG")
    with Image.open(io.BytesIO(copier.picture_of(out.getvalue()))) as seen:
        assert seen.mode == "RGB"
        if mode in {"RGBA", "LA"}:
            assert seen.getpixel((5, 5)) == (255, 255, 255)


def test_a_long_screenshot_stays_readable() -> None:
    """14 million pixels become 8, in the same shape."""
    with Image.open(io.BytesIO(copier.picture_of(pictures.png(1440, 10000, 10000)))) as seen:
        assert 7_900_000 < seen.width * seen.height <= 8_000_000 and abs(seen.width / seen.height - 0.144) < 0.001


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (pictures.png(20000, 20000, 400), "too_many_pixels"),
        (pictures.png(9000, 9000, 10), "too_many_pixels"),
        (b"\xff\xd8\xff" + b"<html><script>" * 99, "unreadable"),
        (b"\x89PNG\r\n\x1a\n" + b"PK\x03\x04" * 99, "unreadable"),
        (pictures.picture("jpeg", 120, 80, NOISE)[:-900], "unreadable"),
        (b"\x7fELF" * 99, "unreadable"),
        (b"", "unreadable"),
    ],
)
async def test_bombs_and_what_only_begins_like_a_picture(data: bytes, why: str) -> None:
    """G2, G4: refused, and the next picture is copied all the same."""
    with pytest.raises(CopyFailed, match=why):
        await ChildCopies().copy(FileKind.PICTURE, data)
    assert (await ChildCopies().copy(FileKind.PICTURE, pictures.picture())).data


#: Says in how many seconds of processor time and kB of memory a process of its own copied or refused a picture.
MEASURED = """
import sys, time
sys.path.insert(0, sys.argv[1])
from bot.clients import copier
import PIL.Image, PIL.ImageOps
data, began, why = sys.stdin.buffer.read(), time.process_time(), ""
try:
    copier.picture_of(data)
except copier.NoCopy as error:
    why = error.why
peak = next(line.split()[1] for line in open("/proc/self/status") if line.startswith("VmHWM"))
print(why or "copied", time.process_time() - began, peak)
"""


@pytest.mark.parametrize(
    ("width", "height", "rows", "end", "seconds"),
    [(20000, 20000, 400, "too_many_pixels", 0.2), (6300, 6300, 6300, "copied", 5.0)],
)
def test_a_bomb_costs_no_memory(width: int, height: int, rows: int, end: str, seconds: float) -> None:
    """G4: below 256 MiB for the largest that is taken; what is larger is refused by its head within 0.2 s."""
    done = subprocess.run(
        [sys.executable, "-c", MEASURED, str(copier.ROOT)], input=pictures.png(width, height, rows),
        capture_output=True, check=True,
    )  # fmt: skip
    why, spent, peak = done.stdout.split()
    assert why == end.encode() and float(spent) < seconds and int(peak) < 256 * 1024


SOUNDS = [("ogg", "libopus"), ("mp3", "libmp3lame"), ("mp4", "aac"), ("webm", "libopus"), ("wav", "pcm_s16le")]


@pytest.mark.parametrize(("container", "codec"), SOUNDS)
async def test_the_copy_of_a_sound_tells_nothing_else(container: str, codec: str) -> None:
    """Title, artist and place are gone; the sound is whole."""
    word = CANARY.decode()
    original = pictures.sound(container, codec, 3, title=word, artist=word, comment=word, location="+25.6115+085.1439/")
    assert CANARY in original
    copy = await ChildCopies().copy(FileKind.SOUND, original)
    assert copy.mime == "audio/ogg" and CANARY not in copy.data and b"25.6" not in copy.data
    with av.open(io.BytesIO(copy.data), "r") as heard:
        assert not {name.lower() for name in heard.metadata} & {"title", "artist", "comment", "location"}
        samples = sum(frame.samples for frame in heard.decode(audio=0))
        assert 2.9 < samples / 48000 < 3.2


@pytest.mark.parametrize(
    "data",
    [
        b"OggS" + bytes(range(256)) * 40,
        b"#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1\nhttp://127.0.0.1:9/x\n",
        b"ffconcat version 1.0\nfile /etc/passwd\n",
        pictures.picture("jpeg"),
        b"",
    ],
)
async def test_what_is_no_sound_is_no_copy(data: bytes) -> None:
    """Also lists that would make a player fetch something."""
    with pytest.raises(CopyFailed, match="unreadable"):
        await ChildCopies().copy(FileKind.SOUND, data)


async def test_a_sound_that_is_too_long_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """Measured by what is heard, not by what the file says; in the child the limit is 30 minutes."""
    monkeypatch.setattr(copier, "MOST_SECONDS", 2)
    assert copier.sound_of(pictures.sound(seconds=1))
    with pytest.raises(copier.NoCopy, match="too_long"):
        await asyncio.to_thread(copier.sound_of, pictures.sound(seconds=4))
