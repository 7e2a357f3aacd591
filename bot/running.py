"""Everything that runs: the workers, the deliverers and the clocks, until it is stopped."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Coroutine, Sequence
from contextlib import asynccontextmanager
from typing import Any

from bot.app import Service
from bot.channels import telegram
from bot.domain.conversation import Turn, Waiting
from bot.domain.messages import ChannelName, OutboundMessage
from bot.domain.pace import paces
from bot.doors import poll_telegram
from bot.platforms import watches
from bot.service.answer import Answerer, Seen, Senses, keep_answering
from bot.service.attend import keep_attending
from bot.service.breaches import keep_noticing
from bot.service.canary import keep_flying
from bot.service.copies import keep_copying
from bot.service.custody import keep_ending
from bot.service.deliver import Deliverer, keep_delivering
from bot.service.early import keep_paging_early
from bot.service.follow import keep_following
from bot.service.forget import keep_forgetting
from bot.service.health import keep_looking
from bot.service.lessons import keep_teaching
from bot.service.listen import keep_fetching
from bot.service.notices import keep_telling
from bot.service.people import keep_clear
from bot.service.retention import keep_time
from bot.service.shifts import keep_shifts
from bot.service.typing import Typing
from bot.service.unsure import keep_opening
from bot.service.watch import keep_erasing, keep_escalating, keep_looking_at_lists, keep_paging
from bot.store.orphans import keep_ending_orphans
from bot.store.pace import MongoPace
from bot.store.portfolio import MongoPortfolio
from bot.store.quarantine import keep_setting_aside
from bot.store.spool import keep_draining

log = logging.getLogger(__name__)
#: How long a clean stop waits for an answer or a send that has begun, in seconds.
LAST_STEP = 20.0
#: Of each platform; and one beside them that danger alone may use.
DELIVERERS = 4
#: What is sent to these never leaves this process, so that nothing can hang there.
NEAR = (ChannelName.WEB, ChannelName.TERMINAL)
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
        service.hiding.turned(turn.conversation)
        if on_turn:
            on_turn(waiting, turn, messages)

    answerer = Answerer(
        service.inbox, service.conversations, senses, service.knowledge, service.now,
        committed, service.owner, seen, service.door, service.slips, service.hiding.unsaid,
    )  # fmt: skip
    stopping = asyncio.Event()
    steps = [keep_answering(answerer, service.wake_answers, stopping) for _ in range(service.config.workers)]
    steps += _delivering(service, stopping)
    jobs = [keep_forgetting(service.forgetter), keep_following(service.follower), keep_teaching(service.teacher)]
    jobs += [keep_telling(service.notes), keep_noticing(service.breaches)]
    jobs += [keep_fetching(service.listener, service.wake_fetching)]
    for channel in service.watch.channels:
        jobs += [keep_paging(service.watch, channel, service.wake_paging) for _ in range(PAGES_AT_ONCE)]
    jobs += [keep_paging_early(service.early), keep_draining(service.spool, service.inbox)]
    jobs += [keep_setting_aside(service.quarantine), keep_ending_orphans(service.db.client)]
    jobs += [keep_escalating(service.watch), keep_erasing(service.conversations.erase_due, service.now)]
    jobs.append(keep_opening(service.conversations.open_unsure, service.now, committed, service.config.unsure_after))
    jobs += [keep_attending(service.attendance), keep_shifts(service.shifts)]
    jobs.append(keep_time(service.keeping))
    jobs += [keep_copying(service.copier), keep_ending(service.custody)]
    jobs += [_keep_lists(service), keep_clear(service.people)]
    jobs += [keep_looking_at_lists(service.list_watch)]
    if looked_at := watches(service):
        jobs.append(keep_looking(looked_at, service.leases.hold))
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


def _delivering(service: Service, stopping: asyncio.Event) -> list[Coroutine[Any, Any, None]]:
    """Return the deliverers: each platform has its own, and keeps one free for danger."""
    limits = paces(service.config.telegram_per_second, service.config.whatsapp_per_second)
    portfolio = MongoPortfolio(service.db, service.health, service.config.whatsapp_people_a_day, service.now)
    pace = MongoPace(service.db, limits, portfolio)

    def keep(channels: Sequence[ChannelName], count: int, kept: int) -> list[Coroutine[Any, Any, None]]:
        mine = {name: service.channels[name] for name in channels}
        deliverer = Deliverer(
            service.outbox.of(*channels), mine, pace, service.owner, time.monotonic, service.window, service.operator,
            service.standings, service.hiding.sent,
        )  # fmt: skip
        lanes = [False] * count + [True] * kept
        return [keep_delivering(deliverer, service.wake_delivery, stopping, only_danger=lane) for lane in lanes]

    steps = keep([name for name in service.channels if name in NEAR], DELIVERERS, 0)
    for name in service.channels:
        steps += [] if name in NEAR else keep([name], DELIVERERS, 1)
    return steps


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
            await service.standings.refresh()
        except Exception as error:
            log.exception("the lists and words stay as they are", extra={"error": type(error).__name__})
