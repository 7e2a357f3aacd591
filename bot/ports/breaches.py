"""Who is to be told that what we keep of them may have been seen."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from bot.domain.breaches import Breach
from bot.domain.conversation import Conversation
from bot.domain.messages import ChannelName, OutboundMessage


@dataclass(frozen=True, slots=True)
class Affected:
    """One person, by their conversation (a keyed hash); silent: somebody may be watching."""

    conversation_id: str
    channel: ChannelName
    heard_at: datetime | None
    silent: bool = False


@dataclass(frozen=True, slots=True)
class BreachDue:
    """A notice that one person has not had, the conversation as it stands, and when they wrote last."""

    number: int
    conversation: Conversation
    heard_at: datetime | None


class Breaches(Protocol):
    """Notices, and to whom each went."""

    async def write(self, since: datetime, who: str, now: datetime) -> Breach:
        """Keep a draft under the next number."""
        ...

    async def latest(self) -> Sequence[Breach]:
        """Return the newest."""
        ...

    async def confirm(self, number: int, who: str, now: datetime) -> Breach:
        """Let it be sent. Raise `NotConfirmable` for its writer, and for what is no draft."""
        ...

    async def cancel(self, number: int) -> None:
        """Tell nobody more."""
        ...

    async def affected(self, since: datetime) -> Sequence[Affected]:
        """Return everybody of whom we keep a conversation that goes on since then."""
        ...

    async def counts(self, number: int) -> Mapping[str, int]:
        """Return how many people are `sent`, `deferred`, `waiting`."""
        ...

    async def due(self, now: datetime) -> Sequence[BreachDue]:
        """Return who is to be looked at now."""
        ...

    async def send(
        self, item: BreachDue, after: Conversation, messages: Sequence[OutboundMessage], now: datetime
    ) -> bool:
        """Queue the notice, once; False if something changed meanwhile."""
        ...

    async def defer(self, item: BreachDue, now: datetime) -> None:
        """Wait until the person writes; not if they have written since *now*."""
        ...

    async def put_off(self, item: BreachDue, until: datetime) -> None:
        """Look again later."""
        ...
