"""Load, understand, step, render, commit: the only place they meet."""

from __future__ import annotations

import asyncio
import functools
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from bot.content.render import render, said
from bot.dialogue import answers
from bot.dialogue.alarm import hushed, kind_of
from bot.dialogue.knowledge import Knowledge
from bot.dialogue.step import HELP_NOW, may_show_typing, step, wants_hiding
from bot.domain.cases import CaseKind
from bot.domain.conversation import (
    Conversation,
    Effect,
    Forward,
    OpenCase,
    RaiseCase,
    Translate,
    Turn,
    Waiting,
)
from bot.domain.ids import case_id
from bot.domain.messages import SIGNS, Carrier, Lane, OutboundMessage, Reply
from bot.domain.private import Private
from bot.domain.quota import Room
from bot.domain.risk import NO_RISK, Level, Risk
from bot.domain.slips import number_in
from bot.domain.understanding import NOTHING, Understanding
from bot.ports import (
    Conversations,
    Inbox,
    Lease,
    Rendered,
    StoreUnavailable,
    Translator,
    Understander,
    VersionClash,
)
from bot.service import albums
from bot.service.crowd import Crowd, may_be_left_out, unsaid, without_room
from bot.service.listen import Listener
from bot.service.newcomers import Door, shortly
from bot.service.renewal import kept, within
from bot.service.slips import SlipDesk
from bot.service.typing import Typing

log = logging.getLogger(__name__)
TRIES = 3
STALE = timedelta(minutes=15)
BATCH = 50
#: How often to look whether an album is whole, in seconds; and how many of its pictures are read together.
ALBUM_PAUSE = 0.25
ALBUM_READ = 4
#: A lease lasts five seconds; hearing a voice note or reading an album takes longer.
RENEWED = 1.5
#: For so long a conversation that another process answers is left to it, in seconds.
ELSEWHERE = 1.0
Seen = Callable[[Waiting, Turn, tuple[OutboundMessage, ...]], None]


@dataclass(frozen=True, slots=True)
class Senses:
    """What makes words of what came, and other words of ours: the NLU, voice notes, a translation machine.

    `typing` shows meanwhile that we are at it.
    """

    nlu: Understander
    listener: Listener | None = None
    translator: Translator | None = None
    typing: Typing = field(default_factory=lambda: Typing({}))


@dataclass(frozen=True, slots=True)
class Heard:
    """A message with what was read in its picture; the words of its voice note; whether there was room for its file."""

    waiting: Waiting
    words: str = ""
    room: Room = Room.YES


