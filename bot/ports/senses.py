"""Hearing, reading, understanding, translating, speaking."""

from __future__ import annotations

from typing import Protocol

from bot.domain.understanding import Understanding


class Voice(Protocol):
    """Speaks."""

    async def say(self, text: str, locale: str, message_id: str) -> bytes:
        """Return *text* as an OGG/Opus voice message. Raise `SpeechFailed`."""
        ...


class Transcriber(Protocol):
    """Writes down what a voice note says, on this machine."""

    async def write_down(self, audio: bytes, locale: str) -> str:
        """Return the words, or "" when it cannot tell. Never raises."""
        ...


class Reader(Protocol):
    """Reads what stands in a picture, on this machine."""

    async def read(self, data: bytes, locale: str) -> str:
        """Return the words, a line each, or "" when there are none or it cannot tell. Never raises."""
        ...


class Translator(Protocol):
    """A machine outside that translates; used only where an operator has switched it on."""

    async def translate(self, text: str, source: str, target: str) -> str:
        """Return *text* in *target* with every number kept, or "" when it cannot be had. Never raises."""
        ...


class Understander(Protocol):
    """Parses text into intents. Never raises; NOTHING when it cannot say."""

    async def understand(self, text: str, locale: str) -> Understanding:
        """Return what *text* means, within its own time limit."""
        ...
