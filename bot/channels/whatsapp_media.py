"""Files of the Cloud API: fetched from the platform alone, uploaded once and sent by their id while it is valid.

Voice messages and pictures of ours share one memory of what was uploaded.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from aiohttp import ClientError, ClientSession, ClientTimeout, FormData
from yarl import URL

from bot.channels.whatsapp_errors import channel_error
from bot.domain.messages import Media
from bot.ports import ChannelError, TooLarge

FILE_HOST: Final = ".fbsbx.com"
MOST_UPLOADED: Final = 2000
CHUNK: Final = 65536
FAILED: Final = 300
BROKEN: Final = 500
#: The platform keeps what was uploaded for 30 days; a day less, so that none dies on its way.
KEPT_SECONDS: Final = 29 * 86400.0
LONGEST_VOICE: Final = 16 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Graph:
    """How the platform is asked: address with version, token, and where the app wants it the proof of the secret."""

    session: ClientSession
    url: str
    token: str
    proof: str = ""

    def post(self, path: str, **body: Any) -> Any:  # noqa: ANN401 - aiohttp's own request context
        """Begin a POST to *path* below the address."""
        timeout = ClientTimeout(total=30, sock_connect=5)
        return self.session.post(
            f"{self.url}/{path}", headers=self._headers(), params=self._proven(), timeout=timeout,
            allow_redirects=False, **body,
        )  # fmt: skip

    def get(self, path: str) -> Any:  # noqa: ANN401 - aiohttp's own request context
        """Begin a GET of *path* below the address."""
        return self.fetch(f"{self.url}/{path}", params=self._proven())

    def fetch(self, address: str, params: dict[str, str] | None = None) -> Any:  # noqa: ANN401
        """Begin a GET of a whole address, which must be the platform's: the token goes with it."""
        timeout = ClientTimeout(total=20, sock_connect=5)
        return self.session.get(
            address, headers=self._headers(), params=params or {}, timeout=timeout, allow_redirects=False
        )

    def _proven(self) -> dict[str, str]:
        return {"appsecret_proof": self.proof} if self.proof else {}

    def _headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token}"}


class Files:
    """What comes from the platform and what is brought to it."""

    def __init__(self, graph: Graph, phone_id: str, clock: Callable[[], float] = time.monotonic) -> None:
        """*clock* counts seconds."""
        self._graph = graph
        self._phone_id = phone_id
        self._clock = clock
        self._uploaded: dict[str, tuple[str, float]] = {}

    async def fetch(self, media: Media, most_bytes: int) -> bytes:
        """Return the bytes of a voice note or picture. Raise `ChannelError`.

        Its address is asked for first, and asked only of the platform itself.
        """
        try:
            async with self._graph.get(media.id.reveal()) as answer:
                found = await answer.json(content_type=None)
            address = str(found.get("url", "")) if isinstance(found, dict) else ""
            if not self._is_platform(address):
                raise ChannelError("whatsapp:no_media", retryable=answer.status >= BROKEN)
            if isinstance(size := found.get("file_size"), int) and size > most_bytes:
                raise TooLarge("whatsapp")
            return _checked(await self._bytes(address, most_bytes), found)
        except (ClientError, TimeoutError, ValueError) as error:
            raise ChannelError("whatsapp:media", retryable=True) from error

    async def _bytes(self, address: str, most_bytes: int) -> bytes:
        async with self._graph.fetch(address) as file:
            data = b""
            async for chunk in file.content.iter_chunked(CHUNK):
                data += chunk
                if len(data) > most_bytes:
                    raise TooLarge("whatsapp")
            if file.status >= FAILED:
                raise ChannelError(f"whatsapp:media:{file.status}", retryable=file.status >= BROKEN)
            return data

    def _is_platform(self, address: str) -> bool:
        """The token goes with the request: only to the API's own host or the platform's file host over TLS."""
        host = URL(address).host or ""
        same = URL(address).origin() == URL(self._graph.url).origin() if URL(address).is_absolute() else False
        return same or (address.startswith("https://") and host.endswith(FILE_HOST))

    async def upload(self, data: bytes, mime: str, name: str) -> str:
        """Return the platform's id of a file, uploading it unless that was done in the last weeks."""
        digest = hashlib.sha256(data).hexdigest()
        media_id, at = self._uploaded.get(digest, ("", 0.0))
        if media_id and self._clock() - at < KEPT_SECONDS:
            return media_id
        if len(data) > LONGEST_VOICE:
            raise ChannelError("whatsapp:too_large", retryable=False)
        if len(self._uploaded) >= MOST_UPLOADED:
            self._uploaded.clear()
        media_id = await self._upload(data, mime, name)
        self._uploaded[digest] = (media_id, self._clock())
        return media_id

    def forget(self, media_id: str) -> None:
        """The platform no longer knows this id."""
        self._uploaded = {key: found for key, found in self._uploaded.items() if found[0] != media_id}

    def forget_file(self, data: bytes) -> None:
        """Bring this file anew the next time."""
        self._uploaded.pop(hashlib.sha256(data).hexdigest(), None)

    async def _upload(self, data: bytes, mime: str, name: str) -> str:
        form = FormData({"messaging_product": "whatsapp", "type": mime})
        form.add_field("file", data, filename=name, content_type=mime)
        try:
            async with self._graph.post(f"{self._phone_id}/media", data=form) as answer:
                raw, status = await answer.read(), answer.status
        except (ClientError, TimeoutError) as error:
            raise ChannelError("whatsapp:upload", retryable=True, silent=isinstance(error, TimeoutError)) from error
        found = read_json(raw)
        if status >= FAILED or not isinstance(found, dict) or not found.get("id"):
            raise channel_error(status if status >= FAILED else BROKEN, found)
        return str(found["id"])


def _checked(data: bytes, found: dict[str, Any]) -> bytes:
    """Compare the bytes with the hash that the platform gives for them."""
    wanted = found.get("sha256")
    if isinstance(wanted, str) and wanted and hashlib.sha256(data).hexdigest() != wanted.lower():
        raise ChannelError("whatsapp:media:hash", retryable=True)
    return data


def read_json(raw: bytes) -> object:
    """Return what *raw* says, an empty object if it is not JSON."""
    try:
        return json.loads(raw)
    except (ValueError, RecursionError):
        return {}
