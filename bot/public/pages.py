"""The web chat's pages: the full one, a simple one for browsers without scripts, the square for a camera."""

from __future__ import annotations

import asyncio
import contextlib
import io
import json
import logging
import secrets
from collections.abc import Coroutine, Mapping, Sequence
from typing import Any
from urllib.parse import urlencode

import aiohttp_jinja2
import segno
from aiohttp import web

from bot.content.model import Content
from bot.domain import codes
from bot.domain.messages import Address, ChannelName
from bot.domain.places import Purpose
from bot.domain.private import Private
from bot.public import visitors
from bot.public.chat import HELPLINES, ChatApi, Service
from bot.public.feed import SILENT, Feed, Item
from bot.public.files import Enclosure
from bot.public.forms import Form, read_form
from bot.public.letters import Letter, clean
from bot.service.receive import NotAccepted

log = logging.getLogger(__name__)
#: Seconds of nobody touching a shared screen until it is empty: as set in its address, within these.
IDLE, SHORTEST_IDLE, LONGEST_IDLE = 60, 10, 600
ANSWER_PATIENCE = 4.0
DATABASE_PATIENCE = 3.0
LOOK_EVERY, MOST_LOOKS = 0.2, 20
FORM = "/chat/simple"
NAME_BYTES = 12


