"""What a responder does with a case: claim, reply, note, release, transfer, refer, hand back, close."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from bot.content.model import Content
from bot.content.render import render, split
from bot.dialogue import consent, waiting
from bot.domain.cases import Case, CaseAction
from bot.domain.messages import ChannelName, ChoiceRef, Lane, OutboundMessage, Reply
from bot.domain.private import Private
from bot.ports import Cases
from bot.service.window import WINDOWED

LONGEST_REPLY = 4000


class Respond:
    """Each verb is one atomic action with its line of history."""

    def __init__(
        self,
        cases: Cases,
        content: Callable[[], Content],
        now: Callable[[], datetime],
        wake_delivery: Callable[[], None],
    ) -> None:
        """*wake_delivery* makes replies leave at once."""
        self._cases = cases
        self._content = content
        self._now = now
        self._wake_delivery = wake_delivery

    async def claim(self, case: Case, who: str) -> Case:
        """Take the case; of two who try at once, exactly one gets it. The other gets `IllegalTransition`."""
        said = () if case.silent else self._words(case, "case.claimed")
        return await self._act(case, CaseAction.CLAIM, who, messages=said)

    async def reply(self, case: Case, who: str, text: str, key: str) -> Case:
        """Send the responder's words to the person; the same *key* again sends nothing."""
        parts = split(text.strip()[:LONGEST_REPLY], LONGEST_REPLY)
        messages = tuple(
            OutboundMessage(Private(part), lane=Lane.DISTRESS, author=who, protected=True) for part in parts
        )
        return await self._act(case, CaseAction.REPLY, who, messages=messages, detail=text, key=key)

    async def note(self, case: Case, who: str, text: str, key: str = "") -> Case:
        """Write a note that only responders see."""
        return await self._act(case, CaseAction.NOTE, who, detail=text, key=key)

    async def release(self, case: Case, who: str, reason: str = "", key: str = "") -> Case:
        """Put the case back into the queue."""
        return await self._act(case, CaseAction.RELEASE, who, detail=reason, key=key)

    async def transfer(self, case: Case, who: str, to: str, reason: str = "", key: str = "") -> Case:
        """Give the case to another responder."""
        detail = f"{to} · {reason.strip()}" if reason.strip() else to
        return await self._act(case, CaseAction.TRANSFER, who, detail=detail, new_owner=to, key=key)

    async def refer(self, case: Case, who: str, to: str) -> Case:
        """Record that the case was passed to police, child welfare or another service."""
        return await self._act(case, CaseAction.REFER, who, detail=to)

    async def ask_consent(self, case: Case, who: str) -> Case:
        """Ask the person, in their language, whether their details may be passed on; not where a phone is watched.

        The answer is kept with the case, with its time, under the slot `consent`.
        """
        if case.silent:
            return case
        said = self._words(case, "waiting.consent", waiting.CHOICES["consent"])
        return await self._act(case, CaseAction.REPLY, who, messages=said, detail="waiting.consent")

    async def ask_to_write(self, case: Case, who: str) -> Case:
        """Ask on WhatsApp whether a greeting may be sent when the chat has been quiet for a day; not if watched.

        The answer is kept with the case, with its time, under the slot `write_later`.
        """
        if case.silent or case.channel not in WINDOWED:
            return case
        said = self._words(case, consent.QUESTION.message, consent.QUESTION.choices)
        return await self._act(case, CaseAction.REPLY, who, messages=said, detail=consent.QUESTION.message)

    async def hand_back(self, case: Case, who: str, outcome: str, key: str = "") -> Case:
        """Give the conversation back to the bot, with a summary for the history."""
        said = () if case.silent else self._words(case, "case.handed_back")
        return await self._act(case, CaseAction.HAND_BACK, who, messages=said, detail=outcome, key=key)

    async def close(self, case: Case, who: str, outcome: str, key: str = "") -> Case:
        """Close the case; the outcome is required."""
        said = () if case.silent else self._words(case, "case.closed")
        return await self._act(case, CaseAction.CLOSE, who, messages=said, detail=outcome, key=key)

    async def _act(
        self,
        case: Case,
        action: CaseAction,
        who: str,
        *,
        messages: tuple[OutboundMessage, ...] = (),
        detail: str = "",
        key: str = "",
        new_owner: str | None = None,
    ) -> Case:
        done = await self._cases.act(
            case.id, action, who, self._now(), messages=messages, detail=Private(detail), key=key, new_owner=new_owner
        )
        self._wake_delivery()
        return done

    def _words(self, case: Case, message: str, choices: tuple[ChoiceRef, ...] = ()) -> tuple[OutboundMessage, ...]:
        content = self._content()
        locale = case.locale or next(iter(content.locales))
        return render(
            (Reply(message, choices=choices, lane=Lane.DISTRESS),), locale, ChannelName(case.channel), content
        )
