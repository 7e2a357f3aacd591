"""A case in a partner's view: put there by a supervisor with a reason and a ground, taken back with a reason."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from aiohttp import web

from bot.console.auth import Session
from bot.console.districts import likely, name_of, within
from bot.console.views import Views
from bot.content.model import Content
from bot.domain.cases import Case, IllegalTransition
from bot.domain.referrals import Basis
from bot.domain.roles import STAFF, Organisation
from bot.service.refer import NotAllowed

Service = Any
LONGEST_FIELD: Final = 2000


@dataclass(frozen=True, slots=True)
class Partner:
    """A partner as the case's page shows it. districts: (as kept, in words); district: the likely one among them."""

    id: str
    name: str
    sees: bool
    labels: tuple[str, ...]
    districts: tuple[tuple[str, str], ...]
    district: str


@dataclass(frozen=True, slots=True)
class Panel:
    """Who sees a case, and to whom it could be shown. labels and district: those of the case, in words."""

    labels: tuple[str, ...]
    district: str
    partners: tuple[Partner, ...]


async def panel(service: Service, case: Case, session: Session) -> Panel | None:
    """Return what the case's page tells of partners; a partner hears nothing of the others."""
    if session.responder.role not in STAFF:
        return None
    content: Content = service.content
    partners = [_partner(one, case, content) for one in await service.organisations.all()]
    partners.sort(key=lambda one: (not one.sees, not one.district, one.name))
    return Panel(case.labels, name_of(case.district, content) if case.district else "", tuple(partners))


def _partner(one: Organisation, case: Case, content: Content) -> Partner:
    district = likely(case, content)
    offered = tuple((code, name_of(code, content)) for code in within(one.districts, content))
    return Partner(one.id, one.name, one.sees(case), one.labels, offered, district if one.covers(district) else "")


class ShareViews:
    """One method per route."""

    def __init__(self, service: Service, views: Views, session_of: Callable[[web.Request], Session]) -> None:
        """*views* draws pages and writes the audit."""
        self._service = service
        self._views = views
        self._session = session_of

    async def share(self, request: web.Request) -> web.StreamResponse:
        """Put the case in a partner's view."""
        case, partner, form = await self._asked(request)
        try:
            if not partner or form["basis"] not in set(Basis):
                raise NotAllowed("roles.no_share")
            await self._service.people.share(
                case, self._who(request), partner, form["label"], form["district"], Basis(form["basis"]),
                form["consent"], form["text"], form["key"],
            )  # fmt: skip
        except (NotAllowed, IllegalTransition) as error:
            return await self._refused(request, case, error)
        return await self._done(request, case, "case shared", partner)

    async def take_back(self, request: web.Request) -> web.StreamResponse:
        """Take the case out of a partner's view, at once."""
        case, partner, form = await self._asked(request)
        try:
            if not partner or not partner.sees(case):
                raise NotAllowed("roles.no_share")
            await self._service.people.take_back(case, self._who(request), partner, form["text"])
        except (NotAllowed, IllegalTransition) as error:
            return await self._refused(request, case, error)
        return await self._done(request, case, "case taken back", partner)

    async def _asked(self, request: web.Request) -> tuple[Case, Organisation | None, dict[str, str]]:
        case, posted = await self._views.case_of(request), await request.post()
        names = ("organisation", "label", "district", "basis", "consent", "text", "key")
        form = {name: str(posted.get(name, ""))[:LONGEST_FIELD] for name in names}
        return case, await self._service.organisations.get(form["organisation"]), form

    async def _refused(self, request: web.Request, case: Case, error: Exception) -> web.StreamResponse:
        why = error.why if isinstance(error, NotAllowed) else "moved_on"
        await self._views.record(self._who(request), "case sharing refused", case.id)
        raise web.HTTPSeeOther(f"/console/cases/{case.id}?error={why}")

    async def _done(self, request: web.Request, case: Case, action: str, partner: Organisation) -> web.StreamResponse:
        await self._views.record(self._who(request), action, case.id, {"organisation": partner.id})
        self._service.wake_console.set()
        raise web.HTTPSeeOther(f"/console/cases/{case.id}")

    def _who(self, request: web.Request) -> str:
        who: str = self._session(request).responder.id
        return who
