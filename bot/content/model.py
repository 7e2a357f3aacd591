"""Content as frozen values: what we say, the facts we rely on, the words that mean danger."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date

from bot.domain.firm_words import FirmWords
from bot.domain.hunch import Hunch
from bot.domain.offers import RedFlags
from bot.domain.patterns import Pattern

AREAS = ("rights", "overseas", "prevention", "schemes", "documents")
TOPIC_PARTS = ("title", "answer", "steps", "papers", "where")
AUDIENCES = ("women", "parents", "children", "abroad")
NONE_APPLIES = "-"


def alt_of(picture: str) -> str:
    """Return the id of the message that says what a picture of ours shows."""
    return f"picture.{picture}.alt"


@dataclass(frozen=True, slots=True)
class Locale:
    """A language we answer in: code, its own name for itself, script (ISO 15924), fallback, released or draft.

    `markers` are folded everyday words that tell it from other languages in the same script.
    """

    code: str
    own_name: str
    script: str
    direction: str
    fallback: str
    status: str
    markers: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class OtherLanguage:
    """A language we do not write in: its own name, the locales nearest to it (nearest first), how to know it.

    `script` is the name Unicode gives to its letters ("OL CHIKI") where no locale is written in them, else "";
    one of the `signs` or two of the `markers`, folded everyday words, tell it from those that share its script.
    """

    code: str
    own_name: str
    nearest: tuple[str, ...]
    script: str = ""
    markers: tuple[str, ...] = ()
    signs: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Fact:
    """A dated, sourced statement; `show` is `show` or `show+caveat`, never `hold`."""

    id: str
    statement: str
    source: str
    url: str
    verified_on: date
    confidence: str
    show: str
    valid_from: date | None = None
    valid_to: date | None = None


@dataclass(frozen=True, slots=True)
class Topic:
    """One question people ask: the facts behind its answer, helplines, related topics. No words."""

    id: str
    area: str
    facts: tuple[Fact, ...]
    helplines: tuple[str, ...]
    related: tuple[str, ...]
    unverified: bool = False
    audiences: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Criterion:
    """One condition of a scheme: the named predicate of `dialogue.eligibility`, and the ages it may need.

    `also`: an answer about the family that meets it too ("old": someone of 70 or more lives there).
    """

    rule: str
    ages: tuple[int, int] | None = None
    also: str = ""


@dataclass(frozen=True, slots=True)
class Scheme:
    """A scheme of the finder: its topic, the conditions that all must hold, what we cannot ask (`provided`), facts.

    `rank` orders the answers: what helps most people most comes first.
    """

    id: str
    topic: str
    rank: int
    criteria: tuple[Criterion, ...]
    provided: str
    facts: tuple[Fact, ...]


@dataclass(frozen=True, slots=True)
class StateNote:
    """Something that holds in one State only: message `state.<id>`, said under the topics named, with its facts."""

    id: str
    state: str
    topics: tuple[str, ...]
    facts: tuple[Fact, ...]


@dataclass(frozen=True, slots=True)
class State:
    """A State or Union Territory: our code, and other names people use."""

    code: str
    aliases: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class District:
    """A district, its State's code, and other spellings of its name."""

    name: str
    state: str
    aliases: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Helpline:
    """A number that may be shown, with the fact that says so."""

    id: str
    number: str
    fact: Fact


@dataclass(frozen=True, slots=True)
class Danger:
    """Danger patterns of every locale, words that take a match back, silent-mode phrases, the learned weights."""

    patterns: tuple[Pattern, ...] = ()
    calming: tuple[Pattern, ...] = ()
    silent: tuple[Pattern, ...] = ()
    minor: tuple[Pattern, ...] = ()
    hunch: Hunch = field(default_factory=Hunch)


