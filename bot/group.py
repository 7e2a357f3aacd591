"""Builds the responders' group: its pages, its buttons, its topics. The composition root joins it to the rest."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Coroutine, Sequence
from datetime import datetime, timedelta
from typing import Any

from pymongo.asynchronous.database import AsyncDatabase
from telegram import Bot

from bot.channels.telegram_group import GroupDoor, TelegramGroup
from bot.clients.alerts import GroupPages
from bot.config import Config
from bot.content.model import Content
from bot.domain.cases import CaseKind
from bot.ports import Alert, Alerts, Audit, Cases, Responders
from bot.service.first import First
from bot.service.group import GroupDesk, GroupPlace, keep_desk
from bot.service.linking import Linking
from bot.service.presses import Presses, page_buttons
from bot.service.respond import Respond
from bot.service.topic_reads import TopicReads
from bot.service.topics import CaseTopics, keep_topics
from bot.service.watch import Watch
from bot.service.words import GroupWords
from bot.service.written import Written
from bot.store.group_inbox import MongoGroupInbox
from bot.store.links import MongoLinks
from bot.store.sealed import Sealer
from bot.store.topics import MongoTopics

Doc = dict[str, Any]
DESKS = 3


class ResponderGroup:
    """What a group needs before anything runs; `join` adds the rest where there is a group."""

    def __init__(
        self,
        config: Config,
        db: AsyncDatabase[Doc],
        sealer: Sealer,
        responders: Responders,
        content: Callable[[], Content],
        now: Callable[[], datetime],
    ) -> None:
        """Without a bot and a chat only linking is of use, and only to say that there is no group."""
        self._config = config
        self._now = now
        self._responders = responders
        self._content = content
        self.store = MongoTopics(db, sealer, config.spool_after)
        self.inbox = MongoGroupInbox(db, sealer)
        self.linking = Linking(MongoLinks(db, sealer), responders, now)
        self.place = GroupPlace(config.telegram_responders_chat, self.store)
        self.words = GroupWords(content)
        self.wake_desk, self.wake_topics = asyncio.Event(), asyncio.Event()
        self.door: GroupDoor | None = None
        self.desk: GroupDesk | None = None
        self.topics: CaseTopics | None = None

    def pages(self) -> GroupPages:
        """Return what pages in the group need."""

        async def kept(alert: Alert, chat: str, message: int) -> None:
            await self.store.paged(alert, chat, message, self._now())

        return GroupPages(self.place.chat, self._buttons, kept, self.place.moved)

    def _buttons(self, alert: Alert) -> Sequence[tuple[str, str]]:
        """Return the buttons of a page that asks for somebody; none where presses cannot be told to come from here."""
        named = not self._config.telegram_responders_chat.lstrip("-").isdigit()
        asks = alert.case_id and alert.kind in set(CaseKind)
        return page_buttons(alert.case_id, self.words) if asks and not named else ()

    def join(  # noqa: PLR0913 - it joins what others do
        self,
        bot: Bot,
        cases: Cases,
        respond: Respond,
        first: First,
        watch: Watch,
        alerts: Alerts,
        audit: Audit,
        pagers: Sequence[str],
        wake_console: Callable[[], None],
        owner: str,
    ) -> None:
        """Build the desk, the topics and the door through which the group's updates come."""
        group = TelegramGroup(bot)

        def woken() -> None:
            wake_console()
            self.wake_topics.set()

        reads = TopicReads(cases, self.store, self.linking)
        written = Written(
            cases, self.store, group, self.linking, self._responders, respond, first, reads, audit, self.words,
            self._now, woken,
        )  # fmt: skip
        presses = Presses(
            cases, self.store, group, self.linking, respond, reads, watch, audit, self.words, self._content, self._now,
            woken, self._config.cases_each,
        )  # fmt: skip
        self.topics = CaseTopics(
            self.store, cases, group, self.place, self.linking, alerts, pagers, audit, self.words, self._now,
            time.monotonic, owner, timedelta(hours=self._config.telegram_topics_hours), self._config.public_url,
            on=self._config.telegram_topics,
        )  # fmt: skip
        self.desk = GroupDesk(
            self.inbox,
            group,
            self.linking,
            presses,
            written,
            reads,
            self.place,
            self.words,
            owner,
            self.topics.try_again,
        )
        self.door = GroupDoor(
            bot, self.place.chat, self.inbox, group, self.wake_desk.set, lambda: self.words("not_kept")
        )

    def jobs(self) -> Sequence[Coroutine[Any, Any, None]]:
        """Return what runs for as long as the service does."""
        if not self.desk or not self.topics:
            return ()
        desks = [keep_desk(self.desk, self.wake_desk) for _ in range(DESKS)]
        return (*desks, keep_topics(self.topics, self.wake_topics))
