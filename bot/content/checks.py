"""Every problem of the content at once, each as `file: what, why, what to do`."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from itertools import product
from pathlib import Path

from bot.content.load import ContentError, load, read
from bot.content.model import AREAS, TOPIC_PARTS, Content, Fact
from bot.domain.words import folded_words

LONGEST_LABEL = 24
LONGEST_ANSWER = 350
LONGEST_PART = 900
LONGEST_MESSAGE = 1000
PREVIEW = 60
LEVELS = ("now", "perhaps")
SHORTEST_PHRASE = 3
STALE_AFTER = timedelta(days=365)
SHOWN = frozenset({"show", "show+caveat"})
CONFIDENCE = frozenset({"high", "medium-high", "medium"})
#: The interface of the console; every other string exists in every locale that is offered.
CONSOLE_LOCALES = frozenset({"en", "hi"})
DISTRESS_TIME = ("distress.", "case.", "core.trouble", "person.")


def check(root: Path, today: date | None = None) -> list[str]:
    """Return every problem under *root*; an empty list means that the content may be served."""
    try:
        content = load(root)
    except ContentError as error:
        return [str(error)]
    today = today or date.today()  # noqa: DTZ011 - a calendar day is meant
    return [
        *_messages(content, root),
        *_topics(content, root, today),
        *_helplines(content, root, today),
        *_danger(content, root),
    ]


def _messages(content: Content, root: Path) -> Iterator[str]:
    wanted = _wanted(content)
    sensitive = _sensitive(root)
    for code in content.locales:
        place = f"{root}/messages/{code}"
        for key in sorted(wanted - set(content.messages[code])):
            if not (key.startswith("console.") and code not in CONSOLE_LOCALES):
                yield f"{place}: message {key!r} is missing; a person would see another language; write it"
        for key in sorted(set(content.messages[code]) - wanted):
            yield f"{place}: message {key!r} is not in the source locale; remove it or write it in en first"
        for key, words in content.messages[code].items():
            yield from _one(place, key, words, content, sensitive)


def _wanted(content: Content) -> set[str]:
    topics = {f"{topic}.{part}" for topic, part in product(content.topics, TOPIC_PARTS)}
    areas = {f"area.{area}.{part}" for area, part in product(AREAS, ("label", "intro"))}
    return set(content.messages["en"]) | topics | areas


def _one(place: str, key: str, words: str, content: Content, sensitive: set[str]) -> Iterator[str]:
    if not words.strip():
        yield f"{place}: message {key!r} is empty; a person would get an empty bubble; write it or '-'"
    source = content.messages["en"].get(key, words)
    if _placeholders(words) != _placeholders(source):
        yield f"{place}: message {key!r} has placeholders {sorted(_placeholders(words))}, the source has {sorted(_placeholders(source))}; use the same"
    limit = _limit(key)
    if limit and len(words) > limit:
        yield f"{place}: message {key!r} has {len(words)} characters, at most {limit} fit; shorten it"
    if key.startswith(DISTRESS_TIME) and not key.endswith(".label"):
        found = sorted(set(folded_words(words[:PREVIEW])) & sensitive)
        if found:
            yield f"{place}: message {key!r} shows {', '.join(found)} in its first {PREVIEW} characters; whoever holds the phone could read it on the lock screen; begin neutrally"


def _limit(key: str) -> int:
    if key.startswith(("console.", "web.")):
        return 0
    if key.endswith((".label", ".title")):
        return LONGEST_LABEL
    if key.endswith(".answer"):
        return LONGEST_ANSWER
    return LONGEST_PART if key.endswith((".steps", ".papers", ".where")) else LONGEST_MESSAGE


def _placeholders(words: str) -> set[str]:
    return {part.partition("}")[0] for part in words.split("{")[1:] if "}" in part}


def _sensitive(root: Path) -> set[str]:
    rows = read(root / "sensitive.yaml").get("words") or {}
    return {folded for words in rows.values() for word in words for folded in folded_words(str(word))}


def _topics(content: Content, root: Path, today: date) -> Iterator[str]:
    for topic in content.topics.values():
        place = f"{root}/topics/{topic.id}.yaml"
        if topic.area not in AREAS:
            yield f"{place}: area {topic.area!r} is unknown; use one of {', '.join(AREAS)}"
        if not topic.facts and not topic.unverified:
            yield f"{place}: states no fact; add one with its source, or say `unverified: true`"
        for name in topic.related:
            if name not in content.topics:
                yield f"{place}: related topic {name!r} does not exist; a choice would lead nowhere; remove it"
        for name in topic.helplines:
            if name not in content.helplines:
                yield f"{place}: helpline {name!r} is not in directory/helplines.yaml; add or remove it"
        for fact in topic.facts:
            yield from _fact(place, fact, today)


def _fact(place: str, fact: Fact, today: date) -> Iterator[str]:
    if fact.show not in SHOWN:
        yield f"{place}: fact {fact.id} is {fact.show!r}; only {' and '.join(sorted(SHOWN))} may reach a person; remove it"
    if not fact.source:
        yield f"{place}: fact {fact.id} has no source; a person could not check it; name the official source"
    if not fact.url.startswith("https://"):
        yield f"{place}: fact {fact.id} has no https address; add the official page"
    if fact.confidence not in CONFIDENCE:
        yield f"{place}: fact {fact.id} has confidence {fact.confidence!r}; use {', '.join(sorted(CONFIDENCE))}"
    if today - fact.verified_on > STALE_AFTER:
        yield f"{place}: fact {fact.id} was verified on {fact.verified_on}, more than {STALE_AFTER.days} days ago; check it again"
    if fact.verified_on > today:
        yield f"{place}: fact {fact.id} was verified on {fact.verified_on}, which is to come; correct the date"
    if fact.valid_to and fact.valid_to < today and fact.show == "show":
        yield f"{place}: fact {fact.id} was valid until {fact.valid_to}; remove it, or make it show+caveat and say so"


def _danger(content: Content, root: Path) -> Iterator[str]:
    for pattern in content.danger.patterns:
        place = f"{root}/danger/{pattern.id.partition('.')[0]}.yaml"
        if f"distress.wait.{pattern.kind}" not in content.messages["en"]:
            yield f"{place}: {pattern.id} has the kind {pattern.kind!r}, for which there is no message distress.wait.{pattern.kind}; a person in danger would get no answer; use a kind that has one"
        if pattern.level not in LEVELS:
            yield f"{place}: {pattern.id} has the level {pattern.level!r}; use {' or '.join(LEVELS)}"
        if not all(pattern.steps):
            yield f"{place}: {pattern.id} has a step without letters; it could never match; write a word"
        elif len(pattern.steps) == 1 and max(map(len, pattern.steps[0])) < SHORTEST_PHRASE:
            yield f"{place}: {pattern.id} is one word of fewer than {SHORTEST_PHRASE} letters once folded; it would match by chance; add a word"


def _helplines(content: Content, root: Path, today: date) -> Iterator[str]:
    place = f"{root}/directory/helplines.yaml"
    for line in content.helplines.values():
        yield from _fact(place, line.fact, today)
    for needed in ("emergency_112", "child_1098"):
        if needed not in content.helplines:
            yield f"{place}: {needed} is missing; it must always be reachable; restore it"
    for code in content.locales:
        for key in ("distress.first", "distress.escalated", "core.notice", "find.helplines"):
            words = content.messages[code].get(key, "")
            for number in ("112", "1098"):
                if number not in words:
                    yield f"{root}/messages/{code}: message {key!r} does not name {number}; it must; add it"
