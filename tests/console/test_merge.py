"""Merging cases: both people still reach the same responder, both histories stay whole, and it can be undone."""

from __future__ import annotations

from bot.chat import Chat
from bot.domain.cases import CaseAction, CaseState, MergedFor
from bot.service.respond import Respond
from tests.console.conftest import Site, site  # noqa: F401 - the fixture

LOCKED = "please help me, they locked me in a room"


async def second(site: Site, text: str, locale: str = "hi") -> tuple[Chat, str]:  # noqa: F811
    """Another person at another terminal, with a case of their own."""
    other = Chat(site.service)
    other._turns = site.chat._turns
    await other.say("", f"l:{locale}")
    turn, _ = await other.say(text)
    return other, turn.conversation.open_case


async def said_to(site: Site, conversation: str) -> list[str]:  # noqa: F811
    rows = await site.service.outbox.since(conversation, "")
    return [row[2]["message_id"] or row[2]["text"] for row in rows]


async def test_a_supervisor_merges_and_both_people_reach_the_same_responder(site: Site) -> None:  # noqa: F811
    """Refused without tick and reason, and to a responder; then one case, one owner, two conversations, and undone."""
    service = site.service
    turn, _ = await site.chat.say(LOCKED)
    kept = turn.conversation.open_case
    other, gone = await second(site, "my daughter is 14 and they are beating her")
    asha, sudha = await site.login("asha"), await site.login("sudha")
    await asha.act(kept, "claim")
    fields = {"other": gone, "why": "event", "text": "both name room 9", "key": "m1"}
    assert (await asha.act(kept, "merge", **fields, sure="yes"))[0] == 403
    _, page = await sudha.act(kept, "merge", **fields)
    assert "tick that you have read both" in page
    _, page = await sudha.act(kept, "merge", **{**fields, "other": kept}, sure="yes")
    assert "both must be open" in page
    await sudha.act(kept, "merge", **fields, sure="yes")
    await sudha.act(kept, "merge", **fields, sure="yes")
    one, two = await service.cases.get(kept), await service.cases.get(gone)
    assert one and two
    assert (one.owner, one.priority, one.minor, one.also) == ("asha", 0, True, (two.conversation_id,))
    assert (two.state, two.merged_into) == (CaseState.CLOSED, kept)
    assert (await said_to(site, two.conversation_id))[-1] == "case.claimed"
    again, said = await other.say("thank you for writing")
    assert (said, again.conversation.open_case, again.conversation.with_responder) == ((), kept, True)
    await asha.act(kept, "reply", text="I am Asha.", key="r1", via=gone)
    await asha.act(kept, "reply", text="Only for you.", key="r2")
    assert (await said_to(site, two.conversation_id))[-1] == "I am Asha."
    assert (await said_to(site, one.conversation_id))[-1] == "Only for you."
    _, page = await asha.get(f"/console/cases/{kept}")
    assert "thank you for writing" in page and f"({gone})" in page
    _, page = await asha.get(f"/console/cases/{gone}")
    assert f'<a href="/console/cases/{kept}">' in page
    task = (await service.task_store.of(kept))[0]
    await asha.act(kept, "tasks/finish", task=task.id, text="1098 told at ten")
    assert not (await service.task_store.of(kept))[0].open
    await sudha.act(gone, "split", text="another room 9", key="s1")
    one, two = await service.cases.get(kept), await service.cases.get(gone)
    assert one and two
    assert (one.minor, one.also, one.owner) == (False, (), "asha")
    assert (two.state, two.merged_into, two.owner) == (CaseState.PAGED, "", None)
    again, _ = await other.say("hello?")
    assert again.conversation.open_case == gone
    for name in (kept, gone):
        assert await service.cases.broken_at(name) is None
    assert {CaseAction.MERGE, CaseAction.SPLIT} <= {event.action for event in await service.cases.history(gone)}
    assert {CaseAction.JOIN, CaseAction.PART} <= {event.action for event in await service.cases.history(kept)}
    for browser in (asha, sudha):
        await browser.session.close()


async def test_the_end_reaches_both_and_each_keeps_their_own_wishes(site: Site) -> None:  # noqa: F811
    """What the second person answers is kept with their own case; their wish to be erased is not the first one's."""
    service = site.service
    respond: Respond = service.respond
    turn, _ = await site.chat.say(LOCKED)
    kept = turn.conversation.open_case
    other, gone = await second(site, "मुझे कमरे में बंद कर दिया है")
    first, one = await service.cases.get(gone), await service.cases.get(kept)
    assert first and one
    await service.merging.merge(first, one, "sudha", MergedFor.PERSON, "the same voice", "m")
    one = await respond.claim(await service.cases.get(kept) or one, "asha")
    for conversation in (one.conversation_id, first.conversation_id):
        assert (await said_to(site, conversation))[-1] == "case.claimed"
    await other.say("", "q:hurt")
    await other.say("मेरा डेटा मिटाओ")
    assert [item.slot for item in await service.cases.told(gone)][-2:] == ["hurt", "wish"]
    assert await service.cases.told(kept) == []
    one, two = await service.cases.get(kept), await service.cases.get(gone)
    assert one and two
    assert (one.erase_requested, two.erase_requested) == (False, True)
    await respond.hand_back(one, "asha", "both are out")
    for conversation in (one.conversation_id, first.conversation_id):
        assert (await said_to(site, conversation))[-1] == "case.handed_back"
    rows = {row["_id"]: row async for row in service.db["conversations"].find({})}
    assert "erase_after" in rows[first.conversation_id]
    assert "erase_after" not in rows[one.conversation_id]


