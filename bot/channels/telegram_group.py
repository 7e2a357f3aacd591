"""The responders' group on Telegram: what happens in it becomes a `GroupUpdate`, and what we write there leaves here.

Interface: Bot API 10.1 (forum topics, callback queries, reactions). Nothing of it ever reaches the path of a person.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any

from telegram import (
    Bot,
    ChatMemberUpdated,
    InlineKeyboardButton,
    InlineKeyboardMarkup,
    Message,
    ReplyParameters,
    Update,
)
from telegram.error import BadRequest, ChatMigrated, Forbidden, TelegramError

from bot.channels.telegram_errors import channel_error
from bot.channels.telegram_updates import read
from bot.domain.private import NOTHING_SAID, Private
from bot.domain.topics import GroupKind, GroupUpdate, link_code
from bot.ports import ChannelError, GroupBroken, GroupInbox, GroupMoved, StoreUnavailable, TopicGone

log = logging.getLogger(__name__)
TAKEN = "👌"
TOPIC_NAME = 128
ANSWER = 200
PRIVATE = "private"
OUT = frozenset({"left", "kicked"})
TELL_AGAIN = (0.0, 2.0, 10.0)
#: What the platform says, in small letters → what it means for us.
_GONE = (
    "message thread not found",
    "topic_deleted",
    "topic_id_invalid",
    "topic not found",
    "message to edit not found",
)
_NO_FORUM = ("not a forum", "forum_disabled", "channel_forum_missing")
_NO_RIGHTS = ("not enough rights", "chat_admin_required", "have no rights", "topic_closed", "chat_write_forbidden")
_REMOVED = ("chat not found", "kicked", "not a member", "group chat was deactivated", "chat_id_invalid")
_NOTHING_TO_DO = ("message is not modified", "topic_not_modified", "query is too old", "query id is invalid")


class TelegramGroup:
    """`bot.ports.Group` over the Bot API; words leave as plain text, so that nothing in them is markup."""

    def __init__(self, bot: Bot) -> None:  # noqa: D107
        self._bot = bot

    async def create(self, chat: str, name: str) -> int:
        """Make a topic."""
        async with _errors():
            return (await self._bot.create_forum_topic(chat, name[:TOPIC_NAME])).message_thread_id

    async def post(
        self, chat: str, thread: int, text: str, buttons: Sequence[tuple[str, str]] = (), *, answers: int = 0
    ) -> int:
        """Write; what stands in a topic cannot be forwarded. A message that is gone is answered all the same."""
        markup = InlineKeyboardMarkup([[InlineKeyboardButton(label, callback_data=name) for name, label in buttons]])
        async with _errors():
            sent = await self._bot.send_message(
                chat,
                text,
                message_thread_id=thread or None,
                reply_markup=markup if buttons else None,
                reply_parameters=ReplyParameters(answers, allow_sending_without_reply=True) if answers else None,
                disable_web_page_preview=True,
                protect_content=bool(thread),
            )
        return sent.message_id

    async def edit(self, chat: str, message: int, text: str) -> None:
        """Put other words in place; the buttons go."""
        async with _errors():
            await self._bot.edit_message_text(text, chat, message, disable_web_page_preview=True)

    async def close(self, chat: str, thread: int) -> None:
        """Close a topic."""
        async with _errors():
            await self._bot.close_forum_topic(chat, thread)

    async def reopen(self, chat: str, thread: int) -> None:
        """Open it again."""
        async with _errors():
            await self._bot.reopen_forum_topic(chat, thread)

    async def delete(self, chat: str, thread: int) -> None:
        """Delete a topic with all its messages."""
        async with _errors():
            await self._bot.delete_forum_topic(chat, thread)

    async def answer(self, query: str, text: str, *, alert: bool) -> None:
        """Answer a press."""
        async with _errors():
            await self._bot.answer_callback_query(query, text[:ANSWER], show_alert=alert)

    async def mark(self, chat: str, message: int) -> None:
        """Put a sign under a message that was taken; where reactions are switched off, there is none."""
        with contextlib.suppress(TelegramError):
            await self._bot.set_message_reaction(chat, message, TAKEN)

    async def whisper(self, person: Private, text: str) -> None:
        """Write to one account; to somebody who has blocked the bot nothing is said."""
        with contextlib.suppress(GroupBroken):
            async with _errors():
                await self._bot.send_message(int(person.reveal()), text, disable_web_page_preview=True)


@asynccontextmanager
async def _errors() -> AsyncIterator[None]:
    try:
        yield
    except ChatMigrated as error:
        raise GroupMoved(str(error.new_chat_id)) from error
    except Forbidden as error:
        raise GroupBroken("removed") from error
    except BadRequest as error:
        if _says(error, _NOTHING_TO_DO):
            return
        raise _meaning(error) from error
    except TelegramError as error:
        raise channel_error(error) from error


def _meaning(error: BadRequest) -> ChannelError:
    for parts, reason in ((_NO_FORUM, "no_forum"), (_NO_RIGHTS, "no_rights"), (_REMOVED, "removed")):
        if _says(error, parts):
            return GroupBroken(reason)
    return TopicGone() if _says(error, _GONE) else channel_error(error)


def _says(error: TelegramError, parts: Sequence[str]) -> bool:
    return any(part in error.message.casefold() for part in parts)


def parse_group(update: dict[str, Any], bot: Bot, chat: str) -> GroupUpdate | None:
    """Return what happened in the group *chat*, or a responder's `/link`; None for all else."""
    found = read(update, bot)
    key = f"group:{bot.token.partition(':')[0]}:{found.update_id}"
    if found.my_chat_member:
        return _membership(found.my_chat_member, found, key) if str(found.my_chat_member.chat.id) == chat else None
    if found.callback_query:
        return _press(found, key) if _is(found.callback_query.message, chat) else None
    if found.message_reaction:
        return _reaction(found, key) if str(found.message_reaction.chat.id) == chat else None
    message = found.message or found.edited_message
    if not message:
        return None
    if message.chat.type == PRIVATE:
        return _link(message, found, key)
    return _message(message, found, key) if _is(message, chat) else None


