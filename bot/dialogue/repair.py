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
#: Two topics whose confidences differ by less are asked about, not guessed.
CLOSE = 0.15
_INTENT_CHOICES = {
    "check_recruiter": answers.CHECK,
    "check_job_offer": answers.CHECK,
    "talk_to_human": answers.PERSON,
    "helpline_numbers": answers.PHONES,
    "find_help_nearby": answers.NEAR,
    "scheme_finder": answers.FINDER,
    "report_recruiter": answers.REPORT,
    "report_trafficking": ChoiceRef("c:report_trafficking", "report.trafficking.label"),
    "report_child_labour": ChoiceRef("c:report_child_labour", "report.child_labour.label"),
    "change_language": ChoiceRef("c:language", "core.language.label"),
}


def which(conversation: Conversation, understanding: Understanding, knowledge: Knowledge) -> Turn | None:
    """Ask which of two topics is meant when the NLU can hardly tell them apart; None when it can."""
    first, second = (*understanding.ranking, None, None)[:2]
    if first is None or second is None or first.confidence - second.confidence >= CLOSE:
        return None
    both = [_choice(item.intent, knowledge.content) for item in (first, second)]
    known = tuple({choice.id: choice for choice in both if choice}.values())
    if len(known) < len(both):
        return None
    return Turn(conversation, (Reply("core.which", choices=(*known, answers.PERSON, answers.MENU)),))


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


def _choice(intent: str, content: Content) -> ChoiceRef | None:
    return answers.topic_choice(intent) if intent in content.topics else _INTENT_CHOICES.get(intent)


def _nearest(understanding: Understanding, content: Content) -> tuple[ChoiceRef, ...]:
    found: dict[str, ChoiceRef] = {}
    for item in understanding.ranking:
        choice = _choice(item.intent, content)
        if choice:
            found.setdefault(choice.id, choice)
        if len(found) == NEAREST:
            break
    return tuple(found.values())
