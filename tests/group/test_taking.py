"""In a case's topic: a supervisor takes it over, and what its owner does there counts as read."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from bot.domain.attending import Duty
from tests.forum import in_group
from tests.group.conftest import ASHA, BINA, SUDHA, Team, until

pytestmark = pytest.mark.timeout(90)


async def taken_over(team: Team) -> list[tuple[str, str, str]]:
    """Return who tried to take over what, from the audit."""
    lines = await team.service.audit.find()
    return [(line["who"], line["action"], line["about"]) for line in lines if line["action"].startswith("taken over")]


async def test_a_supervisor_takes_over_for_a_reason(team: Team) -> None:
    """History and audit name both, as when it is done in the console; from then on their words reach the person."""
    await team.link("sudha", SUDHA)
    case, topic = await team.claimed(), team.forum.one()
    await team.writes(SUDHA, "/takeover")
    await until(lambda: any("give a reason" in text for text in topic.said))
    assert (await team.case(case)).owner == "asha"
    number = await team.writes(SUDHA, "/take_over@made_up_bot asha is ill")
    await until(lambda: number in team.forum.marked)
    assert (await team.case(case)).owner == "sudha"
    (event,) = [event for event in await team.service.cases.history(case) if event.action == "take_over"]
    assert (event.who, event.detail.reveal()) == ("sudha", "asha · asha is ill")
    assert await taken_over(team) == [("sudha", "taken over", case)]
    await until(lambda: any("sudha" in text and "asha is ill" in text for text in topic.said))
    await team.writes(ASHA, "are you well?")
    await until(lambda: any("with sudha" in text for text in topic.said))
    await team.writes(SUDHA, "I am here now")
    await until(lambda: "I am here now" in [m.text.reveal() for _, m in team.service.terminal.sent])
    await team.writes(SUDHA, "/takeover once more")
    await until(lambda: "The case is yours." in topic.said)


async def test_nobody_else_takes_over(team: Team) -> None:
    """A responder hears why not; the words reach nobody; an edit is no command; what nobody has is not taken over."""
    await team.link("sudha", SUDHA)
    case, topic = await team.claimed(), team.forum.one()
    await team.writes(BINA, "/takeover I am faster")
    await until(lambda: any("Only a supervisor" in text for text in topic.said))
    await team.writes(ASHA, "/takeover mine anyway")
    await until(lambda: sum("Only a supervisor" in text for text in topic.said) == 2)
    number = next(team.updates)
    edited = {**in_group(team.forum.number(), number), "from": {"id": SUDHA, "is_bot": False, "first_name": "x"}}
    await team.post({"update_id": number, "edited_message": {**edited, "text": "/takeover by an edit"}})
    await until(lambda: any("with asha" in text for text in topic.said))
    assert (await team.case(case)).owner == "asha" and await team.to_person() == []
    assert {(who, action) for who, action, _ in await taken_over(team)} == {
        ("bina", "taken over refused"), ("asha", "taken over refused"),
    }  # fmt: skip
    await team.service.respond.release(await team.case(case), "asha")
    await team.writes(SUDHA, "/takeover nobody has it")
    await until(lambda: any("Nobody has this case" in text for text in topic.said))
    assert (await team.case(case)).owner is None


async def asks_again(team: Team, case: str, words: str) -> int:
    """The person writes on, it stands in the topic; return its number there."""
    topic = team.forum.one()
    await team.site.chat.say(words)
    await until(lambda: any(words in text for text in topic.said))
    place = next(place for place, text in enumerate(topic.said) if words in text)
    row: Any = {}

    async def kept() -> bool:
        nonlocal row
        row = await team.service.db["topic_posts"].find_one({"case": case, "posts": topic.numbers[place]})
        return row is not None

    while not await kept():
        await asyncio.sleep(0.02)
    return topic.numbers[place]


async def test_a_sign_under_a_message_is_read(team: Team) -> None:
    """By the owner and up to there: another's sign, one that is taken away, and one further up leave it unread."""
    case = await team.claimed()
    await team.service.respond.reply(await team.case(case), "asha", "where are you?", "k1")
    first = await asks_again(team, case, "thank you for writing to me")
    second = await asks_again(team, case, "my name is Meera")
    found = await team.case(case)
    assert (found.unread, found.unseen) == (2, 2)
    await team.service.cases.unattended()
    assert (await team.case(case)).duty == Duty.SAID
    await team.signs(BINA, second)
    await team.signs(ASHA, second, emoji="")
    await team.signs(ASHA, first)
    await asyncio.sleep(1.0)
    found = await team.case(case)
    assert (found.unseen, found.duty) == (2, Duty.SAID)
    await team.signs(ASHA, second)
    while (await team.case(case)).unseen:
        await asyncio.sleep(0.02)
    found = await team.case(case)
    assert (found.unread, found.duty) == (2, "")
    await asks_again(team, case, "good morning")
    assert (await team.case(case)).unseen == 1


async def test_words_that_do_not_leave_are_a_sign_of_reading_too(team: Team) -> None:
    """An unknown command of the owner: nothing is sent, and what stands above it is read."""
    case = await team.claimed()
    await team.service.respond.reply(await team.case(case), "asha", "where are you?", "k1")
    await asks_again(team, case, "thank you for writing to me")
    await team.writes(BINA, "/dance")
    await until(lambda: any("with asha" in text for text in team.forum.one().said))
    assert (await team.case(case)).unseen == 1
    await team.writes(ASHA, "/dance")
    await until(lambda: any("Commands are" in text for text in team.forum.one().said))
    assert (await team.case(case)).unseen == 0
