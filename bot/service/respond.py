"""What a responder does with a case: claim, reply, note, release, transfer, refer, hand back, close; what is taken."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from types import MappingProxyType

from bot.content.model import Content
from bot.content.render import render, split
from bot.dialogue import consent, waiting
from bot.domain.cases import UNDER_18, Case, CaseAction, Outcome, after
from bot.domain.messages import ChannelName, ChoiceRef, Lane, OutboundMessage, Reply
from bot.domain.private import Private
from bot.ports import Cases, Merges
from bot.service.window import WINDOWED

LONGEST_REPLY = 4000


class Respond:
    """Each verb is one atomic action with its line of history."""

    def __init__(
        self,
        cases: Cases,
        merges: Merges,
        content: Callable[[], Content],
        now: Callable[[], datetime],
        wake_delivery: Callable[[], None],
    ) -> None:
        """*wake_delivery* makes replies leave at once."""
        self._cases = cases
        self._merges = merges
        self._content = content
        self._now = now
        self._wake_delivery = wake_delivery

    async def claim(self, case: Case, who: str) -> Case:
        """Take the case; of two who try at once, exactly one gets it. The other gets `IllegalTransition`."""
        return await self._say(case, CaseAction.CLAIM, who, "case.claimed")

    async def reply(
        self, case: Case, who: str, text: str, key: str, to: Case | None = None, approval: str = ""
    ) -> Case:
        """Send the responder's words to the person; the same *key* again sends nothing.

        *to*: the case whose person is meant, where others were merged into *case*. *approval*: the second person's yes
        that is used up by it, where one is needed. Raise `NotAllowed` if it does not hold any more.
        """
        parts = split(text.strip()[:LONGEST_REPLY], LONGEST_REPLY)
        messages = tuple(
            OutboundMessage(Private(part), lane=Lane.DISTRESS, author=who, protected=True) for part in parts
        )
        said = {(to or case).conversation_id: messages}
        return await self._act(case, CaseAction.REPLY, who, others=said, detail=text, key=key, approval=approval)

    async def note(self, case: Case, who: str, text: str, key: str = "") -> Case:
        """Write a note that only responders see."""
        return await self._act(case, CaseAction.NOTE, who, detail=text, key=key)

    async def release(self, case: Case, who: str, reason: str = "", key: str = "") -> Case:
        """Put one's own case back into the queue; the person hears that, and whom to phone meanwhile."""
        return await self._say(case, CaseAction.RELEASE, who, "case.released", reason, key)

    async def put_back(self, case: Case, who: str, reason: str, key: str = "", due: datetime | None = None) -> Case:
        """Put the case of somebody else back into the queue: a supervisor, or the clock, for its reason.

        Raise `NotOwner` if it went to somebody else meanwhile. *due*: only while its owner's clock stands there.
        """
        done = await self._cases.act(
            case.id, CaseAction.PUT_BACK, who, self._now(), detail=Private(reason), expect_owner=case.owner,
            others=await self._to_all(case, "case.released"), key=key, due=due,
        )  # fmt: skip
        self._wake_delivery()
        return done

    async def take_over(self, case: Case, who: str, reason: str, key: str = "") -> Case:
        """Take the case of somebody else, for a reason. Raise `NotOwner` if it went to somebody else meanwhile."""
        detail = Private(f"{case.owner} · {reason.strip()}")
        return await self._cases.act(
            case.id, CaseAction.TAKE_OVER, who, self._now(), detail=detail, expect_owner=case.owner, key=key
        )

    async def transfer(self, case: Case, who: str, to: str, reason: str = "", key: str = "") -> Case:
        """Give the case to another responder."""
        detail = f"{to} · {reason.strip()}" if reason.strip() else to
        return await self._act(case, CaseAction.TRANSFER, who, detail=detail, new_owner=to, key=key)

    async def give(self, case: Case, who: str, to: str, reason: str, key: str = "") -> Case:
        """Give a case that is not one's own to a colleague: a supervisor. Raise `NotOwner` if it moved meanwhile.

        One that nobody has is claimed first, so that its person hears that somebody is there.
        """
        held = await self.claim(case, who) if case.owner is None else case
        detail = f"{to} · {reason.strip()}"
        return await self._act(
            held, CaseAction.TRANSFER, who, detail=detail, new_owner=to, key=key, expect_owner=held.owner
        )

    async def refer(self, case: Case, who: str, to: str) -> Case:
        """Record that the case was passed to police, child welfare or another service."""
        return await self._act(case, CaseAction.REFER, who, detail=to)

    async def ask_consent(self, case: Case, who: str, key: str = "", to: Case | None = None) -> Case:
        """Ask the person, in their language, whether their details may be passed on; not where a phone is watched.

        Where a child may be the victim, what the law asks of us is said first. The answer is kept with the case, with
        its time, under the slot `consent`.
        """
        person = to or case
        if person.silent:
            return case
        child = case.minor and waiting.must_be_reported(*case.dangers)
        duty = self.words(person, "waiting.duty") if child else ()
        said = (*duty, *self.words(person, "waiting.consent", waiting.CHOICES["consent"]))
        return await self._act(
            case, CaseAction.ASK_CONSENT, who, others={person.conversation_id: said}, detail="consent", key=key
        )

    async def ask_to_write(self, case: Case, who: str) -> Case:
        """Ask on WhatsApp whether a greeting may be sent when the chat has been quiet for a day; not if watched.

        The answer is kept with the case, with its time, under the slot `write_later`.
        """
        if case.silent or case.channel not in WINDOWED:
            return case
        said = self.words(case, consent.QUESTION.message, consent.QUESTION.choices)
        return await self._act(
            case, CaseAction.REPLY, who, others={case.conversation_id: said}, detail=consent.QUESTION.message
        )

    async def hand_back(
        self, case: Case, who: str, summary: str, key: str = "", outcome: Outcome | None = None
    ) -> Case:
        """Give the conversation back to the bot, with a summary for the history."""
        return await self._say(case, CaseAction.HAND_BACK, who, "case.handed_back", summary, key, outcome)

    async def close(
        self,
        case: Case,
        who: str,
        summary: str,
        key: str = "",
        outcome: Outcome | None = None,
        *,
        owner: str | None = None,
    ) -> Case:
        """Close the case, with a summary for the history. *owner*: of somebody else's case, which a supervisor closes.

        Raise `NotOwner` if it is not theirs any more, `OpenTasks` while a duty is open.
        """
        return await self._say(case, CaseAction.CLOSE, who, "case.closed", summary, key, outcome, owner)

    async def people(self, case: Case) -> Sequence[Case]:
        """Return the case and those that were merged into it, each with a person of its own, in the order of `also`."""
        merged = await self._merges.merged(case.id) if case.also else ()
        by_conversation = {other.conversation_id: other for other in merged}
        return (case, *(by_conversation[name] for name in case.also if name in by_conversation))

    async def reopen(self, case: Case, who: str, reason: str, key: str = "") -> Case:
        """Open a closed case again and page. Raise `IllegalTransition` where the person has another, or is erased.

        The bot says nothing of it: the person did not write. What a responder writes leaves as always.
        """
        return await self._act(case, CaseAction.REOPEN, who, detail=reason, key=key)

    async def set_minor(self, case: Case, who: str) -> Case:
        """Write down that the case is about somebody under 18, with the duty that follows; once. Raise `LookupError`.

        Raise `IllegalTransition` where the case is over.
        """
        after(case.state, CaseAction.NOTE)
        if not case.minor:
            await self._cases.write_down(case.id, UNDER_18, Private("yes"), who, self._now())
        return await self._cases.get(case.id) or case

    async def _say(
        self,
        case: Case,
        action: CaseAction,
        who: str,
        message: str,
        detail: str = "",
        key: str = "",
        outcome: Outcome | None = None,
        expect_owner: str | None = None,
    ) -> Case:
        """Act, and say it to the person of the case and of each that was merged into it, but to no watched phone."""
        said = await self._to_all(case, message)
        return await self._act(
            case, action, who, others=said, detail=detail, key=key, outcome=outcome, expect_owner=expect_owner
        )

    async def _to_all(self, case: Case, message: str) -> Mapping[str, tuple[OutboundMessage, ...]]:
        people = await self.people(case)
        return {person.conversation_id: self.words(person, message) for person in people if not person.silent}

    async def _act(  # noqa: PLR0913 - as the port
        self,
        case: Case,
        action: CaseAction,
        who: str,
        *,
        others: Mapping[str, Sequence[OutboundMessage]] = MappingProxyType({}),
        detail: str = "",
        key: str = "",
        new_owner: str | None = None,
        approval: str = "",
        outcome: Outcome | None = None,
        expect_owner: str | None = None,
    ) -> Case:
        done = await self._cases.act(
            case.id, action, who, self._now(), others=others, detail=Private(detail), key=key, new_owner=new_owner,
            approval=approval, outcome=outcome, expect_owner=expect_owner,
        )  # fmt: skip
        self._wake_delivery()
        return done

    def words(self, case: Case, message: str, choices: tuple[ChoiceRef, ...] = ()) -> tuple[OutboundMessage, ...]:
        """Return a message of ours in the language of the case's person."""
        content = self._content()
        locale = case.locale or next(iter(content.locales))
        return render(
            (Reply(message, choices=choices, lane=Lane.DISTRESS),), locale, ChannelName(case.channel), content
        )
