"""Clean copies, each made by a confined child process (`bot.clients.copier`)."""

from __future__ import annotations

import asyncio
from typing import Final

from bot.clients import copier
from bot.clients.reader import ReadingFailed, run
from bot.domain.attachments import FileKind
from bot.ports import Copy, CopyFailed

SECONDS: Final = 30.0
MOST_BYTES: Final = 8 * 1024 * 1024
MIMES: Final = {FileKind.PICTURE: "image/jpeg", FileKind.SOUND: "audio/ogg"}


class ChildCopies:
    """`bot.ports.CopyMaker`."""

    async def copy(self, kind: FileKind, data: bytes) -> Copy:
        """Return a copy with nothing in it but what is seen or heard. Raise `CopyFailed`."""
        try:
            async with asyncio.timeout(SECONDS):
                made = await run((*copier.COMMAND, kind.value), data, MOST_BYTES, SECONDS)
        except ReadingFailed as error:
            raise CopyFailed(copier.ENDINGS.get(error.code, "unreadable")) from error
        except (TimeoutError, OSError) as error:
            raise CopyFailed("unreadable") from error
        if not made:
            raise CopyFailed("unreadable")
        return Copy(MIMES[kind], made)
