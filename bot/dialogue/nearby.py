"""The nearest help: from a shared location, a station's name or code, or a district. The numbers come first, always."""

from __future__ import annotations

from dataclasses import replace

from bot.content.model import Place
from bot.dialogue import answers, arrival, notes
from bot.dialogue.gazetteer import Found
from bot.dialogue.knowledge import Knowledge
from bot.dialogue.language import speaking
from bot.domain.conversation import Conversation, Turn
from bot.domain.messages import InboundMessage, Reply

AT_ONCE_KM = 1.0
FIRST = Reply("near.first")


def ask(conversation: Conversation) -> Turn:
    """Ask where the person is."""
    asked = Reply("near.ask", choices=(answers.HELP_NOW, answers.PHONES, answers.MENU), asks_location=True)
    return Turn(replace(conversation, flow="near", slots={}), (asked,))


def begin(conversation: Conversation, knowledge: Knowledge) -> Turn:
    """Answer from the place whose poster was scanned; where there is none, ask."""
    point = knowledge.directory.points.get(conversation.place)
    place = knowledge.gazetteer.place(conversation.place) if point else None
    if not place:
        return ask(conversation)
    turn = _told(conversation, Found(place, None, place.state), None, knowledge)
    *said, last = turn.replies
    moved = Reply("transit.elsewhere", choices=last.choices, asks_location=True)
    told = replace(turn, replies=(*said, replace(last, choices=()), moved))
    return notes.ask(told, place.state, place.district)


def by_words(conversation: Conversation, text: str, knowledge: Knowledge) -> Turn | None:
    """Answer from the place that the words name; None if they name none."""
    found = knowledge.gazetteer.find(text)
    return _turn(conversation, found, None, knowledge) if found else None


def by_point(conversation: Conversation, message: InboundMessage, knowledge: Knowledge) -> Turn | None:
    """Answer from a shared location; None if the message has none that can be read."""
    try:
        latitude, longitude = (float(part) for part in message.point.reveal().split(","))
    except ValueError:
        return None
    near = knowledge.gazetteer.nearest(latitude, longitude)
    if not near:
        abroad = Reply("near.abroad", choices=(answers.topic_choice("overseas_help"), answers.HELP_NOW, answers.MENU))
        return Turn(replace(conversation, flow="", slots={}), (FIRST, abroad))
    return _turn(conversation, Found(near.place, None, near.place.state), near.km, knowledge)


def unknown(conversation: Conversation) -> Turn:
    """Say that the place is not known, with the numbers."""
    said = Reply("near.unknown", choices=(answers.HELP_NOW, answers.PHONES, answers.MENU), asks_location=True)
    return Turn(conversation, (said,))


def _turn(conversation: Conversation, found: Found, km: float | None, knowledge: Knowledge) -> Turn:
    return notes.ask(_told(conversation, found, km, knowledge), found.state, _district(found))


def _district(found: Found) -> str:
    return found.district.name if found.district else found.station.district if found.station else ""


def _told(conversation: Conversation, found: Found, km: float | None, knowledge: Knowledge) -> Turn:
    said = [FIRST]
    if found.station:
        locale = speaking(conversation.locale, conversation.locale_guess, knowledge.content)
        said.append(
            replace(_station(found.station, km, locale), items=_help_at(found.station, conversation, knowledge))
        )
    if district := _district(found):
        said.append(Reply("near.district", {"district": district}))
    elif found.state:
        said.append(Reply("near.state", within={"state": (Reply(f"state.{found.state}.name"),)}))
    choices = (answers.NEAR, answers.PHONES, answers.PERSON, answers.HELP_NOW, answers.MENU)
    said[-1] = replace(said[-1], choices=choices)
    state = found.state or conversation.state
    return Turn(replace(conversation, flow="near", slots={}, state=state), tuple(said))


def _help_at(place: Place, conversation: Conversation, knowledge: Knowledge) -> tuple[Reply, ...]:
    """Who helps there, where an operator told us."""
    point, seen_at = knowledge.directory.points.get(place.code), conversation.seen_at
    locale = speaking(conversation.locale, conversation.locale_guess, knowledge.content)
    return arrival.help_at(point, locale, seen_at.date()) if point and seen_at else ()


def _station(place: Place, km: float | None, locale: str) -> Reply:
    name = place.named(locale)
    if place.kind != "station":
        return Reply(f"near.{place.kind}", {"place": name})
    if km is None or km < AT_ONCE_KM:
        return Reply("near.station_here", {"station": name})
    return Reply("near.station", {"station": name, "km": str(round(km))})
