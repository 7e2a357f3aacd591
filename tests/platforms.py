"""Local servers that speak the platforms' published interfaces and check every call against them.

The project's own limits are always checked; the published schemas too where `../shared/specs` is there. Where it is
not, the end of the test run says so.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import hmac
import itertools
import json
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import jsonschema
from aiohttp import web

from bot.domain.pictures import picture_type
from bot.ports import PictureFile, SpeechFailed
from tests import telegram_interface

OWN_SCHEMA = Path(__file__).resolve().parent / "whatsapp_outbound.json"
SPECS = Path(__file__).resolve().parent.parent.parent / "shared" / "specs"
TELEGRAM_API = SPECS / "telegram-bot-api.json"
WHATSAPP_SCHEMA = SPECS / "whatsapp-outbound.schema.json"
SECRET = "made-up-app-secret"
PHONE_ID = "1001"
TELEGRAM_TOKEN = "424242:made-up-token-for-tests-only-xxxxxx"
TELEGRAM_SECRET = "made_up_webhook_secret"
Hook = Callable[[dict[str, Any]], Awaitable[None]]


@dataclass
class FakeWhatsApp:
    """`POST /<phone id>/messages`, and media both ways, of the Cloud API."""

    calls: list[dict[str, Any]] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)
    answers: list[tuple[int, dict[str, Any] | str]] = field(default_factory=list)
    before_answer: Hook | None = None
    url: str = ""
    files: dict[str, bytes] = field(default_factory=dict)
    elsewhere: str = ""
    given: dict[str, int] = field(default_factory=dict)
    uploads: list[dict[str, Any]] = field(default_factory=list)
    #: How `POST /media` answers its next calls instead of taking the file; seconds it takes for each.
    upload_answers: list[tuple[int, dict[str, Any]]] = field(default_factory=list)
    upload_seconds: float = 0.0
    proofs: list[str] = field(default_factory=list)
    headers: dict[str, str] = field(default_factory=dict)
    _ids: Any = field(default_factory=itertools.count)

    async def handle(self, request: web.Request) -> web.Response:
        body = await request.json()
        self.faults += whatsapp_faults(body)
        if request.headers.get("Authorization") != "Bearer made-up-access-token":
            self.faults.append("no bearer token")
        wamid = f"wamid.out{next(self._ids)}"
        self.calls.append({**body, "wamid": wamid})
        if "appsecret_proof" in request.query:
            self.proofs.append(request.query["appsecret_proof"])
        if self.before_answer:
            await self.before_answer(body)
        if self.answers:
            status, answer = self.answers.pop(0)
            if isinstance(answer, str):
                return web.Response(status=status, text=answer, content_type="text/html", headers=self.headers)
            return web.json_response(answer, status=status, headers=self.headers)
        self.faults += [f"no such file: {name}" for name in _named(body) if not self._has(name)]
        name = body.get("to") or body.get("recipient")
        contact = {"input": name, "wa_id": name}
        return web.json_response({"messaging_product": "whatsapp", "contacts": [contact], "messages": [{"id": wamid}]})

    async def upload(self, request: web.Request) -> web.Response:
        """`POST /<phone id>/media`: multipart with the product, the type and the file."""
        form = await request.post()
        file = form.get("file")
        if form.get("messaging_product") != "whatsapp" or not isinstance(file, web.FileField):
            self.faults.append("upload without messaging_product or file")
            return web.json_response({"error": {"code": 100}}, status=400)
        self._bearer(request)
        data = file.file.read()
        await asyncio.sleep(self.upload_seconds)
        if self.upload_answers:
            status, answer = self.upload_answers.pop(0)
            return web.json_response(answer, status=status)
        self.faults += [f"upload: {file.content_type}"] if not _is(file.content_type, data) else []
        self.uploads.append({"type": form.get("type"), "mime": file.content_type, "data": data})
        return web.json_response({"id": f"media{len(self.uploads)}"})

    async def media(self, request: web.Request) -> web.Response:
        """`GET /<media id>`: where the file may be fetched."""
        self._bearer(request)
        name = request.match_info["media"]
        if name not in self.files:
            return web.json_response({"error": {"code": 100}}, status=400)
        url = self.elsewhere or self.url.replace("/v23.0", f"/files/{name}")
        return web.json_response({"messaging_product": "whatsapp", "url": url, "mime_type": "audio/ogg", "id": name})

    async def file(self, request: web.Request) -> web.Response:
        """The file itself."""
        self._bearer(request)
        name = request.match_info["media"]
        self.given[name] = self.given.get(name, 0) + 1
        return web.Response(body=self.files[name], content_type="audio/ogg")

    def _has(self, media_id: str) -> bool:
        return media_id in {f"media{number}" for number in range(1, len(self.uploads) + 1)}

    def _bearer(self, request: web.Request) -> None:
        if request.headers.get("Authorization") != "Bearer made-up-access-token":
            self.faults.append("no bearer token")

    def copies(self) -> dict[str, int]:
        """How often each outbox id arrived."""
        found: dict[str, int] = {}
        for call in self.calls:
            name = call["biz_opaque_callback_data"]
            found[name] = found.get(name, 0) + 1
        return found


def _named(body: dict[str, Any]) -> list[str]:
    """The files that a message names."""
    header = body.get("interactive", {}).get("header", {})
    return [part["id"] for part in (body.get("audio"), body.get("image"), header.get("image")) if part]


def _is(mime: str, data: bytes) -> bool:
    """Whether the bytes are what the platform would take them for."""
    return data.startswith(b"OggS") if mime == "audio/ogg" else bool(mime) and picture_type(data) == mime


def whatsapp_faults(body: dict[str, Any]) -> list[str]:
    """Check one outbound message against our own schema, the platform's limits and, where present, its published schema.

    The published one has neither location requests nor the ids that the platform makes for people.
    """
    faults = [f"own schema: {error.message[:120]}" for error in _whatsapp_validator(str(OWN_SCHEMA)).iter_errors(body)]
    if faults:
        return faults
    if body["type"] == "text" and not 1 <= units(body["text"]["body"]) <= 4096:
        faults.append("text length")
    if body["type"] == "interactive":
        faults += _interactive_faults(body["interactive"])
    published = "to" in body and body.get("interactive", {}).get("type") != "location_request_message"
    if published and WHATSAPP_SCHEMA.exists():
        validator = _whatsapp_validator(str(WHATSAPP_SCHEMA))
        faults += [f"schema: {error.message[:120]}" for error in validator.iter_errors(body)]
    return faults


def unchecked() -> list[str]:
    """Return, in words, by which published interfaces nothing is checked here, since they are not at hand."""
    published = {"WhatsApp's messages": WHATSAPP_SCHEMA, "Telegram's table": TELEGRAM_API}
    return [
        f"{what}: no {path}, so checked by our own limits alone"
        for what, path in published.items()
        if not path.exists()
    ]


def units(text: str) -> int:
    """The length of a text as the platforms count it."""
    return len(text.encode("utf-16-le")) // 2


_validators: dict[str, Any] = {}


def _whatsapp_validator(path: str) -> Any:
    if path not in _validators:
        _validators[path] = jsonschema.Draft202012Validator(json.loads(Path(path).read_text(encoding="utf-8")))
    return _validators[path]


def _interactive_faults(part: dict[str, Any]) -> list[str]:
    """What a schema cannot say: lengths as the platform counts, names that differ, ten rows over all sections."""
    action = part["action"]
    replies = [button["reply"] for button in action.get("buttons", [])]
    rows = [row for section in action.get("sections", []) for row in section["rows"]]
    faults = [] if 1 <= units(part["body"]["text"]) <= 1024 else ["interactive body length"]
    for named in (replies, rows):
        if len({item["title"] for item in named}) != len(named) or len({item["id"] for item in named}) != len(named):
            faults.append(f"the same name twice: {named}")
    return [*faults, *(["more than ten rows"] if len(rows) > 10 else [])]


def refused(code: int, description: str, **parameters: Any) -> tuple[int, dict[str, Any]]:
    """An answer of Telegram's that refuses."""
    body = {"ok": False, "error_code": code, "description": description}
    return code, {**body, **({"parameters": parameters} if parameters else {})}


