"""Finds a State, a district or a station in what a person wrote, in any script, and the nearest station to a point."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from rapidfuzz import fuzz, process

from bot.content.model import Content, District, Place
from bot.domain.words import folded_words

EARTH_KM: Final = 6371.0
MOST_WORDS: Final = 12
LONGEST_NAME: Final = 4
LONGEST_CODE: Final = 5
SHORTEST_CODE_AMONG_WORDS: Final = 3
THE_SAME: Final = 100
NEVER: Final = 101
#: How alike two names must be, 0 to 100, once their consonants agree; and where the consonants are few or differ.
ALIKE: Final = 70
ALIKE_SHORT: Final = 80
ALIKE_AMONG_WORDS: Final = 92
SHORTEST_AMONG_WORDS: Final = 4
SHORTEST_UNLIKE: Final = 6
ALIKE_UNSURE: Final = 82
FEW_CONSONANTS: Final = 2
SHORT_NAME: Final = 5
SHORTEST_UNSURE: Final = 5
#: A small station is looked for in a message of few words, or under a name this long that is nearly exact.
FEW_WORDS: Final = 2
LONG_NAME: Final = 6
NEARLY_EXACT: Final = 92
#: Beginnings of folded words that say "station", "railway", "police" or "district" in our languages.
GENERIC: Final = (
    "stes",
    "stas",
    "stati",
    "relv",
    "reilv",
    "railv",
    "pulis",
    "polis",
    "polic",
    "jila",
    "jill",
    "distr",
    "jankson",
    "rajia",
)
#: "Junction" as our scripts fold it: whole words, for a town may begin like one (Santipur).
JUNCTION: Final = frozenset({"jankasan", "janksan", "jansan", "jangsan", "jnksn", "santipu"})
#: Beyond this many kilometres from the nearest station known, a point is not in India.
FAR_KM: Final = 400.0
STATION: Final = "station"
#: A bus stand or crossing counts as the place where a person is within this many kilometres.
AT_HAND_KM: Final = 2.0
#: So near to a crossing somebody is near a border.
BORDER_KM: Final = 25.0
CROSSING: Final = "crossing"
#: Spaces of the grid in which stations are looked up, in degrees.
CELL: Final = 1.0
SMALL_WORDS: Final = frozenset(
    {"jn", "junction", "halt", "h", "central", "terminus", "terminal", "cantt", "cant", "ksr"}
)
VOWELS: Final = frozenset("aeiou")
ALIKE_SOUNDS: Final = {"d": "r", "n": "m", "c": "s"}


@dataclass(frozen=True, slots=True)
class Near:
    """A station and its distance from the point asked for, in kilometres."""

    place: Place
    km: float


@dataclass(frozen=True, slots=True)
class Found:
    """What a text named: at most one of each."""

    station: Place | None = None
    district: District | None = None
    state: str = ""

    def __bool__(self) -> bool:
        return bool(self.station or self.district or self.state)


class Gazetteer:
    """Built once from the content; names are compared on their folded Latin form."""

    def __init__(self, content: Content) -> None:
        """Index every name."""
        self._states = _Names()
        for code, state in content.states.items():
            own = {content.messages[locale].get(f"state.{code}.name", "") for locale in content.locales}
            for name in (*own, *state.aliases):
                self._states.add(name, code)
        self._districts = _Names()
        for number, district in enumerate(content.districts):
            for name in (district.name, *district.aliases):
                self._districts.add(name, str(number))
        self._content = content
        self._main, self._stations = _Names(), _Names()
        self._by_code: dict[str, Place] = {}
        self._grid: dict[tuple[int, int], list[Place]] = defaultdict(list)
        for place in _all_places(content):
            self._by_code[place.code.casefold()] = place
            names = self._main if place.poster else self._stations
            for name in (_plain(place.name), *place.aliases, *map(_telling, place.names.values())):
                names.add(name, place.code.casefold())
            self._grid[_cell(place.latitude or 0.0, place.longitude or 0.0)].append(place)
        self._crossings = [place for place in self._by_code.values() if place.kind == CROSSING]

    def place(self, code: str) -> Place | None:
        """Return the place of exactly this code."""
        return self._by_code.get(code.casefold())

    def find(self, text: str) -> Found:
        """Return what *text* names: a station by its code or name, a district, a State. The longest name wins."""
        by_code = self._code(text)
        if by_code:
            return Found(by_code, None, by_code.state)
        words = tuple(filter(_tells, folded_words(text)[:MOST_WORDS]))
        state, district = self._states.find(words), self._districts.find(words)
        station = self._main.find(words)
        if not state and not district and not station:
            station = self._stations.find(words, rare=True)
        if not state and not district and not station:
            state, district = self._states.guess(words), self._districts.guess(words)
            station = self._main.guess(words)
        return self._best(state, district, station)

    def _best(self, state: _Match | None, district: _Match | None, station: _Match | None) -> Found:
        longest = max((match.length for match in (state, district, station) if match), default=0)
        if state and state.length == longest:
            return Found(None, None, state.value)
        named = self._content.districts[int(district.value)] if district else None
        place = self._by_code[station.value] if station and station.length == longest else None
        if named and district and district.length == longest:
            return Found(place, named, named.state)
        return Found(place, None, place.state if place else "")

    def is_place(self, text: str) -> bool:
        """Say whether *text*, unasked, is nothing but the name or code of a place, nearly letter for letter."""
        words = tuple(filter(_tells, folded_words(text)[:MOST_WORDS]))
        typed = "".join(words)
        bare = text.strip()
        if bare.isupper() and bare.casefold() in self._by_code:
            return True
        if len(typed) < SHORTEST_UNSURE:
            return False
        return any(names.holds(typed, ALIKE_UNSURE) for names in (self._states, self._districts, self._main))

    def state(self, text: str) -> str:
        """Return the code of the State that *text* names, or of the one its district lies in; "" if none."""
        found = self._states.find(folded_words(text)[:MOST_WORDS])
        if found:
            return found.value
        code = text.strip().upper()
        return code if code in self._content.states else self.find(text).state

    def nearest(self, latitude: float, longitude: float) -> Near | None:
        """Return the bus stand or crossing a person stands at, else the nearest station.

        None when there is no station for 400 km: the point is not in India.
        """
        row, column = _cell(latitude, longitude)
        for reach in (1, 2, 4):
            found = [
                Near(place, _km(latitude, longitude, place))
                for at_row in range(row - reach, row + reach + 1)
                for at_column in range(column - reach, column + reach + 1)
                for place in self._grid.get((at_row, at_column), ())
            ]
            near = [item for item in found if item.place.kind == STATION or item.km <= AT_HAND_KM]
            if near:
                best = min(near, key=lambda item: item.km)
                return best if best.km <= FAR_KM else None
        return None

    def is_near_crossing(self, latitude: float, longitude: float) -> bool:
        """Say whether a border crossing that we know is near. We do not know them all: False says nothing."""
        return any(_km(latitude, longitude, place) <= BORDER_KM for place in self._crossings)

    def _code(self, text: str) -> Place | None:
        """A code stands alone, or in capitals among other words."""
        words = text.split()
        alone = len(words) == 1
        for word in words[:MOST_WORDS]:
            bare = word.strip(".,;()")
            if bare.isascii() and bare.isalpha() and len(bare) <= LONGEST_CODE and (alone or _is_code(bare)):
                place = self._by_code.get(bare.casefold())
                if place and (bare.isupper() or not self._names_something(bare)):
                    return place
        return None

    def _names_something(self, word: str) -> bool:
        words = folded_words(word)
        return bool(self._districts.find(words) or self._states.find(words))


@dataclass(frozen=True, slots=True)
class _Match:
    """What a name stands for, and how many folded letters of the text it covers."""

    length: int
    alike: float
    value: str


class _Names:
    """Names by their consonants, so that spellings and scripts that sound alike meet."""

    def __init__(self) -> None:
        self._by_bones: dict[str, list[tuple[str, str]]] = defaultdict(list)
        self._all: dict[str, str] = {}

    def add(self, name: str, value: str) -> None:
        folded = "".join(folded_words(name))
        if folded:
            self._by_bones[_bones(folded)].append((folded, value))
            self._all.setdefault(folded, value)

    def find(self, words: tuple[str, ...], *, rare: bool = False) -> _Match | None:
        """Return the best match of up to four words that stand together; *rare* names need few words or a long name."""
        found = [
            _Match(len(typed), alike, value)
            for typed in _runs(words)
            for folded, value in self._by_bones.get(_bones(typed), ())
            if (alike := fuzz.ratio(typed, folded)) >= _least(typed, words)
            and (not rare or len(words) <= FEW_WORDS or (len(typed) >= LONG_NAME and alike >= NEARLY_EXACT))
        ]
        return max(found, key=lambda match: (match.length, match.alike), default=None)

    def holds(self, typed: str, least: int) -> bool:
        """Say whether one of the names is at least this much like *typed*."""
        return process.extractOne(typed, self._all.keys(), scorer=fuzz.ratio, score_cutoff=least) is not None

    def guess(self, words: tuple[str, ...]) -> _Match | None:
        """Return the name that is spelt most alike, for a message of few words whose consonants meet none."""
        typed = "".join(words)
        if len(words) > FEW_WORDS or len(typed) < SHORTEST_UNSURE:
            return None
        best = process.extractOne(typed, self._all.keys(), scorer=fuzz.ratio, score_cutoff=ALIKE_UNSURE)
        return _Match(len(typed), best[1], self._all[best[0]]) if best else None


def _is_code(word: str) -> bool:
    return word.isupper() and len(word) >= SHORTEST_CODE_AMONG_WORDS


def _runs(words: tuple[str, ...]) -> Iterable[str]:
    for start in range(len(words)):
        for end in range(start + 1, min(start + LONGEST_NAME, len(words)) + 1):
            yield "".join(words[start:end])


def _least(typed: str, words: tuple[str, ...]) -> int:
    """How alike a name must be: nearly the same among other words, where a short word is no name at all."""
    if len(words) > LONGEST_NAME - 1:
        if len(typed) < SHORTEST_AMONG_WORDS:
            return NEVER
        return ALIKE_AMONG_WORDS if len(typed) >= SHORTEST_UNLIKE else THE_SAME
    short = len(_bones(typed)) <= FEW_CONSONANTS or len(typed) <= SHORT_NAME
    return ALIKE_SHORT if short else ALIKE


def _all_places(content: Content) -> Iterable[Place]:
    """Every station once; what the hand-made list of transit points says wins."""
    known = {place.code: place for place in content.stations}
    known.update(content.places)
    return known.values()


def _plain(name: str) -> str:
    """Drop what people leave out: "Jn", "Cantt" and the like say nothing about the place."""
    kept = [word for word in name.split() if word.casefold().strip(".") not in SMALL_WORDS]
    return " ".join(kept)


def _tells(folded: str) -> bool:
    """Say whether a folded word tells one place from another; "station" and "junction" do not."""
    return not folded.startswith(GENERIC) and folded not in JUNCTION


def _telling(name: str) -> str:
    """Drop from a name in any script the words that are not looked for in a text either."""
    return " ".join(word for word in name.split() if all(map(_tells, folded_words(word))))


def _bones(folded: str) -> str:
    """The consonants: vowels, a breathed end, and sounds that scripts write alike differ from spelling to spelling."""
    folded = folded.rstrip("hv") or folded
    return "".join(ALIKE_SOUNDS.get(char, char) for at, char in enumerate(folded) if at == 0 or char not in VOWELS)


def _cell(latitude: float, longitude: float) -> tuple[int, int]:
    return math.floor(latitude / CELL), math.floor(longitude / CELL)


def _km(latitude: float, longitude: float, place: Place) -> float:
    """Great-circle distance (haversine)."""
    one, two = math.radians(latitude), math.radians(place.latitude or 0.0)
    across = math.radians((place.longitude or 0.0) - longitude)
    half = math.sin((two - one) / 2) ** 2 + math.cos(one) * math.cos(two) * math.sin(across / 2) ** 2
    return 2 * EARTH_KM * math.asin(math.sqrt(half))
