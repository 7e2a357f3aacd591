"""Drain the outbox: in order per conversation, distress first, and honest about what may have arrived."""

from __future__ import annotations

import asyncio
import functools
import logging
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Protocol
from zlib import crc32

from bot.domain.messages import ChannelName, Lane, OutboundMessage
from bot.domain.private import Private
from bot.ports import PEOPLE_A_DAY, Channel, ChannelError, Due, Hold, Outbox, Pacer, Standings
from bot.service.operator import Operator
from bot.service.renewal import kept, within
from bot.service.rests import Rests
from bot.service.window import TOO_LATE, Window

log = logging.getLogger(__name__)
#: A lease lasts five seconds; a platform may take longer to answer.
RENEWED = 1.5
#: Of these seconds the next power is waited where only one person's messages must wait.
PAIR_BASE = 4.0
MOST_POWER = 4
#: What waits for an operator is tried every five minutes for seven days.
TRIES_FOR_OPERATOR = 2016
BACK_OFF = (1.0, 2.0, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0)
MOST_TRIES = 40
#: Nobody is kept waiting for another's message for less or longer, in seconds.
SHORTEST_PAUSE = 1.0
LONGEST_PAUSE = 120.0
#: What waits because no more people may be written to first today: how often it looks again, and the operator hears.
TOMORROW = "tomorrow"
LOOK_AGAIN = 120.0
TELL_EVERY = 600.0
#: Channels that answer by echoing our id, or that take the same id twice without a second copy.
SETTLED_BY_ECHO = frozenset({ChannelName.WHATSAPP})
#: Where a contact must wait, what waits with a message leaves with it: on Telegram each bubble is deleted by itself.
TOGETHER = frozenset({ChannelName.WHATSAPP})
ANSWERED_SINCE = "in doubt, and the person has written since"
DOUBTED = "in doubt after a second try"
REPEATABLE = frozenset({ChannelName.WEB, ChannelName.TERMINAL})


class DoubtfulOutbox(Outbox, Protocol):
    """An outbox that also knows how to settle a send in doubt."""

    async def dropped(self, due: Due, reason: str) -> None:
        """Leave it: it is not needed any more."""
        ...

    async def spoken_since(self, due: Due) -> bool:
        """Say whether the person has written since it may have arrived."""
        ...


