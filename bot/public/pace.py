"""How fast one browser and one network address may write: slowed, never refused for good, and never in danger."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable

#: Messages at once, and a second after that. An address may stand for a whole station's phones behind one router.
ONE_VISITOR = (30, 0.5)
ONE_ADDRESS = (600, 10.0)
#: Voice notes and pictures of one visitor.
FILES = (12, 0.1)
MOST_KEPT = 50_000


class Pace:
    """Token buckets by name; the one unused longest is forgotten first, since it is full again anyhow."""

    def __init__(self, limit: tuple[int, float], clock: Callable[[], float], most_kept: int = MOST_KEPT) -> None:
        """*limit*: how many at once, and how many a second after that. *clock*: seconds that only rise."""
        self._size, self._rate = limit
        self._clock = clock
        self._most_kept = most_kept
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def wait(self, name: str) -> float:
        """Return 0 and count one message of *name*, or the seconds until it may come."""
        now = self._clock()
        tokens, at = self._buckets.pop(name, (float(self._size), now))
        tokens = min(self._size, tokens + (now - at) * self._rate)
        spent = tokens >= 1
        self._buckets[name] = (tokens - spent, now)
        if len(self._buckets) > self._most_kept:
            self._buckets.popitem(last=False)
        return 0.0 if spent else (1 - tokens) / self._rate
