"""Buttons in the responders' group: claim, call, escalate, and yes or no to words that wait."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import datetime, timedelta

from bot.content.model import Content
from bot.domain.cases import Case, CaseAction, IllegalTransition
from bot.domain.private import NOTHING_SAID, Private
from bot.domain.topics import Ask, GroupUpdate, Press, button, pressed
from bot.ports import Audit, Cases, ChannelError, Group, NotOwner, Responder, Stamp, Topics
from bot.service.linking import Linking
from bot.service.respond import Respond
from bot.service.topic_reads import TopicReads
from bot.service.watch import Watch, rung_key
from bot.service.words import GroupWords

log = logging.getLogger(__name__)
#: Whom a responder who cannot wait may phone, or tell the person to phone; short enough for one answer to a press.
NUMBERS = ("emergency_112", "child_1098", "women_181", "railway_139")
PRESS_AGAIN = timedelta(minutes=1)
#: A press is handled anew for less than an hour.
PRESS_KEPT = timedelta(days=1)


class Presses:
    """Each press is answered to the one who pressed, and to nobody else."""

    def __init__(  # noqa: PLR0913 - what a press may touch
        self,
        cases: Cases,
        topics: Topics,
        group: Group,
        linking: Linking,
        respond: Respond,
        reads: TopicReads,
        watch: Watch,
        audit: Audit,
        words: GroupWords,
        content: Callable[[], Content],
        now: Callable[[], datetime],
        wake: Callable[[], None],
        most: int,
    ) -> None:
        """*wake* makes consoles and topics look. *most*: open cases of one person from which a press must be sure."""
        self._cases = cases
        self._topics = topics
        self._group = group
        self._linking = linking
        self._respond = respond
        self._reads = reads
        self._watch = watch
        self._audit = audit
        self._words = words
        self._content = content
        self._now = now
        self._wake = wake
        self._most = most

    async def press(self, update: GroupUpdate) -> None:
        """Do what the button says, in the name of whoever pressed it."""
        who = await self._linking.who(update.sender)
        meaning = pressed(update.text.reveal())
        if not who:
            text = self._words("not_team")
        elif not meaning:
            text = self._words("old_button")
        elif meaning[0] in {Press.YES, Press.NO}:
            text = await self._decide(update, who, meaning[1], send=meaning[0] is Press.YES)
        else:
            text = await self._about_case(update, who, *meaning)
        try:
            await self._group.answer(update.query, text, alert=True)
        except ChannelError as error:  # what was asked for is done, and the page and the console show it
            log.warning("a press stays without an answer", extra={"reason": error.reason})

    async def _about_case(self, update: GroupUpdate, who: Responder, press: Press, name: str) -> str:
        case = await self._cases.get(name)
        if not case:
            return self._words("old_button")
        if press is Press.CALL:
            return "\n".join(self._words.of(f"helpline.{line}") for line in self._numbers(case))
        if press is Press.ESCALATE:
            return await self._escalate(update, case, who)
        return await self._claim(update, case, who)

    def _numbers(self, case: Case) -> list[str]:
        """Return the helplines that the content has, the children's first where it is about a child."""
        lines = [line for line in NUMBERS if line in self._content().helplines]
        return sorted(lines, key=lambda line: not (case.minor and line.startswith("child")))

    async def _claim(self, update: GroupUpdate, case: Case, who: Responder) -> str:
        if case.owner != who.id and not await self._sure(update, case, who):
            return self._words("limit", count=str(self._most))
        try:
            await self._respond.claim(case, who.id)
        except IllegalTransition:
            return self._who_has(await self._cases.get(case.id), who)
        await self._record(who, "claim", case)
        return self._words("claimed")

    async def _sure(self, update: GroupUpdate, case: Case, who: Responder) -> bool:
        """Let somebody who has many cases press twice, as the console lets them confirm."""
        carried = sum(other.owner == who.id for other in await self._cases.queue())
        if carried < self._most:
            return True
        now, name = self._now(), f"limit:{who.id}:{case.id}"
        before = await self._topics.asked(name, now)
        if before and before.key != update.key:
            return True
        ask = Ask(name, case.id, case.conversation_id, who.id, update.key, NOTHING_SAID)
        await self._topics.ask(ask, now + PRESS_AGAIN)
        return False

    def _who_has(self, case: Case | None, who: Responder) -> str:
        if case and case.owner == who.id:
            return self._words("claimed")
        return self._words("taken", owner=case.owner) if case and case.owner else self._words("closed")

    async def _escalate(self, update: GroupUpdate, case: Case, who: Responder) -> str:
        """Climb one rung: that above the case when the press was first handled, however often it is handled."""
        if await self._target(update, case, who) == rung_key(case):
            if not case.owner and self._watch.at_top(case):
                return self._words("last_step")
            try:
                await self._watch.escalate_now(case, who.id, "telegram")
            except (IllegalTransition, LookupError):
                return self._who_has(await self._cases.get(case.id), who)
        await self._record(who, CaseAction.ESCALATE.value, case)
        return self._words("escalated")

    async def _target(self, update: GroupUpdate, case: Case, who: Responder) -> str:
        """Return the key of the rung that this press is about, kept from its first handling on."""
        now, name = self._now(), f"press:{update.key}"
        rung = Ask(name, case.id, case.conversation_id, who.id, update.key, Private(rung_key(case)))
        await self._topics.ask(rung, now + PRESS_KEPT)
        kept = await self._topics.asked(name, now)
        return kept.text.reveal() if kept else ""

    async def _decide(self, update: GroupUpdate, who: Responder, name: str, *, send: bool) -> str:
        """Send words that waited for a yes, once, or drop them."""
        ask = await self._topics.asked(name, self._now())
        if not ask or ask.who != who.id:
            return self._words("old_button")
        if case := await self._cases.get(ask.case_id):
            await self._reads.up_to(case, who.id, update.message)
        text = await self._sent(ask, who) if send else self._words("not_sent")
        await self._group.edit(update.chat, update.message, text)
        await self._topics.answered(name)
        return text

    async def _sent(self, ask: Ask, who: Responder) -> str:
        case = await self._cases.get(ask.case_id)
        if not case:
            return self._words("closed")
        try:
            people = {person.conversation_id: person for person in await self._respond.people(case)}
            if ask.conversation_id not in people:  # split off since: the case is not about them any more
                return self._words("not_sent")
            await self._respond.reply(case, who.id, ask.text.reveal(), ask.key, people[ask.conversation_id])
        except (IllegalTransition, NotOwner):
            return self._words("not_yours", owner=case.owner or "–")
        await self._record(who, "reply", case)
        return self._words("sent")

    async def _record(self, who: Responder, action: str, case: Case) -> None:
        await self._audit.record(Stamp(who.id, action, case.id, extra={"from": "telegram"}), self._now())
        self._wake()


def page_buttons(case_id: str, words: GroupWords) -> tuple[tuple[str, str], ...]:
    """Return the buttons under a page: (id, label)."""
    presses = ((Press.CLAIM, "claim"), (Press.CALL, "call"), (Press.ESCALATE, "escalate"))
    return tuple((button(press, case_id), words(name)) for press, name in presses)
