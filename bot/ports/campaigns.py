"""What nobody asked for at this moment: questions after closing, lessons, urgent notes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from bot.domain.conversation import Conversation
from bot.domain.lessons import LessonCount
from bot.domain.messages import ChannelName, OutboundMessage
from bot.domain.notices import Left, Notice, Reach, Where


@dataclass(frozen=True, slots=True)
class FollowUp:
    """A closed case about which the person may be asked now; `asked`: how often that was done already.

    may_write: nobody watches the phone, the person wants to hear from us, and no new case is open. heard_at: when they
    wrote last. version: the conversation's, so that nothing is asked of somebody who writes at this very moment.
    opted_in: they said yes to a greeting when an answer waits.
    """

    case_id: str
    conversation_id: str
    channel: ChannelName
    locale: str
    asked: int
    closed_at: datetime
    may_write: bool
    heard_at: datetime | None
    version: int
    opted_in: bool = False


class FollowUps(Protocol):
    """The clocks of closed cases."""

    async def due(self, now: datetime) -> Sequence[FollowUp]:
        """Return those that are due."""
        ...

    async def ask(
        self, item: FollowUp, messages: Sequence[OutboundMessage], next_at: datetime | None, now: datetime
    ) -> bool:
        """Queue the question, note it in the history, set the next clock; False if something changed meanwhile."""
        ...

    async def drop(self, item: FollowUp, reason: str, now: datetime) -> None:
        """Ask nothing any more, and write why into the history."""
        ...


@dataclass(frozen=True, slots=True)
class Learner:
    """Somebody whose next lesson is due: the conversation as it stands, the course, the lesson's number, from one.

    heard_at: when they wrote last.
    """

    conversation: Conversation
    course: str
    next: int
    heard_at: datetime | None


class Lessons(Protocol):
    """Who gets which course."""

    async def due(self, now: datetime) -> Sequence[Learner]:
        """Return whose lesson is due, or waited for a message that has come."""
        ...

    async def teach(
        self,
        learner: Learner,
        after: Conversation,
        messages: Sequence[OutboundMessage],
        due: datetime | None,
        now: datetime,
    ) -> bool:
        """Queue a lesson and set the next one's time (None: it was the last); False if something changed meanwhile."""
        ...

    async def put_off(self, learner: Learner, due: datetime) -> None:
        """Look again later."""
        ...

    async def hold(self, learner: Learner, now: datetime) -> None:
        """Wait until the person writes."""
        ...

    async def drop(self, learner: Learner) -> None:
        """Send no more."""
        ...

    async def counts(self) -> Sequence[LessonCount]:
        """Return what became of every lesson, by course, number and locale."""
        ...


@dataclass(frozen=True, slots=True)
class NoteDue:
    """A note that is to go to one person now, the conversation as it stands, and when they wrote last."""

    notice: Notice
    conversation: Conversation
    heard_at: datetime | None


class Notices(Protocol):
    """Urgent notes to those who asked for them."""

    async def write(self, where: Where, texts: Mapping[str, str], who: str, now: datetime) -> Notice:
        """Keep a draft under the next number."""
        ...

    async def get(self, number: int) -> Notice | None:
        """Return one."""
        ...

    async def latest(self, limit: int = 50) -> Sequence[Notice]:
        """Return the newest."""
        ...

    async def confirm(self, number: int, who: str, now: datetime) -> Notice:
        """Let it be sent: by somebody else than its writer, once. Raise `NotConfirmable`."""
        ...

    async def again(self, number: int, who: str, now: datetime) -> None:
        """Send a confirmed one to whom it has not reached; the two days begin anew. Raise `NotConfirmable`."""
        ...

    async def left(self) -> Mapping[int, Left]:
        """Return by the numbers of confirmed notes how many they have not reached."""
        ...

    async def cancel(self, number: int) -> None:
        """Send it to nobody more."""
        ...

    async def reach(self, notice: Notice, fresh_since: datetime) -> Reach:
        """Count whom it would reach; *fresh_since*: WhatsApp reaches at once who wrote since then."""
        ...

    async def due(self, now: datetime) -> Sequence[NoteDue]:
        """Return to whom which confirmed note is to go now."""
        ...

    async def send(
        self, item: NoteDue, after: Conversation, messages: Sequence[OutboundMessage], now: datetime
    ) -> bool:
        """Queue the note; False if something changed meanwhile."""
        ...

    async def put_off(self, item: NoteDue, seconds: float, now: datetime) -> None:
        """Look again later."""
        ...

    async def drop(self, item: NoteDue) -> None:
        """Do not send it to this person."""
        ...
