"""The kept index: whole or not at all, and never in the way."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from bot.store.index_files import IndexFiles

ARRAYS: dict[str, npt.NDArray[Any]] = {"rows": np.arange(10, dtype=np.uint32), "empty": np.empty(0, np.uint64)}


def test_what_is_kept_comes_back(tmp_path: Path) -> None:
    files = IndexFiles(tmp_path / "index")
    assert files.load("a") is None
    files.save("a", ARRAYS)
    found = files.load("a")
    assert found is not None
    assert found["rows"].tolist() == list(range(10))
    assert found["empty"].dtype == np.uint64


def test_a_broken_file_is_as_if_nothing_was_kept(tmp_path: Path) -> None:
    files = IndexFiles(tmp_path)
    files.save("a", ARRAYS)
    (tmp_path / "a" / "rows.npy").write_bytes(b"\x93NUMPY\x01")
    assert files.load("a") is None
    files.save("a", ARRAYS)
    assert files.load("a") is not None


def test_only_the_newest_are_kept_and_a_half_written_one_is_never_read(tmp_path: Path) -> None:
    files = IndexFiles(tmp_path)
    (tmp_path / "new-left-over").mkdir()
    for key in "abc":
        files.save(key, ARRAYS)
    kept = sorted(path.name for path in tmp_path.iterdir() if not path.name.startswith("new-"))
    assert kept == ["b", "c"]


def test_a_folder_that_cannot_be_written_keeps_nobody_from_working(tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("", encoding="utf-8")
    files = IndexFiles(blocked / "index")
    files.save("a", ARRAYS)
    assert files.load("a") is None


def test_saving_twice_keeps_what_is_there(tmp_path: Path) -> None:
    """Two processes may build the same index at the same time."""
    files = IndexFiles(tmp_path)
    files.save("a", ARRAYS)
    files.save("a", ARRAYS)
    assert files.load("a") is not None
    assert [path.name for path in tmp_path.iterdir()] == ["a"]
