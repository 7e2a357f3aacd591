"""What each tappable choice leads to. Ids are short and stable; people keep old messages and tap them days later."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime

from bot.content.model import AREAS, AUDIENCES, TOPIC_PARTS, Content
from bot.dialogue import answers, fallback, finder, flows, lessons, nearby, notes, speech, states, waiting
from bot.dialogue.knowledge import Knowledge
from bot.domain.agencies import Kind
from bot.domain.conversation import Conversation, Turn, Unlearn
from bot.domain.messages import ChoiceRef, Reply
from bot.domain.words import folded_words


def on_choice(choice: str, conversation: Conversation, knowledge: Knowledge, now: datetime) -> Turn:
    """Return the turn for a tapped choice; one that is no longer known leads to the menu."""
    kind, _, rest = choice.partition(":")
    conversation = replace(conversation, repairs=0, asked_if_in_danger="")
    if kind == "f":
        return finder.choose(rest, conversation, knowledge)
    if kind not in KEEPING and choice not in KEEPING:
        conversation = replace(conversation, flow="", slots={})
    handler = _KINDS.get(kind)
    turn = handler(rest, conversation, knowledge, now) if handler else None
    return turn or Turn(conversation, (answers.menu(),))


#: Choices that do not end an open flow: hearing it again, another language, another State.
KEEPING = frozenset({"l", "c:listen", "c:repeat", "c:language", "c:other_state"})


def by_label(text: str, offered: tuple[str, ...], locale: str, content: Content) -> str:
    """Return the offered choice whose words the person typed out, or ""."""
    typed = folded_words(text)
    if not typed:
        return ""
    return next((choice for choice in offered if folded_words(_label(choice, locale, content)) == typed), "")


def _label(choice: str, locale: str, content: Content) -> str:
    kind, _, rest = choice.partition(":")
    if kind == "l":
        return content.locales[rest].own_name if rest in content.locales else ""
    message = f"{rest}.title" if kind == "t" else _LABELS.get(choice, "")
    if kind == "f":
        message = finder.label_of(choice)
    if kind in {"w", "s", "h"}:
        message = {"w": f"audience.{rest.rpartition(':')[2]}.label", "s": "state.label", "h": "core.phones.label"}[kind]
    if kind == "n":
        message = lessons.label(choice, content)
    if kind == "x":
        message = notes.label(choice)
    if kind == "q":
        message = waiting.label(choice)
    if kind == "p":
        message = f"core.{rest.rpartition(':')[2]}.label"
    if kind == "a":
        message = f"area.{rest.partition(':')[0]}.label"
    try:
        return content.words(locale, message)
    except KeyError:
        return ""


def _language(code: str, conversation: Conversation, knowledge: Knowledge, _: datetime) -> Turn | None:
    if code not in knowledge.content.locales:
        return None
    chosen = replace(conversation, locale=code, notice_seen=True, draft_told=True, other_language="")
    if conversation.notice_seen:
        draft = () if conversation.locale == code else answers.draft_note(knowledge.content, code)
        return Turn(chosen, (*draft, answers.menu("core.language_changed")))
    return Turn(chosen, answers.welcome(knowledge.content, code))


def _topic(topic_id: str, conversation: Conversation, knowledge: Knowledge, _: datetime) -> Turn | None:
    found = knowledge.content.topics.get(topic_id)
    if not found:
        return None
    locale = conversation.locale or conversation.locale_guess or next(iter(knowledge.content.locales))
    notes = tuple(map(states.note_reply, states.notes_on(topic_id, conversation.state, knowledge.content)))
    by_state = not notes and states.has_notes(topic_id, knowledge.content)
    replies = answers.topic(found, knowledge.content, locale, notes, by_state=by_state)
    return Turn(replace(conversation, last_topic=topic_id), replies)


def _part(rest: str, conversation: Conversation, knowledge: Knowledge, _now: datetime) -> Turn | None:
    topic_id, _, part = rest.partition(":")
    if topic_id not in knowledge.content.topics or part not in TOPIC_PARTS:
        return None
    return Turn(conversation, (answers.topic_part(topic_id, part, knowledge.content),))


def _audience(rest: str, conversation: Conversation, knowledge: Knowledge, _now: datetime) -> Turn | None:
    topic_id, _, audience = rest.partition(":")
    found = knowledge.content.topics.get(topic_id)
    if not found or audience not in AUDIENCES or audience not in found.audiences:
        return None
    return Turn(conversation, (answers.for_audience(topic_id, audience, knowledge.content),))


def _phones(topic_id: str, conversation: Conversation, knowledge: Knowledge, _now: datetime) -> Turn | None:
    if topic_id not in knowledge.content.topics:
        return None
    return Turn(conversation, (answers.topic_phones(topic_id, knowledge.content),))


def _state(topic_id: str, conversation: Conversation, knowledge: Knowledge, _now: datetime) -> Turn | None:
    return states.ask(topic_id, conversation, knowledge) if topic_id in knowledge.content.topics else None


def _area(rest: str, conversation: Conversation, knowledge: Knowledge, _now: datetime) -> Turn | None:
    name, _, page = rest.partition(":")
    if name not in AREAS:
        return None
    number = int(page) if page.isascii() and page.isdigit() and len(page) < 3 else 1  # noqa: PLR2004
    return Turn(conversation, (answers.area(name, max(number, 1), knowledge.content),))


def _lesson(rest: str, conversation: Conversation, knowledge: Knowledge, _now: datetime) -> Turn | None:
    return lessons.choose(rest, conversation, knowledge)


def _notes(rest: str, conversation: Conversation, knowledge: Knowledge, _now: datetime) -> Turn | None:
    return notes.choose(rest, conversation) if rest == notes.NO or rest[:2] in knowledge.content.states else None


def _command(name: str, conversation: Conversation, knowledge: Knowledge, now: datetime) -> Turn | None:
    simple = _SIMPLE.get(name)
    if simple:
        return Turn(conversation, simple(knowledge.content))
    special = _SPECIAL.get(name)
    return special(conversation, knowledge, now) if special else None


def _menu(conversation: Conversation, knowledge: Knowledge, _: datetime) -> Turn:
    if not conversation.locale:
        return Turn(conversation, (answers.choose_language(knowledge.content),))
    return Turn(conversation, (answers.menu(),))


def _repeat(conversation: Conversation, _: Knowledge, __: datetime) -> Turn:
    return Turn(conversation, conversation.last_replies or (answers.menu(),))


def _stop(conversation: Conversation, _: Knowledge, __: datetime) -> Turn:
    return Turn(replace(conversation, stopped=True, course="", notes="no"), (Reply("core.stopped"),), (Unlearn(),))


_Simple = Callable[[Content], tuple[Reply, ...]]
_Special = Callable[[Conversation, Knowledge, datetime], Turn]
_Kind = Callable[[str, Conversation, Knowledge, datetime], Turn | None]

_SIMPLE: dict[str, _Simple] = {
    "language": lambda content: (answers.choose_language(content),),
    "helplines": lambda _: (answers.helplines(),),
    "no": lambda _: (answers.menu("core.glad"),),
    "yes": lambda _: (answers.menu("core.ok"),),
    "fine": lambda _: (answers.menu("distress.fine"),),
    "report": lambda _: (Reply("report.menu", choices=flows.REPORT_CHOICES),),
}
_SPECIAL: dict[str, _Special] = {
    "menu": _menu,
    "near": lambda conversation, _, __: nearby.ask(conversation),
    "lessons": lambda conversation, knowledge, _: lessons.offer(conversation, knowledge.content),
    "finder": lambda conversation, knowledge, _: finder.start(conversation, knowledge),
    "listen": lambda conversation, _, __: speech.listen(conversation),
    "voice": lambda conversation, _, __: speech.switch_on(conversation),
    "text_only": lambda conversation, _, __: speech.switch_off(conversation),
    "translate": lambda conversation, knowledge, _: fallback.translate(conversation, knowledge),
    "other_state": lambda conversation, knowledge, _: states.ask_again(conversation, knowledge),
    "repeat": _repeat,
    "stop": _stop,
    "person": flows.ask_for_person,
    "check": flows.ask_recruiter,
    "delete": flows.ask_to_delete,
    "delete_yes": flows.delete,
    "work_india": lambda conversation, _, __: flows.told_kind(conversation, Kind.CONTRACTOR),
    "work_abroad": lambda conversation, _, __: flows.told_kind(conversation, Kind.OVERSEAS),
    "report_recruiter": flows.report_recruiter,
    "report_trafficking": flows.report_trafficking,
    "report_child_labour": flows.report_child_labour,
}
_KINDS: dict[str, _Kind] = {
    "l": _language, "t": _topic, "p": _part, "a": _area, "c": _command, "w": _audience, "h": _phones, "s": _state,
    "n": _lesson, "x": _notes,
}  # fmt: skip
_REFS: tuple[ChoiceRef, ...] = (
    answers.MENU,
    answers.PERSON,
    answers.HELP_NOW,
    answers.CHECK,
    answers.YES,
    answers.NO,
    answers.LISTEN,
    answers.TEXT_ONLY,
    answers.TRANSLATE,
    answers.PHONES,
    answers.NEAR,
    answers.FINDER,
    answers.LESSONS,
    answers.INDIA,
    answers.ABROAD,
    *flows.REPORT_CHOICES,
    flows.DELETE_YES,
    ChoiceRef("c:fine", "distress.fine.label"),
    ChoiceRef("c:report", "report.label"),
    ChoiceRef("c:language", "core.language.label"),
)
_LABELS = {ref.id: ref.label for ref in _REFS}
