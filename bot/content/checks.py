"""Every problem of the content at once, each as `file:line: what, why, what to do`."""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator
from datetime import date, timedelta
from itertools import product
from pathlib import Path
from typing import Final

import regex

from bot.content import pictures
from bot.content.load import ContentError, load, read
from bot.content.model import AREAS, AUDIENCES, TOPIC_PARTS, Content, Fact, Locale, Place
from bot.content.render import LIMITS
from bot.content.wall import unnamed
from bot.domain.firm_words import KINDS as FILLERS
from bot.domain.messages import ChannelName
from bot.domain.offers import ABOVE_CAP
from bot.domain.patterns import Pattern
from bot.domain.text import script_of
from bot.domain.words import folded_words

#: Labels are counted in code points, as WhatsApp counts them; answers in graphemes, as a person counts.
LONGEST_LABEL: Final = LIMITS[ChannelName.WHATSAPP].label
LONGEST_ANSWER: Final = 350
LONGEST_PART: Final = 900
LONGEST_MESSAGE: Final = 1000
#: Reading length: words in the longest sentence of an answer, and on average. Languages that join words count fewer.
LONGEST_SENTENCE: Final = {"ta": 24, "te": 24, "kn": 24, "ml": 24, "hi": 36, "hi-Latn": 36, "ur": 36}
LONGEST_SENTENCE_ELSE: Final = 34
MEAN_SENTENCE: Final = {"ta": 13.0, "te": 13.0, "kn": 13.0, "ml": 13.0, "hi": 20.0, "hi-Latn": 20.0, "ur": 20.0}
MEAN_SENTENCE_ELSE: Final = 18.0
PREVIEW: Final = 60
LEVELS: Final = ("now", "perhaps")
SHORTEST_PHRASE: Final = 3
NEEDED_FILLERS: Final = (
    "pvt",
    "ltd",
    "international",
    "overseas",
    "manpower",
    "service",
    "travel",
    "placement",
    "consultancy",
)
LETTERS: Final = "abcdefghijklmnopqrstuvwxyz"
STALE_AFTER: Final = timedelta(days=365)
SHOWN: Final = frozenset({"show", "show+caveat"})
CONFIDENCE: Final = frozenset({"high", "medium-high", "medium"})
#: The interface of the console; every other string exists in every locale that is offered.
CONSOLE_LOCALES: Final = frozenset({"en", "hi"})
#: How the ids of that interface begin. What responders choose from ("canned.") is read by people, so it is not of it.
FOR_RESPONDERS: Final = "console."
DISTRESS_TIME: Final = ("distress.", "slip.", "case.", "core.trouble", "person.", "canned.", "waiting.")
#: Words of pages and posters, which are fitted to their paper and are no choices.
ON_THE_WALL: Final = ("transit.page.", "transit.poster.", "transit.volunteer.")
READ_AT_ONCE: Final = (".answer", ".for_women", ".for_parents", ".for_children", ".for_abroad")
#: Messages that always name 112 and 1098.
ALWAYS_NAMED: Final = (
    "distress.first",
    "distress.escalated",
    "core.notice",
    "core.first_note",
    "near.first",
    "near.ask",
)
LESSON_PARTS: Final = ("text", "ask", "a", "b", "why")
#: What Telegram takes of a bot's name, texts and commands, in characters (Bot API 10.1).
TELEGRAM_LIMITS: Final = {
    "telegram.name": 64,
    "telegram.short": 120,
    "telegram.description": 512,
    "telegram.command.": 256,
}
INDIA: Final = ((6.0, 36.0), (68.0, 97.5))
KINDS: Final = frozenset({"station", "bus_stand", "crossing"})
_SENTENCE: Final = regex.compile(r"(?<=[\p{Sentence_Terminal}:;])\s+|\n+")
_WORD: Final = regex.compile(r"[\p{L}\p{M}\p{N}\u200c\u200d'.,-]*[\p{L}\p{N}][\p{L}\p{M}\p{N}\u200c\u200d'.,-]*")
_GRAPHEME: Final = regex.compile(r"\X")


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
        *_directory(content, root, today),
        *_schemes(content, root, today),
        *_courses(content, root),
        *_languages(content, root),
        *_danger(content, root),
        *_flags(content, root, today),
        *_firm_words(content, root),
        *pictures.problems(content, root),
    ]


