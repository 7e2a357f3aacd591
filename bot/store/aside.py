"""Sealed files that keep what nobody could read while the database is silent: one each, fsynced, mode 600."""

from __future__ import annotations

import base64
import json
import logging
import os
import secrets
from collections.abc import Iterator
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

log = logging.getLogger(__name__)
NONCE = 12
ENDING = ".aside"
BROKEN = ".broken"


class AsideFiles:
    """AES-256-GCM with a key derived from the index key; a file opens only under its own name."""

    def __init__(self, folder: Path, key: bytes) -> None:
        """Create the folder with mode 700."""
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._folder = folder
        self._cipher = AESGCM(key)

    def write(self, name: str, channel: str, raw: bytes, reason: str) -> None:
        """Keep one item. Raise OSError when the disk refuses; nothing is left then."""
        words = json.dumps([channel, base64.b64encode(raw).decode(), reason]).encode()
        nonce = secrets.token_bytes(NONCE)
        path = self._folder / f"{name}.part"
        try:
            with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
                file.write(nonce + self._cipher.encrypt(nonce, words, name.encode()))
                file.flush()
                os.fsync(file.fileno())
            path.rename(path.with_suffix(ENDING))
        except OSError:
            path.unlink(missing_ok=True)
            raise

    def waiting(self) -> Iterator[tuple[str, str, bytes, str]]:
        """Yield name, channel, bytes and reason of each; one that cannot be opened is renamed, not thrown away."""
        for path in sorted(self._folder.glob(f"*{ENDING}")):
            data = path.read_bytes()
            try:
                words = json.loads(self._cipher.decrypt(data[:NONCE], data[NONCE:], path.stem.encode()))
            except (InvalidTag, ValueError):
                log.exception("a file of what was set aside cannot be opened", extra={"file": path.name})
                path.rename(path.with_suffix(BROKEN))
                continue
            channel, raw, reason = words
            yield path.stem, channel, base64.b64decode(raw), reason

    def remove(self, name: str) -> None:
        """It is in the database now."""
        (self._folder / f"{name}{ENDING}").unlink(missing_ok=True)
