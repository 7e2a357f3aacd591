"""One process of all looks every few minutes at how we stand with the platforms, and tells the operator in time.

While no process runs nobody looks: something outside must watch `/health` for that.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Protocol
from urllib.parse import urlsplit

from bot.domain.health import Delivery, call_number
from bot.domain.messages import ChannelName
from bot.domain.pace import people_a_day
from bot.ports import (
    PLATFORM_ADDRESS,
    PLATFORM_KINDS,
    PLATFORM_LATE,
    PLATFORM_NUMBER,
    ChannelError,
    DeliveryLook,
    HealthNotes,
    NumberLook,
)
from bot.service.operator import Operator

log = logging.getLogger(__name__)
LOOK_EVERY: Final = 300.0
FIRST_LOOK: Final = 60.0
LONGEST_FAULT: Final = 120
NONE: Final = "-"


class PlatformWatch(Protocol):
    """Looks after one platform."""

    channel: ChannelName

    async def look(self) -> None:
        """Look once."""
        ...


@dataclass(frozen=True, slots=True)
class Expected:
    """Where a platform is to bring messages, and which kinds."""

    address: str
    kinds: Collection[str]


class DeliveryWatch:
    """Whether a platform brings us everything, here, and without delay."""

    def __init__(  # noqa: D107
        self,
        channel: ChannelName,
        ask: DeliveryLook,
        expected: Expected,
        notes: HealthNotes,
        operator: Operator,
        now: Callable[[], datetime],
    ) -> None:
        self.channel = channel
        self._ask = ask
        self._expected = expected
        self._notes = notes
        self._operator = operator
        self._now = now

    async def look(self) -> None:
        """Ask the platform; tell the operator what is wrong, of each thing once a day, of a long delay hourly."""
        try:
            found = await self._ask()
        except ChannelError as error:
            log.warning("the platform cannot be asked", extra={"channel": self.channel.value, "reason": error.reason})
            if error.account:
                await self._operator.tell(self.channel, error.reason)
            return
        await self._place(found)
        await self._delay(found)

    async def _place(self, found: Delivery) -> None:
        """Of another's address only the host is told: some put their token into the path."""
        if found.address != self._expected.address:
            await self._warn(PLATFORM_ADDRESS, self._today(), address=urlsplit(found.address).hostname or NONE)
        elif lacking := found.lacks(self._expected.kinds):
            await self._warn(PLATFORM_KINDS, self._today(), kinds=", ".join(lacking))

    async def _delay(self, found: Delivery) -> None:
        now = self._now()
        since = await self._notes.behind_since(self.channel.value, now, behind=found.is_behind(now))
        if not since or not (number := call_number(since, now)):
            return
        hours, fault = int((now - since).total_seconds() // 3600), found.error[:LONGEST_FAULT] or NONE
        number_of = f"{since:%Y-%m-%dT%H:%M:%S}:{number}"
        await self._warn(PLATFORM_LATE, number_of, hours=str(hours), pending=str(found.pending), fault=fault)

    def _today(self) -> str:
        return str(self._now().date())

    async def _warn(self, kind: str, number: str, **values: str) -> None:
        await self._operator.warn(kind, self.channel.value, number, {"channel": self.channel.value, **values})


class NumberWatch:
    """Whether our number may still write, and to how many people a day first."""

    def __init__(  # noqa: D107
        self,
        channel: ChannelName,
        ask: NumberLook,
        notes: HealthNotes,
        operator: Operator,
        now: Callable[[], datetime],
    ) -> None:
        self.channel = channel
        self._ask = ask
        self._notes = notes
        self._operator = operator
        self._now = now

    async def look(self) -> None:
        """Ask the platform; keep the limit, and tell the operator once a day of each trouble."""
        try:
            found = await self._ask()
        except ChannelError as error:
            log.warning("the platform cannot be asked", extra={"channel": self.channel.value, "reason": error.reason})
            return
        people = people_a_day(found.tier)
        if people is not None:
            await self._notes.keep_limit(self.channel.value, people)
        for what in found.troubles():
            values = {"channel": self.channel.value, "what": what}
            await self._operator.warn(PLATFORM_NUMBER, self.channel.value, f"{what}:{self._now().date()}", values)


async def keep_looking(
    watches: Sequence[PlatformWatch], hold: Callable[[str, float], Awaitable[bool]], pause: float = LOOK_EVERY
) -> None:
    """Look for ever, where *hold* gives this process the right to; whoever takes over goes on from what was kept.

    Not at once: whoever has just started the service may be about to set the platforms up.
    """
    await asyncio.sleep(min(pause, FIRST_LOOK))
    while True:
        for watch in watches:
            try:
                if await hold(f"health:{watch.channel}", 2 * pause):
                    await watch.look()
            except Exception as error:
                log.exception("looking at platforms goes on after an error", extra={"error": type(error).__name__})
        await asyncio.sleep(pause)
