"""Files that people send: fetched, kept sealed, and copied clean."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from bot.domain.attachments import Attachment, FileKind
from bot.domain.cases import Case
from bot.domain.messages import ChannelName, Media
from bot.domain.private import Private
from bot.domain.quota import Quota, Room


@dataclass(frozen=True, slots=True)
class Wanted:
    """A voice note or picture still to be fetched; `id` is the inbox row it came with. voice: it came as a voice note.

    media: None for a file that stands nowhere any more: the web chat's, where there was no room for it.
    """

    id: str
    conversation_id: str
    channel: ChannelName
    media: Media | None
    voice: bool = False


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

    async def room(self, wanted: Wanted, quota: Quota, now: datetime) -> Room:
        """Say whether this person may send one more; asked again about the same file, the answer is the same."""
        ...

    async def leave(self, wanted: Wanted, now: datetime, why: str) -> None:
        """Remember that a file came and was not fetched; *why* is the id of words that say so."""
        ...

    async def want_after_all(self, note_id: str, conversation_id: str) -> bool:
        """Let one that was left be fetched, whatever the quota; False where it cannot be had."""
        ...

    async def wanted(self, now: datetime) -> Sequence[Wanted]:
        """Return the notes that are to be fetched now."""
        ...

    async def failed(self, note_id: str, now: datetime, pause: float | None, *, final: bool, began: datetime) -> bool:
        """Let it be tried again after *pause* seconds (None: later each time, and counted); True to give it up.

        final: the channel says that it has no such file. began: when this was tried; it counts for nothing if its time
        had not come then, as where another process has failed meanwhile.
        """
        ...

    async def refuse(self, note_id: str, why: str) -> None:
        """Give one up for good; *why*: `too_large`, `not_as_claimed`, `program`, `gone` (ids of words)."""
        ...

    async def keep(
        self, note_id: str, conversation_id: str, mime: str, data: bytes, now: datetime, *, fetched: bool = False
    ) -> None:
        """Store the bytes; a second time is harmless. *fetched*: only if the note is still wanted."""
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
