"""A page that leaves before its case can be stored: the responders hear of danger though the database is silent.

Every accepted message is looked at again a few seconds later, one in the spool at once. If nobody has answered it by
then, and its words alone show danger, this process pages by itself. The case opens as soon as it can, from the same
message: its own page then carries the same reference, so that responders see that it is the same person.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, repeat

from bot.dialogue.alarm import kind_of
from bot.dialogue.knowledge import Knowledge
from bot.dialogue.step import step
from bot.domain.canary import is_canary
from bot.domain.conversation import Conversation
from bot.domain.messages import InboundMessage
from bot.domain.risk import Level, Risk
from bot.domain.rota import Wanted
from bot.domain.understanding import NOTHING
from bot.ports import Alert, Alerts, ChannelError, Inbox, Pager, StoreUnavailable, reference
from bot.service.hiding import Hiding
from bot.service.renewal import within

log = logging.getLogger(__name__)
PATIENCE = 3.0
PAGE_AGAIN_AFTER = 60.0
BACK_OFF = (1.0, 2.0, 5.0, 15.0)
#: Seconds between two tries of a page that nobody has taken, and how many such are gone on with.
GO_ON_EVERY = 60.0
MOST_GOING_ON = 2_000
#: Waking open consoles reaches nobody for sure.
CONSOLE = "console"
MOST_REMEMBERED = 20_000
AT_ONCE = 8


@dataclass(frozen=True, slots=True)
class _Heard:
    due: float
    message: InboundMessage


class EarlyPages:
    """What this process has accepted and cannot yet know to be in good hands."""

    def __init__(
        self,
        inbox: Inbox,
        alerts: Alerts,
        pagers: Mapping[str, Pager],
        knowledge: Callable[[], Knowledge],
        clock: Callable[[], float],
        on_call: Callable[[Wanted, int], Sequence[str]] = lambda _wanted, _rung: (),
        hiding: Hiding | None = None,
    ) -> None:
        """*clock* is monotonic, in seconds. *on_call*: whom the first page of such a case is for.

        *hiding* clears chats that are to vanish while the database is silent.
        """
        self._hiding = hiding
        self._on_call = on_call
        self._inbox = inbox
        self._alerts = alerts
        self._pagers = {name: (pager, asyncio.Semaphore(AT_ONCE)) for name, pager in pagers.items()}
        self._knowledge = knowledge
        self._clock = clock
        self._kept: deque[_Heard] = deque(maxlen=MOST_REMEMBERED)
        self._spooled: deque[InboundMessage] = deque(maxlen=MOST_REMEMBERED)
        self._paged: dict[str, float] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self.woken = asyncio.Event()

    def heard(self, message: InboundMessage, *, spooled: bool) -> None:
        """Remember a message: one in the database is looked at after a while, one in the spool now."""
        if is_canary(message):
            return
        if self._hiding:
            self._hiding.heard(message, spooled=spooled)
        if spooled:
            self._spooled.append(message)
            self.woken.set()
        else:
            self._kept.append(_Heard(self._clock() + PATIENCE, message))

    async def look(self) -> int:
        """Page for whoever is in danger and not yet in good hands; return how many."""
        late = []
        while self._kept and self._kept[0].due <= self._clock():
            late.append(self._kept.popleft().message)
        found = [*await self._unheard(late)]
        while self._spooled:
            found.append(self._spooled.popleft())
        return sum([self._page_safely(message) for message in found])

    def _page_safely(self, message: InboundMessage) -> bool:
        """One message that cannot be judged holds up no other."""
        try:
            return self._page(message)
        except Exception as error:
            ref = reference(self._inbox.row_id(message.key))
            log.exception("a message cannot be judged early", extra={"ref": ref, "error": type(error).__name__})
            return False

    async def _unheard(self, messages: Sequence[InboundMessage]) -> Sequence[InboundMessage]:
        """Ask the database which are still unanswered or unpaged; when it is silent, all are."""
        if not messages:
            return ()
        names = {self._inbox.row_id(message.key): message for message in messages}
        try:
            unheard = await self._alerts.unheard(tuple(names))
        except Exception as error:
            if not isinstance(error, StoreUnavailable):
                log.exception("nobody knows what was answered", extra={"error": type(error).__name__})
            return messages
        return [message for name, message in names.items() if name in unheard]

    def _page(self, message: InboundMessage) -> bool:
        risk = self._danger(message)
        conversation = self._inbox.conversation_id(message.address)
        if not risk or self._clock() - self._paged.get(conversation, -PAGE_AGAIN_AFTER) < PAGE_AGAIN_AFTER:
            return False
        self._paged[conversation] = self._clock()
        while len(self._paged) > MOST_REMEMBERED:
            del self._paged[next(iter(self._paged))]
        name = self._inbox.row_id(message.key)
        ref, taken = reference(name), asyncio.Event()
        log.warning("danger is paged before its case could be stored", extra={"ref": ref})
        to = tuple(self._on_call(Wanted(risk_kind=risk.kind, minor=risk.minor), 0))
        for channel in self._pagers:
            alert = Alert(f"early:{ref}:{channel}", "", channel, kind_of(risk).value, risk.kind, "", ref=ref, to=to)
            task = asyncio.create_task(self._send(alert, name, taken))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        return True

    def _danger(self, message: InboundMessage) -> Risk | None:
        """Return the danger that the message shows by itself, as if it were the first of a conversation."""
        alone = Conversation(self._inbox.conversation_id(message.address), message.address.channel)
        risk = step(alone, message, NOTHING, self._knowledge(), message.received_at).risk
        return risk if risk and risk.level is Level.NOW else None

    async def _send(self, alert: Alert, name: str, taken: asyncio.Event) -> None:
        """Try a channel at short intervals, then every minute until any has taken the page or it is not needed."""
        for times, wait in enumerate(chain(BACK_OFF, repeat(GO_ON_EVERY))):
            if times > len(BACK_OFF) and not await self._needed(name, taken):
                return
            error = await self._tried(alert)
            if not error:
                if alert.channel != CONSOLE:
                    taken.set()
                return
            log.warning("page failed", extra={"alert": alert.id, "reason": error.reason})
            await asyncio.sleep(max(wait, error.retry_after))

    async def _tried(self, alert: Alert) -> ChannelError | None:
        pager, few = self._pagers[alert.channel]
        try:
            async with few:
                await pager.page(alert)
        except ChannelError as error:
            return error
        except Exception as error:
            log.exception("an alert channel met an error", extra={"error": type(error).__name__})
            return ChannelError(f"alert:{type(error).__name__}", retryable=True)
        return None

    async def _needed(self, name: str, taken: asyncio.Event) -> bool:
        """Say whether nobody has heard yet; of too many such pages the later ones are left to their cases."""
        if taken.is_set() or len(self._tasks) > MOST_GOING_ON:
            return False
        try:
            return name in await self._alerts.unheard((name,))
        except Exception as error:
            log.warning("nobody knows whether a page is still needed", extra={"error": type(error).__name__})
            return True

    async def stop(self) -> None:
        """Let go of what is still on its way; the case pages again after the restart."""
        if self._hiding:
            await self._hiding.stop()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)


async def keep_paging_early(early: EarlyPages, pause: float = 0.25) -> None:
    """Look for ever: at once when a message went to the spool."""
    try:
        while True:
            try:
                await early.look()
            except Exception as error:
                log.exception("early pages go on after an error", extra={"error": type(error).__name__})
            early.woken.clear()
            await within(pause, early.woken)
    finally:
        await early.stop()
