"""WhatsApp Cloud API v23.0 over aiohttp: signature over the raw bytes, each entry of a batch alone, buttons, lists.

Rules W1–W13: constant-time compare of bytes, 4 MiB limit, no content encoding, one poisoned item never loses its
siblings, receipts matched by our own id where the platform echoes it (`biz_opaque_callback_data`).
"""

from __future__ import annotations

import hashlib
import hmac
import json
import logging
import math
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from aiohttp import ClientError, ClientSession, ClientTimeout, ConnectionTimeoutError, FormData, web
from aiohttp.client_exceptions import ClientConnectorError, ServerTimeoutError
from yarl import URL

from bot.domain.messages import (
    Address,
    Carrier,
    ChannelName,
    Choice,
    InboundMessage,
    Media,
    OutboundMessage,
    Receipt,
    ReceiptState,
)
from bot.domain.pictures import PICTURE_TYPES
from bot.domain.private import NOTHING_SAID, Private
from bot.ports import ChannelError, SpeechFailed, Voice

log = logging.getLogger(__name__)
SIGNATURE_HEADER = "X-Hub-Signature-256"
MOST_BYTES = 4 * 1024 * 1024
MOST_BUTTONS = 3
BUTTON_TITLE = 20
ROW_TITLE = 24
LIST_BUTTON = 20
LONGEST_CHALLENGE = 256
OLDEST = 8 * 86400
FUTURE_SLACK = 60
MILLISECONDS = 10_000_000_000
FILE_HOST = ".fbsbx.com"
MOST_UPLOADED = 2000
CHUNK = 65536

PAUSE_NUMBER = frozenset({4, 80007, 130429, 133016})
PAIR = 131056
WINDOW_CLOSED = 131047
GONE = frozenset({131026})
ACCOUNT = frozenset({10, 190, 368, 131005, 131031, 131042, 131048, 131064, 130497, *range(200, 300)})
RETRY = frozenset({1, 2, 131000, 131016, 131053})

Json = dict[str, Any]
Receive = Callable[[InboundMessage], Awaitable[bool]]
Report = Callable[[Receipt], Awaitable[None]]
Quarantine = Callable[[str, bytes, str], Awaitable[None]]


