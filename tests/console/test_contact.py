"""Reaching a person: words for what they told, consent, the 24 hours of WhatsApp, a record that it is safe, a machine."""

from __future__ import annotations

import asyncio
import json
from datetime import timedelta

import pytest

from bot.console.facts import ANSWERS, IN_WORDS, why_not
from bot.content.model import Content
from bot.dialogue.follow import AGAIN, REACHED
from bot.dialogue.waiting import SLOTS, TAPS
from bot.domain.cases import CaseAction
from bot.domain.contact import Template, read_templates
from bot.service.first import First
from bot.service.interpret import Interpreter
from tests.console.conftest import Browser, Site, site  # noqa: F401 - the fixture
from tests.console.test_console import open_case

OLD = timedelta(hours=25)


class Machine:
    """A translation machine that keeps what it was given."""

    def __init__(self, answer: str = "in English") -> None:
        self.answer = answer
        self.given: list[tuple[str, str, str]] = []

    async def translate(self, text: str, source: str, target: str) -> str:
        self.given.append((text, source, target))
        return self.answer


def test_every_answer_of_ours_has_words_in_both_languages(content: Content) -> None:
    """A new tap without words would show its id to a responder."""
    taps = [*TAPS.values(), *({"reached": value} for value in REACHED.values())]
    taps += [{"follow_up": value} for value in AGAIN.values()]
    assert {(slot, value) for tap in taps for slot, value in tap.items()} <= {
        (slot, value) for slot, values in ANSWERS.items() for value in values
    }
    assert set(SLOTS.values()) <= ANSWERS.keys() | IN_WORDS
    for lang in ("en", "hi"):
        words = content.messages[lang]
        assert {f"console.told.{slot}" for slot in (*ANSWERS, *IN_WORDS)} <= set(words)
        keys = {f"console.told.{slot}.{value.replace(' ', '_')}" for slot, found in ANSWERS.items() for value in found}
        assert keys <= set(words)


async def test_what_the_person_told_stands_in_words(site: Site) -> None:  # noqa: F811
    """Labels and our answers in the responder's language; taps show what was tapped; no ids anywhere."""
    case = await open_case(site)
    for choice in ("q:safe_yes", "q:child"):
        await site.chat.say("", choice)
    asha = await site.login("asha")
    _, page = await asha.get(f"/console/cases/{case}")
    assert "Can write now?" in page and "Who is with them" in page and "a child" in page
    assert "I can write" in page
    for raw in ("safe_to_talk", "with_whom", "q:safe_yes", "phrase:"):
        assert raw not in page
    await asha.post("/console/language", csrf=await asha.token(), lang="hi")
    _, page = await asha.get(f"/console/cases/{case}")
    assert "साथ में कौन है" in page and "एक बच्चा" in page
    await asha.session.close()


async def test_consent_is_asked_by_a_button_with_the_duty_where_a_child_may_be_the_victim(site: Site) -> None:  # noqa: F811
    """Not asked → asked → yes, each in the page and the history; asked twice by one form it goes out once."""
    turn, _ = await site.chat.say("help, I am 15 and they locked me in a room")
    case = turn.conversation.open_case
    asha = await site.login("asha")
    await asha.act(case, "claim")
    _, page = await asha.get(f"/console/cases/{case}")
    assert "not asked yet" in page and "the police must be told" in page
    for _ in range(2):
        await asha.act(case, "consent", key="c1")
    rows = await site.service.outbox.since(turn.conversation.id, "")
    assert [row[2]["message_id"] for row in rows][-2:] == ["waiting.duty", "waiting.consent"]
    _, page = await asha.get(f"/console/cases/{case}")
    assert "asked, no answer yet" in page and "asked for consent" in page
    await site.chat.say("", "q:consent_yes")
    _, page = await asha.get(f"/console/cases/{case}")
    assert '<span id="consent-state">yes</span>' in page
    await asha.session.close()


