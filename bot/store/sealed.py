"""Field encryption: MongoDB's own client-side encryption (explicit), one data key per conversation, keyed look-ups.

Destroying a conversation's data key makes everything sealed under it unreadable, in the database and in every backup.
A value knows the place it was sealed for, so ciphertext copied to another document is refused.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import re
import secrets
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from bson import Binary
from bson.codec_options import CodecOptions
from bson.errors import BSONError
from pymongo import AsyncMongoClient
from pymongo.asynchronous.collection import AsyncCollection
from pymongo.asynchronous.encryption import AsyncClientEncryption
from pymongo.encryption_shared import Algorithm
from pymongo.errors import DuplicateKeyError, EncryptionError

from bot.store.mongo import reachable

MASTER_KEY_BYTES = 96
INDEX_KEY_BYTES = 32
BLIND_LENGTH = 40
KEY_MODE = 0o600
SERVICE = "service"
#: How long the driver may go on using a data key that was destroyed meanwhile (its own default is a minute).
KEY_CACHE_MS = 1000


class Unreadable(Exception):
    """A sealed value whose key is gone (erased), or that was sealed for another place."""


class KeyFileError(Exception):
    """The key file cannot be used: says which and what to do."""


def load_keys(folder: Path) -> tuple[bytes, bytes]:
    """Return the master key and the index key, making them at first run with mode 600. Raise `KeyFileError`."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    return (_key(folder / "master.key", MASTER_KEY_BYTES), _key(folder / "index.key", INDEX_KEY_BYTES))


def load_key(path: Path) -> bytes:
    """Return a key of 32 bytes of its own file beside the others. Raise `KeyFileError`."""
    return _key(path, INDEX_KEY_BYTES)


def _key(path: Path, size: int) -> bytes:
    if not path.exists():
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, KEY_MODE)
        with os.fdopen(descriptor, "wb") as file:
            file.write(secrets.token_bytes(size))
            file.flush()
            os.fsync(file.fileno())
    if path.stat().st_mode & 0o077:
        raise KeyFileError(f"{path} can be read by others; run: chmod 600 {path}")
    key = path.read_bytes()
    if len(key) != size:
        raise KeyFileError(f"{path} holds {len(key)} bytes, not {size}; restore it from your key backup")
    return key


class Sealer:
    """Seals and opens values. Owners are conversation ids, or `SERVICE` for what belongs to no conversation."""

    def __init__(self, client: AsyncMongoClient[dict[str, Any]], database: str, master: bytes, index: bytes) -> None:
        """Keep the data keys in `<database>.data_keys`, wrapped by *master*; look-ups are keyed with *index*."""
        self._keys: AsyncCollection[dict[str, Any]] = client[database]["data_keys"]
        self._index = index
        self._encryption: AsyncClientEncryption[dict[str, Any]] = AsyncClientEncryption(
            {"local": {"key": Binary(master)}},
            f"{database}.data_keys",
            client,
            CodecOptions(tz_aware=True),
            key_expiration_ms=KEY_CACHE_MS,
        )

    async def close(self) -> None:
        """Free the native handle."""
        await self._encryption.close()

    async def prepare(self) -> None:
        """Create the unique index that keeps one key per owner."""
        await self._keys.create_index(
            "keyAltNames", unique=True, partialFilterExpression={"keyAltNames": {"$exists": True}}
        )

    def blind(self, kind: str, value: str) -> str:
        """Return a look-up name for *value* that says nothing without the index key: 40 hex digits."""
        return hmac.new(self._index, f"{kind}\x00{value}".encode(), hashlib.sha256).hexdigest()[:BLIND_LENGTH]

    def derived_key(self, purpose: str) -> bytes:
        """Return a 32-byte key for another purpose (the spool, cookies), derived from the index key."""
        return hmac.new(self._index, f"key\x00{purpose}".encode(), hashlib.sha256).digest()

    async def seal(self, owner: str, place: str, value: Mapping[str, Any]) -> Binary:
        """Encrypt *value* for *place* under the owner's key, making the key if there is none.

        Raise `StoreUnavailable` where the keys cannot be had now.
        """
        words = json.dumps({"place": place, "value": value}, ensure_ascii=False)
        async with reachable():
            key = await self._owner_key(owner)
            return await self._encryption.encrypt(words, Algorithm.AEAD_AES_256_CBC_HMAC_SHA_512_Random, key_id=key)

    async def open(self, place: str, sealed: object) -> dict[str, Any]:
        """Decrypt a value sealed for *place*. Raise `Unreadable`, or `StoreUnavailable`: then it may be read later."""
        if not isinstance(sealed, bytes):
            raise Unreadable(f"nothing is sealed at {place}")
        try:
            async with reachable():
                found = json.loads(await self._encryption.decrypt(Binary(sealed, 6)))
        except (EncryptionError, BSONError, ValueError, TypeError) as error:
            raise Unreadable(f"{place} cannot be opened: its key is gone") from error
        if found["place"] != place:
            raise Unreadable(f"{place} holds a value that was sealed for another place")
        value: dict[str, Any] = found["value"]
        return value

    async def set_aside(self, owner: str) -> None:
        """Take the owner's key out of use, still readable: whatever is sealed next gets a new key."""
        await self.shred_aside(owner)
        await self._keys.update_one({"keyAltNames": owner}, {"$set": {"keyAltNames": [f"aside:{owner}"]}})

    async def shred_aside(self, owner: str) -> bool:
        """Destroy the key that was set aside; True if there was one."""
        return (await self._keys.delete_one({"keyAltNames": f"aside:{owner}"})).deleted_count > 0

    async def keep_aside(self, owner: str, tag: str) -> None:
        """Keep the key that was set aside under another name, for what a law keeps. *tag* tells several apart."""
        change = {"$set": {"keyAltNames": [f"kept:{owner}:{tag}"]}}
        await self._keys.update_one({"keyAltNames": f"aside:{owner}"}, change)

    async def shred_kept(self, owner: str) -> None:
        """Destroy every key that was kept for a law."""
        await self._keys.delete_many({"keyAltNames": {"$regex": f"^kept:{re.escape(owner)}:"}})

    async def _owner_key(self, owner: str) -> Binary:
        """Ask the key vault each time: an erased owner gets a new key, never the old one from a cache."""
        found = await self._keys.find_one({"keyAltNames": owner}, {"_id": 1})
        if found:
            return Binary(found["_id"], 4) if isinstance(found["_id"], bytes) else found["_id"]
        try:
            return await self._encryption.create_data_key("local", key_alt_names=[owner])
        except (DuplicateKeyError, EncryptionError):
            found = await self._keys.find_one({"keyAltNames": owner}, {"_id": 1})
            if not found:
                raise
            return Binary(found["_id"], 4) if isinstance(found["_id"], bytes) else found["_id"]
