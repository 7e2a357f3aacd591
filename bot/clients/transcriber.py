"""Voice notes to words on this machine, with faster-whisper and a model directory that the operator supplies.

None is shipped and nothing is downloaded: without a directory there is no transcriber, and notes go to people.
"""

from __future__ import annotations

import asyncio
import importlib
import io
import logging
from pathlib import Path
from typing import Any

log = logging.getLogger(__name__)
#: Locales whose name differs from the model's name for the language; the model has none for Odia.
LANGUAGES = {"hi-Latn": "hi", "or": None}
NEEDED = ("config.json", "model.bin")
#: Below this mean log-probability, or above this chance of no speech, the words are not trusted.
LEAST_SURE = -1.0
MOST_SILENT = 0.6


class SpeechModelError(Exception):
    """The speech model cannot be used: says why and what to do."""


def open_transcriber(folder: str) -> WhisperTranscriber | None:
    """Return a transcriber for a model directory; None when no directory is configured. Raise `SpeechModelError`."""
    if not folder:
        return None
    path = Path(folder)
    missing = [name for name in NEEDED if not (path / name).is_file()]
    if missing:
        raise SpeechModelError(
            f"SAHYATRI_SPEECH_MODEL={folder}: {', '.join(missing)} not found; give a faster-whisper model directory"
        )
    try:
        library = importlib.import_module("faster_whisper")
    except ImportError as error:
        raise SpeechModelError(
            "SAHYATRI_SPEECH_MODEL is set without faster-whisper; run: .venv/bin/uv pip install faster-whisper"
        ) from error
    return WhisperTranscriber(library.WhisperModel(str(path), device="cpu", compute_type="int8", local_files_only=True))


class WhisperTranscriber:
    """`bot.ports.Transcriber` over a loaded model; one note at a time, off the event loop."""

    def __init__(self, model: Any) -> None:  # noqa: ANN401 - the library has no types
        """*model*: `faster_whisper.WhisperModel` or what speaks like it."""
        self._model = model
        self._lock = asyncio.Lock()

    async def write_down(self, audio: bytes, locale: str) -> str:
        """Return the words, or "" when the model is not sure or fails."""
        async with self._lock:
            try:
                return await asyncio.to_thread(self._hear, audio, locale)
            except Exception as error:
                log.warning("a voice note could not be written down", extra={"error": type(error).__name__})
                return ""

    def _hear(self, audio: bytes, locale: str) -> str:
        language = LANGUAGES.get(locale, locale or None)
        segments, _ = self._model.transcribe(io.BytesIO(audio), language=language, beam_size=1, vad_filter=False)
        heard = [segment for segment in segments if segment.no_speech_prob < MOST_SILENT]
        if not heard or sum(segment.avg_logprob for segment in heard) / len(heard) < LEAST_SURE:
            return ""
        return " ".join(segment.text.strip() for segment in heard)
