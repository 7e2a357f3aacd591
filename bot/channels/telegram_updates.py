"""Telegram: what comes. An update is parsed once into a message of ours, or known to be none.

Only private chats are heard. Ids are checked to be whole numbers; half characters are replaced; times are clamped.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from telegram import Bot, Chat, ChatMember, Contact, Message, MessageOriginUser, Update
from telegram.ext.filters import StatusUpdate

from bot.domain.messages import Address, Carrier, ChannelName, InboundMessage, Media
from bot.domain.pictures import PICTURE_TYPES
from bot.domain.private import NOTHING_SAID, Private

#: Without these persons and responders are not heard; what else is asked for, the team can do without.
NEEDED = ("message", "edited_message", "callback_query", "my_chat_member")
ALLOWED = (*NEEDED, "message_reaction")
FUTURE_SLACK = 60
LATE = 8 * 86400
#: No id of the platform has more than 52 bits.
LARGEST_ID = 2**52
#: The updates that hold a message, and what of a message is kept where the rest cannot be read.
SPOKEN = frozenset({"message", "edited_message"})
PLAIN = frozenset({"message_id", "date", "edit_date", "chat", "from", "text", "caption", "voice", "photo", "location"})
#: A film of a person speaking is kept and heard as a voice note; its container holds sound all the same.
NOTE_FILM = "audio/mp4"


def parse(update: dict[str, Any], bot: Bot, received_at: datetime) -> InboundMessage | None:
    """Return the message in an update, or None for what we do not answer: groups, channels, bots, our own words.

    Raises whatever a malformed update leads to (`TypeError`, `KeyError`, `ValueError`, …): keep it aside.
    """
    found = read(update, bot)
    own = own_id(bot)
    key = f"telegram:{own}:{_whole(found.update_id)}"
    if found.my_chat_member:
        return _left(found, key, received_at)
    if found.callback_query:
        return _callback(found, key, received_at)
    message = found.message or found.edited_message
    if not message or message.chat.type != Chat.PRIVATE or _is_not_theirs(message, own):
        return None
    if StatusUpdate.ALL.check_update(found):
        return None
    return _message(message, key, received_at, edited=bool(found.edited_message))


def read(update: dict[str, Any], bot: Bot) -> Update:
    """Read an update; where a part is newer than the library, the parts that people speak with are still heard."""
    try:
        return Update.de_json(update, bot)
    except (TypeError, KeyError, ValueError, AttributeError):
        plain = {name: _plain(value) if name in SPOKEN else value for name, value in update.items()}
        return Update.de_json(plain, bot)


def _plain(message: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in message.items() if name in PLAIN}


def own_id(bot: Bot) -> int:
    """Return the bot's own id: the part of its token before the colon."""
    return int(bot.token.partition(":")[0])


def _message(message: Message, key: str, received_at: datetime, *, edited: bool) -> InboundMessage:
    words, carrier = _words(message)
    return InboundMessage(
        key,
        _address(message.chat.id),
        Carrier.EDITED if edited else carrier,
        Private(_whole_characters(words)),
        _clamp(message.date, received_at),
        received_at,
        media=_media(message),
        point=_point(message),
        id=Private(str(_whole(message.message_id))),
        album=str(message.media_group_id or "")[:64],
        order=message.message_id,
    )


def _is_not_theirs(message: Message, own: int) -> bool:
    """Say whether the words are no person's: another bot's, through a bot, or our own passed back to us."""
    if message.via_bot or (message.from_user and message.from_user.is_bot):
        return True
    origin = message.forward_origin
    return isinstance(origin, MessageOriginUser) and origin.sender_user.id == own


def _left(update: Update, key: str, received_at: datetime) -> InboundMessage | None:
    """Somebody has blocked us: nothing may be sent to them until they write again. It follows what they last wrote."""
    change = update.my_chat_member
    if not change or change.chat.type != Chat.PRIVATE or change.new_chat_member.status != ChatMember.BANNED:
        return None
    return InboundMessage(
        key, _address(change.chat.id), Carrier.UNSUPPORTED, NOTHING_SAID, _clamp(change.date, received_at), received_at,
        blocked=True, order=LARGEST_ID,
    )  # fmt: skip


def _callback(update: Update, key: str, received_at: datetime) -> InboundMessage | None:
    query = update.callback_query
    if not query or not query.message or query.message.chat.type != Chat.PRIVATE:
        return None
    choice = _whole_characters(query.data or "")[:64]
    address = _address(query.message.chat.id)
    return InboundMessage(key, address, Carrier.CHOICE, NOTHING_SAID, received_at, received_at, choice)


def _words(message: Message) -> tuple[str, Carrier]:
    """Return what is said, and how. A caption is said; so is the picture on a sticker, and a shared number."""
    if message.text is not None:
        return message.text, Carrier.TEXT
    if message.contact:
        return _contact(message, message.contact)
    if message.caption:
        return message.caption, Carrier.CAPTION
    return message.sticker.emoji or "" if message.sticker else "", _carrier(message)


def _carrier(message: Message) -> Carrier:
    if message.voice or message.audio or message.video_note:
        return Carrier.VOICE
    if message.photo or (message.document and message.document.mime_type in PICTURE_TYPES):
        return Carrier.IMAGE
    if message.location:
        return Carrier.LOCATION
    if message.video:
        return Carrier.VIDEO
    return Carrier.DOCUMENT if message.document else Carrier.UNSUPPORTED


def _contact(message: Message, contact: Contact) -> tuple[str, Carrier]:
    """Give somebody's name and number as words, to be checked or reported; the person's own number is no agent's."""
    words = " ".join(part for part in (contact.first_name, contact.last_name, contact.phone_number) if part)
    own = contact.user_id is not None and message.from_user and contact.user_id == message.from_user.id
    return words, Carrier.CONTACT if own else Carrier.TEXT


def _media(message: Message) -> Media | None:
    """Return the voice note, picture, film or paper to be fetched; of a photo the largest of its sizes."""
    note = message.voice or message.audio
    if note:
        return Media(Private(note.file_id), note.mime_type or "audio/ogg", note.file_size or 0)
    if message.video_note:
        return Media(Private(message.video_note.file_id), NOTE_FILM, message.video_note.file_size or 0)
    if message.photo:
        largest = max(message.photo, key=lambda size: size.width * size.height)
        return Media(Private(largest.file_id), "image/jpeg", largest.file_size or 0)
    if film := message.video:
        return Media(Private(film.file_id), film.mime_type or "video/mp4", film.file_size or 0)
    paper = message.document
    if paper and not message.animation:  # a film that the platform also calls a document
        return Media(Private(paper.file_id), paper.mime_type or "", paper.file_size or 0)
    return None


def _point(message: Message) -> Private:
    at = message.location
    return Private(f"{at.latitude:.5f},{at.longitude:.5f}") if at else NOTHING_SAID


def _address(chat_id: int) -> Address:
    return Address(ChannelName.TELEGRAM, Private(str(_whole(chat_id))))


def _whole(number: object) -> int:
    if not isinstance(number, int) or isinstance(number, bool) or abs(number) > LARGEST_ID:
        raise TypeError("an id is no whole number")
    return number


def _whole_characters(text: str) -> str:
    """Replace half characters, which no database takes, by the sign for an unreadable one."""
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


def _clamp(sent_at: datetime | None, received_at: datetime) -> datetime:
    if sent_at is None:
        return received_at
    late = (received_at - sent_at).total_seconds()
    return sent_at if -FUTURE_SLACK <= late <= LATE else received_at
