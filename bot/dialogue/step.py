"""What one message leads to. The order of lines here is the order of our duties."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from bot.dialogue import (
    answers,
    arrival,
    consent,
    fallback,
    follow,
    language,
    pictures,
    quiet,
    slips,
    speech,
    waiting,
    whereabouts,
)
from bot.dialogue.alarm import hand_off
from bot.dialogue.knowledge import Knowledge
from bot.dialogue.routing import chosen, command, route
from bot.dialogue.safety import LEARNED, answers_first, assess
from bot.domain.conversation import (
    LONG_GAP,
    Conversation,
    Forward,
    Identify,
    LookUp,
    OpenCase,
    RaiseCase,
    Tell,
    Turn,
    Unreachable,
)
from bot.domain.messages import SIGNS, Carrier, InboundMessage, Reply
from bot.domain.risk import NO_RISK, Level, Risk
from bot.domain.understanding import Understanding
from bot.recruiters.extract import phone_key
from bot.recruiters.identifiers import identifiers_of

HELP_NOW = "c:help"
HELP_ME = "help_me"
PERHAPS = "distress.perhaps"
MOST_CHOICES = 10
REPORT = "report_recruiter"
ASKED_ABOUT = frozenset({"verify", "offer"})


def step(
    conversation: Conversation,
    message: InboundMessage,
    understanding: Understanding,
    knowledge: Knowledge,
    now: datetime,
) -> Turn:
    """Decide what *message* leads to: danger first, then people, then flows.

    Pure: the same arguments always give the same turn, and nothing is sent or stored here.
    """
    if message.blocked:
        return Turn(conversation, effects=(Unreachable(),))
    turn = _timed(_decided(conversation, message, understanding, knowledge, now), conversation)
    return arrival.counted(_identified(turn, conversation, message), message, knowledge)


def _timed(turn: Turn, before: Conversation) -> Turn:
    """Note whether our question about danger waits for its answer: until it, or anything else, was answered."""
    after = turn.conversation
    asked = any(reply.message == PERHAPS for reply in turn.replies)
    still = asked or (before.unsure and (not turn.replies or after.repairs > before.repairs))
    return replace(
        turn, conversation=replace(after, unsure=bool(after.asked_if_in_danger and not after.open_case and still))
    )


def may_show_typing(conversation: Conversation, message: InboundMessage, knowledge: Knowledge) -> bool:
    """Say whether the screen may move before we know what to answer: never where somebody may be watching it.

    Nor while a human answers, nor for what is not waited for: a correction, a moving location.
    """
    if conversation.silent or conversation.with_responder or message.blocked or message.carrier is Carrier.EDITED:
        return False
    picked, named = chosen(conversation, message, knowledge), command(message, knowledge)
    heard = knowledge.guard.check(message.text.reveal()) if message.text else NO_RISK
    return not (heard.level or quiet.hides(picked, named) or quiet.wished(conversation, picked, named, heard))


def wants_hiding(conversation: Conversation, message: InboundMessage, knowledge: Knowledge) -> bool:
    """Say whether the person wants the chat gone from the screen: nothing may be waited for, and nothing more asked."""
    return quiet.hides(chosen(conversation, message, knowledge), command(message, knowledge))


def _decided(
    conversation: Conversation,
    message: InboundMessage,
    understanding: Understanding,
    knowledge: Knowledge,
    now: datetime,
) -> Turn:
    if message.carrier is Carrier.EDITED and not message.text:
        return quiet.kept(conversation)
    before, as_it_was = conversation.seen_at, conversation
    conversation = _seen(conversation, message, understanding, knowledge, now)
    risk = _risk(conversation, message, understanding, knowledge)
    if risk.level is Level.NOW:
        raised = hand_off(conversation, risk, now)
        return _remembered(_with_answer(raised, conversation, message, knowledge, before), understanding)
    if message.carrier in SIGNS:
        return quiet.kept(as_it_was)
    if held_back := _watched(conversation, message, risk, knowledge, now):
        return _remembered(held_back, understanding)
    conversation = replace(conversation, silent=False, silent_since=None, wrong_words=0)
    if number := slips.asked(conversation, message, knowledge):
        return slips.look_up(conversation, number, knowledge)
    return _unwatched(conversation, message, risk, understanding, knowledge, now, before)


def _unwatched(
    conversation: Conversation,
    message: InboundMessage,
    risk: Risk,
    understanding: Understanding,
    knowledge: Knowledge,
    now: datetime,
    before: datetime | None,
) -> Turn:
    """What is no danger that needs a human now, from somebody who can read our answer: people first, then flows."""
    picked, named = chosen(conversation, message, knowledge), command(message, knowledge)
    conversation = consent.after(conversation, picked, named)
    if message.carrier is Carrier.EDITED and not _corrects(conversation):
        return _remembered(_edited(conversation, risk), understanding)
    if agreed := consent.answer(conversation, picked):
        return _remembered(agreed, understanding)
    if conversation.with_responder:
        return _with_responder(conversation, message, risk, understanding, knowledge, before)
    if risk.level is Level.PERHAPS and not _answers_first(conversation, message, risk, understanding, knowledge):
        return _remembered(_ask(conversation, risk), understanding)
    if after := follow.answer(conversation, picked, named):
        return _remembered(after, understanding)
    return _remembered(_routed(conversation, message, risk, understanding, knowledge, now), understanding)


def _routed(
    conversation: Conversation,
    message: InboundMessage,
    risk: Risk,
    understanding: Understanding,
    knowledge: Knowledge,
    now: datetime,
) -> Turn:
    turn = route(conversation, message, understanding, knowledge, now)
    if risk.level is Level.PERHAPS:
        printed = risk.reason.startswith(pictures.PRINTED)
        turn = pictures.asked_last(turn, risk) if printed else _with_help(turn, risk)
    if conversation.open_case and not _opens(turn):
        turn = replace(turn, effects=(*turn.effects, Forward(conversation.open_case)))
    return turn


def _corrects(conversation: Conversation) -> bool:
    """Say whether an edited message mends what we did not understand; then it is answered like a new one."""
    return conversation.repairs > 0 and not conversation.with_responder


def _edited(conversation: Conversation, risk: Risk) -> Turn:
    """Whoever corrects a message that was answered is not answered twice; what may be danger is asked about."""
    if risk.level is Level.PERHAPS and not conversation.with_responder:
        return _ask(conversation, risk)
    return quiet.kept(conversation)


def _identified(turn: Turn, before: Conversation, message: InboundMessage) -> Turn:
    """What a report names is kept with it: from the words that open it, and from all that follow while it is open.

    Never the number that the person writes from, nor what they only ask about: a name to check, an offer to look at.
    """
    if any(isinstance(effect, LookUp) for effect in turn.effects):
        return turn
    if not before.with_responder and turn.conversation.flow == before.flow and before.flow in ASKED_ABOUT:
        return turn
    opened = (item for item in turn.effects if isinstance(item, OpenCase) and item.risk.kind == REPORT)
    case = next((item.case_id for item in opened), before.open_case if before.reporting else "")
    if not case or message.choice or not message.text or message.carrier is Carrier.CONTACT:
        return turn
    own = phone_key(message.address.value.reveal())
    found = tuple(item for item in identifiers_of(message.text.reveal()) if item.value != own)
    return replace(turn, effects=(*turn.effects, Identify(case, found))) if found else turn


def _with_answer(
    raised: Turn, conversation: Conversation, message: InboundMessage, knowledge: Knowledge, before: datetime | None
) -> Turn:
    """Keep the place that was asked for, though it was told in words of danger; after those, ask nothing more now.

    Where only the learned weights heard danger, as they do in many an honest answer, the questions go on.
    """
    silent = raised.conversation.silent or conversation.claimed or conversation.stranger
    if not conversation.with_responder or silent or conversation.waiting != "where" or raised.risk is None:
        return raised
    answered = waiting.go_on(raised.conversation, message, "", "", knowledge, before)
    tells = tuple(item for item in answered.effects if isinstance(item, Tell))
    raised = replace(raised, effects=(*raised.effects, *tells))
    if raised.risk is not None and raised.risk.reason == LEARNED:
        return replace(raised, conversation=answered.conversation, replies=(*raised.replies, *answered.replies))
    return replace(raised, conversation=replace(raised.conversation, told=answered.conversation.told))


def _watched(
    conversation: Conversation, message: InboundMessage, risk: Risk, knowledge: Knowledge, now: datetime
) -> Turn | None:
    """Return the turn where somebody may be watching: it vanishes, falls silent, stays so or wakes; else None."""
    picked, named = chosen(conversation, message, knowledge), command(message, knowledge)
    if quiet.hides(picked, named):
        return quiet.hide(conversation)
    if quiet.wished(conversation, picked, named, risk):
        if risk.silent and not conversation.open_case:
            return hand_off(conversation, replace(risk, level=Level.NOW, reason="command:quiet"), now)
        return quiet.begin(conversation, now)
    if not conversation.silent:
        return None
    if message.carrier is Carrier.EDITED or not quiet.ended(conversation, message, named, now):
        return quiet.unheard(conversation, message)
    if not conversation.with_responder or conversation.claimed:
        return None
    aloud = replace(conversation, silent=False, silent_since=None, wrong_words=0)
    return quiet.same(aloud) if quiet.has_safe_word(conversation, message) else quiet.ask_who(aloud)


def _seen(
    conversation: Conversation,
    message: InboundMessage,
    understanding: Understanding,
    knowledge: Knowledge,
    now: datetime,
) -> Conversation:
    conversation = arrival.noticed(conversation, message, knowledge, now)
    conversation = whereabouts.noticed(conversation, message, knowledge, now)
    guess, other = conversation.locale_guess, conversation.other_language
    if not conversation.locale and message.text and not message.choice and not message.text.reveal().startswith("/"):
        text, content = message.text.reveal(), knowledge.content
        unknown = fallback.other_language(text, understanding.language, content)
        heard = understanding.language if understanding.language in content.locales else ""
        guess = (unknown and fallback.nearest(unknown, content)) or heard or language.guess(text, content) or guess
        other = unknown.code if unknown else other
    return replace(
        conversation, seen_at=now, locale_guess=guess, other_language=other, stopped=False,
        channel=message.address.channel,
    )  # fmt: skip


def _risk(
    conversation: Conversation, message: InboundMessage, understanding: Understanding, knowledge: Knowledge
) -> Risk:
    """Danger in the words, in the choice (tapped, or by its digit or words), or in "yes" to "do you need help now?"."""
    if HELP_NOW in {message.choice, chosen(conversation, message, knowledge)}:
        return Risk(Level.NOW, conversation.asked_if_in_danger or "distress_help", "choice:help_now")
    if conversation.asked_if_in_danger and _says_yes(conversation, message, knowledge):
        return Risk(Level.NOW, conversation.asked_if_in_danger, "choice:yes")
    if message.carrier is Carrier.VOICE and not message.text and conversation.asked_if_in_danger:
        return Risk(Level.NOW, conversation.asked_if_in_danger, "voice:after_danger")
    if command(message, knowledge) == HELP_ME:
        return Risk(Level.NOW, conversation.asked_if_in_danger or "distress_help", "command:help_me")
    if message.seen:
        return pictures.danger(message.seen.reveal(), conversation, knowledge)
    answer = bool(command(message, knowledge) or chosen(conversation, message, knowledge))
    spoken = knowledge.guard.check(message.text.reveal(), answers=answer) if message.text else NO_RISK
    risk = assess(spoken, understanding, in_flow=conversation.flow == "verify")
    if risk.level is Level.PERHAPS and conversation.asked_if_in_danger == risk.kind and not spoken.level:
        return NO_RISK
    return risk


def _answers_first(
    conversation: Conversation, message: InboundMessage, risk: Risk, understanding: Understanding, knowledge: Knowledge
) -> bool:
    """Say whether there is an answer to give before, or beside, the question whether help is needed."""
    if message.seen:
        return pictures.holds_something(message.seen.reveal(), conversation, knowledge)
    return answers_first(risk, understanding)


def _says_yes(conversation: Conversation, message: InboundMessage, knowledge: Knowledge) -> bool:
    picked = chosen(conversation, message, knowledge)
    return picked in {"c:yes", HELP_NOW} or (not picked and command(message, knowledge) == "yes")


def _ask(conversation: Conversation, risk: Risk) -> Turn:
    """Not sure: ask with one tap."""
    choices = (answers.HELP_NOW, answers.NO)
    asked = Reply(PERHAPS, choices=choices)
    return Turn(replace(conversation, asked_if_in_danger=risk.kind), (asked,), risk=risk)


def _with_help(turn: Turn, risk: Risk) -> Turn:
    """Offer help, last, among the choices of the answer."""
    at = next((n for n in reversed(range(len(turn.replies))) if turn.replies[n].choices), None)
    turn = replace(turn, risk=risk)
    if at is None or any(choice.id == HELP_NOW for choice in turn.replies[at].choices):
        return turn
    reply = turn.replies[at]
    helped = replace(reply, choices=(*reply.choices[: MOST_CHOICES - 1], answers.HELP_NOW))
    return replace(turn, replies=(*turn.replies[:at], helped, *turn.replies[at + 1 :]))


def _with_responder(
    conversation: Conversation,
    message: InboundMessage,
    risk: Risk,
    understanding: Understanding,
    knowledge: Knowledge,
    before: datetime | None,
) -> Turn:
    """Silent, not deaf, once a responder has it; until then one gentle question at a time."""
    picked, named = chosen(conversation, message, knowledge), command(message, knowledge)
    delete = named == "delete" or understanding.intent == "delete_my_data"
    if named == "stop" or picked == "c:stop":
        turn = waiting.stop(conversation, *_on_stopping(conversation, before))
    elif conversation.claimed:
        agreed = consent.typed(conversation, message, named)
        turn = waiting.erase(conversation) if delete else waiting.keep(conversation, agreed or picked)
    elif who := _who_writes(conversation, picked, named, before):
        turn = who
    elif conversation.stranger:
        return _remembered(_to_stranger(conversation, message, understanding, knowledge), understanding)
    elif picked == "c:fine":
        freed = replace(conversation, held=False, offered=())
        turn = Turn(freed, (answers.menu("distress.fine"),), (Forward(conversation.open_case),))
    elif delete:
        kept = conversation.kept_by_law
        turn = waiting.erase(conversation, Reply("core.deleted_kept" if kept else "waiting.erase"))
    else:
        turn = waiting.go_on(conversation, message, picked, named, knowledge, before)
    turn = _remembered(turn, understanding)
    return replace(turn, risk=risk if risk.level else None, intent=understanding.intent)


def _on_stopping(conversation: Conversation, before: datetime | None) -> tuple[Reply, ...]:
    """Say that we ask no more, and nothing of the case to whoever may be somebody else."""
    if conversation.claimed:
        return ()
    other = conversation.stranger or conversation.asked_same or _is_long_after(conversation, before)
    return (Reply("core.stopped" if other else "waiting.stopped"),)


def _who_writes(conversation: Conversation, picked: str, named: str, before: datetime | None) -> Turn | None:
    """Find out who holds the phone, before anything of the case is shown; None when that is not in question."""
    if picked == waiting.OTHER or named == quiet.SOMEONE_ELSE:
        return quiet.other(conversation)
    if conversation.asked_same:
        if picked == waiting.ME or named == "yes":
            return quiet.same(conversation)
        return quiet.other(conversation) if named == "no" else quiet.kept(conversation)
    return quiet.ask_who(conversation) if _is_long_after(conversation, before) else None


def _is_long_after(conversation: Conversation, before: datetime | None) -> bool:
    return bool(before and conversation.seen_at and conversation.seen_at - before >= LONG_GAP)


def _to_stranger(
    conversation: Conversation, message: InboundMessage, understanding: Understanding, knowledge: Knowledge
) -> Turn:
    """Answer somebody else on the same phone as if there were no case; the responders hear it all the same."""
    masked, at = quiet.masked(conversation), conversation.seen_at
    if command(message, knowledge) == "delete" or chosen(conversation, message, knowledge) in quiet.OWN or at is None:
        return quiet.unmasked(Turn(masked, (answers.menu(),)), conversation)
    return quiet.unmasked(route(masked, message, understanding, knowledge, at), conversation)


def _opens(turn: Turn) -> bool:
    return any(isinstance(effect, OpenCase | RaiseCase) for effect in turn.effects)


def _remembered(turn: Turn, understanding: Understanding) -> Turn:
    """Keep what was offered, so that digits choose from it, and what was said, so that it can be repeated."""
    offered = next((reply.choices for reply in reversed(turn.replies) if reply.choices), None)
    conversation = turn.conversation
    written = tuple(reply for reply in turn.replies if not reply.spoken)
    if written:
        ids = tuple(choice.id for choice in offered) if offered else conversation.offered
        conversation = replace(conversation, offered=ids, last_replies=written)
    turn = speech.aloud(replace(turn, conversation=conversation))
    intent, confidence = turn.intent or understanding.intent, understanding.confidence
    return replace(turn, conversation=conversation, intent=intent, confidence=confidence)
