"""A case that somebody has and does not attend to: who is paged, when it goes back, and what the person hears."""

from __future__ import annotations

import re

import pytest

from bot.app import Service, open_service
from bot.chat import Chat
from bot.config import Config
from bot.domain.attending import CLOCK, Duty, Patience
from bot.domain.cases import Case, CaseAction, CaseState
from bot.domain.messages import ChannelName
from bot.ports import NotOwner, Responder
from bot.running import running
from bot.service.attend import Attendance
from bot.store.clock import boot_seconds

DISTRESS = "please help me, they locked me in a room"
LEFT = "The helper has left the chat."


class Later:
    """The steady time of a service, which the test moves on."""

    def __init__(self, service: Service) -> None:
        self._begun, self._seconds = boot_seconds(), 0.0
        service.steady._seconds = lambda: self._begun + self._seconds

    def goes_on(self, seconds: float) -> None:
        self._seconds += seconds


async def staffed(service: Service) -> None:
    for name, role in {"asha": "responder", "bina": "responder", "sudha": "supervisor"}.items():
        await service.responders.save(Responder(name, name.title(), role, "x"))
    await service.oncall.refresh()


async def claimed(service: Service, chat: Chat, first: str = DISTRESS) -> Case:
    """A case of somebody in danger that asha has taken."""
    async with running(service, chat.on_turn):
        await chat.say("", "l:en")
        await chat.say(first)
    (case,) = await service.cases.queue()
    return await service.respond.claim(case, "asha")


async def says(service: Service, chat: Chat, text: str, choice: str = "") -> None:
    async with running(service, chat.on_turn):
        await chat.say(text, choice)
    await service.attendance.look()


async def now(service: Service, case: Case) -> Case:
    found = await service.cases.get(case.id)
    assert found
    return found


async def did(service: Service, case: Case) -> list[tuple[str, str, str]]:
    """The lines of history since the claim: who, what, why."""
    history = await service.cases.history(case.id)
    last = max(event.number for event in history if event.action is CaseAction.CLAIM)
    return [(event.who, event.action.value, event.detail.reveal()) for event in history[last:]]


async def paged(service: Service, case: Case) -> list[tuple[str, str]]:
    """Whom the pages since the first are for, and what they say is owed."""
    rows = service.db["alerts"].find({"case": case.id, "channel": "console"}).sort("created_at", 1)
    found = [(",".join(row["to"]), row["values"].get("duty", "")) async for row in rows]
    return found[1:]


async def told(service: Service, case: Case) -> list[str]:
    lines = await service.cases.transcript(case.conversation_id)
    return [line.text.reveal() for line in lines if line.who == "bot"]


async def test_who_takes_a_case_and_says_nothing_loses_it(service: Service) -> None:
    """Five minutes: the owner is paged; two more: the supervisors; two more: back to the queue, and the person knows."""
    await staffed(service)
    case, later = await claimed(service, Chat(service)), Later(service)
    assert await service.attendance.look() == 0
    assert (await now(service, case)).duty == Duty.FIRST
    for seconds, rings in ((299, 0), (2, 1), (0, 0), (119, 0), (2, 1), (119, 0)):
        later.goes_on(seconds)
        assert await service.attendance.look() == rings, seconds
        assert (await now(service, case)).owner == "asha"
    later.goes_on(2)
    assert await service.attendance.look() == 1

    freed = await now(service, case)
    assert (freed.owner, freed.state, freed.escalations, freed.duty) == (None, CaseState.PAGED, 0, "")
    assert freed.escalate_at is not None
    assert await did(service, case) == [
        (CLOCK, "remind", "@remind_owner: asha"),
        (CLOCK, "remind", "@remind_supervisors"),  # without a rota everybody is
        (CLOCK, "put_back", "@no_answer"),
    ]
    assert await paged(service, case) == [("asha", "first"), ("", "first"), ("", "")]
    assert (await told(service, case))[-1].startswith(LEFT)
    assert {"112", "1098"} <= set(re.findall(r"\d+", (await told(service, case))[-1]))
    assert await service.cases.broken_at(case.id) is None


