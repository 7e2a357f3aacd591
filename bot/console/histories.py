"""Histories of recruiters: the list, one history as graph and tables, a supervisor's decisions, sheets to hand out.

Every read and every action leaves a line in the audit; what was searched for does not stand there.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from urllib.parse import quote

from aiohttp import web

from bot.console.auth import Session
from bot.console.graph import Graph, Node, draw
from bot.console.transcript import visible
from bot.console.views import ERRORS, Views
from bot.domain.cases import Case
from bot.domain.identifiers import Identifier, IdentifierKind
from bot.domain.reports import Decision, HistoryState, ReportFile
from bot.recruiters.history import History
from bot.service.history import Paper, Refused, people, seal

Service = Any
Form = Mapping[str, str]
MOST_LISTED: Final = 100
MOST_NAMED: Final = 3
MOST_ALIKE: Final = 10
LONGEST_FIELD: Final = 500
LONGEST_RECIPIENT: Final = 120
MOST_RUPEES: Final = 100_000_000
MIME: Final = {"pdf": "application/pdf", "csv": "text/csv"}
WRONG: Final = frozenset({
    "moved_on", "nothing_ticked", "not_confirmed", "too_few", "nothing_public", "no_other", "empty",
})  # fmt: skip


@dataclass(frozen=True, slots=True)
class IdentifierRow:
    """An identifier of a history as the page shows it."""

    key: str
    kind: str
    shown: str
    reports: tuple[str, ...]
    silent: str
    confirmed: bool
    public: bool
    apart: bool


@dataclass(frozen=True, slots=True)
class ReportRow:
    """A report of a history as the page shows it: R1, R2, … and a letter-free number for its person."""

    id: str
    label: str
    person: int
    at: datetime
    district: str
    amount: int


class HistoryViews:
    """One method per route of this part of the console."""

    def __init__(self, service: Service, views: Views, session_of: Callable[[web.Request], Session]) -> None:
        """*views* gives pages and the audit."""
        self._service = service
        self._views = views
        self._session = session_of

    # --- looking

    async def list_histories(self, request: web.Request) -> web.Response:
        """All histories, those that most people reported first."""
        await self._service.histories.refresh()
        await self._record(request, "histories read")
        return await self._list(request, self._service.histories.all, typed="")

    async def find_histories(self, request: web.Request) -> web.Response:
        """Those that hold an identifier or an alias; sent as a form, so that no number stands in an address."""
        typed = str((await request.post()).get("typed", ""))[:LONGEST_FIELD]
        await self._service.histories.refresh()
        await self._record(request, "histories searched")
        found = self._service.histories.find(typed) if typed.strip() else self._service.histories.all
        return await self._list(request, found, typed=typed)

    async def _list(self, request: web.Request, found: Sequence[History], *, typed: str) -> web.Response:
        ordered = sorted(found, key=lambda history: (history.independent, history.reports[-1].at), reverse=True)
        shown = ordered[:MOST_LISTED]
        names = [await self._names(history) for history in shown]
        return self._page(
            "histories.html",
            request,
            rows=[(history, named, self._public(history)) for history, named in zip(shown, names)],
            more=len(ordered) - len(shown),
            typed=typed,
            needed=self._service.histories.limits.needed,
        )

    async def _names(self, history: History) -> list[str]:
        """Return the first few identifiers of a history, the most shared first."""
        traces = list(history.traces.items())[:MOST_NAMED]
        wanted = {trace.key: reports[0] for trace, reports in traces}
        files = await self._service.histories.files(tuple(dict.fromkeys(wanted.values())))
        known = _values(files)
        return [visible(known[key].shown) for key in wanted if key in known]

    def _public(self, history: History) -> bool:
        return bool(history.answers(self._service.histories.limits.needed))

    async def show_history(self, request: web.Request, *, wrong: str = "") -> web.Response:
        """One history, as graph and as tables."""
        history = await self._history(request)
        await self._record(request, "history read", history.id)
        session = self._session(request)
        files = await self._service.histories.files(history.members)
        reports = _reports(history, files)
        values = _values(files)
        identifiers = self._identifiers(history, values, {row.id: row.label for row in reports}, session)
        lines = await self._service.audit.about(history.members, "history")
        return self._page(
            "history.html",
            request,
            status=409 if wrong else 200,
            wrong=wrong,
            history=history,
            seen=seal(history),
            reports=reports,
            identifiers=identifiers,
            graph=self._graph(history, reports, identifiers, session),
            joined=[self._labels(link.reports, reports) for link in history.links if not link.key],
            decisions=[self._decision(item, reports, values) for item in await self._service.histories.log(history)],
            sheets=await self._service.histories.sheets(history),
            lines=lines,
            alike=[(other, await self._names(other)) for other in self._service.histories.alike(history)[:MOST_ALIKE]],
            needed=self._service.histories.limits.needed,
            days=self._service.histories.limits.days,
            public=self._public(history),
            states=HistoryState,
            to_be_public=self._service.histories.to_be_public(history),
            supervisor=session.responder.role == "supervisor",
        )

    def _identifiers(
        self, history: History, values: Mapping[str, Identifier], labels: Mapping[str, str], session: Session
    ) -> list[IdentifierRow]:
        return [
            IdentifierRow(
                trace.key,
                self._views.word(f"console.hist.kind.{trace.kind.value}", session),
                visible(values[trace.key].shown) if trace.key in values else "?",
                tuple(labels[report] for report in holding),
                history.silent.get(trace.key, ""),
                trace.key in history.confirmed,
                trace.key in history.public,
                trace.key in history.apart,
            )
            for trace, holding in history.traces.items()
        ]

    def _graph(
        self, history: History, reports: Sequence[ReportRow], identifiers: Sequence[IdentifierRow], session: Session
    ) -> Graph:
        person = self._views.word("console.hist.person", session)
        ids = {row.id: row.label for row in reports}
        return draw(
            [Node(row.key, row.kind, row.shown, _look(row)) for row in identifiers],
            [Node(row.label, f"{row.label} · {row.at:%d-%m-%y}", f"{person} {row.person}", "") for row in reports],
            [(row.key, label) for row in identifiers for label in row.reports],
            [(ids[link.reports[0]], ids[link.reports[1]]) for link in history.links if not link.key],
        )

    def _labels(self, members: Sequence[str], reports: Sequence[ReportRow]) -> str:
        return ", ".join(row.label for row in reports if row.id in members)

    def _decision(
        self, decision: Decision, reports: Sequence[ReportRow], values: Mapping[str, Identifier]
    ) -> dict[str, Any]:
        return {
            "at": decision.at,
            "who": decision.who,
            "action": decision.action.value,
            "reports": self._labels(decision.reports, reports),
            "others": self._labels(decision.others, reports),
            "named": ", ".join(visible(values[key].shown) for key in decision.keys if key in values),
            "reason": visible(decision.reason.reveal()),
        }

    # --- deciding

    async def confirm_history(self, request: web.Request) -> web.StreamResponse:
        """One recruiter, and these identifiers are theirs."""
        keys = [str(key) for key in (await request.post()).getall("keys", [])]
        return await self._decide(
            request, "confirmed", lambda at, who, form: self._histories.confirm(at, who, keys, form["reason"])
        )

    async def sign_history(self, request: web.Request) -> web.StreamResponse:
        """The public may hear of it: only with the tick that the list was read."""
        if (await request.post()).get("read") != "yes":
            return await self.show_history(request, wrong="nothing_ticked")
        return await self._decide(
            request, "signed", lambda at, who, form: self._histories.sign(at, who, form["reason"])
        )

    async def withdraw_history(self, request: web.Request) -> web.StreamResponse:
        """The public hears no more."""
        return await self._decide(
            request, "withdrawn", lambda at, who, form: self._histories.withdraw(at, who, form["reason"])
        )

    async def split_history(self, request: web.Request) -> web.StreamResponse:
        """One report is about somebody else."""
        return await self._decide(
            request, "split", lambda at, who, form: self._histories.split(at, who, form["report"], form["reason"])
        )

    async def unlink_identifier(self, request: web.Request) -> web.StreamResponse:
        """One identifier is somebody else's."""
        return await self._decide(
            request, "identifier taken out",
            lambda at, who, form: self._histories.unlink(at, who, form["key"], form["reason"]),
        )  # fmt: skip

    async def mark_identifier(self, request: web.Request) -> web.StreamResponse:
        """An identifier tells nothing anywhere, or does after all."""
        return await self._decide(
            request, "identifier marked",
            lambda at, who, form: self._histories.mark(
                at, who, form["key"], form["reason"], telling=form["telling"] == "yes"
            ),
        )  # fmt: skip

    async def merge_histories(self, request: web.Request) -> web.StreamResponse:
        """Another history is about the same recruiter."""
        return await self._decide(
            request, "merged", lambda at, who, form: self._histories.merge(at, who, form["other"], form["reason"])
        )

    async def _decide(
        self, request: web.Request, action: str, verb: Callable[[History, str, Form], Awaitable[None]]
    ) -> web.StreamResponse:
        history = await self._history(request)
        form = await _form(request, "seen", "reason", "report", "key", "telling", "other")
        try:
            if form["seen"] != seal(history):
                raise Refused("moved_on")
            await verb(history, self._who(request), form)
        except Refused as error:
            await self._record(request, f"history {action} refused", history.id)
            return await self.show_history(request, wrong=error.why if error.why in WRONG else "moved_on")
        await self._record(request, f"history {action}", history.id)
        raise web.HTTPSeeOther(f"/console/histories/{quote(history.id)}")

    # --- handing out

    async def export_history(self, request: web.Request) -> web.StreamResponse:
        """Hand a sheet out, once: it is the answer to this form and is kept nowhere.

        Recipient and reason are sealed in the register; the audit names the sheet and the digest that covers both.
        """
        history = await self._history(request)
        form = await _form(request, "seen", "reason", "recipient", "form")
        try:
            if form["seen"] != seal(history):
                raise Refused("moved_on")
            paper = await self._paper(request, history, form)
        except Refused as error:
            await self._record(request, "history export refused", history.id)
            return await self.show_history(request, wrong=error.why)
        extra = {"sheet": paper.name, "digest": paper.sheet.digest}
        await self._record(request, "history exported", history.id, extra)
        response = web.Response(body=paper.data, content_type=MIME[form["form"]])
        response.headers["Content-Disposition"] = f'attachment; filename="{paper.name}"'
        return response

    async def _paper(self, request: web.Request, history: History, form: Form) -> Paper:
        session = self._session(request)
        prefix = "console.hist.sheet."
        words = {
            key.removeprefix(prefix): self._views.word(key, session)
            for key in self._service.content.messages["en"]
            if key.startswith(prefix)
        }
        for kind in IdentifierKind:
            words[f"kind.{kind.value}"] = self._views.word(f"console.hist.kind.{kind.value}", session)
        for state in HistoryState:
            words[f"state.{state.value}"] = self._views.word(f"console.hist.state.{state.value}", session)
        recipient = form["recipient"][:LONGEST_RECIPIENT]
        made: Paper = await self._histories.paper(
            history, self._who(request), form["form"], recipient, form["reason"], words
        )
        return made

    # --- a case's own report

    async def add_identifier(self, request: web.Request) -> web.StreamResponse:
        """Add an identifier to a case's report, or correct one."""
        form = await _form(request, "kind", "value", "key")
        kind = next((kind for kind in IdentifierKind if kind.value == form["kind"]), None)

        async def add(case: Case) -> None:
            if not kind:
                raise Refused("not_usable")
            await self._histories.hold(case, self._who(request), kind, form["value"], instead=form["key"])

        return await self._correct(
            request, "report identifier corrected" if form["key"] else "report identifier added", add
        )

    async def remove_identifier(self, request: web.Request) -> web.StreamResponse:
        """Take an identifier out of a case's report."""
        form = await _form(request, "key")
        return await self._correct(
            request, "report identifier removed", lambda case: self._histories.let_go(case, form["key"])
        )

    async def describe_report(self, request: web.Request) -> web.StreamResponse:
        """Say in which district it was, and how much was paid."""
        form = await _form(request, "district", "amount")

        async def describe(case: Case) -> None:
            amount = form["amount"].replace(",", "").strip() or "0"
            if not (amount.isascii() and amount.isdigit() and int(amount[:12]) <= MOST_RUPEES):
                raise Refused("no_amount")
            await self._histories.describe(case, self._district(form["district"]), int(amount))

        return await self._correct(request, "report described", describe)

    def _district(self, typed: str) -> str:
        """Return the district as it is spelled in our directory. Raise `Refused` for a place that is none."""
        if not typed.strip():
            return ""
        content = self._service.content
        found = self._service.knowledge().gazetteer.find(typed)
        if not found.district:
            raise Refused("no_district")
        return f"{found.district.name}, {content.words('en', f'state.{found.district.state}.name')}"

    async def retract_report(self, request: web.Request) -> web.StreamResponse:
        """Let a report count no more."""
        form = await _form(request, "reason")
        return await self._correct(
            request, "report retracted", lambda case: self._histories.retract(case, self._who(request), form["reason"])
        )

    async def restore_report(self, request: web.Request) -> web.StreamResponse:
        """Let a report count again."""
        return await self._correct(request, "report restored", self._histories.restore)

    async def _correct(
        self, request: web.Request, action: str, verb: Callable[[Case], Awaitable[None]]
    ) -> web.StreamResponse:
        case = await self._views.case_of(request)
        session = self._session(request)
        wrong = ""
        try:
            if session.responder.role != "supervisor" and case.owner != session.responder.id:
                raise Refused("not_yours")
            await verb(case)
        except Refused as error:
            wrong = error.why if error.why in ERRORS else "moved_on"
        await self._record(request, f"{action} refused" if wrong else action, case.id)
        raise web.HTTPSeeOther(f"/console/cases/{case.id}" + (f"?error={wrong}" if wrong else ""))

    # --- shared

    @property
    def _histories(self) -> Any:  # noqa: ANN401 - the service is built elsewhere
        return self._service.histories

    async def _history(self, request: web.Request) -> History:
        await self._histories.refresh()
        found: History | None = self._histories.of(request.match_info["history"][:64])
        if not found:
            raise web.HTTPNotFound(text="not found")
        return found

    def _who(self, request: web.Request) -> str:
        who: str = self._session(request).responder.id
        return who

    async def _record(self, request: web.Request, action: str, about: str = "", extra: Form | None = None) -> None:
        await self._views.record(self._who(request), action, about, extra)

    def _page(self, template: str, request: web.Request, *, status: int = 200, **context: Any) -> web.Response:  # noqa: ANN401 - values for a template
        return self._views.page(template, request, self._session(request), status=status, **context)


async def _form(request: web.Request, *fields: str) -> dict[str, str]:
    posted = await request.post()
    return {field: str(posted.get(field, ""))[:LONGEST_FIELD] for field in fields}


def _values(files: Sequence[ReportFile]) -> dict[str, Identifier]:
    return {held.key: held.identifier for file in files for held in file.held}


def _reports(history: History, files: Sequence[ReportFile]) -> list[ReportRow]:
    numbers = people(history.reports)
    known = {file.id: file for file in files}
    return [
        ReportRow(
            report.id, f"R{number}", numbers[report.id], report.at,
            visible(known[report.id].district) if report.id in known else "",
            known[report.id].amount if report.id in known else 0,
        )
        for number, report in enumerate(history.reports, 1)
    ]  # fmt: skip


def _look(row: IdentifierRow) -> str:
    if row.silent:
        return "silent"
    return "public" if row.public else "confirmed" if row.confirmed else ""
