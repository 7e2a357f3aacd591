"""A machine's translation beside what a person wrote, for a responder, where an operator has switched it on.

It never stands alone, never goes out by itself, and nothing waits for it: where it fails, the original is enough.
"""

from __future__ import annotations

from bot.domain.private import Private
from bot.ports import Translator

LONGEST = 4000
#: The language of what people write is left to the machine: they mix languages and scripts.
ANY = "auto"


class Interpreter:
    """Translates what a person wrote for a responder, and a draft of the responder's for the person."""

    def __init__(self, translator: Translator | None) -> None:
        """*translator*: None where no outside service may see words of a case."""
        self._translator = translator

    @property
    def on(self) -> bool:
        """True where an operator has switched it on."""
        return self._translator is not None

    async def translate(self, text: Private, target: str, source: str = ANY) -> Private:
        """Return *text* in *target*, every number as it was; nothing when it cannot be had."""
        words = text.reveal().strip()[:LONGEST]
        if not self._translator or not words:
            return Private("")
        return Private(await self._translator.translate(words, source, target))
