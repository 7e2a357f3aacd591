"""What is pressing about where somebody is: a border, a station, another country. What is not known changes nothing."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from bot.dialogue.gazetteer import AT_HAND_KM, CROSSING
from bot.dialogue.knowledge import Knowledge
from bot.domain.conversation import Conversation
from bot.domain.messages import InboundMessage
from bot.domain.places import HERE_FOR
from bot.domain.urgency import Where

#: The question where somebody is, while it waits for its answer.
ASKED = "where"


def noticed(conversation: Conversation, message: InboundMessage, knowledge: Knowledge, now: datetime) -> Conversation:
    """Keep what a shared location, a scanned poster or the answer to "where are you?" shows; forget what is old."""
    since = conversation.whereabouts_at
    if conversation.whereabouts and (since is None or now - since > HERE_FOR):
        conversation = replace(conversation, whereabouts="", whereabouts_at=None)
    found = _of_point(message, knowledge) if message.point else _of_name(conversation, message, knowledge, now)
    return replace(conversation, whereabouts=found, whereabouts_at=now) if found is not None else conversation


def _of_point(message: InboundMessage, knowledge: Knowledge) -> str | None:
    """Return what a point shows, "" for nothing pressing, None for one that cannot be read."""
    try:
        latitude, longitude = (float(part) for part in message.point.reveal().split(","))
    except ValueError:
        return None
    near = knowledge.gazetteer.nearest(latitude, longitude)
    if not near:
        return Where.ABROAD.value
    return _of(near.place.kind if near.km <= AT_HAND_KM else "", latitude, longitude, knowledge)


def _of_name(conversation: Conversation, message: InboundMessage, knowledge: Knowledge, now: datetime) -> str | None:
    """Return what a poster scanned just now shows, or a station that is named where we have asked for the place."""
    point = knowledge.directory.points.get(conversation.place) if conversation.place_at == now else None
    if point:
        return _of(point.kind, point.latitude, point.longitude, knowledge)
    if not message.text or not conversation.open_case or conversation.waiting != ASKED:
        return None
    station = knowledge.gazetteer.find(message.text.reveal()).station
    return _of(station.kind, station.latitude, station.longitude, knowledge) if station else None


def _of(kind: str, latitude: float | None, longitude: float | None, knowledge: Knowledge) -> str:
    """Return what a place shows. kind: of the station, bus stand or crossing at which it is; "" for none of them."""
    if kind == CROSSING:
        return Where.CROSSING.value
    if latitude is not None and longitude is not None and knowledge.gazetteer.is_near_crossing(latitude, longitude):
        return Where.NEAR_BORDER.value
    return Where.TRANSIT_POINT.value if kind else ""
