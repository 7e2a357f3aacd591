"""The console's routes: each with its role in one table, checked in one place."""

from __future__ import annotations

import hmac
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from aiohttp import web

from bot.console.auth import SESSION, Gate, Session
from bot.console.breaches import BreachViews
from bot.console.browser import browser_of
from bot.console.campaigns import CampaignViews
from bot.console.cases import CaseViews
from bot.console.contact import ContactViews
from bot.console.files import FileViews
from bot.console.histories import HistoryViews
from bot.console.lists import ListViews
from bot.console.many import ManyViews
from bot.console.merge import MergeViews
from bot.console.numbers import NumberViews
from bot.console.owners import OwnerViews
from bot.console.people import PeopleViews
from bot.console.places import PlaceViews
from bot.console.queue import QueueViews
from bot.console.requests import RequestViews
from bot.console.retention import RetentionViews
from bot.console.security import SecurityViews, prove_first
from bot.console.shares import ShareViews
from bot.console.standing import StandingViews
from bot.console.telegram import TelegramViews
from bot.console.views import Views
from bot.console.words import WordViews
from bot.domain.roles import Role
from bot.ports import Stamp

HERE = Path(__file__).resolve().parent
Service = Any
ANYONE: frozenset[str] = frozenset()
SIGNED_IN = frozenset(Role)
AUTHORS = frozenset({"author"})
WORKERS = frozenset({"responder", "supervisor", "partner"})
OWN_PEOPLE = frozenset({"responder", "supervisor"})
SUPERVISORS = frozenset({"supervisor"})
CAMPAIGNERS = frozenset({"supervisor", "author"})
ADMINS = frozenset({"admin"})
LIST_READERS = frozenset({"supervisor", "admin"})
AUDITORS = frozenset({"supervisor", "auditor"})
NUMBER_READERS = AUDITORS | ADMINS
CHECKERS = frozenset({"responder", "supervisor", "partner", "admin"})
#: Who may ask to read a case that they may not see, and see what they asked for.
ASKERS = frozenset({"responder", "supervisor", "admin"})
LINKERS = frozenset({"responder", "supervisor", "admin"})
PAGES = (
    StandingViews, QueueViews, CaseViews, ContactViews, MergeViews, FileViews, RequestViews, ShareViews, HistoryViews,
    WordViews, ListViews, NumberViews, CampaignViews, PeopleViews, SecurityViews, TelegramViews, PlaceViews, OwnerViews,
    RetentionViews, BreachViews, ManyViews,
)  # fmt: skip
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
CHANGES = frozenset({"POST"})


@dataclass(frozen=True, slots=True)
class Route:
    """One route: method, path, the view's name, and who may use it.

    fresh: only shortly after the person has shown who they are. quiet: asked by a script, so it keeps no session alive.
    """

    method: str
    path: str
    view: str
    roles: frozenset[str]
    fresh: bool = False
    quiet: bool = False


