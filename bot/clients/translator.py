"""googletrans behind a time limit, a circuit breaker and a cache; numbers, addresses and names stay out of its reach.

Off unless an operator switches it on: the words go to Google. Only answers about schemes and papers are given to it
(`dialogue.fallback`); what a person or a responder wrote in a case only by a switch of its own (`service.interpret`),
and then nothing of it is kept here.
"""

from __future__ import annotations

import asyncio
import logging
import re
from collections import OrderedDict
from collections.abc import Callable, Sequence
from typing import Any, Final

from googletrans import Translator as GoogleTranslator
from googletrans import constants

log = logging.getLogger(__name__)
PATIENCE: Final = 4.0
MOST_FAILURES: Final = 3
OPEN_SECONDS: Final = 120.0
MOST_CACHED: Final = 2000
#: What must come back letter for letter: numbers in any script, phone numbers, addresses, abbreviations.
_KEPT: Final = re.compile(
    r"(?:[a-z0-9-]+\.)+(?:in|org|com|net)(?:/[a-z0-9-]+)*|\d[\d,.-]*\d|\d|(?a:\b[A-Z]{2,}[A-Z0-9-]*\b)"
)
#: A mark that machines leave alone; the number in it says which piece it stands for.
_MARK: Final = re.compile(r"\[\s*(\d{1,3})\s*\]")
#: Our codes → the machine's, where they differ.
CODES: Final = {"hi-Latn": "hi", "mni": "mni-Mtei", "kok": "gom"}


class GoogleTranslate:
    """`bot.ports.Translator`."""

    def __init__(
        self,
        clock: Callable[[], float],
        translator: Any = None,  # noqa: ANN401 - untyped library
        *,
        names: Sequence[str] = (),
        most_cached: int = MOST_CACHED,
    ) -> None:
        """*clock* counts seconds; *translator*: `googletrans.Translator` or what speaks like it.

        *names* come back letter for letter; *most_cached*: 0 keeps nothing in memory.
        """
        self._names = tuple(names)
        self._most_cached = most_cached
        self._clock = clock
        self._machine = translator or GoogleTranslator(raise_exception=True)
        self._cache: OrderedDict[tuple[str, str, str], str] = OrderedDict()
        self._failures = 0
        self._open_until = 0.0

    async def translate(self, text: str, source: str, target: str) -> str:
        """Return *text* in *target*, or "" when the machine is down, slow, unsure of the language, or lost a number."""
        key = (text, source, target)
        if key in self._cache:
            self._cache.move_to_end(key)
            return self._cache[key]
        if self._clock() < self._open_until or not speaks(target):
            return ""
        marked, kept = protect(text, self._names)
        try:
            async with asyncio.timeout(PATIENCE):
                answer = await self._machine.translate(marked, src=_code(source), dest=_code(target))
            found = restore(str(answer.text), kept)
        except Exception as error:  # whatever the library or the network raises: the answer stands without it
            self._failed(type(error).__name__)
            return ""
        self._failures = 0
        if found:
            self._cache[key] = found
            if len(self._cache) > self._most_cached:
                self._cache.popitem(last=False)
        return found

    def _failed(self, reason: str) -> None:
        self._failures += 1
        log.warning("translation failed", extra={"error": reason, "failures": self._failures})
        if self._failures >= MOST_FAILURES:
            self._open_until = self._clock() + OPEN_SECONDS
            self._failures = 0


def speaks(target: str) -> bool:
    """Say whether the machine knows a language."""
    known = {code.casefold() for code in constants.LANGUAGES}
    return _code(target).casefold() in known


def protect(text: str, names: Sequence[str] = ()) -> tuple[str, tuple[str, ...]]:
    """Return *text* with numbered marks for what must not change, *names* among it, and what they stand for."""
    longest_first = sorted(names, key=len, reverse=True)
    pattern = "|".join([*(rf"(?i:\b{re.escape(name)}\b)" for name in longest_first), _KEPT.pattern])
    kept: list[str] = []

    def mark(found: re.Match[str]) -> str:
        kept.append(found[0])
        return f"[{len(kept) - 1}]"

    return re.sub(pattern, mark, text), tuple(kept)


def restore(text: str, kept: tuple[str, ...]) -> str:
    """Put back what was kept; "" if a mark is missing, doubled or new: a lost number is worse than no translation."""
    marks = [int(found) for found in _MARK.findall(text)]
    if sorted(marks) != list(range(len(kept))):
        return ""
    return _MARK.sub(lambda found: kept[int(found[1])], text)


def _code(locale: str) -> str:
    return CODES.get(locale, locale)
