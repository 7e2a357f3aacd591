"""Sends the small lessons: one a day, behind every reply, and never to somebody who has other worries."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from bot.content.model import Content, Course
from bot.content.render import render
from bot.dialogue import answers, lessons
from bot.domain.conversation import Conversation
from bot.domain.lessons import FEWEST, LessonCount, next_day
from bot.domain.messages import ChannelName
from bot.ports import Learner, Lessons

log = logging.getLogger(__name__)
#: WhatsApp takes ordinary messages for a day after the person wrote; an hour of it is left for a reply.
WITHIN_A_DAY = timedelta(hours=23)
PAUSE = 5.0
#: So long after the person's last word a lesson comes in between.
IN_TALK = timedelta(minutes=15)
AN_HOUR = timedelta(hours=1)


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
        return sum([await self._try(learner) for learner in await self._store.due(self._now())])

    async def counts(self) -> Sequence[LessonCount]:
        """Return what became of each lesson in all, and by locale where enough people got it."""
        return summed(await self._store.counts())

    async def _try(self, learner: Learner) -> bool:
        """Send one; what goes wrong with it is looked at again in an hour, and holds up nobody else."""
        try:
            return await self._teach(learner)
        except Exception as error:
            seen = {"course": learner.course, "lesson": learner.next, "error": type(error).__name__}
            log.exception("a lesson was not sent", extra=seen)
            await self._store.put_off(learner, self._now() + AN_HOUR)
            return False

    async def _teach(self, learner: Learner) -> bool:
        now, conversation = self._now(), learner.conversation
        course = self._content().courses.get(learner.course)
        if not course or conversation.course != learner.course:
            await self._store.drop(learner)
            return False
        if not may_be_taught(conversation):
            await self._store.put_off(learner, next_day(now))
            return False
        if until := in_talk(conversation, now):
            await self._store.put_off(learner, until)
            return False
        heard = learner.heard_at
        if conversation.channel is ChannelName.WHATSAPP and (not heard or now - heard > WITHIN_A_DAY):
            await self._store.hold(learner, now)
            return False
        return await self._send(learner, course, now)

    async def _send(self, learner: Learner, course: Course, now: datetime) -> bool:
        """The question becomes what digits answer to; after the last lesson and its question nothing more comes.

        Where help was offered last, the digits stay with that, and the question has buttons or no answers at all.
        """
        conversation, content = learner.conversation, self._content()
        locale = conversation.locale or conversation.locale_guess or next(iter(content.locales))
        reply, numbered = lessons.lesson(course, learner.next), answers.HELP_NOW.id not in conversation.offered
        messages = render((reply,), locale, conversation.channel, content)
        if not numbered and any(message.digits for message in messages):
            messages = render((replace(reply, choices=()),), locale, conversation.channel, content)
        messages = tuple(replace(message, keeps_keyboard=True) for message in messages)
        ended = learner.next > len(course.lessons)
        after = replace(conversation, locale=locale, course="" if ended else conversation.course)
        if numbered:
            offered = tuple(choice.id for choice in reply.choices)
            after = replace(after, offered=offered, last_replies=(reply,))
        sent = await self._store.teach(learner, after, messages, None if ended else next_day(now), now)
        self._wake_delivery()
        return sent


def may_be_taught(conversation: Conversation) -> bool:
    """Say whether a lesson would be welcome: no open case or question about danger, nobody watching, no open flow."""
    troubled = conversation.open_case or conversation.silent or conversation.stranger or conversation.unanswered
    return not (troubled or conversation.asked_if_in_danger or conversation.stopped or conversation.flow)


def in_talk(conversation: Conversation, now: datetime) -> datetime | None:
    """Return until when the person may still be talking with us of something else; None where no lesson is in the way.

    Who has just begun a course, or answered a lesson, waits for nothing else.
    """
    if not conversation.seen_at or lessons.END.id in conversation.offered:
        return None
    until = conversation.seen_at + IN_TALK
    return until if now < until else None


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
