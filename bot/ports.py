"""What the service needs from the world, as Protocols: the edges implement them, tests fake them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Protocol

from bot.domain.agencies import Agency, AgencyList, ListState
from bot.domain.approvals import Request, RequestKind
from bot.domain.attachments import Attachment, FileKind
from bot.domain.cases import Case, CaseAction, CaseEvent, MergedFor, Told
from bot.domain.conversation import Conversation, Turn, Waiting
from bot.domain.identifiers import Identifier
from bot.domain.lessons import LessonCount
from bot.domain.messages import Address, ChannelName, InboundMessage, Media, Moved, OutboundMessage, Receipt
from bot.domain.notices import Notice, Reach, Where
from bot.domain.passkeys import Challenge, ChallengeFor, Passkey
from bot.domain.places import Count, PlaceList, Point, PosterRow, Purpose
from bot.domain.private import NOTHING_SAID, Private
from bot.domain.referrals import Packet
from bot.domain.reports import Decision, Report, ReportFile, Sheet, SheetLine
from bot.domain.roles import Organisation
from bot.domain.rota import Rota, Staff
from bot.domain.tasks import Task
from bot.domain.topics import Ask, Entry, Followed, GroupState, GroupUpdate, Linked, Page, Topic
from bot.domain.understanding import Understanding
from bot.domain.wall import WallSheet
from bot.domain.wording import Mark, Proposal, Version, Words


class ChannelError(Exception):
    """A send that failed; says whether trying again can help.

    retryable: the same message may be sent again. unknown: the bytes left but no answer came, so it may have arrived.
    retry_after: seconds the channel asked for. reason: a short code for the log, never a person's words.
    account: the fault is the whole account's (token, ban), so an operator must be told. alarm: the fault is ours or
    of a template: only this message is lost, and an operator must be told. gone: nothing reaches this person until
    they write. closed: the channel takes words of our own only after the person has written. pause: who must be left
    in peace for *retry_after* seconds: "" nobody, "address" this contact, "account" everybody.
    """

    def __init__(  # noqa: D107, PLR0913
        self,
        reason: str,
        *,
        retryable: bool,
        unknown: bool = False,
        retry_after: float = 0.0,
        account: bool = False,
        gone: bool = False,
        pause: str = "",
        closed: bool = False,
        alarm: bool = False,
    ) -> None:
        super().__init__(reason)
        self.reason = reason
        self.retryable = retryable
        self.unknown = unknown
        self.retry_after = retry_after
        self.account = account
        self.gone = gone
        self.pause = pause
        self.closed = closed
        self.alarm = alarm


class GroupBroken(ChannelError):
    """Nothing can be done in the responders' group until an administrator acts; `reason` says why."""

    def __init__(self, reason: str) -> None:  # noqa: D107
        super().__init__(reason, retryable=False)


class GroupMoved(ChannelError):
    """The group has another chat id now: the same call may be made there."""

    def __init__(self, chat: str) -> None:  # noqa: D107
        super().__init__("group:moved", retryable=True)
        self.chat = chat


class TopicGone(ChannelError):
    """Somebody has deleted this topic, or this message."""

    def __init__(self) -> None:  # noqa: D107
        super().__init__("group:topic_gone", retryable=False)


class StoreUnavailable(Exception):
    """The database did not answer in time; nothing was changed that we know of."""


class VersionClash(Exception):
    """Somebody else committed this conversation first; load it again and decide again."""


class SpeechFailed(Exception):
    """Words that could not be spoken; they are written instead."""


class Voice(Protocol):
    """Speaks."""

    async def say(self, text: str, locale: str, message_id: str) -> bytes:
        """Return *text* as an OGG/Opus voice message. Raise `SpeechFailed`."""
        ...


class Transcriber(Protocol):
    """Writes down what a voice note says, on this machine."""

    async def write_down(self, audio: bytes, locale: str) -> str:
        """Return the words, or "" when it cannot tell. Never raises."""
        ...


class Reader(Protocol):
    """Reads what stands in a picture, on this machine."""

    async def read(self, data: bytes, locale: str) -> str:
        """Return the words, a line each, or "" when there are none or it cannot tell. Never raises."""
        ...


@dataclass(frozen=True, slots=True)
class Wanted:
    """A voice note or picture still to be fetched; `id` is the inbox row it came with."""

    id: str
    conversation_id: str
    channel: ChannelName
    media: Media


