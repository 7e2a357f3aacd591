"""The lasting exchange with one contact, and what one message leads to."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from bot.domain.cases import CaseKind
from bot.domain.identifiers import Identifier
from bot.domain.messages import ChannelName, InboundMessage, Reply
from bot.domain.private import NOTHING_SAID, Private
from bot.domain.risk import Risk

#: After so long another person may hold the phone.
LONG_GAP: Final = timedelta(hours=6)
#: After so long it may no longer be a good time to write: that is asked before any further question of a case.
SHORT_GAP: Final = timedelta(minutes=30)


@dataclass(frozen=True, slots=True)
class Conversation:
    """All that we remember of one contact. Holds no words of theirs but the slots of an open flow.

    `offered` are the choice ids of the last message that had any, in order: a digit answers to them. `voice`: every
    answer is spoken too. `state`: the State whose rules the person asked for, by its code. `other_language`: a
    language that we do not speak (its code), once the person was told so. `draft_told`: the note on unread words.
    `reporting`: the open case is a report about a recruiter. `claimed`: a responder has the open case now;
    `minor`: it is about somebody under 18. `waiting`: which question we asked last while nobody has claimed it,
    `told`: the slots that were answered, `warned`: the kinds of danger that were answered, the last of them at
    `warned_at`. `silent`: somebody may be watching the phone, `silent_since` when that was
    said, `safe_word` the folded word that alone ends it. `wrong_words`: how
    often something else was tried in the silence. `asked_same`: we asked whether the same person still writes;
    `stranger`: they said no. `followed_case`: the closed case that we asked about afterwards, `unanswered` while our
    question whether somebody reached them is. `place`: the transit point whose poster was scanned at `place_at`,
    `district` where it lies ("BR:Gaya"), `poster` the code that stands on it; all forgotten after two days. `course`:
    the lessons they get, one a day. `notes`: "asked", "yes" or "no" to urgent notes about a place. `album`: the
    pictures sent as one that were answered last. `opted_in`: we may send a greeting when an answer waits.
    `consent_asked_at`: when the question of consent left us, while nothing was said by either side since. `late`: when
    somebody who came in a crowd was last asked to write again in a while; None once they were answered in full.
    `unsure`: the last that was said is our question whether help is needed now: silence after it is told to a human.
    `kept_by_law`: a part of what was told here may not be erased now.
    `whereabouts`: what is pressing about where the person was at `whereabouts_at` (an id of `Where`), for two days.
    """

    id: str
    channel: ChannelName = ChannelName.TERMINAL
    version: int = 0
    locale: str = ""
    locale_guess: str = ""
    notice_seen: bool = False
    flow: str = ""
    slots: dict[str, str] = field(default_factory=dict)
    offered: tuple[str, ...] = ()
    last_topic: str = ""
    last_replies: tuple[Reply, ...] = ()
    repairs: int = 0
    place: str = ""
    place_at: datetime | None = None
    district: str = ""
    poster: str = ""
    open_case: str = ""
    held: bool = False
    reporting: bool = False
    stopped: bool = False
    silent: bool = False
    silent_since: datetime | None = None
    safe_word: str = ""
    wrong_words: int = 0
    claimed: bool = False
    minor: bool = False
    waiting: str = ""
    told: tuple[str, ...] = ()
    warned: tuple[str, ...] = ()
    warned_at: datetime | None = None
    asked_same: bool = False
    stranger: bool = False
    followed_case: str = ""
    unanswered: bool = False
    erase_requested: bool = False
    asked_if_in_danger: str = ""
    consent_asked_at: datetime | None = None
    unsure: bool = False
    voice: bool = False
    state: str = ""
    other_language: str = ""
    draft_told: bool = False
    course: str = ""
    notes: str = ""
    opted_in: bool = False
    seen_at: datetime | None = None
    album: str = ""
    late: datetime | None = None
    kept_by_law: bool = False
    whereabouts: str = ""
    whereabouts_at: datetime | None = None

    @property
    def with_responder(self) -> bool:
        """True while a human has the conversation, or danger waits for one: the bot is then silent, not deaf."""
        return bool(self.open_case) and self.held

    def __repr__(self) -> str:
        return f"Conversation({self.id[:8]}, v{self.version}, flow={self.flow!r}, case={self.open_case!r})"


@dataclass(frozen=True, slots=True)
class OpenCase:
    """Open a case for a human. `slip`: the number by which its person asks how it stands, if they are given one."""

    case_id: str
    kind: CaseKind
    risk: Risk
    slip: Private = NOTHING_SAID


@dataclass(frozen=True, slots=True)
class RaiseCase:
    """New danger in a conversation that already has a case: page again."""

    case_id: str
    risk: Risk


@dataclass(frozen=True, slots=True)
class Reopen:
    """Nobody reached the person: their closed case is opened again, and pages."""

    case_id: str


@dataclass(frozen=True, slots=True)
class Forward:
    """The message belongs to the open case: the responder is told that it came."""

    case_id: str


@dataclass(frozen=True, slots=True)
class Identify:
    """The person's report names this: kept with the report, in the same commit as the answer."""

    case_id: str
    identifiers: tuple[Identifier, ...]


