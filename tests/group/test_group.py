"""Work from the Telegram group: buttons, links, a topic for each claimed case, one history on both sides."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from bot.app import utc_now
from bot.chat import Chat
from bot.config import Config
from bot.domain.cases import Case, MergedFor
from bot.domain.messages import Carrier, InboundMessage, Media
from bot.domain.private import Private
from bot.domain.topics import TopicState
from tests.forum import GROUP, MOVED_TO, FakeForum, in_group, private
from tests.group.conftest import ASHA, BINA, DISTRESS, STRANGER, Team, settings, until

pytestmark = pytest.mark.timeout(90)
RACES = 200


# --- pages and buttons


async def test_a_page_has_buttons_and_no_words_of_the_person(team: Team) -> None:
    """Case number, kind and a link stand in the general topic; button ids are short; no words, no phone number."""
    case = await team.opens()
    await until(lambda: team.forum.pages)
    (page,) = team.forum.pages
    assert team.forum.buttons(page) == {"Claim": f"g:c:{case}", "Call": f"g:p:{case}", "Escalate": f"g:e:{case}"}
    assert case in page["text"] and f"/console/cases/{case}" in page["text"]
    assert "locked" not in page["text"] and "112" not in page["text"]
    assert "message_thread_id" not in page
    assert not team.forum.threads


async def test_a_claim_is_the_responders_and_the_page_says_so(team: Team) -> None:
    """The history names the linked account; the other who presses hears who has it; the buttons go."""
    case = await team.opens()
    await until(lambda: team.forum.pages)
    assert (await team.presses(ASHA, f"g:c:{case}"))["text"] == "The case is yours."
    assert (await team.case(case)).owner == "asha"
    assert "asha" in (await team.presses(BINA, f"g:c:{case}"))["text"]
    await until(lambda: team.forum.edits)
    (edit,) = team.forum.edits
    assert int(edit["message_id"]) == team.forum.pages[0]["message_id"]
    assert "asha" in edit["text"] and "reply_markup" not in edit
    claims = [event.who for event in await team.service.cases.history(case) if event.action == "claim"]
    assert claims == ["asha"]


async def test_a_claim_in_the_console_is_shown_in_the_group(team: Team) -> None:
    case = await team.opens()
    await until(lambda: team.forum.pages)
    browser = await team.site.login("bina")
    await browser.act(case, "claim")
    await browser.session.close()
    await until(lambda: team.forum.edits)
    assert "bina" in team.forum.edits[0]["text"]
    assert "bina" in (await team.presses(ASHA, f"g:c:{case}"))["text"]


async def test_call_shows_numbers_to_the_one_who_pressed(team: Team) -> None:
    """As an answer to the press alone, from the content; nothing is written into the group."""
    case = await team.opens()
    answer = await team.presses(ASHA, f"g:p:{case}")
    assert "112" in answer["text"] and "1098" in answer["text"] and len(answer["text"]) <= 200
    assert answer["show_alert"] == "true"
    assert all("1098" not in fields["text"] for fields in team.forum.general)


async def test_escalate_climbs_one_rung_now(team: Team) -> None:
    """Once for the same rung, with who and how in the history; a page follows."""
    case = await team.opens()
    await until(lambda: team.forum.pages)
    await team.presses(BINA, f"g:e:{case}")
    assert (await team.case(case)).escalations == 1
    (climbed,) = [event for event in await team.service.cases.history(case) if event.action == "escalate"]
    assert climbed.who == "bina" and climbed.detail.reveal().startswith("@rung 1 · telegram")
    await until(lambda: len(team.forum.pages) == 2)
    await team.presses(ASHA, f"g:c:{case}")
    assert "asha" in (await team.presses(BINA, f"g:e:{case}"))["text"]
    assert (await team.case(case)).escalations == 1
    await until(lambda: len(team.forum.edits) == 2)


async def test_strangers_and_disabled_accounts_have_no_rights(team: Team) -> None:
    """A neutral answer, no change; from the moment an account is disabled, or unlinked, it is a stranger's."""
    case = await team.opens()
    neutral = (await team.presses(STRANGER, f"g:c:{case}"))["text"]
    assert case not in neutral and (await team.case(case)).owner is None
    browser = await team.site.login("root")
    await browser.post("/console/people/bina/disable", csrf=await browser.token())
    assert (await team.presses(BINA, f"g:c:{case}"))["text"] == neutral
    await browser.post("/console/telegram/asha/unlink", csrf=await browser.token())
    assert (await team.presses(ASHA, f"g:c:{case}"))["text"] == neutral
    await browser.session.close()
    assert (await team.case(case)).owner is None


