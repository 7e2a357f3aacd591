"""The interfaces that our local platforms check calls by, against the published ones where those are at hand.

The project needs neither: its own tables are the floor, and these tests say plainly when they had nothing to compare.
"""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from tests import telegram_interface
from tests.platforms import TELEGRAM_API, WHATSAPP_SCHEMA, unchecked, whatsapp_faults

#: What each kind of our table is in the published one.
TYPES = {
    "text": "String", "int": "Integer", "chat": "String", "bool": "Boolean", "file": "InputFile", "action": "String",
    "ids": "Array of Integer", "kinds": "Array of String", "https": "String", "secret": "String",
    "connections": "Integer", "language": "String", "preview": "LinkPreviewOptions", "answered": "ReplyParameters",
    "markup": "InlineKeyboardMarkup", "button": "MenuButton", "commands": "Array of BotCommand",
    "reaction": "Array of ReactionType",
}  # fmt: skip
PARTS = {
    "inline_keyboard": "InlineKeyboardMarkup",
    "keyboard": "ReplyKeyboardMarkup",
    "remove_keyboard": "ReplyKeyboardRemove",
}


@pytest.fixture(scope="module")
def published() -> dict[str, Any]:
    if not TELEGRAM_API.exists():
        pytest.skip(f"no published Bot API at {TELEGRAM_API}: calls are checked against our own table alone")
    found: dict[str, Any] = json.loads(TELEGRAM_API.read_text(encoding="utf-8"))
    return found


def test_our_table_of_telegram_says_what_the_published_one_says(published: dict[str, Any]) -> None:
    """Method by method: no field that is not there, none missing that must be given, the right types and lengths."""
    assert published["version"] == "Bot API 10.1"
    for method, ours in telegram_interface.FIELDS.items():
        theirs = {field["name"]: field for field in published["methods"][method].get("fields", [])}
        assert set(ours) <= set(theirs), method
        required = {name for name, field in theirs.items() if field["required"]}
        assert required <= {name for name, kind in ours.items() if kind.endswith("!")}, method
        for name, rule in ours.items():
            kind, _, most = rule.rstrip("!").partition(" ")
            assert TYPES[kind] in theirs[name]["types"], (method, name)
            told = re.search(r"\d+-(\d+) (?:characters|bytes)", theirs[name]["description"])
            assert not (told and most) or int(most) <= int(told[1]), (method, name)


def test_our_keyboards_have_published_fields_only(published: dict[str, Any]) -> None:
    for part, fields in telegram_interface.MARKUPS.items():
        assert fields <= {field["name"] for field in published["types"][PARTS[part]]["fields"]}, part


def test_the_published_schema_of_whatsapp_is_used_where_it_is() -> None:
    """It knows bounds that our own leaves to it; where it is not at hand the end of the run says so."""
    body: dict[str, Any] = {
        "messaging_product": "whatsapp", "recipient_type": "individual", "to": "910000000001",
        "biz_opaque_callback_data": "c:1:0", "type": "text", "text": {"body": "x", "preview_url": False},
    }  # fmt: skip
    assert whatsapp_faults(body) == []
    named = [line for line in unchecked() if str(WHATSAPP_SCHEMA) in line]
    assert bool(named) != WHATSAPP_SCHEMA.exists()
    if named:
        pytest.skip(named[0])