ROUTES = (
    Route("GET", "/console/login", "login_page", ANYONE),
    Route("POST", "/console/login", "log_in", ANYONE),
    Route("POST", "/console/logout", "log_out", SIGNED_IN),
    Route("GET", "/console/password", "password_page", SIGNED_IN),
    Route("POST", "/console/password", "change_password", SIGNED_IN, fresh=True),
    Route("POST", "/console/language", "change_language", SIGNED_IN),
    Route("GET", "/console/", "home", SIGNED_IN),
    Route("GET", "/console/queue", "queue", WORKERS),
    Route("GET", "/console/queue.json", "queue_json", WORKERS, quiet=True),
    Route("POST", "/console/queue/change", "change_many", WORKERS),
    Route("POST", "/console/queue/handover", "hand_over", OWN_PEOPLE),
    Route("GET", "/console/find", "find_case", WORKERS),
    Route("GET", "/console/live", "live", WORKERS, quiet=True),
    Route("GET", "/console/closed", "closed", WORKERS),
    Route("GET", "/console/cases/{case}", "case", WORKERS),
    Route("GET", "/console/cases/{case}/live.json", "case_json", WORKERS, quiet=True),
    Route("POST", "/console/cases/{case}/claim", "claim", WORKERS),
    Route("POST", "/console/cases/{case}/reply", "reply", WORKERS),
    Route("POST", "/console/cases/{case}/note", "note", WORKERS),
    Route("POST", "/console/cases/{case}/release", "release", WORKERS),
    Route("POST", "/console/cases/{case}/transfer", "transfer", WORKERS),
    Route("POST", "/console/cases/{case}/refer", "refer", WORKERS),
    Route("POST", "/console/cases/{case}/take_over", "take_over", SUPERVISORS),
    Route("POST", "/console/cases/{case}/put_back", "put_back", SUPERVISORS),
    Route("POST", "/console/cases/{case}/hand_back", "hand_back", WORKERS),
    Route("POST", "/console/cases/{case}/close", "close", WORKERS),
    Route("POST", "/console/cases/{case}/ask_to_write", "ask_to_write", WORKERS),
    Route("POST", "/console/cases/{case}/template", "write_first", WORKERS),
    Route("POST", "/console/cases/{case}/first", "ask_first", WORKERS),
    Route("POST", "/console/cases/{case}/consent", "ask_consent", WORKERS),
    Route("POST", "/console/cases/{case}/contact", "write_down_contact", WORKERS),
    Route("POST", "/console/cases/{case}/translate", "translate", OWN_PEOPLE),
    Route("POST", "/console/cases/{case}/merge", "merge_case", SUPERVISORS),
    Route("POST", "/console/cases/{case}/split", "split_case", SUPERVISORS),
    Route("POST", "/console/cases/{case}/reopen", "reopen", SUPERVISORS),
    Route("POST", "/console/cases/{case}/minor", "set_minor", WORKERS),
    Route("POST", "/console/cases/{case}/referral", "refer_with_paper", WORKERS, fresh=True),
    Route("POST", "/console/cases/{case}/tasks", "add_task", WORKERS),
    Route("POST", "/console/cases/{case}/tasks/finish", "finish_task", WORKERS),
    Route("GET", "/console/cases/{case}/media/{line}", "media", WORKERS),
    Route("POST", "/console/cases/{case}/media/{line}/ask", "ask_original", OWN_PEOPLE),
    Route("POST", "/console/cases/{case}/media/{line}/hide", "hide_file", OWN_PEOPLE),
    Route("POST", "/console/cases/{case}/media/{line}/fetch", "fetch_file", OWN_PEOPLE),
    Route("POST", "/console/cases/{case}/originals/{request}", "original", OWN_PEOPLE, fresh=True),
    Route("POST", "/console/cases/{case}/reveal", "reveal", OWN_PEOPLE),
    Route("GET", "/console/requests", "requests", ASKERS),
    Route("POST", "/console/requests", "ask_case", ASKERS),
    Route("POST", "/console/requests/{request}/approve", "approve", SUPERVISORS),
    Route("POST", "/console/requests/{request}/refuse", "refuse", SUPERVISORS),
    Route("GET", "/console/glass/{case}", "glass", ASKERS),
    Route("POST", "/console/cases/{case}/identifiers", "add_identifier", WORKERS),
    Route("POST", "/console/cases/{case}/identifiers/remove", "remove_identifier", WORKERS),
    Route("POST", "/console/cases/{case}/report", "describe_report", WORKERS),
    Route("POST", "/console/cases/{case}/retract", "retract_report", OWN_PEOPLE),
    Route("POST", "/console/cases/{case}/restore", "restore_report", OWN_PEOPLE),
    Route("GET", "/console/histories", "list_histories", SUPERVISORS),
    Route("POST", "/console/histories", "find_histories", SUPERVISORS),
    Route("GET", "/console/histories/{history}", "show_history", OWN_PEOPLE),
    Route("POST", "/console/histories/{history}/confirm", "confirm_history", SUPERVISORS),
    Route("POST", "/console/histories/{history}/sign", "sign_history", SUPERVISORS),
    Route("POST", "/console/histories/{history}/withdraw", "withdraw_history", SUPERVISORS),
    Route("POST", "/console/histories/{history}/split", "split_history", SUPERVISORS),
    Route("POST", "/console/histories/{history}/unlink", "unlink_identifier", SUPERVISORS),
    Route("POST", "/console/histories/{history}/mark", "mark_identifier", SUPERVISORS),
    Route("POST", "/console/histories/{history}/merge", "merge_histories", SUPERVISORS),
    Route("POST", "/console/histories/{history}/export", "export_history", SUPERVISORS, fresh=True),
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
    Route("GET", "/console/places", "list_places", LIST_READERS),
    Route("GET", "/console/places/{poster}/print", "print_poster", LIST_READERS),
    Route("GET", "/console/places/{poster}/poster.pdf", "poster_pdf", LIST_READERS),
    Route("POST", "/console/places/{poster}/revoke", "revoke_poster", ADMINS),
    Route("POST", "/console/places/{place}/series", "begin_series", ADMINS),
    Route("GET", "/console/recruiters", "recruiters", CHECKERS),
    Route("POST", "/console/recruiters", "check_recruiter", CHECKERS),
    Route("POST", "/console/cases/{case}/share", "share", SUPERVISORS, fresh=True),
    Route("POST", "/console/cases/{case}/unshare", "take_back", SUPERVISORS),
    Route("GET", "/console/retention", "retention", AUDITORS),
    Route("POST", "/console/cases/{case}/hold", "hold", SUPERVISORS, fresh=True),
    Route("POST", "/console/cases/{case}/lift", "lift", SUPERVISORS, fresh=True),
    Route("GET", "/console/campaigns", "campaigns", CAMPAIGNERS),
    Route("POST", "/console/campaigns", "write_notice", CAMPAIGNERS),
    Route("GET", "/console/campaigns/{number}", "notice", CAMPAIGNERS),
    Route("POST", "/console/campaigns/{number}/confirm", "confirm_notice", SUPERVISORS),
    Route("POST", "/console/campaigns/{number}/again", "send_notice_again", SUPERVISORS),
    Route("POST", "/console/campaigns/{number}/cancel", "cancel_notice", CAMPAIGNERS),
    Route("GET", "/console/breaches", "breaches", LIST_READERS),
    Route("POST", "/console/breaches", "write_breach", ADMINS, fresh=True),
    Route("POST", "/console/breaches/{number}/confirm", "confirm_breach", SUPERVISORS, fresh=True),
    Route("POST", "/console/breaches/{number}/cancel", "cancel_breach", LIST_READERS),
    Route("GET", "/console/numbers", "numbers", NUMBER_READERS),
    Route("GET", "/console/telegram", "telegram", LINKERS),
    Route("POST", "/console/telegram/code", "make_link_code", OWN_PEOPLE),
    Route("POST", "/console/telegram/unlink", "unlink_me", OWN_PEOPLE),
    Route("POST", "/console/telegram/{person}/unlink", "unlink_person", ADMINS, fresh=True),
    Route("GET", "/console/audit", "audit", AUDITORS),
    Route("GET", "/console/exports", "exports", AUDITORS),
    Route("GET", "/console/people", "people", ADMINS),
    Route("POST", "/console/people", "add_person", ADMINS, fresh=True),
    Route("POST", "/console/people/rules", "change_rules", ADMINS, fresh=True),
    Route("POST", "/console/people/{person}/change", "change_person", ADMINS, fresh=True),
    Route("POST", "/console/people/{person}/disable", "disable_person", ADMINS, fresh=True),
    Route("POST", "/console/people/{person}/reset", "reset_person", ADMINS, fresh=True),
    Route("POST", "/console/people/{person}/factors", "reset_factors", ADMINS, fresh=True),
    Route("GET", "/console/organisations", "organisations", ADMINS),
    Route("POST", "/console/organisations", "save_organisation", ADMINS, fresh=True),
    Route("POST", "/console/passkey/challenge", "passkey_challenge", ANYONE),
    Route("POST", "/console/passkey/login", "passkey_log_in", ANYONE),
    Route("GET", "/console/prove", "prove_page", SIGNED_IN),
    Route("POST", "/console/prove", "prove", SIGNED_IN),
    Route("POST", "/console/prove/passkey", "prove_with_passkey", SIGNED_IN),
    Route("POST", "/console/prove/challenge", "own_passkey_challenge", SIGNED_IN),
    Route("GET", "/console/security", "security", SIGNED_IN),
    Route("POST", "/console/security/passkeys", "add_passkey", SIGNED_IN, fresh=True),
    Route("POST", "/console/security/passkeys/remove", "remove_passkey", SIGNED_IN, fresh=True),
    Route("POST", "/console/security/codes", "begin_codes", SIGNED_IN, fresh=True),
    Route("POST", "/console/security/codes/confirm", "confirm_codes", SIGNED_IN, fresh=True),
    Route("POST", "/console/security/codes/remove", "remove_codes", SIGNED_IN, fresh=True),
    Route("POST", "/console/security/recovery", "new_recovery", SIGNED_IN, fresh=True),
    Route("POST", "/console/security/sessions/end", "end_session", SIGNED_IN),
)