async def consented(site: Site, case: str) -> str:  # noqa: F811
    told = {item.slot: item.value.reveal() for item in await site.service.cases.told(case)}
    return told.get("consent", "")


async def asked_for_consent(site: Site, browser: Browser, case: str, key: str) -> None:  # noqa: F811
    """Ask, and wait until the question has left us."""
    await browser.act(case, "consent", key=key)
    row = await site.service.db["cases"].find_one({"_id": case})
    assert row
    async with asyncio.timeout(10):
        while await site.service.db["outbox"].count_documents({"conversation": row["conversation"], "open": True}):
            await asyncio.sleep(0.02)


async def test_a_typed_yes_to_the_question_of_consent_is_kept_like_the_tap(site: Site) -> None:  # noqa: F811
    """Only as the very next message, and only a clear one; it stands in the conversation all the same."""
    turn, _ = await site.chat.say("help, I am 15 and they locked me in a room")
    case = turn.conversation.open_case
    asha = await site.login("asha")
    await asha.act(case, "claim")
    await site.chat.say("yes")
    assert await consented(site, case) == ""
    await asked_for_consent(site, asha, case, "c1")
    await site.chat.say("Haan!")
    assert await consented(site, case) == "yes"
    _, page = await asha.get(f"/console/cases/{case}")
    assert '<span id="consent-state">yes</span>' in page and "Haan!" in page
    event = (await site.service.cases.history(case))[-1]
    assert (event.who, event.action, event.detail.reveal()) == ("person", CaseAction.TELL, "consent: yes")
    for number, words in enumerate(("ok", "yes but not to my father", "hello", "1"), 2):
        await asked_for_consent(site, asha, case, f"c{number}")
        await site.chat.say(words)
        await site.chat.say("no")
        assert await consented(site, case) == "yes", words
        _, page = await asha.get(f"/console/cases/{case}")
        assert "asked, no answer yet" in page and words in page
    await asked_for_consent(site, asha, case, "c7")
    await asha.act(case, "reply", text="Are you at the station now?", key="r1")
    await site.chat.say("no")
    assert await consented(site, case) == "yes"
    await asked_for_consent(site, asha, case, "c8")
    await site.chat.say("they are beating me")
    assert (await site.service.cases.history(case))[-1].action is CaseAction.RAISE
    await asked_for_consent(site, asha, case, "c9")
    await site.chat.say("नहीं")
    assert await consented(site, case) == "no"
    await asha.session.close()


async def test_a_yes_typed_before_the_question_left_us_is_no_consent(site: Site) -> None:  # noqa: F811
    """It may answer anything else: while the question waits to be sent, or by a message that was long on its way."""
    case = await open_case(site)
    asha = await site.login("asha")
    await asha.act(case, "claim")
    for key, fields in (
        ("c1", {"state": "waiting"}), ("c2", {"state": "unknown"}),
        ("c3", {"sending_at": site.service.now() + timedelta(minutes=1)}),
        ("c4", {"sending_at": site.service.now() - timedelta(hours=7)}),
    ):  # fmt: skip
        await asked_for_consent(site, asha, case, key)
        question = await site.service.db["outbox"].find_one({}, sort=[("_id", -1)])
        assert question
        await site.service.db["outbox"].update_one({"_id": question["_id"]}, {"$set": fields})
        await site.chat.say("yes")
        assert await consented(site, case) == "", key
    await asha.session.close()


async def on_whatsapp(site: Site, case: str, *templates: str) -> str:  # noqa: F811
    """Make it a WhatsApp case whose person last wrote 25 hours ago; return the conversation."""
    service = site.service
    await service.db["cases"].update_one({"_id": case}, {"$set": {"channel": "whatsapp"}})
    row = await service.db["cases"].find_one({"_id": case})
    assert row
    then = service.now() - OLD
    await service.db["inbox"].update_many(
        {"conversation": row["conversation"]}, {"$set": {"received_at": then, "sent_at": then}}
    )
    service.first = First(
        service.cases,
        service.approvals,
        service.audit,
        lambda: service.content,
        service.now,
        service.wake_delivery.set,
        read_templates(",".join(templates)),
    )
    return str(row["conversation"])


