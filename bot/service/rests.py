"""Which channels are left alone for a moment: their pace asks for it, or nothing answers there."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from bot.domain.messages import ChannelName, Lane
from bot.ports import Due

#: After so many sends in a row without an answer in time a channel rests.
SILENT_IN_A_ROW = 2
REST = 15.0
#: Longer than any channel waits for an answer: while one message asks whether it is back, no other is risked.
PROBE = 35.0


@dataclass
class _State:
    """Of one channel: until when it rests, by the clock, and how many sends in a row nobody answered.

    asking: the row that asks whether the channel is back.
    """

    until: float = float("-inf")
    silent: int = 0
    asking: str = ""


class Rests:
    """Of one process. What danger needs asks nobody here: it is always tried."""

    def __init__(self, clock: Callable[[], float]) -> None:
        """*clock* counts seconds and only rises."""
        self._clock = clock
        self._states: dict[ChannelName, _State] = {}

    def now(self) -> frozenset[ChannelName]:
        """Return the channels that rest."""
        return frozenset(channel for channel, state in self._states.items() if state.until > self._clock())

    def next_end(self, longest: float) -> float:
        """Return the seconds until the first rest ends, *longest* at most."""
        now = self._clock()
        return min([longest, *(state.until - now for state in self._states.values() if state.until > now)])

    def rest(self, channel: ChannelName, seconds: float) -> None:
        """Leave a channel alone for so long."""
        self._of(channel).until = self._clock() + seconds

    def may(self, due: Due) -> bool:
        """Say whether this message may leave now. After a silence a single one asks whether the channel is back."""
        if due.message.lane is Lane.DISTRESS:
            return True
        channel = due.address.channel
        if channel in self.now():
            return False
        if self._of(channel).silent >= SILENT_IN_A_ROW:
            self.rest(channel, PROBE)
            self._of(channel).asking = due.id
        return True

    def stayed(self, due: Due) -> None:
        """A message that was to leave did not: if it was the one to ask, another may ask now."""
        state = self._of(due.address.channel)
        if state.asking == due.id:
            state.until, state.asking = float("-inf"), ""

    def answered(self, channel: ChannelName) -> None:
        """Something answered, were it a refusal."""
        if self._of(channel).silent >= SILENT_IN_A_ROW:
            self.rest(channel, 0)
        self._of(channel).silent, self._of(channel).asking = 0, ""

    def silent(self, channel: ChannelName) -> None:
        """Nothing answered in time."""
        state = self._of(channel)
        state.silent, state.asking = state.silent + 1, ""
        if state.silent >= SILENT_IN_A_ROW:
            self.rest(channel, REST)

    def _of(self, channel: ChannelName) -> _State:
        return self._states.setdefault(channel, _State())
