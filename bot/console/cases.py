"""The page of one case: the conversation, all that is known, what is near the person, what else there is about them."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from aiohttp import web

from bot.console.auth import Session
from bot.console.contact import Person, people_of, quiet, until, ways
from bot.console.earlier import earlier
from bot.console.facts import Answered, answered, asked, consent, urgent_words
from bot.console.files import seals
from bot.console.map import Map, Post, draw_map, point_of, posts_at
from bot.console.owners import with_load
from bot.console.scope import colleagues, sees
from bot.console.shares import panel
from bot.console.transcript import visible
from bot.console.views import ERRORS, Views
from bot.content.model import Content
from bot.dialogue.waiting import must_be_reported
from bot.domain.cases import Case, IllegalTransition, MergedFor
from bot.domain.identifiers import IdentifierKind
from bot.domain.messages import Carrier, ChannelName
from bot.domain.places import Point
from bot.domain.referrals import LEAST, Basis, Part, Recipient
from bot.domain.roles import STAFF
from bot.domain.tasks import NotFinished, Task
from bot.domain.urgency import urgency_of
from bot.ports import NotOwner
from bot.recruiters.history import History
from bot.service.refer import Handed, NotAllowed, Wish

Service = Any
CANNED: Final = "canned."
MOST_RELATED: Final = 20
#: What a responder may choose as due time of a task, in hours; 0: none.
HOURS: Final = (1, 4, 24, 72, 0)
LONGEST_FIELD: Final = 2000
#: How many of the person's last messages a referral may hold.
MOST_SAID: Final = 5
PACKET: Final = "console.case.packet."


@dataclass(frozen=True, slots=True)
class Fact:
    """One thing known about a case; urgent ones stand out. at: the time that *value* says, if it says one."""

    name: str
    value: str
    urgent: bool = False
    at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Related:
    """Another case and why it is named here: `merged`, `same_person`, `same_identifiers` or `same_place`."""

    id: str
    why: str
    kind: str
    state: str
    opened_at: datetime


@dataclass(frozen=True, slots=True)
class Canned:
    """A reply to choose: in the person's language if it exists there, and as the responder reads it."""

    id: str
    theirs: str
    ours: str