async def test_a_closed_window_offers_templates_and_only_where_it_is_safe(site: Site) -> None:  # noqa: F811
    """No free words; a template is refused without a record, goes out with a second person's yes or a record, once."""
    case = await open_case(site)
    asha = await site.login("asha")
    await asha.act(case, "claim")
    conversation = await on_whatsapp(site, case, "hello:en", "answer:hi")
    before = len(await site.service.outbox.since(conversation, ""))
    _, page = await asha.get(f"/console/cases/{case}")
    assert 'id="reply"' not in page and "Only an approved message" in page
    assert 'id="first"' in page and "hello:en" not in page
    status, page = await asha.act(case, "reply", text="are you there?", key="k1")
    assert status == 409 and "takes no words of our own" in page and "are you there?" in page
    status, page = await asha.act(case, "template", template="hello:en", key="k2")
    assert status == 409 and "nothing says that it is safe" in page
    assert (await asha.act(case, "template", template="other:en", key="k3"))[0] == 409
    assert len(await site.service.outbox.since(conversation, "")) == before
    await agreed(site, asha, case, "her aunt phoned: she waits for us")
    _, page = await asha.get(f"/console/cases/{case}")
    assert 'value="hello:en"' in page and 'value="answer:hi"' not in page
    for _ in range(2):
        assert (await asha.act(case, "template", template="hello:en", key="k4"))[0] == 200
    rows = await site.service.outbox.since(conversation, "")
    assert [(row[2]["template"], row[2]["locale"]) for row in rows[before:]] == [("hello", "en")]
    assert rows[-1][2]["text"] == site.service.content.words("en", "waiting.first.hello")
    _, page = await asha.get(f"/console/cases/{case}")
    assert "her aunt phoned" in page
    await asha.act(case, "contact", text="by phone on 3 May: evenings, writes alone")
    await asha.act(case, "template", template="hello:en", key="k5")
    assert len(await site.service.outbox.since(conversation, "")) == before + 2
    _, page = await asha.get(f"/console/cases/{case}")
    assert "They may be written to:" in page and "evenings, writes alone" in page
    await site.chat.say("", "q:safe_no")
    await on_whatsapp(site, case, "hello:en")
    assert (await asha.act(case, "template", template="hello:en", key="k6"))[0] == 409
    assert await site.service.cases.broken_at(case) is None
    await asha.session.close()


async def agreed(site: Site, browser: Browser, case: str, reason: str) -> str:  # noqa: F811
    """Ask to write first, and let Sudha say yes; return the request."""
    await browser.act(case, "first", text=reason)
    request = (await site.service.approvals.of_case(case))[0].id
    sudha = await site.login("sudha")
    await sudha.post(f"/console/requests/{request}/approve", csrf=await sudha.token(), text="")
    await sudha.session.close()
    return request


async def gone_quiet(site: Site, case: str) -> str:  # noqa: F811
    """Let the person last have written 25 hours ago, on a channel that takes our words; return the conversation."""
    row = await site.service.db["cases"].find_one({"_id": case})
    assert row
    then = site.service.now() - OLD
    mine = {"conversation": row["conversation"]}
    await site.service.db["inbox"].update_many(mine, {"$set": {"received_at": then, "sent_at": then}})
    return str(row["conversation"])


async def state_of(site: Site, request: str) -> str:  # noqa: F811
    found = await site.service.approvals.get(request)
    assert found
    return found.state.value


async def said_by_us(site: Site, conversation: str) -> list[str]:  # noqa: F811
    rows = await site.service.outbox.since(conversation, "")
    return [row[2]["text"] for row in rows if row[2]["author"] == "asha"]


