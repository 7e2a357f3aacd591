"""What the page's script sends, parsed once: messages as JSON, and files."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from aiohttp import web

from bot.domain.messages import Address, Carrier, InboundMessage
from bot.domain.private import Private
from bot.public.visitors import LONGEST_ID, SAFE

LONGEST_TEXT = 4000
LONGEST_BODY = LONGEST_TEXT * 8
LONGEST_FAREWELL = 64 * 1024
MOST_UNSENT = 50
MOST_BYTES = 5 * 1024 * 1024
BODY_PATIENCE = 10.0
FILE_PATIENCE = 60.0


@dataclass(frozen=True, slots=True)
class Letter:
    """One message: the id its browser gave it, its words, or a choice's id, or a point as "latitude,longitude"."""

    name: str
    text: Private
    choice: str | None = None
    point: str = ""

    def inbound(self, address: Address, key: str, now: datetime) -> InboundMessage:
        """Return it as every channel's messages look."""
        carrier = Carrier.CHOICE if self.choice else Carrier.LOCATION if self.point else Carrier.TEXT
        return InboundMessage(key, address, carrier, self.text, now, now, self.choice, point=Private(self.point))


async def read_letter(request: web.Request) -> Letter:
    """Return the message in a JSON body. Raise 400, 408, 413, 415."""
    if request.content_type != "application/json":
        raise web.HTTPUnsupportedMediaType(text="send JSON")
    return letter(_parsed(await read_bytes(request, LONGEST_BODY, BODY_PATIENCE)))


async def read_farewell(request: web.Request) -> Sequence[Letter]:
    """Return what a browser had not sent yet when the person left; what cannot be read is left out."""
    try:
        body = _parsed(await read_bytes(request, LONGEST_FAREWELL, BODY_PATIENCE))
    except web.HTTPException:
        return ()
    unsent = body.get("unsent")
    return tuple(filter(None, map(_letter_or_none, unsent[:MOST_UNSENT] if isinstance(unsent, list) else ())))


async def read_bytes(request: web.Request, most: int, patience: float) -> bytes:
    """Return a whole body of at most *most* bytes within *patience* seconds. Raise 408, 413."""
    data = b""
    try:
        async with asyncio.timeout(patience):
            while part := await request.content.readany():
                data += part
                if len(data) > most:
                    raise web.HTTPRequestEntityTooLarge(most, len(data))
    except TimeoutError as error:
        raise web.HTTPRequestTimeout(text="too slow") from error
    return data


def letter(body: dict[str, Any]) -> Letter:
    """Return the message in an object. Raise 400."""
    name, text, choice = body.get("id"), body.get("text", ""), body.get("choice")
    if not isinstance(name, str) or not clean(name) or name != clean(name):
        raise web.HTTPBadRequest(text="id: up to 64 letters, digits, - or _")
    if not isinstance(text, str) or len(text) > LONGEST_TEXT:
        raise web.HTTPBadRequest(text="text: up to 4000 characters")
    if choice is not None and (not isinstance(choice, str) or len(choice) > LONGEST_ID):
        raise web.HTTPBadRequest(text="choice: an id")
    point = _point(body.get("point"))
    if not text.strip() and not choice and not point:
        raise web.HTTPBadRequest(text="text, choice or point is needed")
    return Letter(name, Private(text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")), choice, point)


def clean(value: str) -> str:
    """Return the harmless characters of an id."""
    return "".join(char for char in value if char in SAFE)[: 2 * LONGEST_ID]


def _letter_or_none(given: object) -> Letter | None:
    try:
        return letter(given) if isinstance(given, dict) else None
    except web.HTTPBadRequest:
        return None


def _parsed(body: bytes) -> dict[str, Any]:
    try:
        found = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise web.HTTPBadRequest(text="not JSON") from error
    if not isinstance(found, dict):
        raise web.HTTPBadRequest(text="not an object")
    return found


def _point(given: object) -> str:
    if given is None:
        return ""
    fits = isinstance(given, list) and len(given) == 2 and all(isinstance(part, int | float) for part in given)  # noqa: PLR2004
    if not fits or not (abs(given[0]) <= 90 and abs(given[1]) <= 180):  # type: ignore[index] # noqa: PLR2004 - degrees, and not NaN
        raise web.HTTPBadRequest(text="point: [latitude, longitude] in degrees")
    return f"{given[0]:.5f},{given[1]:.5f}"  # type: ignore[index]
