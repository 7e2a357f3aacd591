"""What the console shows and does; every read of a case and every action leaves a line in the audit."""

from __future__ import annotations

import asyncio
import hashlib
import json
import logging
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import aiohttp_jinja2
from aiohttp import web

from bot.console.auth import SHORTEST_PASSWORD, Gate, Session, TooManyTries
from bot.console.browser import browser_of
from bot.console.districts import name_of
from bot.console.peer import peer_of
from bot.console.scope import colleagues, covers, sees, wanted
from bot.console.transcript import past, spoken, visible
from bot.domain.cases import MERGING, Case, CaseEvent, IllegalTransition, Outcome
from bot.domain.private import NOTHING_SAID
from bot.domain.roles import Role
from bot.domain.tasks import OpenTasks, Task
from bot.domain.urgency import urgency_of
from bot.ports import NotOwner, Stamp
from bot.public.headers import stream_headers

log = logging.getLogger(__name__)
Service = Any
ROLES = tuple(role.value for role in Role)
#: Actions of the audit with which something leaves the house.
EXPORTS = ("history exported", "referral handed out", "original handed out")
MOST_STREAMS = 3
LOOK_EVERY = 1.0
CHECK_SESSION_EVERY = 2
LONGEST_STREAM = 3600
LONGEST_TEXT = 4000
LANGUAGES = ("en", "hi")
HOMES = {"admin": "/console/people", "author": "/console/words", "auditor": "/console/audit"}
FIELDS = ("text", "key", "to", "via", "template", "aware", "outcome")
NO_REFUSALS: Mapping[type[Exception], str] = {}