class WhatsAppChannel:
    """Sends text, reply buttons, lists and voice messages."""

    name = ChannelName.WHATSAPP

    def __init__(
        self, session: ClientSession, api_url: str, token: str, phone_id: str, voice: Voice | None = None
    ) -> None:
        """*api_url* carries the version, for example `https://graph.facebook.com/v23.0`; *voice* speaks."""
        self._session = session
        self._api = api_url.rstrip("/")
        self._number = f"{self._api}/{phone_id}"
        self._token = token
        self._voice = voice
        self._uploaded: dict[str, str] = {}

    async def send(self, address: Address, message: OutboundMessage, outbox_id: str) -> Private:
        """Send one bubble; return its wamid. Raise `ChannelError`. Words that cannot be spoken are written."""
        audio = await self._spoken(message)
        body = spoken(address, audio, outbox_id) if audio else outbound(address, message, outbox_id)
        try:
            async with self._post(f"{self._number}/messages", json=body) as answer:
                raw = await answer.read()
                return _sent(answer.status, raw)
        except (ClientConnectorError, ConnectionTimeoutError) as error:
            raise ChannelError("whatsapp:connect", retryable=True) from error
        except (ClientError, ServerTimeoutError, TimeoutError) as error:
            raise ChannelError("whatsapp:in_doubt", retryable=True, unknown=True) from error

    async def forget(self, address: Address, message_ids: Sequence[Private]) -> None:
        """Do nothing: the Cloud API cannot delete a message. The person is told how to, on their phone."""

    async def fetch(self, media: Media, most_bytes: int) -> bytes:
        """Return the bytes of a voice note or picture. Raise `ChannelError`.

        Its address is asked for first, and asked only of the platform itself.
        """
        try:
            async with self._get(f"{self._api}/{media.id.reveal()}") as answer:
                found = await answer.json(content_type=None)
            address = str(found.get("url", "")) if isinstance(found, dict) else ""
            if not self._is_platform(address):
                raise ChannelError("whatsapp:no_media", retryable=answer.status >= 500)  # noqa: PLR2004
            async with self._get(address) as file:
                data = b""
                async for chunk in file.content.iter_chunked(CHUNK):
                    data += chunk
                    if len(data) > most_bytes:
                        raise ChannelError("whatsapp:too_large", retryable=False)
                if file.status >= 300:  # noqa: PLR2004
                    raise ChannelError(f"whatsapp:media:{file.status}", retryable=file.status >= 500)  # noqa: PLR2004
                return data
        except (ClientError, TimeoutError, ValueError) as error:
            raise ChannelError("whatsapp:media", retryable=True) from error

    def _is_platform(self, address: str) -> bool:
        """The token goes with the request: only to the API's own host or the platform's file host over TLS."""
        host = URL(address).host or ""
        same = URL(address).origin() == URL(self._api).origin() if URL(address).is_absolute() else False
        return same or (address.startswith("https://") and host.endswith(FILE_HOST))

    async def _spoken(self, message: OutboundMessage) -> str:
        """Return the platform's id of the uploaded voice message, "" where the words are to be written."""
        if not message.speech or not self._voice:
            return ""
        try:
            audio = await self._voice.say(message.text.reveal(), message.speech, message.message_id)
        except SpeechFailed:
            return ""
        name = hashlib.sha256(audio).hexdigest()
        if name not in self._uploaded:
            if len(self._uploaded) >= MOST_UPLOADED:
                self._uploaded.clear()
            try:
                self._uploaded[name] = await self._upload(audio)
            except ChannelError as error:
                if error.retryable:
                    raise
                return ""  # the platform will not have it: the words are written
        return self._uploaded[name]

    async def _upload(self, audio: bytes) -> str:
        form = FormData({"messaging_product": "whatsapp", "type": "audio/ogg"})
        form.add_field("file", audio, filename="sahyatri.ogg", content_type="audio/ogg")
        try:
            async with self._post(f"{self._number}/media", data=form) as answer:
                raw = await answer.read()
                found = json.loads(raw) if answer.status < 300 else {}  # noqa: PLR2004
        except (ClientError, TimeoutError, ValueError) as error:
            raise ChannelError("whatsapp:upload", retryable=True) from error
        if not isinstance(found, dict) or not found.get("id"):
            raise channel_error(answer.status, _object(raw))
        return str(found["id"])

    def _post(self, url: str, **body: Any) -> Any:  # noqa: ANN401 - aiohttp's own request context
        timeout = ClientTimeout(total=30, sock_connect=5)
        return self._session.post(url, headers=self._headers(), timeout=timeout, allow_redirects=False, **body)

    def _get(self, url: str) -> Any:  # noqa: ANN401 - aiohttp's own request context
        timeout = ClientTimeout(total=20, sock_connect=5)
        return self._session.get(url, headers=self._headers(), timeout=timeout, allow_redirects=False)

    def _headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self._token}"}


def spoken(address: Address, media_id: str, outbox_id: str) -> Json:
    """Return the request body of a voice message."""
    return {
        "messaging_product": "whatsapp",
        "recipient_type": "individual",
        "to": address.value.reveal(),
        "biz_opaque_callback_data": outbox_id,
        "type": "audio",
        "audio": {"id": media_id},
    }


def _object(raw: bytes) -> object:
    try:
        return json.loads(raw)
    except (ValueError, RecursionError):
        return {}


def outbound(address: Address, message: OutboundMessage, outbox_id: str) -> Json:
    """Return the request body: text, at most three short reply buttons, else a list of at most ten rows."""
    body: Json = {
        "messaging_product": "whatsapp",
        "recipient_type": "individual",
        "to": address.value.reveal(),
        "biz_opaque_callback_data": outbox_id,
    }
    choices = message.choices
    if not choices:
        return {**body, "type": "text", "text": {"body": message.text.reveal(), "preview_url": False}}
    if len(choices) <= MOST_BUTTONS and all(len(choice.label) <= BUTTON_TITLE for choice in choices):
        action: Json = {
            "buttons": [{"type": "reply", "reply": {"id": c.id, "title": c.label}} for c in _unique(choices)]
        }
        kind = "button"
    else:
        rows = [{"id": choice.id, "title": choice.label[:ROW_TITLE]} for choice in _unique(choices)]
        action = {"button": message.list_button[:LIST_BUTTON], "sections": [{"rows": rows}]}
        kind = "list"
    interactive = {"type": kind, "body": {"text": message.text.reveal()}, "action": action}
    return {**body, "type": "interactive", "interactive": interactive}


def _unique(choices: tuple[Choice, ...]) -> list[Choice]:
    """Titles must differ: the first of each is kept."""
    return list({choice.label: choice for choice in reversed(choices)}.values())[::-1]


def _sent(status: int, raw: bytes) -> Private:
    try:
        answer = json.loads(raw)
        if status < 300:  # noqa: PLR2004
            return Private(str(answer["messages"][0]["id"]))
    except (ValueError, KeyError, IndexError, TypeError, RecursionError) as error:
        if status < 300:  # noqa: PLR2004
            raise ChannelError("whatsapp:no_id", retryable=True, unknown=True) from error
        answer = {}
    raise channel_error(status, answer)