class Fetch(Protocol):
    """Fetches a file from a channel."""

    async def __call__(self, media: Media, most_bytes: int) -> bytes:
        """Return its bytes. Raise `ChannelError`, also when it is larger than *most_bytes*."""
        ...


class MediaStore(Protocol):
    """Voice notes and pictures as people sent them, sealed like everything they wrote."""

    async def want(self, wanted: Wanted, now: datetime) -> None:
        """Remember that a note is to be fetched."""
        ...

    async def wanted(self) -> Sequence[Wanted]:
        """Return the notes that are to be fetched."""
        ...

    async def failed(self, note_id: str) -> None:
        """Count one failed try."""
        ...

    async def refuse(self, note_id: str, why: str) -> None:
        """Give one up for good; *why* is the id of words that say so: `too_large`, `not_as_claimed`, `program`."""
        ...

    async def keep(self, note_id: str, conversation_id: str, mime: str, data: bytes, now: datetime) -> None:
        """Store the bytes; a second time is harmless."""
        ...

    async def get(self, note_id: str, conversation_id: str) -> tuple[str, bytes] | None:
        """Return (MIME type, bytes) of a note that belongs to this conversation."""
        ...


@dataclass(frozen=True, slots=True)
class Original:
    """A file as it came, of which a clean copy is to be made. mime: what was claimed; at: when it was kept."""

    id: str
    conversation_id: str
    mime: str
    data: bytes
    at: datetime


@dataclass(frozen=True, slots=True)
class Copy:
    """A clean copy: what a responder may see or hear."""

    mime: str
    data: bytes


class CopyFailed(Exception):
    """No clean copy can be made; `why` is the id of words that say so: `unreadable`, `too_many_pixels`, `too_long`."""

    def __init__(self, why: str) -> None:  # noqa: D107
        super().__init__(why)
        self.why = why


class CopyMaker(Protocol):
    """Makes clean copies, apart from everything that holds a key."""

    async def copy(self, kind: FileKind, data: bytes) -> Copy:
        """Return a copy with nothing in it but what is seen or heard. Raise `CopyFailed`."""
        ...


class Attachments(Protocol):
    """Clean copies of the files that people sent, sealed like the originals, which they never change."""

    async def next_original(self, now: datetime) -> Original | None:
        """Take the oldest file of which there is no copy yet, for a minute."""
        ...

    async def keep(self, original: Original, copy: Copy) -> None:
        """Store a copy; erasing takes it away with its original."""
        ...

    async def refuse(self, original: Original, why: str) -> None:
        """Record that there will be none."""
        ...

    async def of(self, conversation_id: str) -> Mapping[str, Attachment]:
        """Return the files of a conversation by the ids of their lines, in the order in which they came."""
        ...

    async def copy_of(self, note_id: str, conversation_id: str) -> Copy | None:
        """Return the clean copy; None if there is none, or the file must not be shown."""
        ...

    async def hide(self, case: Case, item: Attachment, who: str, reason: Private, now: datetime) -> None:
        """Show a file never again, drop its copy, and open the task to report it. Raise `LookupError`."""
        ...


class Translator(Protocol):
    """A machine outside that translates; used only where an operator has switched it on."""

    async def translate(self, text: str, source: str, target: str) -> str:
        """Return *text* in *target* with every number kept, or "" when it cannot be had. Never raises."""
        ...


class WordingStore(Protocol):
    """Proposals, marks and published versions of our words."""

    async def stamp(self) -> tuple[int, int]:
        """Return a value that changes whenever a version or a mark is new."""
        ...

    async def proposals(self) -> Sequence[Proposal]:
        """Return the open proposals."""
        ...

    async def propose(self, proposal: Proposal) -> None:
        """Store one."""
        ...

    async def withdraw(self, locale: str, message: str) -> None:
        """Drop one."""
        ...

    async def mark(self, mark: Mark) -> None:
        """Add a mark."""
        ...

    async def marks(self) -> Sequence[Mark]:
        """Return all marks, oldest first."""
        ...

    async def current(self) -> Version | None:
        """Return the version in force."""
        ...

    async def versions(self) -> Sequence[Version]:
        """Return all versions, newest first."""
        ...

    async def publish(self, words: Words, who: str, note: str, now: datetime) -> Version:
        """Store a new version and put it in force. Raise `VersionClash`."""
        ...

    async def make_current(self, number: int) -> None:
        """Put a version in force; 0: none."""
        ...


