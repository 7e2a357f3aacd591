"""Two pairs of eyes: what one person asks for with a reason, another approves in time, and it ends by itself."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from bot.domain.private import NOTHING_SAID, Private

DECIDE_WITHIN: Final = timedelta(minutes=15)
USE_WITHIN: Final = timedelta(minutes=60)
APPROVERS: Final = frozenset({"supervisor"})


class RequestKind(StrEnum):
    """What is asked for: a file as it came, once; to read a case that one may not see (break-glass).

    CONTACT: to write, once, to somebody who is silent and of whom nothing says that it is safe.
    """

    ORIGINAL = "original"
    CASE = "case"
    CONTACT = "contact"


class RequestState(StrEnum):
    """Where a request stands. lapsed: nobody decided in time; ended: the time to use it is over."""

    WAITING = "waiting"
    APPROVED = "approved"
    REFUSED = "refused"
    LAPSED = "lapsed"
    USED = "used"
    ENDED = "ended"


#: A request in one of these still waits for something; the clock ends it.
OPEN: Final = frozenset({RequestState.WAITING, RequestState.APPROVED})
#: These are good for one use.
ONCE: Final = frozenset({RequestKind.ORIGINAL, RequestKind.CONTACT})


class NotAllowed(Exception):
    """A step that the rules refuse; `why` is the id of words that say so.

    `no_reason`, `there_already`, `own`, `role`, `decided`, `late`, `not_yours`, `not_approved`.
    """

    def __init__(self, why: str) -> None:  # noqa: D107
        super().__init__(why)
        self.why = why


@dataclass(frozen=True, slots=True)
class Request:
    """One request. about: the id of the file, or of the person's case; who: the one who asks, for themselves alone."""

    id: str
    kind: RequestKind
    case_id: str
    about: str
    who: str
    reason: Private
    asked_at: datetime
    state: RequestState = RequestState.WAITING
    decided_by: str = ""
    decided_at: datetime | None = None
    answer: Private = NOTHING_SAID
    ended_at: datetime | None = None

    @property
    def until(self) -> datetime | None:
        """Return when it ends by itself: not decided, or not used any more."""
        if self.state is RequestState.WAITING:
            return self.asked_at + DECIDE_WITHIN
        return self.decided_at + USE_WITHIN if self.state is RequestState.APPROVED and self.decided_at else None

    def running(self, now: datetime) -> bool:
        """Say whether it is approved and its time is not over, whether or not the clock has been by."""
        return self.state is RequestState.APPROVED and self.until is not None and now < self.until


def asked(request: Request) -> Request:
    """Return a request that may be made. Raise `NotAllowed` without a reason."""
    if not request.reason.reveal().strip():
        raise NotAllowed("no_reason")
    return request


def decided(request: Request, who: str, role: str, now: datetime, *, yes: bool, answer: str = "") -> Request:
    """Return the request as *who* decided it. Raise `NotAllowed`: nobody decides what they asked for themselves."""
    if role not in APPROVERS:
        raise NotAllowed("role")
    if who == request.who:
        raise NotAllowed("own")
    if request.state is not RequestState.WAITING:
        raise NotAllowed("decided")
    if now >= request.asked_at + DECIDE_WITHIN:
        raise NotAllowed("late")
    state = RequestState.APPROVED if yes else RequestState.REFUSED
    return replace(
        request,
        state=state,
        decided_by=who,
        decided_at=now,
        answer=Private(answer.strip()),
        ended_at=None if yes else now,
    )


def used(request: Request, who: str, now: datetime) -> Request:
    """Return the request after its one use. Raise `NotAllowed`."""
    if who != request.who:
        raise NotAllowed("not_yours")
    if request.kind not in ONCE or not request.running(now):
        raise NotAllowed("not_approved")
    return replace(request, state=RequestState.USED, ended_at=now)


def over(request: Request, now: datetime) -> Request | None:
    """Return the request as the clock ends it, None while it has time."""
    if request.until is None or now < request.until:
        return None
    state = RequestState.LAPSED if request.state is RequestState.WAITING else RequestState.ENDED
    return replace(request, state=state, ended_at=now)
