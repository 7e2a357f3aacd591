"""A responder's own page for working from Telegram; administrators see who is linked and whether the group works."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from aiohttp import web

from bot.console.auth import Session
from bot.console.views import Views

Service = Any
PAGE = "/console/telegram"
WORKERS = frozenset({"responder", "supervisor"})


class TelegramViews:
    """One method per route."""

    def __init__(self, service: Service, views: Views, session_of: Callable[[web.Request], Session]) -> None:
        """*views* draws pages and writes the audit."""
        self._service = service
        self._views = views
        self._session = session_of

    async def telegram(self, request: web.Request) -> web.Response:
        """Say whether the account is linked; to an administrator, whose are."""
        return await self._page(request)

    async def make_link_code(self, request: web.Request) -> web.Response:
        """Show a one-time code, now and never again."""
        session = self._session(request)
        code = await self._service.group.linking.code(session.responder.id)
        await self._views.record(session.responder.id, "telegram code made")
        return await self._page(request, code)

    async def unlink_me(self, request: web.Request) -> web.StreamResponse:
        """Undo one's own link."""
        return await self._unlink(request, self._session(request).responder.id)

    async def unlink_person(self, request: web.Request) -> web.StreamResponse:
        """Undo somebody's link."""
        return await self._unlink(request, request.match_info["person"][:64])

    async def _unlink(self, request: web.Request, login: str) -> web.StreamResponse:
        if await self._service.group.linking.unlink(login):
            await self._views.record(self._session(request).responder.id, "telegram unlinked", login)
        raise web.HTTPSeeOther(PAGE)

    async def _page(self, request: web.Request, code: str = "") -> web.Response:
        session, group = self._session(request), self._service.group
        links = await group.linking.linked()
        await group.place.refresh()
        config = self._service.config
        return self._views.page(
            "telegram.html",
            request,
            session,
            mine=next((link for link in links if link.login == session.responder.id), None),
            links=links if session.responder.role == "admin" else (),
            worker=session.responder.role in WORKERS,
            code=code,
            bot_name=config.telegram_bot_name.removeprefix("@"),
            there=bool(config.telegram_responders_chat),
            topics=config.telegram_topics,
            state=group.place.state,
        )