class Channel(Protocol):
    """Sends to one channel."""

    name: ChannelName

    async def send(self, address: Address, message: OutboundMessage, outbox_id: str) -> Private:
        """Send one bubble; return the channel's message id. Raise `ChannelError`."""
        ...

    async def forget(self, address: Address, message_ids: Sequence[Private]) -> None:
        """Delete these messages, of both sides, where the channel can. Raise `ChannelError`."""
        ...


class Understander(Protocol):
    """Parses text into intents. Never raises; NOTHING when it cannot say."""

    async def understand(self, text: str, locale: str) -> Understanding:
        """Return what *text* means, within its own time limit."""
        ...


@dataclass(frozen=True, slots=True)
class Lease:
    """A worker's timed right to one conversation; the token rises with every lease, so a late worker is refused."""

    conversation_id: str
    owner: str
    token: int


def reference(inbox_id: str) -> str:
    """Return the short name under which responders hear of a message: pages about the same one carry the same."""
    return inbox_id[:12]


class Inbox(Protocol):
    """Accepted, not answered."""

    def row_id(self, key: str) -> str:
        """Return the id under which a message with this idempotency key is kept."""
        ...

    def conversation_id(self, address: Address) -> str:
        """Return the conversation of a contact."""
        ...

    async def add(self, message: InboundMessage) -> bool:
        """Store durably (majority, journal); False if the key is known already. Raise `StoreUnavailable`."""
        ...

    async def waiting_conversation(self, skip: frozenset[str] = frozenset()) -> str | None:
        """Return the conversation that has waited longest, if any."""
        ...

    async def waiting(self, conversation_id: str, most: int) -> Sequence[Waiting]:
        """Return its first *most* unanswered messages in the order in which they were sent."""
        ...

    async def failed(self, waiting: Waiting) -> int:
        """Count one failed attempt and return how many there were."""
        ...


@dataclass(frozen=True, slots=True)
class Rendered:
    """A turn with its words: the outbound messages in order."""

    turn: Turn
    messages: tuple[OutboundMessage, ...]


class Conversations(Protocol):
    """The lasting state, one commit per turn."""

    async def lease(self, conversation_id: str, owner: str) -> Lease | None:
        """Take the right to answer it, or None if another worker has it."""
        ...

    async def renew(self, lease: Lease) -> bool:
        """Keep the right for longer; False if another worker has it by now."""
        ...

    async def release(self, lease: Lease) -> None:
        """Give the right back."""
        ...

    async def load(self, conversation_id: str, channel: ChannelName) -> Conversation:
        """Return it as committed last; a new contact gets an empty one."""
        ...

    async def commit(self, rendered: Rendered, answered: Waiting, lease: Lease, now: datetime) -> None:
        """Write conversation, outbox, case, alerts and inbox row together, or nothing. Raise `VersionClash`."""
        ...

    async def erase_due(self, now: datetime) -> int:
        """Erase the conversations that asked for it and whose farewell has left; return how many."""
        ...


@dataclass(frozen=True, slots=True)
class Due:
    """An outbox row that is to be sent now. heard_at: when the person wrote last, by the channel's clock, if known.

    doubts: how often it was sent without an answer, so that it may have arrived.
    """

    id: str
    conversation_id: str
    address: Address
    message: OutboundMessage
    attempts: int = 0
    state: str = "waiting"
    heard_at: datetime | None = None
    doubts: int = 0


@dataclass(frozen=True, slots=True)
class Wish:
    """What a person wants of us while they do not write; locale: their language, "" if never chosen or guessed.

    may_write: they said yes to a greeting when an answer waits, and nothing has taken that back.
    """

    locale: str = ""
    may_write: bool = False


class HeldBack(Protocol):
    """Messages that the channel takes only after the person has written again."""

    async def wish(self, due: Due) -> Wish:
        """Return what the person of this message wants."""
        ...

    async def hold(self, due: Due, greeting: OutboundMessage | None, note: str, now: datetime) -> None:
        """Keep it until they write; queue the greeting unless one has gone out since; *note* goes to an open case."""
        ...


class Moves(Protocol):
    """People who change their address on a channel."""

    async def move(self, moved: Moved, now: datetime) -> str:
        """Let conversation and open case follow: `moved`, `linked` (both stay), `unknown` or `repeated`.

        Raise `StoreUnavailable`.
        """
        ...


