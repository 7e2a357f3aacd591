"""Updates as Telegram sends them, with made-up ids."""

from __future__ import annotations

import time
from typing import Any

PERSON = 777000777000
GROUP = -1001234567890


def message(number: int, **fields: Any) -> dict[str, Any]:
    """A message in a private chat."""
    sender = {"id": PERSON, "is_bot": False, "first_name": "x"}
    chat = {"id": PERSON, "type": "private"}
    return {"message_id": number, "date": int(time.time()), "chat": chat, "from": sender, **fields}


def update(number: int, **fields: Any) -> dict[str, Any]:
    """An update with a message."""
    return {"update_id": number, "message": message(number, **fields)}


def edit(number: int, **fields: Any) -> dict[str, Any]:
    """An update with an edited message."""
    return {"update_id": number, "edited_message": message(number, edit_date=int(time.time()), **fields)}


def tap(number: int, data: str) -> dict[str, Any]:
    """A tapped button."""
    query = {"id": f"q{number}", "from": message(number)["from"], "chat_instance": "c", "data": data}
    return {"update_id": number, "callback_query": {**query, "message": message(number, text="menu")}}


def member(number: int, status: str, chat: dict[str, Any] | None = None) -> dict[str, Any]:
    """Somebody blocks or unblocks us, or puts us into a group."""
    sender, own = message(number)["from"], {"id": 424242, "is_bot": True, "first_name": "s"}
    state: dict[str, Any] = {"status": status, "user": own}
    state |= {"until_date": 0} if status == "kicked" else {}
    return {
        "update_id": number,
        "my_chat_member": {
            "chat": chat or {"id": PERSON, "type": "private"},
            "from": sender,
            "date": int(time.time()),
            "old_chat_member": {"status": "left", "user": own},
            "new_chat_member": state,
        },
    }


def in_group(number: int, **fields: Any) -> dict[str, Any]:
    """A message in a group."""
    return update(number, **{"chat": {"id": GROUP, "type": "supergroup", "title": "g"}, **fields})