async def test_who_has_many_cases_presses_twice(team: Team) -> None:
    case = await team.opens()
    now = utc_now()
    for number in range(team.service.config.cases_each):
        row = {"_id": f"other{number}", "conversation": f"other{number}", "open": True, "kind": "report", "priority": 3}
        row |= {"state": "active", "risk_kind": "report", "reason": "", "locale": "en", "channel": "terminal"}
        row |= {"opened_at": now, "waiting_since": now, "updated_at": now, "owner": "asha", "version": 1}
        await team.service.db["cases"].insert_one(row)
    assert "once more" in (await team.presses(ASHA, f"g:c:{case}"))["text"]
    assert (await team.case(case)).owner is None
    assert (await team.presses(ASHA, f"g:c:{case}"))["text"] == "The case is yours."


@pytest.mark.timeout(240)
async def test_one_in_telegram_and_one_in_the_console_two_hundred_times(team: Team) -> None:
    """Exactly one owner each time; the loser of the two is told."""
    few = asyncio.Semaphore(10)
    now = utc_now()
    rows = [
        {
            "_id": f"case{number}", "conversation": f"person{number}", "open": True, "kind": "distress",
            "state": "paged", "risk_kind": "distress_help", "reason": "phrase:made_up", "locale": "en",
            "channel": "terminal", "opened_at": now, "waiting_since": now, "updated_at": now, "alerted_at": now,
            "priority": 0, "owner": None, "silent": True, "version": 1, "escalate_at": None,
        }
        for number in range(RACES)
    ]  # fmt: skip
    await team.service.db["cases"].insert_many(rows)

    browser = await team.site.login("bina")
    token = await browser.token()

    async def in_console(case: Case) -> bool:
        await asyncio.sleep(random.uniform(0, 0.4))  # the group's way is the longer one
        status, page = await browser.post(f"/console/cases/{case.id}/claim", csrf=token, anyway="yes")
        assert status == 200 or (status == 409 and "asha" in page)
        return status == 200

    async def race(number: int) -> str:
        case = await team.case(f"case{number}")
        async with few:
            won, told = await asyncio.gather(in_console(case), team.presses(ASHA, f"g:c:{case.id}"))
        owner = (await team.case(case.id)).owner
        claims = [event.who for event in await team.service.cases.history(case.id) if event.action == "claim"]
        assert claims == [owner]
        if won:
            assert (owner, told["text"]) == ("bina", "This case is with bina.")
        else:
            assert (owner, told["text"]) == ("asha", "The case is yours.")
        return owner or ""

    assert team.service.group.desk
    team.service.group.desk._presses._most = RACES + 1
    team.service.group.inbox._patience = 20.0
    winners = Counter([owner for batch in range(0, RACES, 20) for owner in await asyncio.gather(
        *(race(number) for number in range(batch, batch + 20)))])  # fmt: skip
    assert winners.total() == RACES
    assert set(winners) == {"asha", "bina"}
    await browser.session.close()


# --- links


async def test_a_code_works_once_and_ten_minutes(team: Team) -> None:
    """A wrong, used or old code links nobody; a newer one voids the older; another shape is a person's message."""
    linking = team.service.group.linking
    old = await linking.code("sudha")
    new = await linking.code("sudha")
    assert "not valid" in await team.tells(STRANGER, f"/link {old}")
    assert "sudha" in await team.tells(STRANGER, f"/link {new}")
    assert "not valid" in await team.tells(8000, f"/link {new}")
    await linking.code("asha")
    await team.service.db["link_codes"].update_many({}, {"$set": {"expires_at": utc_now() - timedelta(seconds=1)}})
    assert "sudha" in await team.tells(STRANGER, "/unlink")
    assert "No account" in await team.tells(STRANGER, "/unlink")
    before = await team.service.db["inbox"].count_documents({})
    assert await team.post(private(next(team.updates), STRANGER, "/link help me they locked me in")) == 200
    await asyncio.sleep(0.3)
    assert await team.service.db["inbox"].count_documents({}) == before + 1


