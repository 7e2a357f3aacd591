"""From where somebody knocks: behind a proxy of our own the address is the one that the proxy tells."""

from __future__ import annotations

from collections.abc import Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address

Network = IPv4Network | IPv6Network


def peer_of(remote: str, forwarded: Sequence[str], proxies: Sequence[Network]) -> str:
    """Return the network address that visits and tries are counted by.

    *remote*: who opened the connection; *forwarded*: the values of X-Forwarded-For. Each hop counts only where the
    one after it is a proxy of ours: what stands before, anybody may have written.
    """
    hops = [part.strip() for value in forwarded for part in value.split(",")]
    found = remote
    while hops and _within(found, proxies) and _address(hops[-1]):
        found = hops.pop()
    return found


def _within(text: str, networks: Sequence[Network]) -> bool:
    address = _address(text)
    return address is not None and any(address in network for network in networks)


def _address(text: str) -> IPv4Address | IPv6Address | None:
    try:
        return ip_address(text)
    except ValueError:
        return None
