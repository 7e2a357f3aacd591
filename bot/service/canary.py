"""Every few minutes a made-up cry for help goes the whole path; what does not arrive is told before a person needs it.

Responders are not woken by it: each alert channel is only asked whether it would take a page (see `Pager.check`).
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime, timedelta

from bot.domain.canary import CANARY_FAILED, canary
from bot.domain.messages import InboundMessage
from bot.ports import Alert, Canaries, ChannelError, Flight, Pager
from bot.service.receive import NotAccepted

log = logging.getLogger(__name__)
PATIENCE = 30.0
LOOK_EVERY = 0.25
TURN_EVERY = 5.0
TELL_AGAIN_AFTER = 12
ROUNDS = 3


class Canary:
    """Sends them, and tells the administrators what they find."""

    def __init__(
        self,
        canaries: Canaries,
        receive: Callable[[InboundMessage], Awaitable[bool]],
        pagers: Mapping[str, Pager],
        now: Callable[[], datetime],
        patience: float = PATIENCE,
    ) -> None:
        """*patience*: seconds within which it must reach every alert channel."""
        self._canaries = canaries
        self._receive = receive
        self._pagers = pagers
        self._now = now
        self._patience = patience
        self._told: tuple[tuple[str, ...], int] = ((), 0)
        self.last: Flight | None = None

    async def take_turn(self, every: float) -> None:
        """Send one if it is our turn; else learn what another process found."""
        try:
            if not await self._canaries.my_turn(every):
                self.last = await self._canaries.last() or self.last
                return
        except Exception as error:
            log.warning("the canary cannot ask for its turn", extra={"error": type(error).__name__})
            await asyncio.sleep(every)
        await self.fly()

    def overdue(self, every: float) -> bool:
        """Say whether the last one is older than three rounds: then whatever it found says nothing any more."""
        return bool(every and self.last and self._now() - self.last.at > timedelta(seconds=ROUNDS * every))

    async def fly(self) -> Flight:
        """Send one, wait for it, record it, tell the administrators of what it did not reach."""
        began = self._now()
        arrived: Mapping[str, datetime] = {}
        try:
            async with asyncio.timeout(self._patience):
                await self._canaries.sweep()
                await self._receive(canary(began))
                while set(arrived) < set(self._pagers):
                    await asyncio.sleep(LOOK_EVERY)
                    arrived = await self._canaries.arrived()
        except (TimeoutError, NotAccepted):
            log.warning("the canary has not arrived everywhere")
        except Exception as error:
            log.exception("the canary met an error", extra={"error": type(error).__name__})
        took = {name: max((at - began).total_seconds(), 0.0) for name, at in arrived.items()}
        self.last = Flight(began, took, tuple(name for name in self._pagers if name not in took))
        await self._tell(self.last)
        await self._put_away(self.last)
        return self.last

    async def _put_away(self, flight: Flight) -> None:
        try:
            async with asyncio.timeout(self._patience):
                await self._canaries.record(flight)
                await self._canaries.sweep()
        except Exception as error:
            log.warning("the canary could not be put away", extra={"error": type(error).__name__})

    async def _tell(self, flight: Flight) -> None:
        """Page over every channel but the silent ones, at the first failure and then hourly; straight, not over the DB.

        If the canary reached no channel at all, the path is broken, not the channels: then all of them are tried.
        """
        before, times = self._told
        self._told = (flight.missing, times + 1 if flight.missing == before else 0)
        if not flight.missing or self._told[1] % TELL_AGAIN_AFTER:
            return
        names = [name for name in self._pagers if name not in flight.missing or not flight.arrived]
        await asyncio.gather(*(self._page(name, flight.missing) for name in names))

    async def _page(self, name: str, missing: Sequence[str]) -> None:
        values = {"channels": ", ".join(missing)}
        number = f"{CANARY_FAILED}:{self._now().isoformat(timespec='seconds')}:{name}"
        try:
            await self._pagers[name].page(Alert(number, "", name, CANARY_FAILED, "", "en", values=values))
        except ChannelError as error:
            log.warning("page failed", extra={"alert": number, "reason": error.reason})
        except Exception as error:
            log.exception("a page met an error", extra={"alert": number, "error": type(error).__name__})


async def keep_flying(canary_of: Canary, every: float) -> None:
    """Send canaries for ever."""
    while True:
        try:
            await canary_of.take_turn(every)
        except Exception as error:
            log.exception("the canary goes on after an error", extra={"error": type(error).__name__})
        await asyncio.sleep(min(TURN_EVERY, every))
