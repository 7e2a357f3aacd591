"""The scheme finder: at most eight short questions, each skippable, then what may fit, what to ask about, what not."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from bot.content.model import Content, Criterion
from bot.dialogue import answers
from bot.dialogue.eligibility import ADULT, Finding, Fits, Situation, find
from bot.dialogue.knowledge import Knowledge
from bot.domain.conversation import Conversation, Turn
from bot.domain.messages import ChoiceRef, Reply

QUESTIONS: Final[Mapping[str, tuple[str, ...]]] = {
    "state": (),
    "where": ("home", "other", "abroad", "going"),
    "age": ("a0_13", "a14_17", "a18_35", "a36_40", "a41_59", "a60_69", "a70_120"),
    "sex": ("woman", "man", "other"),
    "work": ("building", "village", "house", "vendor", "craft", "salaried", "other", "student", "none"),
    "family": ("pregnant", "small", "school", "widow", "old"),
    "papers": ("aadhaar", "bank", "ration", "eshram"),
    "tax": ("yes", "no"),
}
#: Questions that take several answers, one after the other.
SEVERAL: Final = frozenset({"family", "papers"})
ORDER: Final = tuple(QUESTIONS)
SKIPPED: Final = "-"
OLDEST: Final = 120
MOST_YES, MOST_PERHAPS, MOST_NO, MOST_TOPICS = 8, 6, 6, 5
AGAIN = ChoiceRef("c:finder", "finder.again.label")


def start(conversation: Conversation, _: Knowledge) -> Turn:
    """Say what comes, and ask the first question."""
    opened = replace(conversation, flow="finder", slots={"at": ORDER[0]})
    return Turn(opened, (Reply("finder.intro"), _question(opened)))


def choose(rest: str, conversation: Conversation, knowledge: Knowledge) -> Turn:
    """Take a tapped answer, `<question>:<value>`; one that belongs to an earlier question changes that answer."""
    question, _, value = rest.partition(":")
    if conversation.flow != "finder" or question not in QUESTIONS:
        return start(conversation, knowledge)
    return _take(question, value, conversation, knowledge)


def proceed(conversation: Conversation, text: str, knowledge: Knowledge) -> Turn | None:
    """Take typed words as the answer to the open question; None if they are none."""
    question = conversation.slots.get("at", "")
    if question == "state":
        state = knowledge.gazetteer.state(text)
        return _take("state", state, conversation, knowledge) if state else None
    if question == "age":
        years = text.strip()
        known = years.isdecimal() and int(years) <= OLDEST
        return _take("age", f"a{int(years)}_{int(years)}", conversation, knowledge) if known else None
    return None


def unclear(conversation: Conversation) -> Turn:
    """Ask the same question again."""
    question = _question(conversation)
    if conversation.slots.get("at") == "state":
        question = Reply("finder.state_unknown", choices=question.choices)
    return Turn(conversation, (question,))


def situation(slots: Mapping[str, str]) -> Situation:
    """Return what the answers so far say."""
    told = {name: value for name, value in slots.items() if value and value != SKIPPED}
    age = told.get("age", "").lstrip("a").split("_")
    return Situation(
        state=told.get("state", ""),
        where=told.get("where", ""),
        age=(int(age[0]), int(age[1])) if len(age) == 2 else None,  # noqa: PLR2004 - two ends
        sex=told.get("sex", ""),
        work=told.get("work", ""),
        family=_several(slots.get("family")),
        papers=_several(slots.get("papers")),
        tax=told.get("tax", ""),
    )


def _several(given: str | None) -> frozenset[str] | None:
    """Return the set of answers; skipped or not asked is None, "none of these" the empty set."""
    return None if given is None or given == SKIPPED else frozenset(filter(None, given.split(",")))


def _take(question: str, value: str, conversation: Conversation, knowledge: Knowledge) -> Turn:
    slots = dict(conversation.slots)
    if question in SEVERAL and value in QUESTIONS[question]:
        chosen = _several(slots.get(question)) or frozenset()
        slots |= {"at": question, question: ",".join(sorted(chosen | {value}))}
        again = replace(conversation, slots=slots)
        return Turn(again, (_question(again, "finder.chosen"),))
    if question in SEVERAL and value == "done":
        slots.setdefault(question, "")
    elif not _is_answer(question, value, knowledge.content):
        return unclear(conversation)
    else:
        slots[question] = value
    return _next(question, replace(conversation, slots=slots), knowledge)


def _is_answer(question: str, value: str, content: Content) -> bool:
    if value == SKIPPED or value in QUESTIONS[question]:
        return True
    if question == "state":
        return value in content.states
    low, _, high = value.lstrip("a").partition("_")
    return question == "age" and low.isdecimal() and high.isdecimal()


def _next(question: str, conversation: Conversation, knowledge: Knowledge) -> Turn:
    at = ORDER.index(question) + 1
    if at == len(ORDER):
        return _end(conversation, knowledge)
    asked = replace(conversation, slots={**conversation.slots, "at": ORDER[at]})
    return Turn(asked, (_question(asked),))


def _question(conversation: Conversation, message: str = "") -> Reply:
    name = conversation.slots["at"]
    taken = (_several(conversation.slots.get(name)) or frozenset()) if name in SEVERAL else frozenset()
    choices = [ChoiceRef(f"f:{name}:{value}", _label(name, value)) for value in QUESTIONS[name] if value not in taken]
    if name in SEVERAL:
        choices.append(ChoiceRef(f"f:{name}:done", "finder.done.label"))
    if not taken:
        choices.append(ChoiceRef(f"f:{name}:{SKIPPED}", "finder.skip.label"))
    values = {"n": str(ORDER.index(name) + 1), "of": str(len(ORDER))}
    return Reply(message or f"finder.{name}", {} if message else values, tuple(choices))


def _label(question: str, value: str) -> str:
    return f"core.{value}.label" if question == "tax" else f"finder.{question}.{value}.label"


def label_of(choice: str) -> str:
    """Return the message id of a finder choice's words, or ""."""
    _, question, value = (*choice.split(":"), "", "")[:3]
    if value in {"done", SKIPPED}:
        return "finder.done.label" if value == "done" else "finder.skip.label"
    return _label(question, value) if value in QUESTIONS.get(question, ()) else ""