async def test_no_first_message_leaves_without_a_second_person(site: Site) -> None:  # noqa: F811
    """Ask, approve, send once; a typed reason alone, a forged field, oneself, a stranger's yes: nothing leaves."""
    case = await open_case(site)
    asha, bina, sudha = [await site.login(name) for name in ("asha", "bina", "sudha")]
    await asha.act(case, "claim")
    conversation = await gone_quiet(site, case)
    _, page = await asha.get(f"/console/cases/{case}")
    assert 'id="first"' in page and 'id="reply"' not in page and 'data-how="needs"' in page
    status, page = await asha.act(case, "reply", text="are you well?", key="k1", override="her aunt phoned")
    assert status == 409 and "ask a second person" in page and "are you well?" in page
    assert "Somebody else" in (await bina.act(case, "first", text="I want to"))[1]
    assert "reason is needed" in (await asha.act(case, "first", text=" "))[1]
    assert 'data-how="waits"' in (await asha.act(case, "first", text="her aunt phoned <b>"))[1]
    assert "asked for this already" in (await asha.act(case, "first", text="again"))[1]
    request = (await site.service.approvals.of_case(case))[0].id
    decide = f"/console/requests/{request}/approve"
    assert (await asha.post(decide, csrf=await asha.token()))[0] == 403
    assert (await asha.act(case, "reply", text="are you well?", key="k2"))[0] == 409
    _, page = await sudha.get("/console/requests")
    assert "her aunt phoned &lt;b&gt;" in page and "Read the case before you decide" in page
    await sudha.post(decide, csrf=await sudha.token(), text="yes, I know the aunt")
    ways = json.loads((await asha.get(f"/console/cases/{case}/live.json"))[1])["ways"]
    assert ways == {case: "agreed"}
    assert 'id="reply"' in (await asha.get(f"/console/cases/{case}"))[1]
    assert await said_by_us(site, conversation) == []
    results = await asyncio.gather(*(asha.act(case, "reply", text="are you well?", key="k3") for _ in range(3)))
    assert [status for status, _ in results] == [200, 200, 200]
    status, page = await asha.act(case, "reply", text="one more", key="k4")
    assert status == 409 and "nothing says that it is safe" in page
    assert await said_by_us(site, conversation) == ["are you well?"]
    history = await site.service.cases.history(case)
    line = next(event for event in history if event.action is CaseAction.OVERRIDE)
    assert (line.who, line.detail.reveal()) == ("asha", "contact: sudha · her aunt phoned <b>")
    assert [event.action.value for event in history[-4:]] == ["ask", "grant", "override", "reply"]
    assert "sudha · her aunt phoned &lt;b&gt;" in (await asha.get(f"/console/cases/{case}"))[1]
    lines = {entry["action"]: entry for entry in await site.service.audit.latest() if entry["about"] == case}
    assert lines["contact used"]["who"] == "asha" and lines["contact used"]["extra"]["second"] == "sudha"
    assert lines["contact used"]["extra"]["which"] == request
    assert {"contact asked for", "contact approved", "contact refused", "reply refused"} <= lines.keys()
    assert "aunt" not in str(lines)
    assert await site.service.cases.broken_at(case) is None and await site.service.audit.verify()
    for browser in (asha, bina, sudha):
        await browser.session.close()


async def test_of_two_messages_at_once_one_yes_lets_one_out(site: Site) -> None:  # noqa: F811
    """Two tabs, two forms: the yes is used up in the step that writes."""
    case = await open_case(site)
    asha = await site.login("asha")
    await asha.act(case, "claim")
    conversation = await gone_quiet(site, case)
    await agreed(site, asha, case, "her aunt phoned")
    done = await asyncio.gather(*(asha.act(case, "reply", text=f"words {key}", key=f"k{key}") for key in range(4)))
    assert sorted(status for status, _ in done) == [200, 409, 409, 409]
    assert len(await said_by_us(site, conversation)) == 1
    await asha.session.close()


