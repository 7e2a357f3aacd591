"""From where somebody tries to come in."""

from __future__ import annotations

from collections.abc import Sequence

from aiohttp import web

from bot.domain import peers


def peer_of(request: web.Request, proxies: Sequence[peers.Network]) -> str:
    """Return the address that tries are counted by."""
    return peers.peer_of(request.remote or "", request.headers.getall("X-Forwarded-For", []), proxies)
