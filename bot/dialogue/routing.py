"""From a message without danger to its answer: a choice, a command, the open flow, the intent, else repair."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from bot.dialogue import answers, arrival, fallback, flows, nearby, pictures, repair, speech
from bot.dialogue.choices import by_label, on_choice
from bot.dialogue.intents import on_intent
from bot.dialogue.knowledge import Knowledge
from bot.domain import text as forms
from bot.domain.conversation import Conversation, Turn
from bot.domain.messages import Carrier, InboundMessage, Reply
from bot.domain.understanding import OUT_OF_SCOPE, Understanding
from bot.domain.words import folded_words

#: Commands that are none without their slash: the bare word may answer "where are you?".
SLASHED = {"/near": "near"}
LEAVES_FLOW = 0.75
BARE = 2
#: Flows that ask short questions, and what an answer to one of them may be taken for.
ASKING = frozenset({"finder", "near", "state"})
STAYS = frozenset({"out_of_scope", "affirm", "deny", "greet", "thank"})
WITHOUT_WORDS = frozenset({
    Carrier.VOICE, Carrier.IMAGE, Carrier.DOCUMENT, Carrier.LOCATION, Carrier.UNSUPPORTED,
    Carrier.VIDEO, Carrier.STICKER, Carrier.CONTACT,
})  # fmt: skip


def route(
    conversation: Conversation,
    message: InboundMessage,
    understanding: Understanding,
    knowledge: Knowledge,
    now: datetime,
) -> Turn:
    """Return the turn for a message that shows no danger; a poster's code in it says where the person is."""
    found = arrival.came(message, knowledge) if message.text and not message.choice else None
    if not found:
        return _routed(conversation, message, understanding, knowledge, now)
    if not found.rest:
        return arrival.greet(conversation, found, knowledge)
    asked = arrival.without_code(message, found)
    return arrival.before(_routed(conversation, asked, understanding, knowledge, now), found, knowledge)


def _routed(
    conversation: Conversation,
    message: InboundMessage,
    understanding: Understanding,
    knowledge: Knowledge,
    now: datetime,
) -> Turn:
    if picked := chosen(conversation, message, knowledge):
        return on_choice(picked, conversation, knowledge, now)
    if named := command(message, knowledge):
        return on_choice(f"c:{named}", conversation, knowledge, now)
    if message.carrier is Carrier.CONTACT or (message.carrier in WITHOUT_WORDS and not message.text):
        return _wordless(conversation, message, knowledge, now)
    if conversation.flow and (flows.fits(conversation, message, knowledge) or not _leaves(conversation, understanding)):
        return flows.proceed(conversation, message, knowledge, now, understanding.entities)
    if bare := _bare_name(conversation, message, understanding, knowledge, now):
        return _first(bare, knowledge)
    sure = understanding.is_sure()
    if sure and (asked := repair.which(conversation, understanding, knowledge)):
        return _first(asked, knowledge)
    if sure and understanding.intent is not None:
        turn = on_intent(understanding.intent, conversation, message, knowledge, now, understanding.entities)
        return _first(turn, knowledge)
    if not conversation.locale:
        return Turn(conversation, (answers.choose_language(knowledge.content),))
    return repair.ask(conversation, understanding, knowledge)


def _bare_name(
    conversation: Conversation,
    message: InboundMessage,
    understanding: Understanding,
    knowledge: Knowledge,
    now: datetime,
) -> Turn | None:
    """Answer what is nothing to the NLU but the name of a place, or the name or number of somebody on a list, to us."""
    if understanding.is_sure() and understanding.intent != OUT_OF_SCOPE:
        return None
    if flows.names_listed(message, knowledge):
        return flows.check(message.text.reveal(), conversation, knowledge, now)
    return _bare_place(conversation, message, understanding, knowledge)


def _bare_place(
    conversation: Conversation, message: InboundMessage, understanding: Understanding, knowledge: Knowledge
) -> Turn | None:
    """Somebody who writes nothing but the name of a place, which to the NLU is nothing, is told the help there."""
    text = message.text.reveal()
    if len(text.split()) > BARE or understanding.intent != OUT_OF_SCOPE:
        return None
    return nearby.by_words(conversation, text, knowledge) if knowledge.gazetteer.is_place(text) else None


def _wordless(conversation: Conversation, message: InboundMessage, knowledge: Knowledge, now: datetime) -> Turn:
    """A location gives the nearest help; a voice note the spoken menu; a picture what the checks say to its words.

    A number of their own is kept in the chat. Anything else says what we cannot read.
    """
    if message.carrier is Carrier.CONTACT and message.text:
        return _greeted(conversation, knowledge, Reply("telegram.contact", choices=(answers.PERSON, answers.MENU)))
    if message.seen is not None:
        read = pictures.answer(message.seen.reveal(), conversation, knowledge, now)
        if read:
            return _first(read, knowledge)
    if message.point and (found := nearby.by_point(conversation, message, knowledge)):
        return found
    if message.carrier is Carrier.VOICE:
        return _unheard(conversation, knowledge)
    said = Reply(f"media.{_media(message)}", choices=(answers.HELP_NOW, answers.MENU))
    return _greeted(conversation, knowledge, said)


