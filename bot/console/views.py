"""What the console shows and does; every read of a case and every action leaves a line in the audit."""

from __future__ import annotations

import asyncio
import hashlib
import json
import secrets
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import aiohttp_jinja2
from aiohttp import web

from bot.console.auth import SHORTEST_PASSWORD, Gate, Session, hash_password
from bot.console.transcript import past, spoken, visible
from bot.domain.cases import Case, CaseEvent, IllegalTransition
from bot.domain.pictures import PICTURE_TYPES
from bot.domain.tasks import OpenTasks, Task
from bot.ports import NotOwner, Responder, Stamp
from bot.public.headers import stream_headers

Service = Any
ROLES = ("responder", "supervisor", "author", "admin")
MOST_STREAMS = 3
LOOK_EVERY = 1.0
CHECK_SESSION_EVERY = 5
LONGEST_STREAM = 3600
LONGEST_TEXT = 4000
LANGUAGES = ("en", "hi")
FIELDS = ("text", "key", "to", "via", "override", "template")
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
        token = await self._gate.log_in(name, password, code, request.remote or "")
        await self.record(name if token else "?", "login" if token else "login failed")
        if not token:
            response = self.page("login.html", request, None, failed=True)
            response.set_status(403)
            return response
        answer = web.HTTPSeeOther("/console/")
        self._set_cookie(answer, token)
        raise answer

    def _set_cookie(self, response: web.StreamResponse, token: str) -> None:
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
        self._set_cookie(answer, await self._gate.open(session.responder, session.lang))
        raise answer

    async def change_language(self, request: web.Request) -> web.StreamResponse:
        """Switch the interface between English and Hindi."""
        session = self._session(request)
        lang = str((await request.post()).get("lang", ""))
        if lang in LANGUAGES:
            now = self._service.now()
            row = await self._service.sessions.get(session.token, now)
            fields = {"responder": session.responder.id, "csrf": session.csrf, "seen_at": now, "lang": lang}
            await self._service.sessions.save(session.token, fields, row["expires_at"])
        raise web.HTTPSeeOther("/console/")

    async def home(self, request: web.Request) -> web.StreamResponse:
        """Go where the role works."""
        role = self._session(request).responder.role
        raise web.HTTPSeeOther({"admin": "/console/people", "author": "/console/words"}.get(role, "/console/queue"))

    # --- the queue

    async def queue_json(self, request: web.Request) -> web.Response:
        """The queue for the page's own script."""
        return web.json_response({"cases": await self.rows(self._session(request))})

    async def rows(self, session: Session) -> list[dict[str, Any]]:
        """Return the queue, ready to be shown."""
        tasks: dict[str, list[Task]] = {}
        for task in await self._service.task_store.open_ones():
            tasks.setdefault(task.case_id, []).append(task)
        return [self.row(case, session, tasks.get(case.id, ())) for case in await self._service.cases.queue()]

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
            "locale": case.locale,
            "channel": case.channel,
            "place": case.place,
            "minor": case.minor,
            "silent": case.silent,
            "unread": case.unread,
            "raised": case.raised,
            "escalations": case.escalations,
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
            if beat % CHECK_SESSION_EVERY == 0 and not await self._gate.session(session.token, touch=False):
                return
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
        rows = [self.row(case, session) for case in await self._service.cases.closed()]
        return self.page("closed.html", request, session, cases=rows)

    # --- one case

    async def everyone(self, case: Case) -> list[Case]:
        """Return the case and those that were merged into it: one for each conversation that it looks after."""
        return [case, *(await self._service.merges.merged(case.id) if case.also else ())]

    async def lines(self, case: Case, session: Session) -> list[dict[str, Any]]:
        """Return the transcript, ready to be shown; of merged cases in one row of time."""
        word, languages = (
            self.words(session),
            {code: locale.own_name for code, locale in self._service.content.locales.items()},
        )
        found = [
            spoken(line, person.id if person.id != case.id else "", person.locale, word, languages)
            for person in await self.everyone(case)
            for line in await self._service.cases.transcript(person.conversation_id)
        ]
        return sorted(found, key=lambda line: str(line["at"])) if case.also else found

    def event(self, event: CaseEvent, session: Session) -> dict[str, str]:
        """Return one line of a case's history, ready to be shown."""
        return past(event, self.words(session))

    def words(self, session: Session) -> Callable[[str], str]:
        """Return the console's words by their short key."""
        return lambda key: self.word(f"console.{key}", session)

    async def media(self, request: web.Request) -> web.Response:
        """A voice note or picture of the case; listening and looking are recorded."""
        case = await self.case_of(request)
        line = request.match_info["line"][:64]
        kept = [await self._service.media.get(line, person.conversation_id) for person in await self.everyone(case)]
        note = next(filter(None, kept), None)
        if not note:
            raise web.HTTPNotFound(text="not here (yet); load the page again in a minute")
        seen = note[0] in PICTURE_TYPES
        await self.record(self._session(request).responder.id, "picture seen" if seen else "voice note heard", case.id)
        mime = note[0] if seen or note[0].startswith("audio/") else "application/octet-stream"
        return web.Response(body=note[1], content_type=mime, headers={"Content-Disposition": "inline"})

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

    async def hand_back(self, request: web.Request) -> web.StreamResponse:
        """Give the conversation back to the bot."""
        return await self.act(
            request,
            lambda case, who, form: self._service.respond.hand_back(case, who, form["text"]),
            "hand_back",
            "text",
        )

    async def close(self, request: web.Request) -> web.StreamResponse:
        """Close the case with its outcome."""
        return await self.act(
            request, lambda case, who, form: self._service.respond.close(case, who, form["text"]), "close", "text"
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
        if "to" in needed and form["to"] not in {
            person.id for person in await self._service.responders.all() if person.active
        }:
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
        self._service.wake_console.set()
        raise web.HTTPSeeOther(back)

    async def case_of(self, request: web.Request) -> Case:
        """Return the case that the address names, or 404."""
        found: Case | None = await self._service.cases.get(request.match_info["case"][:64])
        if not found:
            raise web.HTTPNotFound(text="not found")
        return found

    # --- people and audit

    async def people(self, request: web.Request) -> web.Response:
        """Everyone who may come in."""
        return self.page(
            "people.html",
            request,
            self._session(request),
            people=await self._service.responders.all(),
            given="",
            roles=ROLES,
        )

    async def add_person(self, request: web.Request) -> web.Response:
        """Add somebody with a one-time password, shown once."""
        session = self._session(request)
        form = await request.post()
        login, name, role = (str(form.get(field, "")).strip()[:60] for field in ("login", "name", "role"))
        usable = login.isascii() and login.replace("-", "").replace(".", "").isalnum() and name and role in ROLES
        if not usable or await self._service.responders.get(login):
            raise web.HTTPBadRequest(text="a new login of letters and digits, a name and a role are needed")
        return await self._with_password(
            request, Responder(login, name, role, "", must_change=True), "person added", session
        )

    async def reset_person(self, request: web.Request) -> web.Response:
        """Give a new one-time password and end the person's sessions."""
        person = await self._person(request)
        renewed = replace(person, must_change=True, active=True, totp_secret="")
        return await self._with_password(request, renewed, "password reset", self._session(request))

    async def _with_password(
        self, request: web.Request, person: Responder, action: str, session: Session
    ) -> web.Response:
        password = secrets.token_urlsafe(12)
        await self._service.responders.save(replace(person, password_hash=hash_password(password)))
        await self._service.sessions.drop_all(person.id)
        await self.record(session.responder.id, action, person.id)
        given = f"{person.id} / {password}"
        return self.page(
            "people.html", request, session, people=await self._service.responders.all(), given=given, roles=ROLES
        )

    async def disable_person(self, request: web.Request) -> web.StreamResponse:
        """Shut somebody out: sessions end, their cases go back into the queue."""
        session, person = self._session(request), await self._person(request)
        if person.id == session.responder.id:
            raise web.HTTPBadRequest(text="you cannot shut yourself out")
        await self._service.responders.save(replace(person, active=False))
        await self._service.sessions.drop_all(person.id)
        for case in await self._service.cases.queue():
            if case.owner == person.id:
                await self._service.respond.release(case, person.id, "responder disabled")
        await self.record(session.responder.id, "person disabled", person.id)
        raise web.HTTPSeeOther("/console/people")

    async def _person(self, request: web.Request) -> Responder:
        found: Responder | None = await self._service.responders.get(request.match_info["person"][:64])
        if not found:
            raise web.HTTPNotFound(text="not found")
        return found

    async def audit(self, request: web.Request) -> web.Response:
        """The newest lines, and whether the chain is whole."""
        session = self._session(request)
        try:
            whole = f"{await self._service.audit.verify()}"
        except ValueError as error:
            whole = str(error)
        await self.record(session.responder.id, "audit read")
        return self.page("audit.html", request, session, lines=await self._service.audit.latest(), whole=whole)

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
            **context,
        }
        response = aiohttp_jinja2.render_template(template, request, values)
        response.set_status(status)
        return response


ERRORS = frozenset({
    "empty", "not_yours", "not_usable", "there_already", "moved_on", "erased", "no_district", "no_amount",
    "case.open_tasks", "case.no_task", "case.not_yours", "case.no_basis", "case.limit", "first.error.unsafe",
    "merge.refused", "merge.not_undone", "merge.unsure",
})  # fmt: skip