@dataclass
class FakeTelegram:
    """The Bot API, as far as we use it. Every call is checked against `tests.telegram_interface`.

    `answers` are given, in order, to the next calls that say something; `refusals` by method, once each.
    """

    calls: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)
    answers: list[tuple[int, dict[str, Any] | str]] = field(default_factory=list)
    refusals: dict[str, tuple[int, dict[str, Any]]] = field(default_factory=dict)
    updates: list[dict[str, Any]] = field(default_factory=list)
    confirmed: int = 0
    before_answer: Hook | None = None
    url: str = ""
    files: dict[str, bytes] = field(default_factory=dict)
    voices: list[bytes] = field(default_factory=list)
    photos: list[bytes] = field(default_factory=list)
    me: dict[str, Any] = field(default_factory=lambda: {"username": "sahyatri_bot", "can_join_groups": False})
    webhook: dict[str, Any] = field(default_factory=dict)
    profile: dict[tuple[str, str], Any] = field(default_factory=dict)
    #: What is known of the responders' group, and of the bot in it.
    chat: dict[str, Any] = field(default_factory=dict)
    member: dict[str, Any] = field(default_factory=lambda: {"status": "member"})

    async def handle(self, request: web.Request) -> web.Response:
        method = request.match_info["method"]
        posted = await request.post()
        fields: dict[str, Any] = {
            name: value.file.read() if isinstance(value, web.FileField) else str(value)
            for name, value in posted.items()
        }
        if request.match_info["token"] != TELEGRAM_TOKEN:
            return _json(refused(401, "Unauthorized"))
        self.faults += telegram_interface.faults(method, fields)
        if method in self.refusals:
            return _json(self.refusals.pop(method))
        if method == "getUpdates":
            return await self._updates(fields)
        self.calls.append((method, fields))
        if self.before_answer:
            await self.before_answer(fields)
        if self.answers and method not in {"sendChatAction", "answerCallbackQuery"}:
            return _json(self.answers.pop(0))
        return self._answer(method, fields)

    def _answer(self, method: str, fields: dict[str, Any]) -> web.Response:
        if method in {"sendMessage", "sendVoice", "sendPhoto"}:
            return _json((200, {"ok": True, "result": self._sent(method, fields)}))
        if method == "getFile":
            name = fields["file_id"]
            if name not in self.files:
                return _json(refused(400, "Bad Request: wrong file_id"))
            size, path = len(self.files[name]), f"voice/{name}.oga"
            found = {"file_id": name, "file_unique_id": name, "file_size": size, "file_path": path}
            return _json((200, {"ok": True, "result": found}))
        return _json((200, {"ok": True, "result": self._settings(method, fields)}))

    def _sent(self, method: str, fields: dict[str, Any]) -> dict[str, Any]:
        chat = {"id": int(fields["chat_id"]), "type": "private"}
        sent = {"message_id": len(self.calls), "date": int(time.time()), "chat": chat}
        if method == "sendVoice":
            self.voices.append(self._attached(fields, "voice"))
            return sent
        if method == "sendPhoto":
            self.photos.append(self._attached(fields, "photo"))
            size = {"file_id": "p", "file_unique_id": "p", "width": 90, "height": 112}
            return {**sent, "photo": [size], "caption": fields.get("caption", "")}
        return {**sent, "text": fields["text"]}

    def _settings(self, method: str, fields: dict[str, Any]) -> Any:
        """What `sahyatri telegram setup` reads and writes."""
        if method == "getMe":
            return {"id": 424242, "is_bot": True, "first_name": "x", "can_read_all_group_messages": False, **self.me}
        if method == "getChat":
            return {
                "id": int(fields["chat_id"]),
                "type": "supergroup",
                "accent_color_id": 0,
                "max_reaction_count": 1,
                **self.chat,
            }
        if method == "getChatMember":
            return {"user": {"id": int(fields["user_id"]), "is_bot": True, "first_name": "x"}, **self.member}
        if method == "getChatMemberCount":
            return 3
        if method == "getWebhookInfo":
            return {"url": "", "has_custom_certificate": False, "pending_update_count": 0, **self.webhook}
        if method in {"setWebhook", "deleteWebhook"}:
            kinds = json.loads(fields.get("allowed_updates", "[]"))
            most = int(fields.get("max_connections", 0))
            self.webhook |= {"url": fields.get("url", ""), "allowed_updates": kinds, "max_connections": most}
        if method == "getChatMenuButton":
            return self.profile.get(("menu_button", ""), {"type": "default"})
        what = {"Name": "name", "Description": "description", "ShortDescription": "short_description"}
        what |= {"Commands": "commands"}
        named = what.get(method[len("setMy") :], "")
        key = (named, fields.get("language_code", ""))
        if method.startswith("setMy"):
            self.profile[key] = json.loads(fields[named]) if named == "commands" else fields[named]
        if method.startswith("getMy"):
            return self.profile.get(key, []) if named == "commands" else {named: self.profile.get(key, "")}
        return True

    def _attached(self, fields: dict[str, Any], name: str) -> bytes:
        file = fields[name]
        found = fields.get(str(file).removeprefix("attach://"), file)
        if not isinstance(found, bytes):
            self.faults.append(f"no file under {name}")
            return b""
        return found

    async def file(self, request: web.Request) -> web.Response:
        """`GET /file/bot<token>/<file path>`."""
        return web.Response(body=self.files[request.match_info["name"].removesuffix(".oga")])

    async def _updates(self, fields: dict[str, Any]) -> web.Response:
        if self.webhook.get("url"):
            return _json(refused(409, "Conflict: can't use getUpdates method while webhook is active"))
        offset = int(fields.get("offset", 0))
        self.confirmed = max(self.confirmed, offset)
        self.updates = [update for update in self.updates if update["update_id"] >= offset]
        for _ in range(10):
            if self.updates:
                break
            await asyncio.sleep(0.05)
        return web.json_response({"ok": True, "result": self.updates})

    @property
    def sent(self) -> list[dict[str, Any]]:
        return [fields for method, fields in self.calls if method == "sendMessage"]

    def called(self, method: str) -> list[dict[str, Any]]:
        return [fields for name, fields in self.calls if name == method]


