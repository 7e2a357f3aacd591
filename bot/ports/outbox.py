"""What we send: its channel, its order, its pace."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from bot.domain.messages import Address, ChannelName, OutboundMessage, Receipt
from bot.domain.private import Private


class Channel(Protocol):
    """Sends to one channel."""

    name: ChannelName

    async def send(self, address: Address, message: OutboundMessage, outbox_id: str) -> Private:
        """Send one bubble; return the channel's message id. Raise `ChannelError`."""
        ...

    async def forget(self, address: Address, message_ids: Sequence[Private]) -> None:
        """Delete these messages, of both sides, where the channel can. Raise `ChannelError`."""
        ...


@dataclass(frozen=True, slots=True)
class Due:
    """An outbox row that is to be sent now. heard_at: when the person wrote last, by the channel's clock, if known.

    doubts: how often it was sent without an answer, so that it may have arrived. joined: how many rows leave with it.
    """

    id: str
    conversation_id: str
    address: Address
    message: OutboundMessage
    attempts: int = 0
    state: str = "waiting"
    heard_at: datetime | None = None
    doubts: int = 0
    joined: int = 1


@dataclass(frozen=True, slots=True)
class Wish:
    """What a person wants of us while they do not write; locale: their language, "" if never chosen or guessed.

    may_write: they said yes to a greeting when an answer waits, and nothing has taken that back.
    """

    locale: str = ""
    may_write: bool = False


class HeldBack(Protocol):
    """Messages that the channel takes only after the person has written again."""

    async def wish(self, due: Due) -> Wish:
        """Return what the person of this message wants."""
        ...

    async def hold(self, due: Due, greeting: OutboundMessage | None, note: str, now: datetime) -> None:
        """Keep it until they write; queue the greeting unless one has gone out since; *note* goes to an open case."""
        ...

    async def note_again(self, due: Due, now: datetime) -> bool:
        """Give an urgent note back to its list, to be sent once the person has written; False for anything else."""
        ...


@dataclass(frozen=True, slots=True)
class Hold:
    """Who must wait ("address": this contact, "account": the whole channel), and for how many seconds.

    "tomorrow": no more than *most* people a day may be written to first, and so many it is.
    """

    scope: str
    seconds: float
    most: int = 0


class Standings(Protocol):
    """Which channels refuse our account at present, for all processes."""

    async def refuses(self, channel: ChannelName, *, afterwards: bool = False) -> None:
        """Remember that a channel refuses us. *afterwards*: it takes our calls, and gives the messages up later."""
        ...

    async def takes(self, channel: ChannelName, at: datetime | None = None) -> None:
        """Forget it: the channel took a call; by one that refuses us afterwards only a report since then counts.

        at: when it took a message, by its own report; None for a call.
        """
        ...


class Pacer(Protocol):
    """Keeps to what each platform allows, across all processes, and keeps room for danger."""

    async def take(self, due: Due) -> Hold | None:
        """Take leave to send this message; not None: it must wait."""
        ...

    async def pause(self, due: Due, scope: str, seconds: float) -> None:
        """Let nothing leave to this contact, or at all, for so long."""
        ...


class Outbox(Protocol):
    """Committed, not delivered."""

    async def next_due(self, owner: str, resting: frozenset[ChannelName] = frozenset()) -> Due | None:
        """Lease the next message to send: distress first, per conversation and lane in order.

        Of *resting* channels only what danger needs.
        """
        ...

    async def renew(self, due: Due, owner: str) -> bool:
        """Hold a lease that *owner* has for as long again; False if it is lost."""
        ...

    async def put_back(self, due: Due) -> None:
        """Give up the lease; nothing was tried."""
        ...

    async def put_off(self, due: Due, seconds: float) -> None:
        """Let this message wait, and what comes behind it in its conversation; nothing was tried."""
        ...

    async def sending(self, due: Due) -> bool:
        """Record that bytes are about to leave; False if it was settled meanwhile and must not leave."""
        ...

    async def sent(self, due: Due, channel_message_id: Private) -> None:
        """Record the channel's id."""
        ...

    async def retry(self, due: Due, seconds: float, reason: str, *, crowded: bool = False) -> None:
        """Put it back for later. *crowded*: this person gets too much at once; what can leave with it does."""
        ...

    async def unknown(self, due: Due, reason: str) -> None:
        """It may have arrived: wait for a receipt before trying once more."""
        ...

    async def failed(self, due: Due, reason: str) -> None:
        """Give it up and say why; an open case hears of it."""
        ...

    async def unreachable(self, due: Due, reason: str) -> None:
        """Give it up, and send nothing more to this person until they write."""
        ...

    async def receipt(self, receipt: Receipt) -> bool:
        """Move a message forward; False if no message is known by these ids."""
        ...
