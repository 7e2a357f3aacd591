"""Showing that an answer is on its way, where it takes long enough to wonder."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager

from bot.domain.messages import Address, ChannelName

#: A quick answer shows nothing before; the sign lasts five seconds on Telegram and is renewed before it ends.
PATIENCE = 0.7
RENEWED = 4.5

#: Shows it once. Never raises.
Show = Callable[[Address], Awaitable[None]]


class Typing:
    """Shows it on the channels that can."""

    def __init__(self, shows: Mapping[ChannelName, Show], patience: float = PATIENCE) -> None:
        """*patience*: seconds of work that show nothing yet."""
        self._shows = shows
        self._patience = patience

    @asynccontextmanager
    async def shown(self, address: Address, *, wanted: bool) -> AsyncIterator[None]:
        """Show it while the block takes long. Not *wanted*: nothing is shown at all."""
        show = self._shows.get(address.channel) if wanted else None
        task = asyncio.create_task(self._keep(show, address)) if show else None
        try:
            yield
        finally:
            if task:
                task.cancel()
                with contextlib.suppress(asyncio.CancelledError):
                    await task

    async def _keep(self, show: Show, address: Address) -> None:
        await asyncio.sleep(self._patience)
        while True:
            await show(address)
            await asyncio.sleep(RENEWED)
