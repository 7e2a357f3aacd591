"""Writing to somebody first: an approved template where the channel asks for one, and only where it is safe."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from bot.content.model import Content
from bot.domain.approvals import RequestKind
from bot.domain.cases import Case, CaseAction, Told
from bot.domain.contact import NotSafe, Override, Template, WindowClosed, closes_at, is_first, is_open, record_of
from bot.domain.messages import ChannelName, Lane, OutboundMessage
from bot.domain.private import Private
from bot.ports import Approvals, Audit, Cases, Line, Stamp

WORDS = "waiting.first."
NO_OVERRIDE = Override()


@dataclass(frozen=True, slots=True)
class Standing:
    """How one person can be written to now. closes_at: see `domain.contact`; record: what says that it is safe."""

    open: bool
    first: bool
    closes_at: datetime | None
    record: Told | None


@dataclass(frozen=True, slots=True)
class Words:
    """A template and what it says, in the person's language and as the responder reads it; "" if we do not know."""

    template: Template
    theirs: str
    ours: str


class First:
    """Decides who may be written to, and writes."""

    def __init__(
        self,
        cases: Cases,
        approvals: Approvals,
        audit: Audit,
        content: Callable[[], Content],
        now: Callable[[], datetime],
        wake_delivery: Callable[[], None],
        templates: Sequence[Template],
    ) -> None:
        """*templates*: those that the operator has had approved."""
        self._cases = cases
        self._approvals = approvals
        self._audit = audit
        self._content = content
        self._now = now
        self._wake_delivery = wake_delivery
        self._templates = templates

    async def standing(self, case: Case, lines: Sequence[Line]) -> Standing:
        """Return how the person of *case* can be written to; *lines*: their conversation."""
        heard = max((min(line.at, line.sent_at or line.at) for line in lines if line.who == "person"), default=None)
        channel, now = ChannelName(case.channel), self._now()
        told = await self._told(case)
        record = None if case.silent else record_of(told)
        return Standing(is_open(channel, heard, now), is_first(heard, now), closes_at(channel, heard), record)

    async def _told(self, case: Case) -> list[Told]:
        """Return what the person answered in this case and in those before it."""
        every = await self._cases.of_conversation(case.conversation_id) if case.conversation_id else ()
        return [answer for one in every for answer in await self._cases.told(one.id)]

    def templates(self, case: Case, lang: str) -> list[Words]:
        """Return the approved templates in the person's language; all of them where there is none."""
        mine = [item for item in self._templates if item.locale == case.locale]
        return [Words(item, self._says(item, item.locale), self._says(item, lang)) for item in mine or self._templates]

    def _says(self, template: Template, locale: str) -> str:
        try:
            return self._content().words(locale, WORDS + template.name)
        except KeyError:
            return ""

    async def check(
        self, case: Case, who: str = "", key: str = "", to: Case | None = None, *, free: bool = True
    ) -> Override:
        """Return what lets *who* write now; `NO_OVERRIDE` where nothing is needed, or where *key* was done already.

        Raise `WindowClosed` for *free* words that the channel does not take, `NotSafe` where whoever writes begins and
        there is neither a record nor a second person's yes. *to*: see `write`.
        """
        person = to or case
        standing = await self.standing(person, await self._cases.transcript(person.conversation_id))
        if free and not standing.open:
            raise WindowClosed(case.id)
        if not standing.first or standing.record or (key and await self._cases.acted(case.id, key)):
            return NO_OVERRIDE
        override = await self._agreed(case, who, person)
        if not override.holds:
            raise NotSafe(case.id)
        return override

    async def _agreed(self, case: Case, who: str, person: Case) -> Override:
        """Return the leave that a second person gave *who* to write to this person, if it still holds."""
        kind = RequestKind.CONTACT
        found = await self._approvals.running(who, kind, case.id, self._now(), person.id) if who else None
        return Override(found.id, found.decided_by) if found else NO_OVERRIDE

    async def wrote(self, case: Case, who: str, override: Override) -> None:
        """Leave a line in the audit where somebody was written to on a second person's yes."""
        if override.holds:
            extra = {"which": override.request, "second": override.second}
            await self._audit.record(Stamp(who, "contact used", case.id, extra=extra), self._now())

    async def write(self, case: Case, who: str, template: Template, key: str, to: Case | None = None) -> Case:
        """Send a template. Raise `LookupError` for one that is not approved, `NotSafe`, `NotAllowed`.

        *to*: the case whose person is meant, where others were merged into *case*.
        """
        person = to or case
        if template not in self._templates:
            raise LookupError(template.name)
        override = await self.check(case, who, key, person, free=False)
        text = self._says(template, template.locale) or template.name
        message = OutboundMessage(
            Private(text), lane=Lane.DISTRESS, author=who, template=template.name, locale=template.locale
        )
        detail = Private(f"{template.name} ({template.locale})")
        done = await self._cases.act(
            case.id, CaseAction.CONTACT, who, self._now(),
            others={person.conversation_id: (message,)}, detail=detail, key=key, approval=override.request,
        )  # fmt: skip
        await self.wrote(case, who, override)
        self._wake_delivery()
        return done
