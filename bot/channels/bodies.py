"""The body of a webhook: whole within seconds, or not at all."""

from __future__ import annotations

import asyncio

from aiohttp import web

#: A platform that brings a message has so many seconds for its body.
BODY_SECONDS = 10.0


async def whole(request: web.Request) -> bytes:
    """Return it. Raise 408 where it does not end in time, 413 where it is too long."""
    try:
        async with asyncio.timeout(BODY_SECONDS):
            return await request.read()
    except TimeoutError as error:
        raise web.HTTPRequestTimeout from error
