"""A person's own way in: passkeys, one-time codes, recovery codes, sessions, and the proof before what is delicate."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any, Final
from urllib.parse import quote, urlsplit

import pyotp
import segno
from aiohttp import web

from bot.console.auth import SESSION, Gate, Session, recovery_codes
from bot.console.browser import browser_of
from bot.console.passkeys import NAME, Ceremonies, NotProved
from bot.console.transcript import visible
from bot.console.views import Views
from bot.domain.passkeys import ChallengeFor

Service = Any
LONGEST_FIELD: Final = 200
OWN_PAGE: Final = "/console/security"
QUIET_ZONE: Final = 4
DOT: Final = 5


class SecurityViews:
    """One method per route of what concerns a person's own way in."""

    def __init__(self, service: Service, views: Views, session_of: Callable[[web.Request], Session]) -> None:
        """*views* draws pages and writes the audit."""
        self._service = service
        self._views = views
        self._session = session_of
        self._gate = Gate(service)
        self._ceremonies = Ceremonies(service)

    # --- coming in with a passkey

    async def passkey_challenge(self, request: web.Request) -> web.Response:
        """Give a challenge to somebody at the door."""
        return web.json_response(await self._ceremonies.begin(request, ChallengeFor.LOGIN, None))

    async def passkey_log_in(self, request: web.Request) -> web.StreamResponse:
        """Open a session for who holds a passkey; other people's wrong passwords have no say in it."""
        try:
            key = await self._ceremonies.prove(request, ChallengeFor.LOGIN, None)
        except NotProved:
            return await self._views.not_in(request)
        responder = await self._service.responders.get(key.person)
        if not responder or not responder.active:
            return await self._views.not_in(request)
        token = await self._gate.open(responder, strong=True, how="passkey", browser=browser_of(request))
        return await self._views.let_in(request, responder.id, token)

    # --- proving again

    async def prove_page(self, request: web.Request, *, failed: bool = False) -> web.Response:
        """Ask who it is."""
        session = self._session(request)
        return self._views.page(
            "prove.html",
            request,
            session,
            status=400 if failed else 200,
            failed=failed,
            back=own_path(request.query.get("back", "")),
            passkeys=await self._service.passkeys.of(session.responder.id),
        )

    async def prove(self, request: web.Request) -> web.StreamResponse:
        """Take a password or a code: a session without its second factor needs a code, the others the password."""
        session, form = self._session(request), await request.post()
        code, password = (str(form.get(field, ""))[:LONGEST_FIELD] for field in ("code", "password"))
        if session.needs == "prove":
            fits = await self._gate.code_fits(session.responder, code)
        else:
            fits = await self._gate.knows_password(session.responder, password)
        return await self._proved(request, fits=fits, strong=session.needs == "prove", how="password_code")

    async def prove_with_passkey(self, request: web.Request) -> web.StreamResponse:
        """Take a passkey."""
        try:
            await self._ceremonies.prove(request, ChallengeFor.PROVE, self._session(request))
        except NotProved:
            return await self._proved(request, fits=False, strong=False, how="passkey")
        return await self._proved(request, fits=True, strong=True, how="passkey")

    async def _proved(self, request: web.Request, *, fits: bool, strong: bool, how: str) -> web.StreamResponse:
        session = self._session(request)
        await self._views.record(session.responder.id, "identity proved" if fits else "identity not proved")
        if not fits:
            return await self.prove_page(request, failed=True)
        token = await self._gate.proved(session, strong=strong, how=how, browser=browser_of(request))
        answer = web.HTTPSeeOther(own_path(str((await request.post()).get("back", ""))))
        self._views.set_cookie(answer, token)
        raise answer

    # --- the page

    async def security(
        self, request: web.Request, *, codes: tuple[str, ...] = (), secret: str = "", wrong: str = "", status: int = 200
    ) -> web.Response:
        """Show what a person has set up, and where they are logged in. codes, secret: shown only now."""
        session, now = self._session(request), self._service.now()
        person = await self._service.responders.get(session.responder.id)
        rows = await self._service.sessions.of(person.id, now)
        return self._views.page(
            "security.html",
            request,
            session,
            status=status,
            person=person,
            passkeys=await self._service.passkeys.of(person.id),
            sessions=[_told(row, self._service.sessions.name(session.token)) for row in rows],
            codes=codes,
            secret=secret,
            qr=_qr(secret, person.id) if secret else "",
            wrong=wrong,
        )

    # --- passkeys

    async def own_passkey_challenge(self, request: web.Request) -> web.Response:
        """Give a challenge to somebody who is in: to set up a passkey, or to show one."""
        session = self._session(request)
        new = (await request.post()).get("purpose") == ChallengeFor.REGISTER.value
        if new and (session.needs == "prove" or not session.fresh):
            raise web.HTTPForbidden(text="show first who you are")
        purpose = ChallengeFor.REGISTER if new else ChallengeFor.PROVE
        return web.json_response(await self._ceremonies.begin(request, purpose, session))

    async def add_passkey(self, request: web.Request) -> web.StreamResponse:
        """Keep a new passkey; every other session of the person ends."""
        session = self._session(request)
        try:
            await self._ceremonies.register(request, session, str((await request.post()).get("label", "")))
        except NotProved:
            await self._views.record(session.responder.id, "passkey refused")
            return await self.security(request, wrong="passkey_refused", status=400)
        return await self._strengthened(request, "passkey added", "passkey")

    async def remove_passkey(self, request: web.Request) -> web.StreamResponse:
        """Remove one of the person's own passkeys."""
        session = self._session(request)
        key = str((await request.post()).get("passkey", ""))[:2000]
        removed = bool(key) and await self._service.passkeys.drop(session.responder.id, key)
        await self._views.record(session.responder.id, "passkey removed" if removed else "passkey not removed")
        raise web.HTTPSeeOther(OWN_PAGE)

    # --- one-time codes

    async def begin_codes(self, request: web.Request) -> web.StreamResponse:
        """Show a new secret as a picture; it counts only once a code of it was typed."""
        secret = pyotp.random_base32()
        await self._service.sessions.keep_secret(self._session(request).token, secret)
        return await self.security(request, secret=secret)

    async def confirm_codes(self, request: web.Request) -> web.StreamResponse:
        """Take the new secret into use if the code fits."""
        session = self._session(request)
        code = str((await request.post()).get("code", "")).replace(" ", "")[:LONGEST_FIELD]
        secret = await self._service.sessions.secret(session.token)
        if not secret or not await self._gate.sets_up(session.responder, secret, code):
            return await self.security(request, secret=secret, wrong="code_wrong", status=400)
        await self._service.sessions.keep_secret(session.token, "")
        return await self._strengthened(request, "one-time codes set up", "password_code")

    async def remove_codes(self, request: web.Request) -> web.StreamResponse:
        """Use one-time codes no more."""
        session = self._session(request)
        await self._service.responders.set_totp(session.responder.id, "")
        await self._views.record(session.responder.id, "one-time codes removed")
        raise web.HTTPSeeOther(OWN_PAGE)

    async def new_recovery(self, request: web.Request) -> web.StreamResponse:
        """Show new recovery codes, once; the old ones are worth nothing from now on."""
        session = self._session(request)
        if not await self._gate.has_factor(session.responder):
            return await self.security(request, wrong="no_factor", status=400)
        codes = await self._new_codes(session)
        return await self.security(request, codes=codes)

    async def _new_codes(self, session: Session) -> tuple[str, ...]:
        codes = tuple(recovery_codes())
        await self._service.responders.set_recovery(session.responder.id, codes)
        await self._views.record(session.responder.id, "recovery codes made")
        return codes

    async def _strengthened(self, request: web.Request, action: str, how: str) -> web.StreamResponse:
        """End the person's other sessions; the first time, show recovery codes."""
        session = self._session(request)
        await self._views.record(session.responder.id, action)
        token = await self._gate.proved(session, strong=True, how=how, browser=browser_of(request))
        await self._service.sessions.drop_others(session.responder.id, token)
        if renewed := await self._gate.session(token):
            request[SESSION] = renewed
        person = await self._service.responders.get(session.responder.id)
        codes = () if person.recovery else await self._new_codes(session)
        response = await self.security(request, codes=codes)
        self._views.set_cookie(response, token)
        return response

    # --- sessions

    async def end_session(self, request: web.Request) -> web.StreamResponse:
        """End one of the person's own sessions, or all others."""
        session = self._session(request)
        named = str((await request.post()).get("session", ""))[:LONGEST_FIELD]
        if named == "others":
            await self._service.sessions.drop_others(session.responder.id, session.token)
        else:
            await self._service.sessions.drop_named(session.responder.id, named)
        await self._views.record(session.responder.id, "own session ended")
        raise web.HTTPSeeOther(OWN_PAGE)