def _messages(content: Content, root: Path) -> Iterator[str]:
    wanted = _wanted(content)
    sensitive = _sensitive(root)
    for code in content.locales:
        place = f"{root}/messages/{code}"
        for key in sorted(wanted - set(content.messages[code])):
            if not (key.startswith(FOR_RESPONDERS) and code not in CONSOLE_LOCALES):
                yield f"{place}: message {key!r} is missing; a person would see another language; write it"
        for key in sorted(set(content.messages[code]) - wanted):
            yield f"{_at(content, code, key, place)}: message {key!r} is not in the source locale; remove it or write it in en first"
        yield from _same_titles(content, code, place)
        for key, words in content.messages[code].items():
            at = _at(content, code, key, place)
            for problem in (
                *message_problems(key, words, content),
                *_preview(key, words, sensitive.get(code, sensitive["en"])),
                *_length(key, words, code),
            ):
                yield f"{at}: message {key!r} {problem}"


def _same_titles(content: Content, code: str, place: str) -> Iterator[str]:
    """Two choices of one list with the same words: WhatsApp refuses the list, and nobody could tell them apart."""
    for area in AREAS:
        seen: dict[str, str] = {}
        for topic in content.topics.values():
            title = content.messages[code].get(f"{topic.id}.title", topic.id)
            if topic.area == area and seen.setdefault(title, topic.id) != topic.id:
                at = _at(content, code, f"{topic.id}.title", place)
                yield f"{at}: message '{topic.id}.title' has the same words as {seen[title]}.title; tell them apart"


def _at(content: Content, code: str, key: str, place: str) -> str:
    file, line = content.lines.get((code, key), (place, 0))
    return f"{file}:{line}" if line else file


def _wanted(content: Content) -> set[str]:
    topics = {f"{topic}.{part}" for topic, part in product(content.topics, TOPIC_PARTS)}
    audiences = {f"{topic.id}.for_{name}" for topic in content.topics.values() for name in topic.audiences}
    areas = {f"area.{area}.{part}" for area, part in product(AREAS, ("label", "intro"))}
    states = {f"state.{code}.name" for code in content.states} | {f"state.{note.id}" for note in content.state_notes}
    schemes = {f"scheme.{scheme}.{part}" for scheme, part in product(content.schemes, ("name", "apply"))}
    rules = {f"rule.{item.rule}" for scheme in content.schemes.values() for item in scheme.criteria}
    provided = {f"provided.{scheme.provided}" for scheme in content.schemes.values() if scheme.provided}
    lines = {f"helpline.{line}" for line in content.helplines}
    flags = {f"flag.{flag}" for flag in content.red_flags.order}
    lessons = {
        f"lessons.{course.id}.{number}.{part}"
        for course in content.courses.values()
        for number, part in product(range(1, len(course.lessons) + 1), LESSON_PARTS)
    } | {f"lessons.{course}.label" for course in content.courses}
    lists = (topics, audiences, areas, states, schemes, rules, provided, lines, flags, lessons)
    return set(content.messages["en"]).union(*lists)


def message_problems(key: str, words: str, content: Content) -> Iterator[str]:
    """Yield what is wrong with the words of one message, in any locale: what, why, what to do."""
    if not words.strip():
        yield "is empty; a person would get an empty bubble; write it or '-'"
    source = content.messages["en"].get(key, words)
    if _placeholders(words) != _placeholders(source):
        yield f"has placeholders {sorted(_placeholders(words))}, the source has {sorted(_placeholders(source))}; use the same"
    limit, length = _limit(key), _visible(words) if key.endswith(READ_AT_ONCE) else len(words)
    if limit and length > limit:
        yield f"has {length} characters, at most {limit} fit; shorten it"
    missing = sorted(_numbers(source) - _numbers(words))
    if missing and not key.startswith("console."):
        yield f"leaves out the number {', '.join(missing)} of the source; a person would miss it; write it"
    added = sorted(_numbers(words) - _numbers(source))
    if added and not key.startswith("console."):
        yield f"names the number {', '.join(added)}, which is not in the source; correct it"
    if key in ALWAYS_NAMED:
        for number in ("112", "1098"):
            if number not in words:
                yield f"does not name {number}; it must; add it"


def _preview(key: str, words: str, sensitive: set[str]) -> Iterator[str]:
    if not key.startswith(DISTRESS_TIME) or key.endswith(".label"):
        return
    found = sorted(set(folded_words(words[:PREVIEW])) & sensitive)
    if found:
        yield f"shows {', '.join(found)} in its first {PREVIEW} characters; whoever holds the phone could read it on the lock screen; begin neutrally"


