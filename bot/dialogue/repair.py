"""The ladder after not understanding: the nearest topics, then the menu, then a person."""

from __future__ import annotations

from dataclasses import replace

from bot.content.model import Content
from bot.dialogue import answers
from bot.dialogue.knowledge import Knowledge
from bot.domain.conversation import Conversation, Turn
from bot.domain.messages import ChoiceRef, Reply
from bot.domain.understanding import Understanding

NEAREST = 3
_INTENT_CHOICES = {
    "check_recruiter": answers.CHECK,
    "check_job_offer": answers.CHECK,
    "talk_to_human": answers.PERSON,
    "helpline_numbers": ChoiceRef("c:helplines", "find.helplines.label"),
    "find_help_nearby": ChoiceRef("c:helplines", "find.helplines.label"),
    "scheme_finder": answers.area_choice("schemes"),
    "report_recruiter": ChoiceRef("c:report_recruiter", "report.recruiter.label"),
    "report_trafficking": ChoiceRef("c:report_trafficking", "report.trafficking.label"),
    "report_child_labour": ChoiceRef("c:report_child_labour", "report.child_labour.label"),
    "change_language": ChoiceRef("c:language", "core.language.label"),
}


def ask(conversation: Conversation, understanding: Understanding, knowledge: Knowledge) -> Turn:
    """First offer the three nearest topics, then the menu, then a person; it starts anew once one is understood."""
    nearest = _nearest(understanding, knowledge.content)
    tries = conversation.repairs + 1
    conversation = replace(conversation, repairs=tries)
    if tries == 1 and nearest:
        choices = (*nearest, answers.PERSON, answers.MENU)
        return Turn(conversation, (Reply("core.did_you_mean", choices=choices),))
    if tries <= 2:  # noqa: PLR2004 - the second rung
        return Turn(conversation, (answers.menu("core.not_understood_menu"),))
    choices = (answers.PERSON, answers.HELP_NOW, answers.MENU)
    return Turn(conversation, (Reply("core.offer_person", choices=choices),))


def _nearest(understanding: Understanding, content: Content) -> tuple[ChoiceRef, ...]:
    found: dict[str, ChoiceRef] = {}
    for item in understanding.ranking:
        choice = (
            answers.topic_choice(item.intent) if item.intent in content.topics else _INTENT_CHOICES.get(item.intent)
        )
        if choice:
            found.setdefault(choice.id, choice)
        if len(found) == NEAREST:
            break
    return tuple(found.values())
