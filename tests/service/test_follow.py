"""After a case: one question, follow-ups only for who said yes to them, and none on a phone that may be watched."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from bot.app import Service, utc_now
from bot.chat import Chat
from bot.dialogue import follow
from bot.domain.cases import Case, CaseAction, CaseState, IllegalTransition
from bot.domain.conversation import Conversation
from bot.running import running
from bot.service.follow import Follower
from bot.service.respond import Respond
from bot.store.follow_ups import MongoFollowUps
from bot.store.history import Writer


class Later:
    """The follow-ups of a service, looked at from a time to come."""

    def __init__(self, service: Service, *, can_greet: bool = False) -> None:
        self.service = service
        self.now = utc_now()
        writer = Writer(service.db, service.sealer, ())
        stored = MongoFollowUps(
            service.db.client, service.db, service.sealer, writer, frozenset({"terminal", "whatsapp"})
        )
        self.follower = Follower(
            stored, lambda: service.content, self.time, service.wake_delivery.set, can_greet=can_greet
        )

    def time(self) -> datetime:
        return self.now

    async def asked(self, days: float) -> list[str]:
        """Go *days* on and return what was asked then."""
        self.now += timedelta(days=days)
        rows = self.service.db["outbox"]
        before = await rows.distinct("_id")
        await self.follower.work()
        fresh = await rows.find({"_id": {"$nin": before}}).to_list()
        found = [await self.service.outbox.one(row["conversation"], row["_id"]) for row in fresh]
        return [message["message_id"] for message in found if message]


async def closed(service: Service, chat: Chat, *, silent: bool = False) -> Case:
    await chat.say("", "l:en")
    turn, _ = await chat.say("they locked us in the factory")
    if silent:
        await chat.say("", "q:here")
    case = await service.cases.get(turn.conversation.open_case)
    assert case
    await service.respond.claim(case, "asha")
    return await service.respond.close(case, "asha", "safe")


async def history(service: Service, case: Case) -> list[str]:
    events = await service.cases.history(case.id)
    return [event.detail.reveal() for event in events if event.action is CaseAction.TELL]


async def test_it_is_asked_once_and_again_only_after_a_yes(service: Service) -> None:
    """Two hours after closing, then after 3, 14 and 30 days; each question and each answer is in the history."""
    chat = Chat(service)
    async with running(service, chat.on_turn):
        case = await closed(service, chat)
        later = Later(service)
        assert await later.asked(0) == []
        assert await later.asked(0.1) == ["waiting.reached"]
        assert await later.asked(10) == []
        _, again = await chat.say("yes")
        assert [message.message_id for message in again] == ["waiting.again"]
        assert {choice.id for choice in again[0].choices} == {"q:again_yes", "q:again_no"}
        await chat.say("", "q:again_yes")
        assert [await later.asked(0), await later.asked(0), await later.asked(5)] == [
            ["waiting.follow"],
            [],
            ["waiting.follow"],
        ]
        assert await later.asked(20) == ["waiting.follow"]
        assert await later.asked(400) == []
    assert await history(service, case) == [
        "asked: waiting.reached", "reached: yes", "follow_up: yes", *["asked: waiting.follow"] * 3,
    ]  # fmt: skip
    assert await service.cases.broken_at(case.id) is None
    assert {item.slot for item in await service.cases.told(case.id)} == {"reached", "follow_up"}


async def test_a_no_opens_the_case_again_and_pages(service: Service) -> None:
    """The same case, with its history; the person is asked as at the beginning, and once more after the next end."""
    chat = Chat(service)
    async with running(service, chat.on_turn):
        case = await closed(service, chat)
        later = Later(service)
        assert await later.asked(0.1) == ["waiting.reached"]
        pages = await service.db["alerts"].count_documents({"case": case.id})
        turn, said = await chat.say("no")
        assert [message.message_id for message in said] == ["waiting.not_reached"]
        assert turn.conversation.open_case == case.id
        again = await service.cases.get(case.id)
        assert again
        assert (again.state, again.owner, again.held, again.closed_at) == (CaseState.PAGED, None, True, None)
        assert again.escalate_at and again.waiting_since > case.waiting_since
        assert await service.db["alerts"].count_documents({"case": case.id}) > pages
        _, asked = await chat.say("", "q:safe_yes")
        assert [message.message_id for message in asked] == ["waiting.where"]
        assert [found.id for found in await service.cases.queue()] == [case.id]
        (life,) = await service.cases.lives()
        assert life.closed is None
        await service.respond.claim(again, "bina")
        await service.respond.close(again, "bina", "met at the station")
        assert await Later(service).asked(0.1) == ["waiting.reached"]
    actions = [event.action for event in await service.cases.history(case.id)]
    assert CaseAction.REOPEN in actions and actions.count(CaseAction.CLOSE) == 2
    assert await service.cases.broken_at(case.id) is None


async def test_whoever_has_a_new_case_has_no_old_one_opened(service: Service) -> None:
    """A late tap on the old question: one open case at most."""
    chat = Chat(service)
    async with running(service, chat.on_turn):
        case = await closed(service, chat)
        await Later(service).asked(0.1)
        turn, _ = await chat.say("they are beating me")
        await chat.say("", "q:reached_no")
        old = await service.cases.get(case.id)
        assert old and old.state is CaseState.CLOSED
        with pytest.raises(IllegalTransition):
            await service.respond.reopen(old, "sudha", "again")
        assert [found.id for found in await service.cases.queue()] == [turn.conversation.open_case]


async def test_a_no_or_a_stop_ends_it(service: Service) -> None:
    chat = Chat(service)
    async with running(service, chat.on_turn):
        case = await closed(service, chat)
        later = Later(service)
        await later.asked(0.1)
        await chat.say("", "q:reached_yes")
        await chat.say("", "q:again_yes")
        assert await later.asked(3) == ["waiting.follow"]
        _, said = await chat.say("stop")
        assert [message.message_id for message in said] == ["core.stopped"]
        await chat.say("menu")
        assert await later.asked(300) == []
    assert "follow_up: no" in await history(service, case)


async def test_a_watched_phone_is_not_written_to(service: Service) -> None:
    chat = Chat(service)
    async with running(service, chat.on_turn):
        await closed(service, chat, silent=True)
        assert await Later(service).asked(300) == []


async def test_silence_reaches_beyond_the_case(service: Service) -> None:
    """Also where it was asked for only after closing; the history says why nothing was asked."""
    chat = Chat(service)
    async with running(service, chat.on_turn):
        case = await closed(service, chat)
        await chat.say("chup")
        assert await Later(service).asked(300) == []
    assert await history(service, case) == ["@watched"]


async def test_a_new_case_ends_the_questions_about_the_old_one(service: Service) -> None:
    chat = Chat(service)
    async with running(service, chat.on_turn):
        await closed(service, chat)
        await chat.say("they are beating me")
        assert await Later(service).asked(1) == []


async def test_whatsapp_is_not_written_to_when_it_would_not_arrive(service: Service) -> None:
    """Its rule is 24 hours since the person's last words; the history says why nothing was asked."""
    chat = Chat(service)
    async with running(service, chat.on_turn):
        case = await closed(service, chat)
        await service.db["cases"].update_one({"_id": case.id}, {"$set": {"channel": "whatsapp"}})
        assert await Later(service).asked(2) == []
    assert await history(service, case) == ["@window_over"]


