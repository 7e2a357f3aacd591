"""A photo or screenshot made into a grey page fit for reading, in a child process of its own.

Decoders are C code that meets files of strangers: whatever happens in one stays in a process that holds no keys, may
write no file, and ends with the picture. `bot.clients.reader` starts it with `COMMAND` and sets its limits.
"""

from __future__ import annotations

import sys
from itertools import groupby
from pathlib import Path
from typing import Final

from bot.domain.pictures import picture_type

ROOT: Final = Path(__file__).resolve().parents[2]
_START: Final = "import sys; sys.path.insert(0, sys.argv[1]); from bot.clients.picture import main; main()"
#: Reads a picture on standard input, writes a page on standard output. -I: nothing of the environment; -B: no files.
COMMAND: Final = (sys.executable, "-I", "-B", "-c", _START, str(ROOT))
#: A larger picture is refused before memory is given to it.
MOST_PIXELS: Final = 40_000_000
#: Letters want some 20 pixels: the longer side of a page is brought to this, small ones enlarged three times at most.
WANTED_SIDE: Final = 1600
LONGEST_SIDE: Final = 3000
MOST_ENLARGED: Final = 3.0
THINNEST: Final = 20
#: How far pictures lie from upright is told in quarter turns.
QUARTER: Final = 90
#: FFmpeg's name of the decoder for each kind; nothing else of FFmpeg is reachable from a picture.
DECODERS: Final = {"image/jpeg": "mjpeg", "image/png": "png", "image/webp": "webp"}

_NEGATIVE: Final = bytes(255 - shade for shade in range(256))
_DARK: Final = bytes(range(128))


class NotAPicture(Exception):
    """The bytes are no picture that can be decoded within the limits."""


def page_of(data: bytes) -> bytes:
    """Return *data* as a grey PGM page, upright and scaled for reading. Raise `NotAPicture`."""
    import av  # noqa: PLC0415 - the library is loaded in the child process only

    kind = picture_type(data)
    if not kind:
        raise NotAPicture("neither JPEG, PNG nor WebP")
    try:
        decoder = av.CodecContext.create(DECODERS[kind], "r")
        assert isinstance(decoder, av.VideoCodecContext)  # noqa: S101 - for the types: these three decode pictures
        decoder.options = {"max_pixels": str(MOST_PIXELS)}
        decoder.thread_count = 1
        frames = decoder.decode(av.Packet(data)) or decoder.decode(None)
    except (av.FFmpegError, ValueError, MemoryError) as error:
        raise NotAPicture(type(error).__name__) from error
    frame = frames[0] if frames else None
    if not isinstance(frame, av.VideoFrame) or min(frame.width, frame.height) < THINNEST:
        raise NotAPicture("nothing in it")
    width, height = fitted(frame.width, frame.height)
    page = frame.reformat(width=width, height=height, format="gray", interpolation="BICUBIC")
    plane = page.planes[0]
    raw, line = bytes(plane), plane.line_size
    rows = b"".join(raw[at * line : at * line + width] for at in range(height))
    rows, width, height = turned(rows, width, height, frame.rotation // QUARTER)
    return b"P5\n%d %d\n255\n" % (width, height) + dark_on_light(rows, width)


def fitted(width: int, height: int) -> tuple[int, int]:
    """Return the size of the page for a picture of this size."""
    longer = max(width, height)
    factor = min(max(1.0, WANTED_SIDE / longer), MOST_ENLARGED, LONGEST_SIDE / longer)
    return max(round(width * factor), 1), max(round(height * factor), 1)


def turned(rows: bytes, width: int, height: int, quarters: int) -> tuple[bytes, int, int]:
    """Return grey *rows* turned by *quarters* of a circle against the clock, with the new width and height."""
    if quarters % 4 == 0:
        return rows, width, height
    if quarters % 4 == 2:  # noqa: PLR2004 - half a circle
        return rows[::-1], width, height
    columns = [rows[at::width] for at in range(width)]
    if quarters % 4 == 1:
        return b"".join(reversed(columns)), height, width
    return b"".join(column[::-1] for column in columns), height, width


def dark_on_light(rows: bytes, width: int) -> bytes:
    """Return grey *rows* with each band of mostly dark ones as its negative; thin ones are rules and borders.

    A name in light letters on a dark band, as posters have it, is a picture to tesseract.
    """
    lines = [rows[at : at + width] for at in range(0, len(rows), width)]
    bands = groupby(lines, lambda line: 2 * len(line.translate(None, _DARK)) < width)
    return b"".join(_band(b"".join(band), width, dark=dark) for dark, band in bands)


def _band(rows: bytes, width: int, *, dark: bool) -> bytes:
    return rows.translate(_NEGATIVE) if dark and len(rows) >= THINNEST * width else rows


def main() -> None:
    """Read a picture, write its page; exit 1 without a word when it is none."""
    try:
        page = page_of(sys.stdin.buffer.read())
    except (NotAPicture, MemoryError):
        sys.exit(1)
    sys.stdout.buffer.write(page)
