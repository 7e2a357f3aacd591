"""Telegram: groups. A group hears once, politely, that we answer in private; what is written there is not kept."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from typing import Any

from telegram import Bot, Chat, ChatMember, LinkPreviewOptions, Update
from telegram.error import TelegramError
from telegram.ext.filters import StatusUpdate

from bot.channels.telegram_errors import channel_error
from bot.ports import StoreUnavailable

log = logging.getLogger(__name__)
GROUPS = frozenset({Chat.GROUP, Chat.SUPERGROUP})
JOINED = frozenset({ChatMember.MEMBER, ChatMember.ADMINISTRATOR})

#: True the first time that a name is given, in all processes together.
Once = Callable[[str], Awaitable[bool]]


class Groups:
    """Says once in each group where to write to us."""

    def __init__(self, bot: Bot, once: Once, words: Callable[[str], str], responders_chat: str) -> None:
        """*words* of a language code are what is said; *responders_chat* is our own group, which needs no telling."""
        self._bot = bot
        self._once = once
        self._words = words
        self._responders_chat = responders_chat

    async def answer(self, update: dict[str, Any]) -> None:
        """Answer an update that is no message of ours; whatever it is, this never raises what it cannot do."""
        found = Update.de_json(update, self._bot)
        chat, moved_to = _group(found)
        if chat is None or (moved_to is None and str(chat) == self._responders_chat):
            return
        try:
            if moved_to is not None:
                await self._once(f"telegram:group:{moved_to}")  # the same people, who have been told
            elif await self._once(f"telegram:group:{chat}"):
                await self._tell(chat, found)
        except StoreUnavailable:
            return
        except TelegramError as error:
            log.info("a group was not told", extra={"reason": channel_error(error).reason})

    async def _tell(self, chat: int, found: Update) -> None:
        sender = found.effective_user
        await self._bot.send_message(
            chat,
            self._words((sender and sender.language_code) or ""),
            link_preview_options=LinkPreviewOptions(is_disabled=True),
            disable_notification=True,
        )


def _group(found: Update) -> tuple[int | None, int | None]:
    """Return (the group that is to be told, the group it has become)."""
    change = found.my_chat_member
    if change:
        joined = change.chat.type in GROUPS and change.new_chat_member.status in JOINED
        return (change.chat.id if joined else None), None
    message = found.message
    if not message or message.chat.type not in GROUPS:
        return None, None
    if message.migrate_to_chat_id:
        return message.chat.id, message.migrate_to_chat_id
    return (None if StatusUpdate.ALL.check_update(found) else message.chat.id), None