def _length(key: str, words: str, code: str) -> Iterator[str]:
    """Reading length of what is read first: few words to a sentence."""
    if not key.endswith(READ_AT_ONCE):
        return
    sentences = [count for part in _SENTENCE.split(words) if (count := len(_WORD.findall(part)))]
    longest, mean = max(sentences, default=0), sum(sentences) / max(len(sentences), 1)
    most, usual = LONGEST_SENTENCE.get(code, LONGEST_SENTENCE_ELSE), MEAN_SENTENCE.get(code, MEAN_SENTENCE_ELSE)
    if longest > most:
        yield f"has a sentence of {longest} words, at most {most} read well; make two of it"
    if mean > usual:
        yield f"has {mean:.1f} words to a sentence, at most {usual} read well; use shorter ones"


def _visible(words: str) -> int:
    return len(_GRAPHEME.findall(words))


def _limit(key: str) -> int:
    if key.startswith(("console.", "web.", *ON_THE_WALL)):
        return 0
    if limit := next((most for start, most in TELEGRAM_LIMITS.items() if key.startswith(start)), 0):
        return limit
    if key.endswith((".label", ".title")):
        return LONGEST_LABEL
    if key.endswith(READ_AT_ONCE):
        return LONGEST_ANSWER
    return LONGEST_PART if key.endswith((".steps", ".papers", ".where")) else LONGEST_MESSAGE


def _placeholders(words: str) -> set[str]:
    return {part.partition("}")[0] for part in words.split("{")[1:] if "}" in part}


def _numbers(words: str) -> set[str]:
    """The numbers in a text, without the numbering of lists."""
    text = regex.sub(r"^\s*\d+[.)]\s", " ", words, flags=regex.MULTILINE)
    return {found.replace(",", "").rstrip(".") for found in regex.findall(r"\d[\d,]*(?:\.\d+)?", text)}


def _sensitive(root: Path) -> dict[str, set[str]]:
    """Return locale → folded words that may not show; the English ones are understood everywhere."""
    rows = read(root / "sensitive.yaml").get("words") or {}
    folded = {code: {form for word in words for form in folded_words(str(word))} for code, words in rows.items()}
    return {code: words | folded["en"] for code, words in folded.items()}


def _topics(content: Content, root: Path, today: date) -> Iterator[str]:
    for topic in content.topics.values():
        place = f"{root}/topics/{topic.id}.yaml"
        if topic.area not in AREAS:
            yield f"{place}: area {topic.area!r} is unknown; use one of {', '.join(AREAS)}"
        if not topic.facts and not topic.unverified:
            yield f"{place}: states no fact; add one with its source, or say `unverified: true`"
        yield from _unknown(place, "related topic", topic.related, content.topics, "a choice would lead nowhere")
        yield from _unknown(place, "helpline", topic.helplines, content.helplines, "it is not in helplines.yaml")
        yield from _unknown(place, "audience", topic.audiences, AUDIENCES, f"use {', '.join(AUDIENCES)}")
        for fact in topic.facts:
            yield from _fact(place, fact, today)


def _unknown(place: str, what: str, names: Iterable[str], known: Container[str], why: str) -> Iterator[str]:
    for name in names:
        if name not in known:
            yield f"{place}: {what} {name!r} does not exist; {why}; correct or remove it"


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
        yield from _phrase(place, pattern)


def _phrase(place: str, pattern: Pattern) -> Iterator[str]:
    if not all(pattern.steps):
        yield f"{place}: {pattern.id} has a step without letters; it could never match; write a word"
    elif len(pattern.steps) == 1 and max(map(len, pattern.steps[0])) < SHORTEST_PHRASE:
        yield f"{place}: {pattern.id} is one word of fewer than {SHORTEST_PHRASE} letters once folded; it would match by chance; add a word"


