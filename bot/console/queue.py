"""The queue's page: filters, a note to the next shift, and how much each responder carries."""

from __future__ import annotations

import secrets
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from typing import Any, Final
from urllib.parse import quote

from aiohttp import web

from bot.console.auth import Session
from bot.console.owners import with_load
from bot.console.scope import colleagues, sees
from bot.console.transcript import visible
from bot.console.views import Views
from bot.domain.cases import Case, CaseKind, Outcome
from bot.domain.messages import ChannelName
from bot.domain.private import Private
from bot.domain.roles import Role
from bot.ports import Handover

Service = Any
LONGEST_NOTE: Final = 2000
LONGEST_SEARCH: Final = 40


@dataclass(frozen=True, slots=True)
class Filter:
    """Which cases are shown; empty: all. whose: `mine` or `unclaimed`; state: of India; words: of place or label."""

    kind: str = ""
    locale: str = ""
    whose: str = ""
    channel: str = ""
    state: str = ""
    minor: str = ""
    overdue: str = ""
    words: str = ""

    def shows(self, row: Mapping[str, Any]) -> bool:
        """Say whether a row of the queue is shown. The page's script asks the same of every row that comes later."""
        return (
            (not self.kind or row["kind_id"] == self.kind)
            and (not self.locale or row["locale"] == self.locale)
            and (self.whose != "mine" or bool(row["mine"]))
            and (self.whose != "unclaimed" or not row["owner"])
            and (not self.channel or row["channel"] == self.channel)
            and (not self.state or row["district"].partition(":")[0] == self.state)
            and (not self.minor or bool(row["minor"]))
            and (not self.overdue or bool(row["overdue"]))
            and self.words.casefold() in row["found_by"]
        )


FILTERS: Final = tuple(field.name for field in fields(Filter))


class QueueViews:
    """One method per route of the queue's own page."""

    def __init__(self, service: Service, views: Views, session_of: Callable[[web.Request], Session]) -> None:
        """*views* draws pages and writes the audit."""
        self._service = service
        self._views = views
        self._session = session_of

    async def queue(self, request: web.Request) -> web.Response:
        """Open cases, most urgent first, then longest waiting."""
        session = self._session(request)
        rows = await self._views.rows(session)
        chosen = Filter(**{name: request.query.get(name, "").strip()[:40] for name in FILTERS})
        shown = [row for row in rows if chosen.shows(row)]
        ours = session.responder.role != Role.PARTNER
        handover: Handover | None = await self._service.handovers.latest() if ours else None
        others = await colleagues(self._service, session)
        return self._views.page(
            "queue.html",
            request,
            session,
            cases=shown,
            hidden=len(rows) - len(shown),
            chosen=chosen,
            kinds=[kind.value for kind in CaseKind],
            locales=self._service.content.locales.values(),
            channels=sorted(channel.value for channel in ChannelName if channel is not ChannelName.TERMINAL),
            states=self._states(session),
            handover=handover,
            handover_text=visible(handover.text.reveal()) if handover else "",
            loads=self._loads(rows, [session.responder.id, *others]),
            ours=ours,
            limit=self._service.config.cases_each,
            people=await with_load(self._service, others),
            key=secrets.token_urlsafe(12),
            supervisor=session.responder.role == Role.SUPERVISOR,
            outcomes=[how.value for how in Outcome],
            missing="missing" in request.query,
        )

    def _states(self, session: Session) -> list[tuple[str, str]]:
        """Return the States of India that cases can be of: code and name."""
        codes = {district.state for district in self._service.content.districts}
        return sorted(
            ((code, self._views.word(f"state.{code}.name", session)) for code in codes), key=lambda row: row[1]
        )

    def _loads(self, rows: list[dict[str, Any]], names: list[str]) -> list[tuple[str, int]]:
        """Return who looks after how many open cases, the most burdened first."""
        held = Counter(row["owner"] for row in rows if row["owner"])
        return sorted(((name, held[name]) for name in {*names, *held}), key=lambda item: (-item[1], item[0]))

    async def find_case(self, request: web.Request) -> web.StreamResponse:
        """Go to the case of this number; else show the open cases of this place, district or label, or say "none"."""
        session, typed = self._session(request), request.query.get("case", "").strip()[:LONGEST_SEARCH]
        found: Case | None = await self._service.cases.get(typed.lower()) if typed else None
        if found is not None and sees(session, found):
            raise web.HTTPSeeOther(f"/console/cases/{found.id}")
        chosen = Filter(words=typed)
        if typed and any(chosen.shows(row) for row in await self._views.rows(session)):
            raise web.HTTPSeeOther(f"/console/queue?words={quote(typed)}")
        raise web.HTTPSeeOther("/console/queue?missing=1")

    async def hand_over(self, request: web.Request) -> web.StreamResponse:
        """Write to the next shift."""
        session = self._session(request)
        text = str((await request.post()).get("text", ""))[:LONGEST_NOTE].strip()
        if text:
            handover = Handover(session.responder.id, self._service.now(), Private(text))
            await self._service.handovers.write(handover)
            await self._views.record(session.responder.id, "shift handed over")
        raise web.HTTPSeeOther("/console/queue")