def add_console(app: web.Application, service: Service) -> None:
    """Add every route of the table; one whose view is missing stops the start."""
    gate = Gate(service)
    https = service.config.public_url.startswith("https://")
    views = Views(service, gate, https=https, session_of=lambda request: request[SESSION])
    parts = (views, *(part(service, views, lambda request: request[SESSION]) for part in PAGES))
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
            if route.method in CHANGES:
                own_form(request)
            return await view(request)
        cookie = request.cookies.get(views.cookie, "")
        session = await gate.session(cookie, touch=not route.quiet, browser=browser_of(request))
        if not session:
            raise web.HTTPSeeOther("/console/login")
        request[SESSION] = session
        first = before_all_else(session)
        if first and route.view not in first.views:
            raise web.HTTPSeeOther(first.page)
        if session.responder.role not in route.roles:
            stamp = Stamp(session.responder.id, "refused", f"{route.method} {route.path}")
            await service.audit.record(stamp, service.now())
            return views.refused(request)
        if route.method in CHANGES:
            await csrf(request, session)
        if route.fresh and not session.fresh:
            raise web.HTTPSeeOther(prove_first(request))
        return await view(request)

    return handle


@dataclass(frozen=True, slots=True)
class First:
    """What a session has to do before anything else: the page, and the views that this takes."""

    page: str
    views: frozenset[str]


