"""Domain values to plain JSON and back: what is sealed inside a document."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from bot.domain.cases import Case, CaseKind, CaseState
from bot.domain.conversation import Conversation
from bot.domain.messages import (
    Address,
    Carrier,
    ChannelName,
    Choice,
    ChoiceRef,
    InboundMessage,
    Lane,
    Media,
    OutboundMessage,
    Picture,
    Reply,
)
from bot.domain.private import Private

Doc = dict[str, Any]
_PLAIN = (
    "locale", "locale_guess", "notice_seen", "flow", "last_topic", "repairs", "place", "district", "poster",
    "stopped", "silent", "safe_word", "wrong_words", "waiting", "asked_same", "stranger",
    "erase_requested", "asked_if_in_danger", "voice", "state", "other_language", "draft_told", "course", "notes",
    "album", "opted_in", "unsure", "whereabouts",
)  # fmt: skip


def message_out(message: InboundMessage) -> Doc:
    """Write an inbound message."""
    return {
        "key": message.key,
        "channel": message.address.channel.value,
        "address": message.address.value.reveal(),
        "carrier": message.carrier.value,
        "text": message.text.reveal(),
        "choice": message.choice,
        "sent_at": message.sent_at.isoformat(),
        "received_at": message.received_at.isoformat(),
        "blocked": message.blocked,
        "media": _media_out(message.media) if message.media else None,
        "point": message.point.reveal(),
        "id": message.id.reveal(),
        "album": message.album,
        "also": message.also.reveal(),
        "order": message.order,
    }


def message_in(doc: Mapping[str, Any]) -> InboundMessage:
    """Read an inbound message."""
    return InboundMessage(
        key=doc["key"],
        address=Address(ChannelName(doc["channel"]), Private(doc["address"])),
        carrier=Carrier(doc["carrier"]),
        text=Private(doc["text"]),
        sent_at=datetime.fromisoformat(doc["sent_at"]),
        received_at=datetime.fromisoformat(doc["received_at"]),
        choice=doc["choice"],
        blocked=doc["blocked"],
        media=_media_in(doc["media"]) if doc.get("media") else None,
        point=Private(doc.get("point", "")),
        id=Private(doc.get("id", "")),
        album=doc.get("album", ""),
        also=Private(doc.get("also", "")),
        order=doc.get("order", 0),
    )


def _media_out(media: Media) -> Doc:
    return {"id": media.id.reveal(), "mime": media.mime, "size": media.size}


def _media_in(doc: Mapping[str, Any]) -> Media:
    return Media(Private(doc["id"]), doc["mime"], doc["size"])


def outbound_out(message: OutboundMessage) -> Doc:
    """Write an outbound message."""
    return {
        "text": message.text.reveal(),
        "choices": [[choice.id, choice.label] for choice in message.choices],
        "lane": message.lane.value,
        "author": message.author,
        "message_id": message.message_id,
        "list_button": message.list_button,
        "speech": message.speech,
        "asks_location": message.asks_location,
        "protected": message.protected,
        "digits": message.digits,
        "keeps_keyboard": message.keeps_keyboard,
        "template": message.template,
        "locale": message.locale,
        "picture": [message.picture.name, message.picture.alt] if message.picture else None,
    }


def outbound_in(doc: Mapping[str, Any]) -> OutboundMessage:
    """Read an outbound message."""
    return OutboundMessage(
        text=Private(doc["text"]),
        choices=tuple(Choice(name, label) for name, label in doc["choices"]),
        lane=Lane(doc["lane"]),
        author=doc["author"],
        message_id=doc["message_id"],
        list_button=doc["list_button"],
        speech=doc.get("speech", ""),
        asks_location=doc.get("asks_location", False),
        protected=doc.get("protected", False),
        digits=doc.get("digits", 0),
        keeps_keyboard=doc.get("keeps_keyboard", False),
        template=doc.get("template", ""),
        locale=doc.get("locale", ""),
        picture=Picture(*doc["picture"]) if doc.get("picture") else None,
    )


def conversation_out(conversation: Conversation) -> Doc:
    """Write what is remembered of a conversation; id, version and channel stand beside it in clear."""
    doc: Doc = {name: getattr(conversation, name) for name in _PLAIN}
    doc["slots"] = dict(conversation.slots)
    doc["offered"] = list(conversation.offered)
    doc["last_replies"] = [_reply_out(reply) for reply in conversation.last_replies]
    doc["told"] = list(conversation.told)
    doc["warned"] = list(conversation.warned)
    doc["warned_at"] = conversation.warned_at.isoformat() if conversation.warned_at else None
    doc["silent_since"] = conversation.silent_since.isoformat() if conversation.silent_since else None
    doc["place_at"] = conversation.place_at.isoformat() if conversation.place_at else None
    doc["whereabouts_at"] = conversation.whereabouts_at.isoformat() if conversation.whereabouts_at else None
    doc["seen_at"] = conversation.seen_at.isoformat() if conversation.seen_at else None
    doc["late"] = conversation.late.isoformat() if conversation.late else None
    return doc


def conversation_in(conversation_id: str, channel: ChannelName, version: int, doc: Mapping[str, Any]) -> Conversation:
    """Read a conversation; fields that an older version did not know keep their defaults."""
    known = {name: doc[name] for name in _PLAIN if name in doc}
    return Conversation(
        id=conversation_id,
        channel=channel,
        version=version,
        slots=dict(doc.get("slots", {})),
        offered=tuple(doc.get("offered", ())),
        last_replies=tuple(_reply_in(reply) for reply in doc.get("last_replies", ())),
        told=tuple(doc.get("told", ())),
        warned=tuple(doc.get("warned", ())),
        warned_at=datetime.fromisoformat(doc["warned_at"]) if doc.get("warned_at") else None,
        silent_since=datetime.fromisoformat(doc["silent_since"]) if doc.get("silent_since") else None,
        place_at=datetime.fromisoformat(doc["place_at"]) if doc.get("place_at") else None,
        whereabouts_at=datetime.fromisoformat(doc["whereabouts_at"]) if doc.get("whereabouts_at") else None,
        seen_at=datetime.fromisoformat(doc["seen_at"]) if doc.get("seen_at") else None,
        late=datetime.fromisoformat(doc["late"]) if doc.get("late") else None,
        **known,
    )


def _unseen(doc: Mapping[str, Any]) -> int:
    """Return how many messages the owner has not read; where nobody has the case, how many nobody has answered."""
    return max(int(doc.get("unread", 0)) - (int(doc.get("seen_unread", 0)) if doc.get("owner") else 0), 0)


def case_in(doc: Mapping[str, Any]) -> Case:
    """Read a case."""
    return Case(
        id=doc["_id"],
        conversation_id=doc["conversation"],
        kind=CaseKind(doc["kind"]),
        state=CaseState(doc["state"]),
        risk_kind=doc["risk_kind"],
        reason=doc["reason"],
        locale=doc["locale"],
        channel=doc["channel"],
        opened_at=aware(doc["opened_at"]),
        waiting_since=aware(doc["waiting_since"]),
        priority=doc["priority"],
        owner=doc.get("owner"),
        minor=doc.get("minor", False),
        silent=doc.get("silent", False),
        place=doc.get("place", ""),
        district=doc.get("district", ""),
        escalations=doc.get("escalations", 0),
        escalate_at=aware(doc["escalate_at"]) if doc.get("escalate_at") else None,
        raised=doc.get("raised", 0),
        held=doc.get("held", False),
        erase_requested=doc.get("erase_requested", False),
        unread=doc.get("unread", 0),
        unseen=_unseen(doc),
        version=doc.get("version", 0),
        undelivered=doc.get("undelivered", 0),
        labels=tuple(doc.get("labels", ())),
        closed_at=aware(doc["closed_at"]) if doc.get("closed_at") and not doc.get("open") else None,
        merged_into=doc.get("merged_into", ""),
        also=tuple(doc.get("also", ())),
        dangers=tuple(doc.get("dangers", [doc["risk_kind"]])),
        duty=doc.get("duty") or "",
        duty_step=doc.get("duty_step", 0),
        duty_at=aware(doc["duty_at"]) if doc.get("duty_at") else None,
        kept_at=aware(doc["kept_at"]) if doc.get("kept_at") else None,
        kept_by=doc.get("kept_by", ""),
        ends_at=aware(doc["ends_at"]) if doc.get("ends_at") else None,
        whereabouts=doc.get("whereabouts", ""),
        pages=doc.get("pages", 0),
    )


def open_case_of(conversation_id: str) -> Doc:
    """Return the query for the open case of a conversation: its own, or the one that its own was merged into."""
    mine = ({"conversation": conversation_id}, {"also": conversation_id})
    return {"$or": [{**part, "open": True} for part in mine]}


def aware(moment: datetime) -> datetime:
    """Return a UTC-aware time; the driver gives naive ones where it was not told otherwise."""
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _reply_out(reply: Reply) -> Doc:
    return {
        "message": reply.message,
        "values": dict(reply.values),
        "choices": [[choice.id, choice.label, choice.text.reveal()] for choice in reply.choices],
        "lane": reply.lane.value,
        "items": [_reply_out(item) for item in reply.items],
        "within": {name: [_reply_out(item) for item in items] for name, items in reply.within.items()},
        "asks_location": reply.asks_location,
    }


def _reply_in(doc: Mapping[str, Any]) -> Reply:
    return Reply(
        doc["message"],
        dict(doc["values"]),
        tuple(ChoiceRef(name, label, Private(text)) for name, label, text in doc["choices"]),
        Lane(doc["lane"]),
        tuple(_reply_in(item) for item in doc.get("items", ())),
        {name: tuple(map(_reply_in, items)) for name, items in doc.get("within", {}).items()},
        asks_location=doc.get("asks_location", False),
    )
