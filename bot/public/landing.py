"""`/q/<code>`: the page behind a poster: no script, no cookie; the numbers, then where to write, in every language."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import aiohttp_jinja2
from aiohttp import web

from bot.content.model import Content
from bot.content.render import said
from bot.content.wall import in_order, prefill, words_of
from bot.dialogue.arrival import at_place, help_at
from bot.domain import codes
from bot.domain.places import Point, Poster

#: `bot.app.Service`, handed in: this floor may not import the one above it.
Service = Any
LINES = (("112", "danger"), ("1098", "child"), ("139", "railway"))


@dataclass(frozen=True, slots=True)
class Reader:
    """What the page says in one language, with the links that carry the code on."""

    locale: str
    own_name: str
    direction: str
    word: Callable[[str], str]
    place: str
    help: tuple[str, ...]
    words: str
    whatsapp: str


def add_landing(app: web.Application, service: Service) -> None:
    """Add the page."""
    app.router.add_get("/q/{code}", Landing(service).page)


class Landing:
    """The one handler."""

    def __init__(self, service: Service) -> None:
        """*service* knows the places, the words and the settings."""
        self._service = service

    async def page(self, request: web.Request) -> web.Response:
        """Show the numbers, the desk and the ways to write; an unknown code gets all of it but the place.

        A channel that refuses us at present stands last, with a word about it: an answer there may be late.
        """
        service = self._service
        typed = request.match_info["code"]
        code = codes.plain(typed.removeprefix(codes.MARK))
        poster = service.places.directory.valid(code)
        service.places.scanned(poster.place if poster else "")
        point = service.places.directory.points[poster.place] if poster else None
        readers = list(self._readers(poster, point))
        bot = service.config.telegram_bot_name.lstrip("@")
        context = {
            "first": readers[0],
            "others": readers[1:],
            "known": bool(poster),
            "lines": LINES,
            "telegram": f"https://t.me/{quote(bot)}" + (f"?start={codes.start(code)}" if poster else "") if bot else "",
            "late": service.standings.refused,
            "web": f"/chat?place={code}" if poster else "/chat",
        }
        response = aiohttp_jinja2.render_template("code.html", request, context)
        response.enable_compression()
        return response

    def _readers(self, poster: Poster | None, point: Point | None) -> Iterable[Reader]:
        content: Content = self._service.content
        for locale in in_order(point.locales if point else (), content):
            yield self._reader(locale, content, poster, point)

    def _reader(self, locale: str, content: Content, poster: Poster | None, point: Point | None) -> Reader:
        def word(key: str) -> str:
            return content.words(locale, key)

        return Reader(
            locale=locale,
            own_name=content.locales[locale].own_name,
            direction=content.locales[locale].direction,
            word=word,
            place=point.named(locale) if point else "",
            help=self._help(point, locale, content),
            words=words_of(poster.phrase, locale, content) if poster else "",
            whatsapp=self._whatsapp(poster.code if poster else "", locale, content),
        )

    def _help(self, point: Point | None, locale: str, content: Content) -> tuple[str, ...]:
        if not point:
            return ()
        replies = (at_place(point, locale), *help_at(point, locale, self._service.now().date()))
        return tuple(said(reply, locale, content) for reply in replies)

    def _whatsapp(self, code: str, locale: str, content: Content) -> str:
        number = "".join(filter(str.isdigit, self._service.config.whatsapp_number))
        return f"https://wa.me/{number}?text={_in_link(prefill(code, locale, content))}" if number else ""


def _in_link(text: str) -> str:
    """Quote what must be; a browser quotes letters of other scripts itself, at a third of the page's weight."""
    return "".join(quote(char) if char.isascii() else char for char in text)
