"""Pages that anyone may open: the web chat, the landing page of a poster's code, health and counts."""

from __future__ import annotations

import asyncio
import hashlib
import json
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote

import aiohttp_jinja2
import jinja2
from aiohttp import web

from bot.content.model import Content
from bot.domain.messages import Address, Carrier, ChannelName, InboundMessage
from bot.domain.pictures import PICTURE_TYPES, picture_type
from bot.domain.private import NOTHING_SAID, Private
from bot.ports import SpeechFailed
from bot.public.headers import security_headers, stream_headers
from bot.service.receive import NotAccepted

HERE = Path(__file__).resolve().parent
COOKIE = "sahyatri_chat"
LONGEST_TEXT = 4000
LONGEST_ID = 64
SAFE = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_:.")
SESSION_BYTES = 32
HEARTBEAT = 1.0
LONGEST_STREAM = 600.0
BODY_PATIENCE = 10.0
FILE_PATIENCE = 30.0
MOST_BYTES = 5 * 1024 * 1024
VOICE_TYPES = frozenset({"audio/ogg", "audio/webm", "audio/mp4", "audio/mpeg"})
#: `bot.app.Service`, handed in: this floor may not import the one above it.
Service = Any


def add_public(app: web.Application, service: Service) -> None:
    """Add the routes and the headers of every answer."""
    https = service.config.public_url.startswith("https://")
    app.middlewares.append(security_headers(https=https))
    loader = jinja2.ChoiceLoader([jinja2.PackageLoader("bot.public"), jinja2.PackageLoader("bot.console")])
    aiohttp_jinja2.setup(app, loader=loader, autoescape=True)
    pages = Pages(service, https=https)
    app.router.add_get("/", pages.chat)
    app.router.add_post("/chat/session", pages.open_session)
    app.router.add_post("/chat/messages", pages.take)
    app.router.add_get("/chat/messages", pages.fetch)
    app.router.add_get("/chat/events", pages.stream)
    app.router.add_get("/chat/audio/{id}", pages.audio)
    app.router.add_post("/chat/voice", pages.voice)
    app.router.add_post("/chat/picture", pages.picture)
    app.router.add_get("/q/{code}", pages.code)
    app.router.add_get("/health", pages.health)
    app.router.add_get("/ready", pages.ready)
    app.router.add_get("/metrics", pages.metrics)
    app.router.add_static("/static/public", HERE / "static")


