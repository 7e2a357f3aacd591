"""After a case is closed: did somebody reach you, and may we ask again? Asked by a clock, answered here."""

from __future__ import annotations

from dataclasses import replace

from bot.dialogue import answers, waiting
from bot.domain.conversation import Conversation, Tell, Turn
from bot.domain.messages import Reply
from bot.domain.private import Private

REACHED = {"q:reached_yes": "yes", "q:reached_no": "no"}
AGAIN = {"q:again_yes": "yes", "q:again_no": "no"}


def answer(conversation: Conversation, picked: str, named: str) -> Turn | None:
    """Return the turn for an answer to one of these questions, or for "stop"; None for anything else."""
    if not conversation.followed_case or conversation.open_case:
        return None
    if named == "stop" or picked == "c:stop":
        return Turn(conversation, (Reply("core.stopped"),), (_tell(conversation, "follow_up", "no"),))
    if conversation.unanswered and not picked and not conversation.flow and named in {"yes", "no"}:
        picked = f"q:reached_{named}"
    if picked in REACHED:
        return _again(conversation, REACHED[picked])
    if picked in AGAIN:
        agreed = replace(conversation, opted_in=AGAIN[picked] == "yes")
        return Turn(agreed, (answers.menu("core.ok"),), (_tell(conversation, "follow_up", AGAIN[picked]),))
    return None


def _again(conversation: Conversation, reached: str) -> Turn:
    """Whoever was not reached is offered a person at once."""
    offered = (*waiting.CHOICES["again"], *((answers.HELP_NOW, answers.PERSON) if reached == "no" else ()))
    return Turn(conversation, (Reply("waiting.again", choices=offered),), (_tell(conversation, "reached", reached),))


def _tell(conversation: Conversation, slot: str, value: str) -> Tell:
    return Tell(conversation.followed_case, slot, Private(value))