async def test_no_telegram_id_and_no_code_is_kept_in_clear(team: Team) -> None:
    await team.service.group.linking.code("sudha")
    for name in ("telegram_links", "link_codes", "group_inbox"):
        rows = str(await team.service.db[name].find({}).to_list())
        assert str(ASHA) not in rows


async def test_the_administrator_sees_who_is_linked(team: Team) -> None:
    root, asha = await team.site.login("root"), await team.site.login("asha")
    _, page = await root.get("/console/telegram")
    assert "asha" in page and "bina" in page
    _, page = await asha.get("/console/telegram")
    assert "bina" not in page and "linked since" in page
    await asha.post("/console/telegram/unlink", csrf=await asha.token())
    _, page = await root.get("/console/telegram")
    assert "asha" not in page
    for browser in (root, asha):
        await browser.session.close()


# --- topics


async def test_a_claim_opens_a_topic_with_what_was_said(team: Team) -> None:
    """Its name is number and kind; what was said before stands in it, and what the person says next follows, in order."""
    case = await team.claimed()
    topic = team.forum.one()
    assert topic.name.startswith(case) and "locked" not in topic.name
    await until(lambda: any(DISTRESS in text for text in topic.said))
    await team.site.chat.say("I am in the blue house")
    await team.site.chat.say("near the mill")
    await until(lambda: any("mill" in text for text in topic.said))
    told = "\n".join(topic.said)
    assert told.index(DISTRESS) < told.index("blue house") < told.index("near the mill")
    assert told.count("blue house") == 1


async def test_both_sides_see_one_history(team: Team) -> None:
    """What the owner writes in the topic goes to the person once and stands in the console; the console's in the topic."""
    case = await team.claimed()
    number = await team.writes(ASHA, "I read you. Where are you?")
    await until(lambda: number in team.forum.marked)
    browser = await team.site.login("asha")
    await browser.act(case, "reply", text="Written in the console", key="k1")
    await browser.act(case, "note", text="A note from the console", key="k2")
    topic = team.forum.one()
    await until(lambda: any("A note from the console" in text for text in topic.said))
    told = "\n".join(topic.said)
    assert "asha: Written in the console" in told
    assert "Where are you?" not in told
    await until(lambda: len(team.service.terminal.sent) >= 2)
    assert await team.to_person() == ["I read you. Where are you?", "Written in the console"]
    _, page = await browser.get(f"/console/cases/{case}")
    assert "Where are you?" in page
    await browser.session.close()


async def test_only_the_owner_reaches_the_person(team: Team) -> None:
    """Not a colleague (who is told), not a stranger (who is not), not a hidden administrator, not another topic."""
    await team.claimed()
    thread = team.forum.number()
    topic = team.forum.one()
    await team.writes(BINA, "from a colleague")
    await until(lambda: any("with asha" in text for text in topic.said))
    await team.writes(ASHA, "hidden", sender_chat={"id": GROUP, "type": "supergroup", "title": "team"})
    await until(lambda: any("anonymous" in text for text in topic.said))
    await team.writes(STRANGER, "from a stranger")
    await team.writes(ASHA, "in another topic", thread=thread + 50)
    await team.writes(ASHA, "", photo=[{"file_id": "f", "file_unique_id": "u", "width": 1, "height": 1}])
    await team.writes(ASHA, "the words")
    await until(lambda: any(message.author == "asha" for _, message in team.service.terminal.sent))
    assert await team.to_person() == ["the words"]


async def test_a_picture_of_the_owner_is_not_sent_and_an_edit_is_told(team: Team) -> None:
    await team.claimed()
    topic = team.forum.one()
    number = next(team.updates)
    message = {**in_group(team.forum.number(), number), "from": {"id": ASHA, "is_bot": False, "first_name": "x"}}
    photo = [{"file_id": "f", "file_unique_id": "u", "width": 1, "height": 1}]
    await team.post({"update_id": number, "message": {**message, "photo": photo}})
    await until(lambda: any("Only words" in text for text in topic.said))
    await team.post({"update_id": number + 1, "edited_message": {**message, "text": "x", "edit_date": 1}})
    await until(lambda: any("first wrote" in text for text in topic.said))
    assert await team.to_person() == []