class Deliverer:
    """Sends what is due, one message at a time per conversation."""

    def __init__(  # noqa: PLR0913
        self,
        outbox: DoubtfulOutbox,
        channels: Mapping[ChannelName, Channel],
        pacer: Pacer,
        owner: str,
        clock: Callable[[], float],
        window: Window | None = None,
        operator: Operator | None = None,
        standings: Standings | None = None,
        on_sent: Callable[[str, Private], None] = lambda _conversation, _message: None,
    ) -> None:
        """*channels* are those this process can send to; *clock* counts seconds and only rises.

        *on_sent* hears of each message that has left: whose conversation it is, and the channel's id.
        """
        self._on_sent = on_sent
        self._outbox = outbox
        self._channels = channels
        self._pacer = pacer
        self._owner = owner
        self._rests = Rests(clock)
        self._window = window
        self._operator = operator
        self._standings = standings
        self._clock = clock
        self._told: dict[ChannelName, float] = {}

    async def work(self, *, only_danger: bool = False) -> bool:
        """Send one message; False when nothing is due. *only_danger*: leave all others to somebody else."""
        resting = frozenset(self._channels) if only_danger else self._rests.now()
        due = await self._outbox.next_due(self._owner, resting)
        if not due:
            return False
        if due.address.channel not in REPEATABLE and not await self._certain(due):
            return True
        if self._window and self._window.is_closed(due):
            await self._outside(due, self._window)
            return True
        if hold := await self._pacer.take(due):
            await self._hold(due, hold)
            return True
        await self._send(due)
        return True

    def nap(self, longest: float) -> float:
        """Return how long to sleep when nothing is due: until the first channel has rested, *longest* at most."""
        return self._rests.next_end(longest)

    async def _hold(self, due: Due, hold: Hold) -> None:
        """What danger needs waits by itself, to the millisecond; else the whole channel rests.

        What waits for tomorrow looks again soon: the person may write meanwhile.
        """
        if hold.scope == TOMORROW:
            await self._tomorrow(due, hold)
        elif hold.scope == "account" and due.message.lane is not Lane.DISTRESS:
            self._rests.rest(due.address.channel, hold.seconds)
            await self._outbox.put_back(due)
        else:
            await self._outbox.put_off(due, hold.seconds)

    async def _tomorrow(self, due: Due, hold: Hold) -> None:
        await self._outbox.put_off(due, min(hold.seconds, LOOK_AGAIN))
        if self._operator and self._told.get(due.address.channel, -TELL_EVERY) + TELL_EVERY <= self._clock():
            self._told[due.address.channel] = self._clock()
            channel = due.address.channel.value
            await self._operator.today(PEOPLE_A_DAY, channel, {"channel": channel, "limit": str(hold.most)})

    async def _outside(self, due: Due, window: Window) -> None:
        """The channel takes it only after the person has written: it waits for that, or is given up."""
        if await window.hold(due):
            return
        if due.message.lane is Lane.CAMPAIGN:
            await self._outbox.dropped(due, TOO_LATE)
        else:
            await self._outbox.failed(due, TOO_LATE)

    async def _certain(self, due: Due) -> bool:
        """Say whether it may be sent now; one whose sender died in the act is in doubt and waits a minute first.

        WhatsApp echoes our id in its receipts, so a row open after that minute hardly left. Telegram cannot say: what
        a human wrote and what danger needs is repeated once; an ordinary answer only if nobody has spoken since.
        """
        if due.state == "sending":
            await self._doubt(due, "its sender died in the act")
            return False
        if due.state != "unknown":
            return True
        if due.doubts > 1:
            await self._outbox.failed(due, DOUBTED)
            return False
        critical = due.message.lane is Lane.DISTRESS or due.message.author != "bot"
        if not critical and await self._outbox.spoken_since(due):
            await self._outbox.dropped(due, ANSWERED_SINCE)
            return False
        return True

    async def _doubt(self, due: Due, reason: str) -> None:
        """At most two copies may arrive; after the second, only a channel that may still say so is waited for."""
        if due.doubts and due.address.channel not in SETTLED_BY_ECHO:
            await self._outbox.failed(due, DOUBTED)
        else:
            await self._outbox.unknown(due, reason)

    async def _send(self, due: Due) -> None:
        if not self._rests.may(due):
            await self._outbox.put_back(due)
            return
        if not await self._leaves(due):
            return
        channel = self._channels[due.address.channel]
        try:
            async with kept(functools.partial(self._outbox.renew, due, self._owner), RENEWED):
                channel_message_id = await channel.send(due.address, _surer(due), due.id)
        except ChannelError as error:
            await self._failed(due, error)
            return
        self._rests.answered(due.address.channel)
        self._on_sent(due.conversation_id, channel_message_id)
        await self._outbox.sent(due, channel_message_id)
        if self._standings:
            await self._standings.takes(due.address.channel)

    async def _leaves(self, due: Due) -> bool:
        leaves = False
        try:
            leaves = await self._outbox.sending(due)
        finally:
            if not leaves:
                self._rests.stayed(due)
        return leaves

    async def _failed(self, due: Due, error: ChannelError) -> None:
        (self._rests.silent if error.silent else self._rests.answered)(due.address.channel)
        log.warning("send failed", extra={"row": due.id, "reason": error.reason, "retryable": error.retryable})
        if self._operator and (error.account or error.alarm):
            await self._operator.tell(due.address.channel, error.reason)
        if self._standings and error.account and not due.message.template:
            await self._standings.refuses(due.address.channel)
        if error.gone:
            await self._outbox.unreachable(due, error.reason)
        elif error.closed and self._window:
            await self._outside(due, self._window)
        elif error.unknown:
            await self._doubt(due, error.reason)
        elif error.retryable and due.attempts < (TRIES_FOR_OPERATOR if error.account else MOST_TRIES):
            wait = max(_wait(due, error), error.retry_after)
            await self._pause(due, error, wait)
            crowded = error.pause == "address" and due.address.channel in TOGETHER
            await self._outbox.retry(due, wait, error.reason, crowded=crowded)
        else:
            await self._outbox.failed(due, error.reason)

    async def _pause(self, due: Due, error: ChannelError, wait: float) -> None:
        """One contact rests as long as its message; everybody only as long as the platform asked.

        A fault that a template met may be the template's alone: it waits by itself.
        """
        if error.pause == "address":
            await self._pacer.pause(due, "address", wait)
        elif error.pause and not (due.message.template and error.account):
            asked = min(max(error.retry_after, SHORTEST_PAUSE), LONGEST_PAUSE)
            await self._pacer.pause(due, "account", asked)


def _surer(due: Due) -> OutboundMessage:
    """Return what is sent: after a try in doubt the words alone, since their picture may have been too much."""
    return replace(due.message, picture=None) if due.doubts and due.message.picture else due.message


def _wait(due: Due, error: ChannelError) -> float:
    """Return the seconds until the next try; where everybody waits they differ a little, lest all come at once."""
    if error.pause == "address":
        return float(PAIR_BASE ** min(due.attempts, MOST_POWER))
    wait = BACK_OFF[min(due.attempts, len(BACK_OFF) - 1)]
    return wait * (1 + crc32(due.id.encode()) % 100 / 400) if error.pause == "account" else wait


async def keep_delivering(
    deliverer: Deliverer,
    woken: asyncio.Event,
    stopping: asyncio.Event,
    pause: float = 0.25,
    *,
    only_danger: bool = False,
) -> None:
    """Deliver until *stopping*: at once when woken, and every *pause* seconds for what came due."""
    while not stopping.is_set():
        try:
            busy = await deliverer.work(only_danger=only_danger)
        except Exception as error:
            log.exception("delivery goes on after an error", extra={"error": type(error).__name__})
            busy = False
        if not busy:
            woken.clear()
            await within(deliverer.nap(pause), woken)
