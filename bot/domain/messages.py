"""Messages as they enter and leave: one bubble each, free of any channel's own shapes."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from bot.domain.private import NOTHING_SAID, Private


class ChannelName(StrEnum):
    """Where a contact writes from."""

    TELEGRAM = "telegram"
    WHATSAPP = "whatsapp"
    WEB = "web"
    TERMINAL = "terminal"


class Carrier(StrEnum):
    """How the words came."""

    TEXT = "text"
    CAPTION = "caption"
    CHOICE = "choice"
    EDITED = "edited"
    VOICE = "voice"
    IMAGE = "image"
    DOCUMENT = "document"
    LOCATION = "location"
    UNSUPPORTED = "unsupported"


@dataclass(frozen=True, slots=True)
class Address:
    """One contact on one channel; the value is the chat id, WhatsApp id or web session."""

    channel: ChannelName
    value: Private


@dataclass(frozen=True, slots=True)
class Media:
    """A file on the channel's side: how to fetch it (`id`), its MIME type and its size in bytes if known (else 0)."""

    id: Private
    mime: str
    size: int = 0


@dataclass(frozen=True, slots=True)
class InboundMessage:
    """One message from a person.

    `key` is the idempotency key (`telegram:<bot>:<update_id>`, `whatsapp:<wamid>`, …); `choice` is the id of a tapped
    choice; `sent_at` is the channel's time clamped to the receive time, both UTC-aware; `media` is a voice note or
    picture that is still to be fetched, `point` a shared location as "latitude,longitude" in degrees; `seen` are the
    words read in its picture ("" for none, None where no picture was looked at): never a choice or a command; `id` is
    the channel's own id, where the channel lets us delete a message by it.
    """

    key: str
    address: Address
    carrier: Carrier
    text: Private
    sent_at: datetime
    received_at: datetime
    choice: str | None = None
    blocked: bool = False
    media: Media | None = None
    point: Private = NOTHING_SAID
    seen: Private | None = None
    id: Private = NOTHING_SAID


class ReceiptState(StrEnum):
    """A channel's report on an outbound message, in rising order; failed is final."""

    SENT = "sent"
    DELIVERED = "delivered"
    READ = "read"
    FAILED = "failed"


RECEIPT_ORDER = {ReceiptState.SENT: 1, ReceiptState.DELIVERED: 2, ReceiptState.READ: 3}


@dataclass(frozen=True, slots=True)
class Receipt:
    """What became of a message: found by the channel's message id, or by our outbox id where the channel echoes it."""

    channel: ChannelName
    channel_message_id: Private
    state: ReceiptState
    at: datetime
    outbox_id: str | None = None
    error_code: int | None = None


class Lane(StrEnum):
    """Which messages leave first, in this order."""

    DISTRESS = "distress"
    REPLY = "reply"
    CAMPAIGN = "campaign"


LANE_ORDER = {lane: number for number, lane in enumerate(Lane)}


@dataclass(frozen=True, slots=True)
class Choice:
    """One tappable answer: a short stable id and its words."""

    id: str
    label: str


@dataclass(frozen=True, slots=True)
class OutboundMessage:
    """One bubble ready to send: words fitted to the channel, its choices in order.

    `speech` is the locale in which the words are to be sent as a voice message instead of as text, or "". `template` is
    the name of the template, approved by the platform, that is sent instead of free words, or ""; `text` is then what
    it says. `locale` is what the words are written in, where the channel has to be told.
    """

    text: Private
    choices: tuple[Choice, ...] = ()
    lane: Lane = Lane.REPLY
    author: str = "bot"
    message_id: str = ""
    list_button: str = ""
    speech: str = ""
    template: str = ""
    locale: str = ""


@dataclass(frozen=True, slots=True)
class ChoiceRef:
    """A choice before its words are known: `label` is a message id, or `text` the words themselves."""

    id: str
    label: str = ""
    text: Private = NOTHING_SAID


@dataclass(frozen=True, slots=True)
class Reply:
    """A message id that `step` wants said, the values for its placeholders, and the choices under it.

    `within` puts other replies' words into a placeholder, joined by the locale's joiner; `items` are replies whose
    words follow, a line each; `spoken` asks for a voice message with the same words.
    """

    message: str
    values: dict[str, str] = field(default_factory=dict)
    choices: tuple[ChoiceRef, ...] = ()
    lane: Lane = Lane.REPLY
    items: tuple[Reply, ...] = ()
    within: dict[str, tuple[Reply, ...]] = field(default_factory=dict)
    spoken: bool = False

    def __repr__(self) -> str:
        return f"Reply({self.message}, {[choice.id for choice in self.choices]})"