@dataclass(frozen=True, slots=True)
class Hold:
    """Who must wait ("address": this contact, "account": the whole channel), and for how many seconds."""

    scope: str
    seconds: float


class Pacer(Protocol):
    """Keeps to what each platform allows, across all processes, and keeps room for danger."""

    async def take(self, due: Due) -> Hold | None:
        """Take leave to send this message; not None: it must wait."""
        ...

    async def pause(self, due: Due, scope: str, seconds: float) -> None:
        """Let nothing leave to this contact, or at all, for so long."""
        ...


@dataclass(frozen=True, slots=True)
class Trace:
    """What of a conversation is to vanish from the person's screen: the channel's ids of its messages."""

    conversation_id: str
    address: Address
    message_ids: Sequence[Private]
    since: datetime


class Traces(Protocol):
    """Conversations whose messages are to vanish from the person's screen."""

    async def due(self, now: datetime) -> Sequence[Trace]:
        """Return those that are due and have nothing left to send."""
        ...

    async def later(self, trace: Trace, at: datetime) -> None:
        """Try again at *at*."""
        ...

    async def done(self, trace: Trace) -> None:
        """Settle it, unless the person has asked again since."""
        ...


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


class Outbox(Protocol):
    """Committed, not delivered."""

    async def next_due(self, owner: str, resting: frozenset[ChannelName] = frozenset()) -> Due | None:
        """Lease the next message to send: distress first, per conversation and lane in order.

        Of *resting* channels only what danger needs.
        """
        ...

    async def put_back(self, due: Due) -> None:
        """Give up the lease; nothing was tried."""
        ...

    async def put_off(self, due: Due, seconds: float) -> None:
        """Let this message wait, and what comes behind it in its conversation; nothing was tried."""
        ...

    async def sending(self, due: Due) -> bool:
        """Record that bytes are about to leave; False if it was settled meanwhile and must not leave."""
        ...

    async def sent(self, due: Due, channel_message_id: Private) -> None:
        """Record the channel's id."""
        ...

    async def retry(self, due: Due, seconds: float, reason: str) -> None:
        """Put it back for later."""
        ...

    async def unknown(self, due: Due, reason: str) -> None:
        """It may have arrived: wait for a receipt before trying once more."""
        ...

    async def failed(self, due: Due, reason: str) -> None:
        """Give it up and say why; an open case hears of it."""
        ...

    async def unreachable(self, due: Due, reason: str) -> None:
        """Give it up, and send nothing more to this person until they write."""
        ...

    async def receipt(self, receipt: Receipt) -> bool:
        """Move a message forward; False if no message is known by these ids."""
        ...


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
    ) -> Case:
        """Apply one action atomically with its event and the messages it sends.

        *others*: what is said, besides, in the conversations of merged cases, by conversation. Raise
        `IllegalTransition`, `NotOwner`, `OpenTasks`, or `LookupError` for an unknown id. `key` makes a repeat harmless.
        labels, district: what `SHARE` gives the case; the labels that `UNSHARE` takes from it.
        """
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

    async def running(self, who: str, kind: RequestKind, case_id: str, now: datetime) -> Request | None:
        """Return what was approved for *who* about this case and has not ended."""
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


class NotOwner(Exception):
    """Somebody else has this case."""


#: The kind of an alert that is for whoever runs the service: a platform refuses what we send.
CHANNEL_FAULT = "channel_fault"


@dataclass(frozen=True, slots=True)
class Alert:
    """One page to one alert channel about one case event; carries ids and kinds, never a person's words.

    source: the list of recruiters, or for `CHANNEL_FAULT` the channel, that it is about instead; then there is no
    case, and `values` fill its words.
    ref: the message that led to it (see `reference`). A page that left before its case could be stored has no case yet;
    the case's own page follows with the same `ref`. rung: how far up the ladder; 0 is the first page.
    to: the logins of those whom it is for; none: everybody.
    """

    id: str
    case_id: str
    channel: str
    kind: str
    reason: str
    locale: str
    attempts: int = 0
    source: str = ""
    values: Mapping[str, str] = field(default_factory=dict)
    ref: str = ""
    rung: int = 0
    to: tuple[str, ...] = ()

    @property
    def path(self) -> str:
        """Where in the console it leads."""
        if self.kind == CHANNEL_FAULT:
            return "/console/"
        if self.source:
            return "/console/lists"
        return f"/console/cases/{self.case_id}" if self.case_id else "/console/queue"


