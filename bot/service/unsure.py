"""The clock of a question about danger that nobody answered."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta

log = logging.getLogger(__name__)
LOOK_EVERY = 5.0


async def keep_opening(
    open_unsure: Callable[[datetime, datetime], Awaitable[int]],
    now: Callable[[], datetime],
    wake_paging: Callable[[], None],
    patience: float,
    pause: float = LOOK_EVERY,
) -> None:
    """Open a case for whoever has been silent for *patience* seconds since we asked, for ever; 0: never."""
    while patience:
        try:
            at = now()
            if await open_unsure(at - timedelta(seconds=patience), at):
                wake_paging()
        except Exception as error:
            log.exception("unanswered questions are looked at again", extra={"error": type(error).__name__})
        await asyncio.sleep(pause)