def _end(conversation: Conversation, knowledge: Knowledge) -> Turn:
    """Say what was found and forget the answers."""
    told = situation(conversation.slots)
    findings = find(told, knowledge.content.schemes)
    yes = [finding for finding in findings if finding.fits is Fits.YES][:MOST_YES]
    perhaps = [finding for finding in findings if finding.fits is Fits.UNKNOWN][:MOST_PERHAPS]
    no = [finding for finding in findings if finding.fits is Fits.NO][:MOST_NO]
    said = [
        Reply(f"finder.{name}", items=tuple(line(finding) for finding in group))
        for name, group in (("yes", yes), ("perhaps", perhaps), ("no", no))
        if group
    ]
    if not yes:
        said.append(Reply("finder.nothing"))
    if told.papers is not None and not {"aadhaar", "bank"} <= told.papers:
        said.append(Reply("finder.no_papers"))
    if told.age and told.age[1] < ADULT:
        said.append(Reply("finder.child"))
    topics = dict.fromkeys(finding.scheme.topic for finding in (*yes, *perhaps))
    refs = tuple(answers.topic_choice(topic) for topic in list(topics)[:MOST_TOPICS])
    said.append(Reply("finder.end", choices=(*refs, AGAIN, answers.PERSON, answers.MENU)))
    state = told.state or conversation.state
    return Turn(replace(conversation, flow="", slots={}, state=state), tuple(said))


def line(finding: Finding) -> Reply:
    """Return the line of one scheme: its name, why, and where to apply."""
    scheme = finding.scheme
    within = {
        "scheme": (Reply(f"scheme.{scheme.id}.name"),),
        "reasons": tuple(map(_reason, finding.because if finding.fits is not Fits.UNKNOWN else scheme.criteria)),
        "apply": (Reply(f"scheme.{scheme.id}.apply"),),
    }
    if finding.fits is Fits.YES and scheme.provided:
        return Reply("finder.yes_line_if", within={**within, "provided": (Reply(f"provided.{scheme.provided}"),)})
    return Reply(
        {Fits.YES: "finder.yes_line", Fits.UNKNOWN: "finder.perhaps_line", Fits.NO: "finder.no_line"}[finding.fits],
        within=within,
    )


def _reason(criterion: Criterion) -> Reply:
    low, high = criterion.ages or (0, 0)
    return Reply(f"rule.{criterion.rule}", {"from": str(low), "to": str(high)} if criterion.ages else {})
