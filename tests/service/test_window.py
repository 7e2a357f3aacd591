"""WhatsApp's 24 hours over the whole service: what leaves, what waits, who is told, and who agreed to a greeting."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator

import pytest

from bot.config import Config
from bot.domain.cases import Case, CaseAction
from bot.service.window import GREETED, WAITS
from tests.cloud import DAY, DISTRESS, Cloud, cloud, until


@pytest.fixture
async def whatsapp(config: Config, mongodb_uri: str) -> AsyncIterator[Cloud]:
    async with cloud(config, mongodb_uri, whatsapp_template="hello") as found:
        yield found


async def told(whatsapp: Cloud, case: Case) -> list[str]:
    """What the channel has told the responder."""
    events = await whatsapp.service.cases.history(case.id)
    return [event.detail.reveal() for event in events if event.action is CaseAction.TELL and event.who == "channel"]


async def claimed(whatsapp: Cloud, *, ago: float = 0, agreed: bool = False) -> Case:
    """A case whose person wrote *ago* seconds before now, in a responder's hands."""
    await whatsapp.tap("l:en")
    await whatsapp.say(DISTRESS)
    case = await whatsapp.service.respond.claim(await whatsapp.case(), "asha")
    if agreed:
        case = await whatsapp.service.respond.ask_to_write(case, "asha")
        await whatsapp.settled()
        await whatsapp.tap("q:may_yes")
    await whatsapp.settled()
    await silence(whatsapp, ago)
    whatsapp.platform.calls.clear()
    return case


async def silence(whatsapp: Cloud, ago: float) -> None:
    """Let the person's last message lie *ago* seconds back, and what was sent with it."""
    rows = whatsapp.service.db
    back = {"$subtract": ["$heard_at", int(ago * 1000)]}
    await rows["conversations"].update_many({}, [{"$set": {"heard_at": back}}])
    await rows["outbox"].update_many({}, [{"$set": {"created_at": {"$subtract": ["$created_at", int(ago * 1000)]}}}])


async def reply(whatsapp: Cloud, case: Case, text: str) -> None:
    await whatsapp.service.respond.reply(case, "asha", text, f"key {text}")
    await whatsapp.settled()


async def test_the_window_counts_from_what_the_person_wrote_by_the_channels_clock(whatsapp: Cloud) -> None:
    """Neither our answers nor reports nor notices nor a removed message move it; a message that comes late is late."""
    await whatsapp.say("hello", ago=3600)

    async def heard() -> float:
        row = await whatsapp.service.db["conversations"].find_one({})
        assert row
        return float(time.time() - row["heard_at"].timestamp())

    assert abs(await heard() - 3600) < 10
    call = whatsapp.platform.calls[0]
    status = {"id": call["wamid"], "status": "read", "timestamp": str(int(time.time()))}
    assert (
        await whatsapp.post(statuses=({**status, "biz_opaque_callback_data": call["biz_opaque_callback_data"]},)) == 200
    )
    await whatsapp.take(whatsapp.item("revoke", {"original_message_id": "wamid.in0"}))
    await whatsapp.take(whatsapp.item("system", {"type": "customer_identity_changed"}))
    assert abs(await heard() - 3600) < 20
    await whatsapp.say("older", ago=7200)
    assert abs(await heard() - 3600) < 30
    await whatsapp.say("newer")
    assert await heard() < 20


async def test_outside_the_window_a_responders_words_wait_for_the_person(whatsapp: Cloud) -> None:
    """Not one call is made; the history says so; they leave, in order, once the person writes."""
    case = await claimed(whatsapp, ago=DAY + 60)
    await reply(whatsapp, case, "are you there")
    await reply(whatsapp, case, "write when you can")
    assert whatsapp.words() == []
    assert await whatsapp.states("responder") == ["held", "held"]
    assert await told(whatsapp, case) == [WAITS, WAITS]
    await whatsapp.say("yes")
    await whatsapp.settled()
    assert whatsapp.words() == ["are you there", "write when you can"]
    assert await whatsapp.states("responder") == ["sent", "sent"]


async def test_whoever_agreed_gets_one_greeting(whatsapp: Cloud) -> None:
    """The approved template in the person's language, once until they write again, whatever more is said."""
    case = await claimed(whatsapp, ago=DAY + 60, agreed=True)
    await reply(whatsapp, case, "one")
    await reply(whatsapp, case, "two")
    assert whatsapp.words() == ["template hello en"]
    assert await told(whatsapp, case) == [GREETED, GREETED]
    await whatsapp.say("here I am")
    await whatsapp.settled()
    assert whatsapp.words() == ["template hello en", "one", "two"]


async def test_stop_takes_the_yes_back(whatsapp: Cloud) -> None:
    """In any language; and while somebody may be watching nothing is sent either."""
    case = await claimed(whatsapp, agreed=True)
    await whatsapp.say("मैसेज बंद करो")
    await silence(whatsapp, DAY + 60)
    await reply(whatsapp, case, "one")
    assert not [words for words in whatsapp.words() if words.startswith("template")]
    assert (await told(whatsapp, case))[-1] == WAITS