@dataclass(frozen=True, slots=True)
class Place:
    """A transit point: its code, name, kind (station, bus_stand, crossing), where it lies, languages heard there.

    `poster`: its code may stand on a poster. Latitude and longitude in degrees; `state` "" where not known.
    `name` is the English one, `names` holds others by locale.
    """

    code: str
    name: str
    kind: str
    district: str
    locales: tuple[str, ...]
    state: str = ""
    latitude: float | None = None
    longitude: float | None = None
    poster: bool = True
    aliases: tuple[str, ...] = ()
    names: Mapping[str, str] = field(default_factory=dict)

    def named(self, locale: str) -> str:
        """Return its name in *locale*, else in English."""
        return self.names.get(locale) or self.name


@dataclass(frozen=True, slots=True)
class Lesson:
    """One small lesson: the topic that tells more, which of its facts the words rest on, the right answer's letter."""

    topic: str
    facts: tuple[str, ...]
    right: str


@dataclass(frozen=True, slots=True)
class Course:
    """Lessons in their order, one a day. Words of the third: `lessons.<id>.3.text`, `.ask`, `.a`, `.b`, `.why`."""

    id: str
    lessons: tuple[Lesson, ...]


@dataclass(frozen=True, slots=True)
class Content:
    """Everything under content/, loaded and checked. `messages` is locale → message id → words.

    `places` are the points whose codes may stand on posters, `stations` every railway station we know; `lines` tells
    the file and the line of (locale, message id), for authors; `pictures` which emoji stands for which choice;
    `flag_facts` what each warning sign in an offer rests on; `shown_with` the name of the picture that goes out with a
    message, by the message's id.
    """

    locales: Mapping[str, Locale]
    messages: Mapping[str, Mapping[str, str]]
    topics: Mapping[str, Topic]
    helplines: Mapping[str, Helpline]
    danger: Danger
    commands: Mapping[str, str] = field(default_factory=dict)
    numbers: Mapping[str, int] = field(default_factory=dict)
    places: Mapping[str, Place] = field(default_factory=dict)
    statuses: Mapping[tuple[str, str], str] = field(default_factory=dict)
    others: Mapping[str, OtherLanguage] = field(default_factory=dict)
    schemes: Mapping[str, Scheme] = field(default_factory=dict)
    states: Mapping[str, State] = field(default_factory=dict)
    state_notes: tuple[StateNote, ...] = ()
    districts: tuple[District, ...] = ()
    stations: tuple[Place, ...] = ()
    lines: Mapping[tuple[str, str], tuple[str, int]] = field(default_factory=dict)
    pictures: Mapping[str, str] = field(default_factory=dict)
    red_flags: RedFlags = field(default_factory=RedFlags)
    flag_facts: Mapping[str, tuple[Fact, ...]] = field(default_factory=dict)
    firm_words: FirmWords = field(default_factory=FirmWords)
    courses: Mapping[str, Course] = field(default_factory=dict)
    shown_with: Mapping[str, str] = field(default_factory=dict)

    def words(self, locale: str, message_id: str) -> str:
        """Return the words of a message in *locale*, else in its fallbacks. Raise KeyError if nobody has them."""
        tried = locale
        while True:
            found = self.messages.get(tried, {}).get(message_id)
            if found is not None:
                return found
            if tried not in self.locales or not self.locales[tried].fallback:
                raise KeyError(message_id)
            tried = self.locales[tried].fallback

    def area_of(self, message_id: str) -> str:
        """Return the area a message belongs to: the name of the file that holds its English words."""
        return self.lines.get(("en", message_id), ("", 0))[0].rpartition("/")[2].partition(".")[0]

    def with_words(self, words: Mapping[str, Mapping[str, str]]) -> Content:
        """Return this content with other words for some messages; what is not offered here is left out."""
        known = {code: new for code, new in words.items() if code in self.messages}
        return replace(
            self, messages={**self.messages, **{code: {**self.messages[code], **new} for code, new in known.items()}}
        )

    def with_statuses(self, statuses: Mapping[str, str]) -> Content:
        """Return this content with other statuses of its locales."""
        return replace(
            self,
            locales={code: replace(locale, status=statuses[code]) for code, locale in self.locales.items()},
        )

    def has(self, locale: str, message_id: str) -> bool:
        """Say whether *locale* has its own words for a message."""
        return message_id in self.messages.get(locale, {})