def chosen(conversation: Conversation, message: InboundMessage, knowledge: Knowledge) -> str:
    """Return the id of the choice that was tapped, typed as a digit or number word of any script, or typed out."""
    if message.choice:
        return message.choice
    if not message.text:
        return ""
    if pictured := _picture(message.text.reveal(), knowledge):
        return pictured
    if not conversation.offered:
        return ""
    number = _number(message.text.reveal(), knowledge)
    if number is not None and 1 <= number <= len(conversation.offered):
        return conversation.offered[number - 1]
    locale = answers_locale(conversation, knowledge)
    return by_label(message.text.reveal(), conversation.offered, locale, knowledge.content)


def command(message: InboundMessage, knowledge: Knowledge) -> str:
    """Return the command that the whole message is ("menu", "stop", …), or ""."""
    raw = _bare(message.text.reveal().strip().casefold())
    commands = knowledge.content.commands
    return SLASHED.get(raw) or commands.get(raw) or commands.get(" ".join(folded_words(raw)), "")


def _bare(raw: str) -> str:
    """Return `/menu` of `/menu@our_bot`; what a deep link adds to `/start` is not part of the command."""
    if not raw.startswith("/"):
        return raw
    head, _, rest = raw.partition(" ")
    name = head.partition("@")[0]
    return name if name == arrival.START or not rest.strip() else raw


def answers_locale(conversation: Conversation, knowledge: Knowledge) -> str:
    """Return the locale this conversation is answered in."""
    return conversation.locale or conversation.locale_guess or next(iter(knowledge.content.locales))


def _picture(text: str, knowledge: Knowledge) -> str:
    """Return the choice that a picture alone stands for."""
    return knowledge.content.pictures.get("".join(text.split()), "")


def _unheard(conversation: Conversation, knowledge: Knowledge) -> Turn:
    """A voice note that nothing here can understand: the menu by numbers and pictures, spoken."""
    said = (Reply("media.voice"), answers.menu("core.voice_menu"))
    languages = () if conversation.locale else (answers.choose_language(knowledge.content),)
    return Turn(conversation, (*speech.speakable(said), *said[:1], *languages, *said[1:]))


def _number(text: str, knowledge: Knowledge) -> int | None:
    written = forms.normalise(text).strip(" .)")
    if written.isascii() and written.isdigit() and len(written) <= 2:  # noqa: PLR2004
        return int(written)
    if text.strip().casefold() in knowledge.content.commands:
        return None  # said in these very letters it is a command, whatever another language's number sounds like
    return knowledge.content.numbers.get(" ".join(folded_words(text)))


def _media(message: InboundMessage) -> str:
    return message.carrier.value if message.carrier in {Carrier.VOICE, Carrier.IMAGE, Carrier.LOCATION} else "other"


def _leaves(conversation: Conversation, understanding: Understanding) -> bool:
    """A flow that waits for an answer is left only for something clearly else, never for "I do not understand"."""
    if conversation.flow in ASKING and understanding.intent in STAYS:
        return False
    asked = {"check_recruiter", "check_job_offer", "out_of_scope", "cyber_slavery"}
    same = {"verify": asked, "offer": asked}.get(conversation.flow, set())
    return understanding.confidence >= LEAVES_FLOW and understanding.intent not in same


def _greeted(conversation: Conversation, knowledge: Knowledge, reply: Reply) -> Turn:
    if conversation.locale:
        return Turn(conversation, (reply,) if reply.choices else (reply, answers.menu()))
    return Turn(conversation, (reply, answers.choose_language(knowledge.content)))


def _first(turn: Turn, knowledge: Knowledge) -> Turn:
    """Somebody who asked before choosing a language is answered, told once what this is, and offered the languages."""
    conversation = turn.conversation
    if conversation.locale or conversation.notice_seen or conversation.flow:
        return turn
    greeting = turn.replies[-1:] and turn.replies[-1].message == "core.choose_language"
    if greeting:
        return turn
    locale = answers_locale(conversation, knowledge)
    draft = () if conversation.draft_told else answers.draft_note(knowledge.content, locale)
    noted = replace(conversation, notice_seen=True, draft_told=True)
    if conversation.other_language:
        turn = fallback.tell(turn, knowledge)
    choices = (*answers.few_languages(knowledge.content, locale), answers.PERSON, answers.MENU)
    return replace(turn, conversation=noted, replies=(*turn.replies, *draft, Reply("core.first_note", choices=choices)))