async def test_a_watched_phone_is_not_greeted_nor_written_to(whatsapp: Cloud) -> None:
    case = await claimed(whatsapp, agreed=True)
    await whatsapp.tap("q:here")
    await silence(whatsapp, DAY + 60)
    whatsapp.platform.calls.clear()
    await reply(whatsapp, case, "one")
    assert (await told(whatsapp, case))[-1] == WAITS
    await whatsapp.say("nothing")
    assert whatsapp.words() == []
    assert await whatsapp.states("responder") == ["held"]


async def test_the_answer_to_the_question_is_kept_and_can_be_no(whatsapp: Cloud) -> None:
    case = await claimed(whatsapp, agreed=True)
    answers = {item.slot: item.value.reveal() for item in await whatsapp.service.cases.told(case.id)}
    assert answers["write_later"] == "yes"
    await whatsapp.tap("q:may_no")
    assert any("only after you have written" in words for words in whatsapp.words())
    await silence(whatsapp, DAY + 60)
    whatsapp.platform.calls.clear()
    await reply(whatsapp, case, "one")
    assert whatsapp.words() == []


async def test_what_the_bot_had_to_say_is_out_of_date_by_then(whatsapp: Cloud) -> None:
    """An answer to a question of the day before is not sent a day late to somebody who wants no greeting."""
    await whatsapp.say("hello", ago=2 * DAY)
    assert whatsapp.words() == []
    assert set(await whatsapp.states("bot")) == {"failed"}


async def test_the_platform_may_know_better(whatsapp: Cloud) -> None:
    """D5: 131047 though we thought it open: one try, no loop, and the responder is told within five seconds."""
    case = await claimed(whatsapp)
    whatsapp.platform.answers.append((400, {"error": {"code": 131047}}))
    began = time.monotonic()
    await reply(whatsapp, case, "are you there")
    assert time.monotonic() - began < 5
    assert await whatsapp.states("responder") == ["held"]
    assert await told(whatsapp, case) == [WAITS]
    await asyncio.sleep(1)
    assert whatsapp.words() == ["are you there"]
    await whatsapp.say("yes")
    await whatsapp.settled()
    assert whatsapp.words() == ["are you there"] * 2


async def failed(whatsapp: Cloud, code: int) -> None:
    """The platform took the last message and gives it up afterwards."""
    call = whatsapp.platform.calls[-1]
    status = {
        "id": call["wamid"], "status": "failed", "timestamp": str(int(time.time())), "errors": [{"code": code}],
        "biz_opaque_callback_data": call["biz_opaque_callback_data"],
    }  # fmt: skip
    assert await whatsapp.post(statuses=(status,)) == 200


async def test_a_closed_window_is_often_told_only_afterwards(whatsapp: Cloud) -> None:
    """Accepted, then failed with 131047: kept for the person like any other, never sent again before."""
    case = await claimed(whatsapp)
    await reply(whatsapp, case, "are you there")
    await failed(whatsapp, 131047)

    async def held() -> bool:
        return await whatsapp.states("responder") == ["held"]

    await until(held)
    assert await told(whatsapp, case) == [WAITS]
    assert whatsapp.words() == ["are you there"]
    await whatsapp.say("yes")
    await whatsapp.settled()
    assert whatsapp.words() == ["are you there"] * 2


async def test_what_does_not_arrive_is_counted_in_the_case(whatsapp: Cloud) -> None:
    """D6: 131026, afterwards or at once: one attempt, then none until they write; the case says so; no other channel."""
    case = await claimed(whatsapp)
    await reply(whatsapp, case, "one")
    await failed(whatsapp, 131026)
    await reply(whatsapp, case, "two")
    assert whatsapp.words() == ["one"]
    await whatsapp.say("yes")
    whatsapp.platform.answers.append((400, {"error": {"code": 131026}}))
    for words in ("three", "four"):
        await reply(whatsapp, case, words)
    assert await whatsapp.states("responder") == ["failed"] * 4
    found = await whatsapp.service.cases.get(case.id)
    assert found and found.undelivered == 4
    assert whatsapp.words() == ["one", "three"]


async def test_what_failed_for_a_passing_reason_goes_again(whatsapp: Cloud) -> None:
    """Accepted, then failed with 131000: once more under the same id, ten seconds later; never without an end."""
    case = await claimed(whatsapp)
    await reply(whatsapp, case, "one")
    await failed(whatsapp, 131000)
    row = await whatsapp.service.db["outbox"].find_one({"author": "responder"})
    assert row and (row["state"], row["open"]) == ("waiting", True)
    await whatsapp.service.db["outbox"].update_one({"_id": row["_id"]}, {"$set": {"attempts": 5, "state": "sent"}})
    await failed(whatsapp, 131000)
    assert await whatsapp.states("responder") == ["failed"]