async def test_a_redelivered_update_is_done_once(team: Team) -> None:
    await team.claimed()
    update = {
        "update_id": 5, "message": {**in_group(team.forum.number(), 5), "from": {"id": ASHA, "is_bot": False,
        "first_name": "x"}, "text": "only once"},
    }  # fmt: skip
    for _ in range(3):
        assert await team.post(update) == 200
    await until(lambda: 5 in team.forum.marked)
    await asyncio.sleep(0.5)
    assert await team.to_person() == ["only once"]


async def test_a_responders_words_are_never_a_persons(team: Team) -> None:
    """Danger words in a topic or in the general one open no case and never reach inbox or NLU."""
    await team.claimed()
    cases = await team.service.db["cases"].count_documents({})
    heard = await team.service.db["inbox"].count_documents({})
    number = await team.writes(ASHA, "help me, bachao, they locked me in")
    await team.post({"update_id": number + 9, "message": {**in_group(0), "from": {"id": ASHA, "is_bot": False,
                     "first_name": "x"}, "text": "bachao"}})  # fmt: skip
    await until(lambda: number in team.forum.marked)
    assert await team.service.db["cases"].count_documents({}) == cases
    assert await team.service.db["inbox"].count_documents({}) == heard


async def test_in_silence_words_leave_only_after_a_yes(team: Team) -> None:
    """Once, by their writer; a no drops them."""
    case = await team.claimed()
    await team.service.db["cases"].update_one({"_id": case}, {"$set": {"silent": True}, "$inc": {"version": 1}})

    async def asked(text: str) -> tuple[str, str, int]:
        await team.writes(ASHA, text)
        await until(lambda: len(questions()) > 0 and questions()[-1]["text"].startswith("Not sent yet"))
        question = questions()[-1]
        team.forum.calls.clear()
        buttons = team.forum.buttons(question)
        return buttons["Send it"], buttons["Do not send"], team.forum.next_id - 1

    def questions() -> list[dict[str, Any]]:
        return [fields for method, fields in team.forum.calls if method == "sendMessage" and "reply_markup" in fields]

    team.forum.calls.clear()
    yes, _, message = await asked("Send these")
    assert await team.to_person() == []
    assert "not work" in (await team.presses(BINA, yes, message))["text"]
    assert (await team.presses(ASHA, yes, message))["text"] == "Sent."
    await team.presses(ASHA, yes, message)
    _, no, message = await asked("Not these")
    assert (await team.presses(ASHA, no, message))["text"] == "Not sent."
    await until(lambda: any(item.author == "asha" for _, item in team.service.terminal.sent))
    await asyncio.sleep(0.5)
    assert await team.to_person() == ["Send these"]


async def test_whatsapp_takes_nothing_after_its_window(team: Team) -> None:
    case = await team.claimed()
    await team.service.db["cases"].update_one({"_id": case}, {"$set": {"channel": "whatsapp"}})
    old = utc_now() - timedelta(hours=25)
    await team.service.db["inbox"].update_many({}, {"$set": {"received_at": old}})
    await team.writes(ASHA, "too late")
    await until(lambda: any("24 hours" in text for text in team.forum.one().said))
    assert await team.to_person() == []


async def test_nobody_is_written_to_first_from_the_group(team: Team) -> None:
    """After 24 hours of silence the console asks for a second person; with a record the words leave as before."""
    case = await team.claimed()
    old = utc_now() - timedelta(hours=25)
    await team.service.db["inbox"].update_many({}, {"$set": {"received_at": old, "sent_at": old}})
    await team.writes(ASHA, "are you well?")
    await until(lambda: any("a second person must agree" in text for text in team.forum.one().said))
    assert await team.to_person() == []
    now = utc_now()
    await team.service.cases.write_down(case, "safe_contact", Private("evenings"), "asha", now)
    await team.writes(ASHA, "good evening")
    await until(lambda: any(item.author == "asha" for _, item in team.service.terminal.sent))
    assert await team.to_person() == ["good evening"]


