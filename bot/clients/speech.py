"""Words to voice: espeak-ng's voices, as OGG/Opus, kept by the hash of what is said; a human recording goes first.

espeak-ng is a C library with one voice at a time: it runs in a child process of its own, so that whatever happens in it
cannot take the service down. Nothing leaves the machine.
"""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import hashlib
import io
import logging
import multiprocessing
import os
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path
from typing import Final

import av
import espeakng_loader

from bot.content.model import Content
from bot.content.speakable import speakable
from bot.ports import SpeechFailed

log = logging.getLogger(__name__)
#: Locale → espeak-ng voice.
VOICES: Final = {
    "en": "en", "hi": "hi", "hi-Latn": "hi", "bn": "bn", "or": "or", "as": "as", "te": "te", "ta": "ta", "mr": "mr",
    "gu": "gu", "kn": "kn", "ml": "ml", "pa": "pa", "ur": "ur", "ne": "ne",
}  # fmt: skip
#: Letters that a voice would spell out instead of reading: Assamese ya, rra and rha written with a dot below.
SPELT_OUT: Final = {"as": {"\u09af\u09bc": "\u09df", "\u09a1\u09bc": "\u09f0", "\u09a2\u09bc": "\u09f0"}}
VERSION: Final = "2"
WORDS_PER_MINUTE: Final = 140
OPUS_RATE: Final = 48_000
BIT_RATE: Final = 16_000
LONGEST_TEXT: Final = 3000
PATIENCE: Final = 30.0
_SYNCHRONOUS: Final = 2
_UTF8: Final = 1
_RATE_PARAMETER: Final = 1
_ID: Final = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-")


class Speech:
    """Gives the OGG/Opus voice message of a text."""

    def __init__(self, folder: Path, recordings: Path, content: Callable[[], Content]) -> None:
        """*folder*: what was rendered; *recordings*: `<locale>/<message id>.ogg` recorded by a human."""
        self._folder = folder
        self._recordings = recordings
        self._content = content
        self._pool: ProcessPoolExecutor | None = None
        self._lock = asyncio.Lock()
        self.failed = 0

    async def say(self, text: str, locale: str, message_id: str) -> bytes:
        """Return the voice message for *text* in *locale*. Raise `SpeechFailed`."""
        text, locale = self._in_own_script(text, locale, message_id)
        recorded = self._recording(locale, message_id)
        if recorded:
            return recorded
        spoken = self.words(text, locale)
        path = self.path(spoken, locale)
        if path.exists():
            return path.read_bytes()
        audio = await self._render(spoken, locale)
        path.parent.mkdir(parents=True, exist_ok=True)
        draft = path.with_suffix(f".{os.getpid()}")
        draft.write_bytes(audio)
        draft.replace(path)
        return audio

    def _in_own_script(self, text: str, locale: str, message_id: str) -> tuple[str, str]:
        """Hindi written in Latin letters is spoken from the same message in Hindi, where it stands word for word."""
        content = self._content()
        if not locale.endswith("-Latn") or locale not in content.locales:
            return text, locale
        own = content.locales[locale].fallback
        latin = content.messages[locale].get(message_id, "")
        native = content.messages[own].get(message_id, "")
        same = latin and native and text.startswith(latin)
        return (native + text[len(latin) :], own) if same else (text, locale)

    def words(self, text: str, locale: str) -> str:
        """Return the words that are spoken for *text*."""
        content = self._content()
        numbers = frozenset(line.number for line in content.helplines.values())
        spoken = speakable(text[:LONGEST_TEXT], content.words(locale, "core.spoken_dot"), numbers)
        for letters, read in SPELT_OUT.get(locale, {}).items():
            spoken = spoken.replace(letters, read)
        return spoken

    def path(self, spoken: str, locale: str) -> Path:
        """Return where the voice message of these words is kept."""
        key = f"{VERSION}|{VOICES.get(locale, '')}|{WORDS_PER_MINUTE}|{BIT_RATE}|{spoken}"
        return self._folder / locale / f"{hashlib.sha256(key.encode()).hexdigest()[:32]}.ogg"

    def _recording(self, locale: str, message_id: str) -> bytes:
        if not message_id or not set(message_id) <= _ID:
            return b""
        path = self._recordings / locale / f"{message_id}.ogg"
        return path.read_bytes() if path.is_file() else b""

    async def _render(self, spoken: str, locale: str) -> bytes:
        voice = VOICES.get(locale)
        if not voice or not spoken:
            raise SpeechFailed(f"no voice for {locale}")
        async with self._lock:
            self._pool = self._pool or ProcessPoolExecutor(1, multiprocessing.get_context("spawn"))
            try:
                async with asyncio.timeout(PATIENCE):
                    return await asyncio.get_running_loop().run_in_executor(self._pool, render, spoken, voice)
            except (BrokenProcessPool, TimeoutError, OSError, ValueError) as error:
                self.failed += 1
                self.close()
                raise SpeechFailed(type(error).__name__) from error

    def close(self) -> None:
        """Stop the child process."""
        pool, self._pool = self._pool, None
        if pool:
            for process in (pool._processes or {}).values():  # noqa: SLF001 - a hung synthesis has no public stop
                with contextlib.suppress(OSError):
                    process.kill()
            pool.shutdown(wait=False, cancel_futures=True)