def _json(answer: tuple[int, dict[str, Any] | str]) -> web.Response:
    status, body = answer
    if isinstance(body, str):
        return web.Response(status=status, text=body, content_type="text/html")
    return web.json_response(body, status=status)


@contextlib.asynccontextmanager
async def serving(app: web.Application) -> AsyncIterator[str]:
    """Serve *app* on a free loopback port; give its address."""
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.5)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


@contextlib.asynccontextmanager
async def whatsapp_server() -> AsyncIterator[FakeWhatsApp]:
    fake = FakeWhatsApp()
    app = web.Application()
    app.router.add_post("/v23.0/{phone}/messages", fake.handle)
    app.router.add_post("/v23.0/{phone}/media", fake.upload)
    app.router.add_get("/v23.0/{media}", fake.media)
    app.router.add_get("/files/{media}", fake.file)
    async with serving(app) as url:
        fake.url = f"{url}/v23.0"
        yield fake


@contextlib.asynccontextmanager
async def telegram_server() -> AsyncIterator[FakeTelegram]:
    fake = FakeTelegram()
    app = web.Application()
    app.router.add_post("/bot{token}/{method}", fake.handle)
    app.router.add_get("/file/bot{token}/voice/{name}", fake.file)
    async with serving(app) as url:
        fake.url = url
        yield fake


