"""One turn after another: what a failing turn, a flood, a backlog or a second process must never cost a person."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import pytest

from bot.app import Service, utc_now
from bot.domain.cases import CaseKind, CaseState
from bot.domain.conversation import Conversation, Forget, OpenCase, Turn, Waiting
from bot.domain.messages import Address, Carrier, ChannelName, InboundMessage, Lane, OutboundMessage, Reply
from bot.domain.private import NOTHING_SAID, Private
from bot.domain.risk import Level, Risk
from bot.domain.understanding import NOTHING, Understanding
from bot.running import running
from bot.service import answer
from bot.service.answer import TRIES, Answerer, Senses
from bot.service.crowd import MOST_A_MINUTE, may_be_left_out, unsaid
from tests.service.test_early import message

PERHAPS = "i am scared"
DANGER = "they locked us in the factory"


class Person:
    """One person at a terminal, answered only when the test says so."""

    def __init__(self, service: Service) -> None:
        self.service = service
        self.said: list[tuple[str, Turn, tuple[OutboundMessage, ...]]] = []
        self.count = 0
        self.now: Callable[[], datetime] = utc_now
        self.id = service.inbox.conversation_id(message(0, "").address)

    def answerer(self, owner: str = "one") -> Answerer:
        def seen(waiting: Waiting, turn: Turn, messages: tuple[OutboundMessage, ...]) -> None:
            self.said.append((waiting.id, turn, messages))

        senses = Senses(self.service.nlu)
        return Answerer(
            self.service.inbox, self.service.conversations, senses, self.service.knowledge, lambda: self.now(),
            lambda: None, owner, seen,
        )  # fmt: skip

    async def writes(self, *texts: str, choice: str = "", at: datetime | None = None) -> None:
        """Send messages and answer none of them yet."""
        for text in texts:
            self.count += 1
            sent = self._message(text, choice, at or utc_now())
            await self.service.receiver.receive(sent)

    async def sends_album(self, parts: int, at: datetime) -> None:
        """Send pictures without words as one."""
        name = str(self.count)
        for part in range(parts):
            self.count += 1
            sent = self._message("", "", at + part * timedelta(seconds=1))
            await self.service.receiver.receive(replace(sent, carrier=Carrier.IMAGE, text=NOTHING_SAID, album=name))

    def _message(self, text: str, choice: str, at: datetime) -> InboundMessage:
        sent = replace(message(self.count, text), sent_at=at, received_at=at)
        return replace(sent, carrier=Carrier.CHOICE, choice=choice) if choice else sent

    async def says(self, text: str = "", choice: str = "") -> tuple[Turn, list[str]]:
        """Send a message; return its turn and the ids of what was said."""
        await self.writes(text, choice=choice)
        await self.answerer().work()
        _, turn, messages = self.said[-1]
        return turn, [item.message_id for item in messages]

    async def known(self) -> Conversation:
        return await self.service.conversations.load(self.id, ChannelName.TERMINAL)


@pytest.fixture
def person(service: Service) -> Person:
    return Person(service)


@pytest.fixture
def broken(monkeypatch: pytest.MonkeyPatch) -> Callable[[Person], Callable[..., Awaitable[list[str]]]]:
    """What is said to a message at whose turn the dialogue fails, every time."""

    def fails(*_: object) -> Turn:
        raise ZeroDivisionError

    def begin(person: Person) -> Callable[..., Awaitable[list[str]]]:
        async def says(text: str = "", choice: str = "") -> list[str]:
            await person.writes(text, choice=choice)
            before = len(person.said)
            with monkeypatch.context() as patch:
                patch.setattr(answer, "step", fails)
                for _ in range(TRIES):
                    await person.answerer().work()
            assert len(person.said) == before + 1
            return [item.message_id for item in person.said[-1][2]]

        return says

    return begin


Broken = Callable[[Person], Callable[..., Awaitable[list[str]]]]


async def test_a_turn_that_fails_opens_a_case_and_goes_on(service: Service, person: Person, broken: Broken) -> None:
    await person.says("", "l:hi")
    assert await broken(person)("hello") == ["core.trouble"]
    (case,) = await service.cases.queue()
    assert case.kind is CaseKind.TROUBLE
    known = await person.known()
    assert (known.locale, known.open_case, known.held) == ("hi", case.id, False)


async def test_on_a_watched_phone_a_turn_that_fails_says_nothing(
    service: Service, person: Person, broken: Broken
) -> None:
    """The silence and the word that alone ends it stay."""
    await person.says("", "l:en")
    await person.says(DANGER)
    await person.says("", "q:safe_yes")
    await person.says("", "q:word")
    await person.says("mango")
    await person.says("", "q:here")
    before = await person.known()
    assert before.silent and before.safe_word == "mango"
    assert await broken(person)("hello") == []
    after = await person.known()
    assert (after.silent, after.silent_since, after.safe_word) == (True, before.silent_since, "mango")
    assert after.held and after.seen_at == before.seen_at
    assert (await person.says("menu"))[1] == []


async def test_to_somebody_else_on_the_phone_a_turn_that_fails_says_nothing(person: Person, broken: Broken) -> None:
    await person.says("", "l:en")
    await person.says(DANGER)
    await person.says("someone else")
    assert (await person.known()).stranger
    assert await broken(person)("hello") == []
    assert (await person.known()).stranger


async def test_once_a_responder_has_it_a_turn_that_fails_says_nothing(
    service: Service, person: Person, broken: Broken
) -> None:
    """The wish to be erased, said before, stays noted."""
    turn, _ = await person.says(DANGER)
    case = await service.cases.get(turn.conversation.open_case)
    assert case
    await service.respond.claim(case, "asha")
    await person.says("delete my data")
    assert await broken(person)("hello") == []
    assert (await person.known()).erase_requested


async def test_a_lesser_case_is_not_made_distress_by_a_turn_that_fails(
    service: Service, person: Person, broken: Broken
) -> None:
    """The message is shown with the case as unread; danger in its words, or a tap on "help", raises it."""
    turn, _ = await person.says("", "c:person")
    before = await service.cases.get(turn.conversation.open_case)
    assert before and before.kind is CaseKind.PERSON_ASKED
    says = broken(person)
    assert await says("hello") == ["core.trouble"]
    after = await service.cases.get(before.id)
    assert after and after.kind is CaseKind.PERSON_ASKED and after.unread > before.unread
    assert await says(DANGER) == ["core.trouble"]
    raised = await service.cases.get(before.id)
    assert raised and raised.kind is CaseKind.DISTRESS and raised.state is CaseState.RECEIVED
    assert (await person.known()).held


@pytest.mark.parametrize(("text", "choice"), [(DANGER, ""), ("", "c:help")])
async def test_danger_is_heard_though_its_turn_fails(
    service: Service, person: Person, broken: Broken, text: str, choice: str
) -> None:
    await person.says("", "l:en")
    assert await broken(person)(text, choice) == ["core.trouble"]
    (case,) = await service.cases.queue()
    assert case.kind is CaseKind.DISTRESS
    assert await service.db["alerts"].count_documents({"case": case.id}) > 0


async def test_what_piled_up_is_answered_once_and_a_cry_in_it_is_asked_about(service: Service, person: Person) -> None:
    """Each message as late as an outage makes it: no flood, and what was not said was not offered either."""
    await person.says("", "l:en")
    before = await person.known()
    long_ago = utc_now() - timedelta(hours=2)
    for number in range(MOST_A_MINUTE + 10):
        await person.writes("menu" if number % 2 else "hello", at=long_ago + number * timedelta(minutes=1))
    await person.writes(PERHAPS, "menu", at=long_ago + timedelta(hours=1))
    await person.answerer().work()
    turns = [(turn, [item.message_id for item in messages]) for _, turn, messages in person.said[1:]]
    assert all(turn.conversation.offered == before.offered and not said for turn, said in turns[:-2])
    asked = next(said for turn, said in turns if turn.risk and turn.risk.level is Level.PERHAPS)
    assert asked == ["distress.perhaps"]
    assert "core.slower" not in [said for _, ids in turns for said in ids]
    assert turns[-1][1]


async def test_in_a_flood_a_cry_is_asked_about_and_what_is_unsaid_is_not_remembered(person: Person) -> None:
    await person.says("", "l:en")
    await person.says("menu")
    before = await person.known()
    await person.writes(*["menu"] * MOST_A_MINUTE, "report a recruiter", "report a recruiter", PERHAPS)
    await person.answerer().work()
    *_, (_, unsaid, nothing), (_, turn, messages) = person.said
    assert nothing == () and unsaid.conversation.flow == ""
    assert unsaid.conversation.offered == before.offered
    assert unsaid.conversation.last_replies == before.last_replies
    assert [item.message_id for item in messages] == ["distress.perhaps"]
    assert turn.conversation.asked_if_in_danger
    assert (await person.says("1"))[0].conversation.open_case


def test_what_is_unsaid_was_neither_asked_nor_shown() -> None:
    before = Conversation("c", flow="verify", slots={"name": "x"}, offered=("c:help",), waiting="safe")
    after = replace(
        before, locale="hi", flow="", slots={}, offered=("c:menu",), waiting="where", notice_seen=True, notes="asked",
        asked_if_in_danger="locked_in", asked_same=True, silent=True,
    )  # fmt: skip
    slower = (Reply("core.slower"),)
    turn = unsaid(Turn(after, (Reply("core.menu"),)), before, slower)
    assert turn == Turn(replace(before, locale="hi", silent=True), slower)


@pytest.mark.parametrize(
    "turn",
    [
        Turn(Conversation("c"), (Reply("distress.perhaps"),), risk=Risk(Level.PERHAPS, "locked_in", "phrase:x")),
        Turn(Conversation("c"), (Reply("distress.first", lane=Lane.DISTRESS),)),
        Turn(Conversation("c"), (Reply("x"),), (OpenCase("k", CaseKind.PERSON_ASKED, Risk(Level.NONE, "", "")),)),
        Turn(Conversation("c"), (Reply("waiting.hide_phone"),), (Forget(),)),
    ],
)
def test_what_must_be_said_is_said_in_any_flood(turn: Turn) -> None:
    assert not may_be_left_out(turn)
    assert may_be_left_out(Turn(turn.conversation, (Reply("core.menu"),)))


async def test_of_pictures_sent_as_one_in_an_outage_one_is_answered(service: Service) -> None:
    """None has a caption; what came before them is not answered by itself, what comes after them is."""
    person = Person(service)
    long_ago = utc_now() - timedelta(hours=2)
    await person.writes("hello", at=long_ago)
    await person.sends_album(3, long_ago + timedelta(minutes=1))
    await person.answerer().work()
    assert [bool(messages) for _, _, messages in person.said] == [False, True, False, False]
    await person.sends_album(2, long_ago + timedelta(minutes=2))
    await person.writes("hello", at=long_ago + timedelta(minutes=3))
    await person.answerer().work()
    assert [bool(messages) for _, _, messages in person.said[4:]] == [False, False, True]


async def test_danger_before_erasing_is_done_is_a_conversation_like_any_other(service: Service, person: Person) -> None:
    """What was said before stays forgotten; what is said since is remembered, before and after the key is aside."""
    await person.says("", "l:hi")
    await person.says("", "c:delete_yes")
    turn, _ = await person.says(DANGER)
    assert turn.conversation.locale == ""
    assert (await person.says("", "q:safe_yes"))[1] == ["waiting.where"]
    await service.conversations.erase_due(utc_now())
    turn, _ = await person.says("a blue gate")
    assert turn.conversation.told == ("safe_to_talk", "where")
    assert (await person.says("", "q:here"))[0].conversation.silent
    later = utc_now() + timedelta(minutes=5)
    assert await service.conversations.erase_due(later) == 0
    turn, said = await person.says("hello")
    assert turn.conversation.silent and said == []


async def test_a_second_wish_to_be_erased_is_fulfilled_too(service: Service, person: Person) -> None:
    """The first is still being fulfilled when the person writes again, and wishes it again when the case ends."""
    await person.says("", "c:delete_yes")
    await service.conversations.erase_due(utc_now())
    turn, _ = await person.says(DANGER)
    case = await service.cases.get(turn.conversation.open_case)
    assert case
    await service.respond.claim(case, "asha")
    await person.says("delete my data")
    await service.respond.close(case, "asha", "safe")
    for hours in (1, 2):
        await service.conversations.erase_due(utc_now() + timedelta(hours=hours))
    assert await service.db["conversations"].count_documents({}) == 0
    assert await service.db["data_keys"].count_documents({"keyAltNames": {"$regex": person.id}}) == 0


@dataclass
class SlowNlu:
    """Takes its time, as a voice note or an album does."""

    seconds: float

    async def understand(self, text: str, locale: str) -> Understanding:
        await asyncio.sleep(self.seconds)
        return NOTHING


@pytest.mark.parametrize(("turns", "seconds"), [(1, 2.5), (19, 0.15)])
async def test_a_lease_lasts_as_long_as_the_work(
    service: Service, person: Person, monkeypatch: pytest.MonkeyPatch, turns: int, seconds: float
) -> None:
    """Another process tries all the time; one long turn, or many short ones, are answered by the first alone."""
    monkeypatch.setattr(answer, "RENEWED", 0.2)
    monkeypatch.setattr("bot.store.conversations.LEASE_MS", 1000)
    service.nlu = SlowNlu(seconds)
    await person.writes(*["what about wages"] * turns)
    working = asyncio.create_task(person.answerer("one").work())
    await asyncio.sleep(0.2)
    taken = []
    while not working.done():
        taken.append(await service.conversations.lease(person.id, "two"))
        await asyncio.sleep(0.05)
    await working
    assert len(taken) > 5 and not any(taken[:-1])
    assert await service.db["inbox"].count_documents({"state": "waiting"}) == 0
    assert len(person.said) == person.count


async def test_a_lost_lease_is_not_renewed(service: Service, person: Person) -> None:
    await person.writes("hello")
    first = await service.conversations.lease(person.id, "one")
    assert first and await service.conversations.renew(first)
    await service.conversations.release(first)
    assert not await service.conversations.renew(first)
    second = await service.conversations.lease(person.id, "two")
    assert second and not await service.conversations.renew(first)
    assert await service.conversations.renew(second)


async def test_what_another_process_answers_holds_up_nobody_else(
    service: Service, person: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The longest waiting are leased elsewhere: the next in line is answered at once, and they too once it lets go."""
    monkeypatch.setattr(answer, "ELSEWHERE", 2.0)
    leases = []
    for number in range(8):
        await service.receiver.receive(message(number, "hello", f"other{number}"))
        name = service.inbox.conversation_id(message(0, "", f"other{number}").address)
        leases.append(await service.conversations.lease(name, "another"))
    await person.writes(DANGER)
    answerer = person.answerer()
    for _ in range(9):
        assert await answerer.work()
    assert len(await service.cases.queue()) == 1
    assert not await answerer.work()
    for lease in leases:
        assert lease
        await service.conversations.release(lease)
    await asyncio.sleep(2.1)
    while await answerer.work():
        pass
    assert await service.db["inbox"].count_documents({"state": "waiting"}) == 0


class SlowTerminal:
    """A channel that takes a while for each message."""

    def __init__(self, began: asyncio.Event) -> None:
        self.began = began
        self.sent = 0

    async def send(self, address: Address, message: OutboundMessage, outbox_id: str) -> Private:
        self.began.set()
        await asyncio.sleep(1)
        self.sent += 1
        return Private(outbox_id)


async def test_a_clean_stop_waits_for_the_send_that_has_begun(service: Service, person: Person) -> None:
    """Else the row stays in doubt, and what a human wrote would be sent twice; nothing new is begun."""
    began = asyncio.Event()
    slow = SlowTerminal(began)
    service.channels[ChannelName.TERMINAL] = slow  # type: ignore[assignment]
    await person.writes(DANGER)
    async with running(service):
        await began.wait()
    rows = await service.db["outbox"].find({}).to_list()
    assert {row["state"] for row in rows} == {"sent", "waiting"}
    assert slow.sent == 1
