"""Who may see what we hold of a person beyond their case: the sealed original, a case not one's own, the address.

Also who may write first to somebody of whom nothing says that it is safe: it needs a second person like the others.

Every step is a line in the case's history and one in the audit, refusals and what ended by itself too.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from bot.domain.approvals import NotAllowed, Request, RequestKind
from bot.domain.attachments import Attachment, neutral_name
from bot.domain.cases import Case, CaseAction, CaseState
from bot.domain.messages import Address, ChannelName
from bot.domain.private import Private
from bot.ports import Approvals, Attachments, Audit, Cases, Contacts, MediaStore, NotOwner, Stamp

log = logging.getLogger(__name__)
LONGEST_REASON = 500
LOOK_EVERY = 2.0
#: Channels on which an address says how to reach a person; of the others it is only a key to their chat.
REACHABLE = frozenset({ChannelName.WHATSAPP, ChannelName.TELEGRAM})
SUPERVISOR = "supervisor"


@dataclass(frozen=True, slots=True)
class Paper:
    """A sealed original as it is handed out: under a neutral name, byte for byte as it came."""

    name: str
    data: bytes


@dataclass(frozen=True, slots=True)
class Shelves:
    """Where it all is."""

    cases: Cases
    media: MediaStore
    attachments: Attachments
    approvals: Approvals
    contacts: Contacts
    audit: Audit


class Custody:
    """Each verb asks the rules, acts, and writes it down."""

    def __init__(self, shelves: Shelves, now: Callable[[], datetime]) -> None:  # noqa: D107
        self._on = shelves
        self._now = now

    # --- asking and deciding

    async def ask_original(self, case: Case, who: str, note_id: str, reason: str) -> Request:
        """Ask for a file as it came; only whoever has the case. Raise `NotOwner`, `NotAllowed`, `LookupError`."""
        await self._file(case, note_id)
        if case.owner != who:
            await self._say(who, "original refused", case.id, note_id)
            raise NotOwner(case.id)
        return await self._ask(RequestKind.ORIGINAL, case.id, note_id, who, reason)

    async def ask_case(self, case_id: str, who: str, reason: str) -> Request:
        """Ask to read a case that one may not see. Raise `NotAllowed`, `LookupError`."""
        return await self._ask(RequestKind.CASE, case_id, "", who, reason)

    async def ask_contact(self, case: Case, who: str, person_id: str, reason: str) -> Request:
        """Ask to write first to the person of *person_id*, this case or one merged into it; only whoever has the case.

        Raise `NotOwner`, `NotAllowed`, `LookupError`.
        """
        if case.owner != who:
            await self._say(who, "contact refused", case.id, person_id)
            raise NotOwner(case.id)
        if case.state is CaseState.CLOSED:
            raise LookupError(case.id)
        return await self._ask(RequestKind.CONTACT, case.id, person_id, who, reason)

    async def _ask(self, kind: RequestKind, case_id: str, about: str, who: str, reason: str) -> Request:
        words = Private(reason.strip()[:LONGEST_REASON])
        request = Request(secrets.token_hex(8), kind, case_id, about, who, words, self._now())
        try:
            await self._on.approvals.ask(request)
        except NotAllowed as error:
            await self._say(who, f"{kind.value} not asked for", case_id, error.why)
            raise
        await self._say(who, f"{kind.value} asked for", case_id, request.id)
        return request

    async def decide(self, request_id: str, who: str, role: str, answer: str, *, yes: bool) -> Request:
        """Approve or refuse what somebody else asked for. Raise `NotAllowed`, `LookupError`."""
        words = answer[:LONGEST_REASON]
        try:
            done = await self._on.approvals.decide(request_id, who, role, self._now(), yes=yes, answer=words)
        except NotAllowed as error:
            await self._say(who, "decision refused", request_id, error.why)
            raise
        await self._say(who, f"{done.kind.value} {done.state.value}", done.case_id, done.id)
        return done

    async def end_over(self) -> int:
        """End what was not decided or not used in time; return how much."""
        ended = 0
        for name in await self._on.approvals.over_time(self._now()):
            done = None
            with contextlib.suppress(LookupError):
                done = await self._on.approvals.end(name, self._now())
            if done:
                ended += 1
                await self._say("clock", f"{done.kind.value} {done.state.value}", done.case_id, done.id)
        return ended

    # --- using

    async def open_original(self, case: Case, who: str, request_id: str) -> Paper:
        """Hand out an approved original, once. Raise `NotAllowed`, `NotOwner`, `LookupError`."""
        request = await self._on.approvals.get(request_id)
        if not request or request.case_id != case.id:
            raise LookupError(request_id)
        if case.owner != who:
            await self._say(who, "original refused", case.id, request.id)
            raise NotOwner(case.id)
        item, conversation = await self._file(case, request.about)
        found = await self._on.media.get(item.id, conversation)
        if not found:
            raise LookupError(item.id)
        try:
            await self._on.approvals.use(request.id, who, self._now())
        except NotAllowed as error:
            await self._say(who, "original refused", case.id, error.why)
            raise
        await self._say(who, "original handed out", case.id, request.id)
        return Paper(neutral_name(case.id, item.number, item.kind, found[1]), found[1])

    async def may_read(self, case_id: str, who: str) -> Request | None:
        """Return what lets *who* read a case for now, None when nothing does."""
        found = await self._on.approvals.running(who, RequestKind.CASE, case_id, self._now())
        await self._say(who, "case read by break-glass" if found else "break-glass refused", case_id)
        return found

    async def reveal(self, case: Case, who: str, role: str, reason: str) -> Address:
        """Return where the person is written to. Raise `NotAllowed`, `NotOwner`, `LookupError`."""
        words = reason.strip()[:LONGEST_REASON]
        if not words:
            raise NotAllowed("no_reason")
        if case.owner != who and role != SUPERVISOR:
            await self._say(who, "address refused", case.id)
            raise NotOwner(case.id)
        found = await self._on.contacts.address(case.conversation_id) if case.conversation_id else None
        if not found or found.channel not in REACHABLE:
            raise LookupError(case.id)
        await self._on.cases.act(case.id, CaseAction.REVEAL, who, self._now(), detail=Private(words))
        await self._say(who, "address revealed", case.id)
        return found

    async def hide(self, case: Case, who: str, note_id: str, reason: str) -> None:
        """Show a file never again and open the duty to report it. Raise `NotAllowed`, `LookupError`."""
        if not reason.strip():
            raise NotAllowed("no_reason")
        found, _ = await self._sent(case, note_id)
        await self._on.attachments.hide(case, found, who, Private(reason.strip()[:LONGEST_REASON]), self._now())
        await self._say(who, "file hidden for good", case.id, note_id)

    async def fetch_after_all(self, case: Case, who: str, note_id: str) -> None:
        """Let a file be fetched for which there was no room. Raise `NotOwner`, `LookupError` where it cannot be had."""
        _, conversation = await self._sent(case, note_id)
        if case.owner != who:
            raise NotOwner(case.id)
        if not await self._on.media.want_after_all(note_id, conversation):
            raise LookupError(note_id)
        await self._say(who, "file fetched after all", case.id, note_id)

    async def _file(self, case: Case, note_id: str) -> tuple[Attachment, str]:
        found, conversation = await self._sent(case, note_id)
        if not found.may_be_asked_for:
            raise LookupError(note_id)
        return found, conversation

    async def _sent(self, case: Case, note_id: str) -> tuple[Attachment, str]:
        """Return a file of the case's person, or of one whose case was merged into it, and its conversation."""
        for conversation in (case.conversation_id, *case.also):
            if found := (await self._on.attachments.of(conversation)).get(note_id):
                return found, conversation
        raise LookupError(note_id)

    async def _say(self, who: str, action: str, about: str, which: str = "") -> None:
        extra = {"which": which} if which else {}
        await self._on.audit.record(Stamp(who, action, about, extra=extra), self._now())


async def keep_ending(custody: Custody, pause: float = LOOK_EVERY) -> None:
    """Look for ever at what has run out of time."""
    while True:
        try:
            await custody.end_over()
        except Exception as error:
            log.exception("ending requests goes on after an error", extra={"error": type(error).__name__})
        await asyncio.sleep(pause)