def _is(message: Any, chat: str) -> bool:  # noqa: ANN401 - a message, or what is left of one that is too old
    return message is not None and str(message.chat.id) == chat


def _membership(change: ChatMemberUpdated, update: Update, key: str) -> GroupUpdate:
    kind = GroupKind.REMOVED if change.new_chat_member.status in OUT else GroupKind.ADDED
    return GroupUpdate(key, update.update_id, kind, str(change.chat.id), Private(str(change.from_user.id)))


def _press(update: Update, key: str) -> GroupUpdate | None:
    query = update.callback_query
    if not query or not query.message:
        return None
    thread = getattr(query.message, "message_thread_id", None) or 0
    return GroupUpdate(
        key, update.update_id, GroupKind.PRESS, str(query.message.chat.id), Private(str(query.from_user.id)), thread,
        query.message.message_id, Private((query.data or "")[:64]), query.id,
    )  # fmt: skip


def _reaction(update: Update, key: str) -> GroupUpdate | None:
    """A sign that somebody put under a message; one that is taken away says nothing."""
    change = update.message_reaction
    if not change or not change.new_reaction or not change.user or change.user.is_bot:
        return None
    sender = Private(str(change.user.id))
    return GroupUpdate(
        key, update.update_id, GroupKind.REACTION, str(change.chat.id), sender, message=change.message_id
    )


def _link(message: Message, update: Update, key: str) -> GroupUpdate | None:
    code = link_code(message.text or "") if not update.edited_message else None
    if code is None or not message.from_user or message.from_user.is_bot:
        return None
    person = Private(str(message.from_user.id))
    return GroupUpdate(key, update.update_id, GroupKind.LINK, "", person, text=Private(code))


def _message(message: Message, update: Update, key: str) -> GroupUpdate | None:
    hidden = message.sender_chat is not None
    if message.migrate_to_chat_id:
        new = Private(str(message.migrate_to_chat_id))
        return GroupUpdate(key, update.update_id, GroupKind.MOVED, str(message.chat.id), NOTHING_SAID, text=new)
    if not message.is_topic_message or (not hidden and (not message.from_user or message.from_user.is_bot)):
        return None
    kind = GroupKind.MESSAGE if message.text is not None else GroupKind.FILE
    if message.text is None and not message.effective_attachment:
        return None
    sender = NOTHING_SAID if hidden or not message.from_user else Private(str(message.from_user.id))
    return GroupUpdate(
        key, update.update_id, GroupKind.EDIT if update.edited_message else kind, str(message.chat.id), sender,
        message.message_thread_id or 0, message.message_id, Private(message.text or ""),
    )  # fmt: skip


class GroupDoor:
    """Looks at each update before the persons' path does, and takes those that are the group's."""

    def __init__(
        self,
        bot: Bot,
        chat: Callable[[], str],
        inbox: GroupInbox,
        group: TelegramGroup,
        wake: Callable[[], None],
        sorry: Callable[[], str],
    ) -> None:
        """*chat*: where the group is now. *sorry*: what is said about a message that could not be kept."""
        self._bot = bot
        self._chat = chat
        self._inbox = inbox
        self._group = group
        self._wake = wake
        self._sorry = sorry
        self._telling: set[asyncio.Task[None]] = set()

    async def take(self, update: dict[str, Any]) -> bool:
        """Keep what is the group's; False for a person's.

        While the database is silent nothing can be done with it: its writer is told at once, and persons, whose
        messages come the same way, do not wait behind it.
        """
        found = self._read(update)
        if not found:
            return False
        try:
            await self._inbox.add(found)
        except StoreUnavailable:
            if found.kind is not GroupKind.REACTION:
                task = asyncio.create_task(self._tell(found))
                self._telling.add(task)
                task.add_done_callback(self._telling.discard)
        self._wake()
        return True

    def _read(self, update: dict[str, Any]) -> GroupUpdate | None:
        """What cannot be read is not known to be the group's: the persons' path looks at it, and may hear somebody."""
        try:
            return parse_group(update, self._bot, self._chat())
        except Exception as error:
            log.warning("the group's door cannot read an update", extra={"error": type(error).__name__})
            return None

    async def _tell(self, update: GroupUpdate) -> None:
        for wait in TELL_AGAIN:
            await asyncio.sleep(wait)
            try:
                if update.query:
                    await self._group.answer(update.query, self._sorry(), alert=True)
                elif update.kind is GroupKind.LINK:
                    await self._group.whisper(update.sender, self._sorry())
                elif update.message:
                    await self._group.post(update.chat, update.thread, self._sorry(), answers=update.message)
            except ChannelError as error:
                log.warning("a responder could not be told", extra={"reason": error.reason})
                continue
            return
