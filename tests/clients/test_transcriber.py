"""The faster-whisper adapter over something that speaks like its model: no weights are needed, none are fetched."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import pytest

from bot.clients.transcriber import WhisperTranscriber


@dataclass
class Segment:
    text: str
    avg_logprob: float = -0.3
    no_speech_prob: float = 0.1


@dataclass
class Model:
    segments: list[Segment]
    asked: list[Any] = field(default_factory=list)
    fails: bool = False

    def transcribe(self, audio: Any, **options: Any) -> tuple[list[Segment], None]:
        self.asked.append(options)
        if self.fails:
            raise RuntimeError("not audio")
        return self.segments, None


async def test_the_words_of_all_parts() -> None:
    model = Model([Segment(" मुझे "), Segment("मदद चाहिए ")])
    assert await WhisperTranscriber(model).write_down(b"x", "hi") == "मुझे मदद चाहिए"
    assert model.asked[0]["language"] == "hi"


@pytest.mark.parametrize(("locale", "language"), [("hi-Latn", "hi"), ("or", None), ("", None), ("ta", "ta")])
async def test_the_language_as_the_model_calls_it(locale: str, language: str | None) -> None:
    model = Model([Segment("x")])
    await WhisperTranscriber(model).write_down(b"x", locale)
    assert model.asked[0]["language"] == language


@pytest.mark.parametrize(
    "segments", [[], [Segment("hm", no_speech_prob=0.9)], [Segment("guess", avg_logprob=-2.0)]], ids=str
)
async def test_what_it_is_not_sure_of_is_nothing(segments: list[Segment]) -> None:
    assert await WhisperTranscriber(Model(segments)).write_down(b"x", "hi") == ""


async def test_a_failure_is_nothing() -> None:
    assert await WhisperTranscriber(Model([], fails=True)).write_down(b"x", "hi") == ""