class Views:
    """One method per route."""

    def __init__(
        self, service: Service, gate: Gate, *, https: bool, session_of: Callable[[web.Request], Session]
    ) -> None:
        """*session_of* gives the session that the guard has put on the request."""
        self._service = service
        self._gate = gate
        self._https = https
        self._session = session_of
        self._streams: Counter[str] = Counter()
        self.cookie = "__Host-sahyatri_console" if https else "sahyatri_console"

    # --- coming in and going out

    async def login_page(self, request: web.Request) -> web.Response:
        """Ask for name and password."""
        return self.page("login.html", request, None, failed=False)

    async def log_in(self, request: web.Request) -> web.StreamResponse:
        """Open a session; the answer is the same whatever was wrong."""
        form = await request.post()
        name, password, code = (str(form.get(field, ""))[:200] for field in ("name", "password", "code"))
        try:
            peer = peer_of(request, self._service.config.proxy_networks)
            token = await self._gate.log_in(name, password, code, peer, browser_of(request))
        except TooManyTries:
            return await self.not_in(request, "")
        return await self.let_in(request, name, token) if token else await self.not_in(request)

    async def let_in(self, request: web.Request, name: str, token: str) -> web.StreamResponse:
        """Send somebody in under a new session; the one that this browser had before ends."""
        await self._service.sessions.drop(request.cookies.get(self.cookie, ""))
        await self.record(name, "login")
        answer = web.HTTPSeeOther("/console/")
        self.set_cookie(answer, token)
        raise answer

    async def not_in(self, request: web.Request, action: str = "login failed") -> web.Response:
        """Say that it was not right, and nothing more. *action*: for the audit; "": it has a line already."""
        if action:
            log.warning("%s", action)
            await self.record("?", action)
        return self.page("login.html", request, None, status=403, failed=True)

    def set_cookie(self, response: web.StreamResponse, token: str) -> None:
        """Give the browser the session's name."""
        response.set_cookie(self.cookie, token, httponly=True, samesite="Strict", secure=self._https, path="/")

    async def log_out(self, request: web.Request) -> web.StreamResponse:
        """End the session."""
        session = self._session(request)
        await self._service.sessions.drop(session.token)
        await self.record(session.responder.id, "logout")
        answer = web.HTTPSeeOther("/console/login")
        answer.del_cookie(self.cookie, path="/")
        raise answer

    async def password_page(self, request: web.Request) -> web.Response:
        """Ask for a new password."""
        return self.page("password.html", request, self._session(request), failed=False)

    async def change_password(self, request: web.Request) -> web.StreamResponse:
        """Set it, end all sessions of the person, open a new one."""
        session = self._session(request)
        form = await request.post()
        first, second = str(form.get("password", "")), str(form.get("again", ""))
        if len(first) < SHORTEST_PASSWORD or first != second or len(first) > 200:  # noqa: PLR2004
            response = self.page("password.html", request, session, failed=True)
            response.set_status(400)
            return response
        await self._gate.change_password(session.responder, first)
        await self.record(session.responder.id, "password changed")
        answer = web.HTTPSeeOther("/console/")
        self.set_cookie(answer, await self._reopened(request, session))
        raise answer

    async def _reopened(self, request: web.Request, session: Session) -> str:
        browser = browser_of(request)
        return await self._gate.open(session.responder, session.lang, strong=session.strong, browser=browser)

    async def change_language(self, request: web.Request) -> web.StreamResponse:
        """Switch the interface between English and Hindi."""
        session = self._session(request)
        lang = str((await request.post()).get("lang", ""))
        if lang in LANGUAGES:
            await self._service.sessions.change(session.token, lang=lang)
        raise web.HTTPSeeOther("/console/")

    async def home(self, request: web.Request) -> web.StreamResponse:
        """Go where the role works."""
        role = self._session(request).responder.role
        raise web.HTTPSeeOther(HOMES.get(role, "/console/queue"))

    # --- the queue

    async def queue_json(self, request: web.Request) -> web.Response:
        """The queue for the page's own script."""
        return web.json_response({"cases": await self.rows(self._session(request))})

    async def rows(self, session: Session) -> list[dict[str, Any]]:
        """Return the queue, ready to be shown."""
        tasks: dict[str, list[Task]] = {}
        for task in await self._service.task_store.open_ones():
            tasks.setdefault(task.case_id, []).append(task)
        cases = await self._service.cases.queue(wanted(session))
        return [
            {**self.row(case, session, tasks.get(case.id, ())), "found_by": self._found_by(case)}
            for case in cases
            if sees(session, case)
        ]

    def _found_by(self, case: Case) -> str:
        """Return the words by which a case is found, folded: its place by every name, its district, its labels."""
        point = self._service.places.directory.points.get(case.place)
        names = (case.place, *(point.names.values() if point else ()), case.district, *case.labels)
        district = name_of(case.district, self._service.content) if case.district else ""
        return " · ".join((*names, district)).casefold()

    def row(self, case: Case, session: Session, tasks: Sequence[Task] = ()) -> dict[str, Any]:
        """Return a case for the queue and for its own page."""
        return {
            "id": case.id,
            "kind_id": case.kind.value,
            "kind": self.word(f"console.kind.{case.kind.value}", session),
            "reason": self.word(f"console.risk.{case.risk_kind}", session),
            "state": self.word(f"console.state.{case.state.value}", session),
            "priority": case.priority,
            "waiting_since": case.waiting_since.isoformat(),
            "opened_at": case.opened_at.isoformat(),
            "owner": case.owner or "",
            "mine": case.owner == session.responder.id,
            "pick": case.owner == session.responder.id or session.responder.role == Role.SUPERVISOR,
            "locale": case.locale,
            "channel": case.channel,
            "place": case.place,
            "district": case.district,
            "labels": list(case.labels),
            "minor": case.minor,
            "silent": case.silent,
            "unread": case.unread,
            "unseen": case.unseen,
            "raised": case.raised,
            "escalations": case.escalations,
            "pages": case.pages,
            "urgency": self.word(f"console.urgency.{urgency_of(case, self._service.now()).level.value}", session),
            "tasks": len(tasks),
            "due": min((task.due.isoformat() for task in tasks if task.due), default=""),
            "overdue": any(task.overdue(self._service.now()) for task in tasks),
        }

    async def live(self, request: web.Request) -> web.StreamResponse:
        """Send the queue whenever it changes; ends within five seconds of the session's end."""
        session = self._session(request)
        person = session.responder.id
        if self._streams[person] >= MOST_STREAMS:
            raise web.HTTPTooManyRequests(text="three open streams at most")
        response = web.StreamResponse(headers=stream_headers(request, https=self._https))
        await response.prepare(request)
        self._streams[person] += 1
        try:
            await self._follow(response, session)
        except (ConnectionResetError, TimeoutError):
            pass
        finally:
            self._streams[person] -= 1
        return response

    async def _follow(self, response: web.StreamResponse, session: Session) -> None:
        told = ""
        for beat in range(LONGEST_STREAM):
            if beat % CHECK_SESSION_EVERY == 0:
                found = await self._gate.session(session.token, touch=False)
                if not found or found.needs or found.responder.role != session.responder.role:
                    return
                session = found
            body = json.dumps({"cases": await self.rows(session)}, ensure_ascii=False)
            now = hashlib.sha256(body.encode()).hexdigest()
            await response.write(f"event: queue\ndata: {body}\n\n".encode() if now != told else b": \n\n")
            told = now
            await self._wait()

    async def _wait(self) -> None:
        try:
            async with asyncio.timeout(LOOK_EVERY):
                await self._service.wake_console.wait()
                await asyncio.sleep(0.05)
                self._service.wake_console.clear()
        except TimeoutError:
            return

    async def closed(self, request: web.Request) -> web.Response:
        """The cases closed last."""
        session = self._session(request)
        cases = await self._service.cases.closed(labels=wanted(session))
        rows = [self.row(case, session) for case in cases if sees(session, case)]
        return self.page("closed.html", request, session, cases=rows)

    # --- one case

    async def everyone(self, case: Case) -> list[Case]:
        """Return the case and those that were merged into it: one for each conversation that it looks after."""
        return list(await self._service.respond.people(case))

    async def lines(self, case: Case, session: Session, *, whole: bool = False) -> list[dict[str, Any]]:
        """Return the transcript, ready to be shown: what of it the person may read, or the *whole*.

        Of merged cases in one row of time.
        """
        found = [
            line
            for person in await self.everyone(case)
            for line in await self._lines(person, case, session, whole=whole)
        ]
        return sorted(found, key=lambda line: str(line["at"])) if case.also else found

    async def _lines(self, person: Case, case: Case, session: Session, *, whole: bool) -> list[dict[str, Any]]:
        """Return what was said with the person of one case, *case* itself or one that was merged into it."""
        word, via = self.wording(session), person.id if person.id != case.id else ""
        languages = {code: locale.own_name for code, locale in self._service.content.locales.items()}
        files = await self._service.attachments.of(person.conversation_id)
        said = await self._service.cases.transcript(person.conversation_id)
        shown = [line for line in said if whole or covers(session, person, line.at, case.closed_at)]
        return [spoken(line, files.get(line.id), via, person.locale, word, languages) for line in shown]

    def event(self, event: CaseEvent, session: Session) -> dict[str, str]:
        """Return one line of a case's history, ready to be shown; what names another case stays with our own people."""
        if session.responder.role == Role.PARTNER and event.action in MERGING:
            event = replace(event, detail=NOTHING_SAID)
        return past(event, self.wording(session))

    def wording(self, session: Session) -> Callable[[str], str]:
        """Return the console's words by their short key."""
        return lambda key: self.word(f"console.{key}", session)

    async def claim(self, request: web.Request) -> web.StreamResponse:
        """Take the case."""
        session, form = self._session(request), await request.post()
        if form.get("anyway") != "yes" and await self.carried(session) >= self._service.config.cases_each:
            case = await self.case_of(request)
            await self.record(session.responder.id, "claim warned", case.id)
            raise web.HTTPSeeOther(f"/console/cases/{case.id}?error=case.limit")
        return await self.act(request, lambda case, who, _: self._service.respond.claim(case, who), "claim")

    async def carried(self, session: Session) -> int:
        """Return how many open cases the person has."""
        return sum(case.owner == session.responder.id for case in await self._service.cases.queue())

    async def note(self, request: web.Request) -> web.StreamResponse:
        """Write a note."""
        return await self.act(
            request,
            lambda case, who, form: self._service.respond.note(case, who, form["text"], form["key"]),
            "note",
            "text",
        )

    async def release(self, request: web.Request) -> web.StreamResponse:
        """Put it back."""
        return await self.act(
            request, lambda case, who, form: self._service.respond.release(case, who, form["text"]), "release"
        )

    async def transfer(self, request: web.Request) -> web.StreamResponse:
        """Give it to a colleague."""
        return await self.act(
            request,
            lambda case, who, form: self._service.respond.transfer(case, who, form["to"], form["text"]),
            "transfer",
            "to",
            "text",
        )

    async def refer(self, request: web.Request) -> web.StreamResponse:
        """Record a referral."""
        return await self.act(
            request, lambda case, who, form: self._service.respond.refer(case, who, form["text"]), "refer", "text"
        )

    async def ask_to_write(self, request: web.Request) -> web.StreamResponse:
        """Ask the person whether a greeting may be sent once WhatsApp takes nothing else."""
        return await self.act(
            request, lambda case, who, _: self._service.respond.ask_to_write(case, who), "ask_to_write"
        )

    async def hand_back(self, request: web.Request) -> web.StreamResponse:
        """Give the conversation back to the bot."""
        return await self.act(
            request,
            lambda case, who, form: self._service.respond.hand_back(case, who, form["text"], outcome=_outcome(form)),
            "hand_back",
            "text",
        )

    async def close(self, request: web.Request) -> web.StreamResponse:
        """Close the case with its outcome."""
        return await self.act(
            request,
            lambda case, who, form: self._service.respond.close(case, who, form["text"], outcome=_outcome(form)),
            "close",
            "text",
        )

    async def act(
        self,
        request: web.Request,
        verb: Callable[[Case, str, dict[str, str]], Awaitable[Case]],
        name: str,
        *needed: str,
        refusals: Mapping[type[Exception], str] = NO_REFUSALS,
    ) -> web.StreamResponse:
        """Do one thing to a case and show it; what was typed is shown again where it could not be done.

        *needed*: the fields that must not be empty; *refusals*: why it may be refused besides, and the words for it.
        """
        session = self._session(request)
        case = await self.case_of(request)
        posted = await request.post()
        form = {field: str(posted.get(field, ""))[:LONGEST_TEXT] for field in FIELDS}
        back = f"/console/cases/{case.id}"
        if not all(form[field].strip() for field in needed):
            raise web.HTTPSeeOther(f"{back}?error=empty")
        if "to" in needed and form["to"] not in await colleagues(self._service, session, case):
            raise web.HTTPSeeOther(f"{back}?error=empty")
        errors: tuple[type[Exception], ...] = (IllegalTransition, NotOwner, *refusals)
        try:
            await verb(case, session.responder.id, form)
        except OpenTasks:
            await self.record(session.responder.id, f"{name} refused", case.id)
            raise web.HTTPSeeOther(f"{back}?error=case.open_tasks") from None
        except errors as error:
            await self.record(session.responder.id, f"{name} refused", case.id)
            taken = await self._service.cases.get(case.id)
            return self.page(
                "error.html", request, session, back=back, owner=(taken.owner if taken else "") or "", status=409,
                why=refusals.get(type(error), ""), kept=visible(form["text"]),
            )  # fmt: skip
        await self.record(session.responder.id, name, case.id)
        if session.responder.role == Role.PARTNER:
            await self._service.people.clear()  # it may have been taken out of their view at the same moment
        self._service.wake_console.set()
        raise web.HTTPSeeOther(back)

    async def case_of(self, request: web.Request) -> Case:
        """Return the case that the address names, or 404: a foreign case answers like one that does not exist."""
        session, name = self._session(request), request.match_info["case"][:64]
        found: Case | None = await self._service.cases.get(name)
        if found and sees(session, found):
            return found
        if found:
            await self.record(session.responder.id, "foreign case refused", found.id)
        raise web.HTTPNotFound(text="not found")

    # --- audit

    async def audit(self, request: web.Request) -> web.Response:
        """The newest lines, or those of one person, action or thing; and whether the chain is whole."""
        session = self._session(request)
        try:
            whole = f"{await self._service.audit.verify()}"
        except ValueError as error:
            whole = str(error)
        await self.record(session.responder.id, "audit read")
        chosen = {name: request.query.get(name, "")[:80].strip() for name in ("who", "action", "about")}
        before = request.query.get("before", "")
        number = int(before) if before.isascii() and before.isdigit() and len(before) < 10 else 0  # noqa: PLR2004
        lines = await self._service.audit.find(**chosen, before=number)
        more = lines[-1]["number"] if lines and lines[-1]["number"] > 1 else 0
        return self.page("audit.html", request, session, lines=lines, whole=whole, chosen=chosen, more=more)

    async def exports(self, request: web.Request) -> web.Response:
        """What has left the house: who handed out which paper when, with the digest that stands on it."""
        session = self._session(request)
        await self.record(session.responder.id, "exports read")
        lines = await self._service.audit.find(actions=EXPORTS)
        return self.page("exports.html", request, session, lines=lines)

    # --- helpers

    def refused(self, request: web.Request) -> web.Response:
        """The role may not do this."""
        return self.page("error.html", request, self._session(request), back="/console/", owner="", status=403)

    async def record(self, who: str, action: str, about: str = "", extra: Mapping[str, str] | None = None) -> None:
        """Leave a line in the audit."""
        await self._service.audit.record(Stamp(who, action, about, extra=extra or {}), self._service.now())

    def word(self, key: str, session: Session | None) -> str:
        """Return the console's words for *key* in the session's language."""
        try:
            words: str = self._service.content.words(session.lang if session else "en", key)
        except KeyError:
            return key.rpartition(".")[2].replace("_", " ")
        return words

    def page(
        self, template: str, request: web.Request, session: Session | None, *, status: int = 200, **context: Any
    ) -> web.Response:
        """Return a page with the words of the session's language."""
        values = {
            "t": lambda key: self.word(f"console.{key}", session),
            "session": session,
            "status": status,
            "passkeys_work": bool(self._service.config.public_url) or request.host.partition(":")[0] == "localhost",
            **context,
        }
        response = aiohttp_jinja2.render_template(template, request, values)
        response.set_status(status)
        return response


ERRORS = frozenset({
    "empty", "not_yours", "not_usable", "there_already", "moved_on", "erased", "no_district", "no_amount",
    "case.open_tasks", "case.no_task", "case.not_yours", "case.no_basis", "case.limit", "roles.no_share",
    "first.error.unsafe", "merge.refused", "merge.not_undone", "merge.unsure",
    *(f"seal.{why}" for why in ("no_reason", "there_already", "own", "decided", "late", "not_yours", "not_approved",
                                "not_there", "not_confirmed", "too_many")),
})  # fmt: skip


def _outcome(form: Mapping[str, str]) -> Outcome | None:
    """Return how the person fares, None where it was not said."""
    return Outcome(form["outcome"]) if form["outcome"] in set(Outcome) else None
