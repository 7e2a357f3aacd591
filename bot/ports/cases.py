"""Cases and what hangs on one: history, tasks, approvals, merging, handing over."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from bot.domain.approvals import Request, RequestKind
from bot.domain.cases import Case, CaseAction, CaseEvent, MergedFor, Outcome, Told
from bot.domain.messages import Address, OutboundMessage
from bot.domain.private import NOTHING_SAID, Private
from bot.domain.tasks import Task


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a transcript, in order of time. who: `person`, `bot` or a responder's name.

    sent_at: when the person's phone sent it, if the channel says so. error: why a message of ours did not arrive, as
    the channel's own short code ("whatsapp:131047"), or "". template: the name of the template that it was.
    """

    id: str
    at: datetime
    who: str
    text: Private
    state: str = ""
    carrier: str = ""
    choices: tuple[str, ...] = ()
    sent_at: datetime | None = None
    error: str = ""
    template: str = ""


class Cases(Protocol):
    """Cases and their history."""

    async def queue(self, labels: Sequence[str] = ()) -> Sequence[Case]:
        """Return open cases, most urgent first, then longest waiting; *labels*: only those that carry one of them."""
        ...

    async def get(self, case_id: str) -> Case | None:
        """Return one case."""
        ...

    async def of_conversation(self, conversation_id: str) -> Sequence[Case]:
        """Return every case of one conversation, newest first."""
        ...

    async def history(self, case_id: str) -> Sequence[CaseEvent]:
        """Return its events in order."""
        ...

    async def told(self, case_id: str) -> Sequence[Told]:
        """Return what the person answered to our questions, the last answer of each slot, oldest first."""
        ...

    async def write_down(self, case_id: str, slot: str, value: Private, who: str, now: datetime) -> None:
        """Keep under *slot* what a responder was told. Raise `LookupError` where there is nobody (any more)."""
        ...

    async def transcript(self, conversation_id: str) -> Sequence[Line]:
        """Return what was said in the conversation, oldest first."""
        ...

    async def act(  # noqa: PLR0913
        self,
        case_id: str,
        action: CaseAction,
        who: str,
        now: datetime,
        *,
        detail: Private = NOTHING_SAID,
        expect_owner: str | None = None,
        new_owner: str | None = None,
        messages: Sequence[OutboundMessage] = (),
        others: Mapping[str, Sequence[OutboundMessage]] = ...,
        key: str = "",
        labels: Sequence[str] = (),
        district: str = "",
        approval: str = "",
        to: Sequence[str] | None = None,
        due: datetime | None = None,
        outcome: Outcome | None = None,
    ) -> Case:
        """Apply one action atomically with its event and the messages it sends.

        *others*: what is said, besides, in the conversations of merged cases, by conversation. Raise
        `IllegalTransition`, `NotOwner`, `OpenTasks`, or `LookupError` for an unknown id. `key` makes a repeat harmless.
        labels, district: what `SHARE` gives the case; the labels that `UNSHARE` takes from it. approval: the request to
        write first that is used up by it, with its line of history; raise `NotAllowed` if it does not hold (any more).
        to: whom the page of the action is for, else who is next. due: only while the owner's clock still stands at
        this time. outcome: how the person fares, where the action ends the case.
        """
        ...

    async def unattended(self) -> Sequence[Case]:
        """Return claimed cases whose owner's clock rings now, by a clock that does not jump."""
        ...

    async def read_by(self, case_id: str, who: str, as_of: Case | None = None) -> None:
        """Note that somebody opened a case; it counts where it is their own.

        as_of: the case as they have read it; of what was said since nothing is noted.
        """
        ...

    async def acted(self, case_id: str, key: str) -> bool:
        """Say whether an action with this key is in the case's history."""
        ...

    async def overdue(self) -> Sequence[Case]:
        """Return unclaimed cases whose next rung has come, by a clock that does not jump."""
        ...


class Approvals(Protocol):
    """Requests that need a second person; each step is a line of the case's history."""

    async def ask(self, request: Request) -> Request:
        """Store a request. Raise `NotAllowed`, or `LookupError` without such a case."""
        ...

    async def decide(
        self, request_id: str, who: str, role: str, now: datetime, *, yes: bool, answer: str = ""
    ) -> Request:
        """Approve or refuse one. Raise `NotAllowed`, `LookupError`."""
        ...

    async def use(self, request_id: str, who: str, now: datetime) -> Request:
        """Use one up. Raise `NotAllowed`, `LookupError`."""
        ...

    async def over_time(self, now: datetime) -> Sequence[str]:
        """Return the ids of open requests whose time is over."""
        ...

    async def end(self, request_id: str, now: datetime) -> Request | None:
        """End one whose time is over; None if it was ended or decided meanwhile."""
        ...

    async def get(self, request_id: str) -> Request | None:
        """Return one."""
        ...

    async def of_case(self, case_id: str) -> Sequence[Request]:
        """Return the requests about a case, newest first."""
        ...

    async def latest(self) -> Sequence[Request]:
        """Return those that wait first, then the newest."""
        ...

    async def running(
        self, who: str, kind: RequestKind, case_id: str, now: datetime, about: str = ""
    ) -> Request | None:
        """Return what was approved for *who* about this case, and *about* what is in it, and has not ended."""
        ...


class Contacts(Protocol):
    """Where people are written to."""

    async def address(self, conversation_id: str) -> Address | None:
        """Return the address of a conversation; None when it was erased."""
        ...


class Merges(Protocol):
    """Cases that are one, and what else may be."""

    async def merged(self, case_id: str) -> Sequence[Case]:
        """Return the cases that were merged into this one, oldest first."""
        ...

    async def near(self, case: Case) -> Sequence[Case]:
        """Return other cases that were opened at the same place within a day."""
        ...

    async def merge(
        self,
        case_id: str,
        into: str,
        who: str,
        now: datetime,
        *,
        why: MergedFor,
        reason: Private,
        others: Mapping[str, Sequence[OutboundMessage]],
        key: str,
    ) -> Case:
        """Close the first as merged into the second, which goes on with both people; return the one that stays open.

        Raise `IllegalTransition`, or `LookupError` for an unknown id or one and the same. *others*: what is said in
        either conversation.
        """
        ...

    async def split(self, case_id: str, who: str, now: datetime, *, reason: Private, key: str) -> Case:
        """Put a merged case back into the queue by itself, and page. Raise `IllegalTransition`, `LookupError`."""
        ...


class TaskStore(Protocol):
    """What is still to be done for cases."""

    async def of(self, case_id: str) -> Sequence[Task]:
        """Return the tasks of a case: open ones first, by due time."""
        ...

    async def open_ones(self) -> Sequence[Task]:
        """Return every open task, without its words, soonest first."""
        ...

    async def add(self, task: Task, now: datetime) -> None:
        """Store a task with its line of history; the same id again changes nothing. Raise `LookupError`."""
        ...

    async def finish(self, task_id: str, who: str, outcome: str, now: datetime, *, for_others: bool = False) -> Task:
        """Finish a task with its outcome. Raise `NotFinished`, `NotOwner`, `LookupError`, `IllegalTransition`."""
        ...


@dataclass(frozen=True, slots=True)
class Handover:
    """What a shift tells the next."""

    who: str
    at: datetime
    text: Private


class Handovers(Protocol):
    """Notes from shift to shift."""

    async def write(self, handover: Handover) -> None:
        """Add one; it stands above the queue from now on."""
        ...

    async def latest(self) -> Handover | None:
        """Return the newest, if there is one."""
        ...
