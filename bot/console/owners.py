"""The case of somebody else: a supervisor takes it over or puts it back, for a reason; who may be given a case."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from aiohttp import web

from bot.console.auth import Session
from bot.console.views import Views
from bot.domain.rota import on_shift

Service = Any


@dataclass(frozen=True, slots=True)
class Colleague:
    """Who may be given a case: their login, whether they are on shift, and how many open cases they have."""

    id: str
    here: bool
    cases: int


class OwnerViews:
    """One method per route."""

    def __init__(self, service: Service, views: Views, session_of: Callable[[web.Request], Session]) -> None:
        """*views* makes pages and leaves lines in the audit."""
        self._service = service
        self._views = views
        self._session = session_of

    async def take_over(self, request: web.Request) -> web.StreamResponse:
        """Take the case of a colleague."""
        respond = self._service.respond
        return await self._views.act(
            request,
            lambda case, who, form: respond.take_over(case, who, form["text"], form["key"]),
            "taken over",
            "text",
        )

    async def put_back(self, request: web.Request) -> web.StreamResponse:
        """Put the case of a colleague back into the queue; the person hears that, and the next on call are paged."""
        respond = self._service.respond
        return await self._views.act(
            request,
            lambda case, who, form: respond.put_back(case, who, form["text"], form["key"]),
            "put back",
            "text",
        )


async def with_load(service: Service, names: Sequence[str]) -> list[Colleague]:
    """Return these people, those on shift first, and of them those with the fewest cases."""
    staff, here = await service.rotas.staff(), on_shift(service.oncall.rota, service.now())
    found = [Colleague(name, name in here, staff.load.get(name, 0)) for name in names]
    return sorted(found, key=lambda one: (not one.here, one.cases, one.id))
