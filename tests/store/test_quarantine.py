"""What nobody can read is kept sealed, also while the database is silent, and holds nobody up."""

from __future__ import annotations

import base64
import time
from pathlib import Path

import pytest
from pymongo import AsyncMongoClient

from bot.app import Service
from bot.store.aside import AsideFiles
from bot.store.quarantine import MongoQuarantine

KEY = bytes(range(32))
RAW = "मदद".encode() + b"\xff\x00"


async def kept(service: Service) -> list[tuple[str, str, bytes]]:
    """Channel, reason and bytes of every row."""
    found = []
    async for row in service.db["quarantine"].find({}):
        value = await service.sealer.open(f"quarantine:{row['_id']}", row["sealed"])
        found.append((row["channel"], row["reason"], base64.b64decode(value["raw"])))
    return found


async def test_while_the_database_is_silent_a_sealed_file_keeps_it(service: Service, tmp_path: Path) -> None:
    """Soon, under mode 600, without its words; moved into the database once that answers, and then gone."""
    files = AsideFiles(tmp_path / "aside", KEY)
    nobody: AsyncMongoClient[dict[str, object]] = AsyncMongoClient(
        "mongodb://127.0.0.1:9", serverSelectionTimeoutMS=5000
    )
    silent = MongoQuarantine(nobody["x"], service.sealer, files, patience=0.2)
    began = time.monotonic()
    await silent.keep("telegram", RAW, "TypeError")
    await nobody.close()
    assert time.monotonic() - began < 3
    (path,) = (tmp_path / "aside").iterdir()
    assert path.stat().st_mode & 0o777 == 0o600
    assert base64.b64encode(RAW) not in path.read_bytes()
    answering = MongoQuarantine(service.db, service.sealer, files)
    assert [await answering.drain(), await answering.drain()] == [1, 0]
    assert await kept(service) == [("telegram", "TypeError", RAW)]
    assert list((tmp_path / "aside").iterdir()) == []


async def test_a_kill_while_draining_doubles_nothing(service: Service, tmp_path: Path) -> None:
    """The row was written and the file not yet removed: the next drain knows its name."""
    files = AsideFiles(tmp_path / "aside", KEY)
    files.write("a1", "whatsapp", RAW, "ValueError")
    quarantine = MongoQuarantine(service.db, service.sealer, files)
    await quarantine._insert("a1", "whatsapp", RAW, "ValueError")
    assert await quarantine.drain() == 1
    assert len(await kept(service)) == 1


async def test_a_file_of_another_key_is_left_for_a_human(service: Service, tmp_path: Path) -> None:
    """It is neither thrown away nor in the way of the others."""
    AsideFiles(tmp_path / "aside", bytes(32)).write("a1", "telegram", RAW, "x")
    files = AsideFiles(tmp_path / "aside", KEY)
    files.write("a2", "telegram", RAW, "y")
    assert await MongoQuarantine(service.db, service.sealer, files).drain() == 1
    assert [path.name for path in (tmp_path / "aside").iterdir()] == ["a1.broken"]


async def test_a_full_disk_is_said(service: Service, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither database nor disk: the platform must send it again; no half of a file stays."""

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("bot.store.aside.os.fsync", full)
    with pytest.raises(OSError, match="space"):
        AsideFiles(tmp_path / "aside", KEY).write("a1", "telegram", RAW, "x")
    assert list((tmp_path / "aside").iterdir()) == []
