"""`sahyatri nlu parse`: what the NLU and, apart from it, the in-process danger check make of a text."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterator
from typing import Any, TextIO

from aiohttp import ClientSession

from bot.clients.nlu import RasaNlu
from bot.config import Config
from bot.content.load import load
from bot.content.model import Content
from bot.dialogue.language import guess
from bot.dialogue.safety import Guard
from bot.domain.understanding import Understanding
from bot.embedded import train, understanding
from bot.local import LocalError, nlu_ready

BATCH = 16
PATIENCE = 90.0


async def run_parse(config: Config, rows: Iterator[dict[str, str]], out: TextIO, say: Callable[[str], None]) -> None:
    """Read rows, print one JSON line each, in order."""
    content = load(config.content)
    guard = Guard(content.danger)
    if not config.nlu_url:
        await train(config, say)
    async with understanding(config, say) as (url, token), ClientSession() as http:
        if not await nlu_ready(url, PATIENCE):
            raise LocalError(f"the NLU server at {url} is not ready")
        nlu = RasaNlu(http, url, token=token, patience=5.0)
        batch: list[str] = []
        for row in rows:
            batch.append(row["text"])
            if len(batch) == BATCH:
                await _print(batch, nlu, guard, content, out)
                batch = []
        await _print(batch, nlu, guard, content, out)


async def _print(batch: list[str], nlu: RasaNlu, guard: Guard, content: Content, out: TextIO) -> None:
    heard = await asyncio.gather(*(nlu.understand(text, "") for text in batch))
    for text, understood in zip(batch, heard, strict=True):
        print(json.dumps(_line(text, understood, guard, content), ensure_ascii=False), file=out)


def _line(text: str, understood: Understanding, guard: Guard, content: Content) -> dict[str, Any]:
    risk = guard.check(text)
    return {
        "text": text,
        "intent": understood.intent,
        "confidence": round(understood.confidence, 6),
        "ranking": [{"intent": item.intent, "confidence": round(item.confidence, 6)} for item in understood.ranking],
        "entities": [
            {"entity": item.kind, "value": item.value, "start": item.start, "end": item.end}
            for item in understood.entities
        ],
        "danger": {"level": risk.level.name.lower(), "reason": risk.reason} if risk.level else None,
        "language": understood.language or guess(text, content) or None,
    }
