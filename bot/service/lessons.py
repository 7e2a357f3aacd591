"""Sends the small lessons: one a day, behind every reply, and never to somebody who has other worries."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from bot.content.model import Content, Course
from bot.content.render import render
from bot.dialogue import lessons
from bot.domain.conversation import Conversation
from bot.domain.lessons import FEWEST, LessonCount, next_day
from bot.domain.messages import ChannelName
from bot.ports import Learner, Lessons

log = logging.getLogger(__name__)
#: WhatsApp takes ordinary messages for a day after the person wrote; an hour of it is left for a reply.
WINDOW = timedelta(hours=23)
PAUSE = 5.0


class Teacher:
    """Looks who is due, and sends."""

    def __init__(
        self,
        store: Lessons,
        content: Callable[[], Content],
        now: Callable[[], datetime],
        wake_delivery: Callable[[], None],
    ) -> None:
        """*content*: the words in force now."""
        self._store = store
        self._content = content
        self._now = now
        self._wake_delivery = wake_delivery

    async def work(self) -> int:
        """Send every lesson that is due; return how many went into the outbox."""
        return sum([await self._teach(learner) for learner in await self._store.due(self._now())])

    async def counts(self) -> Sequence[LessonCount]:
        """Return what became of each lesson in all, and by locale where enough people got it."""
        return summed(await self._store.counts())

    async def _teach(self, learner: Learner) -> bool:
        now, conversation = self._now(), learner.conversation
        course = self._content().courses.get(learner.course)
        if not course or conversation.course != learner.course:
            await self._store.drop(learner)
            return False
        if not may_be_taught(conversation):
            await self._store.put_off(learner, next_day(now))
            return False
        heard = learner.heard_at
        if conversation.channel is ChannelName.WHATSAPP and (not heard or now - heard > WINDOW):
            await self._store.hold(learner, now)
            return False
        return await self._send(learner, course, now)

    async def _send(self, learner: Learner, course: Course, now: datetime) -> bool:
        """The question becomes what digits answer to; after the last lesson and its question nothing more comes."""
        reply, content = lessons.lesson(course, learner.next), self._content()
        conversation = learner.conversation
        locale = conversation.locale or conversation.locale_guess or next(iter(content.locales))
        messages = render((reply,), locale, conversation.channel, content)
        ended = learner.next > len(course.lessons)
        after = replace(
            conversation,
            locale=locale,
            offered=tuple(choice.id for choice in reply.choices),
            last_replies=(reply,),
            course="" if ended else conversation.course,
        )
        sent = await self._store.teach(learner, after, messages, None if ended else next_day(now), now)
        self._wake_delivery()
        return sent


def may_be_taught(conversation: Conversation) -> bool:
    """Say whether a lesson would be welcome: no open case, nobody watching, no flow that waits for an answer."""
    troubled = conversation.open_case or conversation.silent or conversation.stranger or conversation.unanswered
    return not (troubled or conversation.stopped or conversation.flow)


def summed(counts: Sequence[LessonCount]) -> tuple[LessonCount, ...]:
    """Return for each lesson the sum over all locales (locale ""), and the locales in which enough people got it.

    If what is left of the sum were too few, subtracting would show them: then the smallest locale is left out too.
    """
    found: list[LessonCount] = []
    for course, number in sorted({(count.course, count.number) for count in counts}):
        mine = [count for count in counts if (count.course, count.number) == (course, number)]
        found.append(_sum(course, number, mine))
        shown = sorted((count for count in mine if _people(count) >= FEWEST), key=_people, reverse=True)
        rest = sum(map(_people, mine)) - sum(map(_people, shown))
        if 0 < rest < FEWEST:
            shown = shown[:-1]
        found += shown
    return tuple(found)


def _people(count: LessonCount) -> int:
    return max(count.sent + count.failed, count.right + count.wrong)


def _sum(course: str, number: int, counts: Sequence[LessonCount]) -> LessonCount:
    names = ("sent", "delivered", "read", "failed", "right", "wrong")
    return LessonCount(course, number, "", *(sum(getattr(count, name) for count in counts) for name in names))


async def keep_teaching(teacher: Teacher, pause: float = PAUSE) -> None:
    """Teach for ever."""
    while True:
        try:
            await teacher.work()
        except Exception as error:
            log.exception("teaching goes on after an error", extra={"error": type(error).__name__})
        await asyncio.sleep(pause)
