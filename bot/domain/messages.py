"""Messages as they enter and leave: one bubble each, free of any channel's own shapes."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from bot.domain.private import NOTHING_SAID, Private

#: WhatsApp takes words of our own for this long after the person's last message.
WINDOW: Final = timedelta(hours=24)
#: How long one message of several texts may be, in UTF-16 units: what each channel takes.
LONGEST_TOGETHER: Final = 4096


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
    VIDEO = "video"
    STICKER = "sticker"
    CONTACT = "contact"
    REACTION = "reaction"
    REMOVED = "removed"
    UNSUPPORTED = "unsupported"


#: Signs at another message, not messages: heard for danger, never answered.
SIGNS = frozenset({Carrier.REACTION, Carrier.REMOVED})


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
    the channel's own id, where the channel lets us delete a message by it; `album` is the same for pictures sent as
    one; `blocked`: no message, but the news that this person takes none from us any more; `also` is a second id of the
    same person on that channel, where it names one; `order` rises within a chat, where the channel counts its messages:
    of those of the same second the lower comes first.
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
    album: str = ""
    also: Private = NOTHING_SAID
    order: int = 0


@dataclass(frozen=True, slots=True)
class Moved:
    """The channel says that a person has a new address; `key` is the idempotency key of that notice."""

    key: str
    old: Address
    new: Address
    at: datetime


class ReceiptState(StrEnum):
    """A channel's report on an outbound message, in rising order; failed is final."""

    SENT = "sent"
    DELIVERED = "delivered"
    READ = "read"
    FAILED = "failed"


RECEIPT_ORDER = {ReceiptState.SENT: 1, ReceiptState.DELIVERED: 2, ReceiptState.READ: 3}


@dataclass(frozen=True, slots=True)
class Receipt:
    """What became of a message: found by the channel's message id, or by our outbox id where the channel echoes it.

    Of a failed one: `again` are the seconds after which it may be sent once more (None: never), `closed`: the channel
    takes words of our own only after the person has written, `alarm`: an operator must look, `gone`: nothing reaches
    the person until they write, `plain`: its shape or its file was refused, so that only its plain words may pass,
    `account`: the fault is the whole account's.
    """

    channel: ChannelName
    channel_message_id: Private
    state: ReceiptState
    at: datetime
    outbox_id: str | None = None
    error_code: int | None = None
    again: float | None = None
    closed: bool = False
    alarm: bool = False
    gone: bool = False
    plain: bool = False
    account: bool = False


class Lane(StrEnum):
    """Which messages leave first, in this order."""

    DISTRESS = "distress"
    REPLY = "reply"
    CROWD = "crowd"
    CAMPAIGN = "campaign"


#: Rows of earlier versions keep their numbers: what is said to a crowd of newcomers came between later.
LANE_ORDER: dict[Lane, float] = {Lane.DISTRESS: 0, Lane.REPLY: 1, Lane.CROWD: 1.5, Lane.CAMPAIGN: 2}


@dataclass(frozen=True, slots=True)
class Choice:
    """One tappable answer: a short stable id and its words."""

    id: str
    label: str


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture of ours: the name of its file, and in words what it shows, for who cannot see it."""

    name: str
    alt: str


@dataclass(frozen=True, slots=True)
class OutboundMessage:
    """One bubble ready to send: words fitted to the channel, its choices in order.

    `speech` is the locale in which the words are to be sent as a voice message instead of as text, or "". `list_button`
    labels what opens the choices, or sends a location. `asks_location`: offer to share it. `protected`: not to be
    passed on or saved. `digits`: the words number so many choices. `keeps_keyboard`: an earlier bubble of the turn
    shows keys. `template`: the name of a text that the channel has approved beforehand, sent instead of any words, in
    the language of `locale`. `plain`: the channel has refused its shape or its file, so that only the words may go.
    `picture` goes with the words where it can; they never wait for it, and never depend on it.
    """

    text: Private
    choices: tuple[Choice, ...] = ()
    lane: Lane = Lane.REPLY
    author: str = "bot"
    message_id: str = ""
    list_button: str = ""
    speech: str = ""
    asks_location: bool = False
    protected: bool = False
    digits: int = 0
    keeps_keyboard: bool = False
    template: str = ""
    locale: str = ""
    plain: bool = False
    picture: Picture | None = None


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
    words follow, a line each; `spoken` asks for a voice message with the same words; `asks_location` for a button that
    shares it.
    """

    message: str
    values: dict[str, str] = field(default_factory=dict)
    choices: tuple[ChoiceRef, ...] = ()
    lane: Lane = Lane.REPLY
    items: tuple[Reply, ...] = ()
    within: dict[str, tuple[Reply, ...]] = field(default_factory=dict)
    spoken: bool = False
    asks_location: bool = False

    def __repr__(self) -> str:
        return f"Reply({self.message}, {[choice.id for choice in self.choices]})"