ALWAYS = frozenset({"log_out", "change_language"})
PROVING = ALWAYS | {"prove_page", "prove", "prove_with_passkey", "own_passkey_challenge"}
SECOND_FACTOR = First("/console/prove", PROVING)
NEW_PASSWORD = First("/console/password", PROVING | {"password_page", "change_password"})
SET_UP = First(
    "/console/security", PROVING | {"security", "add_passkey", "begin_codes", "confirm_codes", "new_recovery"}
)


def before_all_else(session: Session) -> First | None:
    """Return what comes first: showing the second factor, then a new password, then setting a second factor up."""
    if session.needs == "prove":
        return SECOND_FACTOR
    if session.responder.must_change:
        return NEW_PASSWORD
    return SET_UP if session.needs == "security" else None


def same_origin(request: web.Request) -> None:
    """Refuse a form that another site's page sent."""
    origin = request.headers.get("Origin")
    site = request.headers.get("Sec-Fetch-Site", "same-origin")
    if (origin is not None and origin.split("://")[-1] != request.host) or site not in {"same-origin", "none"}:
        raise web.HTTPForbidden(text="another site's page may not do this")


def own_form(request: web.Request) -> None:
    """Refuse what is no form: JSON sent as text can come from any page."""
    if request.content_type not in {"application/x-www-form-urlencoded", "multipart/form-data"}:
        raise web.HTTPForbidden(text="send the console's own form")


async def csrf(request: web.Request, session: Session) -> None:
    """Refuse a form without the session's own token."""
    own_form(request)
    given = str((await request.post()).get("csrf", ""))
    if not hmac.compare_digest(given.encode("utf-8", "surrogateescape"), session.csrf.encode()):
        raise web.HTTPForbidden(text="the form is out of date; load the page again")
