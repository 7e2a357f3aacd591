"""Reaching a person: words for what they told, consent, the 24 hours of WhatsApp, a record that it is safe, a machine."""

from __future__ import annotations

from datetime import timedelta

import pytest

from bot.console.facts import ANSWERS, IN_WORDS, why_not
from bot.content.model import Content
from bot.dialogue.follow import AGAIN, REACHED
from bot.dialogue.waiting import SLOTS, TAPS
from bot.domain.contact import Template, read_templates
from bot.service.first import First
from bot.service.interpret import Interpreter
from tests.console.conftest import Site, site  # noqa: F401 - the fixture
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
        lambda: service.content,
        service.now,
        service.wake_delivery.set,
        read_templates(",".join(templates)),
    )
    return str(row["conversation"])


async def test_a_closed_window_offers_templates_and_only_where_it_is_safe(site: Site) -> None:  # noqa: F811
    """No free words; a template is refused without a record, goes out with a reason or a record, and once."""
    case = await open_case(site)
    asha = await site.login("asha")
    await asha.act(case, "claim")
    conversation = await on_whatsapp(site, case, "hello:en", "answer:hi")
    before = len(await site.service.outbox.since(conversation, ""))
    _, page = await asha.get(f"/console/cases/{case}")
    assert 'id="reply"' not in page and "Only an approved message" in page
    assert 'value="hello:en"' in page and 'value="answer:hi"' not in page
    status, page = await asha.act(case, "reply", text="are you there?", key="k1")
    assert status == 409 and "takes no words of our own" in page and "are you there?" in page
    status, page = await asha.act(case, "template", template="hello:en", key="k2")
    assert status == 409 and "nothing says that it is safe" in page
    assert (await asha.act(case, "template", template="other:en", key="k3"))[0] == 409
    assert len(await site.service.outbox.since(conversation, "")) == before
    for _ in range(2):
        await asha.act(case, "template", template="hello:en", key="k4", override="her aunt phoned: she waits for us")
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