def _flags(content: Content, root: Path, today: date) -> Iterator[str]:
    """Every warning sign rests on facts, has phrases in every language, and no phrase is for a sign that is not there."""
    place, flags = f"{root}/recruiters/red_flags.yaml", content.red_flags
    yield from _unknown(place, "sign", (*flags.urgent, *frozenset().union(*flags.together)), flags.order, "name a sign")
    yield from _unknown(place, "sign", (ABOVE_CAP,), flags.order, "the sums would not be told")
    for flag in flags.order:
        if not content.flag_facts[flag]:
            yield f"{place}: sign {flag} states no fact; add one with its source"
        for fact in content.flag_facts[flag]:
            yield from _fact(place, fact, today)
    found: dict[str, set[str]] = {}
    for pattern in (*flags.patterns, *flags.calming):
        code = pattern.id.partition(".")[0]
        here = f"{root}/recruiters/flags/{code}.yaml"
        yield from _unknown(here, "sign", (pattern.kind,), flags.order, "nothing would be told")
        yield from _phrase(here, pattern)
    for pattern in flags.patterns:
        found.setdefault(pattern.id.partition(".")[0], set()).add(pattern.kind)
    for code in {code.partition("-")[0] for code in content.locales}:
        missing = sorted(set(flags.order) - {ABOVE_CAP} - found.get(code, set()))
        if missing:
            yield f"{root}/recruiters/flags/{code}.yaml: has no phrase for {', '.join(missing)}; such offers would pass; add some"


def _firm_words(content: Content, root: Path) -> Iterator[str]:
    """Every language tells how the words of firms' names and the English letters are written, and nothing unknown."""
    folder = root / "recruiters" / "names"
    known = {kind: set(read(folder / "en.yaml").get(kind) or ()) for kind in FILLERS}
    languages = {code.partition("-")[0] for code, locale in content.locales.items() if locale.script != "Latn"}
    for language in sorted(languages):
        path = folder / f"{language}.yaml"
        if not path.exists():
            yield f"{path}: is missing; firms written in that script would not be found; copy the shape of hi.yaml"
            continue
        row = read(path)
        for kind in FILLERS:
            found = row.get(kind) or {}
            yield from _unknown(
                str(path), "filler", sorted(set(found) - {"and"}), known[kind] | {"of", "the"}, "nothing would mean it"
            )
        for needed in NEEDED_FILLERS:
            if not any(needed in (row.get(kind) or {}) for kind in FILLERS):
                yield f"{path}: has no spelling of {needed}; names with it would be taken for other firms; add some"
        letters = set(map(str, row.get("letters") or ()))
        if missing := sorted(set(LETTERS) - letters):
            yield f"{path}: does not tell how the letters {', '.join(missing)} are written; initials would not be read; add them"


def _helplines(content: Content, root: Path, today: date) -> Iterator[str]:
    place = f"{root}/directory/helplines.yaml"
    for line in content.helplines.values():
        yield from _fact(place, line.fact, today)
        for code in content.locales:
            if line.number not in content.messages[code].get(f"helpline.{line.id}", line.number):
                yield f"{root}/messages/{code}: message 'helpline.{line.id}' does not name {line.number}; it must; add it"
    for needed in ("emergency_112", "child_1098"):
        if needed not in content.helplines:
            yield f"{place}: {needed} is missing; it must always be reachable; restore it"


def _directory(content: Content, root: Path, today: date) -> Iterator[str]:
    place = f"{root}/directory/states.yaml"
    for note in content.state_notes:
        if not note.facts:
            yield f"{place}: note {note.id} states no fact; add one with its source"
        yield from _unknown(place, f"note {note.id}: topic", note.topics, content.topics, "nobody would see it")
        for fact in note.facts:
            yield from _fact(place, fact, today)
    for number, district in enumerate(content.districts, 2):
        if district.state not in content.states:
            yield f"{root}/directory/districts.csv:{number}: state {district.state!r} is not in states.yaml; correct it"
    for number, station in enumerate(content.stations, 2):
        if not _in_india(station) or (station.state and station.state not in content.states):
            yield f"{root}/directory/stations.csv:{number}: {station.code} lies outside India, or in a state that is not in states.yaml; correct it"
    yield from _sources(root, today)
    districts = {(district.name, district.state) for district in content.districts}
    for point in content.places.values():
        yield from _point(f"{root}/directory/transit_points.yaml: {point.code}", point, districts, content)


def _sources(root: Path, today: date) -> Iterator[str]:
    """Every table and every hand-made point says where it comes from and when that was read."""
    folder = root / "directory"
    rows = {row["file"]: row for row in read(folder / "sources.yaml").get("sources") or ()}
    for file in sorted(path.name for path in folder.glob("*.csv")):
        if file not in rows:
            yield f"{folder}/sources.yaml: {file} has no source; say where it comes from"
    points = read(folder / "transit_points.yaml").get("transit_points") or ()
    for name, row in (*rows.items(), *((str(point.get("code")), point) for point in points)):
        read_on = row.get("verified_on")
        if not row.get("source") or not isinstance(read_on, date):
            yield f"{folder}: {name} has no source or no verified_on; a person could not check it; add both"
        elif today - read_on > STALE_AFTER:
            yield f"{folder}: {name} was verified on {read_on}, more than {STALE_AFTER.days} days ago; check it again"


