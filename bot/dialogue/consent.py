"""Whether we may write first, and whether we may pass on what was told: asked by a responder, answered by the person.

That we may write first is answered with a tap, and taken back by "stop" or by a watched phone.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from bot.domain.conversation import LONG_GAP, Conversation, Effect, Forward, Tell, Turn
from bot.domain.messages import Carrier, ChoiceRef, InboundMessage, Reply
from bot.domain.private import Private
from bot.domain.words import folded_words

YES: Final = "q:may_yes"
NO: Final = "q:may_no"
#: The slot of a case under which the answer is kept.
SLOT: Final = "write_later"
CHOICES: Final = (ChoiceRef(YES, "core.yes.label"), ChoiceRef(NO, "core.no.label"))
#: Also said to mean "I have read it": no consent.
ACKNOWLEDGED: Final = frozenset(map(folded_words, ("ok", "okay")))
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


def typed(conversation: Conversation, message: InboundMessage, named: str) -> str:
    """Return the choice that a typed answer to "may we pass it on?" is; "" for whatever is not clearly one.

    Only the very next message counts, while it can be no answer to anything else: typed by the same person, after the
    question had left us, and the whole of it is one of our words for yes or no (*named*).
    """
    asked = conversation.consent_asked_at
    other = conversation.stranger or conversation.asked_same or message.choice or message.carrier is not Carrier.TEXT
    if asked is None or other or named not in {"yes", "no"} or folded_words(message.text.reveal()) in ACKNOWLEDGED:
        return ""
    wrote = min(message.sent_at, message.received_at)
    return f"q:consent_{named}" if asked < wrote < asked + LONG_GAP else ""


def after(conversation: Conversation, picked: str, named: str) -> Conversation:
    """Return the conversation as it is after "stop": a yes of before no longer holds."""
    if named == "stop" or picked == "c:stop":
        return replace(conversation, opted_in=False)
    return conversation
