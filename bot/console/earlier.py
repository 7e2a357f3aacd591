"""How the earlier cases of the same person ended, in the words with which responders closed them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from bot.console.auth import Session
from bot.console.scope import sees
from bot.console.transcript import visible
from bot.domain.cases import Case, CaseAction, CaseState
from bot.domain.roles import STAFF

Service = Any
MOST_READ: Final = 20
LONGEST: Final = 80
ENDED_BY: Final = frozenset({CaseAction.CLOSE, CaseAction.HAND_BACK})


@dataclass(frozen=True, slots=True)
class Ending:
    """What was written at the end of so many cases; "" where nothing was, or where it was erased."""

    words: str
    times: int


@dataclass(frozen=True, slots=True)
class Earlier:
    """How many cases are closed, and as what; the newest are read first, and no more than `MOST_READ`."""

    count: int = 0
    endings: Sequence[Ending] = ()


async def earlier(service: Service, case: Case, session: Session) -> Earlier:
    """Return what our own people may know of it: to weigh a case by, never a reason for not being told of one."""
    if session.responder.role not in STAFF or not case.conversation_id:
        return Earlier()
    every: Sequence[Case] = await service.cases.of_conversation(case.conversation_id)
    closed = [one for one in every if one.id != case.id and one.state is CaseState.CLOSED and sees(session, one)]
    times: dict[str, int] = {}
    shown: dict[str, str] = {}
    for one in closed[:MOST_READ]:
        words = await _ending(service, one)
        shown.setdefault(words.casefold(), words)
        times[words.casefold()] = times.get(words.casefold(), 0) + 1
    return Earlier(len(closed), [Ending(shown[name], count) for name, count in times.items()])


async def _ending(service: Service, case: Case) -> str:
    """Return the words of the newest ending: a case may have been opened again."""
    events = await service.cases.history(case.id)
    last = next((event for event in reversed(events) if event.action in ENDED_BY), None)
    return visible(" ".join(last.detail.reveal().split())[:LONGEST]) if last else ""
