"""A crowd at the door: as many new people as we can answer are answered; the others get the helplines at once.

Danger is heard first and opens a case, whoever says it; people who talk with us already are not slowed at all.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

from bot.dialogue import answers
from bot.domain.canary import is_canary
from bot.domain.conversation import Conversation, Turn
from bot.domain.messages import Carrier, InboundMessage, Lane, Reply
from bot.ports import CROWD, Newcomers
from bot.service.crowd import SAID_AGAIN, may_be_left_out, offered, unsaid
from bot.service.operator import Operator

#: How often this process looks whether the operator has been told.
TELL_EVERY: Final = timedelta(minutes=1)
NO_POSTER: Final = "-"


class Door:
    """Knows who is new, and for whom there is room now."""

    def __init__(self, newcomers: Newcomers, operator: Operator, now: Callable[[], datetime]) -> None:
        """*operator* hears of a crowd once an hour."""
        self._newcomers = newcomers
        self._operator = operator
        self._now = now
        self._told_at: datetime | None = None

    async def lets_in(self, conversation: Conversation, message: InboundMessage) -> bool:
        """Say whether this person is answered in full: always, unless they have just come and there is no room."""
        if not is_new(conversation) or is_canary(message) or message.blocked:
            return True
        return await self._newcomers.admit()

    async def came(self, before: Conversation, turn: Turn, *, late: bool) -> None:
        """Count a first message, and tell the operator of a crowd."""
        now = self._now()
        if before.seen_at is None and turn.conversation.seen_at:
            await self._newcomers.came(turn.conversation.poster, now, late=late)
        if late and (self._told_at is None or now - self._told_at >= TELL_EVERY):
            self._told_at = now
            wave = await self._newcomers.wave(now)
            values = {"came": str(wave.came), "late": str(wave.late), "poster": wave.poster or NO_POSTER}
            await self._operator.warn(CROWD, "all", f"{now:%Y-%m-%dT%H}", values)


def is_new(conversation: Conversation) -> bool:
    """Say whether this is somebody's first message, or they have had nothing yet but "in a while"."""
    return not conversation.open_case and (conversation.seen_at is None or conversation.late is not None)


def shortly(turn: Turn, before: Conversation, message: InboundMessage, now: datetime) -> Turn:
    """Say the helplines and "in a while", again after some minutes only; danger, and what happens once, go on in full.

    It waits behind the answers to everybody else.
    """
    if not may_be_left_out(turn):
        return turn
    again = before.late is not None and now - before.late < SAID_AGAIN
    silent = not turn.replies or turn.conversation.with_responder or turn.conversation.silent
    said = Reply("core.crowded", choices=(answers.HELP_NOW,), lane=Lane.CROWD)
    spoken = (replace(said, spoken=True),) if message.carrier is Carrier.VOICE else ()
    short = offered(unsaid(turn, before, () if again or silent else (said, *spoken)))
    late = before.late if again else now
    return replace(short, conversation=replace(short.conversation, late=late))
