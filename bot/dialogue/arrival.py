"""A person who comes from a poster: where they are, who helps there, whether they leave or arrive."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, datetime

from bot.content.render import fill
from bot.content.wall import words_of
from bot.dialogue import answers
from bot.dialogue.knowledge import Knowledge
from bot.dialogue.language import speaking
from bot.domain import codes
from bot.domain.conversation import Arrived, Conversation, Turn
from bot.domain.messages import Carrier, ChoiceRef, InboundMessage, Reply
from bot.domain.places import HERE_FOR, Point, Post, Poster
from bot.domain.private import Private
from bot.domain.words import folded_words

START = "/start"
LEAVING = ChoiceRef("c:leaving", "transit.leaving.label")
ARRIVING = ChoiceRef("c:arriving", "transit.arriving.label")
WRONG = ChoiceRef("c:report_poster", "transit.report.label")
UNKNOWN = Reply("transit.unknown", choices=(answers.HELP_NOW, answers.PHONES, WRONG, answers.MENU))


@dataclass(frozen=True, slots=True)
class Came:
    """What a message tells of a poster: the poster, None if it is unknown or withdrawn, and what else was written."""

    poster: Poster | None
    rest: str


def came(message: InboundMessage, knowledge: Knowledge) -> Came | None:
    """Read a poster's code in a message: behind its mark, or alone where it is one of ours; None if there is none.

    What is no whole code is taken for a poster's only where nothing else was asked: else it is part of the question.
    """
    text = message.text.reveal()
    if found := codes.find(text):
        asked = _question(found.rest, knowledge)
        if codes.is_whole(found.code) or not asked:
            return Came(knowledge.directory.valid(found.code), asked)
    alone = knowledge.directory.posters.get(codes.plain(text))
    return Came(knowledge.directory.valid(alone.code), "") if alone else None


def _question(rest: str, knowledge: Knowledge) -> str:
    """Return what the person wrote themselves: our own prefilled words are no question, nor is a link's command."""
    content, rest = knowledge.content, _after_start(rest)
    typed = folded_words(rest)
    ours = (fill(content.words(code, "transit.prefill"), {"code": ""}) for code in content.locales)
    return "" if not typed or any(folded_words(words) == typed for words in ours) else rest


def _after_start(rest: str) -> str:
    """Drop the command that Telegram puts before the code of a link; in a group it names the bot."""
    first, _, more = rest.partition(" ")
    return more if first.casefold().partition("@")[0] == START else rest


def noticed(conversation: Conversation, message: InboundMessage, knowledge: Knowledge, now: datetime) -> Conversation:
    """Keep the place of a scanned poster, whatever else the message says; forget one that is two days old."""
    if conversation.place and (conversation.place_at is None or now - conversation.place_at > HERE_FOR):
        conversation = replace(conversation, place="", place_at=None, district="", poster="")
    found = came(message, knowledge) if message.text and not message.choice else None
    if not found or not found.poster:
        return conversation
    point = knowledge.directory.points[found.poster.place]
    return replace(
        conversation,
        place=point.code,
        place_at=now,
        district=f"{point.state}:{point.district}",
        poster=found.poster.code,
        locale_guess=conversation.locale_guess or next(iter(point.locales), ""),
    )


def counted(turn: Turn, message: InboundMessage, knowledge: Knowledge) -> Turn:
    """Add the count of a scan, of an unknown poster too; a message that was mended counts once."""
    mended = message.carrier is Carrier.EDITED
    found = came(message, knowledge) if message.text and not message.choice and not mended else None
    if not found:
        return turn
    arrived = Arrived(found.poster.place if found.poster else "")
    return replace(turn, effects=(*turn.effects, arrived))


