"""What a browser says of itself: the name that every one sends, and the client hints of those that have them."""

from __future__ import annotations

import hmac
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from aiohttp import web

LONGEST: Final = 300
#: Sent with every page over TLS and at localhost, without being asked for.
HINTS: Final = ("Sec-CH-UA", "Sec-CH-UA-Mobile", "Sec-CH-UA-Platform")


@dataclass(frozen=True, slots=True)
class Browser:
    """agent: what it calls itself. hints: the values of `HINTS`, "" for one that was not sent."""

    agent: str = ""
    hints: tuple[str, ...] = ("",) * len(HINTS)

    def is_of(self, row: Mapping[str, Any]) -> bool:
        """Say whether this can be the browser that opened the session of *row*.

        A hint counts only where both have it: a browser leaves hints out when it saves a file, and an old one has none.
        """
        hints: Sequence[str] = row.get("hints", ())
        pairs = zip(self.hints, hints, strict=False)
        known = [(row.get("agent", ""), self.agent), *(pair for pair in pairs if all(pair))]
        return all(hmac.compare_digest(one.encode(), other.encode()) for one, other in known)

    @property
    def fields(self) -> dict[str, object]:
        """What a session keeps of it."""
        return {"agent": self.agent, "hints": list(self.hints)}


#: One that says nothing.
UNNAMED: Final = Browser()


def browser_of(request: web.Request) -> Browser:
    """Return what the browser of a request says of itself."""
    said = request.headers
    return Browser(
        said.get("User-Agent", "")[:LONGEST].encode(errors="replace").decode(),
        tuple(said.get(name, "")[:LONGEST].encode(errors="replace").decode() for name in HINTS),
    )
