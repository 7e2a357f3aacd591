"""Whether we may write first: asked by a responder, answered with a tap, taken back by "stop" or by a watched phone."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from bot.domain.conversation import Conversation, Effect, Forward, Tell, Turn
from bot.domain.messages import ChoiceRef, Reply
from bot.domain.private import Private

YES: Final = "q:may_yes"
NO: Final = "q:may_no"
#: The slot of a case under which the answer is kept.
SLOT: Final = "write_later"
CHOICES: Final = (ChoiceRef(YES, "core.yes.label"), ChoiceRef(NO, "core.no.label"))
QUESTION: Final = Reply("whatsapp.may_write", choices=CHOICES)


def answer(conversation: Conversation, picked: str) -> Turn | None:
    """Return the turn for an answer to the question; None for anything else, or from somebody else on the phone."""
    if picked not in {YES, NO} or conversation.stranger:
        return None
    agreed = picked == YES
    effects: tuple[Effect, ...] = ()
    if case := conversation.open_case:
        effects = (Forward(case), Tell(case, SLOT, Private("yes" if agreed else "no")))
    said = Reply("whatsapp.may_yes" if agreed else "whatsapp.may_no")
    return Turn(replace(conversation, opted_in=agreed), (said,), effects)


def after(conversation: Conversation, picked: str, named: str) -> Conversation:
    """Return the conversation as it is after "stop": a yes of before no longer holds."""
    if named == "stop" or picked == "c:stop":
        return replace(conversation, opted_in=False)
    return conversation