def _point(place: str, point: Place, districts: Container[tuple[str, str]], content: Content) -> Iterator[str]:
    if point.kind not in KINDS:
        yield f"{place} has the kind {point.kind!r}; use {', '.join(sorted(KINDS))}"
    if not _in_india(point):
        yield f"{place} lies outside India; correct latitude and longitude"
    if (point.district, point.state) not in districts:
        yield f"{place} names the district {point.district!r} in {point.state!r}, which is not in districts.csv; correct one"
    yield from _unknown(place, "locale", point.locales, content.locales, "it is not offered")
    yield from _names(place, point, content)


def _names(place: str, point: Place, content: Content) -> Iterator[str]:
    """A poster is headed in the languages heard there; the English name stands under `name`."""
    yield from _unknown(place, "names: locale", point.names, content.locales, "nobody would read it")
    if missing := unnamed(point.names, point.locales, content):
        yield f"{place} has no name in {', '.join(missing)}, heard there; its poster would be headed in English; add it to names"
    for code, name in point.names.items():
        locale = content.locales.get(code)
        if code == "en":
            yield f"{place} has an English name under names; its English name stands under name; remove one"
        elif not name:
            yield f"{place} has an empty name in {code}; write it or remove {code}"
        elif locale and script_of(name) != locale.script:
            yield f"{place} is named {name!r} in {code}, which is written in {locale.script}; correct it"


def _in_india(place: Place) -> bool:
    (south, north), (west, east) = INDIA
    return south < (place.latitude or 0) < north and west < (place.longitude or 0) < east


def _courses(content: Content, root: Path) -> Iterator[str]:
    """A lesson says only what its topic may say: its facts are among the topic's own, which are checked there."""
    for course in content.courses.values():
        for number, lesson in enumerate(course.lessons, 1):
            at = f"{root}/campaigns/{course.id}.yaml: lesson {number}"
            topic = content.topics.get(lesson.topic)
            if not topic:
                yield f"{at} names topic {lesson.topic!r}, which is not there; name one of content/topics"
                continue
            for fact in sorted(set(lesson.facts) - {fact.id for fact in topic.facts}):
                yield f"{at} rests on fact {fact}, which topic {topic.id} does not have; put it there or use its own"
            if lesson.right not in {"a", "b"}:
                yield f"{at}: the right answer is {lesson.right!r}; write a or b"


def _schemes(content: Content, root: Path, today: date) -> Iterator[str]:
    for scheme in content.schemes.values():
        place = f"{root}/schemes/{scheme.id}.yaml"
        if scheme.topic not in content.topics:
            yield f"{place}: topic {scheme.topic!r} does not exist; its papers could not be shown; correct it"
        if not scheme.criteria:
            yield f"{place}: has no criteria; it would fit everybody; add one"
        if not scheme.facts:
            yield f"{place}: states no fact; add one with its source"
        for fact in scheme.facts:
            yield from _fact(place, fact, today)


def _languages(content: Content, root: Path) -> Iterator[str]:
    place = f"{root}/locales.yaml"
    for locale in content.locales.values():
        yield from _locale(place, locale, content)
    for other in content.others.values():
        for code in other.nearest:
            if code not in content.locales:
                yield f"{place}: {other.code} names the nearest locale {code!r}, which is not offered; remove it"
        if not other.script and not other.markers:
            yield f"{place}: {other.code} has neither script nor markers; nobody would be known by it; add one"
    for sign, choice in content.pictures.items():
        if choice.partition(":")[0] not in {"c", "a", "t"}:
            yield f"{root}/commands.yaml: picture {sign} leads to {choice!r}; use c:, a: or t:"


def _locale(place: str, locale: Locale, content: Content) -> Iterator[str]:
    if locale.direction not in {"ltr", "rtl"}:
        yield f"{place}: {locale.code} has the direction {locale.direction!r}; use ltr or rtl"
    if locale.status not in {"draft", "released"}:
        yield f"{place}: {locale.code} has the status {locale.status!r}; use draft or released"
    if locale.fallback and locale.fallback not in content.locales:
        yield f"{place}: {locale.code} falls back to {locale.fallback!r}, which is not offered; correct it"
    if locale.code != "en" and not locale.fallback:
        yield f"{place}: {locale.code} has no fallback; a missing message would stop an answer; write en"