class Pages:
    """The handlers, over one service."""

    def __init__(self, service: Service, *, https: bool) -> None:
        """*https*: cookies are then sent over TLS only."""
        self._service = service
        self._https = https

    def _words(self) -> dict[str, dict[str, str]]:
        content = self._service.content
        keys = [key for key in content.messages["en"] if key.startswith("web.")]
        return {code: {key: content.words(code, key) for key in keys} for code in content.locales}

    async def chat(self, request: web.Request) -> web.Response:
        """The web chat."""
        content = self._service.content
        context = {
            "words": self._words(),
            "directions": {code: locale.direction for code, locale in content.locales.items()},
            "first": next(iter(content.locales)),
            "code": _clean(request.query.get("code", "")),
        }
        return aiohttp_jinja2.render_template("chat.html", request, context)

    async def open_session(self, request: web.Request) -> web.Response:
        """Give a new, unguessable session."""
        _same_site(request)
        response = web.json_response({"ok": True})
        response.set_cookie(
            COOKIE,
            secrets.token_urlsafe(SESSION_BYTES),
            httponly=True,
            samesite="Strict",
            secure=self._https,
            path="/chat",
        )
        return response

    async def take(self, request: web.Request) -> web.Response:
        """Keep one message; the client's id makes a repeat harmless."""
        _same_site(request)
        address = _address(request)
        name, text, choice, point = _message(await _json(request))
        now = self._service.now()
        owner = hashlib.sha256(address.value.reveal().encode()).hexdigest()
        carrier = Carrier.CHOICE if choice else Carrier.LOCATION if point else Carrier.TEXT
        message = InboundMessage(
            f"web:{owner}:{name}", address, carrier, Private(text), now, now, choice, point=Private(point)
        )
        return await self._received(message)

    async def _received(self, message: InboundMessage) -> web.Response:
        service = self._service
        try:
            await service.receiver.receive(message)
        except NotAccepted:
            content, first = service.content, next(iter(service.content.locales))
            words = [content.words(first, f"helpline.{line}") for line in ("emergency_112", "child_1098", "women_181")]
            return web.json_response(
                {"error": "not kept", "helplines": "\n".join(words)}, status=503, headers={"Retry-After": "5"}
            )
        return web.json_response({"ok": True})

    async def fetch(self, request: web.Request) -> web.Response:
        """Return what was said after a message id."""
        return web.json_response({"messages": await self._since(request, _clean(request.query.get("after", "")))})

    async def audio(self, request: web.Request) -> web.Response:
        """Speak one message of the caller's own conversation."""
        conversation = self._service.inbox.conversation_id(_address(request))
        found = await self._service.outbox.one(conversation, _clean(request.match_info["id"]))
        if not found:
            raise web.HTTPNotFound(text="no such message")
        locale = found.get("speech") or _locale(request.query.get("lang", ""), self._service.content)
        labels = [] if found.get("speech") else [f"{n}. {c[1]}." for n, c in enumerate(found["choices"], 1)]
        try:
            audio = await self._service.speech.say("\n".join([found["text"], *labels]), locale, found["message_id"])
        except SpeechFailed as error:
            raise web.HTTPServiceUnavailable(text="cannot speak now") from error
        return web.Response(body=audio, content_type="audio/ogg", headers={"Cache-Control": "private, no-store"})

    async def voice(self, request: web.Request) -> web.Response:
        """Keep a voice note; the client's id makes a repeat harmless."""
        _same_site(request)
        address, key = _key(request)
        if request.content_type not in VOICE_TYPES:
            raise web.HTTPBadRequest(text=f"one of {', '.join(sorted(VOICE_TYPES))}")
        return await self._file(address, key, Carrier.VOICE, request.content_type, await _bytes(request))

    async def picture(self, request: web.Request) -> web.Response:
        """Keep a picture that is one, whatever it says it is; the client's id makes a repeat harmless."""
        _same_site(request)
        address, key = _key(request)
        data = await _bytes(request)
        mime = picture_type(data)
        if not mime:
            raise web.HTTPBadRequest(text=f"one of {', '.join(sorted(PICTURE_TYPES))}")
        return await self._file(address, key, Carrier.IMAGE, mime, data)

    async def _file(self, address: Address, key: str, carrier: Carrier, mime: str, data: bytes) -> web.Response:
        service, now = self._service, self._service.now()
        conversation = service.inbox.conversation_id(address)
        await service.media.keep(service.media.id_of(key), conversation, mime, data, now)
        return await self._received(InboundMessage(key, address, carrier, NOTHING_SAID, now, now))

    async def stream(self, request: web.Request) -> web.StreamResponse:
        """Send new messages as they come; the browser resumes by the id of the last one it saw."""
        address = _address(request)
        after = _clean(request.headers.get("Last-Event-ID", "") or request.query.get("after", ""))
        response = web.StreamResponse(headers=stream_headers(request, https=self._https))
        await response.prepare(request)
        session = address.value.reveal()
        event = self._service.web.listen(session)
        try:
            async with asyncio.timeout(LONGEST_STREAM):
                while True:
                    for item in await self._since(request, after):
                        after = item["id"]
                        await response.write(f"id: {after}\ndata: {json.dumps(item)}\n\n".encode())
                    async with _patience(event):
                        await event.wait()
                    event.clear()
                    await response.write(b": \n\n")
        except (TimeoutError, ConnectionResetError):
            return response
        finally:
            self._service.web.leave(session, event)

    async def _since(self, request: web.Request, after: str) -> list[dict[str, Any]]:
        conversation = self._service.inbox.conversation_id(_address(request))
        rows = await self._service.outbox.since(conversation, after)
        return [
            {
                "id": name,
                "text": doc["text"],
                "choices": doc["choices"],
                "human": doc["author"] != "bot",
                "about": doc["message_id"],
                "speech": doc.get("speech", ""),
            }
            for name, _, doc in rows
        ]

    async def code(self, request: web.Request) -> web.Response:
        """The landing page of a scanned code: helplines first, then where to write."""
        service = self._service
        place = service.content.places.get(request.match_info["code"].upper()[:LONGEST_ID])
        start = f"sy_{place.code}" if place else ""
        number, bot = service.config.whatsapp_number, service.config.telegram_bot_name.lstrip("@")
        context = {
            "words": self._words(),
            "place": place.name if place else "",
            "whatsapp": f"https://wa.me/{quote(number)}?text={start or 'Namaste'}" if number else "",
            "telegram": f"https://t.me/{quote(bot)}?start={start}" if bot else "",
            "web": f"/?code={place.code}" if place else "/",
        }
        return aiohttp_jinja2.render_template("code.html", request, context)

    async def health(self, _: web.Request) -> web.Response:
        """Say that the process answers, and what the last canary found.

        The status stays 200: starting this process again would not bring a dead alert channel back.
        """
        last = self._service.canary.last
        if not last:
            return web.json_response({"ok": True})
        found = {"at": last.at.isoformat(timespec="seconds"), "ok": not last.missing, "missing": list(last.missing)}
        return web.json_response({"ok": True, "canary": found})

    async def ready(self, _: web.Request) -> web.Response:
        """Say whether the database answers."""
        try:
            async with asyncio.timeout(1):
                await self._service.db.command("ping")
        except Exception:
            return web.json_response({"database": False, "spool": self._service.spool.waiting}, status=503)
        return web.json_response({"database": True, "spool": self._service.spool.waiting})

    async def metrics(self, request: web.Request) -> web.Response:
        """Counts for the operator, from this machine only; nothing in them is about a person."""
        if request.remote not in {"127.0.0.1", "::1"}:
            raise web.HTTPNotFound
        db, people = self._service.db, {"canary": {"$ne": True}}
        counts = {
            "sahyatri_inbox_waiting": await db["inbox"].count_documents({"state": "waiting"}),
            "sahyatri_outbox_open": await db["outbox"].count_documents({"open": True}),
            "sahyatri_cases_open": await db["cases"].count_documents({"open": True, **people}),
            "sahyatri_cases_unclaimed": await db["cases"].count_documents({"open": True, "owner": None, **people}),
            "sahyatri_alerts_waiting": await db["alerts"].count_documents({"state": "waiting"}),
            "sahyatri_quarantine": await db["quarantine"].count_documents({}),
            "sahyatri_nlu_failed": getattr(self._service.nlu, "failed", 0),
        }
        return web.Response(text="".join(f"{name} {value}\n" for name, value in counts.items()))


