"""Accept what a channel brought: durable first, answered later."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from bot.domain.messages import InboundMessage, Receipt
from bot.ports import Inbox, Outbox, StoreUnavailable


class Spool(Protocol):
    """A local, sealed file that stands in while the database is silent."""

    async def append(self, message: InboundMessage) -> None:
        """Write and fsync. Raise OSError when the disk is full."""
        ...


class Early(Protocol):
    """Looks after what was accepted until somebody else does: see `bot.service.early`."""

    def heard(self, message: InboundMessage, *, spooled: bool) -> None:
        """Remember a message."""
        ...


class NotAccepted(Exception):
    """Neither database nor spool could keep the message: the channel must send it again."""


class Receiver:
    """The only way in, for every channel."""

    def __init__(
        self, inbox: Inbox, outbox: Outbox, spool: Spool, wake: Callable[[], None], early: Early | None = None
    ) -> None:
        """*wake* tells the workers that something waits; *early* pages for danger that the database cannot take."""
        self._early = early
        self._inbox = inbox
        self._outbox = outbox
        self._spool = spool
        self._wake = wake

    async def receive(self, message: InboundMessage) -> bool:
        """Keep one message; False for a redelivery. Raise `NotAccepted`."""
        try:
            fresh = await self._inbox.add(message)
        except StoreUnavailable:
            # First: the disk may be slow or full too, and the page needs neither.
            self._remember(message, spooled=True)
            await self._to_spool(message)
            return True
        if fresh:
            self._wake()
            self._remember(message, spooled=False)
        return fresh

    async def receipt(self, receipt: Receipt) -> None:
        """Move an outbound message forward."""
        await self._outbox.receipt(receipt)

    def _remember(self, message: InboundMessage, *, spooled: bool) -> None:
        if self._early:
            self._early.heard(message, spooled=spooled)

    async def _to_spool(self, message: InboundMessage) -> None:
        try:
            await self._spool.append(message)
        except OSError as error:
            raise NotAccepted(str(error.errno)) from error