def greet(conversation: Conversation, found: Came, knowledge: Knowledge) -> Turn:
    """Say where the person is, or that the poster is unknown, and ask for language or way."""
    if not found.poster:
        return Turn(conversation, (UNKNOWN, *_languages(conversation, knowledge)))
    ask = _languages(conversation, knowledge) or (way(),)
    return Turn(conversation, (_here(conversation, found.poster, knowledge), *ask))


def before(turn: Turn, found: Came, knowledge: Knowledge) -> Turn:
    """Put the place before the answer to what the person also asked."""
    said = _here(turn.conversation, found.poster, knowledge) if found.poster else replace(UNKNOWN, choices=())
    return replace(turn, replies=(said, *turn.replies))


def without_code(message: InboundMessage, found: Came) -> InboundMessage:
    """Return the message with the person's own words only."""
    return replace(message, text=Private(found.rest))


def way() -> Reply:
    """Ask whether the person leaves or arrives."""
    choices = (LEAVING, ARRIVING, answers.NEAR, answers.HELP_NOW, WRONG, answers.MENU)
    return Reply("transit.way", choices=choices)


def leaving(conversation: Conversation) -> Turn:
    """Advise before the journey."""
    more = (answers.topic_choice("before_you_go"), answers.topic_choice("travel_safety"), answers.CHECK)
    return Turn(conversation, (Reply("transit.leaving", choices=(*more, answers.NEAR, answers.PERSON, answers.MENU)),))


def arriving(conversation: Conversation) -> Turn:
    """Advise after the journey."""
    more = (answers.topic_choice("arrival_tips"), answers.topic_choice("ration_onorc"), answers.NEAR)
    return Turn(conversation, (Reply("transit.arriving", choices=(*more, answers.PERSON, answers.MENU)),))


def help_at(point: Point, locale: str, today: date) -> tuple[Reply, ...]:
    """Return who helps at a place, as its operator told; nothing once that is old."""
    return tuple(_desk(point, locale)) if point.is_fresh(today) else ()


def _desk(point: Point, locale: str) -> Iterator[Reply]:
    for name, post in (("rpf", point.rpf), ("grp", point.grp), ("child_desk", point.child_desk)):
        if post.there:
            yield _post(name, post)
    where = point.desk.where.get(locale) or point.desk.where.get("en", "")
    if where:
        yield Reply("transit.desk", {"where": where})
    if point.desk.hours:
        yield Reply("transit.desk_open", {"hours": point.desk.hours})
    if point.desk.phone:
        yield Reply("transit.desk_call", {"phone": point.desk.phone})
    if point.verified_on:
        yield Reply("transit.checked", {"source": point.source, "date": answers.day(point.verified_on)})


def _post(name: str, post: Post) -> Reply:
    return Reply(f"transit.{name}_call", {"phone": post.phone}) if post.phone else Reply(f"transit.{name}")


def at_place(point: Point, locale: str) -> Reply:
    """Say whom to go to at a place of this kind."""
    if point.kind == "station":
        return Reply("near.station_here", {"station": point.named(locale)})
    return Reply(f"near.{point.kind}", {"place": point.named(locale)})


def _here(conversation: Conversation, poster: Poster, knowledge: Knowledge) -> Reply:
    """Name the place, the poster's words, who helps there, and the numbers."""
    point, content = knowledge.directory.points[poster.place], knowledge.content
    locale = speaking(conversation.locale, conversation.locale_guess, content)
    today = conversation.seen_at.date() if conversation.seen_at else date.min
    values = {"place": point.named(locale), "words": words_of(poster.phrase, locale, content)}
    return Reply(
        "transit.here", values, items=(at_place(point, locale), *help_at(point, locale, today), Reply("near.first"))
    )


def _languages(conversation: Conversation, knowledge: Knowledge) -> tuple[Reply, ...]:
    """Ask for the language where it is not chosen yet, those of the place first."""
    if conversation.locale:
        return ()
    point = knowledge.directory.points.get(conversation.place)
    return (answers.choose_language(knowledge.content, point.locales if point else ()),)
