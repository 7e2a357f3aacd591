"""Urgent notes about a place: asked for once, after somebody asked about it; a yes and a no are both kept."""

from __future__ import annotations

from dataclasses import replace

from bot.dialogue import answers
from bot.domain.conversation import Conversation, Turn, WantNotes
from bot.domain.messages import ChoiceRef, Reply

NO = "no"


def ask(turn: Turn, state: str, district: str) -> Turn:
    """Ask once, under the answer about a place; what could be chosen there can be chosen here."""
    if turn.conversation.notes or not state or not turn.replies:
        return turn
    *before, last = turn.replies
    yes = ChoiceRef(f"x:{state}:{district}", "warnings.yes.label")
    choices = (yes, ChoiceRef(f"x:{NO}", "warnings.no.label"), *last.choices)
    asked = Reply("warnings.ask", choices=choices)
    conversation = replace(turn.conversation, notes="asked")
    return replace(turn, conversation=conversation, replies=(*before, replace(last, choices=()), asked))


def choose(rest: str, conversation: Conversation) -> Turn:
    """Answer the yes or the no."""
    if rest == NO:
        said = Reply("warnings.no", choices=(answers.NEAR, answers.MENU))
        return Turn(replace(conversation, notes="no"), (said,))
    state, _, district = rest.partition(":")
    said = Reply("warnings.yes", choices=(answers.NEAR, answers.MENU))
    return Turn(replace(conversation, notes="yes"), (said,), (WantNotes(state, district),))


def label(choice: str) -> str:
    """Return the message id of a choice's words."""
    return "warnings.no.label" if choice == f"x:{NO}" else "warnings.yes.label"
