"""What a responder writes in a case's topic: words for the person, or a command. The same rules as in the console."""

from __future__ import annotations

import hashlib
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime, timedelta

from bot.domain.cases import Case, CaseState, IllegalTransition, Outcome
from bot.domain.contact import NotSafe, is_open
from bot.domain.messages import ChannelName
from bot.domain.private import Private
from bot.domain.roles import Role
from bot.domain.tasks import OpenTasks
from bot.domain.topics import NEED_WORDS, Ask, Command, GroupKind, GroupUpdate, Press, addressed, button, command
from bot.ports import Audit, Cases, Group, NotOwner, Responder, Responders, Stamp, Topics
from bot.service.first import First
from bot.service.linking import WORKERS, Linking
from bot.service.respond import LONGEST_REPLY, Respond
from bot.service.topic_reads import TopicReads
from bot.service.words import GroupWords

#: So long may words wait for the yes of their writer.
ASK_LASTS = timedelta(minutes=15)
#: As the console writes it into the audit.
TAKEN_OVER = "taken over"


class Written:
    """Only what the owner of a case writes reaches the person; whatever does not, its writer is told."""

    def __init__(  # noqa: PLR0913 - what a message may touch
        self,
        cases: Cases,
        topics: Topics,
        group: Group,
        linking: Linking,
        responders: Responders,
        respond: Respond,
        first: First,
        reads: TopicReads,
        audit: Audit,
        words: GroupWords,
        now: Callable[[], datetime],
        wake: Callable[[], None],
    ) -> None:
        """*wake* makes consoles and topics look."""
        self._cases = cases
        self._topics = topics
        self._group = group
        self._linking = linking
        self._responders = responders
        self._respond = respond
        self._first = first
        self._reads = reads
        self._audit = audit
        self._words = words
        self._now = now
        self._wake = wake

    async def write(self, update: GroupUpdate) -> None:
        """Handle one message of a topic; what strangers write, and what stands in no topic of a case, is let be."""
        topic = await self._topics.of_thread(update.chat, update.thread)
        who = await self._linking.who(update.sender)
        if not topic or (update.sender and not who) or not (update.text or update.kind is GroupKind.FILE):
            return
        case = await self._cases.get(topic.case_id)
        if not who:
            await self._tell(update, "anonymous")
        elif not case or case.state is CaseState.CLOSED:
            await self._tell(update, "closed_here")
        elif (reason := _taking_over(update)) is not None:
            await self._take_over(update, case, who, reason)
        elif case.owner != who.id:
            await self._tell(update, "not_yours", owner=case.owner or "–")
        else:
            await self._reads.up_to(case, who.id, update.message)
            await self._of_owner(update, case, who)

    async def _of_owner(self, update: GroupUpdate, case: Case, who: Responder) -> None:
        if update.kind in {GroupKind.EDIT, GroupKind.FILE}:
            await self._tell(update, update.kind.value)
        else:
            await self._words_of_owner(update, case, who)

    async def _take_over(self, update: GroupUpdate, case: Case, who: Responder, reason: str) -> None:
        """Take the case of a colleague, as in the console: supervisors alone, and for a reason."""
        if who.role != Role.SUPERVISOR:
            await self._refuse(update, case, who, "take_over_who")
        elif not reason:
            await self._tell(update, "take_over_why")
        elif not case.owner:
            await self._refuse(update, case, who, "take_over_nobody")
        else:
            mine = case.owner == who.id  # also where this is done once more after a crash
            verb = self._respond.take_over(case, who.id, reason, key=update.key)
            await self._do(update, case, who, TAKEN_OVER, verb, refusal="claimed" if mine else "moved_on")

    async def _refuse(self, update: GroupUpdate, case: Case, who: Responder, key: str) -> None:
        await self._record(who, f"{TAKEN_OVER} refused", case)
        await self._tell(update, key)

    async def _words_of_owner(self, update: GroupUpdate, case: Case, who: Responder) -> None:
        people, typed = await self._respond.people(case), update.text.reveal().strip()
        number, text = addressed(typed) if len(people) > 1 else (0, typed)
        if not number and (meant := command(text)):
            await self._command(update, case, who, *meant)
        elif number > len(people) or not text or (not number and len(people) > 1):
            await self._tell(update, "which", count=str(len(people)))
        else:
            await self._words_for(update, case, who, text, people[max(number - 1, 0)])

    async def _words_for(self, update: GroupUpdate, case: Case, who: Responder, text: str, person: Case) -> None:
        if len(text) > LONGEST_REPLY:
            await self._tell(update, "too_long", most=str(LONGEST_REPLY))
        elif await self._window_closed(person):
            await self._tell(update, "window")
        elif await self._unsafe(case, update.key, person):
            await self._tell(update, "unsafe")
        elif person.silent:
            await self._ask(update, case, who, text, person)
        else:
            verb = self._respond.reply(case, who.id, text, update.key, person)
            await self._do(update, case, who, "reply", verb)

    async def _window_closed(self, case: Case) -> bool:
        heard = await self._topics.last_heard(case.conversation_id)
        return not is_open(ChannelName(case.channel), heard, self._now())

    async def _unsafe(self, case: Case, key: str, person: Case) -> bool:
        """Say whether it would be writing first with no record; the second person whom that needs is in the console."""
        try:
            await self._first.check(case, key=key, to=person, free=False)
        except NotSafe:
            return True
        return False

    async def _ask(self, update: GroupUpdate, case: Case, who: Responder, words: str, person: Case) -> None:
        """Somebody may be watching the person's screen: their writer must say that the words are to leave."""
        name = hashlib.sha256(update.key.encode()).hexdigest()[:16]
        ask = Ask(name, case.id, person.conversation_id, who.id, update.key, Private(words))
        await self._topics.ask(ask, self._now() + ASK_LASTS)
        buttons = ((button(Press.YES, name), self._words("yes")), (button(Press.NO, name), self._words("no")))
        text = self._words("silent")
        await self._group.post(update.chat, update.thread, text, buttons, answers=update.message)

    async def _command(self, update: GroupUpdate, case: Case, who: Responder, name: str, rest: str) -> None:
        if name not in set(Command) or (Command(name) in NEED_WORDS and not rest):
            await self._tell(update, "commands")
        elif name == Command.TRANSFER:
            await self._transfer(update, case, who, rest)
        else:
            verbs: Mapping[str, Callable[..., Awaitable[Case]]] = {
                Command.NOTE: self._respond.note,
                Command.RELEASE: self._respond.release,
                Command.CLOSE: self._respond.close,
                Command.DONE: self._respond.hand_back,
            }
            first = rest.partition(" ")[0].strip(",.:;").casefold()
            ends = name in {Command.CLOSE, Command.DONE} and first in set(Outcome)
            more = {"outcome": Outcome(first)} if ends else {}
            await self._do(update, case, who, name, verbs[name](case, who.id, rest, key=update.key, **more))

    async def _transfer(self, update: GroupUpdate, case: Case, who: Responder, rest: str) -> None:
        login, *reason = rest.split(maxsplit=1)
        to = await self._responders.get(login.removeprefix("@"))
        if not to or not to.active or to.role not in WORKERS:
            await self._tell(update, "nobody", name=login)
            return
        verb = self._respond.transfer(case, who.id, to.id, "".join(reason), key=update.key)
        await self._do(update, case, who, "transfer", verb)

    async def _do(
        self,
        update: GroupUpdate,
        case: Case,
        who: Responder,
        name: str,
        verb: Awaitable[Case],
        refusal: str = "moved_on",
    ) -> None:
        try:
            await verb
        except OpenTasks:
            await self._tell(update, "open_tasks")
            return
        except (IllegalTransition, NotOwner):
            await self._tell(update, refusal)
            return
        await self._record(who, name, case)
        self._wake()
        await self._group.mark(update.chat, update.message)

    async def _record(self, who: Responder, name: str, case: Case) -> None:
        await self._audit.record(Stamp(who.id, name, case.id, extra={"from": "telegram"}), self._now())

    async def _tell(self, update: GroupUpdate, key: str, **values: str) -> None:
        await self._group.post(update.chat, update.thread, self._words(key, **values), answers=update.message)


def _taking_over(update: GroupUpdate) -> str | None:
    """Return the reason of a take-over command, "" where none was given; None for everything else."""
    meant = command(update.text.reveal().strip()) if update.kind is GroupKind.MESSAGE else None
    return meant[1] if meant and meant[0] == Command.TAKE_OVER else None
