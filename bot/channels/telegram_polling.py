"""Telegram: long polling, for a machine that nobody can reach from outside. Nothing pending is ever dropped.

An update is confirmed only by asking for the one after it, and that only once it is durable: after a kill the platform
gives it again, and the inbox knows its key. One process polls at a time; the others wait for its lease to end.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import time
from collections.abc import Awaitable, Callable
from typing import Any, Protocol

from telegram import Bot
from telegram.error import Conflict, TelegramError

from bot.channels.telegram import ACTION_SECONDS, POLL_SECONDS
from bot.channels.telegram_errors import channel_error
from bot.channels.telegram_receiving import Intake
from bot.channels.telegram_updates import ALLOWED
from bot.ports import StoreUnavailable

log = logging.getLogger(__name__)
#: Longer than one question for updates can take, so that the lease never ends in the middle of one.
LEASE_SECONDS = 20.0
FIRST_WAIT, LONGEST_WAIT = 1.0, 60.0
OTHER_WAIT = 3.0
#: A fault that lasts so long, in seconds, is told to the operator, whatever it is; one of the account at once.
LASTING = 300.0
LASTING_FAULT = "telegram:polling"
#: Taps are answered beside the taking of updates, so many at a time: sending needs the other connections.
TAPS_AT_ONCE = 4

#: Takes or keeps the right to poll; False while another process has it. May raise `StoreUnavailable`.
Hold = Callable[[], Awaitable[bool]]
#: Tells the operator, who hears of each reason once a day.
Alarm = Callable[[str], Awaitable[object]]


class Stand(Protocol):
    """Remembers whether the platform refuses our account."""

    async def __call__(self, *, refused: bool) -> None:
        """Remember it; the same again changes nothing."""
        ...


async def nowhere(*, refused: bool) -> None:
    """Remember nothing."""


async def nobody(_: str) -> None:
    """Tell no one."""


class Poller:
    """Asks for updates, again and again."""

    def __init__(
        self,
        bot: Bot,
        intake: Intake,
        hold: Hold,
        alarm: Alarm = nobody,
        clock: Callable[[], float] = time.monotonic,
        stand: Stand = nowhere,
    ) -> None:
        """*alarm* tells the operator; *clock* counts seconds; *stand* hears whether the account is refused."""
        self._bot = bot
        self._alarm = alarm
        self._stand = stand
        self._clock = clock
        self._fails_since: float | None = None
        self._beside: set[asyncio.Task[None]] = set()
        self._few = asyncio.Semaphore(TAPS_AT_ONCE)
        self._intake = intake
        self._hold = hold
        self._offset = 0
        self._wait = FIRST_WAIT
        self._holds = False

    async def step(self) -> float:
        """Ask once and keep what comes; return for how many seconds to wait before the next time."""
        if not await self._may_poll():
            return OTHER_WAIT
        try:
            for update in await self._updates():
                await self._take(update)
                self._offset = int(update["update_id"]) + 1
        except TelegramError as error:
            return await self._failed(error)
        except Exception as error:
            log.exception("polling goes on after an error", extra={"error": type(error).__name__})
            await self._trouble(LASTING_FAULT, at_once=False)
            return self._longer()
        self._wait = FIRST_WAIT
        self._fails_since = None
        await self._stands(refused=False)
        return 0.0

    async def close(self) -> None:
        """Leave what taps are not answered yet: their buttons stop spinning by themselves."""
        for task in self._beside:
            task.cancel()
        await asyncio.gather(*self._beside, return_exceptions=True)

    async def _may_poll(self) -> bool:
        """While the database is silent nobody else can begin: who polls goes on, and the spool keeps what comes."""
        with contextlib.suppress(StoreUnavailable):
            self._holds = await self._hold()
        return self._holds

    async def _updates(self) -> list[dict[str, Any]]:
        """Return updates as they came: the library's own way fails for all where it cannot read one."""
        asked = {"offset": self._offset, "timeout": POLL_SECONDS, "allowed_updates": list(ALLOWED)}
        found: Any = await self._bot._post("getUpdates", asked)  # noqa: SLF001 - the public way warns each time
        return list(found)

    async def _take(self, update: dict[str, Any]) -> None:
        tapped = await self._intake.take(json.dumps(update).encode())
        if tapped:
            task = asyncio.create_task(self._answer(tapped))
            self._beside.add(task)
            task.add_done_callback(self._beside.discard)

    async def _answer(self, tapped: str) -> None:
        """Stop a tapped button's spinner. Nobody's message waits for that."""
        async with self._few:
            with contextlib.suppress(TelegramError):
                await self._bot.answer_callback_query(
                    tapped, read_timeout=ACTION_SECONDS, connect_timeout=ACTION_SECONDS
                )

    async def _failed(self, error: TelegramError) -> float:
        failure = channel_error(error)
        if isinstance(error, Conflict):
            log.error("another program receives this bot's messages, or a webhook is set: sahyatri telegram setup")
        else:
            log.warning("polling failed", extra={"reason": failure.reason})
        await self._trouble(failure.reason if failure.account else LASTING_FAULT, at_once=failure.account)
        if failure.account:
            await self._stands(refused=True)
        return max(self._longer(), failure.retry_after)

    async def _trouble(self, reason: str, *, at_once: bool) -> None:
        """Tell the operator of the account's faults at once, and of any other that does not pass (rule T6)."""
        now = self._clock()
        self._fails_since = now if self._fails_since is None else self._fails_since
        if at_once or now - self._fails_since >= LASTING:
            try:
                await self._alarm(reason)
            except Exception as error:
                log.exception("the operator could not be told", extra={"error": type(error).__name__})

    async def _stands(self, *, refused: bool) -> None:
        try:
            await self._stand(refused=refused)
        except Exception as error:
            log.exception("how the account stands is not remembered", extra={"error": type(error).__name__})

    def _longer(self) -> float:
        wait, self._wait = self._wait, min(self._wait * 2, LONGEST_WAIT)
        return wait


async def keep_polling(poller: Poller, release: Callable[[], Awaitable[None]]) -> None:
    """Poll for ever; at the end give the right to poll to whoever waits for it."""
    try:
        while True:
            wait = await poller.step()
            await asyncio.sleep(wait)
    finally:
        await poller.close()
        with contextlib.suppress(StoreUnavailable):
            await release()