async def test_both_people_of_a_merged_case_are_heard_and_answered_by_number(team: Team) -> None:
    """Each line says whose it is; words without a number reach nobody, so that no one reads another's."""
    case = await team.claimed()
    other = Chat(team.service)
    other._turns = team.site.chat._turns
    turn, _ = await other.say("they locked me in a room, help me")
    kept = await team.case(case)
    await team.service.merging.merge(
        await team.case(turn.conversation.open_case), kept, "asha", MergedFor.EVENT, "one house", "m1"
    )
    await other.say("there is blood on the floor")
    topic = team.forum.one()
    await until(lambda: any("Person 2: there is blood" in said for said in topic.said))
    await team.site.chat.say("I hear somebody crying")
    await until(lambda: any("Person 1: I hear somebody crying" in said for said in topic.said))
    before = await team.to_person()
    await team.writes(ASHA, "where are you?")
    await until(lambda: "/2" in topic.said[-1])
    await team.writes(ASHA, "/2 where are you?")
    await until(lambda: any(m.text.reveal() == "where are you?" for _, m in team.service.terminal.sent))
    to, _ = next(item for item in team.service.terminal.sent if item[1].text.reveal() == "where are you?")
    assert to == other._address
    assert len(await team.to_person()) == len(before) + 1


async def test_numbers_are_of_those_who_stand_in_the_topic(team: Team) -> None:
    """Merged in another order than they were opened; and words that wait for a yes go to nobody else after a split."""
    case = await team.claimed()
    chats, cases = [], []
    for _ in range(2):
        chats.append(Chat(team.service))
        chats[-1]._turns = team.site.chat._turns
        turn, _ = await chats[-1].say("they locked me in a room, help me")
        cases.append(turn.conversation.open_case)
    for name in reversed(cases):
        kept = await team.case(case)
        await team.service.merging.merge(await team.case(name), kept, "asha", MergedFor.EVENT, "one house", name)
    topic = team.forum.one()
    await chats[1].say("there is blood on the floor")
    await until(lambda: any("Person 2: there is blood" in said for said in topic.said))
    await team.writes(ASHA, "/2 where are you?")
    await until(lambda: any(m.text.reveal() == "where are you?" for _, m in team.service.terminal.sent))
    to, _ = next(item for item in team.service.terminal.sent if item[1].text.reveal() == "where are you?")
    assert to == chats[1]._address

    await team.service.db["cases"].update_one({"_id": cases[0]}, {"$set": {"silent": True}})
    await team.writes(ASHA, "/3 only for the third")
    await until(lambda: any("reply_markup" in fields and "Not sent yet" in fields["text"] for _, fields in sends(team)))
    question = [fields for _, fields in sends(team) if "Not sent yet" in fields["text"]][-1]
    await team.service.merging.split(await team.case(cases[0]), "asha", "not the same", "s1")
    sent = await team.to_person()
    assert (await team.presses(ASHA, team.forum.buttons(question)["Send it"]))["text"] == "Not sent."
    await asyncio.sleep(0.5)
    assert await team.to_person() == sent


def sends(team: Team) -> list[tuple[str, dict[str, Any]]]:
    return [(method, fields) for method, fields in team.forum.calls if method == "sendMessage"]


async def test_commands(team: Team) -> None:
    """A note stays inside; transfer gives the case to a colleague who goes on in the same topic; release closes it."""
    case = await team.claimed()
    topic = team.forum.one()
    await team.writes(ASHA, "/note@made_up_bot she sounds calm")
    await team.writes(ASHA, "/dance")
    await until(lambda: any("Commands are" in text for text in topic.said))
    await team.writes(ASHA, "/transfer @nobody")
    await until(lambda: any("login @nobody" in text for text in topic.said))
    await team.writes(ASHA, "/transfer @bina her language")
    await until(lambda: any("given to" in text for text in topic.said))
    assert (await team.case(case)).owner == "bina"
    await team.writes(BINA, "/release")
    await until(lambda: not topic.open)
    history = [
        (event.who, event.action.value, event.detail.reveal()) for event in await team.service.cases.history(case)
    ]
    assert ("asha", "note", "she sounds calm") in history
    assert ("asha", "transfer", "bina · her language") in history
    assert any(event[:2] == ("bina", "release") for event in history)
    assert await team.to_person() == []
    assert (await team.presses(BINA, f"g:c:{case}"))["text"] == "The case is yours."
    await until(lambda: topic.open)


