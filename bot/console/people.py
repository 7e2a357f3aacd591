"""The administrator's pages: who may come in and as what, partner organisations, and the rule for second factors.

An administrator never reads a case; each change ends the person's sessions and puts back what they may not keep.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable, Sequence
from typing import Any, Final

from aiohttp import web

from bot.console.auth import Session, hash_password
from bot.console.districts import name_of, read
from bot.console.views import ROLES, Views
from bot.domain.roles import Organisation, Role, problem
from bot.ports import Responder

Service = Any
LONGEST_NAME: Final = 60
MOST_LINES: Final = 200
PASSWORD_BYTES: Final = 12


class PeopleViews:
    """One method per route."""

    def __init__(self, service: Service, views: Views, session_of: Callable[[web.Request], Session]) -> None:
        """*views* draws pages and writes the audit."""
        self._service = service
        self._views = views
        self._session = session_of

    # --- people

    async def people(
        self, request: web.Request, *, given: str = "", wrong: str = "", status: int = 200
    ) -> web.Response:
        """Everyone who may come in. given: a one-time password, shown only now."""
        found: Sequence[Responder] = await self._service.responders.all()
        return self._views.page(
            "people.html",
            request,
            self._session(request),
            status=status,
            people=found,
            factors={person.id: await self._factors(person) for person in found},
            organisations=await self._service.organisations.all(),
            needed=await self._service.organisations.second_factor_needed(),
            roles=ROLES,
            given=given,
            wrong=wrong,
        )

    async def _factors(self, person: Responder) -> str:
        """Return which second factors a person has, as ids of words."""
        keys = len(await self._service.passkeys.of(person.id))
        return " ".join(["code"] * bool(person.totp_secret) + ["passkey"] * bool(keys))

    async def add_person(self, request: web.Request) -> web.StreamResponse:
        """Add somebody with a one-time password, shown once."""
        form = await request.post()
        login, name = (" ".join(str(form.get(field, "")).split())[:LONGEST_NAME] for field in ("login", "name"))
        post = await self._post(request)
        usable = login.isascii() and login.replace("-", "").replace(".", "").isalnum() and name and post
        if not usable or not post or await self._service.responders.get(login):
            return await self.people(request, wrong="person", status=400)
        made = Responder(login, name, post[0], "", must_change=True, organisation=post[1])
        await self._service.responders.save(made)
        return await self._with_password(request, login, "person added", {"role": post[0], "organisation": post[1]})

    async def _post(self, request: web.Request) -> tuple[str, str] | None:
        """Return role and organisation of the form; a partner needs an organisation, nobody else has one."""
        form = await request.post()
        role, named = str(form.get("role", "")), str(form.get("organisation", ""))[:LONGEST_NAME]
        if role not in ROLES:
            return None
        if role != Role.PARTNER:
            return role, ""
        return (role, named) if await self._service.organisations.get(named) else None

    async def change_person(self, request: web.Request) -> web.StreamResponse:
        """Give somebody another role or organisation; they have to log in again."""
        person, post = await self._person(request), await self._post(request)
        if not post or person.id == self._session(request).responder.id:
            return await self.people(request, wrong="post", status=400)
        await self._service.responders.post(person.id, *post, active=person.active)
        extra = {"role": post[0], "organisation": post[1], "was": person.role}
        return await self._ended(request, person, "person changed", extra)

    async def reset_person(self, request: web.Request) -> web.StreamResponse:
        """Give a new one-time password, let the person in again, and end their sessions; second factors stay."""
        person = await self._person(request)
        await self._service.responders.post(person.id, person.role, person.organisation, active=True)
        return await self._with_password(request, person.id, "password reset", {})

    async def _with_password(
        self, request: web.Request, person: str, action: str, extra: dict[str, str]
    ) -> web.StreamResponse:
        password = secrets.token_urlsafe(PASSWORD_BYTES)
        hashed = await asyncio.to_thread(hash_password, password)
        await self._service.responders.set_password(person, hashed, must_change=True)
        await self._service.sessions.drop_all(person)
        await self._views.record(self._session(request).responder.id, action, person, extra)
        return await self.people(request, given=f"{person} / {password}")

    async def reset_factors(self, request: web.Request) -> web.StreamResponse:
        """Forget somebody's passkeys, one-time codes and recovery codes, because they have lost them."""
        person = await self._person(request)
        await self._service.passkeys.drop(person.id)
        await self._service.responders.set_totp(person.id, "")
        await self._service.responders.set_recovery(person.id, ())
        return await self._ended(request, person, "second factor reset", {})

    async def disable_person(self, request: web.Request) -> web.StreamResponse:
        """Shut somebody out: sessions end, their cases go back into the queue."""
        person = await self._person(request)
        if person.id == self._session(request).responder.id:
            return await self.people(request, wrong="post", status=400)
        await self._service.responders.post(person.id, person.role, person.organisation, active=False)
        return await self._ended(request, person, "person disabled", {})

    async def _ended(
        self, request: web.Request, person: Responder, action: str, extra: dict[str, str]
    ) -> web.StreamResponse:
        await self._service.sessions.drop_all(person.id)
        await self._views.record(self._session(request).responder.id, action, person.id, extra)
        await self._service.people.clear()
        self._service.wake_console.set()
        raise web.HTTPSeeOther("/console/people")

    async def _person(self, request: web.Request) -> Responder:
        found: Responder | None = await self._service.responders.get(request.match_info["person"][:64])
        if not found:
            raise web.HTTPNotFound(text="not found")
        return found

    async def change_rules(self, request: web.Request) -> web.StreamResponse:
        """Ask everybody for a second factor, or leave it to them."""
        needed = (await request.post()).get("second_factor") == "yes"
        await self._service.organisations.need_second_factor(needed=needed)
        action = "second factor demanded" if needed else "second factor left to each"
        await self._views.record(self._session(request).responder.id, action)
        raise web.HTTPSeeOther("/console/people")

    # --- partner organisations

    async def organisations(
        self, request: web.Request, *, wrong: str = "", typed: str = "", status: int = 200
    ) -> web.Response:
        """The partner organisations with their labels and districts."""
        content = self._service.content
        found: Sequence[Organisation] = await self._service.organisations.all()
        return self._views.page(
            "organisations.html",
            request,
            self._session(request),
            status=status,
            organisations=found,
            named={one.id: [name_of(code, content) for code in one.districts] for one in found},
            wrong=wrong,
            typed=typed,
        )

    async def save_organisation(self, request: web.Request) -> web.StreamResponse:
        """Add or change one; what it may not see any more leaves its view at once."""
        form = await request.post()
        lines = str(form.get("districts", "")).splitlines()[:MOST_LINES]
        made = Organisation(
            str(form.get("id", "")).strip(),
            " ".join(str(form.get("name", "")).split())[:LONGEST_NAME],
            tuple(dict.fromkeys(str(form.get("labels", "")).replace(",", " ").lower().split()[:MOST_LINES])),
            tuple(dict.fromkeys(read(line, self._service.content) for line in lines if line.strip())),
        )
        wrong = problem(made)
        if wrong:
            unread = [line for line in lines if line.strip() and not read(line, self._service.content)]
            return await self.organisations(request, wrong=wrong, typed=", ".join(unread), status=400)
        await self._service.organisations.save(made)
        extra = {"labels": " ".join(made.labels), "districts": ", ".join(made.districts)}
        await self._views.record(self._session(request).responder.id, "organisation changed", made.id, extra)
        await self._service.people.clear()
        raise web.HTTPSeeOther("/console/organisations")
