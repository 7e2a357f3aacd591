"""Pictures to words on this machine, with the program tesseract where it and its language data are installed.

Two child processes a picture: ours decodes it (`bot.clients.picture`), tesseract reads the grey page. Both get their
bytes through pipes and under limits of time, memory and processor that stand before the first byte is given; the kernel
lets neither write a file, so nothing of a picture is ever left on the disk.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import math
import os
import resource
import shutil
import signal
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import zip_longest
from typing import Final

from bot.clients import picture

log = logging.getLogger(__name__)
#: Locale → tesseract's name of the language; Hindi in Latin letters is spoken where posters are in Devanagari.
LANGUAGES: Final = {
    "en": "eng", "hi": "hin", "hi-Latn": "hin", "bn": "ben", "or": "ori", "as": "asm", "te": "tel", "ta": "tam",
    "mr": "mar", "gu": "guj", "kn": "kan", "ml": "mal", "pa": "pan", "ur": "urd", "ne": "nep",
}  # fmt: skip
#: Names and numbers on posters are in Latin letters as often as not.
ALWAYS: Final = "eng"
SECONDS: Final = 10.0
MEMORY: Final = 1024 * 1024 * 1024
MOST_BYTES: Final = 5 * 1024 * 1024
MOST_PAGE: Final = picture.LONGEST_SIDE**2 + 64
MOST_TABLE: Final = 1024 * 1024
LONGEST: Final = 4000
OPEN_FILES: Final = 64
LIST_PATIENCE: Final = 5.0
END_PATIENCE: Final = 2.0
#: Words that tesseract is less sure of, in percent, are left out: they would be guesses.
LEAST_SURE: Final = 40.0
#: A row of its table (TSV): level, page, block, paragraph, line, word, left, top, width, height, sureness, text.
COLUMNS: Final = 12
WORD_LEVEL: Final = "5"
#: Stands for the end of a line that only ran out of room: a line still ends there for names, but not a sentence.
WRAPPED: Final = "\u2028"
#: A line that ends this near to the edge, as a share of its width, fills it.
FILLED: Final = 0.15


class ReadingFailed(Exception):
    """A child process that gave no page or no words; says which and why, never what. code: how it ended."""

    def __init__(self, said: str, code: int = 0) -> None:  # noqa: D107
        super().__init__(said)
        self.code = code


def open_reader(setting: str, at_once: int) -> TesseractReader | None:
    """Return a reader; None when *setting* is "off" or tesseract or its language data are not installed.

    *at_once*: how many pictures may be read side by side.
    """
    program = shutil.which("tesseract") if setting == "auto" else None
    languages = _installed(program) if program else frozenset()
    if not program or not languages:
        return None
    log.info("pictures are read by tesseract", extra={"languages": ",".join(sorted(languages))})
    return TesseractReader(program, languages, at_once)


class TesseractReader:
    """`bot.ports.Reader` over the program."""

    def __init__(self, program: str, languages: frozenset[str], at_once: int = 1, seconds: float = SECONDS) -> None:
        """*languages*: tesseract's names of those installed; *seconds*: the most that one picture may take."""
        self._program = program
        self._languages = languages
        self._places = asyncio.Semaphore(at_once)
        self._seconds = seconds

    async def read(self, data: bytes, locale: str) -> str:
        """Return the words of a picture, a line each, or "" when there are none or it cannot be read."""
        languages = self.languages(locale)
        if not languages or len(data) > MOST_BYTES:
            return ""
        async with self._places:
            try:
                async with asyncio.timeout(self._seconds):
                    page = await run(picture.COMMAND, data, MOST_PAGE, self._seconds)
                    table = await run(self._command(languages), page, MOST_TABLE, self._seconds)
            except (ReadingFailed, TimeoutError, OSError) as error:
                log.warning("a picture could not be read", extra={"error": type(error).__name__, "why": str(error)})
                return ""
        return words_in(table.decode("utf-8", "replace"))

    def languages(self, locale: str) -> str:
        """Return the languages to read in as tesseract wants them, as far as installed.

        English goes first: with Hindi first, tesseract takes each 1 of a number for a stroke of Devanagari.
        """
        wanted = dict.fromkeys((ALWAYS, LANGUAGES.get(locale, ALWAYS)))
        return "+".join(name for name in wanted if name in self._languages)

    def _command(self, languages: str) -> tuple[str, ...]:
        return (self._program, "stdin", "stdout", "-l", languages, "-c", "tessedit_create_tsv=1")


@dataclass(slots=True)
class _Line:
    """One line of a page: its block, the width of its first word, where it begins and ends, in pixels; its words."""

    block: str
    first: int
    left: int
    words: list[str] = field(default_factory=list)
    right: int = 0


