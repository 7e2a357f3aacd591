"""What a batch of the Cloud API holds: messages of every kind, reports on ours, people who moved, its notices.

Rules W6–W11: each item of each change stands alone, `from` may be missing, times are seconds or milliseconds.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, Final

from bot.channels.whatsapp_errors import PLAIN, outcome
from bot.domain.messages import (
    Address,
    Carrier,
    ChannelName,
    InboundMessage,
    Media,
    Moved,
    Receipt,
    ReceiptState,
)
from bot.domain.pictures import PICTURE_TYPES
from bot.domain.private import NOTHING_SAID, Private

OLDEST: Final = 8 * 86400
FUTURE_SLACK: Final = 60
MILLISECONDS: Final = 10_000_000_000
LONGEST_CHOICE: Final = 64
MOST_CONTACTS: Final = 5
#: Seconds after which what failed for a passing reason is sent once more, where the table names none.
LATER: Final = 10.0

Json = dict[str, Any]
Words = tuple[str, Carrier, str | None]

STATES: Final = {state.value: state for state in ReceiptState}
#: Kinds that carry a file, and what they are to us.
FILES: Final = {
    "audio": Carrier.VOICE,
    "voice": Carrier.VOICE,
    "image": Carrier.IMAGE,
    "video": Carrier.VIDEO,
    "document": Carrier.DOCUMENT,
    "sticker": Carrier.STICKER,
}
#: What is fetched, and what it is when the platform does not say.
FETCHED: Final = {
    "audio": "audio/ogg", "voice": "audio/ogg", "image": "image/jpeg", "document": "", "sticker": "image/webp",
    "video": "video/mp4",
}  # fmt: skip
#: A person has another number, or another id; a changed security code is nobody's move.
MOVES: Final = frozenset({"user_changed_number", "customer_changed_number", "user_changed_user_id"})
#: Never a message of a person to us: notices, and the chat being opened for the first time.
NO_MESSAGE: Final = frozenset({"system", "request_welcome"})


def changes(payload: object, phone_id: str) -> Iterator[tuple[str, Json]]:
    """Yield (field, value) of every change of every entry; those of another number of the account are not ours."""
    if not isinstance(payload, dict) or not isinstance(payload.get("entry"), list):
        raise TypeError("no entries")
    for entry in payload["entry"]:
        for change in listed(entry.get("changes") if isinstance(entry, dict) else None):
            value = change.get("value") if isinstance(change, dict) else None
            if isinstance(value, dict) and _number(value) in {"", phone_id}:
                yield text(change.get("field")), value


def _number(value: Json) -> str:
    metadata = value.get("metadata")
    return text(metadata.get("phone_number_id")) if isinstance(metadata, dict) else ""


def parse(item: Json, phone_id: str, received_at: datetime) -> InboundMessage | None:
    """Return one message; None for groups and for what no person wrote. An unknown kind still becomes a message."""
    kind = text(item.get("type"))
    if item.get("group_id") or kind in NO_MESSAGE:
        return None
    sender, also = sender_of(item)
    if not text(item["id"]):
        raise ValueError("no id")
    inner = _edited(item)
    said, carrier, choice = words_of(inner)
    if carrier is Carrier.REACTION and not said:
        return None  # taken back
    return InboundMessage(
        _key(item, phone_id), Address(ChannelName.WHATSAPP, Private(sender)),
        Carrier.EDITED if inner is not item and said else carrier, Private(said), when(item, received_at), received_at,
        choice, media=_media(inner), point=_point(inner), also=Private(also),
    )  # fmt: skip


def _key(item: Json, phone_id: str) -> str:
    """Return the idempotency key; an edit or a removal that came under the id of its message is not that message."""
    kind = text(item.get("type"))
    later = f":{kind}:{text(item.get('timestamp'))}" if kind in {"edit", "revoke"} else ""
    return f"whatsapp:{phone_id}:{text(item['id'])}{later}"


def sender_of(item: Json) -> tuple[str, str]:
    """Return the address, and the person's other id if both are named: number first, else the id made for us."""
    number, user = text(item.get("from")), text(item.get("from_user_id"))
    if not (number or user):
        raise ValueError("no sender")
    return (number, user) if number else (user, "")


def _edited(item: Json) -> Json:
    """Return the message as it reads now: an edit carries the whole of it."""
    part = item.get("edit") if item.get("type") == "edit" else None
    inner = part.get("message") if isinstance(part, dict) else None
    return inner if isinstance(inner, dict) else item


def words_of(item: Json) -> Words:
    """Return words, carrier and the id of a tapped choice."""
    kind = text(item.get("type"))
    reader = _READERS.get(kind)
    part = item.get(kind)
    if reader:
        return reader(part)
    part = part if isinstance(part, dict) else {}
    if caption := text(part.get("caption")):
        return caption, Carrier.CAPTION, None
    if kind == "document" and (media := _media(item)) and media.mime in PICTURE_TYPES:
        return "", Carrier.IMAGE, None
    return text(part.get("emoji")), FILES.get(kind, Carrier.UNSUPPORTED), None


def _plain(part: object) -> Words:
    return _field(part, "body"), Carrier.TEXT, None


def _button(part: object) -> Words:
    """The quick reply of a template."""
    return _field(part, "text"), Carrier.CHOICE, _field(part, "payload")[:LONGEST_CHOICE] or None


def _interactive(part: object) -> Words:
    for kind in ("button_reply", "list_reply"):
        reply = part.get(kind) if isinstance(part, dict) else None
        if isinstance(reply, dict):
            return text(reply.get("title")), Carrier.CHOICE, text(reply.get("id"))[:LONGEST_CHOICE] or None
    return "", Carrier.UNSUPPORTED, None