class ChatPages:
    """The handlers, over one service."""

    def __init__(self, service: Service, api: ChatApi, *, https: bool) -> None:
        """*api* keeps what the simple page's form sends. *https*: cookies are then sent over TLS only."""
        self._service = service
        self._api = api
        self._https = https
        self._feed = Feed(service)

    def add_to(self, app: web.Application) -> None:
        """Add the routes."""
        app.router.add_get("/", self.full)
        app.router.add_get("/chat", self.full)
        app.router.add_get(FORM, self.simple)
        app.router.add_post(FORM, self.write)
        app.router.add_post("/chat/left", self.left)
        app.router.add_get("/chat/words/{locale}", self.words)
        app.router.add_get("/chat/square.svg", self.square)

    async def full(self, request: web.Request) -> web.Response:
        """The chat; `lang`, `t` (a topic) and `place` say how it begins, `kiosk` that many people use this screen."""
        content, query = self._service.content, request.query
        locale = _locale(request, content)
        context = {
            **self._context(locale),
            "given": query.get("lang", "") if query.get("lang", "") in content.locales else "",
            "topic": query.get("t", "") if query.get("t", "") in content.topics else "",
            "place": self._code(query),
            "kiosk": query.get("kiosk") == "1",
            "idle": _idle(query.get("idle", "")),
            "name": secrets.token_hex(NAME_BYTES),
        }
        return aiohttp_jinja2.render_template("chat.html", request, context)

    async def simple(self, request: web.Request) -> web.Response:
        """The conversation as a page, with a form to write."""
        address = visitors.address_of(request) if visitors.known(request) else None
        fields = {**request.query, "text": ""}
        try:
            return await self._simple(request, address, fields)
        except Exception as error:
            return self._broken(request, fields, "web.waiting", error)

    async def _simple(
        self,
        request: web.Request,
        address: Address | None,
        fields: Mapping[str, str],
        failed: str = "",
        status: int = 200,
    ) -> web.Response:
        """Show both sides; while the database is silent only whom to call."""
        try:
            items = await self._items(address)
        except SILENT:
            items, failed = [], failed or "web.waiting"
        return self._shown(request, items, fields, failed, status)

    def _broken(self, request: web.Request, fields: Mapping[str, str], failed: str, error: Exception) -> web.Response:
        """Report a fault of ours, and still say whom to call."""
        log.error("a page failed", exc_info=error, extra={"error": type(error).__name__})
        return self._shown(request, [], fields, failed, 500)

    def _shown(
        self, request: web.Request, items: Sequence[Item], fields: Mapping[str, str], failed: str, status: int
    ) -> web.Response:
        last = next((item for item in reversed(items) if item.choices or item.mine), None)
        context = {
            **self._context(_locale(request, self._service.content, fields.get("lang", ""))),
            "items": [item for item in items if item.text or item.mine],
            "choices": last.choices if last else (),
            "name": secrets.token_hex(NAME_BYTES),
            "text": fields.get("text", ""),
            "place": self._code(fields),
            "failed": failed,
        }
        return aiohttp_jinja2.render_template("simple.html", request, context, status=status)

    async def write(self, request: web.Request) -> web.Response:
        """Keep what the form sends, wait a little for the answer, and show the page again."""
        visitors.same_site(request)
        form = await read_form(request)
        letter = form.letter
        fresh = not visitors.known(request)
        address = self._first_session(request, form) if fresh else visitors.address_of(request)
        try:
            response = await self._taken(request, address, form, self._before(form, fresh=fresh), letter)
        except web.HTTPException:
            raise
        except Exception as error:
            return self._broken(request, form.fields, "web.not_kept", error)
        if fresh:
            visitors.give(response, address, https=self._https)
        return response

    def _first_session(self, request: web.Request, form: Form) -> Address:
        """Return the session of a first message: the same one for the same page, so that two presses are one visitor.

        Only where the browser says that the page was ours: another site's must not choose who somebody is.
        """
        if len(form.name) < 2 * NAME_BYTES or not visitors.says_where_from(request):
            return visitors.new_session()
        return Address(ChannelName.WEB, Private(self._service.sealer.blind("web_session", form.name)))

    async def _taken(
        self, request: web.Request, address: Address, form: Form, before: Sequence[Letter], letter: Letter | None
    ) -> web.Response:
        """Keep the words, then the files, which take longer; say what was not kept."""
        written = {**form.fields, "text": "" if letter else form.fields.get("text", "")}
        failed, status = await self._refusal(self._keep(request, address, before, letter))
        if failed:
            return await self._simple(request, address, form.fields, failed, status)
        files, whole = await form.files()
        failed, status = await self._refusal(self._enclose(request, address, form, files))
        if failed or not whole:
            answer = (failed, status) if failed else ("web.refused", 413)
            return await self._simple(request, address, written, *answer)
        if not (before or letter or files):
            await self._api.keep(address, Letter("menu", Private(""), "c:menu"))
        await self._answered(self._feed.conversation(address))
        query = urlencode({"lang": self._known_locale(form.fields)})
        return web.Response(status=303, headers={"Location": f"{FORM}?{query}#end"})

    async def _refusal(self, keeping: Coroutine[None, None, None]) -> tuple[str, int]:
        """Return what to say where something was not kept, and the status; ("", 200) where it was."""
        try:
            await keeping
        except NotAccepted:
            return "web.not_kept", 503
        except web.HTTPTooManyRequests as error:
            return "web.not_kept", error.status
        return "", 200

    def _known_locale(self, fields: Mapping[str, str]) -> str:
        given = fields.get("lang", "")
        return given if given in self._service.content.locales else ""

    def _before(self, form: Form, *, fresh: bool) -> Sequence[Letter]:
        """Return what comes before the words: the language of a new visitor, and where they are."""
        locale = self._known_locale(form.fields)
        language = [Letter("language", Private(""), f"l:{locale}")] if fresh and locale else []
        return [*language, *self._arrival(form.fields)]

    async def _items(self, address: Address | None) -> Sequence[Item]:
        """Return the conversation. Raise `SILENT`."""
        if not address:
            return []
        async with asyncio.timeout(DATABASE_PATIENCE):
            return await self._feed.everything(self._feed.conversation(address))

    async def _keep(
        self, request: web.Request, address: Address, before: Sequence[Letter], letter: Letter | None
    ) -> None:
        """Hand it in, before anything else is asked of the database, but after the language and the place."""
        if letter or before:
            await self._api.pace(request, address, letter)
        for one in [*before, letter] if letter else before:
            await self._api.keep(address, one)

    async def _enclose(self, request: web.Request, address: Address, form: Form, files: Sequence[Enclosure]) -> None:
        """Keep each file under the form's id, so that sending it twice changes nothing. Raise 400 without one."""
        for file in files:
            if not form.name or clean(form.name) != form.name:
                raise web.HTTPBadRequest(text="id: up to 64 letters, digits, - or _")
            await self._api.pace_file(request, address)
            await self._api.keep_file(address, visitors.key(address, f"{form.name}-{file.carrier}"), file)

    async def _answered(self, conversation: str) -> None:
        """Wait a little until all is answered, so that the page shows the answer at once."""
        with contextlib.suppress(*SILENT):
            async with asyncio.timeout(ANSWER_PATIENCE):
                for _ in range(MOST_LOOKS):
                    if not await self._feed.waits(conversation):
                        break
                    await asyncio.sleep(LOOK_EVERY)

    def _arrival(self, fields: Mapping[str, str]) -> Sequence[Letter]:
        """Return what says where the person is, as the full page sends it; once for each page that was shown."""
        code = self._code(fields)
        return (Letter(f"place-{clean(fields.get('id', ''))}", Private(codes.start(code))),) if code else ()

    def _code(self, fields: Mapping[str, str]) -> str:
        """Return the code that `place` names: a poster's, or that of the newest poster of the place with this name."""
        directory, given = self._service.places.directory, _place(fields)
        place = given.upper()
        if place not in directory.points:
            return given
        hanging = (directory.newest(place, purpose) for purpose in Purpose)
        return next((poster.code for poster in hanging if poster), "")

    async def left(self, request: web.Request) -> web.Response:
        """Quick exit without scripts: forget, end the session, go to a page that anybody might read."""
        visitors.same_site(request)
        if visitors.known(request):
            await self._api.forget(visitors.address_of(request))
        context = {"exit": self._service.config.exit_url}
        response = aiohttp_jinja2.render_template("left.html", request, context)
        visitors.take_away(response)
        return response

    async def words(self, request: web.Request) -> web.Response:
        """The page's own words in one locale."""
        locale = request.match_info["locale"]
        if locale not in self._service.content.locales:
            raise web.HTTPNotFound(text="no such locale")
        return web.json_response(self._own_words(locale), dumps=_readable)

    async def square(self, request: web.Request) -> web.Response:
        """A QR code, as SVG, of the address at which a phone shows the same topic in the same language.

        Not of the place: whoever reads on at home is not there any more.
        """
        content, query = self._service.content, request.query
        known = {"lang": content.locales, "t": content.topics}
        kept = {name: query[name] for name, all_of in known.items() if query.get(name) in all_of}
        base = self._service.config.public_url or f"{request.scheme}://{request.host}"
        drawn = io.BytesIO()
        segno.make(f"{base}/?{urlencode(kept)}", error="m", micro=False).save(drawn, kind="svg", scale=6, border=4)
        return web.Response(body=drawn.getvalue(), content_type="image/svg+xml")

    def _context(self, locale: str) -> dict[str, Any]:
        content = self._service.content
        return {
            "locale": locale,
            "direction": content.locales[locale].direction,
            "locales": content.locales.values(),
            "words": self._own_words(locale),
            "directions": {code: one.direction for code, one in content.locales.items()},
            "numbers": [
                (content.helplines[line].number, content.words(locale, f"helpline.{line}")) for line in HELPLINES
            ],
            "exit": self._service.config.exit_url,
        }

    def _own_words(self, locale: str) -> Mapping[str, str]:
        content = self._service.content
        lines = [key for key in content.messages["en"] if key.startswith("web.")]
        return {key: content.words(locale, key) for key in [*lines, *(f"helpline.{line}" for line in HELPLINES)]}


def _place(fields: Mapping[str, str]) -> str:
    """Return the harmless characters of what an address or a form calls the place."""
    return clean(fields.get("place", "") or fields.get("code", "")).removeprefix(codes.MARK)


def _readable(value: Any) -> str:  # noqa: ANN401 - what json takes
    """Letters as they are: escaped ones take three times as much of a slow connection."""
    return json.dumps(value, ensure_ascii=False)


def _locale(request: web.Request, content: Content, asked: str = "") -> str:
    """Return the locale of a page: as asked for, else the first of the browser's that we have, else the first."""
    asked = asked or request.query.get("lang", "")
    heard = [part.partition(";")[0].strip() for part in request.headers.get("Accept-Language", "").split(",")]
    names = [asked, *heard, *(name.partition("-")[0].lower() for name in heard)]
    return next((name for name in names if name in content.locales), next(iter(content.locales)))


def _idle(given: str) -> int:
    return min(max(int(given), SHORTEST_IDLE), LONGEST_IDLE) if given.isascii() and given.isdigit() else IDLE
