"""What a platform tells us beside messages: what became of ours, who has moved, that it refuses us."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import datetime

from bot.domain.messages import ChannelName, Moved, Receipt
from bot.ports import Moves, Outbox, StoreUnavailable
from bot.service.operator import Operator
from bot.service.receive import NotAccepted

log = logging.getLogger(__name__)


class PlatformNews:
    """Takes them for one channel."""

    def __init__(
        self, channel: ChannelName, outbox: Outbox, moves: Moves, operator: Operator, now: Callable[[], datetime]
    ) -> None:
        """*operator* hears of what only somebody who runs the service can mend."""
        self._channel = channel
        self._outbox = outbox
        self._moves = moves
        self._operator = operator
        self._now = now

    async def receipt(self, receipt: Receipt) -> None:
        """Move an outbound message forward."""
        await self._outbox.receipt(receipt)
        if receipt.alarm:
            await self._operator.tell(self._channel, f"{self._channel.value}:{receipt.error_code}")

    async def moved(self, moved: Moved) -> None:
        """Let a conversation follow its person. Raise `NotAccepted`."""
        try:
            done = await self._moves.move(moved, self._now())
        except StoreUnavailable as error:
            raise NotAccepted(str(error)) from error
        log.info("a person has a new address", extra={"outcome": done})

    async def alarm(self, reason: str) -> None:
        """Tell the operator."""
        await self._operator.tell(self._channel, reason)
