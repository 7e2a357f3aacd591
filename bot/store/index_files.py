"""The index over the recruiters' lists as files: built once, then mapped into memory by every process of a machine."""

from __future__ import annotations

import logging
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

log = logging.getLogger(__name__)
KEPT = 2


class IndexFiles:
    """A folder of folders, one for each key; a folder appears whole or not at all."""

    def __init__(self, root: Path) -> None:
        """*root* is made when it is first needed. What it holds can be deleted at any time: it is built again."""
        self._root = root

    def load(self, key: str) -> dict[str, npt.NDArray[Any]] | None:
        """Return the arrays kept under *key*, read from disk only where they are looked at; None if there are none."""
        folder = self._root / key
        try:
            files = sorted(folder.glob("*.npy"))
            return {file.stem: np.load(file, mmap_mode="r", allow_pickle=False) for file in files} or None
        except (OSError, ValueError, EOFError) as error:
            log.warning("a kept index cannot be read and is built again", extra={"error": type(error).__name__})
            shutil.rmtree(folder, ignore_errors=True)
            return None

    def save(self, key: str, arrays: Mapping[str, npt.NDArray[Any]]) -> None:
        """Keep *arrays* under *key* and of the others only the newest. A full disk is logged, and nothing is kept."""
        try:
            self._root.mkdir(parents=True, exist_ok=True)
            begun = Path(tempfile.mkdtemp(prefix="new-", dir=self._root))
        except OSError as error:
            log.warning("the index is not kept", extra={"error": type(error).__name__})
            return
        try:
            for name, array in arrays.items():
                np.save(begun / f"{name}.npy", array, allow_pickle=False)
            begun.rename(self._root / key)
        except OSError as error:
            log.warning("the index is not kept", extra={"error": type(error).__name__})
            shutil.rmtree(begun, ignore_errors=True)
        self._forget_old()

    def _forget_old(self) -> None:
        folders = (path for path in self._root.iterdir() if path.is_dir() and not path.name.startswith("new-"))
        for folder in sorted(folders, key=lambda path: path.stat().st_mtime, reverse=True)[KEPT:]:
            shutil.rmtree(folder, ignore_errors=True)
