"""Danger that needs a human now: the case it opens or raises, and what is said of it while nobody has the case."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from bot.dialogue import answers, waiting
from bot.domain.cases import CaseKind
from bot.domain.conversation import Conversation, OpenCase, RaiseCase, Turn
from bot.domain.ids import case_id
from bot.domain.messages import Lane, Reply
from bot.domain.risk import Level, Risk

#: Danger of a kind that was answered is answered again after so long: the helplines, never more often.
AGAIN_AFTER = timedelta(minutes=5)
#: The kind of danger that names nothing: whoever has told more is not answered as if it were new.
UNNAMED = "distress_help"
#: A child is told the line for this too: its own, not only the child line.
SELF_HARM = "distress_self_harm"
PLAIN_FIRST = "distress.first"


def hand_off(conversation: Conversation, risk: Risk, now: datetime) -> Turn:
    """Open a case for a human, or raise the one that is open; once a human has it, the bot says nothing.

    Where the phone may be watched it says nothing at all.
    """
    conversation = hushed(conversation, risk, now)
    if conversation.open_case:
        turn = Turn(conversation, effects=(RaiseCase(conversation.open_case, risk),), risk=risk)
        if conversation.held and (conversation.claimed or not conversation.stranger):
            return _renewed(turn, risk, now)
        opened = conversation.open_case
    else:
        opened = case_id(conversation.id, conversation.version + 1)
        turn = Turn(conversation, effects=(OpenCase(opened, kind_of(risk), risk),), risk=risk)
    held = replace(
        conversation,
        open_case=opened,
        held=True,
        flow="",
        slots={},
        repairs=0,
        asked_if_in_danger="",
        asked_same=False,
        stranger=False,
        waiting="",
        told=(),
        warned=(),
        warned_at=None,
    )
    if held.silent:
        return replace(turn, conversation=held)
    return replace(turn, conversation=_warned(held, risk, now), replies=waiting.alarm(risk))


def hushed(conversation: Conversation, risk: Risk, now: datetime) -> Conversation:
    """Keep whose danger it is, and the silence: a new matter begins aloud unless the person's own word must end it."""
    kept = conversation.silent and bool(conversation.open_case or conversation.safe_word)
    return replace(
        conversation,
        minor=conversation.minor or risk.minor,
        silent=kept or risk.silent,
        silent_since=now if risk.silent else conversation.silent_since,
        opted_in=conversation.opted_in and not risk.silent,
    )


def kind_of(risk: Risk) -> CaseKind:
    """Return the kind of case a danger opens."""
    return CaseKind.MISSING if risk.kind == "missing_person" else CaseKind.DISTRESS


def _renewed(turn: Turn, risk: Risk, now: datetime) -> Turn:
    """Answer danger that is told to a case nobody has: each new kind once, the same again after some minutes.

    The question that is open stays open: nothing here asks anything.
    """
    conversation = turn.conversation
    hidden = conversation.waiting == waiting.HIDDEN or conversation.asked_same
    if conversation.claimed or conversation.silent or hidden:
        return turn
    risk = replace(risk, minor=(risk.minor or conversation.minor) and risk.kind != SELF_HARM)
    said = _first_time(conversation, risk) if _is_new(conversation, risk) else _again(conversation, risk, now)
    return replace(turn, conversation=_warned(conversation, risk, now), replies=said) if said else turn


def _is_new(conversation: Conversation, risk: Risk) -> bool:
    """Say whether this kind was not answered yet; that it is a child who is in danger makes it another kind."""
    return _named(risk) not in conversation.warned and (risk.kind != UNNAMED or risk.minor or not conversation.warned)


def _first_time(conversation: Conversation, risk: Risk) -> tuple[Reply, ...]:
    """Say whom to phone and what may help, but not once more what was said for another kind."""
    first, *rest = waiting.alarm(risk)
    heard = {answers.distress(_of(name))[0].message for name in conversation.warned}
    said = (*(() if first.message in heard else (first,)), *rest)
    return tuple(replace(reply, choices=()) for reply in said)


def _again(conversation: Conversation, risk: Risk, now: datetime) -> tuple[Reply, ...]:
    """Say only whom to phone, those for this kind of danger where it has its own."""
    if conversation.warned_at and now - conversation.warned_at < AGAIN_AFTER:
        return ()
    first = answers.distress(risk)[0]
    return (Reply("distress.escalated", lane=Lane.DISTRESS) if first.message == PLAIN_FIRST else first,)


def _warned(conversation: Conversation, risk: Risk, now: datetime) -> Conversation:
    kinds = tuple(dict.fromkeys((*conversation.warned, _named(risk))))
    return replace(conversation, warned=kinds, warned_at=now)


def _named(risk: Risk) -> str:
    return f"{risk.kind}:minor" if risk.minor else risk.kind


def _of(name: str) -> Risk:
    kind, _, minor = name.partition(":")
    return Risk(Level.NOW, kind, "", minor=bool(minor))
