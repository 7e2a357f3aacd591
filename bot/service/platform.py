"""What a platform tells us beside messages: what became of ours, who has moved, that it refuses us."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import datetime
from typing import Protocol

from bot.domain.messages import ChannelName, Moved, Receipt, ReceiptState
from bot.ports import Moves, Outbox, Standings, StoreUnavailable
from bot.service.operator import Operator
from bot.service.receive import NotAccepted

log = logging.getLogger(__name__)


class KnownOutbox(Outbox, Protocol):
    """An outbox that also knows what a report is about."""

    async def is_template(self, receipt: Receipt) -> bool:
        """Say whether the message of a report was an approved text; so it counts, too, where it is not known."""
        ...


class PlatformNews:
    """Takes them for one channel."""

    def __init__(
        self,
        channel: ChannelName,
        outbox: KnownOutbox,
        moves: Moves,
        operator: Operator,
        now: Callable[[], datetime],
        standings: Standings | None = None,
    ) -> None:
        """*operator* hears of what only somebody who runs the service can mend."""
        self._channel = channel
        self._outbox = outbox
        self._moves = moves
        self._operator = operator
        self._now = now
        self._standings = standings

    async def receipt(self, receipt: Receipt) -> None:
        """Move an outbound message forward."""
        await self._outbox.receipt(receipt)
        if receipt.alarm:
            await self._operator.tell(self._channel, f"{self._channel.value}:{receipt.error_code}")
        if self._standings:
            await self._stand(receipt, self._standings)

    async def _stand(self, receipt: Receipt, standings: Standings) -> None:
        """What a report says of the whole account counts as much as an answer; a template's fault may be its alone."""
        if receipt.account and not await self._outbox.is_template(receipt):
            await standings.refuses(self._channel, afterwards=True)
        elif receipt.state is ReceiptState.SENT:
            await standings.takes(self._channel, receipt.at)

    async def refused(self, reason: str) -> None:
        """Tell the operator that the platform refuses our account, and remember it."""
        await self._operator.tell(self._channel, reason)
        if self._standings:
            await self._standings.refuses(self._channel, afterwards=True)

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
