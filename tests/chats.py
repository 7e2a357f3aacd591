"""Several people who write to the same service."""

from __future__ import annotations

from typing import Any

from bot.chat import Chat
from bot.service.answer import Seen


def heard_by(*chats: Chat) -> Seen:
    """Return what tells each of them of every turn; each keeps their own."""

    def on_turn(*given: Any) -> None:
        for chat in chats:
            chat.on_turn(*given)

    return on_turn