class Alerts(Protocol):
    """Pages that are due, one row per alert channel."""

    async def next_due(self, owner: str, channel: str) -> Alert | None:
        """Lease the alert to be sent next over this alert channel; pages that were overtaken are closed unsent."""
        ...

    async def unheard(self, inbox_ids: Sequence[str]) -> frozenset[str]:
        """Return which of these messages nobody has answered, or were answered and their page was not yet tried.

        Raise `StoreUnavailable`.
        """
        ...

    async def add(self, alerts: Sequence[Alert], now: datetime) -> int:
        """Queue those whose ids are not there yet, whoever else does the same; return how many were new."""
        ...

    async def done(self, alert: Alert) -> None:
        """It went out."""
        ...

    async def retry(self, alert: Alert, seconds: float, reason: str, *, missed: bool) -> None:
        """Put it back for later; after a day give it up. missed: it surely reached nobody."""
        ...

    async def nobody_reached(self, alert: Alert) -> bool:
        """Say whether this event's page surely missed people on every channel that leads away from the console."""
        ...


class Rotas(Protocol):
    """The rota and the staff."""

    async def current(self) -> Rota:
        """Return the rota in force; one without shifts if there is none."""
        ...

    async def save(self, rota: Rota, who: str, now: datetime) -> None:
        """Put a rota in force."""
        ...

    async def staff(self) -> Staff:
        """Return who works on cases, who supervises, and how many open cases each has."""
        ...


@dataclass(frozen=True, slots=True)
class Flight:
    """What became of one canary: seconds until it reached each alert channel, and which it did not reach."""

    at: datetime
    arrived: Mapping[str, float]
    missing: tuple[str, ...]


class Canaries(Protocol):
    """Where canaries leave their marks."""

    async def my_turn(self, every: float) -> bool:
        """Say whether this process is to send the next one: one of all processes, every so many seconds."""
        ...

    async def arrived(self) -> Mapping[str, datetime]:
        """Return when the present one reached each alert channel."""
        ...

    async def sweep(self) -> None:
        """Remove all that the last one left: conversation, case, pages."""
        ...

    async def record(self, flight: Flight) -> None:
        """Keep what became of one."""
        ...

    async def last(self) -> Flight | None:
        """Return the last one recorded, by whichever process."""
        ...


class Pager(Protocol):
    """One way to alert responders. Raise `ChannelError`."""

    name: str

    async def page(self, alert: Alert) -> None:
        """Tell the responders that a case waits."""
        ...

    async def check(self, alert: Alert) -> None:
        """Find out whether a page would arrive, without waking anybody. Raise `ChannelError` if it would not."""
        ...


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

    async def untold(self, case_id: str, conversation_id: str) -> Sequence[Entry]:
        """Return what was said and done and does not stand in the topic yet, oldest first."""
        ...

    async def told(self, case_id: str, entries: Sequence[Entry], now: datetime) -> None:
        """Remember that these stand there, or need not."""
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


class Agencies(Protocol):
    """Imported lists of recruiters, every former version kept."""

    async def lists(self) -> Sequence[AgencyList]:
        """Return the version in force of every list, without the problems of its file."""
        ...

    async def versions(self, source: str = "") -> Sequence[AgencyList]:
        """Return every version of one list, or of all, newest first; without the problems of their files."""
        ...

    async def version(self, source: str, number: int) -> AgencyList | None:
        """Return one version with the problems of its file."""
        ...

    async def rows(self, source: str) -> Sequence[Agency]:
        """Return the rows of the version in force of one list."""
        ...

    def each_row(self, source: str, version: int | None = None) -> AsyncIterator[Agency]:
        """Yield the rows of one version, else of the one in force, in the order of the file."""
        ...

    async def first_rows(self, source: str, version: int, most: int) -> Sequence[Agency]:
        """Return at most *most* rows from the top of the file."""
        ...

    async def find(self, source: str, version: int, ids: Sequence[str]) -> Mapping[str, Agency]:
        """Return the rows of these ids, those that are there."""
        ...

    async def store(self, listing: AgencyList, rows: Iterable[Agency]) -> AgencyList:
        """Store a new version under the next number, as `STORING`: not in force, and not yet to be put in force."""
        ...

    async def settle(self, listing: AgencyList, state: ListState, reason: str = "") -> AgencyList:
        """Say what became of a version that has been stored: kept or quarantined."""
        ...

    async def apply(self, listing: AgencyList, rows: Sequence[Agency]) -> AgencyList:
        """Store a new version and put it in force."""
        ...

    async def make_current(self, source: str, version: int, *, by: str = "", release: bool = False) -> None:
        """Put one version in force by one write; with *release* also a quarantined one. Raise `LookupError`."""
        ...

    async def discard(self, source: str, version: int) -> bool:
        """Drop the rows of a quarantined version, its line stays; False if it is not (any more) quarantined."""
        ...

    async def prune(self, source: str, keep: int, now: datetime) -> int:
        """Drop the rows of all but the *keep* newest kept versions and the one in force; return how many versions."""
        ...