async def test_a_yes_is_for_who_asked_and_in_its_time(site: Site) -> None:  # noqa: F811
    """It does not go along with the case, nor outlive its hour, and a no lets nothing out; asking again is possible."""
    case = await open_case(site)
    asha, bina, sudha = [await site.login(name) for name in ("asha", "bina", "sudha")]
    await asha.act(case, "claim")
    conversation = await gone_quiet(site, case)
    request = await agreed(site, asha, case, "her aunt phoned")
    await asha.act(case, "transfer", to="bina", text="my shift ends")
    assert (await bina.act(case, "reply", text="hello", key="b1"))[0] == 409
    assert (await asha.act(case, "reply", text="hello", key="a1"))[0] == 409
    await bina.act(case, "transfer", to="asha", text="back")
    past = site.service.now() - timedelta(minutes=60)
    fields = {"decided_at": past, "until": site.service.now()}
    await site.service.db["approvals"].update_one({"_id": request}, {"$set": fields})
    assert (await asha.act(case, "reply", text="hello", key="a2"))[0] == 409
    await site.service.custody.end_over()
    assert await state_of(site, request) == "ended"
    await asha.act(case, "first", text="again")
    other = (await site.service.approvals.of_case(case))[0].id
    assert other != request
    await sudha.post(f"/console/requests/{other}/refuse", csrf=await sudha.token(), text="too soon")
    assert (await asha.act(case, "reply", text="hello", key="a3"))[0] == 409
    assert (await site.service.outbox.since(conversation, ""))[-1][2]["author"] == "bot"
    for browser in (asha, bina, sudha):
        await browser.session.close()


async def test_a_supervisor_with_a_case_needs_another_one(site: Site) -> None:  # noqa: F811
    case = await open_case(site)
    sudha = await site.login("sudha")
    await sudha.act(case, "claim")
    await gone_quiet(site, case)
    request = await agreed(site, sudha, case, "her aunt phoned")
    assert await state_of(site, request) == "waiting"
    assert (await sudha.act(case, "reply", text="hello", key="k"))[0] == 409
    await sudha.session.close()


async def test_who_is_writing_now_is_answered_and_a_yes_is_kept(site: Site) -> None:  # noqa: F811
    """Free as before; what was approved is not used up by it."""
    case = await open_case(site)
    asha = await site.login("asha")
    await asha.act(case, "claim")
    await gone_quiet(site, case)
    request = await agreed(site, asha, case, "her aunt phoned")
    await site.chat.say("I am here")
    for key in ("k1", "k2"):
        assert (await asha.act(case, "reply", text=f"I read you {key}", key=key))[0] == 200
    assert await state_of(site, request) == "approved"
    await gone_quiet(site, case)
    await asha.act(case, "contact", text="by phone: evenings")
    assert (await asha.act(case, "reply", text="good evening", key="k3"))[0] == 200
    assert await state_of(site, request) == "approved"
    await asha.session.close()


async def test_the_window_opens_again_when_the_person_writes(site: Site) -> None:  # noqa: F811
    case = await open_case(site)
    asha = await site.login("asha")
    await asha.act(case, "claim")
    await on_whatsapp(site, case)
    assert "WHATSAPP_TEMPLATES" in (await asha.get(f"/console/cases/{case}"))[1]
    await site.chat.say("I am here")
    assert 'id="reply"' in (await asha.get(f"/console/cases/{case}"))[1]
    await asha.session.close()


