"""After a case is closed: did somebody reach you, and may we ask again? Asked by a clock, answered here."""

from __future__ import annotations

from dataclasses import replace

from bot.dialogue import answers, waiting
from bot.domain.conversation import Conversation, Forward, Reopen, Tell, Turn
from bot.domain.messages import Lane, Reply
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
        return _again(conversation) if REACHED[picked] == "yes" else _not_reached(conversation)
    if picked in AGAIN:
        agreed = replace(conversation, opted_in=AGAIN[picked] == "yes")
        return Turn(agreed, (answers.menu("core.ok"),), (_tell(conversation, "follow_up", AGAIN[picked]),))
    return None


def _again(conversation: Conversation) -> Turn:
    return Turn(conversation, (waiting.ask("again"),), (_tell(conversation, "reached", "yes"),))


def _not_reached(conversation: Conversation) -> Turn:
    """Whoever was not reached has their case opened again, and is asked as at its beginning; responders are paged."""
    case = conversation.followed_case
    begun = replace(
        conversation, open_case=case, held=True, claimed=False, flow="", slots={}, waiting="", told=(), warned=()
    )
    said = Reply("waiting.not_reached", choices=waiting.SAFE_CHOICES, lane=Lane.DISTRESS)
    return Turn(begun, (said,), (_tell(conversation, "reached", "no"), Reopen(case), Forward(case)))


def _tell(conversation: Conversation, slot: str, value: str) -> Tell:
    return Tell(conversation.followed_case, slot, Private(value))
