"""Copies what is said and done in a case into its topic, and takes the topic away when it is over.

Only for owners who work from Telegram, and only where an operator has switched it on. One process at a time writes;
what it cannot write stands in the console all the same and is copied when it can.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial

from bot.content.render import split
from bot.domain.messages import Carrier
from bot.domain.shown import visible
from bot.domain.topics import Entry, EntryKind, Followed, Topic, TopicState
from bot.ports import (
    Alert,
    Alerts,
    Audit,
    Cases,
    ChannelError,
    Group,
    GroupBroken,
    GroupMoved,
    Stamp,
    TopicGone,
    Topics,
)
from bot.service.group import GroupPlace
from bot.service.linking import Linking
from bot.service.renewal import within
from bot.service.words import GroupWords

log = logging.getLogger(__name__)
#: Lines of the conversation before the claim that are copied.
MOST_BEFORE = 20
#: UTF-16 units in one message of ours at most; below Telegram's 4096.
LONGEST = 3900
#: Telegram lets a bot write 20 messages a minute into one group; the rest is for pages and answers.
MOST_A_MINUTE = 14
MINUTE = 60.0
FULL_LOOK_EVERY = 30.0
REST = 5.0
REST_BROKEN = 300.0
GROUP_BROKEN = "group_broken"
#: The first message stands in the topic.
BEGUN = "begun"
#: Carriers whose words are all there is.
_PLAIN = frozenset({"", Carrier.TEXT.value, Carrier.CHOICE.value})
_NAMED = frozenset({Carrier.VOICE.value, Carrier.IMAGE.value, Carrier.DOCUMENT.value, Carrier.EDITED.value,
                    Carrier.CAPTION.value, Carrier.LOCATION.value})  # fmt: skip


class Enough(Exception):
    """The group has had as many messages as it takes in a minute."""


class CaseTopics:
    """Looks what is to be told and tells it."""

    def __init__(  # noqa: PLR0913 - it joins what others do
        self,
        store: Topics,
        cases: Cases,
        group: Group,
        place: GroupPlace,
        linking: Linking,
        alerts: Alerts,
        pagers: Sequence[str],
        audit: Audit,
        words: GroupWords,
        now: Callable[[], datetime],
        clock: Callable[[], float],
        owner: str,
        kept: timedelta,
        console_url: str,
        *,
        on: bool,
    ) -> None:
        """*clock* is monotonic, in seconds. *kept*: how long a closed topic stands. *on*: whether topics are made."""
        self._store = store
        self._cases = cases
        self._group = group
        self._place = place
        self._linking = linking
        self._alerts = alerts
        self._pagers = tuple(name for name in pagers if name != "console")
        self._audit = audit
        self._words = words
        self._now = now
        self._clock = clock
        self._owner = owner
        self._kept = kept
        self._console_url = console_url
        self._on = on
        self._written: deque[float] = deque()
        self._rests: dict[str, float] = {}
        self._full_at = 0.0

    def try_again(self) -> None:
        """Forget that something failed: it may be over."""
        self._rests.clear()

    async def look(self) -> None:
        """Bring pages and topics up to date, as far as the group takes it; another process may be at it already."""
        await self._place.refresh()
        if not await self._store.hold(self._owner):
            return
        await self._try("pages", self._pages)
        await self._try("topics", self._topics)

    async def _try(self, name: str, work: Callable[[], Awaitable[None]]) -> None:
        """Do it unless it failed a moment ago; what fails leaves everything else alone."""
        if self._clock() < self._rests.get(name, 0.0):
            return
        try:
            await work()
        except Enough:
            return
        except GroupMoved as error:
            await self._place.moved(error.chat)
        except GroupBroken as error:
            self._rests[name] = self._clock() + REST_BROKEN
            await self._tell_broken(error.reason)
        except ChannelError as error:
            log.warning("the group's topics wait", extra={"what": name, "reason": error.reason})
            self._rests[name] = self._clock() + max(error.retry_after, REST)

    async def _paced(self) -> None:
        """Count one message; raise `Enough` when the minute is full. Keep the right to write."""
        while self._written and self._clock() - self._written[0] > MINUTE:
            self._written.popleft()
        if len(self._written) >= MOST_A_MINUTE or not await self._store.hold(self._owner):
            raise Enough
        self._written.append(self._clock())

    # --- pages

    async def _pages(self) -> None:
        """Where somebody has the case, its pages say who, and their buttons go."""
        for page in await self._store.stale_pages():
            if page.chat != self._place.chat():  # it stands where nothing can be changed any more
                await self._store.settled(page)
                continue
            await self._paced()
            key = "page_closed" if page.closed else "page_taken"
            text = self._words(key, owner=page.owner, kind=page.kind, case=page.case_id)
            try:
                await self._group.edit(page.chat, page.message, f"{text}\n{self._link(page.case_id)}")
            except (GroupBroken, GroupMoved):
                raise
            except ChannelError as error:
                if error.retryable:
                    raise
                log.warning("a page stays as it is", extra={"alert": page.id, "reason": error.reason})
            await self._store.settled(page)

    def _link(self, case_id: str) -> str:
        return f"{self._console_url}/console/cases/{case_id}"

    # --- topics

    async def _topics(self) -> None:
        full = self._clock() >= self._full_at
        workers = await self._linking.workers() if self._on else frozenset()
        followed = {case.case_id: case for case in await self._store.followed(workers)}
        topics = {topic.case_id: topic for topic in await self._store.all()}
        for case in followed.values():
            await self._one(case.case_id, partial(self._keep, case, topics.get(case.case_id), full=full))
        over = [topic for topic in topics.values() if topic.case_id not in followed]
        erased = await self._store.ended([topic.case_id for topic in over])
        for topic in over:
            await self._one(topic.case_id, partial(self._let_go, topic, at_once=topic.case_id in erased))
        if full:
            self._full_at = self._clock() + FULL_LOOK_EVERY

    async def _one(self, case_id: str, work: Callable[[], Awaitable[None]]) -> None:
        """A topic whose fault is its own holds up no other."""
        if self._clock() < self._rests.get(case_id, 0.0):
            return
        try:
            await work()
        except (GroupBroken, GroupMoved, TopicGone):
            raise
        except ChannelError as error:
            if error.retryable:
                raise
            log.warning("a topic waits", extra={"case": case_id, "reason": error.reason})
            self._rests[case_id] = self._clock() + MINUTE

    async def _keep(self, case: Followed, topic: Topic | None, *, full: bool) -> None:
        if topic and topic.chat != self._place.chat():
            await self._leave(topic)
            topic = None
        if topic and topic.state is TopicState.GONE:
            return
        try:
            topic = await self._open(case, topic)
            if topic.seen != case.stamp or full:
                await self._copy(topic, (case.conversation_id, *case.also))
                await self._store.save(replace(topic, seen=case.stamp, twin=False))
        except TopicGone:
            await self._gone(case.case_id)

    async def _open(self, case: Followed, topic: Topic | None) -> Topic:
        """Return the topic of a case, made or opened again where it is needed."""
        if topic and topic.state is TopicState.OPEN:
            return topic
        await self._paced()
        began = topic is not None and topic.state is TopicState.MAKING
        topic = await self._reopen(topic) if topic and not began else None
        topic = topic or await self._create(case, twin=began)
        await self._store.save(topic)
        await self._audit.record(Stamp(case.owner, "topic opened", case.case_id), self._now())
        await self._well()
        return topic

    async def _reopen(self, topic: Topic) -> Topic | None:
        """Open a closed topic again; None if somebody has deleted it meanwhile."""
        try:
            await self._group.reopen(topic.chat, topic.thread)
        except TopicGone:
            await self._store.forget(topic)
            return None
        return replace(topic, state=TopicState.OPEN, delete_at=None, seen="")

    async def _create(self, case: Followed, *, twin: bool) -> Topic:
        """Make a topic whose name says the number and the kind.

        Telegram makes another each time it is asked, and cannot be asked which there are. So the intent is kept first:
        whoever finds it later, *twin*, knows that an empty topic of this name may be left over, and says so in the new
        one. A clear refusal has made none.
        """
        await self._leave_out(case)
        chat = self._place.chat()
        name = f"{case.case_id} · {self._words.of(f'console.kind.{case.kind}')}"
        intent = Topic(case.case_id, chat, 0, TopicState.MAKING)
        await self._store.save(intent)
        try:
            number = await self._group.create(chat, name)
        except ChannelError as error:
            if not error.unknown and not twin:
                await self._store.forget(intent)
            raise
        return Topic(case.case_id, chat, number, twin=twin)

    async def _leave_out(self, case: Followed) -> None:
        """What was said long before the claim is for the console alone."""
        entries = await self._store.untold(case.case_id, (case.conversation_id, *case.also))
        await self._store.told(case.case_id, entries[:-MOST_BEFORE], self._now())

    async def _copy(self, topic: Topic, conversations: Sequence[str]) -> None:
        """Tell what is not told yet, in order, as few messages as it takes; remember each when it is out."""
        entries = await self._store.untold(topic.case_id, conversations)
        if not topic.seen:
            twin = f"\n\n{self._words('twin', case=topic.case_id)}" if topic.twin else ""
            header = f"{self._words('header', case=topic.case_id)}\n{self._link(topic.case_id)}"
            await self._post(topic, f"{header}{twin}")
            topic = replace(topic, seen=BEGUN, twin=False)
            await self._store.save(topic)
        for bundle in self._bundles(entries):
            text = "\n\n".join(self._line(entry) for entry in bundle if not entry.here)
            await self._store.told(topic.case_id, bundle, self._now(), await self._post(topic, text))

    async def _post(self, topic: Topic, text: str) -> Sequence[int]:
        """Write, in parts where it is long; return the numbers of the messages."""
        numbers = []
        for part in split(text, LONGEST) if text else ():
            await self._paced()
            numbers.append(await self._group.post(topic.chat, topic.thread, part))
            await self._well()
        return numbers

    def _bundles(self, entries: Sequence[Entry]) -> Sequence[Sequence[Entry]]:
        """Return the entries in order, as many together as one message holds."""
        bundles: list[list[Entry]] = []
        room = 0
        for entry in entries:
            size = len(self._line(entry).encode("utf-16-le", "replace")) // 2 + 2
            if not bundles or size > room:
                bundles.append([])
                room = LONGEST
            bundles[-1].append(entry)
            room -= size
        return bundles

    def _line(self, entry: Entry) -> str:
        text = visible(entry.text.reveal())
        if entry.kind is EntryKind.LOST:
            return self._words("lost") + (f" ({entry.person})" if entry.person else "")
        if entry.kind is EntryKind.DONE:
            action = self._words.of(f"console.action.{entry.action}")
            return f"— {entry.who} · {action}{f' · {text}' if text else ''}"
        who = self._words(entry.who) if entry.who in {"person", "bot"} else entry.who
        if entry.person:
            who += f" {entry.person}" if entry.who == "person" else f" → {entry.person}"
        if entry.carrier in _PLAIN:
            return f"{who}: {text}"
        note = self._words(f"is_{entry.carrier}" if entry.carrier in _NAMED else "is_other")
        return f"{who} ({note}): {text}".removesuffix(": ")

    async def _let_go(self, topic: Topic, *, at_once: bool) -> None:
        """Close a topic whose owner is somebody else now, or nobody; take it away when its time is over."""
        try:
            if topic.chat != self._place.chat() or topic.state in {TopicState.GONE, TopicState.MAKING}:
                await self._leave(topic)
            elif at_once or (topic.delete_at and topic.delete_at <= self._now()):
                await self._delete(topic)
            elif topic.state is TopicState.OPEN:
                await self._close(topic)
        except TopicGone:
            await self._store.forget(topic)

    async def _delete(self, topic: Topic) -> None:
        """Take a topic away; one that stays for a reason of its own rests alone, and administrators hear it once."""
        await self._paced()
        try:
            await self._group.delete(topic.chat, topic.thread)
        except TopicGone:
            raise
        except ChannelError as error:
            if error.retryable or error.reason in {"removed", "no_forum"}:
                raise
            log.warning("a topic cannot be deleted", extra={"case": topic.case_id, "reason": error.reason})
            self._rests[topic.case_id] = self._clock() + REST_BROKEN
            await self._alert(f"stays:{topic.case_id}:{topic.thread}", "no_rights", topic.case_id)
            return
        await self._store.forget(topic)

    async def _close(self, topic: Topic) -> None:
        case = await self._cases.get(topic.case_id)
        if self._on and case and case.conversation_id:
            await self._copy(topic, (case.conversation_id, *case.also))
        await self._paced()
        await self._group.close(topic.chat, topic.thread)
        until = self._now() + self._kept
        await self._store.save(replace(topic, state=TopicState.CLOSED, delete_at=until, seen=""))
        await self._well()

    async def _leave(self, topic: Topic) -> None:
        """Drop a topic that somebody else deleted, or that stands in a group that is not ours any more."""
        if topic.state is TopicState.MAKING:
            log.warning("an empty topic of this case may be left over", extra={"case": topic.case_id})
        elif topic.state is not TopicState.GONE:
            with contextlib.suppress(ChannelError):
                await self._group.delete(topic.chat, topic.thread)
        await self._store.forget(topic)

    # --- what goes wrong

    async def _gone(self, case_id: str) -> None:
        """Somebody deleted the topic: this case stays in the console until its owner changes."""
        topic = next(item for item in await self._store.all() if item.case_id == case_id)
        await self._store.save(replace(topic, state=TopicState.GONE))
        await self._alert(f"gone:{case_id}:{topic.thread}", "gone", case_id)

    async def _tell_broken(self, reason: str) -> None:
        log.error("the responders' group cannot be used", extra={"reason": reason})
        since = await self._store.broken(self._place.configured, reason, self._now())
        await self._place.refresh()
        await self._alert(f"{reason}:{since.isoformat()}", reason)

    async def _alert(self, name: str, why: str, case_id: str = "") -> None:
        """Page the administrators once; every process may."""
        values = {"why": why, "case": case_id}
        due = [
            Alert(f"group:{name}:{pager}", "", pager, GROUP_BROKEN, why, "en", values=values) for pager in self._pagers
        ]
        await self._alerts.add(due, self._now())

    async def _well(self) -> None:
        if self._place.state.broken:
            await self._store.well()
            await self._place.refresh()


async def keep_topics(topics: CaseTopics, woken: asyncio.Event, pause: float = 1.0) -> None:
    """Look for ever: at once when something was done in the group, and every *pause* seconds."""
    while True:
        try:
            await topics.look()
        except Exception as error:
            log.exception("the topics go on after an error", extra={"error": type(error).__name__})
        woken.clear()
        await within(pause, woken)
