"""Small conversations with a purpose: check a recruiter, report, ask for a person, delete everything."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from bot.dialogue import answers, finder, nearby, states
from bot.dialogue.knowledge import Knowledge
from bot.domain.agencies import Kind, Verdict
from bot.domain.cases import CaseKind
from bot.domain.conversation import Conversation, Erase, FlagPoster, Forward, OpenCase, Turn
from bot.domain.ids import case_id
from bot.domain.messages import ChoiceRef, InboundMessage, Reply
from bot.domain.risk import Level, Risk
from bot.domain.understanding import Entity
from bot.recruiters.verdict import names_somebody, tells_of_somebody

DELETE_YES = ChoiceRef("c:delete_yes", "core.delete_yes.label")
SHORT_ANSWER = 6
#: An offer of fewer words without a sign is asked for whole.
WHOLE_OFFER = 12
#: A longer message is more than the name of a recruiter.
NAME_WORDS = 8
#: Kinds of entities that a recruiter can be looked up by.
NAMING = frozenset({"agency", "person", "licence", "phone"})
REPORT_CHOICES = (
    answers.REPORT,
    ChoiceRef("c:report_trafficking", "report.trafficking.label"),
    ChoiceRef("c:report_child_labour", "report.child_labour.label"),
    ChoiceRef("c:report_poster", "transit.report.label"),
    answers.HELP_NOW,
    answers.MENU,
)


def proceed(
    conversation: Conversation,
    message: InboundMessage,
    knowledge: Knowledge,
    now: datetime,
    entities: tuple[Entity, ...] = (),
) -> Turn:
    """Take the next words in the open flow."""
    text = message.text.reveal()
    if conversation.flow == "verify":
        return check(text, conversation, knowledge, now, entities)
    if conversation.flow == "offer":
        return offer(conversation, text, knowledge)
    if conversation.flow == "finder":
        return finder.proceed(conversation, text, knowledge) or finder.unclear(conversation)
    if conversation.flow == "near":
        return nearby.by_words(conversation, text, knowledge) or nearby.unknown(conversation)
    if conversation.flow == "state":
        return states.proceed(conversation, text, knowledge)
    return Turn(replace(conversation, flow=""), (answers.menu(),))


def names_listed(message: InboundMessage, knowledge: Knowledge) -> bool:
    """Say whether a short message names somebody on a list exactly, by name or number: that can only be a check."""
    text = message.text.reveal()
    if not text.strip() or len(text.split()) > NAME_WORDS:
        return False
    found = knowledge.check_recruiter(text)
    return found.verdict not in {Verdict.NOT_FOUND, Verdict.LOOKALIKE} or any(match.agrees for match in found.matches)


def fits(conversation: Conversation, message: InboundMessage, knowledge: Knowledge) -> bool:
    """Say whether the words are an answer that the open flow waits for, whatever the NLU makes of them."""
    text = message.text.reveal()
    if conversation.flow == "finder":
        return finder.proceed(conversation, text, knowledge) is not None
    if conversation.flow == "verify":
        return len(text.split()) <= NAME_WORDS and knowledge.check_recruiter(text).verdict is not Verdict.NOT_FOUND
    if conversation.flow in {"near", "state"} and len(text.split()) <= SHORT_ANSWER:
        return bool(knowledge.gazetteer.find(text))
    return False


def ask_recruiter(conversation: Conversation, _: Knowledge, __: datetime) -> Turn:
    """Ask for the name, phone or licence number."""
    return Turn(replace(conversation, flow="verify"), (Reply("verify.ask", choices=(answers.MENU,)),))


def check(
    text: str, conversation: Conversation, knowledge: Knowledge, now: datetime, entities: tuple[Entity, ...] = ()
) -> Turn:
    """Look a recruiter up; the flow stays open, so the next name can simply be typed."""
    query = looked_up(text, entities, knowledge) or text
    found = knowledge.check_recruiter(query)
    said = answers.verdict(found, query, knowledge, now.date())
    if flags := knowledge.offers.find(text):
        urgent = knowledge.offers.is_urgent(flags)
        said = (*answers.offer(flags, knowledge.content, urgent=urgent)[: 1 + urgent * 2], *said)
    if knowledge.reported(query):
        said = (*said, Reply("verify.reported", choices=(answers.PERSON, answers.CHECK, answers.MENU)))
    return Turn(replace(conversation, flow="verify"), said)


def told_kind(conversation: Conversation, kind: Kind) -> Turn:
    """Say what to ask next once we know whether the work is in India or abroad; the next name can simply be typed."""
    return Turn(replace(conversation, flow="verify"), (answers.next_steps(kind),))


def looked_up(text: str, entities: tuple[Entity, ...], knowledge: Knowledge) -> str:
    """Return what to look up: the whole text, or what the NLU picked out of it where the text itself leads nowhere.

    "" when neither names anybody.
    """
    if knowledge.check_recruiter(text).verdict is not Verdict.NOT_FOUND:
        return text
    picked = "\n".join(dict.fromkeys(entity.value for entity in entities if entity.kind in NAMING))
    named = text if names_somebody(text, knowledge.lexicon) else ""
    if not tells_of_somebody(picked, knowledge.lexicon):
        return named
    return picked if knowledge.check_recruiter(picked).verdict is not Verdict.NOT_FOUND else named or picked


def offer(conversation: Conversation, text: str, knowledge: Knowledge) -> Turn:
    """Look for warning signs in an offer; too few words to judge are answered by asking for the whole of it."""
    flags = knowledge.offers.find(text)
    if not flags and len(text.split()) < WHOLE_OFFER:
        paste = Reply("offer.paste", choices=(answers.CHECK, answers.PERSON, answers.MENU))
        return Turn(replace(conversation, flow="offer", slots={}), (Reply("offer.advice"), paste))
    urgent = knowledge.offers.is_urgent(flags)
    return Turn(replace(conversation, flow=""), answers.offer(flags, knowledge.content, urgent=urgent))


def ask_for_person(conversation: Conversation, _: Knowledge, __: datetime) -> Turn:
    """A wish to talk to a person opens a case of its own kind; the bot goes on answering until someone takes it."""
    return _case(conversation, CaseKind.PERSON_ASKED, "talk_to_human", "person.opened")


def report_recruiter(conversation: Conversation, _: Knowledge, __: datetime) -> Turn:
    """A recruiter who cheated."""
    return _case(conversation, CaseKind.REPORT, "report_recruiter", "report.opened")


def report_trafficking(conversation: Conversation, _: Knowledge, __: datetime) -> Turn:
    """Somebody saw people being taken."""
    return _case(conversation, CaseKind.REPORT, "report_trafficking", "report.opened_trafficking")


def report_child_labour(conversation: Conversation, _: Knowledge, __: datetime) -> Turn:
    """Children at work."""
    return _case(conversation, CaseKind.REPORT, "report_child_labour", "report.opened_child")


def report_poster(conversation: Conversation, knowledge: Knowledge, _: datetime) -> Turn:
    """A poster looks wrong: somebody looks at it, and the poster that was scanned is marked, once for each scan."""
    turn = _case(conversation, CaseKind.REPORT, "report_poster", "transit.reported")
    poster = knowledge.directory.posters.get(conversation.poster)
    if not poster:
        return turn
    flagged = (*turn.effects, FlagPoster(poster.id))
    return replace(turn, conversation=replace(turn.conversation, poster=""), effects=flagged)


def ask_to_delete(conversation: Conversation, _: Knowledge, __: datetime) -> Turn:
    """Say what deleting means and ask once; with an open case, note the wish for its end.

    Whoever asks is told that a part must stay, where a law keeps it.
    """
    kept = conversation.kept_by_law
    if conversation.open_case:
        noted = replace(conversation, erase_requested=True)
        message = "core.deleted_kept" if kept else "core.delete_after_case"
        return Turn(noted, (Reply(message, choices=(answers.MENU,)),))
    message = "core.delete_ask_kept" if kept else "core.delete_ask"
    return Turn(conversation, (Reply(message, choices=(DELETE_YES, answers.MENU)),))


def delete(conversation: Conversation, knowledge: Knowledge, now: datetime) -> Turn:
    """Destroy everything, but for what a law keeps, after one last message."""
    if conversation.open_case:
        return ask_to_delete(conversation, knowledge, now)
    return Turn(conversation, (Reply("core.deleted_kept" if conversation.kept_by_law else "core.deleted"),), (Erase(),))


def _case(conversation: Conversation, kind: CaseKind, reason: str, message: str) -> Turn:
    if conversation.open_case:
        reply = Reply("person.already", choices=(answers.HELP_NOW, answers.MENU))
        return Turn(conversation, (reply,), (Forward(conversation.open_case),))
    opened = case_id(conversation.id, conversation.version + 1)
    risk = Risk(Level.NONE, reason, f"asked:{reason}")
    reply = Reply(message, choices=(answers.HELP_NOW, answers.MENU))
    # What is written after a report is opened belongs to it, and is no longer a name to check.
    flow = "" if kind is CaseKind.REPORT else conversation.flow
    fresh = replace(conversation, open_case=opened, held=False, flow=flow)
    return Turn(fresh, (reply,), (OpenCase(opened, kind, risk),))