@dataclass(frozen=True, slots=True)
class Tell:
    """The person answered one of our questions: kept with the case under its slot, with the time."""

    case_id: str
    slot: str
    value: Private


@dataclass(frozen=True, slots=True)
class Arrived:
    """The message carried a poster's code: counted by place, "" for a code that we do not know."""

    place: str


@dataclass(frozen=True, slots=True)
class FlagPoster:
    """The person says that this poster (place, purpose and series in one) looks wrong."""

    poster: str


@dataclass(frozen=True, slots=True)
class Forget:
    """The person wants the chat gone from their screen; what we keep, and an open case, stay."""


@dataclass(frozen=True, slots=True)
class Unreachable:
    """The person takes no message from us any more: nothing is sent until they write; an open case is told."""


@dataclass(frozen=True, slots=True)
class Erase:
    """Destroy everything this conversation left, after the farewell is sent."""


@dataclass(frozen=True, slots=True)
class Translate:
    """The person asked for the last answer in a language that we do not speak: a machine may try, if switched on.

    `messages` are the ids of what was answered; `language` is the code of the wanted language.
    """

    language: str
    replies: tuple[Reply, ...]


@dataclass(frozen=True, slots=True)
class LookUp:
    """The person asks how the matter of this slip stands."""

    number: Private


@dataclass(frozen=True, slots=True)
class Learn:
    """The person wants this course: its first lesson now, then one a day."""

    course: str


@dataclass(frozen=True, slots=True)
class Unlearn:
    """The person wants no more lessons and no more notes."""


@dataclass(frozen=True, slots=True)
class Answered:
    """The person answered the question of a lesson, or whether a course was useful (lesson 0): counted once."""

    course: str
    number: int
    right: bool


@dataclass(frozen=True, slots=True)
class WantNotes:
    """The person wants to hear if something goes wrong in this district or State, and at the place they came by."""

    state: str
    district: str = ""


OnWish = Learn | Unlearn | Answered | WantNotes
OnPoster = Arrived | FlagPoster
OnCase = OpenCase | RaiseCase | Reopen | Forward
Effect = OnCase | Identify | Tell | Forget | Unreachable | Erase | Translate | LookUp | OnWish | OnPoster


@dataclass(frozen=True, slots=True)
class Turn:
    """One inbound message and all it leads to: the next conversation, what is said, what else is done."""

    conversation: Conversation
    replies: tuple[Reply, ...] = ()
    effects: tuple[Effect, ...] = ()
    risk: Risk | None = None
    intent: str | None = None
    confidence: float = 0.0


@dataclass(frozen=True, slots=True)
class Waiting:
    """An inbound message as the inbox keeps it: the row's id, and how often answering it has failed."""

    id: str
    conversation_id: str
    message: InboundMessage
    attempts: int = 0
