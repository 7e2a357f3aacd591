"""Somebody who writes very much: heard in full, told once to go slower, and never in the way of others."""

from __future__ import annotations

from collections import OrderedDict, deque
from dataclasses import replace
from datetime import datetime, timedelta

from bot.dialogue import answers
from bot.domain.conversation import Conversation, Erase, Forget, OpenCase, RaiseCase, Turn
from bot.domain.messages import Carrier, InboundMessage, Lane, Reply
from bot.domain.quota import Room

MINUTE = timedelta(minutes=1)
#: More messages than this in a minute are read for danger, and not answered one by one.
MOST_A_MINUTE = 20
#: Said once, and again only to somebody who has been slower for so long.
SAID_AGAIN = timedelta(minutes=10)
MOST_REMEMBERED = 20_000


class Crowd:
    """How much each conversation has written within a minute, as far as this process answered it."""

    def __init__(self) -> None:  # noqa: D107
        self._times: OrderedDict[str, deque[datetime]] = OrderedDict()
        self._said: OrderedDict[str, datetime] = OrderedDict()

    def hurried(self, conversation_id: str, received_at: datetime) -> bool:
        """Count one message by when it came; say whether there were too many to answer this one.

        Not by when it is answered: what piled up while nothing could be answered is no flood.
        """
        times = self._times.setdefault(conversation_id, deque(maxlen=MOST_A_MINUTE + 1))
        self._times.move_to_end(conversation_id)
        times.append(received_at)
        if len(self._times) > MOST_REMEMBERED:
            self._times.popitem(last=False)
        return len(times) > MOST_A_MINUTE and abs(received_at - times[0]) < MINUTE

    def says_so(self, conversation_id: str, now: datetime) -> bool:
        """Say whether the person is to be told now."""
        before = self._said.get(conversation_id)
        self._said[conversation_id] = now
        self._said.move_to_end(conversation_id)
        if len(self._said) > MOST_REMEMBERED:
            self._said.popitem(last=False)
        return before is None or now - before > SAID_AGAIN


def may_be_left_out(turn: Turn) -> bool:
    """Say whether the replies may stay unsaid: never where there is or may be danger, nor what happens only once."""
    once = any(isinstance(effect, OpenCase | RaiseCase | Forget | Erase) for effect in turn.effects)
    urgent = any(reply.lane is Lane.DISTRESS for reply in turn.replies)
    return not (once or urgent or (turn.risk and turn.risk.level))


def without_room(turn: Turn, before: Conversation, message: InboundMessage, room: Room) -> Turn:
    """Say once that files are not taken just now, and of the file nothing else; a caption is answered as always.

    Danger is; and where the bot is silent it stays so.
    """
    if room is Room.YES or not may_be_left_out(turn):
        return turn
    silent = turn.conversation.with_responder or turn.conversation.silent
    full = Reply("media.enough", choices=(answers.HELP_NOW, answers.PERSON, answers.MENU))
    told = (full,) if room is Room.FULL and not silent else ()
    if message.text:
        return replace(turn, replies=(*turn.replies, *(replace(reply, choices=()) for reply in told)))
    aloud = tuple(replace(reply, spoken=True) for reply in told if message.carrier is Carrier.VOICE or before.voice)
    return offered(unsaid(turn, before, (*aloud, *told)))


def offered(turn: Turn) -> Turn:
    """Let digits choose from what is said in place of the turn's own replies."""
    if not turn.replies:
        return turn
    last = next(reply for reply in reversed(turn.replies) if not reply.spoken)
    ids = tuple(choice.id for choice in last.choices)
    return replace(turn, conversation=replace(turn.conversation, offered=ids, last_replies=(last,)))


def unsaid(turn: Turn, before: Conversation, replies: tuple[Reply, ...]) -> Turn:
    """Return the turn with *replies* in place of its own: what was not said was neither asked nor offered."""
    conversation = replace(
        turn.conversation,
        notice_seen=before.notice_seen,
        flow=before.flow,
        slots=before.slots,
        offered=before.offered,
        last_topic=before.last_topic,
        last_replies=before.last_replies,
        repairs=before.repairs,
        waiting=before.waiting,
        asked_same=before.asked_same,
        asked_if_in_danger=before.asked_if_in_danger,
        draft_told=before.draft_told,
        notes=before.notes if turn.conversation.notes == "asked" else turn.conversation.notes,
    )
    return replace(turn, conversation=conversation, replies=replies)