async def test_an_answer_ends_it_until_the_person_writes_again(service: Service) -> None:
    """After the first answer nothing is owed; a later message must be opened or answered within a quarter of an hour."""
    await staffed(service)
    chat = Chat(service)
    case, later = await claimed(service, chat), Later(service)
    await service.attendance.look()
    case = await service.respond.reply(case, "asha", "I am here", "k1")
    later.goes_on(5000)
    assert await service.attendance.look() == 0

    for ended in ("read", "answered"):
        await says(service, chat, "ok thank you")
        assert (await now(service, case)).duty == Duty.SAID
        later.goes_on(899)
        assert await service.attendance.look() == 0
        if ended == "read":
            await service.cases.read_by(case.id, "bina")
            assert (await now(service, case)).duty == Duty.SAID
            await service.cases.read_by(case.id, "asha")
        else:
            await service.respond.reply(case, "asha", "thank you", "k2")
        later.goes_on(5000)
        assert await service.attendance.look() == 0
        assert (await now(service, case)).owner == "asha"

    await says(service, chat, "are you there")
    for _ in range(3):
        later.goes_on(901)
        await service.attendance.look()
    assert (await now(service, case)).owner is None
    assert (await did(service, case))[-1] == (CLOCK, "put_back", "@not_read")


async def test_opening_the_case_is_no_first_answer(service: Service) -> None:
    """The page opens by itself after a claim; a note gives five more minutes."""
    case, later = await claimed(service, Chat(service)), Later(service)
    await service.attendance.look()
    await service.cases.read_by(case.id, "asha")
    later.goes_on(299)
    assert (await now(service, case)).duty == Duty.FIRST
    await service.respond.note(case, "asha", "on the phone with the police")
    assert await service.attendance.look() == 0
    later.goes_on(299)
    assert await service.attendance.look() == 0
    later.goes_on(2)
    assert await service.attendance.look() == 1


@pytest.mark.parametrize("change", [{"silent": True}, {"stranger": True}, {"kind": "report"}, {"state": "referred"}])
async def test_nobody_is_pressed_to_write_where_it_could_harm(service: Service, change: dict[str, object]) -> None:
    """A watched phone, a stranger, a report, a case that was passed on: no first answer is owed."""
    case, later = await claimed(service, Chat(service)), Later(service)
    await service.db["cases"].update_one({"_id": case.id}, {"$set": change})
    for _ in range(4):
        later.goes_on(2000)
        assert await service.attendance.look() == 0
    assert (await now(service, case)).owner == "asha"


async def test_new_danger_pages_the_owner_then_the_supervisors(service: Service) -> None:
    """Not whoever is on call: the owner at once; if they do not look, the supervisors after a minute; then it goes back."""
    await staffed(service)
    chat = Chat(service)
    case, later = await claimed(service, chat), Later(service)
    await service.respond.reply(case, "asha", "I am here", "k1")
    await says(service, chat, "he is beating me now help me")
    assert await paged(service, case) == [("asha", "danger")]
    assert (await now(service, case)).duty == Duty.DANGER
    later.goes_on(61)
    await service.attendance.look()
    assert (await paged(service, case))[-1] == ("", "danger")
    await service.cases.read_by(case.id, "asha")
    later.goes_on(500)
    assert await service.attendance.look() == 0
    assert (await now(service, case)).owner == "asha"

    await says(service, chat, "he is beating me now help me please")
    for _ in range(2):
        later.goes_on(200)
        await service.attendance.look()
    assert (await now(service, case)).owner is None
    assert (await did(service, case))[-1] == (CLOCK, "put_back", "@danger_not_read")


async def test_a_case_that_was_passed_on_stays_where_it_is(service: Service) -> None:
    """New danger in it pages the owner and, once, the supervisors; it never goes back by itself."""
    chat = Chat(service)
    case, later = await claimed(service, chat), Later(service)
    await service.respond.refer(case, "asha", "the police")
    await says(service, chat, "he is beating me now help me")
    rings = 0
    for _ in range(5):
        later.goes_on(200)
        rings += await service.attendance.look()
    assert rings == 1
    assert (await now(service, case)).owner == "asha"


async def test_a_case_that_is_given_and_not_opened_goes_back(service: Service) -> None:
    """The new owner is paged; opening it is enough; else it is in the queue after three minutes, with a page."""
    await staffed(service)
    case, later = await claimed(service, Chat(service)), Later(service)
    case = await service.respond.transfer(case, "asha", "bina", "end of my shift")
    assert await paged(service, case) == [("bina", "given")]
    await service.cases.read_by(case.id, "bina")
    later.goes_on(181)
    await service.attendance.look()
    assert (await now(service, case)).owner == "bina"

    case = await service.respond.transfer(case, "bina", "asha", "hers after all")
    later.goes_on(181)
    assert await service.attendance.look() == 1
    assert (await now(service, case)).owner is None
    assert (await did(service, case))[-1] == (CLOCK, "put_back", "@not_opened")
    assert (await paged(service, case))[-1] == ("", "")