def own_path(path: str) -> str:
    """Return *path* if it is a page of the console, else its beginning: nobody is sent elsewhere."""
    parts = urlsplit(path)
    ours = path.startswith("/console/") and not parts.netloc and not parts.scheme and path.isprintable()
    return path if ours and "\\" not in path and "//" not in path else "/console/"


def prove_first(request: web.Request) -> str:
    """Return where a form that came too late after the last proof leads, and then back to its page."""
    came_from = urlsplit(request.headers.get("Referer", ""))
    return f"/console/prove?back={quote(own_path(came_from.path))}"


def _told(row: dict[str, Any], this: str) -> dict[str, Any]:
    return {
        "name": row["_id"],
        "made_at": row.get("made_at", row["seen_at"]),
        "seen_at": row["seen_at"],
        "how": row.get("how", "password"),
        "agent": visible(row.get("agent", "")),
        "this": row["_id"] == this,
    }


def _qr(secret: str, person: str) -> str:
    """Draw the secret for an authenticator app: SVG without scripts or styles, and nothing in it comes from people."""
    uri = pyotp.TOTP(secret).provisioning_uri(name=person, issuer_name=NAME)
    out = io.BytesIO()
    segno.make(uri, error="m", micro=False).save(
        out, kind="svg", scale=DOT, border=QUIET_ZONE, xmldecl=False, svgns=False, light="#fff"
    )
    return out.getvalue().decode()