async def test_consent_is_asked_by_a_responder_and_kept_with_its_time(service: Service) -> None:
    """One question; the tap is kept though the bot stays silent; a watched phone is not asked."""
    chat = Chat(service)
    async with running(service, chat.on_turn):
        turn, _ = await chat.say("they locked us in the factory")
        case = await service.cases.get(turn.conversation.open_case)
        assert case
        respond: Respond = service.respond
        case = await respond.claim(case, "asha")
        case = await respond.ask_consent(case, "asha")
        rows = await service.outbox.since(case.conversation_id, "")
        assert rows[-1][2]["message_id"] == "waiting.consent"
        _, said = await chat.say("", "q:consent_yes")
        await chat.say("", "q:here")
        watched = await service.cases.get(case.id)
        assert watched
        await respond.ask_consent(watched, "asha")
        assert len(await service.outbox.since(case.conversation_id, "")) == len(rows)
    assert said == ()
    [told] = [item for item in await service.cases.told(case.id) if item.slot == "consent"]
    assert (told.value.reveal(), abs(told.at - utc_now()) < timedelta(minutes=1)) == ("yes", True)


def test_nobody_without_a_followed_case_is_taken_for_answering() -> None:
    assert follow.answer(Conversation("c" * 64), "q:reached_yes", "") is None
    open_again = Conversation("c" * 64, open_case="k2", followed_case="k1", unanswered=True)
    assert follow.answer(open_again, "", "yes") is None


async def test_who_agreed_is_asked_on_whatsapp_too_behind_a_greeting(service: Service) -> None:
    """After a yes the question is queued though the window is closed; without a greeting to send it is dropped."""
    chat = Chat(service)
    async with running(service, chat.on_turn):
        case = await closed(service, chat)
        later = Later(service, can_greet=True)
        assert await later.asked(0.1) == ["waiting.reached"]
        await chat.say("", "q:reached_yes")
        await chat.say("", "q:again_yes")
        await service.db["cases"].update_one({"_id": case.id}, {"$set": {"channel": "whatsapp"}})
        assert await later.asked(5) == ["waiting.follow"]
        mute = Later(service)
        mute.now = later.now
        assert await mute.asked(20) == []
    assert "@window_over" in await history(service, case)