async def test_the_clock_outlives_the_process_and_rings_once(config: Config, mongodb_uri: str) -> None:
    """Another process goes on where the first stopped; of two that look at once, one acts."""
    async with open_service(config, mongodb_uri=mongodb_uri, nlu_url="http://127.0.0.1:9") as service:
        case = await claimed(service, Chat(service))
        await service.attendance.look()
        began = (await now(service, case)).duty_at
    async with open_service(config, mongodb_uri=mongodb_uri, nlu_url="http://127.0.0.1:9") as service:
        assert (await now(service, case)).duty_at == began
        later = Later(service)
        later.goes_on(301)
        twin = Attendance(service.cases, service.respond, service.oncall, service.now, lambda: None)
        due = await service.cases.unattended()
        for attendance in (service.attendance, twin):
            for one in due:
                await _rings(attendance, one)
        assert [line for line in await did(service, case) if line[1] == "remind"] == [
            (CLOCK, "remind", "@remind_owner: asha")
        ]


async def _rings(attendance: Attendance, case: Case) -> None:
    """As if this process had read the case before the other one acted."""
    try:
        await attendance._ring(case)
    except (ValueError, NotOwner):
        return


async def test_who_answers_as_the_clock_rings_keeps_the_case(service: Service) -> None:
    """The clock acts only on what it has read: an answer in between makes it needless."""
    case, later = await claimed(service, Chat(service)), Later(service)
    await service.attendance.look()
    for _ in range(2):
        later.goes_on(301)
        await service.attendance.look()
    later.goes_on(301)
    (due,) = await service.cases.unattended()
    await service.respond.reply(case, "asha", "I am here", "k1")
    with pytest.raises(ValueError, match="put_back"):
        await service.attendance._ring(due)
    assert (await now(service, case)).owner == "asha"
    assert not any(LEFT in text for text in await told(service, case))


async def test_a_supervisor_takes_over_or_puts_back(service: Service) -> None:
    """With a reason in the history; not if it went to somebody else meanwhile."""
    case = await claimed(service, Chat(service))
    taken = await service.respond.take_over(case, "sudha", "she is ill")
    assert taken.owner == "sudha"
    for act in (service.respond.take_over, service.respond.put_back):
        with pytest.raises(NotOwner):
            await act(case, "bina", "from an old page")
    back = await service.respond.put_back(taken, "bina", "nobody is here")
    assert (back.owner, back.state) == (None, CaseState.PAGED)
    assert await did(service, case) == [
        ("sudha", "take_over", "asha · she is ill"),
        ("bina", "put_back", "nobody is here"),
    ]


async def test_after_a_release_the_bot_looks_after_the_person_again(service: Service) -> None:
    """They hear that the helper has left and whom to phone; what they write next is answered, and asks what is useful."""
    chat = Chat(service)
    case = await claimed(service, chat)
    await service.respond.release(case, "asha", "end of my shift")
    assert (await told(service, case))[-1].startswith(LEFT)
    conversation = await service.conversations.load(case.conversation_id, ChannelName.TERMINAL)
    assert not conversation.claimed and conversation.held
    before = len(await told(service, case))
    await says(service, chat, "", "q:safe_yes")
    assert len(await told(service, case)) == before + 1
    assert (await now(service, case)).unread == 1


async def test_a_watched_phone_hears_nothing_of_a_release(service: Service) -> None:
    case = await claimed(service, Chat(service))
    await service.db["cases"].update_one({"_id": case.id}, {"$set": {"silent": True}})
    await service.respond.release(await now(service, case), "asha", "end of my shift")
    assert not any(LEFT in text for text in await told(service, case))


async def test_a_report_that_is_put_back_leaves_the_bot_free(service: Service) -> None:
    """Who told of a recruiter can go on asking; who is in danger is looked after whatever the case began as."""
    chat = Chat(service)
    async with running(service, chat.on_turn):
        await chat.say("", "l:en")
        await chat.say("", "c:report_recruiter")
    (case,) = await service.cases.queue()
    assert not case.held
    taken = await service.respond.claim(case, "asha")
    assert taken.held
    assert not (await service.respond.release(taken, "asha", "x")).held


def test_the_owners_clock_is_read_from_one_line() -> None:
    assert Patience.read("300,900,60,180,120") == Patience()
    for wrong in ("300", "300,900,60,180,0", "a,b,c,d,e", ""):
        with pytest.raises(ValueError, match=r".+"):
            Patience.read(wrong)
