"""What the web chat's page asks for: sending, and hearing by websocket or by asking again and again."""

from __future__ import annotations

import asyncio
import contextlib
import json
import time
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

from aiohttp import WSCloseCode, web

from bot.domain.messages import Address, Carrier, ChannelName, InboundMessage
from bot.domain.pictures import PICTURE_TYPES, picture_type
from bot.domain.private import NOTHING_SAID, Private
from bot.ports import SpeechFailed, StoreUnavailable, Wanted
from bot.public import visitors
from bot.public.feed import SILENT, Feed, Item
from bot.public.files import Enclosure
from bot.public.letters import FILE_PATIENCE, MOST_BYTES, Letter, clean, read_bytes, read_farewell, read_letter
from bot.public.pace import FILES, ONE_ADDRESS, ONE_VISITOR, Pace
from bot.service.receive import NotAccepted

HEARTBEAT = 1.0
LONGEST_WAIT = 25.0
LONGEST_SOCKET = 3600.0
#: Seconds between our pings; a browser that does not answer one is gone.
PING = 20.0
MOST_LISTENING = 4
MOST_AT_ONE_ADDRESS = 400
HELP_NOW = "c:help"
#: `bot.dialogue.waiting.HIDE`: the person's wish that the chat be gone.
HIDE = "q:hide"
VOICE_TYPES = frozenset({"audio/ogg", "audio/webm", "audio/mp4", "audio/mpeg"})
HELPLINES = ("emergency_112", "child_1098", "women_181", "railway_139")
#: `bot.app.Service`, handed in: this floor may not import the one above it.
Service = Any


