"""The console's routes: each with its role in one table, checked in one place."""

from __future__ import annotations

import hmac
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from aiohttp import web

from bot.console.auth import Gate, Session
from bot.console.cases import CaseViews
from bot.console.contact import ContactViews
from bot.console.histories import HistoryViews
from bot.console.lists import ListViews
from bot.console.merge import MergeViews
from bot.console.queue import QueueViews
from bot.console.views import Views
from bot.console.words import WordViews
from bot.ports import Stamp

HERE = Path(__file__).resolve().parent
Service = Any
ANYONE: frozenset[str] = frozenset()
SIGNED_IN = frozenset({"responder", "supervisor", "author", "admin"})
AUTHORS = frozenset({"author"})
WORKERS = frozenset({"responder", "supervisor"})
SUPERVISORS = frozenset({"supervisor"})
ADMINS = frozenset({"admin"})
LIST_READERS = frozenset({"supervisor", "admin"})
CHECKERS = frozenset({"responder", "supervisor", "admin"})
SESSION: web.RequestKey[Session] = web.RequestKey("session", Session)
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
CHANGES = frozenset({"POST"})


@dataclass(frozen=True, slots=True)
class Route:
    """One route: method, path, the view's name, and who may use it."""

    method: str
    path: str
    view: str
    roles: frozenset[str]


ROUTES = (
    Route("GET", "/console/login", "login_page", ANYONE),
    Route("POST", "/console/login", "log_in", ANYONE),
    Route("POST", "/console/logout", "log_out", SIGNED_IN),
    Route("GET", "/console/password", "password_page", SIGNED_IN),
    Route("POST", "/console/password", "change_password", SIGNED_IN),
    Route("POST", "/console/language", "change_language", SIGNED_IN),
    Route("GET", "/console/", "home", SIGNED_IN),
    Route("GET", "/console/queue", "queue", WORKERS),
    Route("GET", "/console/queue.json", "queue_json", WORKERS),
    Route("POST", "/console/queue/change", "change_many", WORKERS),
    Route("POST", "/console/queue/handover", "hand_over", WORKERS),
    Route("GET", "/console/find", "find_case", WORKERS),
    Route("GET", "/console/live", "live", WORKERS),
    Route("GET", "/console/closed", "closed", WORKERS),
    Route("GET", "/console/cases/{case}", "case", WORKERS),
    Route("GET", "/console/cases/{case}/live.json", "case_json", WORKERS),
    Route("POST", "/console/cases/{case}/claim", "claim", WORKERS),
    Route("POST", "/console/cases/{case}/reply", "reply", WORKERS),
    Route("POST", "/console/cases/{case}/note", "note", WORKERS),
    Route("POST", "/console/cases/{case}/release", "release", WORKERS),
    Route("POST", "/console/cases/{case}/transfer", "transfer", WORKERS),
    Route("POST", "/console/cases/{case}/refer", "refer", WORKERS),
    Route("POST", "/console/cases/{case}/hand_back", "hand_back", WORKERS),
    Route("POST", "/console/cases/{case}/close", "close", WORKERS),
    Route("POST", "/console/cases/{case}/template", "write_first", WORKERS),
    Route("POST", "/console/cases/{case}/consent", "ask_consent", WORKERS),
    Route("POST", "/console/cases/{case}/contact", "write_down_contact", WORKERS),
    Route("POST", "/console/cases/{case}/translate", "translate", WORKERS),
    Route("POST", "/console/cases/{case}/merge", "merge_case", SUPERVISORS),
    Route("POST", "/console/cases/{case}/split", "split_case", SUPERVISORS),
    Route("POST", "/console/cases/{case}/referral", "refer_with_paper", WORKERS),
    Route("POST", "/console/cases/{case}/tasks", "add_task", WORKERS),
    Route("POST", "/console/cases/{case}/tasks/finish", "finish_task", WORKERS),
    Route("GET", "/console/cases/{case}/media/{line}", "media", WORKERS),
    Route("POST", "/console/cases/{case}/identifiers", "add_identifier", WORKERS),
    Route("POST", "/console/cases/{case}/identifiers/remove", "remove_identifier", WORKERS),
    Route("POST", "/console/cases/{case}/report", "describe_report", WORKERS),
    Route("POST", "/console/cases/{case}/retract", "retract_report", WORKERS),
    Route("POST", "/console/cases/{case}/restore", "restore_report", WORKERS),
    Route("GET", "/console/histories", "list_histories", SUPERVISORS),
    Route("POST", "/console/histories", "find_histories", SUPERVISORS),
    Route("GET", "/console/histories/{history}", "show_history", WORKERS),
    Route("POST", "/console/histories/{history}/confirm", "confirm_history", SUPERVISORS),
    Route("POST", "/console/histories/{history}/sign", "sign_history", SUPERVISORS),
    Route("POST", "/console/histories/{history}/withdraw", "withdraw_history", SUPERVISORS),
    Route("POST", "/console/histories/{history}/split", "split_history", SUPERVISORS),
    Route("POST", "/console/histories/{history}/unlink", "unlink_identifier", SUPERVISORS),
    Route("POST", "/console/histories/{history}/mark", "mark_identifier", SUPERVISORS),
    Route("POST", "/console/histories/{history}/merge", "merge_histories", SUPERVISORS),
    Route("POST", "/console/histories/{history}/export", "export_history", SUPERVISORS),
    Route("GET", "/console/words", "words", AUTHORS),
    Route("GET", "/console/words/{locale}/{area}", "words_area", AUTHORS),
    Route("POST", "/console/words/{locale}/{area}/mark", "mark_area", AUTHORS),
    Route("GET", "/console/words/{locale}/message/{message}", "words_message", AUTHORS),
    Route("POST", "/console/words/{locale}/message/{message}/propose", "propose_words", AUTHORS),
    Route("POST", "/console/words/{locale}/message/{message}/withdraw", "withdraw_words", AUTHORS),
    Route("POST", "/console/words/{locale}/message/{message}/mark", "mark_words", AUTHORS),
    Route("GET", "/console/versions", "versions", AUTHORS),
    Route("POST", "/console/versions/publish", "publish_words", AUTHORS),
    Route("POST", "/console/versions/{number}/restore", "restore_words", AUTHORS),
    Route("GET", "/console/lists", "lists", LIST_READERS),
    Route("GET", "/console/lists/{source}/{version}", "list_version", LIST_READERS),
    Route("POST", "/console/lists/{source}/{version}/release", "release_list", ADMINS),
    Route("POST", "/console/lists/{source}/{version}/discard", "discard_list", ADMINS),
    Route("POST", "/console/lists/{source}/{version}/restore", "restore_list", ADMINS),
    Route("GET", "/console/recruiters", "recruiters", CHECKERS),
    Route("POST", "/console/recruiters", "check_recruiter", CHECKERS),
    Route("GET", "/console/audit", "audit", SUPERVISORS),
    Route("GET", "/console/people", "people", ADMINS),
    Route("POST", "/console/people", "add_person", ADMINS),
    Route("POST", "/console/people/{person}/disable", "disable_person", ADMINS),
    Route("POST", "/console/people/{person}/reset", "reset_person", ADMINS),
)


