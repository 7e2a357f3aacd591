"""Writing to somebody first: an approved template where the channel asks for one, and only where it is safe."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from bot.content.model import Content
from bot.domain.cases import Case, CaseAction, Told
from bot.domain.contact import NotSafe, Override, Template, WindowClosed, closes_at, is_first, is_open, record_of
from bot.domain.messages import ChannelName, Lane, OutboundMessage
from bot.domain.private import Private
from bot.ports import Cases, Line

WORDS = "waiting.first."
NO_OVERRIDE = Override("")


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
        content: Callable[[], Content],
        now: Callable[[], datetime],
        wake_delivery: Callable[[], None],
        templates: Sequence[Template],
    ) -> None:
        """*templates*: those that the operator has had approved."""
        self._cases = cases
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

    async def check(self, case: Case, override: Override = NO_OVERRIDE, *, free: bool = True) -> Standing:
        """Say how the person may be written to. Raise `WindowClosed` for *free* words, `NotSafe` without a record."""
        standing = await self.standing(case, await self._cases.transcript(case.conversation_id))
        if free and not standing.open:
            raise WindowClosed(case.id)
        if standing.first and not standing.record and not override.holds:
            raise NotSafe(case.id)
        return standing

    async def write(
        self,
        case: Case,
        who: str,
        template: Template,
        key: str,
        override: Override = NO_OVERRIDE,
        to: Case | None = None,
    ) -> Case:
        """Send a template. Raise `LookupError` for one that is not approved, `NotSafe`.

        *to*: the case whose person is meant, where others were merged into *case*.
        """
        person = to or case
        if template not in self._templates:
            raise LookupError(template.name)
        await self.check(person, override, free=False)
        text = self._says(template, template.locale) or template.name
        message = OutboundMessage(
            Private(text), lane=Lane.DISTRESS, author=who, template=template.name, locale=template.locale
        )
        detail = f"{template.name} ({template.locale})" + (f" · {override.reason}" if override.holds else "")
        done = await self._cases.act(
            case.id, CaseAction.CONTACT, who, self._now(),
            others={person.conversation_id: (message,)}, detail=Private(detail), key=key,
        )  # fmt: skip
        self._wake_delivery()
        return done
