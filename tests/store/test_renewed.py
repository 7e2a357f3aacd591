"""Danger that is told while a case is open: the gravest of it is what the case is about, and pages and sorts as such."""

from __future__ import annotations

import pytest

from bot.app import Service
from bot.chat import Chat
from bot.dialogue.safety import DISTRESS
from bot.domain.cases import Case, CaseAction
from bot.domain.risk import GRAVITY, gravest
from bot.domain.rota import Skill, Wanted
from bot.running import running

STRANDED = "we are stranded at the station without money"
WORSE = {"distress_sexual": "he raped me", "distress_self_harm": "I want to kill myself"}


async def told(service: Service, *words: str) -> Case:
    """Tell all of it in one conversation; return its case."""
    chat = Chat(service)
    async with running(service, chat.on_turn):
        await chat.say("", "l:en")
        for said in words:
            turn, _ = await chat.say(said)
    case = await service.cases.get(turn.conversation.open_case)
    assert case
    return case


def test_every_kind_of_danger_has_its_place() -> None:
    assert set(GRAVITY) == DISTRESS
    assert gravest("report_recruiter", "distress_help") == "distress_help"
    assert gravest("distress_sexual", "distress_help") == "distress_sexual"
    assert gravest("talk_to_human", "trouble") == "talk_to_human"


@pytest.mark.parametrize("kind", WORSE)
async def test_what_is_told_second_pages_at_once_and_is_looked_at_first(service: Service, kind: str) -> None:
    """Within the minute in which the same danger would page nobody again; the lesser one stays in the history."""
    first = await told(service, STRANDED)
    case = await told(service, STRANDED, WORSE[kind])
    assert (case.risk_kind, case.reason, set(case.dangers)) == (kind, case.reason, {"distress_stranded", kind})
    assert case.reason != first.reason
    assert [found.id for found in await service.cases.queue()] == [case.id, first.id]
    reasons = [row["reason"] async for row in service.db["alerts"].find({"case": case.id, "channel": "console"})]
    assert sorted(reasons) == sorted(["distress_stranded", kind])
    raised = [event for event in await service.cases.history(case.id) if event.action is CaseAction.RAISE]
    assert [event.detail.reveal().partition(":")[0] for event in raised] == [f"distress_stranded → {kind}"]


async def test_lesser_danger_told_later_changes_nothing_and_is_written_down(service: Service) -> None:
    case = await told(service, WORSE["distress_sexual"], STRANDED, WORSE["distress_sexual"])
    assert case.risk_kind == "distress_sexual"
    assert await service.db["alerts"].count_documents({"case": case.id, "channel": "console"}) == 1
    raised = [event for event in await service.cases.history(case.id) if event.action is CaseAction.RAISE]
    assert [event.detail.reveal().partition(":")[0] for event in raised] == ["distress_stranded", "distress_sexual"]


async def test_danger_told_after_a_question_for_a_person_is_what_the_case_is_about(service: Service) -> None:
    case = await told(service, "talk to a person", STRANDED)
    assert (case.kind.value, case.risk_kind) == ("distress", "distress_stranded")


async def test_whoever_told_two_dangers_needs_the_skills_for_both(service: Service) -> None:
    case = await told(service, WORSE["distress_sexual"], WORSE["distress_self_harm"])
    assert case.risk_kind == "distress_self_harm"
    assert Wanted(risk_kind=case.risk_kind, also=case.dangers).skills == {Skill.WOMEN}
