"""Pictures made for tests, and a stand-in for tesseract: no font, no network and no installed program is needed."""

from __future__ import annotations

import io
import os
import struct
import sys
import textwrap
import zlib
from fractions import Fraction
from pathlib import Path

import av

#: What real tesseract 5.3.0 writes before the rows of its table.
HEAD = "level\tpage_num\tblock_num\tpar_num\tline_num\tword_num\tleft\ttop\twidth\theight\tconf\ttext"
CODECS = {"jpeg": ("mjpeg", "yuvj420p"), "png": ("png", "gray"), "webp": ("libwebp", "yuv420p")}


def picture(kind: str = "jpeg", width: int = 120, height: int = 80, grey: bytes = b"") -> bytes:
    """Return a picture of *grey* shades, a byte for each pixel; white if none are given."""
    codec, pixels = CODECS[kind]
    frame = av.VideoFrame(width, height, "gray")
    line = frame.planes[0].line_size
    rows = grey or b"\xff" * (width * height)
    padded = b"".join(rows[at : at + width].ljust(line, b"\0") for at in range(0, len(rows), width))
    frame.planes[0].update(padded)
    encoder = av.CodecContext.create(codec, "w")
    assert isinstance(encoder, av.VideoCodecContext)
    encoder.width, encoder.height, encoder.pix_fmt, encoder.time_base = width, height, pixels, Fraction(1, 1)
    packets = [*encoder.encode(frame.reformat(format=pixels)), *encoder.encode(None)]
    return b"".join(bytes(packet) for packet in packets)


def sound(container: str = "ogg", codec: str = "libopus", seconds: int = 1, **tags: str) -> bytes:
    """Return a tone of some seconds in a container, with tags such as `title` or `location`."""
    out, rate = io.BytesIO(), 48000
    with av.open(out, "w", format=container) as target:
        target.metadata.update(tags)
        stream = target.add_stream(codec, rate=rate)
        assert isinstance(stream, av.AudioStream)
        stream.layout = "mono"
        resampler = av.AudioResampler(format=stream.format, layout="mono", rate=rate)
        tone = b"".join(struct.pack("<h", (at % 100 - 50) * 200) for at in range(rate))
        for _ in range(seconds):
            frame = av.AudioFrame(format="s16", layout="mono", samples=rate)
            frame.sample_rate = rate
            frame.planes[0].update(tone)
            for part in resampler.resample(frame):
                target.mux(stream.encode(part))
        target.mux(stream.encode(None))
    return out.getvalue()


def lying(jpeg: bytes, orientation: int) -> bytes:
    """Return a JPEG with the EXIF note of a camera that was held some other way."""
    tiff = b"MM\0*\0\0\0\x08" + struct.pack(">HHHIHHI", 1, 0x112, 3, 1, orientation, 0, 0)
    note = b"Exif\0\0" + tiff
    return jpeg[:2] + b"\xff\xe1" + struct.pack(">H", len(note) + 2) + note + jpeg[2:]


def png(width: int, height: int, rows: int) -> bytes:
    """Return a PNG that says it is this large and holds *rows* rows: well packed, a bomb."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    packer = zlib.compressobj(9)
    body = b"".join(packer.compress(b"\0" * (width + 1)) for _ in range(rows)) + packer.flush()
    head = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", body) + chunk(b"IEND", b"")


def table(*lines: str, sure: float = 96.5) -> str:
    """Return words as tesseract's table has them, each line in a block of its own."""
    rows = [HEAD, "1\t1\t0\t0\t0\t0\t0\t0\t100\t100\t-1\t"]
    for number, line in enumerate(lines, 1):
        rows.append(f"4\t1\t{number}\t1\t1\t0\t0\t0\t90\t10\t-1\t")
        words = enumerate(line.split(), 1)
        rows += [f"5\t1\t{number}\t1\t1\t{at}\t0\t0\t9\t10\t{sure:f}\t{word}" for at, word in words]
    return "\n".join(rows) + "\n"


def program(folder: Path, does: str, languages: tuple[str, ...] = ("eng", "hin", "osd")) -> str:
    """Write an executable that speaks tesseract's command line and *does* something with the page; return its path.

    The page is `page` (bytes of the PGM), the languages `asked`. Checked against tesseract 5.3.0 of Debian 12 on
    2026-11-26: the same four calls (`--list-langs`; a PGM on standard input with `-l eng+hin -c tessedit_create_tsv=1`; ten
    bytes of one; languages that are not there) gave the same first lines, columns and exit codes; the two tables in
    tests/clients/tesseract/ are what it wrote for posters of ours.
    """
    path = folder / "tesseract"
    body = f"""
    #!{sys.executable}
    import os, signal, sys, time
    HEAD = {HEAD!r}
    LANGUAGES = {languages!r}
    if sys.argv[1:] == ["--list-langs"]:
        print(f'List of available languages in "/usr/share/tesseract-ocr/5/tessdata/" ({{len(LANGUAGES)}}):')
        print("\\n".join(LANGUAGES))
        sys.exit(0)
    _, source, target, flag, asked, setting, wanted = sys.argv
    if (source, target, flag, setting, wanted) != ("stdin", "stdout", "-l", "-c", "tessedit_create_tsv=1"):
        sys.exit(1)
    if not set(asked.split("+")) <= set(LANGUAGES):
        sys.exit(1)
    """
    reads = """
    page = sys.stdin.buffer.read()
    if len(page) < 12 or not page.startswith(b"P5"):
        sys.exit(1)
    """
    lines = [textwrap.dedent(part).strip() for part in (body, "" if "sys.stdin" in does else reads, does)]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    path.chmod(0o755)
    return str(path)


def saying(folder: Path, *lines: str, sure: float = 96.5) -> str:
    """Write a stand-in that reads the same lines in every picture; return its path."""
    return program(folder, f"sys.stdout.buffer.write({table(*lines, sure=sure)!r}.encode())")


def alive(path: str) -> list[int]:
    """Return the processes that run this program."""
    found = []
    for name in os.listdir("/proc"):
        try:
            if name.isdigit() and path.encode() in Path(f"/proc/{name}/cmdline").read_bytes():
                found.append(int(name))
        except OSError:
            continue
    return found