def words_in(table: str) -> str:
    """Return the words of tesseract's table that it is sure of, a line each; rows that are none are passed over.

    A line that only ran out of room ends in `WRAPPED` instead of a new line: the sentence goes on.
    """
    lines: dict[tuple[str, ...], _Line] = {}
    for row in table.splitlines():
        cells = row.split("\t", COLUMNS - 1)
        if len(cells) != COLUMNS or cells[0] != WORD_LEVEL or not _number(cells[10]) >= LEAST_SURE:
            continue
        word = "".join(char for char in cells[11] if char.isprintable() or char in "\u200c\u200d").strip("\ufffd| ")
        if word:
            left, width = int(_number(cells[6])), int(_number(cells[8]))
            line = lines.setdefault(tuple(cells[1:5]), _Line(cells[2], width, left))
            line.words.append(word)
            line.right = max(line.right, left + width)
    return _joined(list(lines.values()))[:LONGEST]


def _joined(lines: list[_Line]) -> str:
    edges: dict[str, list[int]] = {}
    for line in lines:
        edges.setdefault(line.block, []).append(line.right)
    text, sentence = "", ""
    for line, after in zip_longest(lines, lines[1:]):
        words = " ".join(line.words)
        text, sentence = text + words, sentence + words
        if after and _runs_on(line, after, edges[line.block]) and not (_has_sum(sentence) and _has_sum(*after.words)):
            text += WRAPPED
        elif after:
            text, sentence = text + "\n", ""
    return text


def _has_sum(*words: str) -> bool:
    """Two lines with numbers stay apart: a wage must not be taken for the fee in the next line."""
    return any(char.isdecimal() for word in words for char in word)


def _runs_on(line: _Line, after: _Line, ends: list[int]) -> bool:
    """Say whether the next word did not fit into *line*, in a block whose lines are filled: not in a list."""
    edge = max(ends)
    filled = sum(end >= edge - FILLED * (edge - line.left) for end in ends) > 1
    return after.block == line.block and filled and line.right + after.first > edge


async def run(command: Sequence[str], given: bytes, most: int, seconds: float) -> bytes:
    """Return what a confined child process makes of *given*, at most *most* bytes.

    Raise `ReadingFailed` when it ends badly or says more. It does not outlive this call, however this call ends.
    """
    process = await asyncio.create_subprocess_exec(
        *command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
        env=_environment(), cwd="/", start_new_session=True,
    )  # fmt: skip
    try:
        _confine(process.pid, seconds)
        feeding = asyncio.create_task(_feed(process, given))
        try:
            told = await _told(process, most)
            await process.wait()
        finally:
            feeding.cancel()
            await asyncio.gather(feeding, return_exceptions=True)
    finally:
        await _end(process)
    if process.returncode or len(told) > most:
        said = f"{os.path.basename(command[0])}: {process.returncode}, {len(told)} bytes"  # noqa: PTH119
        raise ReadingFailed(said, process.returncode or 0)
    return told


async def _feed(process: asyncio.subprocess.Process, given: bytes) -> None:
    if process.stdin:
        with contextlib.suppress(ConnectionError):  # it may end before it has read everything
            process.stdin.write(given)
            await process.stdin.drain()
            process.stdin.close()


async def _told(process: asyncio.subprocess.Process, most: int) -> bytes:
    """Return what it says, cut off one byte above *most*."""
    told = b""
    while process.stdout and len(told) <= most:
        part = await process.stdout.read(most + 1 - len(told))
        if not part:
            return told
        told += part
    raise ReadingFailed(f"more than {most} bytes")


async def _end(process: asyncio.subprocess.Process) -> None:
    """Kill it if it still runs. What it said is read to the end: asyncio waits for a full pipe for ever."""
    if process.returncode is None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(END_PATIENCE):
            while process.stdout and await process.stdout.read(MOST_TABLE):
                pass
            await process.wait()


def _confine(pid: int, seconds: float) -> None:
    """Set the limits of a process that waits for its first byte: memory, processor, no file written, no core."""
    for kind, most in (
        (resource.RLIMIT_AS, MEMORY),
        (resource.RLIMIT_CPU, int(seconds) + 1),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_NOFILE, OPEN_FILES),
    ):
        resource.prlimit(pid, kind, (most, most))


def _environment() -> dict[str, str]:
    """Return what tesseract needs and nothing else: none of our secrets."""
    kept = {name: os.environ[name] for name in ("PATH", "TESSDATA_PREFIX") if name in os.environ}
    return {**kept, "OMP_THREAD_LIMIT": "1", "LC_ALL": "C.UTF-8"}


def _installed(program: str) -> frozenset[str]:
    """Return the languages that `tesseract --list-langs` tells and we can use; none when it does not work."""
    try:
        done = subprocess.run(  # noqa: S603 - a program of the operator's own machine
            [program, "--list-langs"], capture_output=True, timeout=LIST_PATIENCE, check=True, env=_environment()
        )
    except (OSError, subprocess.SubprocessError):
        return frozenset()
    told = done.stdout.decode("utf-8", "replace").split()
    return frozenset(told) & frozenset(LANGUAGES.values())


def _number(cell: str) -> float:
    """Return the number in a cell; 0 for none, and for what is no place on a page."""
    try:
        found = float(cell)
    except ValueError:
        return 0.0
    return found if math.isfinite(found) else 0.0
