"""The pictures that we send with words: files of the content, read when they are wanted."""

from __future__ import annotations

import logging
from pathlib import Path

from bot.content.pictures import LARGEST, file_of
from bot.domain.pictures import picture_type
from bot.ports import PictureFile

log = logging.getLogger(__name__)


class Gallery:
    """`bot.ports.Pictures` over the content's folder."""

    def __init__(self, root: Path) -> None:
        """*root*: the content's folder."""
        self._root = root

    def get(self, name: str) -> PictureFile | None:
        """Return a picture's file; one that is missing, too large or no picture is logged by its name, and None."""
        path = file_of(self._root, name)
        try:
            data = path.read_bytes() if path else b""
        except OSError:
            data = b""
        mime = picture_type(data)
        if not mime or len(data) > LARGEST:
            log.error("a picture cannot be sent; run: sahyatri content check", extra={"picture": name[:40]})
            return None
        return PictureFile(mime, data)
