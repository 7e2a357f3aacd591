"""The words that clear a chat, heard while the database is silent: what this process knows of is cleared at once.

Nothing is stored for it. The ids of messages, and the language of a conversation, are in this process's memory alone,
of the last conversations, and go with it. The message itself waits in the spool; when the database is back it is
answered as always, which clears the rest, and what was said here meanwhile goes too.
"""

from __future__ import annotations

import asyncio
import logging
from collections import OrderedDict, deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from bot.content.render import render
from bot.dialogue import quiet
from bot.dialogue.knowledge import Knowledge
from bot.dialogue.language import guess, speaking
from bot.dialogue.routing import command
from bot.domain.conversation import Conversation, Forget, Turn
from bot.domain.messages import Address, ChannelName, InboundMessage, Lane, Reply
from bot.domain.private import Private
from bot.ports import Alerts, Channel, ChannelError, Inbox, reference

log = logging.getLogger(__name__)
#: What is said; on any other channel the page that the person looks at clears itself.
SAID = {ChannelName.TELEGRAM: "waiting.hide_later", ChannelName.WHATSAPP: "waiting.hide_phone"}
MOST_CONVERSATIONS = 2_000
MOST_IDS = 60
#: No channel deletes what is older than 48 hours.
YOUNG = 47 * 3600.0
#: Whoever asks again within so many seconds has been told; what they sent since is cleared all the same.
SAY_AGAIN_AFTER = 60.0
TRY_AGAIN = (0.5, 2.0, 5.0, 15.0)
#: Seconds between two looks whether the message was answered, and how many looks.
LOOK_EVERY = 5.0
MOST_LOOKS = 17_280


@dataclass
class _Chat:
    """What this process knows of one conversation; of a message when it saw it, and its id."""

    locale: str = ""
    silent: bool = False
    said_at: float = -SAY_AGAIN_AFTER
    ids: deque[tuple[float, Private]] = field(default_factory=lambda: deque(maxlen=MOST_IDS))


class Hiding:
    """Clears a chat while nobody else can."""

    def __init__(
        self,
        inbox: Inbox,
        alerts: Alerts,
        channels: Mapping[ChannelName, Channel],
        knowledge: Callable[[], Knowledge],
        clock: Callable[[], float],
    ) -> None:
        """*channels* are those this process can send to; *clock* is monotonic, in seconds."""
        self._inbox = inbox
        self._alerts = alerts
        self._channels = channels
        self._knowledge = knowledge
        self._clock = clock
        self._chats: OrderedDict[str, _Chat] = OrderedDict()
        self._begun: OrderedDict[str, bool] = OrderedDict()
        self._tasks: set[asyncio.Task[None]] = set()

    def heard(self, message: InboundMessage, *, spooled: bool) -> None:
        """Remember a message; one that the database cannot take, and that is to clear the chat, clears it now."""
        chat = self._chat(self._inbox.conversation_id(message.address))
        if message.id:
            chat.ids.append((self._clock(), message.id))
        if spooled and message.address.channel in SAID and message.key not in self._begun and self._wants(message):
            self._remember(message.key, said=False)
            self._start(message, chat)

    def sent(self, conversation_id: str, channel_message_id: Private) -> None:
        """Remember a message of ours."""
        self._chat(conversation_id).ids.append((self._clock(), channel_message_id))

    def turned(self, conversation: Conversation) -> None:
        """Remember which language a conversation is in, and whether it is to be silent."""
        chat = self._chat(conversation.id)
        chat.locale, chat.silent = conversation.locale or conversation.locale_guess, conversation.silent

    def unsaid(self, turn: Turn, key: str) -> Turn:
        """Leave out of the answer to a message that clears the chat what was said to it already."""
        said = self._begun.get(key, False) and any(isinstance(effect, Forget) for effect in turn.effects)
        return replace(turn, replies=()) if said else turn

    def _chat(self, conversation_id: str) -> _Chat:
        chat = self._chats.setdefault(conversation_id, _Chat())
        self._chats.move_to_end(conversation_id)
        while len(self._chats) > MOST_CONVERSATIONS:
            self._chats.popitem(last=False)
        return chat

    def _remember(self, key: str, *, said: bool) -> None:
        self._begun[key] = said
        while len(self._begun) > MOST_CONVERSATIONS:
            self._begun.popitem(last=False)

    def _wants(self, message: InboundMessage) -> bool:
        return quiet.hides(message.choice or "", command(message, self._knowledge()))

    def _start(self, message: InboundMessage, chat: _Chat) -> None:
        task = asyncio.create_task(self._safely(message, chat))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _safely(self, message: InboundMessage, chat: _Chat) -> None:
        try:
            await self._clear(message, chat)
        except Exception as error:  # it is answered as always when the database is back
            log.exception("a chat cannot be cleared early", extra={"error": type(error).__name__})

    async def _clear(self, message: InboundMessage, chat: _Chat) -> None:
        """Delete what can be deleted, say what could not be, and take that back when the message was answered."""
        name = self._inbox.row_id(message.key)
        log.warning("a chat is cleared before it could be stored", extra={"ref": reference(name)})
        young = [found for at, found in chat.ids if self._clock() - at < YOUNG]
        chat.ids.clear()
        _, notes = await asyncio.gather(self._forget(message.address, young), self._say(message, chat, name))
        self._remember(message.key, said=bool(notes))
        if message.address.channel is ChannelName.TELEGRAM and notes:
            await self._until_answered(name)
            await self._forget(message.address, notes)

    async def _forget(self, address: Address, ids: Sequence[Private]) -> None:
        for wait in (*TRY_AGAIN, None):
            try:
                return await self._channels[address.channel].forget(address, ids) if ids else None
            except ChannelError as error:
                log.warning("messages not deleted", extra={"reason": error.reason, "retryable": error.retryable})
                if wait is None or not error.retryable:
                    return None
                await asyncio.sleep(max(wait, error.retry_after))
        return None

    async def _say(self, message: InboundMessage, chat: _Chat, name: str) -> list[Private]:
        """Say in the person's language, as far as this process knows it, what is not cleared; return the ids.

        A phone that is known to be watched stays silent.
        """
        if chat.silent or self._clock() - chat.said_at < SAY_AGAIN_AFTER:
            return []
        chat.said_at = self._clock()
        content, channel = self._knowledge().content, message.address.channel
        locale = speaking(chat.locale, guess(message.text.reveal(), content), content)
        said: list[Private] = []
        for bubble in render((Reply(SAID[channel], lane=Lane.DISTRESS),), locale, channel, content):
            try:
                words = replace(bubble, picture=None)  # nothing that must be fetched first: it is to be said now
                said.append(await self._channels[channel].send(message.address, words, f"early:{reference(name)}"))
            except ChannelError as error:
                log.warning("clearing early could not be told", extra={"reason": error.reason})
        return said

    async def _until_answered(self, name: str) -> None:
        """Wait until the database is back and the message was answered; for a day at most."""
        for _ in range(MOST_LOOKS):
            await asyncio.sleep(LOOK_EVERY)
            try:
                if name not in await self._alerts.unheard((name,)):
                    return
            except Exception as error:
                log.warning("nobody knows whether a chat was cleared", extra={"error": type(error).__name__})

    async def stop(self) -> None:
        """Let go; what waits in the spool is answered after the restart."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
