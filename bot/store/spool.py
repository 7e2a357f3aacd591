"""A sealed file that keeps messages while the database is silent: fsynced before the channel gets its 200.

One file per process, locked while its process lives. A line is `<length> <crc32> <base64>`; a torn last line is cut
off, never fatal: no 200 was sent for it. Draining inserts each message into the inbox
(known ones are ignored), then removes the file.
"""

from __future__ import annotations

import asyncio
import base64
import errno
import fcntl
import json
import logging
import os
import secrets
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from bot.domain.messages import InboundMessage
from bot.ports import Inbox
from bot.store.documents import message_in, message_out

log = logging.getLogger(__name__)
NONCE = 12
AAD = b"sahyatri spool"


class FileSpool:
    """`bot.service.receive.Spool` on a local file; AES-256-GCM with a key derived from the index key."""

    def __init__(self, folder: Path, key: bytes) -> None:
        """Create the folder with mode 700; the file appears with the first message."""
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._folder = folder
        self._cipher = AESGCM(key)
        self._file: IO[bytes] | None = None
        self._path = self._new_path()
        self._lock = asyncio.Lock()

    @property
    def waiting(self) -> bool:
        """True while this or a former process left messages here."""
        return any(self._folder.glob("*.spool"))

    async def append(self, message: InboundMessage) -> None:
        """Write one line, whole or not at all, and fsync. Raise OSError when the disk refuses."""
        line = self._line(message)
        async with self._lock:
            await asyncio.to_thread(self._write, line)

    def _write(self, line: bytes) -> None:
        if self._file is None:
            descriptor = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
            self._file = os.fdopen(descriptor, "ab", buffering=0)
            fcntl.flock(self._file, fcntl.LOCK_EX)
        before = os.fstat(self._file.fileno()).st_size
        try:
            if self._file.write(line) != len(line):
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            os.fsync(self._file.fileno())
        except OSError:
            # What stands there is half a line: the next one must not be written onto its end.
            os.ftruncate(self._file.fileno(), before)
            raise

    def _line(self, message: InboundMessage) -> bytes:
        nonce = secrets.token_bytes(NONCE)
        words = json.dumps(message_out(message)).encode()
        body = base64.b64encode(nonce + self._cipher.encrypt(nonce, words, AAD))
        return b"%d %08x %s\n" % (len(body), zlib.crc32(body), body)

    async def drain(self, inbox: Inbox) -> int:
        """Move everything into *inbox*; return how many messages. Raise `StoreUnavailable` when it is still silent."""
        drained = 0
        await self._turn_over()
        for path in sorted(self._folder.glob("*.spool")):
            if path == self._path:
                continue
            with path.open("r+b") as file:
                if not _lock(file):
                    continue
                for message in self._messages(file.read(), path):
                    await inbox.add(message)
                    drained += 1
                path.unlink()
        return drained

    async def _turn_over(self) -> None:
        """Let what comes from now on go to a new file, so that nobody waits while the old one is drained."""
        async with self._lock:
            if self._file:
                self._file.close()
                self._file = None
                self._path = self._new_path()

    def _new_path(self) -> Path:
        return self._folder / f"{os.getpid()}-{secrets.token_hex(4)}.spool"

    def _messages(self, data: bytes, path: Path) -> Iterator[InboundMessage]:
        for number, line in enumerate(data.split(b"\n"), 1):
            if not line:
                continue
            try:
                length, crc, body = line.split(b" ")
                whole = len(body) == int(length) and zlib.crc32(body) == int(crc, 16)
                raw = base64.b64decode(body) if whole else b""
                words = self._cipher.decrypt(raw[:NONCE], raw[NONCE:], AAD) if whole else b""
                if not whole:
                    raise ValueError("torn")
                yield message_in(json.loads(words))
            except (ValueError, InvalidTag):
                log.warning("a torn spool line is cut off", extra={"file": path.name, "line": number})


def _lock(file: IO[bytes]) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


async def keep_draining(spool: FileSpool, inbox: Inbox, pause: float = 1.0) -> None:
    """Look once a second for ever."""
    while True:
        if spool.waiting:
            try:
                count = await spool.drain(inbox)
                log.info("spool drained", extra={"messages": count})
            except Exception as error:
                log.warning("the spool waits", extra={"error": type(error).__name__})
        await asyncio.sleep(pause)
