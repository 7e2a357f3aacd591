"""Words read in a picture: a poster, a card or an offer to be checked, or a note that calls for help.

They are nobody's sentence, so they are never a choice, a command or an intent. A poster must not open a case, and a
note must not be taken for a poster:

| in the words       | what happens                                                                                  |
|--------------------|-----------------------------------------------------------------------------------------------|
| a phrase of danger | few words that name nobody: a case opens. Else what there is to check is answered, then it is |
|                    | asked with one tap whether help is needed                                                     |
| any weaker sign    | something to check: it is answered, with help among the choices. Else: asked with one tap     |
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from bot.dialogue import answers, flows
from bot.dialogue.knowledge import Knowledge
from bot.dialogue.safety import LEARNED
from bot.domain.agencies import Verdict
from bot.domain.conversation import Conversation, Turn
from bot.domain.messages import Reply
from bot.domain.risk import Level, Risk
from bot.recruiters.verdict import names_somebody

#: More words than these are a poster or a page, not a call for help.
LONGEST_NOTE = 25
WORDS_SHOWN = 200
#: Flows that wait for what may stand in a picture.
CHECKING = frozenset({"verify", "offer"})
#: Marks a phrase of danger that stands in what is no note.
PRINTED = "printed:"


def danger(words: str, conversation: Conversation, knowledge: Knowledge) -> Risk:
    """Return the risk that the words of a picture show; the learned weights never bring more than a question."""
    risk = knowledge.guard.check(words)
    if risk.level is not Level.NOW:
        return risk
    if risk.reason.endswith(LEARNED):
        return replace(risk, level=Level.PERHAPS)
    note = len(words.split()) <= LONGEST_NOTE and not names_one(words, conversation, knowledge)
    return risk if note else replace(risk, level=Level.PERHAPS, reason=f"{PRINTED}{risk.reason}")


def holds_something(words: str, conversation: Conversation, knowledge: Knowledge) -> bool:
    """Say whether there is something to check: a recruiter, a warning sign, or an offer that was asked for."""
    asked = conversation.flow == "offer" and len(words.split()) >= flows.WHOLE_OFFER
    return asked or names_one(words, conversation, knowledge) or bool(knowledge.offers.find(words))


def names_one(words: str, conversation: Conversation, knowledge: Knowledge) -> bool:
    """Say whether the words name a recruiter: a number or a name; a mere likeness only where a name was asked for."""
    if names_somebody(words, knowledge.lexicon):
        return True
    unlike = {Verdict.NOT_FOUND} if conversation.flow == "verify" else {Verdict.NOT_FOUND, Verdict.LOOKALIKE}
    return knowledge.check_recruiter(words).verdict not in unlike


def answer(words: str, conversation: Conversation, knowledge: Knowledge, now: datetime) -> Turn | None:
    """Say what was read and what the checks say to it.

    Nothing to check is told where a check was going on, so that it is written instead; elsewhere it is None.
    """
    if not words or not holds_something(words, conversation, knowledge):
        unread = Reply("media.image_unread", choices=(answers.PERSON, answers.MENU))
        return Turn(conversation, (unread,)) if conversation.flow in CHECKING else None
    read = Reply("media.image_read", {"words": " ".join(words.split())[:WORDS_SHOWN]})
    named = names_one(words, conversation, knowledge)
    turn = flows.check(words, conversation, knowledge, now) if named else flows.offer(conversation, words, knowledge)
    return replace(turn, replies=(read, *turn.replies))


def asked_last(turn: Turn, risk: Risk) -> Turn:
    """Ask with one tap, after the answer, whether the person needs help: what is printed may still be meant."""
    asking = replace(turn.conversation, asked_if_in_danger=risk.kind)
    asked = Reply("distress.perhaps", choices=(answers.HELP_NOW, answers.NO))
    return replace(turn, conversation=asking, replies=(*turn.replies, asked), risk=risk)
