"""Between the alarm and the human: one gentle question at a time, none of them required (Look, Listen, Link).

Nothing here says that help is on the way. Whoever is under 18, or says so when asked once, is asked only for the place
and whether they can write.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from bot.dialogue import answers
from bot.dialogue.knowledge import Knowledge
from bot.domain.cases import UNDER_18
from bot.domain.conversation import SHORT_GAP, Conversation, Effect, Forward, Tell, Turn, Unlearn
from bot.domain.messages import ChoiceRef, InboundMessage, Lane, Reply
from bot.domain.private import Private
from bot.domain.risk import Risk
from bot.domain.words import folded_words

#: Several bubbles within this time are one thought: they are kept, and no question is asked in between.
ONE_THOUGHT = timedelta(seconds=8)
LONGEST_ANSWER = 300
LONGEST_WORD = 2
QUESTIONS = ("safe", "where", "age", "hurt", "need")
QUESTIONS_TO_A_CHILD = ("safe", "where")
#: Stands between "safe", asked once more after a pause, and the question after which we go on.
RESUME = "@"
#: The slot that a question fills.
SLOTS = {"safe": "safe_to_talk", "where": "where", "age": "under_18", "hurt": "hurt", "need": "need"}
#: The slots that a tapped answer fills, and with what.
TAPS: dict[str, dict[str, str]] = {
    "q:safe_yes": {"safe_to_talk": "yes"},
    "q:safe_no": {"safe_to_talk": "no"},
    "q:here": {"safe_to_talk": "watched", "with_whom": "somebody"},
    "q:age_yes": {"under_18": "yes"},
    "q:age_no": {"under_18": "no"},
    "q:age_skip": {"under_18": "skip"},
    "q:hurt": {"hurt": "yes"},
    "q:child": {"with_whom": "child"},
    "q:none": {"hurt": "no"},
    "q:place": {"need": "safe place"},
    "q:doctor": {"need": "doctor"},
    "q:home": {"need": "go home"},
    "q:talk": {"need": "talk"},
    "q:consent_yes": {"consent": "yes"},
    "q:consent_no": {"consent": "no"},
}
#: Choices that say only yes or no.
PLAIN = ("q:consent_", "q:reached_", "q:again_", "q:age_")
SKIP = "q:age_skip"
ADULT = 18
#: Nobody is older: a larger number is no age.
OLDEST = 110
HERE = "q:here"
#: The slot of a case under which it is kept that the person wants no more messages, or to be deleted.
WISH = "wish"
ME = "q:me"
OTHER = "q:other"
WORD = "q:word"
HIDE = "q:hide"
#: Where we are after the chat was cleared from the screen: until the person writes on, danger is heard, not answered.
HIDDEN = "hidden"
#: Dangers in which somebody under 18 may be the victim of an offence that must be reported by law.
MUST_BE_REPORTED = frozenset({
    "distress_help", "distress_confined", "distress_violence", "distress_sexual", "distress_child",
    "distress_in_transit", "distress_abroad", "forced_marriage",
})  # fmt: skip
#: What is said of this danger tells of the duty itself.
SAYS_IT_ITSELF = "distress_sexual"


def choice(choice_id: str) -> ChoiceRef:
    """Return one of our own choices."""
    return ChoiceRef(choice_id, label(choice_id))


def label(choice_id: str) -> str:
    """Return the message id of a choice's words."""
    if choice_id == SKIP:
        return "finder.skip.label"
    if choice_id.startswith(PLAIN):
        return "core.yes.label" if choice_id.endswith("_yes") else "core.no.label"
    return f"waiting.{choice_id.removeprefix('q:')}.label"


FINE = ChoiceRef("c:fine", "distress.fine.label")
SAFE_CHOICES = (choice("q:safe_yes"), choice("q:safe_no"), choice(HERE), FINE)
CHOICES: dict[str, tuple[ChoiceRef, ...]] = {
    "safe": SAFE_CHOICES,
    "age": (choice("q:age_yes"), choice("q:age_no"), choice(SKIP)),
    "hurt": (choice("q:hurt"), choice("q:child"), choice("q:none")),
    "need": (choice("q:place"), choice("q:doctor"), choice("q:home"), choice("q:talk")),
    "kept": (choice(WORD), choice(HIDE), FINE),
    "same": (choice(ME), choice(OTHER)),
    "consent": (choice("q:consent_yes"), choice("q:consent_no")),
    "reached": (choice("q:reached_yes"), choice("q:reached_no")),
    "again": (choice("q:again_yes"), choice("q:again_no")),
    "follow": (answers.PERSON, answers.MENU),
}


def alarm(risk: Risk) -> tuple[Reply, ...]:
    """Answer danger; with it comes the first question, and before any detail what the law asks of us for a child."""
    first, wait = answers.distress(risk)
    due = risk.minor and must_be_reported(risk.kind) and risk.kind != SAYS_IT_ITSELF
    duty = (Reply("waiting.duty", lane=first.lane),) if due else ()
    return (first, *duty, replace(wait, choices=SAFE_CHOICES))


def must_be_reported(*kinds: str) -> bool:
    """Say whether one of these dangers, done to a child, may be an offence that must be reported by law."""
    return not MUST_BE_REPORTED.isdisjoint(kinds)


def ask(question: str) -> Reply:
    """Ask one question."""
    return Reply(f"waiting.{question}", choices=CHOICES.get(question, ()), asks_location=question == "where")


def keep(conversation: Conversation, picked: str) -> Turn:
    """Keep a tapped answer with the case, and say nothing: a responder has it."""
    return _turn(conversation, TAPS.get(picked, {}))


