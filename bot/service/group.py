"""What happens in the responders' group, handled one by one: presses, words in a topic, links; and where it is."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable

from bot.domain.topics import GroupKind, GroupState, GroupUpdate
from bot.ports import ChannelError, Group, GroupInbox, GroupMoved, Topics
from bot.service.linking import Linking
from bot.service.presses import Presses
from bot.service.renewal import within
from bot.service.topic_reads import TopicReads
from bot.service.words import GroupWords
from bot.service.written import Written

log = logging.getLogger(__name__)
BACK_OFF = (1.0, 2.0, 5.0, 15.0, 60.0)
MOST_TRIES = 20


class GroupPlace:
    """Where the group is now: Telegram gives it another id when it grows."""

    def __init__(self, configured: str, topics: Topics) -> None:
        """*configured*: the id in the settings, which goes on meaning the same group."""
        self.configured = configured
        self._topics = topics
        self.state = GroupState(configured)

    def chat(self) -> str:
        """Return its id."""
        return self.state.chat

    async def refresh(self) -> None:
        """Learn what other processes have found."""
        self.state = await self._topics.group(self.configured)

    async def moved(self, chat: str) -> None:
        """Use another id from now on; where the database is silent, this process alone knows it."""
        log.warning("the responders' group has a new id; please put it into TELEGRAM_RESPONDERS_CHAT")
        self.state = GroupState(chat)
        await self._topics.moved(self.configured, chat)


class GroupDesk:
    """Takes one update after the other; each is handled until that has succeeded once."""

    def __init__(  # noqa: PLR0913 - it only passes on
        self,
        inbox: GroupInbox,
        group: Group,
        linking: Linking,
        presses: Presses,
        written: Written,
        reads: TopicReads,
        place: GroupPlace,
        words: GroupWords,
        owner: str,
        try_again: Callable[[], None],
    ) -> None:
        """*try_again* is called when something that was wrong with the group may be over."""
        self._inbox = inbox
        self._group = group
        self._linking = linking
        self._presses = presses
        self._written = written
        self._reads = reads
        self._place = place
        self._words = words
        self._owner = owner
        self._try_again = try_again

    async def work(self) -> bool:
        """Handle one update; False when none is due."""
        update = await self._inbox.next_due(self._owner)
        if not update:
            return False
        try:
            await self._handle(update)
        except GroupMoved as error:
            await self._place.moved(error.chat)
            await self._later(update, 0.0, error.reason)
        except ChannelError as error:
            if error.retryable:
                await self._later(update, error.retry_after, error.reason)
            else:
                log.warning("a responder could not be told", extra={"reason": error.reason})
                await self._inbox.done(update)
        except Exception as error:
            log.exception("an update of the group is tried again", extra={"error": type(error).__name__})
            await self._later(update, 0.0, type(error).__name__)
        else:
            await self._inbox.done(update)
        return True

    async def _handle(self, update: GroupUpdate) -> None:
        if update.kind is GroupKind.PRESS:
            await self._presses.press(update)
        elif update.kind is GroupKind.LINK:
            await self._link(update)
        elif update.kind is GroupKind.MOVED:
            await self._place.moved(update.text.reveal())
        elif update.kind in {GroupKind.REMOVED, GroupKind.ADDED}:
            self._try_again()
        elif update.kind is GroupKind.REACTION:
            await self._reads.reaction(update)
        else:
            await self._written.write(update)

    async def _link(self, update: GroupUpdate) -> None:
        """Link, or undo it; an account that is linked already hears so, whatever its code."""
        code = update.text.reveal()
        if not code:
            login = await self._linking.unlink_person(update.sender)
            text = self._words("unlinked", name=login) if login else self._words("not_linked")
        else:
            found = await self._linking.link(code, update.sender) or await self._linking.who(update.sender)
            text = self._words("linked", name=found.id) if found else self._words("bad_code")
        await self._group.whisper(update.sender, text)

    async def _later(self, update: GroupUpdate, seconds: float, reason: str) -> None:
        log.warning("an update of the group waits", extra={"reason": reason})
        wait = BACK_OFF[min(update.attempts, len(BACK_OFF) - 1)]
        tries = await self._inbox.retry(update, max(seconds, wait))
        if tries >= MOST_TRIES:
            log.error("an update of the group was given up", extra={"reason": reason})
            await self._inbox.done(update)


async def keep_desk(desk: GroupDesk, woken: asyncio.Event, pause: float = 0.25) -> None:
    """Handle updates for ever: at once when woken, and every *pause* seconds for what came due."""
    while True:
        try:
            busy = await desk.work()
        except Exception as error:
            log.exception("the group's desk goes on after an error", extra={"error": type(error).__name__})
            busy = False
        if not busy:
            woken.clear()
            await within(pause, woken)
