"""Small lessons and urgent notes: what became of them, writing a note, its dry run, and the second person's yes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from aiohttp import web

from bot.console.auth import Session
from bot.console.numbers import spoken
from bot.console.views import Views
from bot.content.render import said
from bot.domain.lessons import FEWEST
from bot.domain.notices import LONGEST_TEXT, NOTE, Left, NotConfirmable, Notice, Where, WhereKind
from bot.service.notices import BadNotice

Service = Any
LONGEST_NUMBER = 9
NOBODY_LEFT = Left()


class CampaignViews:
    """One method per route of the campaigns' part of the console."""

    def __init__(self, service: Service, views: Views, session_of: Callable[[web.Request], Session]) -> None:
        """*views* gives pages and the audit."""
        self._service = service
        self._views = views
        self._session = session_of

    async def campaigns(self, request: web.Request) -> web.Response:
        """What became of lessons and notes; a form for a new note."""
        return await self._page(request)

    async def write_notice(self, request: web.Request) -> web.Response:
        """Keep a draft, and show its dry run."""
        form = await request.post()
        session = self._session(request)
        texts = {code: str(form.get(f"text_{code}", "")) for code in self._service.content.locales}
        try:
            notice = await self._service.notes.write(_where(str(form.get("where", ""))), texts, session.responder.id)
        except BadNotice as error:
            return await self._page(request, error=str(error), texts=texts, chosen=str(form.get("where", "")))
        await self._views.record(session.responder.id, "note written", str(notice.number))
        raise web.HTTPSeeOther(f"/console/campaigns/{notice.number}")

    async def notice(self, request: web.Request) -> web.Response:
        """The dry run: what each language reads, whom it reaches, what it costs, how long it takes."""
        return await self._notice_page(request, await self._found(request))

    async def confirm_notice(self, request: web.Request) -> web.Response:
        """Let it be sent."""
        notice, session = await self._found(request), self._session(request)
        try:
            await self._service.notes.confirm(notice.number, session.responder.id)
        except NotConfirmable:
            return await self._notice_page(request, notice, error="not_yours")
        await self._views.record(session.responder.id, "note confirmed", str(notice.number))
        raise web.HTTPSeeOther(f"/console/campaigns/{notice.number}")

    async def cancel_notice(self, request: web.Request) -> web.Response:
        """Send it to nobody more."""
        notice, session = await self._found(request), self._session(request)
        await self._service.notes.cancel(notice.number)
        await self._views.record(session.responder.id, "note cancelled", str(notice.number))
        raise web.HTTPSeeOther("/console/campaigns")

    async def send_notice_again(self, request: web.Request) -> web.Response:
        """Send it, for two days more, to those whom it has not reached."""
        notice, session = await self._found(request), self._session(request)
        try:
            await self._service.notes.again(notice.number, session.responder.id)
        except NotConfirmable:
            return await self._notice_page(request, notice, error="not_yours")
        await self._views.record(session.responder.id, "note sent again", str(notice.number))
        raise web.HTTPSeeOther("/console/campaigns")

    async def _found(self, request: web.Request) -> Notice:
        number = request.match_info["number"]
        known = number.isascii() and number.isdigit() and len(number) <= LONGEST_NUMBER
        notice: Notice | None = await self._service.notes.get(int(number)) if known else None
        if not notice:
            raise web.HTTPNotFound
        return notice

    async def _page(
        self, request: web.Request, error: str = "", texts: dict[str, str] | None = None, chosen: str = ""
    ) -> web.Response:
        counts = await self._service.teacher.counts()
        content, session = self._service.content, self._session(request)
        return self._views.page(
            "campaigns.html",
            request,
            session,
            lessons=[count for count in counts if count.course != NOTE],
            notes={count.number: count for count in counts if count.course == NOTE and not count.locale},
            notices=await self._service.notes.latest(),
            left=await self._service.notes.left(),
            least=FEWEST,
            places=self._places(session),
            locales=content.locales.values(),
            longest=LONGEST_TEXT,
            error=error,
            texts=texts or {},
            chosen=chosen,
            status=400 if error else 200,
        )

    def _places(self, session: Session) -> Sequence[tuple[str, str]]:
        """Return every place a note may be about: its value in the form, and its name."""
        content = self._service.content
        states = {code: content.words(session.lang, f"state.{code}.name") for code in content.states}
        found = [(f"state:{code}:", name) for code, name in states.items()]
        found += [(f"district:{one.name}:{one.state}", f"{one.name}, {states[one.state]}") for one in content.districts]
        points = self._service.places.directory.points.values()
        found += [(f"place:{one.code}:", f"{one.named(session.lang)} ({one.code})") for one in points]
        return sorted(found, key=lambda pair: pair[1])

    async def _notice_page(self, request: web.Request, notice: Notice, error: str = "") -> web.Response:
        content, session = self._service.content, self._session(request)
        words = {
            code: "\n".join(said(reply, code, content) for reply in self._service.notes.words(notice, code))
            for code in notice.texts
        }
        reach = await self._service.notes.reach(notice)
        mine = session.responder.id == notice.made_by
        may_confirm = session.responder.role == "supervisor" and not mine
        return self._views.page(
            "campaigns_notice.html",
            request,
            session,
            notice=notice,
            words=words,
            names={code: locale.own_name for code, locale in content.locales.items()},
            reach=reach,
            takes=spoken(reach.seconds),
            may_confirm=may_confirm,
            left=(await self._service.notes.left()).get(notice.number, NOBODY_LEFT),
            error=error,
            status=409 if error else 200,
        )


def _where(value: str) -> Where:
    """Read what the form chose. A value of no form is a place that nobody knows."""
    kind, _, rest = value.partition(":")
    name, _, state = rest.rpartition(":")
    return Where(WhereKind(kind) if kind in set(WhereKind) else WhereKind.PLACE, name, state)
