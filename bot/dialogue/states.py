"""What holds in one State only: asked for under a topic, remembered for the next one."""

from __future__ import annotations

from dataclasses import replace

from bot.content.model import Content, StateNote
from bot.dialogue import answers
from bot.dialogue.knowledge import Knowledge
from bot.domain.conversation import Conversation, Turn
from bot.domain.messages import Reply


def notes_on(topic_id: str, state: str, content: Content) -> tuple[StateNote, ...]:
    """Return what we know of this topic in this State."""
    return tuple(note for note in content.state_notes if topic_id in note.topics and note.state == state)


def has_notes(topic_id: str, content: Content) -> bool:
    """Say whether any State has something of its own on a topic."""
    return any(topic_id in note.topics for note in content.state_notes)


def ask(topic_id: str, conversation: Conversation, knowledge: Knowledge) -> Turn:
    """Tell at once if the State is known, else ask for it."""
    if conversation.state:
        return tell(topic_id, conversation, knowledge)
    asked = replace(conversation, flow="state", slots={"topic": topic_id})
    return Turn(asked, (Reply("state.ask", choices=(answers.topic_choice(topic_id), answers.MENU)),))


def proceed(conversation: Conversation, text: str, knowledge: Knowledge) -> Turn:
    """Take the name of the State."""
    state = knowledge.gazetteer.state(text)
    topic_id = conversation.slots.get("topic", "")
    if not state:
        return Turn(conversation, (Reply("state.unknown", choices=(answers.topic_choice(topic_id), answers.MENU)),))
    return tell(topic_id, replace(conversation, flow="", slots={}, state=state), knowledge)


def tell(topic_id: str, conversation: Conversation, knowledge: Knowledge) -> Turn:
    """Say what holds in the person's State, with its source; nothing known is said as plainly."""
    choices = (answers.topic_choice(topic_id), answers.OTHER_STATE, answers.PERSON, answers.MENU)
    notes = notes_on(topic_id, conversation.state, knowledge.content)
    if not notes:
        nothing = Reply("state.nothing", within={"state": (_name(conversation.state),)}, choices=choices)
        return Turn(replace(conversation, slots={"topic": topic_id}), (nothing,))
    facts = tuple(fact for note in notes for fact in note.facts)
    said = (*map(note_reply, notes), replace(answers.sources(facts), choices=choices))
    return Turn(replace(conversation, slots={"topic": topic_id}), said)


def ask_again(conversation: Conversation, knowledge: Knowledge) -> Turn:
    """Ask for another State, about the topic talked of last."""
    topic_id = conversation.slots.get("topic") or conversation.last_topic
    if topic_id not in knowledge.content.topics:
        return Turn(replace(conversation, state=""), (answers.menu(),))
    return ask(topic_id, replace(conversation, state=""), knowledge)


def note_reply(note: StateNote) -> Reply:
    """Return the words of a note."""
    return Reply(f"state.{note.id}", within={"state": (_name(note.state),)})


def _name(state: str) -> Reply:
    return Reply(f"state.{state}.name")