class Reports(Protocol):
    """Reports about recruiters, each under the id of its case, what humans decided of them, and the sheets."""

    def key(self, identifier: Identifier) -> str:
        """Return the keyed hash by which an identifier is found again."""
        ...

    async def stamp(self) -> tuple[int, int, int]:
        """Return a value that changes whenever a report or a decision does."""
        ...

    async def live(self) -> Sequence[Report]:
        """Return every report that counts, with hashes only."""
        ...

    async def decisions(self) -> Sequence[Decision]:
        """Return all, oldest first, without their reasons."""
        ...

    async def reasons(self, numbers: Sequence[int]) -> Mapping[int, Private]:
        """Return the reasons of some decisions."""
        ...

    async def decide(self, decision: Decision, seen: int) -> Decision:
        """Append the decision after number *seen*. Raise `VersionClash` if that is not the last."""
        ...

    async def file(self, case_id: str) -> ReportFile | None:
        """Return one report, readable."""
        ...

    async def files(self, case_ids: Sequence[str]) -> Sequence[ReportFile]:
        """Return several, readable; those that are gone are left out."""
        ...

    async def hold(self, case_id: str, conversation: str, identifier: Identifier, who: str, now: datetime) -> bool:
        """Add an identifier, beginning the report if there is none; False if it is there or the report is full."""
        ...

    async def let_go(self, case_id: str, key: str) -> bool:
        """Take an identifier out for good; False if it is not there."""
        ...

    async def describe(self, case_id: str, conversation: str, district: str, amount: int, now: datetime) -> None:
        """Keep district and amount."""
        ...

    async def retract(self, case_id: str, conversation: str, who: str, reason: str, now: datetime) -> bool:
        """Let a report count no more; False if it does not count already."""
        ...

    async def restore(self, case_id: str) -> bool:
        """Let a retracted report count again; False if it was not retracted."""
        ...

    async def expire(self, before: datetime) -> int:
        """Remove the reports that were opened before; return how many."""
        ...

    async def next_sheet(self, reports: Sequence[str], line: SheetLine) -> SheetLine:
        """Take the next number of a sheet."""
        ...

    async def sheet_made(self, number: int, digest: str, file: str) -> None:
        """Record what was handed out."""
        ...

    async def sheets(self, reports: Sequence[str]) -> Sequence[SheetLine]:
        """Return the sheets that told of any of these reports, newest first."""
        ...


class PacketWriter(Protocol):
    """Writes a referral as a file."""

    def write(self, packet: Packet, words: Mapping[str, str]) -> bytes:
        """Return a PDF; *words*: what the paper says itself, in the language of its maker."""
        ...


class SheetWriter(Protocol):
    """Writes a sheet as a file."""

    def write(self, sheet: Sheet, form: str, words: Mapping[str, str]) -> bytes:
        """Return the bytes of a `pdf` or `csv`; *words*: what the sheet says itself, in the language of its maker."""
        ...


@dataclass(frozen=True, slots=True)
class Stamp:
    """Who did what, for the audit."""

    who: str
    action: str
    about: str = ""
    reason: str = ""
    extra: Mapping[str, str] = field(default_factory=dict)


class Audit(Protocol):
    """Append-only, hash-chained record of every read and action in the console."""

    async def record(self, stamp: Stamp, now: datetime) -> None:
        """Append one entry."""
        ...

    async def abouts(self, who: str, action: str, since: datetime) -> frozenset[str]:
        """Return the ids about which *who* did this since then."""
        ...

    async def verify(self) -> int:
        """Return how many entries form an unbroken chain; raise `ValueError` naming the first broken one."""
        ...


