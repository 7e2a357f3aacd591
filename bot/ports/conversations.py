"""The inbox, and the conversation that a message belongs to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from bot.domain.conversation import Conversation, Turn, Waiting
from bot.domain.messages import Address, ChannelName, InboundMessage, Moved, OutboundMessage
from bot.domain.private import Private


@dataclass(frozen=True, slots=True)
class Lease:
    """A worker's timed right to one conversation; the token rises with every lease, so a late worker is refused."""

    conversation_id: str
    owner: str
    token: int


def reference(inbox_id: str) -> str:
    """Return the short name under which responders hear of a message: pages about the same one carry the same."""
    return inbox_id[:12]


class Inbox(Protocol):
    """Accepted, not answered."""

    def row_id(self, key: str) -> str:
        """Return the id under which a message with this idempotency key is kept."""
        ...

    def conversation_id(self, address: Address) -> str:
        """Return the conversation of a contact."""
        ...

    async def add(self, message: InboundMessage) -> bool:
        """Store durably (majority, journal); False if the key is known already. Raise `StoreUnavailable`."""
        ...

    async def waiting_conversation(self, skip: frozenset[str] = frozenset()) -> str | None:
        """Return the conversation that has waited longest, if any."""
        ...

    async def waiting(self, conversation_id: str, most: int) -> Sequence[Waiting]:
        """Return its first *most* unanswered messages in the order in which they were sent."""
        ...

    async def failed(self, waiting: Waiting) -> int:
        """Count one failed attempt and return how many there were."""
        ...


@dataclass(frozen=True, slots=True)
class Rendered:
    """A turn with its words: the outbound messages in order."""

    turn: Turn
    messages: tuple[OutboundMessage, ...]


class Conversations(Protocol):
    """The lasting state, one commit per turn."""

    async def lease(self, conversation_id: str, owner: str) -> Lease | None:
        """Take the right to answer it, or None if another worker has it."""
        ...

    async def renew(self, lease: Lease) -> bool:
        """Keep the right for longer; False if another worker has it by now."""
        ...

    async def release(self, lease: Lease) -> None:
        """Give the right back."""
        ...

    async def load(self, conversation_id: str, channel: ChannelName) -> Conversation:
        """Return it as committed last; a new contact gets an empty one."""
        ...

    async def commit(self, rendered: Rendered, answered: Waiting, lease: Lease, now: datetime) -> None:
        """Write conversation, outbox, case, alerts and inbox row together, or nothing. Raise `VersionClash`."""
        ...

    async def erase_due(self, now: datetime) -> int:
        """Erase the conversations that asked for it and whose farewell has left; return how many."""
        ...


class Moves(Protocol):
    """People who change their address on a channel."""

    async def move(self, moved: Moved, now: datetime) -> str:
        """Let conversation and open case follow: `moved`, `linked` (both stay), `unknown` or `repeated`.

        Raise `StoreUnavailable`.
        """
        ...


@dataclass(frozen=True, slots=True)
class Trace:
    """What of a conversation is to vanish from the person's screen: the channel's ids of its messages."""

    conversation_id: str
    address: Address
    message_ids: Sequence[Private]
    since: datetime


class Traces(Protocol):
    """Conversations whose messages are to vanish from the person's screen."""

    async def due(self, now: datetime) -> Sequence[Trace]:
        """Return those that are due and have nothing left to send."""
        ...

    async def later(self, trace: Trace, at: datetime) -> None:
        """Try again at *at*."""
        ...

    async def done(self, trace: Trace) -> None:
        """Settle it, unless the person has asked again since."""
        ...
