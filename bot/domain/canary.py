"""A made-up cry for help that goes the whole path, to see that it is there. Nobody is shown it as a person."""

from __future__ import annotations

from datetime import datetime

from bot.domain.messages import Address, Carrier, ChannelName, InboundMessage
from bot.domain.private import Private

#: No contact can have it: over the terminal nobody writes to a server.
ADDRESS = Address(ChannelName.TERMINAL, Private("canary"))
CANARY = "canary"
CANARY_FAILED = "canary_failed"


def canary(now: datetime) -> InboundMessage:
    """Return the message of one canary: the sign that means danger in every language."""
    key = f"{CANARY}:{now.isoformat()}"
    return InboundMessage(key, ADDRESS, Carrier.TEXT, Private("🆘"), now, now)


def is_canary(message: InboundMessage) -> bool:
    """Say whether a message is one."""
    return message.address == ADDRESS
