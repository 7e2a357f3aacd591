"""A case: a matter that a responder looks after, and the legal steps of its life."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from bot.domain.private import NOTHING_SAID, Private


class CaseKind(StrEnum):
    """Why a human is needed."""

    DISTRESS = "distress"
    MISSING = "missing"
    REPORT = "report"
    PERSON_ASKED = "person_asked"
    TROUBLE = "trouble"


class CaseState(StrEnum):
    """Where a case stands. It is `paged` once an alert channel that leads to people has taken a page about it."""

    RECEIVED = "received"
    PAGED = "paged"
    ACKNOWLEDGED = "acknowledged"
    ACTIVE = "active"
    REFERRED = "referred"
    CLOSED = "closed"


class Outcome(StrEnum):
    """How the person fares as a case ends, as far as whoever ends it knows."""

    SAFE = "safe"
    REFERRED = "referred"
    LOST_CONTACT = "lost_contact"
    OTHER = "other"


class CaseAction(StrEnum):
    """What can be done to a case: the verbs of its history."""

    OPEN = "open"
    RAISE = "raise"
    PAGE = "page"
    ESCALATE = "escalate"
    CLAIM = "claim"
    REPLY = "reply"
    NOTE = "note"
    RELEASE = "release"
    PUT_BACK = "put_back"
    TAKE_OVER = "take_over"
    REMIND = "remind"
    TRANSFER = "transfer"
    REFER = "refer"
    HAND_BACK = "hand_back"
    CLOSE = "close"
    REOPEN = "reopen"
    TASK = "task"
    TASK_DONE = "task_done"
    TELL = "tell"
    SHARE = "share"
    UNSHARE = "unshare"
    ASK = "ask"
    GRANT = "grant"
    DENY = "deny"
    LAPSE = "lapse"
    HAND_OUT = "hand_out"
    HIDE = "hide"
    REVEAL = "reveal"
    MERGE = "merge"
    JOIN = "join"
    SPLIT = "split"
    PART = "part"
    ASK_CONSENT = "ask_consent"
    CONTACT = "contact"
    OVERRIDE = "override"
    HOLD = "hold"
    LIFT = "lift"


#: The slot of a case under which it is kept whether its person is under 18.
UNDER_18 = "under_18"
#: After such a case is closed the person is asked once whether somebody reached them, where the phone is not watched.
FOLLOWED = frozenset({CaseKind.DISTRESS, CaseKind.MISSING})
REACHED_AFTER = timedelta(hours=2)
#: Days after closing on which a person who said yes to it is asked how they are.
FOLLOW_UP_DAYS = (3, 14, 30)

_UNCLAIMED = frozenset({CaseState.RECEIVED, CaseState.PAGED})
_CLAIMED = frozenset({CaseState.ACKNOWLEDGED, CaseState.ACTIVE, CaseState.REFERRED})
OPEN_STATES = _UNCLAIMED | _CLAIMED
#: What is done to what we hold about a person, and who may see it: written down whatever the case's state.
CUSTODY = frozenset({
    CaseAction.ASK, CaseAction.GRANT, CaseAction.DENY, CaseAction.LAPSE, CaseAction.HAND_OUT, CaseAction.HIDE,
    CaseAction.REVEAL, CaseAction.OVERRIDE,
})  # fmt: skip

#: What is written down where two cases become one, and where they part: it names the other case.
MERGING = frozenset({CaseAction.MERGE, CaseAction.JOIN, CaseAction.SPLIT, CaseAction.PART})

#: Every legal transition: action → (states it may start from, state it ends in; None keeps the state).
TRANSITIONS: dict[CaseAction, tuple[frozenset[CaseState], CaseState | None]] = {
    CaseAction.RAISE: (OPEN_STATES, None),
    CaseAction.PAGE: (_UNCLAIMED, None),
    CaseAction.ESCALATE: (_UNCLAIMED, None),
    CaseAction.CLAIM: (_UNCLAIMED, CaseState.ACKNOWLEDGED),
    CaseAction.REPLY: (_CLAIMED, CaseState.ACTIVE),
    CaseAction.NOTE: (OPEN_STATES, None),
    CaseAction.RELEASE: (_CLAIMED, CaseState.PAGED),
    CaseAction.PUT_BACK: (_CLAIMED, CaseState.PAGED),
    CaseAction.TAKE_OVER: (_CLAIMED, None),
    CaseAction.REMIND: (_CLAIMED, None),
    CaseAction.TRANSFER: (_CLAIMED, None),
    CaseAction.REFER: (_CLAIMED, CaseState.REFERRED),
    CaseAction.HAND_BACK: (_CLAIMED, CaseState.CLOSED),
    CaseAction.CLOSE: (OPEN_STATES, CaseState.CLOSED),
    CaseAction.REOPEN: (frozenset({CaseState.CLOSED}), CaseState.PAGED),
    CaseAction.TASK: (OPEN_STATES, None),
    CaseAction.TASK_DONE: (frozenset(CaseState), None),
    CaseAction.TELL: (frozenset(CaseState), None),
    CaseAction.SHARE: (OPEN_STATES, None),
    CaseAction.UNSHARE: (frozenset(CaseState), None),
    **dict.fromkeys(CUSTODY, (frozenset(CaseState), None)),
    **dict.fromkeys((CaseAction.HOLD, CaseAction.LIFT), (frozenset(CaseState), None)),
    CaseAction.MERGE: (OPEN_STATES, CaseState.CLOSED),
    CaseAction.JOIN: (OPEN_STATES, None),
    CaseAction.SPLIT: (frozenset({CaseState.CLOSED}), CaseState.PAGED),
    CaseAction.PART: (OPEN_STATES, None),
    CaseAction.ASK_CONSENT: (_CLAIMED, CaseState.ACTIVE),
    CaseAction.CONTACT: (_CLAIMED, CaseState.ACTIVE),
}

#: Priority by kind: a smaller number is looked at first.
PRIORITY = {
    CaseKind.DISTRESS: 0,
    CaseKind.MISSING: 1,
    CaseKind.TROUBLE: 2,
    CaseKind.REPORT: 3,
    CaseKind.PERSON_ASKED: 4,
}


class IllegalTransition(ValueError):
    """An action that this state does not allow; says both, so that a responder can be told."""

    def __init__(self, action: CaseAction, state: CaseState) -> None:  # noqa: D107
        super().__init__(f"cannot {action.value} a case that is {state.value}")
        self.action = action
        self.state = state


def next_follow_up(closed_at: datetime, asked: int) -> datetime | None:
    """Return when the next of the follow-ups comes, *asked* counting the question whether somebody reached them."""
    if not 1 <= asked <= len(FOLLOW_UP_DAYS):
        return None
    return closed_at + timedelta(days=FOLLOW_UP_DAYS[asked - 1])


def after(state: CaseState, action: CaseAction) -> CaseState:
    """Return the state that *action* leads to, or raise `IllegalTransition`."""
    allowed, target = TRANSITIONS[action]
    if state not in allowed:
        raise IllegalTransition(action, state)
    return target or state


@dataclass(frozen=True, slots=True)
class Case:
    """One open case per conversation at a time; `version` guards against two writers.

    `labels` and `district` (`BR:Patna`) put it in the view of partner organisations; a supervisor gives them.
    `merged_into`: the case that goes on with this one's person, after a merge; `also`: the conversations, beside its
    own, of the cases that were merged into this one. `dangers`: every kind that was told; `risk_kind` is the gravest.
    `unread`: messages that no responder has answered; `unseen`: those of them that its owner has not even read.
    `duty`: what its owner owes the person (see `bot.domain.attending`), with how often that clock has rung, and when it
    rings next. `kept_at`, `kept_by`: since when a law keeps it beyond its time, and who wrote that down; `ends_at`:
    when it is erased, once that is near. `whereabouts`: what is pressing about where the person is (see
    `bot.domain.urgency`). `pages`: how often it was paged once more since nobody came.
    """

    id: str
    conversation_id: str
    kind: CaseKind
    state: CaseState
    risk_kind: str
    reason: str
    locale: str
    channel: str
    opened_at: datetime
    waiting_since: datetime
    priority: int
    owner: str | None = None
    minor: bool = False
    silent: bool = False
    place: str = ""
    district: str = ""
    escalations: int = 0
    escalate_at: datetime | None = None
    raised: int = 0
    held: bool = False
    erase_requested: bool = False
    unread: int = 0
    unseen: int = 0
    version: int = 0
    undelivered: int = 0
    labels: tuple[str, ...] = ()
    closed_at: datetime | None = None
    merged_into: str = ""
    also: tuple[str, ...] = ()
    dangers: tuple[str, ...] = ()
    duty: str = ""
    duty_step: int = 0
    duty_at: datetime | None = None
    kept_at: datetime | None = None
    kept_by: str = ""
    ends_at: datetime | None = None
    whereabouts: str = ""
    pages: int = 0


class MergedFor(StrEnum):
    """Why two cases are one: the same person on two channels, or one event that two people told of."""

    PERSON = "person"
    EVENT = "event"


@dataclass(frozen=True, slots=True)
class Told:
    """What the person answered to one of our questions.

    The slots are `safe_to_talk`, `with_whom`, `where`, `under_18`, `hurt`, `need`, `writer`, `consent`, `reached`,
    `follow_up`, `write_later`, `wish`, `word_tries`, and `safe_contact`, which a responder writes down: how and when
    the person said that they can be written to.
    """

    slot: str
    value: Private
    at: datetime


@dataclass(frozen=True, slots=True)
class CaseEvent:
    """One line of a case's append-only history, chained to the line before it by its hash.

    `mark` is a keyed hash of the detail, so that the chain can be checked after the detail itself was erased.
    """

    case_id: str
    number: int
    at: datetime
    who: str
    action: CaseAction
    detail: Private = NOTHING_SAID
    mark: str = ""
    previous: str = ""

    @property
    def digest(self) -> str:
        """SHA-256 over this line and the digest before it, hex; changing any line breaks the chain after it."""
        body = [self.case_id, self.number, self.at.isoformat(), self.who, self.action.value, self.mark, self.previous]
        return hashlib.sha256(json.dumps(body).encode()).hexdigest()


def chain_break(events: Sequence[CaseEvent], digests: Sequence[str]) -> int | None:
    """Return the number of the first event whose place in the chain is wrong, or None for a whole chain."""
    previous = ""
    for expected, (event, digest) in enumerate(zip(events, digests, strict=True), 1):
        if event.number != expected or event.previous != previous or event.digest != digest:
            return event.number
        previous = digest
    return None
