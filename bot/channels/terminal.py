"""The terminal: a channel whose sends are only collected, for `sahyatri chat` and for tests."""

from __future__ import annotations

from collections.abc import Sequence

from bot.domain.canary import ADDRESS as CANARY_ADDRESS
from bot.domain.messages import Address, ChannelName, OutboundMessage
from bot.domain.private import Private


class TerminalChannel:
    """Keeps what was sent, in order."""

    name = ChannelName.TERMINAL

    def __init__(self) -> None:
        """Start empty."""
        self.sent: list[tuple[Address, OutboundMessage]] = []

    async def send(self, address: Address, message: OutboundMessage, outbox_id: str) -> Private:
        """Keep it; nobody reads what a canary is told."""
        if address != CANARY_ADDRESS:
            self.sent.append((address, message))
        return Private(outbox_id)

    async def forget(self, address: Address, message_ids: Sequence[Private]) -> None:  # noqa: ARG002
        """Forget what was sent to this address."""
        self.sent = [(to, message) for to, message in self.sent if to != address]
