"""The NLU server as the service sees it: an answer in time, or NOTHING. It never raises and never logs a word.

Speaks Rasa's `/model/parse` contract. Whatever is odd (HTML, broken JSON, NaN, an unknown intent, an answer to another
message) counts as no answer; five such in a row open a breaker, so that a dead NLU costs nobody 0.8 s a message.
"""

from __future__ import annotations

import asyncio
import json
import math
import secrets
import time
from collections.abc import Callable, Mapping
from typing import Any

from aiohttp import ClientError, ClientSession, ClientTimeout

from bot.domain import text as forms
from bot.domain.understanding import NOTHING, Entity, Ranked, Understanding

PATIENCE = 0.8
MOST_BYTES = 256 * 1024
OPENS_AFTER = 5
HALF_OPEN_AFTER = 5.0
#: Enough to look past spaces and invisible characters for a leading slash.
FIRST_CHARACTERS = 256


#: Everything an absent, slow or odd server can lead to; a closed session (at the stop) is a RuntimeError.
ODD = (
    ClientError,
    OSError,
    TimeoutError,
    asyncio.IncompleteReadError,
    ValueError,
    LookupError,
    TypeError,
    AttributeError,
    ArithmeticError,
    RecursionError,
    RuntimeError,
)


class RasaNlu:
    """`bot.ports.Understander` over HTTP."""

    def __init__(
        self,
        session: ClientSession,
        url: str,
        *,
        token: str = "",
        patience: float = PATIENCE,
        intents: frozenset[str] | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """*intents*: those we know; None accepts any. *clock* is monotonic, in seconds."""
        self._session = session
        self._url = f"{url.rstrip('/')}/model/parse"
        self._headers = {"X-Nlu-Token": token} if token else {}
        self._timeout = ClientTimeout(total=patience)
        self._intents = intents
        self._clock = clock
        self._failures_in_row = 0
        self._retry_at = 0.0
        self._probing = False
        self.asked = 0
        self.failed = 0
        self.skipped = 0

    async def understand(self, text: str, locale: str) -> Understanding:  # noqa: ARG002
        """Return what *text* means; NOTHING when the server is down, slow, odd or given a rest by the breaker."""
        if self._failures_in_row >= OPENS_AFTER and (self._probing or self._clock() < self._retry_at):
            self.skipped += 1
            return NOTHING
        self.asked += 1
        self._probing = self._failures_in_row >= OPENS_AFTER
        try:
            found = await self._ask(text)
        finally:
            self._probing = False
        if found is None:
            self.failed += 1
            self._failures_in_row += 1
            self._retry_at = self._clock() + HALF_OPEN_AFTER
            return NOTHING
        self._failures_in_row = 0
        return found

    async def _ask(self, text: str) -> Understanding | None:
        name = secrets.token_hex(8)
        said = f"\u00b7 {text}" if forms.normalise(text[:FIRST_CHARACTERS]).startswith("/") else text
        try:
            async with self._session.post(
                self._url, json={"text": said, "message_id": name}, headers=self._headers, timeout=self._timeout
            ) as answer:
                raw = await answer.content.read(MOST_BYTES + 1)
                while len(raw) <= MOST_BYTES and not answer.content.at_eof():
                    raw += await answer.content.read(MOST_BYTES + 1 - len(raw))
                if answer.status != 200 or len(raw) > MOST_BYTES:  # noqa: PLR2004
                    return None
                return self._read(json.loads(raw), name, said)
        except ODD:
            return None

    def _read(self, answer: Mapping[str, Any], name: str, said: str) -> Understanding | None:
        # Rasa's own server echoes no id, but the text; ours echoes both.
        if answer.get("message_id", name) != name or ("message_id" not in answer and answer.get("text") != said):
            return None
        ranking = tuple(self._ranked(item) for item in answer["intent_ranking"])
        best = self._ranked(answer["intent"])
        if self._intents is not None and any(item.intent not in self._intents for item in ranking):
            return None
        entities = tuple(
            Entity(str(item["entity"]), str(item["value"]), int(item["start"]), int(item["end"]))
            for item in answer.get("entities") or ()
        )
        language = answer.get("language")
        locale = language.get("locale") if isinstance(language, dict) else ""
        return Understanding(best.intent, best.confidence, ranking, entities, locale if isinstance(locale, str) else "")

    @staticmethod
    def _ranked(item: Mapping[str, Any]) -> Ranked:
        name, confidence = item["name"], float(item["confidence"])
        if not isinstance(name, str) or not name or not math.isfinite(confidence) or not 0 <= confidence <= 1:
            raise ValueError("not an intent with a confidence")
        return Ranked(name, confidence)