class CaseViews:
    """One method per route of a case's own page."""

    def __init__(self, service: Service, views: Views, session_of: Callable[[web.Request], Session]) -> None:
        """*views* draws pages and writes the audit."""
        self._service = service
        self._views = views
        self._session = session_of

    async def case(self, request: web.Request) -> web.Response:
        """The whole of one case; reading it is recorded."""
        session = self._session(request)
        case = await self._views.case_of(request)
        if not await self._service.reads.let(case, session.responder.id):
            return self._too_many(request, session)
        await self._service.cases.read_by(case.id, session.responder.id)
        lines = await self._views.lines(case, session)
        people = await people_of(case, self._service, self._views, session.lang)
        history = await self._service.cases.history(case.id)
        told = await self._service.cases.told(case.id)
        ours = session.responder.role in STAFF
        error = request.query.get("error", "")
        return self._views.page(
            "case.html",
            request,
            session,
            case=self._views.row(case, session),
            facts=self._facts(case, session),
            told=await self._told(people, session),
            consent=consent(history, told),
            duty=case.minor and must_be_reported(*case.dangers),
            people_here=people,
            ours=ours,
            merged_into=case.merged_into if ours else "",
            merged_ids={person.case.id for person in people},
            term=await self._service.keeping.of(case) if ours else None,
            machine=ours and self._service.interpreter.on,
            supervisor=session.responder.role == "supervisor",
            map=self._map(lines),
            posts=self._posts(),
            related=await self._related(case, session),
            canned=self._canned(case, session),
            spoken=_spoken(case, self._service.content),
            lines=lines,
            **await seals(self._service, case, session, [person.case for person in people], lines),
            tasks=[self._task(task, session) for task in await self._service.task_store.of(case.id)],
            hours=HOURS,
            parts=[(part.value, part in LEAST) for part in await self._parts(case, lines, session)],
            recipients=[item.value for item in Recipient],
            bases=[item.value for item in Basis if item is not Basis.CHILD or case.minor],
            earlier=await earlier(self._service, case, session),
            history=[self._views.event(event, session) for event in history],
            people=await with_load(self._service, await colleagues(self._service, session, case)),
            shares=await panel(self._service, case, session),
            key=secrets.token_urlsafe(12),
            open=case.state.value != "closed",
            full=await self._views.carried(session) >= self._service.config.cases_each,
            error=error if error in ERRORS else "",
            report=await self._service.histories.file(case.id),
            linked=await self._linked(case) if ours else None,
            kinds=[kind.value for kind in IdentifierKind],
            mergeable=[why.value for why in MergedFor],
            may_edit=session.responder.role == "supervisor" or case.owner == session.responder.id,
        )

    def _too_many(self, request: web.Request, session: Session) -> web.Response:
        """Send our own people to where they can ask; a partner has nobody to ask here."""
        if session.responder.role in STAFF:
            raise web.HTTPSeeOther("/console/requests?error=seal.too_many")
        return self._views.page("error.html", request, session, back="/console/queue", owner="", status=429)

    async def case_json(self, request: web.Request) -> web.Response:
        """What has changed on an open case page."""
        session = self._session(request)
        case = await self._views.case_of(request)
        if not await self._service.reads.let(case, session.responder.id, page=False):
            raise web.HTTPTooManyRequests(text="too many cases in an hour")
        lines = await self._views.lines(case, session)
        people = await people_of(case, self._service, self._views, session.lang)
        shown = {"windows": until(people), "ways": ways(people), "quiet": quiet(people)}
        return web.json_response({"case": self._views.row(case, session), "lines": lines, **shown})

    def _facts(self, case: Case, session: Session) -> list[Fact]:
        """Return what the case is, the most urgent first."""

        def word(key: str) -> str:
            return self._views.word(f"console.{key}", session)

        content: Content = self._service.content
        place = self._service.places.directory.points.get(case.place)
        facts = [Fact(word("minor"), word("minor_duty"), urgent=True)] if case.minor else []
        facts += [Fact(word("silent"), word("silent_duty"), urgent=True)] if case.silent else []
        facts += [Fact(word("wa.undelivered"), str(case.undelivered), urgent=True)] if case.undelivered else []
        facts += [
            Fact(word("case.risk"), word(f"risk.{case.risk_kind}")),
            Fact(word("case.priority"), urgent_words(urgency_of(case, self._service.now()), word)),
            Fact(word("case.raised"), str(case.raised)),
            Fact(word("case.escalations"), str(case.escalations)),
            Fact(word("opened"), f"{case.opened_at:%Y-%m-%d %H:%M} UTC", at=case.opened_at),
            Fact(word("language"), _own_name(case.locale, content)),
            Fact(word("channel"), case.channel),
            Fact(word("place"), _named(place) if place else case.place or word("case.not_known")),
        ]
        if not case.minor:
            facts.append(Fact(word("case.age"), word("case.age_not_known")))
        return facts

    async def _told(self, people: Sequence[Person], session: Session) -> list[Answered]:
        """Return what each person answered to our questions, then what they answer in the flow they are in.

        What they do after the case has ended is not a partner's.
        """
        word, content = self._views.wording(session), self._service.content
        now_too = session.responder.role in STAFF or not people[0].case.closed_at
        found: list[Answered] = []
        for case in (person.case for person in people if person.case.conversation_id):
            found += answered(await self._service.cases.told(case.id), word, visible)
            if not now_too:
                continue
            conversation = await self._service.conversations.load(case.conversation_id, ChannelName(case.channel))
            found += asked(conversation.slots, content, session.lang, word)
        return found

    def _map(self, lines: Sequence[dict[str, Any]]) -> Map | None:
        """Draw the last point that the person sent."""
        sent = [line["text"] for line in lines if line["who"] == "person" and line["carrier"] == Carrier.LOCATION.value]
        point = point_of(sent[-1]) if sent else None
        if not point:
            return None
        places, content = self._service.places, self._service.content
        known = {station.code: station for station in content.stations} | places.in_force
        return draw_map(*point, known.values(), frozenset(self._posts()))

    def _posts(self) -> dict[str, list[Post]]:
        """Return, by point in force, who can help there: what an operator told us of it, while it is fresh."""
        points, today = self._service.places.directory.points, self._service.now().date()
        found = {code: posts_at(point) for code, point in points.items() if point.is_fresh(today)}
        return {code: posts for code, posts in found.items() if posts}

    async def _related(self, case: Case, session: Session) -> list[Related]:
        """Return merged cases, others of the same person, of reports with the same identifiers, of place and day."""
        same = await self._service.cases.of_conversation(case.conversation_id) if case.conversation_id else ()
        found = {other.id: ("merged", other) for other in await self._service.merges.merged(case.id)}
        found |= {other.id: ("same_person", other) for other in same if other.id != case.id}
        linked = await self._linked(case)
        for name in linked.members if linked else ():
            other = await self._service.cases.get(name) if name != case.id else None
            if other:
                found.setdefault(name, ("same_identifiers", other))
        for other in await self._service.merges.near(case):
            found.setdefault(other.id, ("same_place", other))
        return [
            Related(
                other.id, why, self._views.word(f"console.kind.{other.kind.value}", session),
                self._views.word(f"console.state.{other.state.value}", session), other.opened_at,
            )
            for why, other in [item for item in found.values() if sees(session, item[1])][:MOST_RELATED]
        ]  # fmt: skip

    async def _linked(self, case: Case) -> History | None:
        """Return the history that the report of a case is in."""
        await self._service.histories.refresh()
        found: History | None = self._service.histories.of(case.id)
        return found

    # --- tasks

    async def add_task(self, request: web.Request) -> web.StreamResponse:
        """Add a task by hand."""
        session = self._session(request)
        case = await self._views.case_of(request)
        form = await _form(request, "text", "hours", "key")
        hours = int(form["hours"]) if form["hours"] in map(str, HOURS) else 0
        if not form["text"].strip():
            raise web.HTTPSeeOther(f"/console/cases/{case.id}?error=empty")
        key = form["key"][:60] or secrets.token_urlsafe(12)
        try:
            await self._service.tasks.add(case, session.responder.id, form["text"], hours, key)
        except (LookupError, IllegalTransition):
            return await self._refused(request, case, "task", "moved_on")
        return await self._done(request, case, "task added")

    async def finish_task(self, request: web.Request) -> web.StreamResponse:
        """Finish a task; without an outcome it stays open."""
        session = self._session(request)
        case = await self._views.case_of(request)
        form = await _form(request, "task", "text")
        for_others = session.responder.role == "supervisor"
        try:
            await self._service.tasks.finish(
                case, session.responder.id, form["task"], form["text"], for_others=for_others
            )
        except NotOwner:
            return await self._refused(request, case, "task done", "case.not_yours")
        except (NotFinished, LookupError, IllegalTransition):
            return await self._refused(request, case, "task done", "case.no_task")
        return await self._done(request, case, "task done")

    # --- referring with a paper

    async def refer_with_paper(self, request: web.Request) -> web.StreamResponse:
        """Hand out a paper with what was ticked, once: it is the answer to this form and is kept nowhere."""
        session = self._session(request)
        case = await self._views.case_of(request)
        form = await _form(request, "recipient", "office", "reason", "basis", "consent", "key")
        ticked = {str(part) for part in (await request.post()).getall("parts", [])}
        parts = await self._parts(case, await self._views.lines(case, session), session)
        try:
            wish = Wish(
                recipient=Recipient(form["recipient"]),
                office=visible(form["office"][:200]),
                reason=visible(form["reason"][:500]),
                basis=Basis(form["basis"]),
                consent=visible(form["consent"][:500]),
                parts={part: facts for part, facts in parts.items() if part.value in ticked},
            )
            made: Handed = await self._service.referrals.hand_out(
                case, session.responder.id, wish, self._packet_words(session), form["key"][:60]
            )
        except ValueError as error:  # also a transition that is not legal any more
            why = "moved_on" if isinstance(error, IllegalTransition) else "empty"
            return await self._refused(request, case, "referral", why)
        except NotOwner:
            return await self._refused(request, case, "referral", "case.not_yours")
        except NotAllowed as error:
            return await self._refused(request, case, "referral", error.why)
        extra = {
            "recipient": wish.recipient.value, "basis": wish.basis.value, "digest": made.packet.digest,
            "parts": ",".join(part.value for part in made.packet.parts), "file": made.file,
        }  # fmt: skip
        await self._views.record(session.responder.id, "referral handed out", case.id, extra)
        self._service.wake_console.set()
        response = web.Response(body=made.data, content_type="application/pdf")
        response.headers["Content-Disposition"] = f'attachment; filename="referral-{case.id}.pdf"'
        return response

    def _packet_words(self, session: Session) -> dict[str, str]:
        keys = [key for key in self._service.content.messages["en"] if key.startswith(PACKET)]
        return {key.removeprefix(PACKET): self._views.word(key, session) for key in keys}

    async def _parts(
        self, case: Case, lines: Sequence[dict[str, Any]], session: Session
    ) -> dict[Part, tuple[tuple[str, str], ...]]:
        """Return what a referral could hold, part by part; a part of which nothing is known is left out."""
        content: Content = self._service.content
        words = self._packet_words(session)
        drawn = self._map(lines)
        place = self._service.places.directory.points.get(case.place)
        report = await self._service.histories.file(case.id)
        heard = [line for line in lines if line["who"] == "person" and line["text"]][-MOST_SAID:]
        values: dict[Part, list[str]] = {
            Part.DANGER: [f"{self._views.word(f'console.risk.{case.risk_kind}', session)}"],
            Part.OPENED: [f"{case.opened_at:%d-%m-%Y %H:%M} UTC"],
            Part.PLACE: [_named(place) if place else case.place],
            Part.POINT: [f"{drawn.latitude:.5f}, {drawn.longitude:.5f}"] if drawn else [],
            Part.AGE: [self._views.word("console.minor", session)] if case.minor else [],
            Part.LANGUAGE: [_own_name(case.locale, content)],
            Part.IDENTIFIERS: [visible(held.identifier.shown) for held in report.held] if report else [],
            Part.SAID: [f"{line['at'][11:16]} UTC · {line['text']}" for line in heard],
        }
        return {
            part: tuple((words[f"part.{part.value}"], value) for value in found if value)
            for part, found in values.items()
            if any(found)
        }

    async def _done(self, request: web.Request, case: Case, action: str) -> web.StreamResponse:
        await self._views.record(self._session(request).responder.id, action, case.id)
        self._service.wake_console.set()
        raise web.HTTPSeeOther(f"/console/cases/{case.id}")

    async def _refused(self, request: web.Request, case: Case, action: str, why: str) -> web.StreamResponse:
        await self._views.record(self._session(request).responder.id, f"{action} refused", case.id)
        raise web.HTTPSeeOther(f"/console/cases/{case.id}?error={why}")

    def _task(self, task: Task, session: Session) -> dict[str, Any]:
        ruled = self._views.word(f"console.case.rule.{task.rule.value}", session)
        return {
            "id": task.id,
            "text": visible(task.text.reveal()) or ruled,
            "due": task.due.isoformat() if task.due else "",
            "overdue": task.overdue(self._service.now()),
            "mandatory": task.mandatory,
            "open": task.open,
            "made_by": task.made_by,
            "done_by": task.done_by,
            "outcome": visible(task.outcome.reveal()),
        }

    def _canned(self, case: Case, session: Session) -> list[Canned]:
        content: Content = self._service.content
        return [
            Canned(key.removeprefix(CANNED), content.messages.get(case.locale, {}).get(key, ""), words)
            for key in content.messages["en"]
            if key.startswith(CANNED) and (words := self._views.word(key, session))
        ]


def _named(point: Point) -> str:
    return f"{point.name} ({point.code}), {point.district}"


def _own_name(code: str, content: Content) -> str:
    return f"{content.locales[code].own_name} ({code})" if code in content.locales else code


def _spoken(case: Case, content: Content) -> dict[str, str]:
    """Return code, own name, direction and status of the person's language; of an unknown one `und` and no status."""
    locale = content.locales.get(case.locale)
    return {
        "code": locale.code if locale else "und",
        "name": locale.own_name if locale else case.locale,
        "dir": locale.direction if locale else "auto",
        "status": locale.status if locale else "",
    }


async def _form(request: web.Request, *fields: str) -> dict[str, str]:
    posted = await request.post()
    return {field: str(posted.get(field, ""))[:LONGEST_FIELD] for field in fields}
