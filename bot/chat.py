"""`sahyatri chat`: one conversation from standard input, through the same service as every other channel."""

from __future__ import annotations

import asyncio
import json
import secrets
import sys
from collections.abc import AsyncIterator, Callable
from typing import Any, TextIO

from bot.agencies import first_lists
from bot.app import Service, open_service, utc_now
from bot.config import Config
from bot.domain.conversation import Turn, Waiting
from bot.domain.messages import Address, Carrier, ChannelName, InboundMessage, OutboundMessage
from bot.domain.private import Private
from bot.embedded import everything
from bot.running import running

TURN_PATIENCE = 30.0
Result = tuple[Turn, tuple[OutboundMessage, ...]]


class Chat:
    """One person at a terminal."""

    def __init__(self, service: Service) -> None:
        """A new conversation with an address of its own."""
        self._service = service
        self._address = Address(ChannelName.TERMINAL, Private(secrets.token_hex(8)))
        self._count = 0
        self._turns: dict[str, asyncio.Future[Result]] = {}

    def on_turn(self, waiting: Waiting, turn: Turn, messages: tuple[OutboundMessage, ...]) -> None:
        """Hear of a committed turn."""
        future = self._turns.pop(waiting.message.key, None)
        if future and not future.done():
            future.set_result((turn, messages))

    async def say(self, text: str, choice: str | None = None) -> Result:
        """Send one message and wait for its turn."""
        self._count += 1
        key = f"terminal:{self._address.value.reveal()}:{self._count}"
        now = utc_now()
        carrier = Carrier.CHOICE if choice else Carrier.TEXT
        future: asyncio.Future[Result] = asyncio.get_running_loop().create_future()
        self._turns[key] = future
        await self._service.receiver.receive(
            InboundMessage(key, self._address, carrier, Private(text), now, now, choice)
        )
        async with asyncio.timeout(TURN_PATIENCE):
            return await future


def as_json(said: str, result: Result) -> dict[str, Any]:
    """Return the machine-readable line of a turn."""
    turn, messages = result
    risk = turn.risk if turn.risk and turn.risk.level else None
    return {
        "in": said,
        "intent": turn.intent,
        "confidence": round(turn.confidence, 4),
        "risk": {"level": risk.level.name.lower(), "kind": risk.kind, "reason": risk.reason} if risk else None,
        "case": turn.conversation.open_case or None,
        "replies": [
            {"text": message.text.reveal(), "choices": [choice.label for choice in message.choices]}
            for message in messages
        ],
    }


def as_text(result: Result) -> str:
    """Return a turn for people to read."""
    lines = []
    for message in result[1]:
        lines.append(message.text.reveal())
        lines += [f"  {number}. {choice.label}" for number, choice in enumerate(message.choices, 1)]
    return "\n".join(lines) or "…"


async def run_chat(config: Config, locale: str, *, json_lines: bool, say: Callable[[str], None], out: TextIO) -> None:
    """Read messages from standard input, a line each; print each turn."""
    async with everything(config, say, wait_for_nlu=True) as (uri, nlu_url, token):
        given = config.model_copy(update={"nlu_token": type(config.nlu_token)(token)})
        async with open_service(given, mongodb_uri=uri, nlu_url=nlu_url) as service:
            await first_lists(service, say)
            chat = Chat(service)
            async with running(service, chat.on_turn):
                if locale:
                    await chat.say("", f"l:{locale}")
                async for line in _lines():
                    result = await chat.say(line)
                    shown = json.dumps(as_json(line, result), ensure_ascii=False) if json_lines else as_text(result)
                    print(shown, file=out, flush=True)


async def _lines() -> AsyncIterator[str]:
    loop = asyncio.get_running_loop()
    while line := await loop.run_in_executor(None, sys.stdin.readline):
        if line.strip():
            yield line.rstrip("\n")
