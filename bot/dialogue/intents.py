"""What each intent leads to; topics are answered by the content of the same id."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime

from bot.dialogue import answers, flows, nearby
from bot.dialogue.choices import on_choice
from bot.dialogue.knowledge import Knowledge
from bot.domain.conversation import Conversation, Turn
from bot.domain.messages import InboundMessage, Reply
from bot.domain.understanding import Entity


def on_intent(
    intent: str,
    conversation: Conversation,
    message: InboundMessage,
    knowledge: Knowledge,
    now: datetime,
    entities: tuple[Entity, ...] = (),
) -> Turn:
    """Return the turn for an intent that is sure enough; *entities* are what the NLU picked out of the words."""
    conversation = replace(conversation, flow="", slots={}, repairs=0, asked_if_in_danger="")
    if intent in knowledge.content.topics:
        turn = on_choice(f"t:{intent}", conversation, knowledge, now)
        return _with_signs(turn, message, knowledge) if intent in OFFERED else turn
    if intent == "check_job_offer":
        return flows.offer(conversation, message.text.reveal(), knowledge)
    if intent in _AS_CHOICE:
        return on_choice(_AS_CHOICE[intent], conversation, knowledge, now)
    if intent == "check_recruiter":
        return _check_recruiter(conversation, message, knowledge, now, entities)
    if intent == "find_help_nearby":
        return nearby.by_words(conversation, message.text.reveal(), knowledge) or nearby.begin(conversation, knowledge)
    plain = _PLAIN.get(intent)
    if plain:
        return Turn(conversation, plain())
    return Turn(conversation, (answers.menu("core.not_understood_menu"),))


def _with_signs(turn: Turn, message: InboundMessage, knowledge: Knowledge) -> Turn:
    """Where a question tells of an offer, name the warning signs in it before the answer; few words only ask."""
    text = message.text.reveal()
    flags = knowledge.offers.find(text) if len(text.split()) >= flows.WHOLE_OFFER else ()
    if not flags:
        return turn
    urgent = knowledge.offers.is_urgent(flags)
    signs = answers.offer(flags, knowledge.content, urgent=urgent)[:1]
    return replace(turn, replies=(*signs, *turn.replies))


def _check_recruiter(
    conversation: Conversation,
    message: InboundMessage,
    knowledge: Knowledge,
    now: datetime,
    entities: tuple[Entity, ...],
) -> Turn:
    """A question in which neither we nor the NLU find anybody to look up is answered by asking for the name."""
    text = message.text.reveal()
    if not flows.looked_up(text, entities, knowledge):
        return flows.ask_recruiter(conversation, knowledge, now)
    return flows.check(text, conversation, knowledge, now, entities)


def _with_menu(message: str, *choices: str) -> Callable[[], tuple[Reply, ...]]:
    refs = tuple(answers.topic_choice(choice) for choice in choices)
    return lambda: (Reply(message, choices=(*refs, answers.PERSON, answers.MENU)),)


#: Topics that people ask about by telling of an offer.
OFFERED = frozenset({"cyber_slavery", "visa_types", "recruitment_fees", "parent_guidance"})
_AS_CHOICE = {
    "menu": "c:menu",
    "change_language": "c:language",
    "repeat": "c:repeat",
    "restart": "c:menu",
    "stop_messages": "c:stop",
    "talk_to_human": "c:person",
    "delete_my_data": "c:delete",
    "affirm": "c:yes",
    "deny": "c:no",
    "helpline_numbers": "c:helplines",
    "report_trafficking": "c:report_trafficking",
    "report_recruiter": "c:report_recruiter",
    "report_child_labour": "c:report_child_labour",
    "scheme_finder": "c:finder",
    "voice_please": "c:voice",
}
_PLAIN: dict[str, Callable[[], tuple[Reply, ...]]] = {
    "greet": lambda: (answers.menu("core.greeting"),),
    "thank": lambda: (answers.menu("core.thanks"),),
    "goodbye": _with_menu("core.goodbye"),
    "about_service": _with_menu("core.about"),
    "privacy_question": _with_menu("core.privacy"),
    "out_of_scope": lambda: (answers.menu("core.out_of_scope"),),
    "report_status": _with_menu("report.status"),
    "register_journey": _with_menu("journey.register", "before_you_go", "travel_safety"),
    "check_in": _with_menu("journey.check_in", "arrival_tips", "ration_onorc"),
    "follow_journey": _with_menu("journey.follow", "parent_guidance"),
}