@pytest.mark.parametrize(
    ("error", "state", "key"),
    [
        ("whatsapp:131047", "failed", "131047"), ("channel:131026", "failed", "131026"), ("channel:132001", "failed", "template"),
        ("whatsapp:190", "failed", "account"), ("telegram:403", "failed", "gone"), ("whatsapp:connect", "waiting", "later"),
        ("the person asked for silence", "dropped", "silence"), ("channel:None", "failed", "other"), ("whatsapp:connect", "sent", ""),
    ],
)  # fmt: skip
def test_what_went_wrong_is_said_in_words(content: Content, error: str, state: str, key: str) -> None:
    assert why_not(error, state) == key
    for lang in ("en", "hi"):
        assert not key or f"console.send.why.{key}" in content.messages[lang]


async def test_a_failed_send_says_why_on_the_message(site: Site) -> None:  # noqa: F811
    case = await open_case(site)
    asha = await site.login("asha")
    await site.service.db["outbox"].update_many({}, {"$set": {"state": "failed", "error": "channel:131026"}})
    assert "WhatsApp cannot reach this number" in (await asha.get(f"/console/cases/{case}"))[1]
    await asha.session.close()


def test_templates_are_read_and_nonsense_is_refused() -> None:
    assert read_templates("hello:hi, answer:en") == (Template("hello", "hi"), Template("answer", "en"))
    assert read_templates("") == ()
    for text in ("hello", "Hello:hi", "hello:", "he llo:hi"):
        with pytest.raises(ValueError, match="name:locale"):
            read_templates(text)


async def test_no_machine_sees_a_case_unless_it_is_switched_on(site: Site) -> None:  # noqa: F811
    """Off: no button and no route. On: only the line that was asked for; a draft is not sent by itself."""
    case = await open_case(site)
    asha = await site.login("asha")
    await asha.act(case, "claim")
    found = await site.service.cases.get(case)
    assert found
    lines = await site.service.cases.transcript(found.conversation_id)
    line = next(item for item in lines if "locked" in item.text.reveal())
    assert "Machine translation" not in (await asha.get(f"/console/cases/{case}"))[1]
    assert (await asha.act(case, "translate", line=line.id))[0] == 404
    machine = Machine()
    site.service.interpreter = Interpreter(machine)
    assert "Machine translation" in (await asha.get(f"/console/cases/{case}"))[1]
    assert machine.given == []
    assert (await asha.act(case, "translate", line=line.id))[1] == '{"text": "in English"}'
    assert (await asha.act(case, "translate", line="of another case"))[0] == 404
    sent = len(await site.service.outbox.since(found.conversation_id, ""))
    await asha.act(case, "translate", text="Stay where you are, call 112")
    assert machine.given == [(line.text.reveal(), "auto", "en"), ("Stay where you are, call 112", "en", "en")]
    assert len(await site.service.outbox.since(found.conversation_id, "")) == sent
    machine.answer = ""
    assert (await asha.act(case, "translate", line=line.id))[1] == '{"text": ""}'
    assert "machine translation" in [entry["action"] for entry in await site.service.audit.latest()]
    await asha.session.close()


async def test_a_watched_phone_is_written_to_only_by_who_says_that_they_know(site: Site) -> None:  # noqa: F811
    """The page was drawn before "he is here": the server refuses, keeps what was typed, and asks."""
    case = await open_case(site)
    asha = await site.login("asha")
    await asha.act(case, "claim")
    turn, _ = await site.chat.say("he is here")
    assert turn.conversation.silent
    before = len(await site.service.outbox.since(turn.conversation.id, ""))
    status, page = await asha.act(case, "reply", text="are you alone now?", key="k1")
    assert status == 409 and "may be watched" in page and "are you alone now?" in page
    assert (await asha.act(case, "consent", key="k2"))[0] == 409
    assert len(await site.service.outbox.since(turn.conversation.id, "")) == before
    _, page = await asha.get(f"/console/cases/{case}/live.json")
    assert json.loads(page)["quiet"] == [case]
    assert (await asha.act(case, "reply", text="are you alone now?", key="k1", aware="yes"))[0] == 200
    assert len(await site.service.outbox.since(turn.conversation.id, "")) == before + 1
    await asha.session.close()
