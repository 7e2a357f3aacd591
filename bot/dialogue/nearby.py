"""The nearest help: from a shared location, a station's name or code, or a district. The numbers come first, always."""

from __future__ import annotations

from dataclasses import replace

from bot.content.model import Place
from bot.dialogue import answers, notes
from bot.dialogue.gazetteer import Found
from bot.dialogue.knowledge import Knowledge
from bot.domain.conversation import Conversation, Turn
from bot.domain.messages import InboundMessage, Reply

AT_ONCE_KM = 1.0
FIRST = Reply("near.first")


def ask(conversation: Conversation) -> Turn:
    """Ask where the person is."""
    asked = Reply("near.ask", choices=(answers.HELP_NOW, answers.PHONES, answers.MENU))
    return Turn(replace(conversation, flow="near", slots={}), (asked,))


def by_words(conversation: Conversation, text: str, knowledge: Knowledge) -> Turn | None:
    """Answer from the place that the words name; None if they name none."""
    found = knowledge.gazetteer.find(text)
    return _turn(conversation, found, None) if found else None


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
    return _turn(conversation, Found(near.place, None, near.place.state), near.km)


def unknown(conversation: Conversation) -> Turn:
    """Say that the place is not known, with the numbers."""
    said = Reply("near.unknown", choices=(answers.HELP_NOW, answers.PHONES, answers.MENU))
    return Turn(conversation, (said,))


def _turn(conversation: Conversation, found: Found, km: float | None) -> Turn:
    said = [FIRST]
    if found.station:
        said.append(_station(found.station, km))
    district = found.district.name if found.district else found.station.district if found.station else ""
    if district:
        said.append(Reply("near.district", {"district": district}))
    elif found.state:
        said.append(Reply("near.state", within={"state": (Reply(f"state.{found.state}.name"),)}))
    choices = (answers.NEAR, answers.PHONES, answers.PERSON, answers.HELP_NOW, answers.MENU)
    said[-1] = replace(said[-1], choices=choices)
    state = found.state or conversation.state
    turn = Turn(replace(conversation, flow="near", slots={}, state=state), tuple(said))
    return notes.ask(turn, found.state, district)


def _station(place: Place, km: float | None) -> Reply:
    if place.kind != "station":
        return Reply(f"near.{place.kind}", {"place": place.name})
    if km is None or km < AT_ONCE_KM:
        return Reply("near.station_here", {"station": place.name})
    return Reply("near.station", {"station": place.name, "km": str(round(km))})
