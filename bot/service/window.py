"""The hours in which a channel takes words of our own: what may leave, what waits, what is never sent."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Final

from bot.domain.messages import WINDOW, ChannelName, Lane, OutboundMessage
from bot.domain.private import NOTHING_SAID
from bot.domain.why import Why
from bot.ports import Due, HeldBack

WINDOWED: Final = frozenset({ChannelName.WHATSAPP})
WAITS: Final = Why.KEPT.mark
GREETED: Final = Why.GREETED.mark
TOO_LATE: Final = "window closed"


class Window:
    """Decides what becomes of a message outside the window.

    What a human wrote waits for the person, and so does what somebody is asked who agreed to be written to; anything
    else that the bot had to say is out of date by then.
    """

    def __init__(self, held: HeldBack, template: str, now: Callable[[], datetime]) -> None:
        """*template*: the name of the approved greeting, "" if there is none."""
        self._held = held
        self._template = template
        self._now = now

    def is_closed(self, due: Due) -> bool:
        """Say whether it is known to be closed; where the person's last message is not known, the channel decides.

        So it does for what danger needs: were our clock wrong, the helplines would still go out.
        """
        urgent = due.message.lane is Lane.DISTRESS and due.message.author == "bot"
        if urgent or due.address.channel not in WINDOWED or due.message.template or not due.heard_at:
            return False
        return self._now() - due.heard_at >= WINDOW

    async def hold(self, due: Due) -> bool:
        """Keep it for the person, with a greeting if they agreed to one; False if it is not worth keeping.

        A lesson is not: by then there is a newer one. An urgent note is true for two days and goes back to its list;
        nobody is greeted for it, for the greeting says that an answer waits.
        """
        if due.message.lane is Lane.CAMPAIGN:
            return await self._held.note_again(due, self._now())
        wish = await self._held.wish(due)
        if due.message.template or (due.message.author == "bot" and not wish.may_write):
            return False
        greeted = bool(self._template) and wish.may_write
        greeting = self._greeting(wish.locale) if greeted else None
        await self._held.hold(due, greeting, GREETED if greeted else WAITS, self._now())
        return True

    def _greeting(self, locale: str) -> OutboundMessage:
        return OutboundMessage(NOTHING_SAID, message_id="whatsapp.template", template=self._template, locale=locale)