@asynccontextmanager
async def _patience(event: asyncio.Event) -> AsyncIterator[None]:
    """Wait at most a heartbeat: another process may have made something ready."""
    try:
        async with asyncio.timeout(HEARTBEAT):
            yield
    except TimeoutError:
        event.set()


def _address(request: web.Request) -> Address:
    session = request.cookies.get(COOKIE, "")
    if len(session) < SESSION_BYTES or not set(session) <= SAFE or len(session) > 2 * LONGEST_ID:
        raise web.HTTPUnauthorized(text="open a session first")
    return Address(ChannelName.WEB, Private(session))


def _key(request: web.Request) -> tuple[Address, str]:
    """Return who sends a file, and its idempotency key."""
    address, name = _address(request), _clean(request.query.get("id", ""))
    if not name or len(name) > LONGEST_ID:
        raise web.HTTPBadRequest(text="an id is needed")
    return address, f"web:{hashlib.sha256(address.value.reveal().encode()).hexdigest()}:{name}"


async def _bytes(request: web.Request) -> bytes:
    """Return the body of a file, which may be neither slow nor large."""
    data = b""
    try:
        async with asyncio.timeout(FILE_PATIENCE):
            while part := await request.content.readany():
                data += part
                if len(data) > MOST_BYTES:
                    raise web.HTTPRequestEntityTooLarge(MOST_BYTES, len(data))
    except TimeoutError as error:
        raise web.HTTPRequestTimeout(text="too slow") from error
    return data


def _same_site(request: web.Request) -> None:
    """Refuse what another site's page sends."""
    origin = request.headers.get("Origin")
    if origin is not None and origin.split("://")[-1] != request.host:
        raise web.HTTPForbidden(text="another site's page may not write here")
    if request.headers.get("Sec-Fetch-Site", "same-origin") not in {"same-origin", "none"}:
        raise web.HTTPForbidden(text="another site's page may not write here")


async def _json(request: web.Request) -> dict[str, Any]:
    if request.content_type != "application/json":
        raise web.HTTPUnsupportedMediaType(text="send JSON")
    try:
        async with asyncio.timeout(BODY_PATIENCE):
            body = await request.content.read(LONGEST_TEXT * 8 + 1)
        found = json.loads(body)
    except (ValueError, RecursionError, TimeoutError) as error:
        raise web.HTTPBadRequest(text="not JSON") from error
    if not isinstance(found, dict):
        raise web.HTTPBadRequest(text="not an object")
    return found


def _message(body: dict[str, Any]) -> tuple[str, str, str | None, str]:
    name, text, choice = body.get("id"), body.get("text", ""), body.get("choice")
    if not isinstance(name, str) or not _clean(name) or name != _clean(name):
        raise web.HTTPBadRequest(text="id: up to 64 letters, digits, - or _")
    if not isinstance(text, str) or len(text) > LONGEST_TEXT:
        raise web.HTTPBadRequest(text="text: up to 4000 characters")
    if choice is not None and (not isinstance(choice, str) or len(choice) > LONGEST_ID):
        raise web.HTTPBadRequest(text="choice: an id")
    point = _point(body.get("point"))
    if not text.strip() and not choice and not point:
        raise web.HTTPBadRequest(text="text, choice or point is needed")
    return name, text.encode("utf-16", "surrogatepass").decode("utf-16", "replace"), choice, point


def _point(given: object) -> str:
    if given is None:
        return ""
    fits = isinstance(given, list) and len(given) == 2 and all(isinstance(part, int | float) for part in given)  # noqa: PLR2004
    if not fits or abs(given[0]) > 90 or abs(given[1]) > 180:  # type: ignore[index] # noqa: PLR2004 - degrees
        raise web.HTTPBadRequest(text="point: [latitude, longitude] in degrees")
    return f"{given[0]:.5f},{given[1]:.5f}"  # type: ignore[index]


def _locale(given: str, content: Content) -> str:
    return given if given in content.locales else next(iter(content.locales))


def _clean(value: str) -> str:
    kept = "".join(char for char in value if char in SAFE)
    return kept[: 2 * LONGEST_ID]
