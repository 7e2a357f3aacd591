"""The part of Telegram's Bot API 10.1 that we use, in our own words, and what is wrong with a call by it.

`FIELDS` names for each method its fields: what they must be, and `!` where they must be there.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

FIELDS: dict[str, dict[str, str]] = {
    "sendMessage": {
        "chat_id": "chat!",
        "message_thread_id": "int",
        "text": "text 4096!",
        "link_preview_options": "preview",
        "disable_notification": "bool",
        "protect_content": "bool",
        "reply_parameters": "answered",
        "reply_markup": "markup",
    },
    "sendVoice": {"chat_id": "chat!", "voice": "file!", "protect_content": "bool", "reply_markup": "markup"},
    "sendPhoto": {
        "chat_id": "chat!",
        "photo": "file!",
        "caption": "text 1024",
        "protect_content": "bool",
        "reply_markup": "markup",
    },
    "sendChatAction": {"chat_id": "chat!", "action": "action!"},
    "deleteMessages": {"chat_id": "chat!", "message_ids": "ids!"},
    "answerCallbackQuery": {"callback_query_id": "text 200!", "text": "text 200", "show_alert": "bool"},
    "editMessageText": {
        "chat_id": "chat",
        "message_id": "int",
        "text": "text 4096",
        "link_preview_options": "preview",
        "reply_markup": "markup",
    },
    "createForumTopic": {"chat_id": "chat!", "name": "text 128!"},
    "closeForumTopic": {"chat_id": "chat!", "message_thread_id": "int!"},
    "reopenForumTopic": {"chat_id": "chat!", "message_thread_id": "int!"},
    "deleteForumTopic": {"chat_id": "chat!", "message_thread_id": "int!"},
    "setMessageReaction": {"chat_id": "chat!", "message_id": "int!", "reaction": "reaction"},
    "getChatMemberCount": {"chat_id": "chat!"},
    "getFile": {"file_id": "text 512!"},
    "getUpdates": {"offset": "int", "timeout": "int", "allowed_updates": "kinds"},
    "setWebhook": {
        "url": "https!",
        "secret_token": "secret",
        "max_connections": "connections",
        "allowed_updates": "kinds",
        "drop_pending_updates": "bool",
    },
    "deleteWebhook": {"drop_pending_updates": "bool"},
    "getWebhookInfo": {},
    "getMe": {},
    "getChat": {"chat_id": "chat!"},
    "getChatMember": {"chat_id": "chat!", "user_id": "int!"},
    "getMyName": {"language_code": "language"},
    "setMyName": {"name": "text 64", "language_code": "language"},
    "getMyDescription": {"language_code": "language"},
    "setMyDescription": {"description": "text 512", "language_code": "language"},
    "getMyShortDescription": {"language_code": "language"},
    "setMyShortDescription": {"short_description": "text 120", "language_code": "language"},
    "getMyCommands": {"language_code": "language"},
    "setMyCommands": {"commands": "commands!", "language_code": "language"},
    "getChatMenuButton": {},
    "setChatMenuButton": {"menu_button": "button"},
}
MARKUPS = {
    "inline_keyboard": {"inline_keyboard"},
    "keyboard": {"keyboard", "resize_keyboard", "one_time_keyboard"},
    "remove_keyboard": {"remove_keyboard"},
}
ACTIONS = {"typing", "record_voice"}
KINDS = {"message", "edited_message", "callback_query", "my_chat_member", "message_reaction"}
SECRET = set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-")


def faults(method: str, fields: dict[str, Any]) -> list[str]:
    """Return what is wrong with one call: an unknown method or field, one that is missing, a value out of bounds."""
    if method not in FIELDS:
        return [f"unknown method {method}"]
    known = FIELDS[method]
    attached = {str(value).removeprefix("attach://") for value in fields.values() if isinstance(value, str)}
    found = [f"{method}: unknown field {name}" for name in fields if name not in known and name not in attached]
    found += [
        f"{method}: {name} is missing" for name, kind in known.items() if kind.endswith("!") and name not in fields
    ]
    for name, value in fields.items():
        kind, _, most = known.get(name, "").rstrip("!").partition(" ")
        found += [f"{method}: {name}: {fault}" for fault in CHECKS.get(kind, _nothing)(value, most)]
    return found


def units(text: str) -> int:
    """Return the length as Telegram counts it: in UTF-16 units."""
    return len(text.encode("utf-16-le")) // 2


def _nothing(value: Any, most: str) -> Iterator[str]:
    yield from ()


def _text(value: str, most: str) -> Iterator[str]:
    if not 1 <= units(value) <= int(most):
        yield f"{units(value)} of {most} characters"


def _int(value: str, most: str) -> Iterator[str]:
    if not value.lstrip("-").isdigit():
        yield "no whole number"


def _chat(value: str, most: str) -> Iterator[str]:
    if not value.startswith("@"):
        yield from _int(value, most)


def _bool(value: str, most: str) -> Iterator[str]:
    if value not in {"true", "false"}:
        yield f"{value} is neither true nor false"


def _file(value: Any, most: str) -> Iterator[str]:
    if not isinstance(value, bytes) and not str(value).startswith("attach://"):
        yield "no file"


def _one_of(allowed: set[str]) -> Callable[[str, str], Iterator[str]]:
    def check(value: str, most: str) -> Iterator[str]:
        if value not in allowed:
            yield f"{value} is not one of {sorted(allowed)}"

    return check


def _ids(value: str, most: str) -> Iterator[str]:
    ids = json.loads(value)
    if not 1 <= len(ids) <= 100 or not all(isinstance(item, int) for item in ids):
        yield "1 to 100 whole numbers"


def _kinds(value: str, most: str) -> Iterator[str]:
    if unknown := set(json.loads(value)) - KINDS:
        yield f"unknown kinds {unknown}"


def _https(value: str, most: str) -> Iterator[str]:
    if not value.startswith("https://"):
        yield "no https address"


def _secret(value: str, most: str) -> Iterator[str]:
    if not 1 <= len(value) <= 256 or set(value) - SECRET:
        yield "may have 1 to 256 of A-Z a-z 0-9 _ -"


def _connections(value: str, most: str) -> Iterator[str]:
    if not 1 <= int(value) <= 100:
        yield "1 to 100"


def _language(value: str, most: str) -> Iterator[str]:
    if len(value) != 2 or not value.isascii() or not value.islower():
        yield "two letters"


def _preview(value: str, most: str) -> Iterator[str]:
    if set(json.loads(value)) != {"is_disabled"}:
        yield "unknown option"


def _answered(value: str, most: str) -> Iterator[str]:
    """Without `allow_sending_without_reply`, words would be refused once the message that they answer is gone."""
    given = json.loads(value)
    if set(given) != {"message_id", "allow_sending_without_reply"} or not isinstance(given["message_id"], int):
        yield "no message that is answered"


def _button(value: str, most: str) -> Iterator[str]:
    if json.loads(value) != {"type": "commands"}:
        yield "another button"


def _commands(value: str, most: str) -> Iterator[str]:
    rows = json.loads(value)
    if len(rows) > 100:
        yield "too many"
    for row in rows:
        name = row["command"]
        if set(row) != {"command", "description"} or not 1 <= len(name) <= 32 or not set(name) <= SECRET - {"-"}:
            yield f"command {name}"
        yield from _text(row["description"], "256")


def _markup(value: str, most: str) -> Iterator[str]:
    given = json.loads(value)
    kind = next((name for name in MARKUPS if name in given), "")
    if not kind or set(given) - MARKUPS[kind]:
        yield f"fields {sorted(given)}"
    for row in given.get("inline_keyboard", []):
        yield from _row(row)
        for key in row:
            if set(key) != {"text", "callback_data"} or not 1 <= len(key["callback_data"].encode()) <= 64:
                yield f"button {key}"
    for row in given.get("keyboard", []):
        yield from _row(row)
        if any(set(key) - {"text", "request_location"} for key in row):
            yield f"keys {row}"


def _row(row: list[dict[str, Any]]) -> Iterator[str]:
    if not 1 <= len(row) <= 8 or not all(key["text"] for key in row):
        yield f"a row of {len(row)}, or a key without words"


CHECKS: dict[str, Callable[[Any, str], Iterator[str]]] = {
    "text": _text,
    "int": _int,
    "chat": _chat,
    "bool": _bool,
    "file": _file,
    "action": _one_of(ACTIONS),
    "ids": _ids,
    "kinds": _kinds,
    "https": _https,
    "secret": _secret,
    "connections": _connections,
    "language": _language,
    "preview": _preview,
    "button": _button,
    "answered": _answered,
    "commands": _commands,
    "markup": _markup,
}
