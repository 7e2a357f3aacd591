"""From where somebody knocks: behind a TLS proxy of ours the address is the one that the proxy tells."""

from __future__ import annotations

from collections.abc import Sequence
from ipaddress import IPv4Network, IPv6Network, ip_address

from aiohttp import web

Network = IPv4Network | IPv6Network


def peer_of(request: web.Request, proxies: Sequence[Network]) -> str:
    """Return the address that tries are counted by.

    The last entry of X-Forwarded-For is our proxy's own word; what stands before it anybody may have written.
    """
    remote = request.remote or ""
    told = request.headers.getall("X-Forwarded-For", [])
    last = told[-1].rpartition(",")[2].strip() if told else ""
    return last if _is_address(last) and _within(remote, proxies) else remote


def _within(text: str, networks: Sequence[Network]) -> bool:
    return _is_address(text) and any(ip_address(text) in network for network in networks)


def _is_address(text: str) -> bool:
    try:
        ip_address(text)
    except ValueError:
        return False
    return True