def add_console(app: web.Application, service: Service) -> None:
    """Add every route of the table; one whose view is missing stops the start."""
    gate = Gate(service)
    https = service.config.public_url.startswith("https://")
    views = Views(service, gate, https=https, session_of=lambda request: request[SESSION])
    pages = (QueueViews, CaseViews, ContactViews, MergeViews, WordViews, ListViews, HistoryViews)
    parts = (views, *(part(service, views, lambda request: request[SESSION]) for part in pages))
    for route in ROUTES:
        view: Handler = next(getattr(part, route.view) for part in parts if hasattr(part, route.view))
        app.router.add_route(route.method, route.path, guarded(route, view, service, gate, views))
    app.router.add_static("/static/console", HERE / "static")


def guarded(route: Route, view: Handler, service: Service, gate: Gate, views: Views) -> Handler:
    """The one place where a session, a role, a token and an origin are checked."""

    async def handle(request: web.Request) -> web.StreamResponse:
        if route.method in CHANGES:
            same_origin(request)
        if not route.roles:
            return await view(request)
        session = await gate.session(request.cookies.get(views.cookie, ""))
        if not session:
            raise web.HTTPSeeOther("/console/login")
        request[SESSION] = session
        if session.responder.must_change and route.view not in {"password_page", "change_password", "log_out"}:
            raise web.HTTPSeeOther("/console/password")
        if session.responder.role not in route.roles:
            stamp = Stamp(session.responder.id, "refused", f"{route.method} {route.path}")
            await service.audit.record(stamp, service.now())
            return views.refused(request)
        if route.method in CHANGES:
            await csrf(request, session)
        return await view(request)

    return handle


def same_origin(request: web.Request) -> None:
    """Refuse a form that another site's page sent."""
    origin = request.headers.get("Origin")
    site = request.headers.get("Sec-Fetch-Site", "same-origin")
    if (origin is not None and origin.split("://")[-1] != request.host) or site not in {"same-origin", "none"}:
        raise web.HTTPForbidden(text="another site's page may not do this")


async def csrf(request: web.Request, session: Session) -> None:
    """Refuse a form without the session's own token."""
    if request.content_type not in {"application/x-www-form-urlencoded", "multipart/form-data"}:
        raise web.HTTPForbidden(text="send the console's own form")
    given = str((await request.post()).get("csrf", ""))
    if not hmac.compare_digest(given.encode("utf-8", "surrogateescape"), session.csrf.encode()):
        raise web.HTTPForbidden(text="the form is out of date; load the page again")
