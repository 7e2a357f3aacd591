"""The responders' Telegram group."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from bot.domain.private import Private
from bot.domain.topics import Ask, Entry, Followed, GroupState, GroupUpdate, Linked, Page, Topic
from bot.ports.paging import Alert


class Group(Protocol):
    """The responders' group. Raise `GroupBroken`, `GroupMoved`, `TopicGone`, or `ChannelError`."""

    async def create(self, chat: str, name: str) -> int:
        """Make a topic; return its number."""
        ...

    async def post(
        self, chat: str, thread: int, text: str, buttons: Sequence[tuple[str, str]] = (), *, answers: int = 0
    ) -> int:
        """Write plain words with (id, label) buttons, answering a message if named; return the message's number."""
        ...

    async def edit(self, chat: str, message: int, text: str) -> None:
        """Put other words in place of a message of ours; its buttons go."""
        ...

    async def close(self, chat: str, thread: int) -> None:
        """Close a topic: it can be read, and nobody but administrators can write."""
        ...

    async def reopen(self, chat: str, thread: int) -> None:
        """Open it again."""
        ...

    async def delete(self, chat: str, thread: int) -> None:
        """Delete a topic with all its messages."""
        ...

    async def answer(self, query: str, text: str, *, alert: bool) -> None:
        """Answer a press: shown to nobody but who pressed. One that has waited too long is let go."""
        ...

    async def mark(self, chat: str, message: int) -> None:
        """Mark a responder's message as taken."""
        ...

    async def whisper(self, person: Private, text: str) -> None:
        """Write to one Telegram account, in private."""
        ...


class GroupInbox(Protocol):
    """What happened in the group, accepted and not handled yet."""

    async def add(self, update: GroupUpdate) -> bool:
        """Store durably; False for a redelivery. Raise `StoreUnavailable`."""
        ...

    async def next_due(self, owner: str) -> GroupUpdate | None:
        """Lease the oldest that has no earlier one before it in its line."""
        ...

    async def done(self, update: GroupUpdate) -> None:
        """It was handled: its words go, its name stays for a while."""
        ...

    async def retry(self, update: GroupUpdate, seconds: float) -> int:
        """Put it back for later; return how often that was done."""
        ...


class Links(Protocol):
    """Which Telegram account belongs to which responder; the account's own id is kept as a keyed hash only."""

    async def offer(self, code: str, login: str, until: datetime) -> None:
        """Let whoever sends this code be *login*; an older code of theirs is void."""
        ...

    async def redeem(self, code: str, person: Private, now: datetime) -> str:
        """Use a code up and link its responder to *person*; return the login, or "" for a code that is not valid."""
        ...

    async def login(self, person: Private) -> str:
        """Return whose account it is, or ""."""
        ...

    async def all(self) -> Sequence[Linked]:
        """Return every link, by login."""
        ...

    async def drop(self, login: str) -> bool:
        """Undo the link of a responder; False if there is none."""
        ...

    async def drop_person(self, person: Private) -> bool:
        """Undo the link of a Telegram account; False if there is none."""
        ...


class Topics(Protocol):
    """Topics, what stands in them, the pages in the group, and words that wait for a yes."""

    async def hold(self, owner: str) -> bool:
        """Take or keep the right to write into the group's topics: one process at a time has it."""
        ...

    async def group(self, configured: str) -> GroupState:
        """Return where the group is now and whether something is wrong with it."""
        ...

    async def moved(self, configured: str, chat: str) -> None:
        """Remember that the configured group has another id now."""
        ...

    async def broken(self, configured: str, reason: str, now: datetime) -> datetime:
        """Remember that the group cannot be used; return since when that is so."""
        ...

    async def well(self) -> None:
        """Remember that it can be used again."""
        ...

    async def followed(self, logins: frozenset[str]) -> Sequence[Followed]:
        """Return the open cases of these owners."""
        ...

    async def ended(self, case_ids: Sequence[str]) -> Sequence[str]:
        """Return which of these cases are gone from us: erased, or not there at all."""
        ...

    async def all(self) -> Sequence[Topic]:
        """Return every topic that stands in the group, and those that somebody else deleted."""
        ...

    async def of_thread(self, chat: str, thread: int) -> Topic | None:
        """Return the topic with this number."""
        ...

    async def save(self, topic: Topic) -> None:
        """Insert or replace."""
        ...

    async def forget(self, topic: Topic) -> None:
        """Drop a topic and what we know of its messages."""
        ...

    async def untold(self, case_id: str, conversations: Sequence[str]) -> Sequence[Entry]:
        """Return what was said in these conversations and done in the case and does not stand in the topic yet."""
        ...

    async def told(self, case_id: str, entries: Sequence[Entry], now: datetime, posts: Sequence[int] = ()) -> None:
        """Remember that these stand there, in the messages with these numbers, or need not."""
        ...

    async def of_post(self, chat: str, message: int) -> Topic | None:
        """Return the topic in which a message of ours stands."""
        ...

    async def all_above(self, case_id: str, conversations: Sequence[str], message: int) -> bool:
        """Say whether all that the persons have said stands in the topic, and none of it after this message."""
        ...

    async def last_heard(self, conversation_id: str) -> datetime | None:
        """Return when the person wrote last."""
        ...

    async def paged(self, alert: Alert, chat: str, message: int, now: datetime) -> None:
        """Remember where a page with buttons stands. Raise `StoreUnavailable`."""
        ...

    async def stale_pages(self) -> Sequence[Page]:
        """Return pages whose case somebody has taken, or that is closed."""
        ...

    async def settled(self, page: Page) -> None:
        """Remember that a page shows how things are."""
        ...

    async def ask(self, ask: Ask, until: datetime) -> None:
        """Keep words until their writer says yes; the same id again changes nothing."""
        ...

    async def asked(self, ask_id: str, now: datetime) -> Ask | None:
        """Return them while they may still be sent."""
        ...

    async def answered(self, ask_id: str) -> None:
        """Drop them."""
        ...
