"""A picture or a sound made anew from nothing but its pixels or its samples, in a child process of its own.

Whatever else was in the file stays behind: where and when it was taken, with which device, the small preview that still
shows what was cut off, the name of an owner. `bot.clients.copies` starts it with `COMMAND` and sets its limits.
"""

from __future__ import annotations

import io
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

from bot.clients.picture import MOST_PIXELS
from bot.domain.pictures import picture_type

ROOT: Final = Path(__file__).resolve().parents[2]
_START: Final = "import sys; sys.path.insert(0, sys.argv[1]); from bot.clients.copier import main; main()"
#: Followed by `picture` or `sound`. -I: nothing of the environment; -B: no files.
COMMAND: Final = (sys.executable, "-I", "-B", "-c", _START, str(ROOT))
#: Larger ones are brought to this, which leaves a long screenshot readable.
COPY_PIXELS: Final = 8_000_000
QUALITY: Final = 85
WHITE: Final = (255, 255, 255)
FORMATS: Final = {"image/jpeg": "JPEG", "image/png": "PNG", "image/webp": "WEBP"}
#: A longer sound is refused.
MOST_SECONDS: Final = 30 * 60
OPUS_RATE: Final = 48000
BITS_A_SECOND: Final = 24_000
#: What a sound may come in; a list of other files (as HLS is) is none of them.
CONTAINERS: Final = (
    (0, b"OggS", "ogg"), (0, b"#!AMR", "amr"), (0, b"fLaC", "flac"), (8, b"WAVE", "wav"), (4, b"ftyp", "mp4"),
    (0, b"\x1aE\xdf\xa3", "matroska"), (0, b"\xff\xf1", "aac"), (0, b"\xff\xf9", "aac"), (0, b"ID3", "mp3"),
    (0, b"\xff", "mp3"),
)  # fmt: skip
#: How a child process ends → why there is no copy.
ENDINGS: Final = {3: "too_many_pixels", 4: "too_long"}


class NoCopy(Exception):
    """No copy can be made; `why` is one of `unreadable`, `too_many_pixels`, `too_long`."""

    def __init__(self, why: str) -> None:  # noqa: D107
        super().__init__(why)
        self.why = why


def picture_of(data: bytes) -> bytes:
    """Return a JPEG of the first picture in *data*, upright, on white. Raise `NoCopy`: its head tells its size."""
    from PIL import Image, ImageOps  # noqa: PLC0415 - the library is loaded in the child process only

    try:
        with Image.open(io.BytesIO(data), formats=[FORMATS[picture_type(data)]]) as found:
            pixels = found.width * found.height
            if pixels > MOST_PIXELS:
                raise NoCopy("too_many_pixels")
            if pixels > COPY_PIXELS:
                share = (COPY_PIXELS / pixels) ** 0.5
                found.thumbnail((max(int(found.width * share), 1), max(int(found.height * share), 1)))
            upright = ImageOps.exif_transpose(found)
            seen = upright.convert("RGBA" if upright.has_transparency_data else "RGB")
    except Image.DecompressionBombError as error:
        raise NoCopy("too_many_pixels") from error
    except (KeyError, OSError, SyntaxError, ValueError, MemoryError) as error:
        raise NoCopy("unreadable") from error
    fresh = Image.new("RGB", seen.size, WHITE)  # a new picture: nothing that came with the old one is saved with it
    fresh.paste(seen, mask=seen.getchannel("A") if seen.mode == "RGBA" else None)
    out = io.BytesIO()
    fresh.save(out, "JPEG", quality=QUALITY)
    return out.getvalue()


def sound_of(data: bytes) -> bytes:
    """Return the first sound in *data* as mono OGG/Opus. Raise `NoCopy`."""
    import av  # noqa: PLC0415 - as above

    container = next((name for at, sign, name in CONTAINERS if data[at : at + len(sign)] == sign), "")
    out = io.BytesIO()
    try:
        with av.open(io.BytesIO(data), "r", format=container or None) as source:
            frames = _limited(source.decode(source.streams.audio[0]))
            _encode(frames, out)
    except (av.FFmpegError, IndexError, ValueError, MemoryError) as error:
        raise NoCopy("unreadable") from error
    return out.getvalue()


def _limited(frames: Iterator[Any]) -> Iterator[Any]:
    heard = 0.0
    for frame in frames:
        heard += frame.samples / frame.sample_rate
        if heard > MOST_SECONDS:
            raise NoCopy("too_long")
        yield frame
    if not heard:
        raise NoCopy("unreadable")


def _encode(frames: Iterator[Any], out: io.BytesIO) -> None:
    import av  # noqa: PLC0415 - as above

    with av.open(out, "w", format="ogg", options={"fflags": "+bitexact"}) as target:
        stream = target.add_stream("libopus", rate=OPUS_RATE)
        assert isinstance(stream, av.AudioStream)  # noqa: S101 - for the types: Opus is sound
        stream.layout, stream.bit_rate = "mono", BITS_A_SECOND
        resampler = av.AudioResampler(format="s16", layout="mono", rate=OPUS_RATE)
        for frame in frames:
            frame.pts = None
            for part in resampler.resample(frame):
                target.mux(stream.encode(part))
        for part in resampler.resample(None):
            target.mux(stream.encode(part))
        target.mux(stream.encode(None))


MAKERS: Final[dict[str, Callable[[bytes], bytes]]] = {"picture": picture_of, "sound": sound_of}


def main() -> None:
    """Read a file, write its copy; without one, end as `ENDINGS` says, else with 1."""
    codes = {why: code for code, why in ENDINGS.items()}
    try:
        copy = MAKERS[sys.argv[2]](sys.stdin.buffer.read())
    except (NoCopy, MemoryError) as error:
        sys.exit(codes.get(str(error), 1))
    sys.stdout.buffer.write(copy)
