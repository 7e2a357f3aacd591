"""The web chat: the browser fetches its own conversation's outbox, so sending is making it ready to be fetched."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from bot.domain.messages import Address, ChannelName, OutboundMessage
from bot.domain.private import Private


class WebChannel:
    """Wakes the browsers that listen; what they miss they fetch by the id of the last message they saw."""

    name = ChannelName.WEB

    def __init__(self) -> None:
        """No listeners yet."""
        self._listeners: dict[str, set[asyncio.Event]] = {}

    def listen(self, session: str) -> asyncio.Event:
        """Return an event that is set whenever something new is ready for *session*."""
        event = asyncio.Event()
        self._listeners.setdefault(session, set()).add(event)
        return event

    def leave(self, session: str, event: asyncio.Event) -> None:
        """Stop listening."""
        self._listeners.get(session, set()).discard(event)
        if not self._listeners.get(session):
            self._listeners.pop(session, None)

    async def send(self, address: Address, message: OutboundMessage, outbox_id: str) -> Private:  # noqa: ARG002
        """Make one message ready."""
        for event in self._listeners.get(address.value.reveal(), ()):
            event.set()
        return Private(outbox_id)

    async def forget(self, address: Address, message_ids: Sequence[Private]) -> None:
        """Do nothing: the page clears itself when it shows `waiting.cleared`, and begins a new session."""
