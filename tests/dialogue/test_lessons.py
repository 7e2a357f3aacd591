"""Choosing a course, answering its questions, and ending it: each tap leads to one plain answer."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from itertools import product

import pytest

from bot.content.model import Content
from bot.dialogue import lessons
from bot.dialogue.choices import by_label, on_choice
from bot.dialogue.knowledge import Knowledge
from bot.domain.conversation import Answered, Conversation, Learn, Unlearn
from bot.domain.lessons import INDIA, next_day
from tests.conftest import NOW
from tests.dialogue.test_conversations import knowledge as knowledge

BEFORE = Conversation("c1", locale="en", notice_seen=True)


def test_a_course_is_offered_begun_once_and_ended(knowledge: Knowledge) -> None:
    offered = on_choice("c:lessons", BEFORE, knowledge, NOW)
    assert [choice.id for choice in offered.replies[0].choices] == ["n:going", "n:parents", "n:rights", "c:menu"]
    begun = on_choice("n:parents", offered.conversation, knowledge, NOW)
    assert begun.effects == (Learn("parents"),)
    assert begun.conversation.course == "parents"
    again = on_choice("n:parents", begun.conversation, knowledge, NOW)
    assert again.effects == ()
    assert [reply.message for reply in again.replies] == ["lessons.already"]
    for choice in ("n:end", "c:stop"):
        ended = on_choice(choice, begun.conversation, knowledge, NOW)
        assert ended.effects == (Unlearn(),)
        assert ended.conversation.course == ""


def test_every_answer_of_every_lesson_is_told_right_from_wrong_and_why(knowledge: Knowledge) -> None:
    for course in knowledge.content.courses.values():
        for number, lesson in enumerate(course.lessons, 1):
            shown = lessons.lesson(course, number)
            for choice, letter in zip(shown.choices, "ab", strict=False):
                turn = on_choice(choice.id, BEFORE, knowledge, NOW)
                right = letter == lesson.right
                assert turn.effects == (Answered(course.id, number, right),)
                assert turn.replies[0].message == ("lessons.right" if right else "lessons.not_quite")
                assert turn.replies[0].items[0].message == f"lessons.{course.id}.{number}.why"
                assert turn.replies[0].choices[0].id == f"t:{lesson.topic}"


def test_after_the_last_lesson_one_question_ends_the_course(knowledge: Knowledge) -> None:
    course = knowledge.content.courses["going"]
    asked = lessons.lesson(course, len(course.lessons) + 1)
    assert asked.message == "lessons.useful"
    learning = replace(BEFORE, course="going")
    turn = on_choice(asked.choices[0].id, learning, knowledge, NOW)
    assert turn.effects == (Answered("going", 0, right=True),)
    assert turn.conversation.course == ""


@pytest.mark.parametrize(
    "rest", ["going:9:a", "going:x:a", "going:1:c", "going:1:", "nobody", "nobody:1:a", "going:01:a"]
)
def test_a_choice_that_is_not_known_leads_to_the_menu(rest: str, knowledge: Knowledge) -> None:
    turn = on_choice(f"n:{rest}", BEFORE, knowledge, NOW)
    assert [reply.message for reply in turn.replies] == ["core.menu"]
    assert turn.effects == ()


def test_every_choice_can_be_typed_out_in_every_language(content: Content) -> None:
    course = content.courses["rights"]
    for code, number in product(content.locales, range(1, len(course.lessons) + 2)):
        choices = tuple(choice.id for choice in lessons.lesson(course, number).choices)
        for choice in choices:
            words = content.words(code, lessons.label(choice, content))
            assert by_label(words, choices, code, content) == choice


@pytest.mark.parametrize(
    ("hour", "expected"), [(0, (9, 0)), (8, (9, 0)), (9, (9, 17)), (14, (14, 17)), (19, (19, 0)), (23, (19, 0))]
)
def test_lessons_come_by_day(hour: int, expected: tuple[int, int]) -> None:
    """About the same time on the next day, but not at night by Indian time."""
    now = datetime(2026, 11, 24, hour, 17, tzinfo=INDIA).astimezone(UTC)
    later = next_day(now).astimezone(INDIA)
    assert (later.day, later.hour, later.minute) == (25, *expected)
    assert next_day(now).tzinfo is UTC