async def test_a_closed_case_leaves_nothing_on_telegram(team: Team) -> None:
    """The topic is closed with the case and deleted with all its messages after the time set."""
    case = await team.claimed()
    topic = team.forum.one()
    await team.writes(ASHA, "/close she is with her family")
    await until(lambda: not topic.open)
    assert (await team.case(case)).state == "closed"
    assert any("with her family" in text for text in topic.said)
    past = utc_now() - timedelta(seconds=1)
    (row,) = await team.service.db["topics"].find({}).to_list()
    assert timedelta(hours=23) < row["delete_at"] - utc_now() <= timedelta(hours=24)
    await team.service.db["topics"].update_many({}, {"$set": {"delete_at": past}})
    await until(lambda: not team.forum.threads)
    await asyncio.sleep(0.2)
    assert await team.service.db["topic_posts"].count_documents({}) == 0


async def test_done_gives_the_conversation_back(team: Team) -> None:
    case = await team.claimed()
    await team.writes(ASHA, "/done Safe, told where to go")
    await until(lambda: not team.forum.one().open)
    row = await team.service.db["cases"].find_one({"_id": case})
    assert row and row["outcome"] == "safe"
    assert [event.who for event in await team.service.cases.history(case) if event.action == "hand_back"] == ["asha"]


async def test_pictures_and_voice_are_named_only(team: Team) -> None:
    await team.claimed()
    chat = team.site.chat
    for number, (carrier, mime) in enumerate(((Carrier.VOICE, "audio/ogg"), (Carrier.IMAGE, "image/jpeg"))):
        now = utc_now()
        media = Media(Private(f"secret-file-{number}"), mime)
        await team.service.receiver.receive(
            InboundMessage(f"m{number}", chat._address, carrier, Private(""), now, now, media=media)
        )
    await until(lambda: any("picture: open it in the console" in text for text in team.forum.one().said))
    told = "\n".join(team.forum.one().said)
    assert "voice message: open it in the console" in told and "secret-file" not in told
    assert not [method for method, _ in team.forum.calls if method in {"sendPhoto", "sendVoice", "sendDocument"}]


async def test_what_did_not_arrive_is_told(team: Team) -> None:
    await team.claimed()
    await team.writes(ASHA, "will be lost")
    await until(lambda: any(message.author == "asha" for _, message in team.service.terminal.sent))
    async with asyncio.timeout(15):
        while await team.service.db["outbox"].count_documents({"open": True}):
            await asyncio.sleep(0.02)
    await team.service.db["outbox"].update_many({"author": "responder"}, {"$set": {"state": "failed"}})
    await team.site.chat.say("hello")
    await until(lambda: any("did not arrive" in text for text in team.forum.one().said))


async def test_a_flood_is_bundled_and_nothing_is_lost(team: Team) -> None:
    """Sixty messages while the group takes 20 a minute: all told, in order, within what it takes."""
    team.forum.per_minute = 20
    await team.claimed()
    for number in range(60):
        await team.site.chat.say(f"word {number}.")
    await until(lambda: any("word 59." in text for text in team.forum.one().said), 80)
    told = "\n".join(team.forum.one().said)
    places = [told.index(f"word {number}.") for number in range(60)]
    assert places == sorted(places)
    assert team.forum.too_many == 0


async def test_a_limit_is_waited_for(team: Team) -> None:
    """429 with retry_after: the words come later, and none is lost."""
    await team.claimed()
    await until(lambda: any(DISTRESS in text for text in team.forum.one().said))
    answer = {"ok": False, "error_code": 429, "description": "Too Many Requests", "parameters": {"retry_after": 2}}
    team.forum.answers = [(429, answer)]
    await team.site.chat.say("after the limit")
    await until(lambda: any("after the limit" in text for text in team.forum.one().said), 30)


# --- what goes wrong


async def alerts(team: Team) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = await team.service.db["alerts"].find({"kind": "group_broken"}).to_list()
    return found


