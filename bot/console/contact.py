"""Reaching a case's person: replies, approved templates, consent, a safe way of contact, a machine's translation."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from aiohttp import web

from bot.console.auth import Session
from bot.console.files import why_refused
from bot.console.transcript import visible
from bot.console.views import Views
from bot.domain.approvals import NotAllowed, Request, RequestKind, RequestState
from bot.domain.cases import Case
from bot.domain.contact import SAFE_CONTACT, NotSafe, Template, Watched, WindowClosed
from bot.domain.private import Private
from bot.ports import Line, NotOwner
from bot.service.first import Standing, Words

Service = Any
REFUSED: Final[dict[type[Exception], str]] = {
    WindowClosed: "first.error.closed",
    NotSafe: "first.error.unsafe",
    Watched: "first.error.watched",
    NotAllowed: "seal.not_approved",
    LookupError: "first.error.unknown",
}
LONGEST: Final = 500


@dataclass(frozen=True, slots=True)
class Person:
    """Whom a reply may go to: the case's own person, or that of a merged case. closes: ISO 8601 or "".

    asked: the owner's request to write first, while it waits or holds.
    """

    case: Case
    standing: Standing
    templates: tuple[Words, ...]
    asked: Request | None = None

    @property
    def closes(self) -> str:
        """Until when the channel takes words of our own."""
        return self.standing.closes_at.isoformat(timespec="seconds") if self.standing.closes_at else ""

    @property
    def needs_second(self) -> bool:
        """True where whoever writes begins, and nothing says that it is safe."""
        return self.standing.first and not self.standing.record

    @property
    def how(self) -> str:
        """Return `free`, `needs` a second person, `waits` for one, or `agreed`: one has said yes to one message."""
        if not self.needs_second:
            return "free"
        if not self.asked:
            return "needs"
        return "waits" if self.asked.state is RequestState.WAITING else "agreed"


class ContactViews:
    """One method per route."""

    def __init__(self, service: Service, views: Views, session_of: Callable[[web.Request], Session]) -> None:
        """*views* draws pages and writes the audit."""
        self._service = service
        self._views = views
        self._session = session_of

    async def reply(self, request: web.Request) -> web.StreamResponse:
        """Write to the person, while their channel takes our words and nothing speaks against it."""

        async def verb(case: Case, who: str, form: dict[str, str]) -> Case:
            person, key = await self._person(case, form["via"]), form["key"]
            _aware(person, form)
            leave = await self._service.first.check(case, who, key, person)
            done: Case = await self._service.respond.reply(case, who, form["text"], key, person, leave.request)
            await self._service.first.wrote(case, who, leave)
            return done

        return await self._views.act(request, verb, "reply", "text", refusals=REFUSED)

    async def write_first(self, request: web.Request) -> web.StreamResponse:
        """Send an approved template."""

        async def verb(case: Case, who: str, form: dict[str, str]) -> Case:
            person = await self._person(case, form["via"])
            _aware(person, form)
            name, _, locale = form["template"].partition(":")
            done: Case = await self._service.first.write(case, who, Template(name, locale), form["key"], person)
            return done

        return await self._views.act(request, verb, "wrote first", "template", refusals=REFUSED)

    async def ask_first(self, request: web.Request) -> web.StreamResponse:
        """Ask for a second person's yes to write, once, to somebody of whom nothing says that it is safe."""
        session, case, form = self._session(request), await self._views.case_of(request), await request.post()
        back, reason = f"/console/cases/{case.id}", str(form.get("text", ""))
        try:
            person = await self._person(case, str(form.get("via", ""))[:64])
            await self._service.custody.ask_contact(case, session.responder.id, person.id, reason)
        except (NotOwner, NotAllowed, LookupError) as error:
            raise web.HTTPSeeOther(f"{back}?error={why_refused(error)}") from error
        self._service.wake_console.set()
        raise web.HTTPSeeOther(back)

    async def ask_consent(self, request: web.Request) -> web.StreamResponse:
        """Ask the person whether their details may be passed on."""

        async def verb(case: Case, who: str, form: dict[str, str]) -> Case:
            person = await self._person(case, form["via"])
            _aware(person, form)
            await self._service.first.check(person)
            done: Case = await self._service.respond.ask_consent(case, who, form["key"], person)
            return done

        return await self._views.act(request, verb, "asked for consent", refusals=REFUSED)

    async def write_down_contact(self, request: web.Request) -> web.StreamResponse:
        """Keep how and when the person said that they can be written to."""

        async def verb(case: Case, who: str, form: dict[str, str]) -> Case:
            if case.owner != who:
                raise NotOwner(case.id)
            person, how = await self._person(case, form["via"]), Private(visible(form["text"][:LONGEST]))
            await self._service.cases.write_down(person.id, SAFE_CONTACT, how, who, self._service.now())
            return case

        return await self._views.act(request, verb, "safe contact written down", "text", refusals=REFUSED)

    async def _person(self, case: Case, via: str) -> Case:
        """Return the case whose person is meant: itself, or one that was merged into it. Raise `LookupError`."""
        people = {person.id: person for person in await self._views.everyone(case)}
        return people[via or case.id]

    async def translate(self, request: web.Request) -> web.Response:
        """Return a machine's translation of one line for the responder, or of the responder's words as a draft."""
        session, case = self._session(request), await self._views.case_of(request)
        form = await request.post()
        if not self._service.interpreter.on:
            raise web.HTTPNotFound(text="no machine is switched on")
        line, via = str(form.get("line", ""))[:80], str(form.get("via", ""))[:64]
        try:
            person = await self._person(case, via)
            text, target, source = await self._wanted(person, line, str(form.get("text", "")), session)
        except LookupError:
            raise web.HTTPNotFound(text="not in this case") from None
        await self._views.record(session.responder.id, "machine translation", case.id, {"line": line or "draft"})
        found: Private = await self._service.interpreter.translate(text, target, source)
        return web.json_response({"text": visible(found.reveal())})

    async def _wanted(self, person: Case, line: str, draft: str, session: Session) -> tuple[Private, str, str]:
        """Return (text, language, its own language). Raise `LookupError` for a line of another conversation."""
        if not line:
            return Private(draft), person.locale or "en", session.lang
        lines: list[Line] = await self._service.cases.transcript(person.conversation_id)
        said = next((item for item in lines if item.id == line), None)
        if said is None:
            raise LookupError(line)
        return said.text or Private(" ".join(said.choices)), session.lang, "auto"


