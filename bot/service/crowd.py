"""Somebody who writes very much: heard in full, told once to go slower, and never in the way of others."""

from __future__ import annotations

from collections import OrderedDict, deque
from datetime import datetime, timedelta

MINUTE = timedelta(minutes=1)
#: More messages than this in a minute are read for danger, and not answered one by one.
MOST_A_MINUTE = 20
#: Said once, and again only to somebody who has been slower for so long.
SAID_AGAIN = timedelta(minutes=10)
MOST_REMEMBERED = 20_000


class Crowd:
    """How much each conversation has written in the last minute, as far as this process answered it."""

    def __init__(self) -> None:  # noqa: D107
        self._times: OrderedDict[str, deque[datetime]] = OrderedDict()
        self._said: OrderedDict[str, datetime] = OrderedDict()

    def hurried(self, conversation_id: str, now: datetime) -> bool:
        """Count one message; say whether there were too many to answer this one."""
        times = self._times.setdefault(conversation_id, deque(maxlen=MOST_A_MINUTE + 1))
        self._times.move_to_end(conversation_id)
        times.append(now)
        if len(self._times) > MOST_REMEMBERED:
            self._times.popitem(last=False)
        return len(times) > MOST_A_MINUTE and now - times[0] < MINUTE

    def says_so(self, conversation_id: str, now: datetime) -> bool:
        """Say whether the person is to be told now."""
        before = self._said.get(conversation_id)
        self._said[conversation_id] = now
        self._said.move_to_end(conversation_id)
        if len(self._said) > MOST_REMEMBERED:
            self._said.popitem(last=False)
        return before is None or now - before > SAID_AGAIN
