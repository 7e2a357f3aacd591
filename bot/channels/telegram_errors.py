"""What Telegram's refusals mean to us: try again, wait, stop writing to this person, or tell the operator."""

from __future__ import annotations

import logging
from typing import Literal

from telegram.error import (
    BadRequest,
    ChatMigrated,
    Conflict,
    Forbidden,
    InvalidToken,
    NetworkError,
    RetryAfter,
    TelegramError,
    TimedOut,
)

from bot.ports import ChannelError

log = logging.getLogger(__name__)
LONGEST_WAIT = 600.0
ACCOUNT_WAIT = 60.0
#: Refusals of a single message after which no other will arrive either.
NO_CHAT = ("chat not found", "peer_id_invalid", "user not found", "user_id_invalid")
UNREADABLE = "Invalid server response"


def channel_error(error: TelegramError) -> ChannelError:
    """Turn the platform's error into ours (rules T5, T6); its text goes no further, for it may hold an address."""
    if isinstance(error, RetryAfter):
        return _too_many(error)
    if isinstance(error, Forbidden):
        return ChannelError("telegram:403", retryable=False, gone=True)
    if isinstance(error, ChatMigrated):
        return ChannelError("telegram:migrated", retryable=False, gone=True)
    if isinstance(error, InvalidToken | Conflict):
        reason = f"telegram:{type(error).__name__}"
        return ChannelError(reason, retryable=True, account=True, retry_after=ACCOUNT_WAIT, pause="account")
    if isinstance(error, BadRequest):
        gone = any(words in str(error).casefold() for words in NO_CHAT)
        return ChannelError("telegram:no_chat" if gone else "telegram:400", retryable=False, gone=gone)
    if isinstance(error, NetworkError):
        return _network(error)
    if UNREADABLE in str(error):
        return ChannelError("telegram:unreadable", retryable=True, unknown=True, alarm=True)
    return ChannelError(f"telegram:{type(error).__name__}", retryable=False)


def _too_many(error: RetryAfter) -> ChannelError:
    given = error.retry_after
    seconds = float(given) if isinstance(given, int | float) else given.total_seconds()
    long = seconds > LONGEST_WAIT
    if long:
        log.error("Telegram asks us to wait very long", extra={"seconds": seconds})
    reason, wait = "telegram:429:long" if long else "telegram:429", min(seconds, LONGEST_WAIT)
    return ChannelError(reason, retryable=True, retry_after=wait, pause="address", alarm=long)


def _network(error: NetworkError) -> ChannelError:
    """Did the message leave? If no connection was had it did not; where the server refused, it was not taken."""
    cause = repr(error.__cause__)
    if isinstance(error, TimedOut):
        never_left = "pool" in str(error).casefold() or "ConnectTimeout" in cause
        return ChannelError("telegram:timeout", retryable=True, unknown=not never_left, silent=True)
    refused = "ConnectError" in cause or "ConnectError" in str(error)
    answered = error.__cause__ is None or UNREADABLE in cause
    return ChannelError("telegram:network", retryable=True, unknown=not (refused or answered))


class Flood:
    """Tells a chat that gets too much from a whole bot that sends too much: two chats refused within a second."""

    def __init__(self) -> None:  # noqa: D107
        self._chat = ""
        self._at = float("-inf")

    def pause(self, chat: str, at: float) -> Literal["address", "account"]:
        """Say what is to pause after *chat* was refused; *at* is monotonic, in seconds."""
        whole = self._chat not in {"", chat} and at - self._at < 1
        self._chat, self._at = chat, at
        return "account" if whole else "address"