def render(spoken: str, voice: str) -> bytes:
    """Return *spoken* as OGG/Opus, mono; runs in the child process. Raise ValueError when nothing was said."""
    rate, samples = _Espeak.shared().speak(spoken, voice)
    if not samples:
        raise ValueError("espeak-ng said nothing")
    return encode(samples, rate)


def encode(samples: bytes, rate: int) -> bytes:
    """Return 16-bit mono *samples* at *rate* Hz as OGG/Opus."""
    out = io.BytesIO()
    with av.open(out, "w", format="ogg") as container:
        stream = container.add_stream("libopus", rate=OPUS_RATE)
        stream.bit_rate = BIT_RATE
        stream.layout = "mono"
        resampler = av.AudioResampler(format="s16", layout="mono", rate=OPUS_RATE)
        frame = av.AudioFrame(format="s16", layout="mono", samples=len(samples) // 2)
        frame.planes[0].update(samples)
        frame.sample_rate = rate
        for part in (*resampler.resample(frame), *resampler.resample(None)):
            for packet in stream.encode(part):
                container.mux(packet)
        for packet in stream.encode(None):
            container.mux(packet)
    return out.getvalue()


def seconds_of(audio: bytes) -> float:
    """Return how long an OGG/Opus file plays. Raise ValueError if it is none."""
    try:
        with av.open(io.BytesIO(audio), "r") as container:
            stream = container.streams.audio[0]
            if stream.codec_context.name not in {"opus", "libopus"}:
                raise ValueError(f"holds {stream.codec_context.name}, not Opus")
            samples = sum(frame.samples for frame in container.decode(stream))
            return samples / OPUS_RATE
    except (av.FFmpegError, IndexError) as error:
        raise ValueError(f"not an audio file: {error}") from error


class _Espeak:
    """The C library, set up once per process."""

    _one: _Espeak | None = None

    def __init__(self) -> None:
        self._library = ctypes.CDLL(espeakng_loader.get_library_path())
        data = os.fsencode(espeakng_loader.get_data_path())
        self._rate = int(self._library.espeak_Initialize(_SYNCHRONOUS, 0, data, 0))
        if self._rate <= 0:
            raise OSError("espeak-ng could not be set up")
        self._pieces: list[bytes] = []
        kind = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.c_void_p)
        self._callback = kind(self._take)
        self._library.espeak_SetSynthCallback(self._callback)

    @classmethod
    def shared(cls) -> _Espeak:
        """Return the one of this process."""
        if cls._one is None:
            cls._one = cls()
        return cls._one

    def speak(self, text: str, voice: str) -> tuple[int, bytes]:
        """Return (rate in Hz, 16-bit mono samples). Raise ValueError for a voice that is not there."""
        if self._library.espeak_SetVoiceByName(voice.encode()) != 0:
            raise ValueError(f"espeak-ng has no voice {voice!r}")
        self._library.espeak_SetParameter(_RATE_PARAMETER, WORDS_PER_MINUTE, 0)
        self._pieces.clear()
        raw = text.encode()
        self._library.espeak_Synth(raw, ctypes.c_size_t(len(raw) + 1), 0, 0, 0, _UTF8, None, None)
        self._library.espeak_Synchronize()
        return self._rate, b"".join(self._pieces)

    def _take(self, samples: ctypes._Pointer[ctypes.c_short], count: int, _: int | None) -> int:
        if samples and count > 0:
            self._pieces.append(ctypes.string_at(samples, count * 2))
        return 0