@contextlib.asynccontextmanager
async def alert_server() -> AsyncIterator[tuple[str, list[dict[str, Any]]]]:
    """A receiver of signed pages."""
    pages: list[dict[str, Any]] = []

    async def take(request: web.Request) -> web.Response:
        body = await request.read()
        right = "sha256=" + hmac.new(b"made-up-alert-key", body, hashlib.sha256).hexdigest()
        if request.headers.get("X-Sahyatri-Signature-256") != right:
            return web.Response(status=401)
        pages.append(json.loads(body))
        return web.Response()

    app = web.Application()
    app.router.add_post("/page", take)
    async with serving(app) as url:
        yield f"{url}/page", pages


def whatsapp_batch(*messages: dict[str, Any], statuses: tuple[dict[str, Any], ...] = ()) -> bytes:
    """A webhook body with these messages and statuses in one change."""
    value: dict[str, Any] = {
        "messaging_product": "whatsapp",
        "metadata": {"display_phone_number": "15550000000", "phone_number_id": PHONE_ID},
    }
    if messages:
        value["messages"] = list(messages)
    if statuses:
        value["statuses"] = list(statuses)
    entry = {"id": "5005", "changes": [{"field": "messages", "value": value}]}
    return json.dumps({"object": "whatsapp_business_account", "entry": [entry]}).encode()


def whatsapp_text(number: int | str, text: str, sender: str = "910000000001") -> dict[str, Any]:
    """One text message of a webhook."""
    return {
        "from": sender,
        "id": f"wamid.in{number}",
        "timestamp": str(int(time.time())),
        "type": "text",
        "text": {"body": text},
    }


def signed(body: bytes, secret: str = SECRET) -> dict[str, str]:
    """The headers of a genuine webhook."""
    digest = hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
    return {"X-Hub-Signature-256": f"sha256={digest}", "Content-Type": "application/json"}


class Shows:
    """Pictures by name, with the first bytes of a PNG; the one called `none` is not there."""

    def get(self, name: str) -> PictureFile | None:
        return None if name == "none" else PictureFile("image/png", b"\x89PNG\r\n\x1a\n" + name.encode())


class Speaks:
    """A voice that says the words as bytes, or fails."""

    def __init__(self, *, fails: bool = False) -> None:
        self.fails = fails

    async def say(self, text: str, locale: str, message_id: str) -> bytes:
        if self.fails:
            raise SpeechFailed("no voice")
        return f"OggS {locale} {message_id} {text}".encode()
