"""What a case is: opened again by a supervisor; known, by whoever works on it, to be about somebody under 18."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from aiohttp import web

from bot.console.auth import Session
from bot.console.views import Views

Service = Any


class StandingViews:
    """One method per route."""

    def __init__(self, service: Service, views: Views, session_of: Callable[[web.Request], Session]) -> None:
        """*views* draws pages and writes the audit."""
        self._service = service
        self._views = views
        self._session = session_of

    async def reopen(self, request: web.Request) -> web.StreamResponse:
        """Open a closed case again, for a reason; not where its person has another one open."""
        return await self._views.act(
            request,
            lambda case, who, form: self._service.respond.reopen(case, who, form["text"], form["key"]),
            "reopen",
            "text",
        )

    async def set_minor(self, request: web.Request) -> web.StreamResponse:
        """Write down that the case is about somebody under 18; with it comes what the law asks."""
        return await self._views.act(
            request,
            lambda case, who, _: self._service.respond.set_minor(case, who),
            "minor",
            refusals={LookupError: "erased"},
        )
