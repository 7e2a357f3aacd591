"""The page of numbers: how long people wait, per language and district; nothing in it is about a person."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from aiohttp import web

from bot.console.auth import Session
from bot.console.districts import named
from bot.console.views import Views
from bot.domain.numbers import MEASURES, SMALLEST, Group, group, groups

Service = Any


class NumberViews:
    """One method per route."""

    def __init__(self, service: Service, views: Views, session_of: Callable[[web.Request], Session]) -> None:
        """*views* makes pages and leaves lines in the audit."""
        self._service = service
        self._views = views
        self._session = session_of

    async def numbers(self, request: web.Request) -> web.Response:
        """Time to acknowledge, to first reply, to close; cases that nobody took."""
        lives = await self._service.cases.lives()
        everything = (group("", lives),) if len(lives) >= SMALLEST else ()
        tables: tuple[tuple[str, tuple[Group, ...]], ...] = (
            ("all", everything),
            ("language", groups(lives, lambda life: life.locale)),
            ("district", groups(lives, lambda life: named(life.district, self._service.content))),
        )
        session = self._session(request)
        return self._views.page(
            "numbers.html", request, session, tables=tables, measures=MEASURES, least=SMALLEST, spoken=spoken
        )


def spoken(seconds: float) -> str:
    """Return a time as people read it: 45 s, 3 min 20 s, 2 h 05 min, 3 d 4 h."""
    minutes, rest = divmod(round(seconds), 60)
    if not minutes:
        return f"{rest} s"
    hours, minutes = divmod(minutes, 60)
    if not hours:
        return f"{minutes} min {rest:02d} s"
    days, hours = divmod(hours, 24)
    return f"{days} d {hours} h" if days else f"{hours} h {minutes:02d} min"
