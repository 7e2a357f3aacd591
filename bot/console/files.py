"""Files of a case: the clean copy for those who work on it; the sealed original only with a second person."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from aiohttp import web

from bot.console.auth import Session
from bot.console.transcript import visible
from bot.console.views import Views
from bot.domain.approvals import NotAllowed, Request, RequestKind, RequestState
from bot.domain.attachments import Attachment
from bot.domain.cases import Case
from bot.domain.messages import ChannelName
from bot.domain.roles import STAFF
from bot.ports import Copy, NotOwner
from bot.service.custody import REACHABLE, SUPERVISOR, Paper

Service = Any
LONGEST: Final = 500
KILO: Final = 1024
#: States in which somebody could read the case, or still can.
COULD_READ: Final = frozenset({RequestState.APPROVED, RequestState.ENDED})


@dataclass(frozen=True, slots=True)
class FileRow:
    """A file as its case shows it. running: the viewer's own approved request; waiting: somebody's that waits.

    via: the merged case whose person sent it, or "".
    """

    item: Attachment
    size: str
    running: Request | None
    waiting: Request | None
    via: str = ""


async def seals(
    service: Service, case: Case, session: Session, people: Sequence[Case], lines: Sequence[Mapping[str, Any]]
) -> dict[str, Any]:
    """Return what a case page shows of files, of the address, and of who else could read the case.

    *people*: the case and those that were merged into it; *lines*: what of the conversation the person may read. A
    partner sees the clean copies that belong to them, and neither asks for an original, nor hides a file, nor learns
    an address.
    """
    requests: Sequence[Request] = await service.approvals.of_case(case.id)
    ours, said = session.responder.role in STAFF, {line["id"] for line in lines}
    every = [
        (item, person.id if person.id != case.id else "")
        for person in people
        for item in (await service.attachments.of(person.conversation_id)).values()
    ]
    items = [(item, via) for item, via in every if ours or item.id in said]
    mine = case.owner == session.responder.id
    return {
        "files": [
            _row(item, via, requests, session.responder.id, service.now()) for item, via in items if not item.left
        ],
        "left": [FileRow(item, size_of(item.size), None, None, via) for item, via in items if item.left],
        "accesses": [seen(request) for request in requests if _read(request)],
        "contact": ours and bool(case.conversation_id) and ChannelName(case.channel) in REACHABLE,
        "may_reveal": ours and (mine or session.responder.role == SUPERVISOR),
        "may_unseal": ours,
    }


def _read(request: Request) -> bool:
    return request.kind is RequestKind.CASE and request.state in COULD_READ


def _row(item: Attachment, via: str, requests: Sequence[Request], who: str, now: datetime) -> FileRow:
    about = [request for request in requests if request.kind is RequestKind.ORIGINAL and request.about == item.id]
    running = next((request for request in about if request.who == who and request.running(now)), None)
    waiting = next((request for request in about if request.state is RequestState.WAITING), None)
    return FileRow(item, size_of(item.size), running, waiting, via)


def size_of(count: int) -> str:
    """Return a size as people read it; "" where it is not known."""
    if not count:
        return ""
    return (
        f"{count} B" if count < KILO else f"{count / KILO:.0f} KB" if count < KILO**2 else f"{count / KILO**2:.1f} MB"
    )


def seen(request: Request) -> dict[str, Any]:
    """Return a request as pages show it, times to the minute in UTC."""
    until = request.until or request.ended_at
    return {
        "id": request.id, "kind": request.kind.value, "case": request.case_id, "who": request.who,
        "reason": visible(request.reason.reveal()), "state": request.state.value, "decided_by": request.decided_by,
        "answer": visible(request.answer.reveal()), "asked_at": f"{request.asked_at:%d-%m-%Y %H:%M} UTC",
        "until": f"{until:%d-%m-%Y %H:%M} UTC" if until else "",
    }  # fmt: skip


class FileViews:
    """One method per route."""

    def __init__(self, service: Service, views: Views, session_of: Callable[[web.Request], Session]) -> None:
        """*views* draws pages and writes the audit."""
        self._service = service
        self._views = views
        self._session = session_of

    async def media(self, request: web.Request) -> web.Response:
        """The clean copy of a picture or voice note; looking and listening are recorded."""
        case, line = await self._views.case_of(request), request.match_info["line"][:64]
        copy: Copy | None = None
        if await self._may_see(case, line, self._session(request)):
            people = await self._views.everyone(case)
            found = [await self._service.attachments.copy_of(line, person.conversation_id) for person in people]
            copy = next(filter(None, found), None)
        if not copy:
            raise web.HTTPNotFound(text="not here (yet); load the page again in a minute")
        what = "picture seen" if copy.mime.startswith("image/") else "voice note heard"
        await self._views.record(self._session(request).responder.id, what, case.id)
        return web.Response(body=copy.data, content_type=copy.mime, headers={"Content-Disposition": "inline"})

    async def _may_see(self, case: Case, line: str, session: Session) -> bool:
        """Say whether a file is among what the person may read of the conversation."""
        if session.responder.role in STAFF:
            return True
        return line in {one["id"] for one in await self._views.lines(case, session)}

    async def ask_original(self, request: web.Request) -> web.StreamResponse:
        """Ask for the sealed original of a file."""
        return await self._step(request, self._ask)

    async def _ask(self, case: Case, session: Session, request: web.Request) -> None:
        reason = str((await request.post()).get("text", ""))
        who = session.responder.id
        await self._service.custody.ask_original(case, who, request.match_info["line"][:64], reason)

    async def fetch_file(self, request: web.Request) -> web.StreamResponse:
        """Fetch a file that was left because its sender had sent very many."""
        return await self._step(request, self._fetch)

    async def _fetch(self, case: Case, session: Session, request: web.Request) -> None:
        await self._service.custody.fetch_after_all(case, session.responder.id, request.match_info["line"][:64])
        self._service.wake_fetching.set()

    async def hide_file(self, request: web.Request) -> web.StreamResponse:
        """Show a file never again, and open the task to report it."""
        return await self._step(request, self._hide)

    async def _hide(self, case: Case, session: Session, request: web.Request) -> None:
        form = await request.post()
        if form.get("sure") != "yes":
            raise NotAllowed("not_confirmed")
        line, reason = request.match_info["line"][:64], str(form.get("text", ""))
        await self._service.custody.hide(case, session.responder.id, line, reason)

    async def original(self, request: web.Request) -> web.StreamResponse:
        """Hand out an approved original, once, as a file that nothing opens by itself."""
        session, case = self._session(request), await self._views.case_of(request)
        name = request.match_info["request"][:64]
        try:
            paper: Paper = await self._service.custody.open_original(case, session.responder.id, name)
        except (NotOwner, NotAllowed, LookupError) as error:
            raise web.HTTPSeeOther(f"/console/cases/{case.id}?error={why_refused(error)}") from error
        self._service.wake_console.set()
        response = web.Response(body=paper.data, content_type="application/octet-stream")
        response.headers["Content-Disposition"] = f'attachment; filename="{paper.name}"'
        return response

    async def _step(
        self, request: web.Request, does: Callable[[Case, Session, web.Request], Awaitable[None]]
    ) -> web.StreamResponse:
        session, case = self._session(request), await self._views.case_of(request)
        try:
            await does(case, session, request)
        except (NotOwner, NotAllowed, LookupError) as error:
            raise web.HTTPSeeOther(f"/console/cases/{case.id}?error={why_refused(error)}#files") from error
        self._service.wake_console.set()
        raise web.HTTPSeeOther(f"/console/cases/{case.id}#files")


def why_refused(error: Exception) -> str:
    """Return the id of the words that say why something was refused."""
    if isinstance(error, NotOwner):
        return "case.not_yours"
    return f"seal.{error.why}" if isinstance(error, NotAllowed) else "seal.not_there"
