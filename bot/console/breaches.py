"""Telling people that what is kept of them may have been seen: an administrator prepares it, a supervisor confirms."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from aiohttp import web

from bot.console.auth import Session
from bot.console.numbers import spoken
from bot.console.views import Views
from bot.content.render import said
from bot.domain.notices import NotConfirmable, NoticeState
from bot.service.breaches import NOTICE

Service = Any
PAGE = "/console/breaches"
LONGEST_NUMBER = 9


class BreachViews:
    """One method per route."""

    def __init__(self, service: Service, views: Views, session_of: Callable[[web.Request], Session]) -> None:
        """*views* gives pages and the audit."""
        self._service = service
        self._views = views
        self._session = session_of

    async def breaches(self, request: web.Request) -> web.Response:
        """What was prepared, the dry run of each draft, what became of the others, and what people read."""
        return await self._page(request)

    async def write_breach(self, request: web.Request) -> web.StreamResponse:
        """Keep a draft."""
        session, form = self._session(request), await request.post()
        since = _day(str(form.get("since", "")))
        if not since:
            return await self._page(request, "no_day")
        breach = await self._service.breaches.write(since, session.responder.id)
        await self._views.record(session.responder.id, "breach notice written", str(breach.number))
        raise web.HTTPSeeOther(PAGE)

    async def confirm_breach(self, request: web.Request) -> web.StreamResponse:
        """Let it be sent: the second person's yes, with the counts that they saw in the audit."""
        session, number = self._session(request), _number(request)
        drafts = [breach for breach, _ in await self._service.breaches.latest() if breach.number == number]
        reach = await self._service.breaches.reach(drafts[0]) if drafts else None
        try:
            await self._service.breaches.confirm(number, session.responder.id)
        except NotConfirmable:
            return await self._page(request, "not_yours")
        counts = {"first": sum(reach.first.values()), "deferred": sum(reach.deferred.values())} if reach else {}
        extra = {name: str(count) for name, count in counts.items()}
        await self._views.record(session.responder.id, "breach notice confirmed", str(number), extra)
        raise web.HTTPSeeOther(PAGE)

    async def cancel_breach(self, request: web.Request) -> web.StreamResponse:
        """Tell nobody more."""
        session, number = self._session(request), _number(request)
        await self._service.breaches.cancel(number)
        await self._views.record(session.responder.id, "breach notice cancelled", str(number))
        raise web.HTTPSeeOther(PAGE)

    async def _page(self, request: web.Request, error: str = "") -> web.Response:
        session, service, content = self._session(request), self._service, self._service.content
        latest = await service.breaches.latest()
        drafts = [breach for breach, _ in latest if breach.state is NoticeState.DRAFT]
        reaches = {breach.number: await service.breaches.reach(breach) for breach in drafts}
        return self._views.page(
            "breaches.html",
            request,
            session,
            notices=latest,
            reaches=reaches,
            takes={number: spoken(reach.seconds) for number, reach in reaches.items()},
            words={code: said(NOTICE, code, content) for code in content.locales},
            names={code: locale.own_name for code, locale in content.locales.items()},
            error=error,
            status=400 if error else 200,
        )


def _day(text: str) -> datetime | None:
    """Read a day as a browser sends it, None for anything else."""
    try:
        return datetime.fromisoformat(text[:10]).replace(tzinfo=UTC) if text else None
    except ValueError:
        return None


def _number(request: web.Request) -> int:
    number = request.match_info["number"]
    if not (number.isascii() and number.isdigit() and len(number) <= LONGEST_NUMBER):
        raise web.HTTPNotFound
    return int(number)