class Answerer:
    """Works through conversations, one lease and one message at a time."""

    def __init__(  # noqa: PLR0913
        self,
        inbox: Inbox,
        conversations: Conversations,
        senses: Senses,
        knowledge: Callable[[], Knowledge],
        now: Callable[[], datetime],
        wake_delivery: Callable[[], None],
        owner: str,
        on_turn: Seen | None = None,
        door: Door | None = None,
        slips: SlipDesk | None = None,
        unsaid_early: Callable[[Turn, str], Turn] = lambda turn, _key: turn,
    ) -> None:
        """*knowledge* is asked anew for each turn, so that a new list of recruiters takes effect at once.

        *door*: who of a crowd of new people is answered in full; None: everybody. *slips*: gives and answers slips.
        *unsaid_early* leaves out what was said to a message before the database had it.
        """
        self._inbox = inbox
        self._conversations = conversations
        self._senses = senses
        self._knowledge = knowledge
        self._now = now
        self._wake_delivery = wake_delivery
        self._owner = owner
        self._on_turn = on_turn
        self._door = door
        self._slips = slips
        self._unsaid_early = unsaid_early
        self._busy: set[str] = set()
        self._crowd = Crowd()
        self._elsewhere: dict[str, float] = {}

    async def work(self) -> bool:
        """Answer the conversation that has waited longest; False when nobody waits.

        One that another process answers is left to it for a second: meanwhile the next in line has its turn.
        """
        now = asyncio.get_running_loop().time()
        self._elsewhere = {name: until for name, until in self._elsewhere.items() if until > now}
        conversation_id = await self._inbox.waiting_conversation(frozenset(self._busy | self._elsewhere.keys()))
        if not conversation_id:
            return False
        if conversation_id in self._busy:
            return True  # another worker here took it while we asked
        self._busy.add(conversation_id)
        try:
            lease = await self._conversations.lease(conversation_id, self._owner)
            if lease:
                await self._answer_all(lease)
            else:
                self._elsewhere[conversation_id] = now + ELSEWHERE
        finally:
            self._busy.discard(conversation_id)
        return True

    async def _answer_all(self, lease: Lease) -> None:
        """Answer what waits, a batch at a time: what came meanwhile is looked for after each batch."""
        try:
            async with kept(functools.partial(self._conversations.renew, lease), RENEWED):
                while waiting := await self._inbox.waiting(lease.conversation_id, BATCH + 1):
                    await self._answer_batch(waiting, lease)
        finally:
            await self._conversations.release(lease)

    def _is_stale(self, waiting: Waiting) -> bool:
        return self._now() - waiting.message.sent_at > STALE

    async def _answer_batch(self, waiting: Sequence[Waiting], lease: Lease) -> None:
        """Answer one after another, until one fails or the rest of an album is still on its way."""
        stale = [item for item in waiting if self._is_stale(item)]
        last = stale[-1:]
        left = list(waiting)
        for _ in waiting[:BATCH]:
            first = albums.first_to_answer(left, self._now())
            if not first:
                await asyncio.sleep(ALBUM_PAUSE)
                return
            parts = albums.parts_of(first, left)
            quiet = first in stale and not any(item in parts for item in last)
            if not await self.answer(first, lease, quiet=quiet, album=parts):
                return
            left.remove(first)

    async def answer(
        self, waiting: Waiting, lease: Lease, *, quiet: bool = False, album: Sequence[Waiting] = ()
    ) -> bool:
        """Answer one message. A step that fails is tried again (False); the third time the person gets a human.

        *quiet*: one of several messages that waited out a long outage; danger is still heard, the rest gets one reply.
        *album*: the messages that came as one with it.
        """
        try:
            await self._turn(waiting, lease, quiet=quiet, album=album)
        except (VersionClash, StoreUnavailable):
            raise
        except Exception as error:
            tries = await self._inbox.failed(waiting)
            log.exception("answering failed", extra={"row": waiting.id, "tries": tries, "error": type(error).__name__})
            if tries < TRIES:
                return False
            await self._apologise(waiting, lease)
        return True

    async def _turn(self, waiting: Waiting, lease: Lease, *, quiet: bool, album: Sequence[Waiting]) -> None:
        knowledge, address = self._knowledge(), waiting.message.address
        conversation = await self._conversations.load(waiting.conversation_id, address.channel)
        late = not await self._lets_in(conversation, waiting)
        conversation = conversation if late else replace(conversation, late=None)
        hurried = self._crowd.hurried(waiting.conversation_id, waiting.message.received_at)
        beside = albums.is_answered(waiting, conversation)
        shows = not beside and not hurried and not late and may_show_typing(conversation, waiting.message, knowledge)
        async with self._senses.typing.shown(address, wanted=shows):
            heard = await self._heard(waiting, conversation, late=late)
            waiting = heard.waiting if beside else await self._with_album(heard.waiting, conversation, album)
            hides = wants_hiding(conversation, waiting.message, knowledge)
            unasked = hurried or late or hides
            understanding = NOTHING if unasked else await self._understand(waiting, conversation)
        turn = step(conversation, waiting.message, understanding, knowledge, self._now())
        turn = self._unsaid_early(turn, waiting.message.key)
        turn = albums.beside(turn, conversation) if beside else albums.answered(turn, waiting)
        if heard.words and turn.replies and not turn.conversation.with_responder:
            turn = replace(turn, replies=(Reply("media.voice_heard", {"words": heard.words}), *turn.replies))
        turn = without_room(turn, conversation, waiting.message, heard.room)
        turn = await self._translated(turn, knowledge)
        turn = await self._slips.serve(turn, self._now()) if self._slips else turn
        if (quiet or hurried) and turn.replies and may_be_left_out(turn):
            turn = unsaid(turn, conversation, self._slower(turn) if hurried else ())
        elif late:
            turn = shortly(turn, conversation, waiting.message, self._now())
        if self._door:
            await self._door.came(conversation, turn, late=late)
        await self._commit(turn, waiting, lease, knowledge)

    async def _lets_in(self, conversation: Conversation, waiting: Waiting) -> bool:
        return not self._door or await self._door.lets_in(conversation, waiting.message)

    def _slower(self, turn: Turn) -> tuple[Reply, ...]:
        """Say once that it is too much at a time; where the bot is silent it says nothing of that either."""
        silent = turn.conversation.with_responder or turn.conversation.silent
        told = not silent and self._crowd.says_so(turn.conversation.id, self._now())
        return (Reply("core.slower"),) if told else ()

    async def _heard(self, waiting: Waiting, conversation: Conversation, *, late: bool) -> Heard:
        """Keep what came with a message; where this machine can hear or read it, its words go on with the message.

        The words of a voice note are treated as if typed; those of a picture stay apart, and are not waited for while a
        responder answers, who sees the picture itself. With a caption, the caption is what was said. A file beyond
        what one person may send is neither fetched nor read; what was written with it is heard as always.
        """
        listener, message = self._senses.listener, waiting.message
        if not listener:
            return Heard(waiting)
        if late:
            await listener.leave(waiting)
            return Heard(waiting)
        room = await listener.keep(waiting, held=conversation.claimed)
        if room is not Room.YES:
            return Heard(waiting, room=room)
        locale = conversation.locale or conversation.locale_guess
        if message.carrier is Carrier.VOICE and not message.text:
            words = await listener.hear(waiting, locale)
            return Heard(replace(waiting, message=replace(message, text=Private(words))), words)
        if message.carrier is Carrier.IMAGE and not message.text and not conversation.with_responder:
            seen = await listener.look(waiting, locale)
            return Heard(replace(waiting, message=replace(message, seen=None if seen is None else Private(seen))))
        return Heard(waiting)

    async def _with_album(self, waiting: Waiting, conversation: Conversation, album: Sequence[Waiting]) -> Waiting:
        """Put the words of the other pictures of an album beside those of the first: they are answered as one."""
        listener, message = self._senses.listener, waiting.message
        if not listener or message.seen is None:
            return waiting
        locale, seen = conversation.locale or conversation.locale_guess, [message.seen.reveal()]
        for part in [item for item in album if item.id != waiting.id][: ALBUM_READ - 1]:
            if part.message.carrier is not Carrier.IMAGE or part.message.text:
                continue
            if await listener.keep(part, held=conversation.claimed) is Room.YES:
                seen.append(await listener.look(part, locale) or "")
        words = "\n".join(filter(None, seen))
        return replace(waiting, message=replace(message, seen=Private(words)))

    async def _translated(self, turn: Turn, knowledge: Knowledge) -> Turn:
        """Fulfil a wish for a machine's translation; what was answered before stands, whatever comes of it."""
        wish = next((effect for effect in turn.effects if isinstance(effect, Translate)), None)
        if not wish:
            return turn
        choices = (answers.PERSON, answers.MENU)
        translated = [await self._by_machine(reply, wish.language, knowledge) for reply in wish.replies]
        if not translated or not all(translated):
            return replace(turn, replies=(Reply("core.translate_failed", choices=choices),))
        said_again = tuple(Reply("core.machine", {"words": words}) for words in translated)
        return replace(turn, replies=(*said_again, Reply("core.translated", choices=choices)))

    async def _by_machine(self, reply: Reply, language: str, knowledge: Knowledge) -> str:
        translator, content = self._senses.translator, knowledge.content
        source = next(code for code, locale in content.locales.items() if locale.status == "released")
        return await translator.translate(said(reply, source, content), source, language) if translator else ""

    async def _understand(self, waiting: Waiting, conversation: Conversation) -> Understanding:
        """Ask the NLU, unless the message is a tapped choice, has no words, or is only the number of a slip."""
        message = waiting.message
        if message.choice or not message.text or message.carrier in SIGNS or number_in(message.text.reveal()):
            return NOTHING
        return await self._senses.nlu.understand(
            message.text.reveal(), conversation.locale or conversation.locale_guess
        )

    async def _commit(self, turn: Turn, waiting: Waiting, lease: Lease, knowledge: Knowledge) -> None:
        conversation = turn.conversation
        locale = conversation.locale or conversation.locale_guess or next(iter(knowledge.content.locales))
        messages = render(turn.replies, locale, waiting.message.address.channel, knowledge.content)
        await self._conversations.commit(Rendered(turn, messages), waiting, lease, self._now())
        self._wake_delivery()
        if self._on_turn:
            self._on_turn(waiting, turn, messages)

    async def _apologise(self, waiting: Waiting, lease: Lease) -> None:
        """A bug must never strand someone who needs help: say sorry with the helplines, and tell a human.

        All that is known of the person stays, their silence first; an open case keeps its kind unless this is danger.
        """
        conversation = await self._conversations.load(waiting.conversation_id, waiting.message.address.channel)
        danger = self._danger(waiting)
        risk = danger or Risk(Level.NONE, "trouble", "step:failed")
        opened = conversation.open_case or case_id(conversation.id, conversation.version + 1)
        effect: Effect = OpenCase(opened, kind_of(danger) if danger else CaseKind.TROUBLE, risk)
        if conversation.open_case:
            effect = RaiseCase(opened, danger) if danger else Forward(opened)
        known = hushed(conversation, danger, self._now()) if danger else conversation
        held = conversation.held or bool(danger)
        after = replace(known, flow="", slots={}, repairs=0, open_case=opened, held=held)
        answered = conversation.with_responder and conversation.claimed
        mute = after.silent or after.stranger or answered
        said = () if mute else (Reply("core.trouble", lane=Lane.DISTRESS),)
        await self._commit(Turn(after, said, (effect,)), waiting, lease, self._knowledge())

    def _danger(self, waiting: Waiting) -> Risk | None:
        """Hear danger even in a message whose step failed; None where there is none, or where that fails too."""
        text = waiting.message.text
        if waiting.message.choice == HELP_NOW:
            return Risk(Level.NOW, "distress_help", "choice:help_now")
        try:
            risk = self._knowledge().guard.check(text.reveal()) if text else NO_RISK
        except Exception as error:
            log.exception("danger could not be heard", extra={"row": waiting.id, "error": type(error).__name__})
            return None
        return risk if risk.level is Level.NOW else None


async def keep_answering(
    answerer: Answerer, woken: asyncio.Event, stopping: asyncio.Event, pause: float = 0.25
) -> None:
    """Answer until *stopping*: at once when woken, and every *pause* seconds for what another process left."""
    while not stopping.is_set():
        try:
            busy = await answerer.work()
        except (VersionClash, StoreUnavailable) as error:
            log.warning("answering again later", extra={"error": type(error).__name__})
            busy = False
        except Exception as error:
            log.exception("the worker goes on after an error", extra={"error": type(error).__name__})
            busy = False
        if not busy:
            woken.clear()
            await within(pause, woken)
