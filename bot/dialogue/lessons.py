"""Small lessons: choosing a course, the lesson of a day with its question, and what is said to an answer."""

from __future__ import annotations

from dataclasses import replace

from bot.content.model import Content, Course
from bot.dialogue import answers
from bot.dialogue.knowledge import Knowledge
from bot.domain.conversation import Answered, Conversation, Learn, Turn, Unlearn
from bot.domain.messages import ChoiceRef, Lane, Reply

END = ChoiceRef("n:end", "lessons.end.label")
#: Whether a course was useful is answered under this number.
USEFUL = 0


def offer(conversation: Conversation, content: Content) -> Turn:
    """Say what there is, and let the person choose."""
    courses = tuple(ChoiceRef(f"n:{name}", f"lessons.{name}.label") for name in content.courses)
    return Turn(conversation, (Reply("lessons.choose", choices=(*courses, answers.MENU)),))


def choose(rest: str, conversation: Conversation, knowledge: Knowledge) -> Turn | None:
    """Answer a tapped choice: a course, the end of it, or an answer such as `going:3:a`; None if it is not known."""
    if rest == "end":
        ended = replace(conversation, course="")
        return Turn(ended, (Reply("lessons.stopped", choices=(answers.LESSONS, answers.MENU)),), (Unlearn(),))
    name, _, answer = rest.partition(":")
    course = knowledge.content.courses.get(name)
    if not course:
        return None
    return _answer(course, answer, conversation) if answer else _begin(course, conversation)


def lesson(course: Course, number: int) -> Reply:
    """Return the lesson of a day with its question; one past the last asks whether the course was useful."""
    if number > len(course.lessons):
        yes = ChoiceRef(f"n:{course.id}:{USEFUL}:a", "lessons.useful_yes.label")
        no = ChoiceRef(f"n:{course.id}:{USEFUL}:b", "lessons.useful_no.label")
        return Reply("lessons.useful", choices=(yes, no), lane=Lane.CAMPAIGN)
    words = f"lessons.{course.id}.{number}"
    choices = tuple(ChoiceRef(f"n:{course.id}:{number}:{letter}", f"{words}.{letter}") for letter in "ab")
    values = {"number": str(number), "all": str(len(course.lessons))}
    items = (Reply(f"{words}.text"), Reply(f"{words}.ask"))
    return Reply("lessons.head", values, choices=(*choices, END), items=items, lane=Lane.CAMPAIGN)


def label(choice: str, content: Content) -> str:
    """Return the message id of a choice's words, "" if it is none of ours."""
    name, _, answer = choice.removeprefix("n:").partition(":")
    if choice == END.id or (name in content.courses and not answer):
        return f"lessons.{name}.label"
    number, _, letter = answer.partition(":")
    if number == str(USEFUL):
        return f"lessons.useful_{'yes' if letter == 'a' else 'no'}.label"
    return f"lessons.{name}.{number}.{letter}"


def _begin(course: Course, conversation: Conversation) -> Turn:
    if conversation.course == course.id:
        return Turn(conversation, (Reply("lessons.already", choices=(END, answers.MENU)),))
    started = Reply("lessons.started", {"all": str(len(course.lessons))}, choices=(END, answers.MENU))
    return Turn(replace(conversation, course=course.id), (started,), (Learn(course.id),))


def _answer(course: Course, answer: str, conversation: Conversation) -> Turn | None:
    """Say what is right and why; an old message may be answered too, days later."""
    number, _, letter = answer.partition(":")
    if number == str(USEFUL):
        done = replace(conversation, course="" if conversation.course == course.id else conversation.course)
        thanks = Reply("lessons.thanks", choices=(answers.LESSONS, answers.MENU))
        return Turn(done, (thanks,), (Answered(course.id, USEFUL, letter == "a"),))
    if letter not in {"a", "b"} or number not in {str(at) for at in range(1, len(course.lessons) + 1)}:
        return None
    found = course.lessons[int(number) - 1]
    right = letter == found.right
    said = Reply("lessons.right" if right else "lessons.not_quite", items=(Reply(f"lessons.{course.id}.{number}.why"),))
    more = ChoiceRef(f"t:{found.topic}", "lessons.more.label")
    said = replace(said, choices=(more, END, answers.MENU))
    return Turn(conversation, (said,), (Answered(course.id, int(number), right),))
