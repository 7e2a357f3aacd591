"""The responders' Telegram group: what happened in it, its buttons and commands, topics and what stands in them.

Nothing here comes from a person who asks for help: these are the words of responders, and copies of what was said.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from bot.domain.private import NOTHING_SAID, Private

#: Letters and digits that nobody confuses.
CODE_LETTERS = "ABCDEFGHJKMNPQRSTUVWXYZ23456789"
CODE_LENGTH = 8
LINK, UNLINK = "/link", "/unlink"


class GroupKind(StrEnum):
    """What happened in the group, or between a responder and the bot."""

    PRESS = "press"
    MESSAGE = "message"
    EDIT = "edit"
    FILE = "file"
    REACTION = "reaction"
    LINK = "link"
    MOVED = "moved"
    REMOVED = "removed"
    ADDED = "added"


@dataclass(frozen=True, slots=True)
class GroupUpdate:
    """One thing that happened.

    `key` is the idempotency key; `number` rises with time. `sender` is the Telegram id of whoever did it, "" for an
    administrator who hides behind the group's name; `thread` the topic (0: the general one) and `message` the message
    it is about. `text`: words, or a button's id, or the group's new chat id. `query`: a press that waits for an answer.
    """

    key: str
    number: int
    kind: GroupKind
    chat: str
    sender: Private
    thread: int = 0
    message: int = 0
    text: Private = NOTHING_SAID
    query: str = ""
    attempts: int = 0

    @property
    def line(self) -> str:
        """What must be handled in order: the messages of one topic; a press waits for nothing."""
        ordered = self.kind in {GroupKind.MESSAGE, GroupKind.EDIT, GroupKind.FILE}
        return f"{self.chat}:{self.thread}" if ordered else self.key


class Press(StrEnum):
    """A button under a page or under a question, as the first part of its id."""

    CLAIM = "g:c"
    CALL = "g:p"
    ESCALATE = "g:e"
    YES = "g:y"
    NO = "g:n"


def button(press: Press, about: str) -> str:
    """Return a button's id: at most 64 bytes, no words; *about* is a case or a question."""
    return f"{press.value}:{about}"


def pressed(data: str) -> tuple[Press, str] | None:
    """Return what a button's id means, or None if it is none of ours."""
    head, _, about = data.rpartition(":")
    return (Press(head), about) if about and head in set(Press) else None


class Command(StrEnum):
    """What the owner of a case may write in its topic instead of words for the person; to take over, a supervisor."""

    NOTE = "note"
    RELEASE = "release"
    TRANSFER = "transfer"
    CLOSE = "close"
    DONE = "done"
    TAKE_OVER = "takeover"


#: Those that mean nothing without words after them.
NEED_WORDS = frozenset({Command.NOTE, Command.TRANSFER, Command.CLOSE, Command.DONE, Command.TAKE_OVER})


def addressed(text: str) -> tuple[int, str]:
    """Return to which person of a merged case words go, and the words: "/2 hello" is (2, "hello"); 0: not said."""
    head, _, rest = text.partition(" ")
    number = head.removeprefix("/")
    if not head.startswith("/") or not number.isascii() or not number.isdigit():
        return 0, text
    return int(number[:4]), rest.strip()


def command(text: str) -> tuple[str, str] | None:
    """Return the name of a command and the words after it; None for words that are meant for the person."""
    if not text.startswith("/"):
        return None
    head, *rest = text[1:].split(maxsplit=1) or [""]
    return head.partition("@")[0].casefold().replace("_", ""), rest[0].strip() if rest else ""


def link_code(text: str) -> str | None:
    """Return the code of `/link CODE`, "" for `/unlink`, None for everything else: that is for the bot to answer.

    Only the whole message in exactly this shape counts, so that no cry for help is taken for a command.
    """
    head, _, code = text.strip().partition(" ")
    if head.casefold() == UNLINK and not code:
        return ""
    code = code.strip().upper()
    fits = len(code) == CODE_LENGTH and all(char in CODE_LETTERS for char in code)
    return code if head.casefold() == LINK and fits else None


class TopicState(StrEnum):
    """Where a topic stands; a topic that was deleted by us has no row. making: asked for, its number is not known."""

    MAKING = "making"
    OPEN = "open"
    CLOSED = "closed"
    GONE = "gone"


@dataclass(frozen=True, slots=True)
class Topic:
    """The topic of a case. seen: how far case and conversation had come when all had been copied (see `Followed`).

    twin: an earlier try may have left an empty one of the same name beside it, and the group does not know yet.
    """

    case_id: str
    chat: str
    thread: int
    state: TopicState = TopicState.OPEN
    seen: str = ""
    delete_at: datetime | None = None
    twin: bool = False


@dataclass(frozen=True, slots=True)
class Followed:
    """A claimed case whose owner works from Telegram; `stamp` changes whenever anything is said or done.

    also: the conversations of cases that were merged into it, oldest first.
    """

    case_id: str
    conversation_id: str
    owner: str
    kind: str
    stamp: str
    also: tuple[str, ...] = ()


class EntryKind(StrEnum):
    """What one entry of a topic tells."""

    SAID = "said"
    DONE = "done"
    LOST = "lost"


@dataclass(frozen=True, slots=True)
class Entry:
    """One thing to be told in a topic. who: `person`, `bot` or a login. `action` for `DONE`, `carrier` for `SAID`."""

    id: str
    at: datetime
    who: str
    kind: EntryKind
    text: Private = NOTHING_SAID
    carrier: str = ""
    action: str = ""
    #: Said or done in the topic itself, so it stands there already.
    here: bool = False
    #: Which person of a merged case it is about, from 1; 0 where there is one only.
    person: int = 0


@dataclass(frozen=True, slots=True)
class Page:
    """A page in the group whose buttons still stand there. owner: who has the case now; closed: nobody needs to."""

    id: str
    case_id: str
    chat: str
    message: int
    kind: str = ""
    owner: str = ""
    closed: bool = False


@dataclass(frozen=True, slots=True)
class Ask:
    """Words that wait for their writer's "yes, send it". key: that of the message, so that they are sent once."""

    id: str
    case_id: str
    conversation_id: str
    who: str
    key: str
    text: Private


@dataclass(frozen=True, slots=True)
class GroupState:
    """Where the group is now, and since when and why nothing can be done in it ("" when it can)."""

    chat: str
    broken: str = ""
    since: datetime | None = None


@dataclass(frozen=True, slots=True)
class Linked:
    """A responder's account that is linked to a Telegram account."""

    login: str
    at: datetime
