"""The pictures that go with our words, for the web chat's pages: fetched apart, so that the pages stay small."""

from __future__ import annotations

from typing import Any

from aiohttp import web


class Shown:
    """Gives out the pictures that the content names; they tell nothing of anybody, so anyone may see them."""

    def __init__(self, service: Any) -> None:  # noqa: ANN401 - `bot.app.Service`, see routes
        """*service*: its content and gallery."""
        self._service = service

    def add_to(self, app: web.Application) -> None:
        """Add the route."""
        app.router.add_get("/chat/pictures/{name}", self.picture)

    async def picture(self, request: web.Request) -> web.Response:
        """Return one picture; 404 for a name that no message has."""
        name = request.match_info["name"]
        named = name in self._service.content.shown_with.values()
        found = self._service.gallery.get(name) if named else None
        if not found:
            raise web.HTTPNotFound(text="no such picture")
        return web.Response(body=found.data, content_type=found.mime)
