"""Giving a slip with the first stored part of a report, and answering how the matter of a slip stands."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from typing import Final

from bot.dialogue.slips import GIVEN
from bot.domain.cases import CaseKind
from bot.domain.conversation import LookUp, OpenCase, Turn
from bot.domain.messages import Reply
from bot.domain.private import Private
from bot.domain.slips import LENGTH, grouped, written
from bot.ports import Slips

ALL_NUMBERS: Final = 10**LENGTH


class SlipDesk:
    """What a turn needs of slips before it is committed."""

    def __init__(self, slips: Slips, draw: Callable[[int], int] = secrets.randbelow) -> None:
        """*draw* gives a number below the one it is given, by chance that nobody can foresee."""
        self._slips = slips
        self._draw = draw

    async def serve(self, turn: Turn, now: datetime) -> Turn:
        """Return the turn with what is to be said of a slip, if anything is."""
        if asked := next((effect for effect in turn.effects if isinstance(effect, LookUp)), None):
            return await self._answered(turn, asked, now)
        return self._given(turn)

    async def _answered(self, turn: Turn, asked: LookUp, now: datetime) -> Turn:
        standing = await self._slips.standing(asked.number, turn.conversation.id, now)
        return replace(turn, replies=(Reply(f"slip.{standing.value}"), *turn.replies))

    def _given(self, turn: Turn) -> Turn:
        """Give it as the first bubble, in the commit that opens the report: whoever leaves early has it already.

        Nothing is given where the bot is silent. It is not kept in the conversation, nor ever spoken: both would stay.
        """
        opened = next((effect for effect in turn.effects if isinstance(effect, OpenCase)), None)
        if not opened or opened.kind is not CaseKind.REPORT or not turn.replies or turn.conversation.silent:
            return turn
        number = written(self._draw(ALL_NUMBERS))
        numbered = replace(opened, slip=Private(number))
        effects = tuple(numbered if effect is opened else effect for effect in turn.effects)
        said = Reply(GIVEN, {"number": grouped(number)})
        return replace(turn, replies=(said, *turn.replies), effects=effects)