async def people_of(case: Case, service: Service, views: Views, lang: str) -> list[Person]:
    """Return everyone whom a reply in this case may go to, and how."""
    found, requests = [], await service.approvals.of_case(case.id)
    for person in await views.everyone(case):
        lines = await service.cases.transcript(person.conversation_id)
        standing = await service.first.standing(person, lines)
        asked = _asked(requests, case, person, service.now())
        found.append(Person(person, standing, tuple(service.first.templates(person, lang)), asked))
    return found


def _aware(person: Case, form: dict[str, str]) -> None:
    """Raise `Watched` where somebody may be looking at the person's screen and the writer has not said so."""
    if person.silent and form["aware"] != "yes":
        raise Watched(person.id)


def quiet(people: list[Person]) -> list[str]:
    """Return the cases whose person somebody may be watching."""
    return [person.case.id for person in people if person.case.silent]


def _asked(requests: Sequence[Request], case: Case, person: Case, now: datetime) -> Request | None:
    """Return what the owner of *case* asked for to write to this person, while it waits or holds."""
    mine = (item for item in requests if item.kind is RequestKind.CONTACT and item.about == person.id)
    return next((item for item in mine if item.who == case.owner and item.until and now < item.until), None)


def ways(people: list[Person]) -> dict[str, str]:
    """Return, by case, how its person can be written to; see `Person.how`."""
    return {person.case.id: person.how for person in people}


def until(people: list[Person]) -> dict[str, str]:
    """Return, by case, until when each channel takes our words."""
    return {person.case.id: person.closes for person in people if person.closes}