def _reaction(part: object) -> Words:
    return _field(part, "emoji"), Carrier.REACTION, None


def _removed(_: object) -> Words:
    return "", Carrier.REMOVED, None


def _location(_: object) -> Words:
    return "", Carrier.LOCATION, None


def _order(part: object) -> Words:
    said = _field(part, "text")
    return said, Carrier.TEXT if said else Carrier.UNSUPPORTED, None


def _contacts(part: object) -> Words:
    """The names and numbers of the cards, a line each, as words: the agent's card is often all that a person has."""
    lines = [_card(card) for card in listed(part)[:MOST_CONTACTS] if isinstance(card, dict)]
    words = "\n".join(line for line in lines if line)
    return words, Carrier.TEXT if words else Carrier.CONTACT, None


def _card(card: Json) -> str:
    numbers = [_field(phone, "phone") or _field(phone, "wa_id") for phone in listed(card.get("phones"))]
    return " ".join(part for part in (_field(card.get("name"), "formatted_name"), *numbers) if part)


_READERS: Final[Mapping[str, Callable[[object], Words]]] = {
    "text": _plain,
    "button": _button,
    "interactive": _interactive,
    "reaction": _reaction,
    "revoke": _removed,
    "location": _location,
    "order": _order,
    "contacts": _contacts,
}


def _media(item: Json) -> Media | None:
    """Return the file to be fetched; what a picture claims to be must be one we can read."""
    kind = text(item.get("type"))
    part = item.get(kind) if kind in FETCHED else None
    if not isinstance(part, dict) or not text(part.get("id")):
        return None
    mime = text(part.get("mime_type")).partition(";")[0].strip() or FETCHED[kind]
    if FILES[kind] is Carrier.IMAGE and mime not in PICTURE_TYPES:
        return None
    return Media(Private(text(part["id"])), mime)


def _point(item: Json) -> Private:
    part = item.get("location")
    try:
        latitude, longitude = float(part["latitude"]), float(part["longitude"])  # type: ignore[index]
    except (TypeError, KeyError, ValueError):
        return NOTHING_SAID
    fits = abs(latitude) <= 90 and abs(longitude) <= 180  # noqa: PLR2004 - degrees
    return Private(f"{latitude:.5f},{longitude:.5f}") if fits else NOTHING_SAID


def parse_status(item: Json, received_at: datetime) -> Receipt | None:
    """Return a receipt; None for states we do not know."""
    state = STATES.get(str(item.get("status")))
    if not state:
        return None
    code = error_code(item)
    echoed = item.get("biz_opaque_callback_data")
    receipt = Receipt(
        ChannelName.WHATSAPP, Private(str(item["id"])), state, when(item, received_at),
        echoed if isinstance(echoed, str) and echoed else None, code,
    )  # fmt: skip
    return _failed(receipt, code) if state is ReceiptState.FAILED else receipt


def _failed(receipt: Receipt, code: int | None) -> Receipt:
    """Say what its code leads to, by the same table as for an answer."""
    found = outcome(code)
    plain = code in PLAIN
    again = max(found.retry_after, LATER) if found.retryable else None
    return replace(
        receipt, again=0.0 if plain else again, closed=found.closed, alarm=found.alarm or found.account,
        gone=found.gone, plain=plain, account=found.account,
    )  # fmt: skip


def error_code(item: Json) -> int | None:
    """Return the first code of an item's `errors`."""
    errors = listed(item.get("errors"))
    code = errors[0].get("code") if errors and isinstance(errors[0], dict) else None
    return code if isinstance(code, int) and not isinstance(code, bool) else None


def parse_move(item: Json, phone_id: str, received_at: datetime) -> Moved | None:
    """Return the move that a system message tells of, if it tells of one."""
    part = item.get("system")
    if item.get("type") != "system" or item.get("group_id") or not isinstance(part, dict):
        return None
    if text(part.get("type")) not in MOVES:
        return None
    old, _ = sender_of(item)
    new = text(part.get("wa_id")) or text(part.get("new_wa_id")) or text(part.get("user_id"))
    return _move(f"whatsapp:{phone_id}:{text(item['id'])}", old, new, when(item, received_at))


def parse_id_update(item: Json, phone_id: str, received_at: datetime) -> Moved | None:
    """Return the move of the id that the platform made for us, from a `user_id_update`."""
    part = item.get("user_id")
    old, new = _field(part, "previous"), _field(part, "current")
    return _move(f"whatsapp:{phone_id}:id:{old}:{new}", old, new, when(item, received_at))


def _move(key: str, old: str, new: str, at: datetime) -> Moved | None:
    if not new or new == old:
        return None
    if not old:
        raise ValueError("no former address")
    former, present = (Address(ChannelName.WHATSAPP, Private(name)) for name in (old, new))
    return Moved(key, former, present, at)


def listed(value: object) -> list[Any]:
    """Return a list; anything else is an empty one."""
    return value if isinstance(value, list) else []


def text(value: object) -> str:
    """Return text with lone surrogates replaced; anything but text is no text."""
    return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace") if isinstance(value, str) else ""


def _field(part: object, name: str) -> str:
    return text(part.get(name)) if isinstance(part, dict) else ""


def when(item: Json, received_at: datetime) -> datetime:
    """Return the channel's time: seconds as text, sometimes milliseconds; nonsense becomes the receive time."""
    try:
        seconds = float(item.get("timestamp") or "nan")
    except (TypeError, ValueError):
        return received_at
    seconds = seconds / 1000 if seconds > MILLISECONDS else seconds
    late = received_at.timestamp() - seconds
    if math.isnan(seconds) or not -FUTURE_SLACK <= late <= OLDEST:
        return received_at
    return datetime.fromtimestamp(seconds, UTC)
