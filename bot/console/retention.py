"""What ends soon and what a law keeps: the list of both, and a supervisor's word on one case."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from aiohttp import web

from bot.console.auth import Session
from bot.console.views import Views
from bot.service.retention import Term

Service = Any


class RetentionViews:
    """One method per route."""

    def __init__(self, service: Service, views: Views, session_of: Callable[[web.Request], Session]) -> None:
        """*views* draws pages and writes the audit."""
        self._service = service
        self._views = views
        self._session = session_of

    async def retention(self, request: web.Request) -> web.Response:
        """What is erased soon, and what a law keeps; reading it is recorded."""
        session, keeping = self._session(request), self._service.keeping
        await self._views.record(session.responder.id, "retention read")
        ending, kept = await keeping.ending(), await keeping.kept()
        return self._views.page(
            "retention.html",
            request,
            session,
            ending=[self._row(term, session) for term in ending],
            kept=[self._row(term, session) for term in kept],
            opens=session.responder.role == "supervisor",
            terms=self._service.config,
        )

    def _row(self, term: Term, session: Session) -> dict[str, Any]:
        kind = self._views.word(f"console.kind.{term.case.kind.value}", session)
        return {"term": term, "case": term.case, "kind": kind}

    async def hold(self, request: web.Request) -> web.StreamResponse:
        """Keep a case beyond its time, because a law asks for it."""
        hold = self._service.keeping.hold
        return await self._views.act(
            request, lambda case, who, form: hold(case, who, form["text"], form["key"]), "held for a law", "text"
        )

    async def lift(self, request: web.Request) -> web.StreamResponse:
        """Let it go."""
        lift = self._service.keeping.lift
        return await self._views.act(
            request, lambda case, who, form: lift(case, who, form["text"], form["key"]), "let go", "text"
        )
