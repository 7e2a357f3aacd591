"""One bubble as the Cloud API takes it: text, buttons, a list, a location request, voice, a picture, a template.

The platform's limits are checked here once more, whoever wrote the message: what does not fit as buttons goes as a
list, what does not fit as a list goes as numbered text, and a text is cut at the end of a word.
Source of the limits: Meta's OpenAPI v23.0 and its pages on interactive messages; ten rows over all sections.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from typing import Any, Final

import regex

from bot.domain.messages import Address, Choice, OutboundMessage

log = logging.getLogger(__name__)
LONGEST_TEXT: Final = 4096
LONGEST_BODY: Final = 1024
MOST_BUTTONS: Final = 3
BUTTON_TITLE: Final = 20
BUTTON_ID: Final = 256
MOST_ROWS: Final = 10
ROW_TITLE: Final = 24
ROW_ID: Final = 200
LIST_BUTTON: Final = 20
#: Languages in which the platform takes templates, by our locales; any other gets the English one.
TEMPLATE_LANGUAGES: Final[Mapping[str, str]] = {
    "hi": "hi", "bn": "bn", "te": "te", "ta": "ta", "mr": "mr", "gu": "gu", "kn": "kn", "ml": "ml", "pa": "pa",
    "ur": "ur", "en": "en",
}  # fmt: skip
ANY_LANGUAGE: Final = "en"
_GRAPHEME: Final = regex.compile(r"\X")
_CUT: Final = "…"

Json = dict[str, Any]


def outbound(address: Address, message: OutboundMessage, outbox_id: str) -> Json:
    """Return the request body of one message."""
    body = _to(address, outbox_id)
    if message.template:
        return body | {"type": "template", "template": _template(message)}
    if message.asks_location:
        return body | (_location_request(message) or _interactive(message) or _text(message))
    return body | (_interactive(message) or _text(message))


def plain(address: Address, message: OutboundMessage, outbox_id: str) -> Json:
    """Return the same words as text, the choices by number: what the platform takes from everybody."""
    return _to(address, outbox_id) | _text(message)


def spoken(address: Address, media_id: str, outbox_id: str) -> Json:
    """Return the request body of a voice message."""
    return _to(address, outbox_id) | {"type": "audio", "audio": {"id": media_id}}


def shown(address: Address, message: OutboundMessage, media_id: str, outbox_id: str) -> Json | None:
    """Return the request body of the words under a picture: with up to three buttons, else the choices by number.

    None where they do not fit there: a location is asked for, or the words are too long.
    """
    made, picture = _interactive(message), {"id": media_id}
    if message.asks_location:
        return None
    if made and made["interactive"]["type"] == "button":
        header = {"type": "image", "image": picture}
        return _to(address, outbox_id) | made | {"interactive": {**made["interactive"], "header": header}}
    words = numbered(message, LONGEST_TEXT)
    if _units(words) > LONGEST_BODY:
        return None
    return _to(address, outbox_id) | {"type": "image", "image": {**picture, "caption": words}}


def template_language(locale: str) -> str:
    """Return the platform's language code for a template in *locale*."""
    return TEMPLATE_LANGUAGES.get(locale, ANY_LANGUAGE)


def _to(address: Address, outbox_id: str) -> Json:
    """A phone number goes under `to`, a user id that the platform made for us under `recipient`."""
    name = address.value.reveal()
    field = "to" if name.isascii() and name.isdigit() else "recipient"
    return {
        "messaging_product": "whatsapp",
        "recipient_type": "individual",
        field: name,
        "biz_opaque_callback_data": outbox_id,
    }


def _template(message: OutboundMessage) -> Json:
    language = {"policy": "deterministic", "code": template_language(message.locale)}
    return {"name": message.template, "language": language}


def _text(message: OutboundMessage) -> Json:
    return {"type": "text", "text": {"body": numbered(message, LONGEST_TEXT), "preview_url": False}}


def numbered(message: OutboundMessage, limit: int) -> str:
    """Return the words and, a line each, the choices by number; within *limit* UTF-16 units."""
    lines = [f"{number}. {choice.label}" for number, choice in enumerate(message.choices, 1)]
    below = "\n\n" + "\n".join(lines) if lines else ""
    return within(message.text.reveal(), limit - _units(below)) + below


def within(text: str, limit: int) -> str:
    """Return *text* cut to *limit* UTF-16 units, at the end of a word where there is one, never inside a grapheme."""
    if _units(text) <= limit:
        return text
    log.error("a message is too long for the channel and was cut", extra={"units": _units(text), "limit": limit})
    kept, units = [], _units(_CUT)
    for grapheme in _GRAPHEME.findall(text):
        units += _units(grapheme)
        if units > limit:
            break
        kept.append(grapheme)
    whole = "".join(kept)
    at = whole.rfind(" ")
    return (whole[:at] if at > len(whole) // 2 else whole) + _CUT


def _location_request(message: OutboundMessage) -> Json | None:
    """Nothing can be tapped beside the request itself: the choices stand in its words, by number."""
    words = numbered(message, LONGEST_TEXT)
    if _units(words) > LONGEST_BODY:
        return None
    action = {"name": "send_location"}
    asked = {"type": "location_request_message", "body": {"text": words}, "action": action}
    return {"type": "interactive", "interactive": asked}


def _interactive(message: OutboundMessage) -> Json | None:
    choices, words = message.choices, message.text.reveal()
    same = len({choice.label for choice in choices}) < len(choices)
    if not choices or same or not words.strip() or _units(words) > LONGEST_BODY:
        return None
    kind, action = _buttons(choices) or _list(choices, message.list_button) or ("", {})
    if not kind:
        return None
    return {"type": "interactive", "interactive": {"type": kind, "body": {"text": words}, "action": action}}


def _buttons(choices: Sequence[Choice]) -> tuple[str, Json] | None:
    if len(choices) > MOST_BUTTONS or not _fit(choices, BUTTON_TITLE, BUTTON_ID):
        return None
    return "button", {"buttons": [{"type": "reply", "reply": {"id": c.id, "title": c.label}} for c in choices]}


def _list(choices: Sequence[Choice], button: str) -> tuple[str, Json] | None:
    if len(choices) > MOST_ROWS or not _fit(choices, ROW_TITLE, ROW_ID) or not 1 <= len(button) <= LIST_BUTTON:
        return None
    return "list", {"button": button, "sections": [{"rows": [{"id": c.id, "title": c.label} for c in choices]}]}


def _fit(choices: Sequence[Choice], title: int, name: int) -> bool:
    return all(1 <= len(c.label) <= title and 1 <= len(c.id) <= name and c.id == c.id.strip() for c in choices)


def _units(text: str) -> int:
    return len(text.encode("utf-16-le", "replace")) // 2
