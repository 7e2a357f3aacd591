"""The queue's page: filters, several cases at once, a note to the next shift, and how much each responder carries."""

from __future__ import annotations

import secrets
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from aiohttp import web

from bot.console.auth import Session
from bot.console.owners import with_load
from bot.console.scope import colleagues, sees
from bot.console.transcript import visible
from bot.console.views import Views
from bot.domain.cases import Case, CaseKind, IllegalTransition
from bot.domain.private import Private
from bot.domain.roles import Role
from bot.ports import Handover, NotOwner

Service = Any
LONGEST_NOTE: Final = 2000
#: Cases that one form may change at once.
MOST_AT_ONCE: Final = 50
CASE_ID: Final = 12


@dataclass(frozen=True, slots=True)
class Filter:
    """Which cases are shown; empty: all. whose: `mine` or `unclaimed`."""

    kind: str = ""
    locale: str = ""
    whose: str = ""
    overdue: str = ""

    def shows(self, row: Mapping[str, Any]) -> bool:
        """Say whether a row of the queue is shown. The page's script asks the same of every row that comes later."""
        return (
            (not self.kind or row["kind_id"] == self.kind)
            and (not self.locale or row["locale"] == self.locale)
            and (self.whose != "mine" or bool(row["mine"]))
            and (self.whose != "unclaimed" or not row["owner"])
            and (not self.overdue or bool(row["overdue"]))
        )


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
        chosen = Filter(**{name: request.query.get(name, "")[:20] for name in ("kind", "locale", "whose", "overdue")})
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
            handover=handover,
            handover_text=visible(handover.text.reveal()) if handover else "",
            loads=self._loads(rows, [session.responder.id, *others]),
            ours=ours,
            limit=self._service.config.cases_each,
            people=await with_load(self._service, others),
            key=secrets.token_urlsafe(12),
            done=_count(request, "done"),
            refused=_count(request, "refused"),
            missing="missing" in request.query,
        )

    def _loads(self, rows: list[dict[str, Any]], names: list[str]) -> list[tuple[str, int]]:
        """Return who looks after how many open cases, the most burdened first."""
        held = Counter(row["owner"] for row in rows if row["owner"])
        return sorted(((name, held[name]) for name in {*names, *held}), key=lambda item: (-item[1], item[0]))

    async def find_case(self, request: web.Request) -> web.StreamResponse:
        """Go to the case of this number, or say that there is none."""
        typed = request.query.get("case", "").strip().lower()[:CASE_ID]
        found: Case | None = await self._service.cases.get(typed) if typed else None
        shown = found is not None and sees(self._session(request), found)
        raise web.HTTPSeeOther(f"/console/cases/{typed}" if shown else "/console/queue?missing=1")

    async def change_many(self, request: web.Request) -> web.StreamResponse:
        """Note, transfer or release several of one's own cases; the others stay as they are."""
        session, posted = self._session(request), await request.post()
        form = {name: str(posted.get(name, ""))[:LONGEST_NOTE] for name in ("do", "text", "to", "key")}
        ids = list(dict.fromkeys(str(name)[:64] for name in posted.getall("cases", [])))[:MOST_AT_ONCE]
        done = 0
        for name in ids if await self._usable(form, session) else ():
            case: Case | None = await self._service.cases.get(name)
            changed = case is not None and sees(session, case) and await self._change(case, session, form)
            await self._views.record(session.responder.id, form["do"] + ("" if changed else " refused"), name)
            done += changed
        self._service.wake_console.set()
        raise web.HTTPSeeOther(f"/console/queue?done={done}&refused={len(ids) - done}#done")

    async def _usable(self, form: Mapping[str, str], session: Session) -> bool:
        """Each of the three needs its reason in words; a transfer also a colleague who may have it."""
        if form["do"] not in {"note", "transfer", "release"} or not form["text"].strip():
            return False
        return form["do"] != "transfer" or form["to"] in await colleagues(self._service, session)

    async def _change(self, case: Case, session: Session, form: Mapping[str, str]) -> bool:
        who, respond = session.responder.id, self._service.respond
        if case.owner != who:
            return False
        try:
            if form["do"] == "note":
                await respond.note(case, who, form["text"], form["key"])
            elif form["do"] == "release":
                await respond.release(case, who, form["text"])
            else:
                await respond.transfer(case, who, form["to"], form["text"])
        except (IllegalTransition, NotOwner, LookupError):
            return False
        return True

    async def hand_over(self, request: web.Request) -> web.StreamResponse:
        """Write to the next shift."""
        session = self._session(request)
        text = str((await request.post()).get("text", ""))[:LONGEST_NOTE].strip()
        if text:
            handover = Handover(session.responder.id, self._service.now(), Private(text))
            await self._service.handovers.write(handover)
            await self._views.record(session.responder.id, "shift handed over")
        raise web.HTTPSeeOther("/console/queue")


def _count(request: web.Request, name: str) -> int:
    value = request.query.get(name, "")
    return int(value) if value.isascii() and value.isdigit() and len(value) <= len(str(MOST_AT_ONCE)) else 0