def channel_error(status: int, answer: object) -> ChannelError:
    """Turn an error answer into ours, by the table of codes."""
    fault = answer.get("error") if isinstance(answer, dict) else None
    code = fault.get("code") if isinstance(fault, dict) else None
    reason = f"whatsapp:{code or status}"
    if code == PAIR:
        return ChannelError(reason, retryable=True, retry_after=6)
    if code in PAUSE_NUMBER or status == 429:  # noqa: PLR2004
        return ChannelError(reason, retryable=True, retry_after=5)
    if code in GONE:
        return ChannelError(reason, retryable=False, gone=True)
    if code == WINDOW_CLOSED:
        return ChannelError(reason, retryable=False)
    if code in ACCOUNT or status == 401:  # noqa: PLR2004
        return ChannelError(reason, retryable=True, account=True, retry_after=60)
    return ChannelError(reason, retryable=code in RETRY or status >= 500)  # noqa: PLR2004


def verified(body: bytes, header: str, secrets: tuple[str, ...]) -> bool:
    """Check `sha256=<hex>` over the raw bytes against each valid app secret, in constant time and as bytes."""
    given = header.encode("utf-8", "surrogateescape")
    fits = [
        hmac.compare_digest(given, b"sha256=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest().encode())
        for secret in secrets
        if secret
    ]
    return any(fits)


class WhatsAppWebhook:
    """`GET` verifies the address, `POST` brings batches: 401 unsigned, 200 once every item is durable."""

    def __init__(
        self,
        phone_id: str,
        secrets: tuple[str, ...],
        verify_token: str,
        receive: Receive,
        report: Report,
        quarantine: Quarantine,
        now: Callable[[], datetime],
    ) -> None:
        """*secrets*: the valid app secrets (two while rotating)."""
        self._phone_id = phone_id
        self._secrets = secrets
        self._verify_token = verify_token.encode()
        self._receive = receive
        self._report = report
        self._quarantine = quarantine
        self._now = now

    async def verify(self, request: web.Request) -> web.Response:
        """Echo the challenge, as plain text, to whoever knows our token."""
        given = request.query.get("hub.verify_token", "").encode("utf-8", "surrogateescape")
        challenge = request.query.get("hub.challenge", "")
        right = hmac.compare_digest(given, self._verify_token) and request.query.get("hub.mode") == "subscribe"
        if not right or len(challenge) > LONGEST_CHALLENGE or not challenge.isascii() or not challenge.isalnum():
            return web.Response(status=403)
        return web.Response(text=challenge, content_type="text/plain")

    async def handle(self, request: web.Request) -> web.Response:
        """Store every item of the batch and answer."""
        if request.headers.get("Content-Encoding"):
            return web.Response(status=415)
        body = await request.read()
        if not verified(body, request.headers.get(SIGNATURE_HEADER, ""), self._secrets):
            return web.Response(status=401)
        try:
            values = list(_values(json.loads(body)))
        except (ValueError, RecursionError, TypeError) as error:
            await self._quarantine("whatsapp", body, type(error).__name__)
            return web.Response()
        for value in values:
            await self._value(value)
        return web.Response()

    async def _value(self, value: Json) -> None:
        for item in _list(value.get("messages")):
            await self._item(item, self._message)
        for item in _list(value.get("statuses")):
            await self._item(item, self._status)

    async def _item(self, item: object, take: Callable[[Json], Awaitable[None]]) -> None:
        """Take one item; a malformed one is kept aside and its siblings go on."""
        try:
            if not isinstance(item, dict):
                raise TypeError("not an object")
            await take(item)
        except (KeyError, TypeError, ValueError, OverflowError, AttributeError) as error:
            await self._quarantine("whatsapp", json.dumps(item, default=str).encode(), type(error).__name__)

    async def _message(self, item: Json) -> None:
        message = parse(item, self._phone_id, self._now())
        if message:
            await self._receive(message)

    async def _status(self, item: Json) -> None:
        receipt = parse_status(item, self._now())
        if receipt:
            await self._report(receipt)


def parse(item: Json, phone_id: str, received_at: datetime) -> InboundMessage | None:
    """Return one message; None for groups and reactions. An unknown kind still becomes a message."""
    if item.get("group_id") or item.get("type") in {"reaction", "system"}:
        return None
    sender = _text(item.get("from")) or _text(item.get("from_user_id"))
    if not sender:
        raise ValueError("no sender")
    text, carrier, choice = _words(item)
    address = Address(ChannelName.WHATSAPP, Private(sender))
    key = f"whatsapp:{phone_id}:{_text(item['id'])}"
    if not _text(item["id"]):
        raise ValueError("no id")
    return InboundMessage(
        key, address, carrier, Private(text), _when(item, received_at), received_at, choice,
        media=_media(item), point=_point(item),
    )  # fmt: skip


def parse_status(item: Json, received_at: datetime) -> Receipt | None:
    """Return a receipt; None for states we do not know."""
    state = _STATES.get(str(item.get("status")))
    if not state:
        return None
    errors = _list(item.get("errors"))
    code = errors[0].get("code") if errors and isinstance(errors[0], dict) else None
    echoed = item.get("biz_opaque_callback_data")
    return Receipt(
        ChannelName.WHATSAPP,
        Private(str(item["id"])),
        state,
        _when(item, received_at),
        echoed if isinstance(echoed, str) and echoed else None,
        code if isinstance(code, int) else None,
    )


_STATES = {state.value: state for state in ReceiptState}
_KINDS = {
    "audio": "voice",
    "voice": "voice",
    "image": "image",
    "video": "image",
    "document": "document",
    "location": "location",
}
#: What is fetched, and what it is when the platform does not say.
_FETCHED = {"audio": "audio/ogg", "voice": "audio/ogg", "image": "image/jpeg", "document": ""}


def _words(item: Json) -> tuple[str, Carrier, str | None]:
    kind = str(item.get("type"))
    part = item.get(kind)
    part = part if isinstance(part, dict) else {}
    if kind == "text":
        return _text(part.get("body")), Carrier.TEXT, None
    if kind == "interactive":
        return _interactive(part)
    if kind == "button":
        return _text(part.get("text")), Carrier.CHOICE, _text(part.get("payload"))[:64] or None
    caption = _text(part.get("caption"))
    if caption:
        return caption, Carrier.CAPTION, None
    if kind == "document" and _media(item):
        return "", Carrier.IMAGE, None
    return "", Carrier(_KINDS.get(kind, "unsupported")), None


def _media(item: Json) -> Media | None:
    """Return the voice note or picture to be fetched; a document only if it says that it is a picture."""
    kind = _text(item.get("type"))
    part = item.get(kind) if kind in _FETCHED else None
    if not isinstance(part, dict) or not _text(part.get("id")):
        return None
    mime = _text(part.get("mime_type")).partition(";")[0].strip() or _FETCHED[kind]
    if kind in {"image", "document"} and mime not in PICTURE_TYPES:
        return None
    return Media(Private(_text(part["id"])), mime)


def _point(item: Json) -> Private:
    part = item.get("location")
    try:
        latitude, longitude = float(part["latitude"]), float(part["longitude"])  # type: ignore[index]
    except (TypeError, KeyError, ValueError):
        return NOTHING_SAID
    fits = abs(latitude) <= 90 and abs(longitude) <= 180  # noqa: PLR2004 - degrees
    return Private(f"{latitude:.5f},{longitude:.5f}") if fits else NOTHING_SAID


def _interactive(part: Mapping[str, Any]) -> tuple[str, Carrier, str | None]:
    for kind in ("button_reply", "list_reply"):
        reply = part.get(kind)
        if isinstance(reply, dict):
            return _text(reply.get("title")), Carrier.CHOICE, _text(reply.get("id"))[:64] or None
    return "", Carrier.UNSUPPORTED, None


def _values(payload: object) -> Iterator[Json]:
    if not isinstance(payload, dict) or not isinstance(payload.get("entry"), list):
        raise TypeError("no entries")
    for entry in payload["entry"]:
        for change in _list(entry.get("changes") if isinstance(entry, dict) else None):
            value = change.get("value") if isinstance(change, dict) else None
            if isinstance(value, dict):
                yield value


def _list(value: object) -> list[Any]:
    return value if isinstance(value, list) else []


def _text(value: object) -> str:
    """Return text with lone surrogates replaced; anything but text is no text."""
    return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace") if isinstance(value, str) else ""


def _when(item: Json, received_at: datetime) -> datetime:
    """Return the channel's time: seconds as text, sometimes milliseconds; nonsense becomes the receive time."""
    try:
        seconds = float(item.get("timestamp") or "nan")
    except (TypeError, ValueError):
        return received_at
    seconds = seconds / 1000 if seconds > MILLISECONDS else seconds
    late = received_at.timestamp() - seconds
    if math.isnan(seconds) or not -FUTURE_SLACK <= late <= OLDEST:
        return received_at
    return datetime.fromtimestamp(seconds, UTC)
