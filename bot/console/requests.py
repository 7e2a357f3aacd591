"""Requests that need a second person: asking, approving, refusing; reading a case by break-glass; a masked address."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from aiohttp import web

from bot.console.auth import Session
from bot.console.files import seen, why_refused
from bot.console.transcript import visible
from bot.console.views import ERRORS, Views
from bot.domain.approvals import NotAllowed, Request, RequestState
from bot.domain.cases import Case
from bot.domain.messages import Address
from bot.ports import NotOwner
from bot.service.custody import SUPERVISOR

Service = Any
CASE_ID: Final = 64


class RequestViews:
    """One method per route."""

    def __init__(self, service: Service, views: Views, session_of: Callable[[web.Request], Session]) -> None:
        """*views* draws pages and writes the audit."""
        self._service = service
        self._views = views
        self._session = session_of

    async def requests(self, request: web.Request) -> web.Response:
        """What waits for a decision and what was decided; who may not decide sees their own."""
        session = self._session(request)
        found: list[Request] = list(await self._service.approvals.latest())
        me, decides = session.responder.id, session.responder.role == SUPERVISOR
        error = request.query.get("error", "")
        return self._views.page(
            "requests.html",
            request,
            session,
            waiting=[seen(item) for item in found if self._waits(item) and (decides or item.who == me)],
            past=[self._past(item, me) for item in found if not self._waits(item) and (decides or item.who == me)],
            decides=decides,
            error=error if error in ERRORS else "",
            asked="asked" in request.query,
        )

    def _waits(self, item: Request) -> bool:
        return item.state is RequestState.WAITING and item.until is not None and self._service.now() < item.until

    def _past(self, item: Request, me: str) -> dict[str, Any]:
        return {**seen(item), "mine": item.who == me, "running": item.running(self._service.now())}

    async def ask_case(self, request: web.Request) -> web.StreamResponse:
        """Ask to read one case."""
        session, form = self._session(request), await request.post()
        name = str(form.get("case", "")).strip().lower()[:CASE_ID]
        try:
            await self._service.custody.ask_case(name, session.responder.id, str(form.get("text", "")))
        except (NotAllowed, LookupError) as error:
            raise web.HTTPSeeOther(f"/console/requests?error={why_refused(error)}") from error
        self._service.wake_console.set()
        raise web.HTTPSeeOther("/console/requests?asked=1")

    async def approve(self, request: web.Request) -> web.StreamResponse:
        """Say yes to what somebody else asked for."""
        return await self._decide(request, yes=True)

    async def refuse(self, request: web.Request) -> web.StreamResponse:
        """Say no."""
        return await self._decide(request, yes=False)

    async def _decide(self, request: web.Request, *, yes: bool) -> web.StreamResponse:
        person, form = self._session(request).responder, await request.post()
        name, answer = request.match_info["request"][:64], str(form.get("text", ""))
        try:
            await self._service.custody.decide(name, person.id, person.role, answer, yes=yes)
        except LookupError as error:
            raise web.HTTPNotFound(text="not found") from error
        except NotAllowed as error:
            raise web.HTTPSeeOther(f"/console/requests?error={why_refused(error)}") from error
        self._service.wake_console.set()
        raise web.HTTPSeeOther("/console/requests")

    async def glass(self, request: web.Request) -> web.Response:
        """A case, to be read only, for whom a second person has let in; otherwise as if it were not there."""
        session, name = self._session(request), request.match_info["case"][:64]
        case: Case | None = await self._service.cases.get(name)
        access: Request | None = await self._service.custody.may_read(case.id, session.responder.id) if case else None
        if not case or not access:
            raise web.HTTPNotFound(text="not found")
        return self._views.page(
            "glass.html",
            request,
            session,
            case=self._views.row(case, session),
            access=seen(access),
            lines=await self._views.lines(case, session, whole=True),
            history=[self._views.event(event, session) for event in await self._service.cases.history(case.id)],
        )

    async def reveal(self, request: web.Request) -> web.Response:
        """Show where the person is written to: on this answer alone."""
        session, case = self._session(request), await self._views.case_of(request)
        found = await self._address(request, case, session)
        return self._views.page(
            "reveal.html",
            request,
            session,
            case=self._views.row(case, session),
            address=visible(found.value.reveal()),
            channel=found.channel.value,
        )

    async def _address(self, request: web.Request, case: Case, session: Session) -> Address:
        reason = str((await request.post()).get("text", ""))
        try:
            found: Address = await self._service.custody.reveal(
                case, session.responder.id, session.responder.role, reason
            )
        except (NotOwner, NotAllowed, LookupError) as error:
            raise web.HTTPSeeOther(f"/console/cases/{case.id}?error={why_refused(error)}") from error
        return found
