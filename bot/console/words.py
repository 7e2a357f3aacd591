"""The authors' pages: a message beside its English source and its facts, proposals, marks, versions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import quote

from aiohttp import web

from bot.console.auth import Session
from bot.console.transcript import visible
from bot.console.views import Views
from bot.content.model import Content, Fact
from bot.domain.wording import MarkKind, Standing
from bot.ports import VersionClash
from bot.service.publish import Refused

Service = Any
LONGEST_WORDS = 3000
LONGEST_NOTE = 300


class WordViews:
    """One method per route of the authors' part of the console."""

    def __init__(self, service: Service, views: Views, session_of: Callable[[web.Request], Session]) -> None:
        """*views* gives pages and the audit."""
        self._service = service
        self._views = views
        self._session = session_of

    async def words(self, request: web.Request) -> web.Response:
        """How far each locale is, area by area."""
        tallies = await self._service.wording.tallies()
        content: Content = self._service.content
        return self._page(
            "words.html",
            request,
            locales=list(content.locales.values()),
            areas=self._service.wording.areas(),
            tallies=tallies,
            proposed=sum(tally.proposed for tally in tallies.values()),
        )

    async def words_area(self, request: web.Request) -> web.Response:
        """Every message of one area in one locale."""
        locale, area = self._locale(request), request.match_info["area"][:40]
        standings = await self._service.wording.area(locale, area)
        if not standings:
            raise web.HTTPNotFound(text="no such area")
        rows = [(key, _state(standing), visible(standing.words)) for key, standing in standings.items()]
        return self._page(
            "words_area.html", request, locale=locale, area=area, rows=rows, content=self._service.content
        )

    async def words_message(self, request: web.Request, *, refused: str = "", typed: str = "") -> web.Response:
        """One message beside its source and its facts."""
        locale, message = self._locale(request), self._message(request)
        standing = await self._service.wording.standing(locale, message)
        content: Content = self._service.content
        keys = self._service.wording.messages(content.area_of(message))
        at = keys.index(message)
        return self._page(
            "words_message.html",
            request,
            status=400 if refused else 200,
            locale=locale,
            area=content.area_of(message),
            message=message,
            standing=standing,
            state=_state(standing),
            facts=_facts(message, content),
            direction=content.locales[locale].direction,
            refused=refused,
            typed=typed or standing.proposed or standing.words,
            following=keys[at + 1] if at + 1 < len(keys) else "",
        )

    async def propose_words(self, request: web.Request) -> web.StreamResponse:
        """Propose other words for a message."""
        locale, message = self._locale(request), self._message(request)
        words = str((await request.post()).get("words", ""))[:LONGEST_WORDS]
        try:
            await self._service.wording.propose(locale, message, words, self._who(request))
        except Refused as error:
            return await self.words_message(request, refused=str(error), typed=words)
        return await self._done(request, "words proposed", f"{locale} {message}", _path(locale, message))

    async def withdraw_words(self, request: web.Request) -> web.StreamResponse:
        """Take a proposal back."""
        locale, message = self._locale(request), self._message(request)
        await self._service.wording.withdraw(locale, message)
        return await self._done(request, "proposal withdrawn", f"{locale} {message}", _path(locale, message))

    async def mark_words(self, request: web.Request) -> web.StreamResponse:
        """Say that one has read a message, or signs it off as a native reader."""
        locale, message = self._locale(request), self._message(request)
        kind = self._kind(await request.post())
        await self._service.wording.mark(locale, (message,), kind, self._who(request))
        return await self._done(request, f"words {kind.value}", f"{locale} {message}", _path(locale, message))

    async def mark_area(self, request: web.Request) -> web.StreamResponse:
        """Sign off a whole area at once, after reading it."""
        locale, area = self._locale(request), request.match_info["area"][:40]
        keys = self._service.wording.messages(area)
        if not keys:
            raise web.HTTPNotFound(text="no such area")
        kind = self._kind(await request.post())
        await self._service.wording.mark(locale, keys, kind, self._who(request))
        return await self._done(request, f"words {kind.value}", f"{locale} {area}", f"/console/words/{locale}/{area}")

    async def versions(self, request: web.Request, *, refused: str = "") -> web.Response:
        """Published versions, the newest first, and what is proposed."""
        store = self._service.wording_store
        return self._page(
            "versions.html",
            request,
            status=400 if refused else 200,
            versions=await store.versions(),
            proposals=await store.proposals(),
            refused=refused,
        )

    async def publish_words(self, request: web.Request) -> web.StreamResponse:
        """Put all proposals in force as a new version."""
        note = str((await request.post()).get("note", ""))[:LONGEST_NOTE]
        try:
            version = await self._service.wording.publish(self._who(request), note)
        except (Refused, VersionClash) as error:
            return await self.versions(request, refused=str(error))
        return await self._done(request, "words published", f"version {version.number}", "/console/versions")

    async def restore_words(self, request: web.Request) -> web.StreamResponse:
        """Go back to an older version."""
        number = request.match_info["number"]
        if not (number.isascii() and number.isdigit() and len(number) < 7):  # noqa: PLR2004
            raise web.HTTPNotFound(text="not found")
        try:
            await self._service.wording.go_back(int(number))
        except Refused as error:
            return await self.versions(request, refused=str(error))
        return await self._done(request, "words restored", f"version {int(number)}", "/console/versions")

    # --- helpers

    def _page(self, template: str, request: web.Request, *, status: int = 200, **context: Any) -> web.Response:  # noqa: ANN401 - values for a template
        return self._views.page(template, request, self._session(request), status=status, **context)

    async def _done(self, request: web.Request, action: str, about: str, back: str) -> web.StreamResponse:
        await self._views.record(self._who(request), action, about)
        raise web.HTTPSeeOther(back)

    def _who(self, request: web.Request) -> str:
        who: str = self._session(request).responder.id
        return who

    def _locale(self, request: web.Request) -> str:
        locale = request.match_info["locale"]
        if locale not in self._service.content.locales:
            raise web.HTTPNotFound(text="no such locale")
        return locale

    def _message(self, request: web.Request) -> str:
        message = request.match_info["message"]
        if message not in self._service.content.messages["en"]:
            raise web.HTTPNotFound(text="no such message")
        return message

    def _kind(self, form: Any) -> MarkKind:  # noqa: ANN401 - aiohttp's own multidict
        """A sign-off needs the tick "I am a native reader"; without it nothing is signed."""
        if form.get("kind") == MarkKind.SIGNED.value and form.get("native") == "yes":
            return MarkKind.SIGNED
        if form.get("kind") == MarkKind.READ.value:
            return MarkKind.READ
        raise web.HTTPBadRequest(text="to sign off, say that you read this language as your own")


def _state(standing: Standing) -> str:
    if not standing.words:
        return "missing"
    if standing.proposed:
        return "proposed"
    return "signed" if standing.signed else "read" if standing.read else "unread"


def _facts(message: str, content: Content) -> tuple[Fact, ...]:
    """The facts behind a message: of its topic, its scheme or its State's note."""
    head, _, rest = message.partition(".")
    if head in content.topics:
        return content.topics[head].facts
    if head == "scheme" and rest.partition(".")[0] in content.schemes:
        return content.schemes[rest.partition(".")[0]].facts
    if head == "helpline" and rest in content.helplines:
        return (content.helplines[rest].fact,)
    return next((note.facts for note in content.state_notes if head == "state" and note.id == rest), ())


def _path(locale: str, message: str) -> str:
    return f"/console/words/{locale}/message/{quote(message)}"
