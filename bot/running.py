"""Everything that runs: the workers, the deliverers and the clocks, until it is stopped."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from bot.app import Service
from bot.channels import telegram
from bot.domain.conversation import Turn, Waiting
from bot.domain.messages import ChannelName, OutboundMessage
from bot.domain.pace import paces
from bot.doors import poll_telegram
from bot.service.answer import Answerer, Seen, Senses, keep_answering
from bot.service.attend import keep_attending
from bot.service.canary import keep_flying
from bot.service.copies import keep_copying
from bot.service.custody import keep_ending
from bot.service.deliver import Deliverer, keep_delivering
from bot.service.early import keep_paging_early
from bot.service.follow import keep_following
from bot.service.forget import keep_forgetting
from bot.service.lessons import keep_teaching
from bot.service.listen import keep_fetching
from bot.service.notices import keep_telling
from bot.service.people import keep_clear
from bot.service.shifts import keep_shifts
from bot.service.typing import Typing
from bot.service.watch import keep_erasing, keep_escalating, keep_looking_at_lists, keep_paging
from bot.store.pace import MongoPace
from bot.store.spool import keep_draining

log = logging.getLogger(__name__)
#: How long a clean stop waits for an answer or a send that has begun, in seconds.
LAST_STEP = 20.0
DELIVERERS = 4
PAGES_AT_ONCE = 2
LISTS_EVERY = 5.0


@asynccontextmanager
async def running(service: Service, on_turn: Seen | None = None) -> AsyncIterator[None]:
    """Run the workers, the deliverers and the clocks until the block ends; then let each finish its step."""
    on_telegram = service.channels.get(ChannelName.TELEGRAM)
    shows = {ChannelName.TELEGRAM: on_telegram.show} if isinstance(on_telegram, telegram.TelegramChannel) else {}
    senses = Senses(service.nlu, service.listener, service.translator, Typing(shows))

    def committed() -> None:
        service.wake_delivery.set()
        service.wake_paging.set()

    def seen(waiting: Waiting, turn: Turn, messages: tuple[OutboundMessage, ...]) -> None:
        service.places.seen(turn)
        if on_turn:
            on_turn(waiting, turn, messages)

    answerer = Answerer(
        service.inbox, service.conversations, senses, service.knowledge, service.now,
        committed, service.owner, seen,
    )  # fmt: skip
    limits = paces(service.config.telegram_per_second, service.config.whatsapp_per_second)
    deliverer = Deliverer(
        service.outbox, service.channels, MongoPace(service.db, limits), service.owner, time.monotonic,
        service.window, service.operator,
    )  # fmt: skip
    stopping = asyncio.Event()
    steps = [keep_answering(answerer, service.wake_answers, stopping) for _ in range(service.config.workers)]
    steps += [keep_delivering(deliverer, service.wake_delivery, stopping) for _ in range(DELIVERERS)]
    jobs = [keep_forgetting(service.forgetter), keep_following(service.follower), keep_teaching(service.teacher)]
    jobs.append(keep_telling(service.notes))
    jobs += [keep_fetching(service.listener, service.wake_fetching)]
    for channel in service.watch.channels:
        jobs += [keep_paging(service.watch, channel, service.wake_paging) for _ in range(PAGES_AT_ONCE)]
    jobs += [keep_paging_early(service.early), keep_draining(service.spool, service.inbox)]
    jobs += [keep_escalating(service.watch), keep_erasing(service.conversations.erase_due, service.now)]
    jobs += [keep_attending(service.attendance), keep_shifts(service.shifts)]
    jobs += [keep_copying(service.copier), keep_ending(service.custody)]
    jobs += [_keep_lists(service), keep_clear(service.people)]
    jobs += [keep_looking_at_lists(service.list_watch)]
    if service.config.canary_every:
        jobs.append(keep_flying(service.canary, service.config.canary_every))
    jobs += service.group.jobs()
    if service.bot and service.config.telegram_polls:
        jobs.append(poll_telegram(service, service.bot))
    stepping, tasks = ([asyncio.create_task(job) for job in some] for some in (steps, jobs))
    try:
        yield
    finally:
        stopping.set()
        try:
            await _stop(tasks)
            await asyncio.wait(stepping, timeout=LAST_STEP)
        finally:
            await _stop(stepping)


async def _stop(tasks: Sequence[asyncio.Task[None]]) -> None:
    """Cancel until every task has ended: a driver call may swallow a cancellation that reaches it as it returns."""
    pending = set(tasks)
    while pending:
        for task in pending:
            task.cancel()
        _, pending = await asyncio.wait(pending, timeout=0.5)


async def _keep_lists(service: Service) -> None:
    while True:
        await asyncio.sleep(LISTS_EVERY)
        try:
            await service.places.refresh()
            await service.recruiters.refresh()
            await service.histories.refresh()
            await service.wording.refresh()
            await service.oncall.refresh()
        except Exception as error:
            log.exception("the lists and words stay as they are", extra={"error": type(error).__name__})