def stop(conversation: Conversation, *said: Reply) -> Turn:
    """The person wants no more messages: ask nothing more, send no lessons and notes, and tell whoever has the case."""
    stopped = replace(conversation, stopped=True, course="", notes="no", waiting="kept")
    turn = _turn(stopped, {WISH: "stop"}, *said)
    return replace(turn, effects=(*turn.effects, Unlearn()))


def erase(conversation: Conversation, *said: Reply) -> Turn:
    """The person wants all of it deleted, which waits for the end of the case: ask nothing more, and tell its owner."""
    return _turn(replace(conversation, erase_requested=True, waiting="kept"), {WISH: "delete"}, *said)


def go_on(
    conversation: Conversation,
    message: InboundMessage,
    picked: str,
    named: str,
    knowledge: Knowledge,
    before: datetime | None,
) -> Turn:
    """Keep what was answered, and ask the next question unless the person is still writing.

    *picked*, *named*: the choice or command that the message is; *before*: when the person wrote last.
    """
    if conversation.waiting == "word":
        return _word(conversation, message, picked)
    if picked == WORD:
        return _turn(replace(conversation, waiting="word"), {}, Reply("waiting.word_ask"))
    answered = _answer(conversation, message, picked, named, knowledge)
    asked = conversation.waiting
    conversation = replace(conversation, told=tuple(dict.fromkeys((*conversation.told, *answered))))
    if answered.get(UNDER_18) == "yes" and not conversation.minor:
        return _child(conversation, answered)
    if answered.get("safe_to_talk") == "no":
        return _turn(replace(conversation, waiting="later"), answered, Reply("waiting.later"))
    if asked == "kept" or (not picked and before and conversation.seen_at and _is_one_thought(conversation, before)):
        return _turn(conversation, answered)
    if _is_back(conversation, before) and SLOTS["safe"] not in answered:
        resume = asked.partition(RESUME)[2] or asked
        return _turn(replace(conversation, waiting=f"safe{RESUME}{resume}"), answered, ask("safe"))
    following = _next(conversation)
    return _turn(replace(conversation, waiting=following), answered, ask(following))


def _child(conversation: Conversation, answered: dict[str, str]) -> Turn:
    """Tell a child what the law asks, where it may, before any detail; then ask only what a child is asked."""
    child = replace(conversation, minor=True)
    following = _next(child)
    due = must_be_reported(*(name.partition(":")[0] for name in conversation.warned))
    said = (*((Reply("waiting.duty", lane=Lane.DISTRESS),) if due else ()), ask(following))
    return _turn(replace(child, waiting=following), answered, *said)


def _is_back(conversation: Conversation, before: datetime | None) -> bool:
    """Say whether the person was away for so long that we ask first whether it is a good time, in words of no case."""
    return bool(before and conversation.seen_at and conversation.seen_at - before >= SHORT_GAP)


def _is_one_thought(conversation: Conversation, before: datetime) -> bool:
    return bool(conversation.seen_at and conversation.seen_at - before < ONE_THOUGHT)


def _turn(conversation: Conversation, answered: dict[str, str], *replies: Reply) -> Turn:
    case = conversation.open_case
    kept: tuple[Effect, ...] = tuple(Tell(case, slot, Private(value)) for slot, value in answered.items())
    return Turn(conversation, replies, (Forward(case), *kept))


def _next(conversation: Conversation) -> str:
    """Return the first question that was neither asked nor answered; "kept" when there is none."""
    order = QUESTIONS_TO_A_CHILD if conversation.minor else QUESTIONS
    last = conversation.waiting.partition(RESUME)[2] or conversation.waiting
    asked = {"": -1, "later": 0, HIDDEN: 0}.get(last, _place(order, last))
    told = {*conversation.told, *(("hurt",) if "with_whom" in conversation.told else ())}
    if "where" in told:
        told.add(SLOTS["safe"])  # who names a place is able to write
    return next((name for name in order[asked + 1 :] if SLOTS[name] not in told), "kept")


def _place(order: tuple[str, ...], question: str) -> int:
    return order.index(question) if question in order else len(order)


def _answer(
    conversation: Conversation, message: InboundMessage, picked: str, named: str, knowledge: Knowledge
) -> dict[str, str]:
    """Return the slots that the message fills: a tap whenever it comes, words only for the question that was asked."""
    if picked in TAPS:
        return TAPS[picked]
    if picked:
        return {}
    asked = conversation.waiting.partition(RESUME)[0] or "safe"
    if message.point:
        return {"where": message.point.reveal()}
    words = message.text.reveal().strip()[:LONGEST_ANSWER]
    if asked == "age" and (age := _age(words)):
        return {UNDER_18: "yes" if age < ADULT else "no"}
    if asked in {"safe", "age", "hurt"} and named in {"yes", "no"}:
        return {SLOTS[asked]: named}
    if asked in {"where", "hurt", "need"} and words and not named:
        return {SLOTS[asked]: words}
    return {"where": words} if words and knowledge.gazetteer.is_place(words) else {}


def _age(words: str) -> int:
    """Return the age that the whole message is, in any script's digits; 0 for anything else."""
    digits = words if words.isdecimal() and len(words) <= len(str(OLDEST)) else "0"
    return int(digits) if int(digits) <= OLDEST else 0


def _word(conversation: Conversation, message: InboundMessage, picked: str) -> Turn:
    """Keep the word that alone will end a silence; more than two words, or a tap, is not one."""
    words = () if picked else folded_words(message.text.reveal())
    if not 1 <= len(words) <= LONGEST_WORD:
        return _turn(replace(conversation, waiting="kept"), {})
    return _turn(replace(conversation, waiting="kept", safe_word=" ".join(words)), {}, Reply("waiting.word_set"))