class ChatApi:
    """The handlers under /chat, over one service."""

    def __init__(self, service: Service, *, https: bool) -> None:
        """*https*: cookies are then sent over TLS only."""
        self._service = service
        self._https = https
        self._feed = Feed(service)
        self._proxies = service.config.proxy_networks
        self._visitor, self._address, self._files = (
            Pace(limit, time.monotonic) for limit in (ONE_VISITOR, ONE_ADDRESS, FILES)
        )
        self._listening: Counter[str] = Counter()
        self._events: set[asyncio.Event] = set()
        self._closing = False

    def add_to(self, app: web.Application) -> None:
        """Add the routes; whoever listens is let go before the server stops."""
        app.router.add_post("/chat/session", self.open_session)
        app.router.add_post("/chat/messages", self.take)
        app.router.add_get("/chat/messages", self.fetch)
        app.router.add_get("/chat/socket", self.socket)
        app.router.add_get("/chat/audio/{id}", self.audio)
        app.router.add_post("/chat/voice", self.voice)
        app.router.add_post("/chat/picture", self.picture)
        app.router.add_post("/chat/leave", self.leave)
        app.on_shutdown.append(self._let_go)

    async def _let_go(self, _: web.Application) -> None:
        self._closing = True
        for event in self._events:
            event.set()

    async def open_session(self, request: web.Request) -> web.Response:
        """Give a new, unguessable session; with `keep` go on with the one there is."""
        visitors.same_site(request)
        kept = bool(request.query.get("keep")) and visitors.known(request)
        response = web.json_response({"ok": True, "kept": kept})
        if not kept:
            visitors.give(response, visitors.new_session(), https=self._https)
        return response

    async def take(self, request: web.Request) -> web.Response:
        """Keep one message; the browser's id makes a repeat harmless."""
        visitors.same_site(request)
        address = visitors.address_of(request)
        letter = await read_letter(request)
        await self.pace(request, address, letter)
        try:
            await self.keep(address, letter)
        except NotAccepted:
            return self._not_kept()
        return web.json_response({"ok": True})

    async def keep(self, address: Address, letter: Letter) -> None:
        """Hand one message in. Raise `NotAccepted`."""
        message = letter.inbound(address, visitors.key(address, letter.name), self._service.now())
        await self._service.receiver.receive(message)

    async def pace(
        self, request: web.Request, address: Address, letter: Letter | None, pace: Pace | None = None
    ) -> None:
        """Slow down who sends too much: 429, to be sent again a little later. Words of danger always pass."""
        waits = ((pace or self._visitor).wait(address.value.reveal()), self._address.wait(self._remote(request)))
        if not any(waits) or (letter and self._urgent(letter)) or await self._has_case(address):
            return
        raise web.HTTPTooManyRequests(headers={"Retry-After": str(int(max(waits)) + 1)}, text="too fast")

    def _urgent(self, letter: Letter) -> bool:
        text = letter.text.reveal()
        return letter.choice == HELP_NOW or bool(text and self._service.knowledge().guard.check(text).level)

    async def _has_case(self, address: Address) -> bool:
        """Say whether a person looks after them, or may: with the database silent nobody is slowed."""
        try:
            async with asyncio.timeout(1):
                return await self._feed.has_case(self._feed.conversation(address))
        except SILENT:
            return True

    def _remote(self, request: web.Request) -> str:
        return visitors.remote(request, self._proxies)

    def _not_kept(self) -> web.Response:
        content = self._service.content
        words = [content.words(next(iter(content.locales)), f"helpline.{line}") for line in HELPLINES]
        body = {"error": "not kept", "helplines": "\n".join(words)}
        return web.json_response(body, status=503, headers={"Retry-After": "5"})

    async def fetch(self, request: web.Request) -> web.Response:
        """Return what was said after a message id, at once or within `wait` seconds; with `mine`, both sides.

        `sent`: ids of messages the browser is not sure of; those that have arrived come back as `kept`.
        """
        address = visitors.address_of(request)
        conversation = self._feed.conversation(address)
        after, found = clean(request.query.get("after", "")), {}
        if request.query.get("mine"):
            items = await self._feed.everything(conversation)
            names = [clean(name) for name in request.query.get("sent", "").split(",")[:50]]
            found["kept"] = list(await self._feed.kept(address, names))
        else:
            items = await self.fresh(request, address, after, _seconds(request.query.get("wait", "")))
        return web.json_response({"messages": [item.as_json() for item in items], **found})

    async def fresh(self, request: web.Request, address: Address, after: str, wait: float) -> Sequence[Item]:
        """Return what is new, waiting for it if need be."""
        conversation, clock = self._feed.conversation(address), asyncio.get_running_loop().time
        until = clock() + wait
        if not wait:
            return await self._feed.since(conversation, after)
        async with self._heard(request, address) as event:
            while not (items := await self._feed.since(conversation, after)) and not self._closing:
                if (left := until - clock()) <= 0:
                    break
                await _woken(event, min(left, HEARTBEAT))
        return items

    async def socket(self, request: web.Request) -> web.WebSocketResponse:
        """Send new messages as they come; the browser resumes by the id of the last one it saw."""
        visitors.same_site(request)
        address = visitors.address_of(request)
        async with self._heard(request, address) as event:
            socket = web.WebSocketResponse(heartbeat=PING, max_msg_size=1024, compress=False, timeout=2.0)
            await socket.prepare(request)
            gone = asyncio.create_task(_until_gone(socket, event))
            try:
                async with asyncio.timeout(LONGEST_SOCKET):
                    await self._tell(socket, event, address, clean(request.query.get("after", "")))
            except (TimeoutError, ConnectionError):
                pass
            finally:
                gone.cancel()
                with contextlib.suppress(asyncio.CancelledError):
                    await gone
                await socket.close(code=WSCloseCode.GOING_AWAY)
        return socket

    async def _tell(self, socket: web.WebSocketResponse, event: asyncio.Event, address: Address, after: str) -> None:
        """Send what is new, and an empty line now and then, so that the browser knows the connection lives."""
        conversation, clock = self._feed.conversation(address), asyncio.get_running_loop().time
        spoke_at = clock()
        while not socket.closed and not self._closing:
            for item in await self._feed.since(conversation, after):
                await socket.send_str(json.dumps(item.as_json()))
                after, spoke_at = item.id, clock()
            if clock() - spoke_at >= PING:
                await socket.send_str("")
                spoke_at = clock()
            await _woken(event, HEARTBEAT)

    @asynccontextmanager
    async def _heard(self, request: web.Request, address: Address) -> AsyncIterator[asyncio.Event]:
        """Listen for news of one visitor. Raise 429 where too many listen already."""
        session, remote = address.value.reveal(), self._remote(request)
        if self._listening[session] >= MOST_LISTENING or self._listening[remote] >= MOST_AT_ONE_ADDRESS:
            raise web.HTTPTooManyRequests(headers={"Retry-After": "5"}, text="too many pages are open")
        self._listening.update((session, remote))
        event = self._service.web.listen(session)
        self._events.add(event)
        try:
            yield event
        finally:
            self._events.discard(event)
            self._service.web.leave(session, event)
            self._listening.subtract((session, remote))
            for name in (session, remote):
                if not self._listening[name]:
                    del self._listening[name]

    async def audio(self, request: web.Request) -> web.Response:
        """Speak one message of the caller's own conversation."""
        conversation = self._feed.conversation(visitors.address_of(request))
        found = await self._service.outbox.one(conversation, clean(request.match_info["id"]))
        if not found:
            raise web.HTTPNotFound(text="no such message")
        content = self._service.content
        given = request.query.get("lang", "")
        locale = found.get("speech") or (given if given in content.locales else next(iter(content.locales)))
        labels = [] if found.get("speech") else [f"{n}. {c[1]}." for n, c in enumerate(found["choices"], 1)]
        try:
            audio = await self._service.speech.say("\n".join([found["text"], *labels]), locale, found["message_id"])
        except SpeechFailed as error:
            raise web.HTTPServiceUnavailable(text="cannot speak now") from error
        return web.Response(body=audio, content_type="audio/ogg")

    async def voice(self, request: web.Request) -> web.Response:
        """Keep a voice note; the browser's id makes a repeat harmless."""
        address, key = await self._file_key(request)
        if request.content_type not in VOICE_TYPES:
            raise web.HTTPBadRequest(text=f"one of {', '.join(sorted(VOICE_TYPES))}")
        if not await self._has_room(address, key, Carrier.VOICE):
            return await self._heard_of(address, key, Carrier.VOICE)
        data = await read_bytes(request, MOST_BYTES, FILE_PATIENCE)
        return await self._file(address, key, Carrier.VOICE, request.content_type, data)

    async def picture(self, request: web.Request) -> web.Response:
        """Keep a picture that is one, whatever it says it is; the browser's id makes a repeat harmless."""
        address, key = await self._file_key(request)
        if not await self._has_room(address, key, Carrier.IMAGE):
            return await self._heard_of(address, key, Carrier.IMAGE)
        data = await read_bytes(request, MOST_BYTES, FILE_PATIENCE)
        mime = picture_type(data)
        if not mime:
            raise web.HTTPBadRequest(text=f"one of {', '.join(sorted(PICTURE_TYPES))}")
        return await self._file(address, key, Carrier.IMAGE, mime, data)

    async def _file_key(self, request: web.Request) -> tuple[Address, str]:
        """Return who sends a file, and its idempotency key."""
        visitors.same_site(request)
        address, name = visitors.address_of(request), clean(request.query.get("id", ""))
        if not name or len(name) > visitors.LONGEST_ID:
            raise web.HTTPBadRequest(text="an id is needed")
        await self.pace_file(request, address)
        return address, visitors.key(address, name)

    async def pace_file(self, request: web.Request, address: Address) -> None:
        """Slow down who sends too many files, as `pace`."""
        await self.pace(request, address, None, self._files)

    async def _has_room(self, address: Address, key: str, carrier: Carrier) -> bool:
        """Say whether this visitor may send one more file; one that is left unread is remembered for a responder.

        While the database is silent nobody can tell, and whoever keeps the file says so.
        """
        service, conversation = self._service, self._feed.conversation(address)
        wanted = Wanted(service.media.id_of(key), conversation, ChannelName.WEB, None, carrier is Carrier.VOICE)
        try:
            async with service.reachable():
                held = (await service.conversations.load(conversation, ChannelName.WEB)).claimed
                return bool(await service.listener.brought(wanted, held=held))
        except StoreUnavailable:
            return True

    async def _file(self, address: Address, key: str, carrier: Carrier, mime: str, data: bytes) -> web.Response:
        try:
            await self._store(address, key, Enclosure(carrier, mime, data))
        except NotAccepted:
            return self._not_kept()
        return web.json_response({"ok": True})

    async def _heard_of(self, address: Address, key: str, carrier: Carrier) -> web.Response:
        """Hand in the message that a file came with, though the file is not kept."""
        try:
            await self._hand_in(address, key, carrier)
        except NotAccepted:
            return self._not_kept()
        return web.json_response({"ok": True})

    async def keep_file(self, address: Address, key: str, file: Enclosure) -> None:
        """Keep a file, if its sender has room for one more, and hand in the message that it came as.

        Raise `NotAccepted`. While the database is silent it is not kept: the spool holds words, no files.
        """
        if await self._has_room(address, key, file.carrier):
            await self._store(address, key, file)
        else:
            await self._hand_in(address, key, file.carrier)

    async def _store(self, address: Address, key: str, file: Enclosure) -> None:
        service, now = self._service, self._service.now()
        conversation = self._feed.conversation(address)
        try:
            async with service.reachable():
                await service.media.keep(service.media.id_of(key), conversation, file.mime, file.data, now)
        except StoreUnavailable as error:
            raise NotAccepted("the database is silent") from error
        await self._hand_in(address, key, file.carrier)

    async def _hand_in(self, address: Address, key: str, carrier: Carrier) -> None:
        now = self._service.now()
        await self._service.receiver.receive(InboundMessage(key, address, carrier, NOTHING_SAID, now, now))

    async def leave(self, request: web.Request) -> web.Response:
        """Take what was not sent yet, let the chat be forgotten, and end the session."""
        visitors.same_site(request)
        if visitors.known(request):
            await self.forget(visitors.address_of(request), await read_farewell(request))
        response = web.Response(status=204)
        visitors.take_away(response)
        return response

    async def forget(self, address: Address, unsent: Sequence[Letter] = ()) -> None:
        """Say on the person's behalf that the chat is to be gone, as they could in words on any channel."""
        with contextlib.suppress(NotAccepted):
            for letter in (*unsent, Letter("leave", Private(""), HIDE)):
                await self.keep(address, letter)


async def _until_gone(socket: web.WebSocketResponse, event: asyncio.Event) -> None:
    """Read until the browser closes, answers no ping any more, or sends what it has no business to send."""
    async for _ in socket:
        break
    await socket.close(code=WSCloseCode.POLICY_VIOLATION)
    event.set()


async def _woken(event: asyncio.Event, seconds: float) -> None:
    """Wait until there is news, but only so long: another process may have made something ready."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await event.wait()
    event.clear()


def _seconds(given: str) -> float:
    return min(float(given), LONGEST_WAIT) if given.isascii() and given.isdigit() else 0.0