@dataclass(frozen=True, slots=True)
class Responder:
    """A trained person with a login. role: see `bot.domain.roles.Role`. organisation: of a partner.

    recovery: keyed hashes of the codes that stand in for a lost second factor, each once.
    """

    id: str
    name: str
    role: str
    password_hash: str
    totp_secret: str = ""
    active: bool = True
    must_change: bool = False
    created_on: date | None = None
    organisation: str = ""
    recovery: tuple[str, ...] = ()


class Organisations(Protocol):
    """Partner organisations, and what the administrator asks of everybody."""

    async def get(self, organisation_id: str) -> Organisation | None:
        """Return one."""
        ...

    async def all(self) -> Sequence[Organisation]:
        """Return all, by id."""
        ...

    async def save(self, organisation: Organisation) -> None:
        """Insert or replace."""
        ...

    async def second_factor_needed(self) -> bool:
        """Say whether everybody must have a second factor."""
        ...

    async def need_second_factor(self, *, needed: bool) -> None:
        """Ask everybody for a second factor, or nobody."""
        ...


class Passkeys(Protocol):
    """Passkeys, and the challenges that are out."""

    async def of(self, person: str) -> Sequence[Passkey]:
        """Return the passkeys of a person, oldest first."""
        ...

    async def get(self, passkey_id: str) -> Passkey | None:
        """Return one."""
        ...

    async def add(self, passkey: Passkey) -> bool:
        """Store a new one; False if it is known already."""
        ...

    async def used(self, passkey: Passkey, count: int, now: datetime) -> bool:
        """Record a use; False if the count has moved since *passkey* was read: somebody else used it meanwhile."""
        ...

    async def drop(self, person: str, passkey_id: str = "") -> int:
        """Remove one of a person's passkeys, or all; return how many."""
        ...

    async def give(self, challenge: Challenge, until: datetime) -> None:
        """Keep a challenge until then."""
        ...

    async def take(self, name: str, purpose: ChallengeFor, now: datetime) -> Challenge | None:
        """Return a challenge that is still good and forget it: nobody gets it a second time."""
        ...


class Responders(Protocol):
    """People who may open the console."""

    async def get(self, responder_id: str) -> Responder | None:
        """Return one by login name."""
        ...

    async def all(self) -> Sequence[Responder]:
        """Return everyone."""
        ...

    async def save(self, responder: Responder) -> None:
        """Insert or replace."""
        ...


class PlaceStore(Protocol):
    """Transit points by version, what became of posters, and counts by day."""

    async def in_force(self) -> int:
        """Return the number of the version in force; 0 for none."""
        ...

    async def make_current(self, version: int) -> None:
        """Put a version in force."""
        ...

    async def points(self, version: int) -> Sequence[Point]:
        """Return the points of one version, by code."""
        ...

    async def lists(self) -> Sequence[PlaceList]:
        """Return every imported file, newest first."""
        ...

    async def keep(self, listing: PlaceList, points: Sequence[Point]) -> PlaceList:
        """Store a file under the next number; not yet in force."""
        ...

    async def release(self, version: int) -> None:
        """Take a version out of quarantine."""
        ...

    async def posters(self) -> Sequence[PosterRow]:
        """Return what is known of posters: later series, withdrawn ones, reported ones."""
        ...

    async def add_series(self, place: str, purpose: Purpose, series: int, now: datetime) -> bool:
        """Begin a series; False if somebody else began it meanwhile."""
        ...

    async def revoke(self, place: str, purpose: Purpose, series: int, who: str, reason: str, now: datetime) -> bool:
        """Withdraw a series for good; False if it was withdrawn before."""
        ...

    async def count(self, counts: Sequence[Count]) -> None:
        """Add to the day's numbers."""
        ...

    async def counts(self, since: date) -> Sequence[Count]:
        """Return the numbers of every day from *since* on."""
        ...


class WallPrinter(Protocol):
    """Makes of a sheet what is printed."""

    def pdf(self, sheet: WallSheet, kind: str, size: str, at: datetime) -> bytes:
        """Return a PDF of a `poster`, of `sticker`s or of a `volunteer`'s sheet on `a4` or `a3`; takes seconds."""
        ...

    def square(self, link: str) -> str:
        """Return the QR code of *link* as SVG with its quiet zone."""
        ...

    def picture(self, name: str) -> str:
        """Return a pictogram as SVG in the colour of the text round it."""
        ...