async def test_the_more_urgent_of_two_decides_and_an_owner_is_kept(site: Site) -> None:  # noqa: F811
    """A report that nobody has, and a danger that somebody has: one case, as urgent as the danger, with its owner."""
    service = site.service
    await site.chat.say("", "c:report_recruiter")
    report = next(case for case in await service.cases.queue() if case.kind.value == "report")
    _, danger = await second(site, "बचाओ, मुझे मार रहे हैं")
    claimed = await service.respond.claim(await service.cases.get(danger) or report, "bina")
    done = await service.merging.merge(claimed, report, "sudha", MergedFor.PERSON, "same person", "m")
    assert (done.owner, done.priority, done.state) == ("bina", 0, CaseState.ACKNOWLEDGED)
    assert (await said_to(site, report.conversation_id))[-1] == "case.claimed"
    assert [case.id for case in await service.cases.queue()] == [report.id]
    _, missing = await second(site, "बचाओ, मुझे मार रहे हैं")
    await service.db["cases"].update_one({"_id": missing}, {"$set": {"kind": "missing", "priority": 1}})
    assert [case.id for case in await service.cases.queue()] == [report.id, missing]
    assert [life.closed for life in await service.cases.lives()] == [None, None]
    assert all(life.acknowledged for life in await service.cases.lives() if life.locale == report.locale)


async def test_cases_of_one_place_and_day_are_named(site: Site) -> None:  # noqa: F811
    """Related: same place, opened within a day of each other; a week apart they are not."""
    service = site.service
    turn, _ = await site.chat.say(LOCKED)
    case = turn.conversation.open_case
    _, other = await second(site, "बचाओ, मुझे मार रहे हैं")
    await service.db["cases"].update_many({}, {"$set": {"place": "NDLS"}})
    asha = await site.login("asha")
    _, page = await asha.get(f"/console/cases/{case}")
    assert "same place, same day" in page and other in page
    found = await service.cases.get(case)
    assert found
    await service.db["cases"].update_one({"_id": other}, {"$set": {"opened_at": service.now().replace(year=2020)}})
    assert await service.merges.near(found) == []
    await asha.session.close()


async def test_danger_merged_into_a_question_waits_as_danger_and_goes_with_it_again(site: Site) -> None:  # noqa: F811
    """Nobody has either: the clock begins anew, the kind and what was told are the graver's; undone, they are as before."""
    service = site.service
    turn, _ = await site.chat.say("", "c:person")
    question = turn.conversation.open_case
    await service.db["cases"].update_one({"_id": question}, {"$set": {"escalate_at": None, "escalations": 3}})
    _, danger = await second(site, "बचाओ, मुझे मार रहे हैं")
    was = await service.db["cases"].find_one({"_id": question}) or {}
    gone = await service.db["cases"].find_one({"_id": danger}) or {}
    first, into = await service.cases.get(danger), await service.cases.get(question)
    assert first and into
    await service.merging.merge(first, into, "sudha", MergedFor.PERSON, "same person", "m")
    row = await service.db["cases"].find_one({"_id": question}) or {}
    assert (row["kind"], row["risk_kind"], row["escalations"]) == ("distress", gone["risk_kind"], 0)
    assert row["escalate_at"] and gone["risk_kind"] in row["dangers"]
    merged = await service.cases.get(danger)
    assert merged
    await service.merging.split(merged, "sudha", "two people", "s")
    row = await service.db["cases"].find_one({"_id": question}) or {}
    assert [row[name] for name in ("kind", "risk_kind", "priority")] == [
        was[name] for name in ("kind", "risk_kind", "priority")
    ]


async def test_a_case_opened_again_goes_on_without_whoever_has_one_of_their_own(site: Site) -> None:  # noqa: F811
    """Nobody is in two open cases; and no clock of its former owner runs on."""
    service = site.service
    turn, _ = await site.chat.say(LOCKED)
    kept = turn.conversation.open_case
    other, gone = await second(site, "मुझे कमरे में बंद कर दिया है")
    first, one = await service.cases.get(gone), await service.cases.get(kept)
    assert first and one
    await service.respond.claim(first, "bina")
    await service.db["cases"].update_one({"_id": gone}, {"$set": {"duty": "first", "duty_at": service.now()}})
    await service.merging.merge(await service.cases.get(gone) or first, one, "sudha", MergedFor.EVENT, "one house", "m")
    assert (await service.db["cases"].find_one({"_id": gone}) or {})["duty"] is None
    held = await service.cases.get(kept)
    assert held
    await service.respond.close(held, held.owner or "sudha", "both are out")
    turn, _ = await other.say("बचाओ, फिर से मार रहे हैं")
    own = turn.conversation.open_case
    assert own not in {kept, gone, ""}
    closed = await service.cases.get(kept)
    assert closed
    again = await service.respond.reopen(closed, "sudha", "the brother wrote", "r")
    assert again.also == ()
    turn, _ = await other.say("यहाँ आग लगी है")
    assert turn.conversation.open_case == own
