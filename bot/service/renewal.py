"""A lease is short, so that nobody waits long for the dead, and renewed for as long as the work lasts."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Awaitable, Callable

log = logging.getLogger(__name__)


@contextlib.asynccontextmanager
async def kept(renew: Callable[[], Awaitable[bool]], every: float) -> AsyncIterator[None]:
    """Call *renew* every so many seconds while the block runs, until it says that the lease is lost (False)."""
    done = asyncio.Event()
    renewing = asyncio.create_task(_keep(renew, every, done))
    try:
        yield
    finally:
        done.set()
        await renewing


async def _keep(renew: Callable[[], Awaitable[bool]], every: float, done: asyncio.Event) -> None:
    held = True
    while held and not await within(every, done):
        try:
            held = await renew()
        except Exception as error:
            log.warning("a lease could not be renewed", extra={"error": type(error).__name__})


async def within(seconds: float, event: asyncio.Event) -> bool:
    """Wait for *event*, *seconds* at most; say whether it is set.

    Not `wait_for`: in Python 3.11 it can swallow a cancellation that comes as the event is set.
    """
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await event.wait()
    return event.is_set()
