"""Files that come with a form: a picture and a voice note, each within the size that the full page keeps to as well."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from aiohttp import BodyPartReader, web

from bot.domain.messages import Carrier
from bot.domain.pictures import picture_type
from bot.domain.sounds import sound_type
from bot.public.letters import FILE_PATIENCE, MOST_BYTES

#: The form's fields that hold files.
CARRIERS = {"picture": Carrier.IMAGE, "voice": Carrier.VOICE}
#: Of a file that is too large so much is read on and thrown away: a browser shows no answer before it has sent all.
MOST_THROWN = 64 * 1024 * 1024
AT_ONCE = 64 * 1024
#: Of a field no more: the parser reads two pieces ahead, and words must not wait for that much of a file.
A_LITTLE = 1024


@dataclass(frozen=True, slots=True)
class Enclosure:
    """One file: how it counts, its MIME type by its first bytes, its bytes."""

    carrier: Carrier
    mime: str
    data: bytes


async def read_file(part: BodyPartReader) -> Enclosure | None:
    """Return a form's file, None where none was chosen. Raise 413 too large or too slow, 415 a kind we do not take."""
    try:
        async with legible(FILE_PATIENCE):
            data = await read_part(part, MOST_BYTES, MOST_THROWN, AT_ONCE)
    except web.HTTPRequestTimeout as error:
        raise web.HTTPRequestEntityTooLarge(MOST_BYTES, text="too slow") from error
    if not data:
        return None
    carrier = CARRIERS[str(part.name)]
    mime = picture_type(data) if carrier is Carrier.IMAGE else sound_type(data)
    if not mime:
        raise web.HTTPUnsupportedMediaType(text="no file of a kind that is taken")
    return Enclosure(carrier, mime, data)


async def read_part(part: BodyPartReader, most: int, thrown: int = 0, at_once: int = A_LITTLE) -> bytes:
    """Return a part of at most *most* bytes, reading up to *thrown* more before it is refused. Raise 413."""
    data, size = bytearray(), 0
    while not part.at_eof() and size <= most + thrown:
        piece = await part.read_chunk(at_once)
        size += len(piece)
        if size <= most:
            data += piece
    if size > most:
        raise web.HTTPRequestEntityTooLarge(most, size)
    return bytes(data)


@asynccontextmanager
async def legible(seconds: float) -> AsyncIterator[None]:
    """Turn what is no form into 400, and what is not there within *seconds* into 408."""
    try:
        async with asyncio.timeout(seconds):
            yield
    except TimeoutError as error:
        raise web.HTTPRequestTimeout(text="too slow") from error
    except (ValueError, RuntimeError) as error:
        raise web.HTTPBadRequest(text="not a form") from error
