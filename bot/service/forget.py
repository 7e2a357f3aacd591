"""Messages that a person wants gone from their screen."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta

from bot.domain.messages import ChannelName
from bot.ports import Channel, ChannelError, Trace, Traces

log = logging.getLogger(__name__)
TRY_AGAIN = timedelta(seconds=5)
GIVE_UP = timedelta(hours=1)


class Forgetter:
    """Deletes what the channel lets us delete; tries again for an hour where the channel does not answer."""

    def __init__(self, traces: Traces, channels: Mapping[ChannelName, Channel], now: Callable[[], datetime]) -> None:
        """*channels* are those this process can send to."""
        self._traces = traces
        self._channels = channels
        self._now = now

    async def work(self) -> int:
        """Delete what is due; return for how many conversations that was done."""
        return sum([await self._forget(trace) for trace in await self._traces.due(self._now())])

    async def _forget(self, trace: Trace) -> bool:
        try:
            if trace.message_ids:
                await self._channels[trace.address.channel].forget(trace.address, trace.message_ids)
        except ChannelError as error:
            log.warning("messages not deleted", extra={"reason": error.reason, "retryable": error.retryable})
            if error.retryable and self._now() - trace.since < GIVE_UP:
                wait = max(TRY_AGAIN, timedelta(seconds=error.retry_after))
                await self._traces.later(trace, self._now() + wait)
                return False
        await self._traces.done(trace)
        return True


async def keep_forgetting(forgetter: Forgetter, pause: float = 0.5) -> None:
    """Delete what is due for ever."""
    while True:
        try:
            await forgetter.work()
        except Exception as error:
            log.exception("deleting goes on after an error", extra={"error": type(error).__name__})
        await asyncio.sleep(pause)
