"""Clean copies of files, made once and off the path of messages."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from datetime import datetime

from bot.domain.attachments import COPIED, kind_of
from bot.ports import Attachments, CopyFailed, CopyMaker

log = logging.getLogger(__name__)


class Copier:
    """Takes one original after the other; what cannot be copied is refused and never shown."""

    def __init__(self, attachments: Attachments, maker: CopyMaker, now: Callable[[], datetime]) -> None:  # noqa: D107
        self._attachments = attachments
        self._maker = maker
        self._now = now

    async def work(self) -> bool:
        """Copy the file that has waited longest; False when none waits."""
        original = await self._attachments.next_original(self._now())
        if not original:
            return False
        kind = kind_of(original.data, original.mime)
        if kind not in COPIED:
            await self._attachments.refuse(original, "")
            return True
        try:
            copy = await self._maker.copy(kind, original.data)
        except CopyFailed as error:
            log.warning("no clean copy of a file", extra={"note": original.id, "why": error.why})
            await self._attachments.refuse(original, error.why)
        else:
            await self._attachments.keep(original, copy)
        return True


async def keep_copying(copier: Copier, pause: float = 0.5) -> None:
    """Copy for ever."""
    while True:
        try:
            busy = await copier.work()
        except Exception as error:
            log.exception("copying goes on after an error", extra={"error": type(error).__name__})
            busy = False
        if not busy:
            await asyncio.sleep(pause)