@pytest.mark.parametrize(
    ("method", "says", "why"),
    [
        ("createForumTopic", "Bad Request: the chat is not a forum", "no_forum"),
        ("createForumTopic", "Bad Request: not enough rights to create a topic", "no_rights"),
        ("removed", "", "removed"),
    ],
)
async def test_a_group_that_cannot_is_told_once_and_the_console_goes_on(
    team: Team, method: str, says: str, why: str
) -> None:
    case = await team.opens()
    await until(lambda: team.forum.pages)
    team.forum.denied[method] = says
    await team.presses(ASHA, f"g:c:{case}")
    deadline = asyncio.get_running_loop().time() + 15
    while not await alerts(team):
        assert asyncio.get_running_loop().time() < deadline
        await asyncio.sleep(0.05)
    team.service.group.topics.try_again()  # type: ignore[union-attr]
    await asyncio.sleep(1.5)
    (alert,) = await alerts(team)
    assert alert["values"]["why"] == why
    browser = await team.site.login("asha")
    await browser.act(case, "reply", text="from the console", key="k")
    await until(lambda: any(message.author == "asha" for _, message in team.service.terminal.sent))
    root = await team.site.login("root")
    _, page = await root.get("/console/telegram")
    assert "cannot be used since" in page
    team.forum.denied.clear()
    team.service.group.topics.try_again()  # type: ignore[union-attr]
    await until(lambda: team.forum.threads and any("from the console" in text for text in team.forum.one().said))
    _, page = await root.get("/console/telegram")
    assert "cannot be used since" not in page
    await root.session.close()
    await browser.session.close()


async def test_a_deleted_topic_leaves_its_case_to_the_console(team: Team) -> None:
    await team.claimed()
    await until(lambda: any(DISTRESS in text for text in team.forum.one().said))
    team.forum.threads.clear()
    await team.site.chat.say("are you there")
    deadline = asyncio.get_running_loop().time() + 15
    while not await alerts(team):
        assert asyncio.get_running_loop().time() < deadline
        await asyncio.sleep(0.05)
    await asyncio.sleep(1.5)
    assert [row["values"]["why"] for row in await alerts(team)] == ["gone"]
    assert not team.forum.threads
    (topic,) = await team.service.group.store.all()
    assert topic.state is TopicState.GONE


async def test_a_group_that_moved_is_followed(team: Team) -> None:
    """Pages, topics and presses go on under the new id, also after a restart."""
    team.forum.group = MOVED_TO
    case = await team.opens()
    await until(lambda: team.forum.pages)
    assert team.forum.pages[-1]["chat_id"] == str(MOVED_TO)
    assert team.service.group.place.chat() == str(MOVED_TO)
    number = next(team.updates)
    query = {"id": f"q{number}", "from": {"id": ASHA, "is_bot": False, "first_name": "x"}, "chat_instance": "c",
             "data": f"g:c:{case}", "message": {**in_group(0, 1, MOVED_TO), "text": "page"}}  # fmt: skip
    await team.post({"update_id": number, "callback_query": query})
    await until(lambda: team.forum.threads)
    state = await team.service.group.store.group(str(GROUP))
    assert state.chat == str(MOVED_TO)


async def test_while_the_database_is_silent_the_writer_is_told(team: Team) -> None:
    """Persons do not wait behind it: the update is acknowledged at once."""
    await team.claimed()
    command = {"configureFailPoint": "failCommand", "mode": {"times": 1}}
    data = {"failCommands": ["insert"], "namespace": f"{team.service.config.mongodb_name}.group_inbox",
            "blockConnection": True, "blockTimeMS": 1500}  # fmt: skip
    await team.service.db.client.admin.command({**command, "data": data})
    await team.writes(ASHA, "not kept")
    await until(lambda: any("may not have been taken" in text for text in team.forum.one().said))


# --- switched off


@pytest_asyncio.fixture
async def plain(tmp_path: Path, database: str, forum: FakeForum) -> AsyncIterator[Config]:
    yield settings(tmp_path, database, forum, TELEGRAM_TOPICS=False)


def test_topics_are_off_unless_switched_on() -> None:
    assert Config().telegram_topics is False


class TestOff:
    """With the switch off Telegram gets numbers and buttons, never words."""

    @pytest_asyncio.fixture
    async def config(self, plain: Config) -> Config:
        return plain

    async def test_no_word_of_a_case_leaves(self, team: Team) -> None:
        case = await team.opens()
        assert (await team.presses(ASHA, f"g:c:{case}"))["text"] == "The case is yours."
        await team.site.chat.say("I am in the blue house")
        await until(lambda: team.forum.edits)
        await asyncio.sleep(1.5)
        assert not team.forum.threads
        out = str(team.forum.calls)
        assert "locked" not in out and "blue house" not in out


async def test_switching_off_takes_topics_away(team: Team, tmp_path: Path, mongodb_uri: str) -> None:
    await team.claimed()
    team.service.group.topics._on = False  # type: ignore[union-attr]
    await until(lambda: not team.forum.one().open)
