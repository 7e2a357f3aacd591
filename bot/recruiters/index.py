"""An index over the lists of recruiters: by licence, phone, e-mail, and name in any script; frozen once built."""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Iterable
from typing import Final

from rapidfuzz import fuzz
from rapidfuzz.distance import OSA

from bot.domain.agencies import Agency
from bot.recruiters.extract import PHONE_DIGITS, email_key, licence_key, phone_key
from bot.recruiters.names import FILLER_WEIGHT, Name, is_asking, keys, name_of, words_of

MOST_CANDIDATES: Final = 200
MOST_COMMON: Final = 400
LEAST_SHARED: Final = 2
CROSS_SCRIPT: Final = 84.0
CROSS_SCRIPT_FORMS: Final = 70.0
#: Two telling words one letter apart are near, however short.
ONE_LETTER: Final = 87.0
LEAST_LETTERS: Final = 4
#: Shorter licence numbers are looked up, but never guessed at.
LEAST_LICENCE: Final = 8
_HALF: Final = 8
_SOUNDED: Final = frozenset("iuo")
_VOWELS: Final = frozenset("aeiou")


class Index:
    """Look-ups return agencies; scores run from 0 to 100. Nothing changes after `__init__`."""

    def __init__(self, agencies: Iterable[Agency]) -> None:
        """Index *agencies*: time and memory grow with their number, about 30 keys each."""
        self._agencies = tuple(agencies)
        self._names = tuple(name_of(words_of(agency.name)) for agency in self._agencies)
        self._licences: dict[str, array[int]] = {}
        self._licence_parts: dict[str, list[str]] = {}
        self._phones: dict[str, array[int]] = {}
        self._emails: dict[str, array[int]] = {}
        self._cores: dict[str, array[int]] = {}
        self._keys: dict[str, array[int]] = {}
        self._places: set[str] = set()
        for at, agency in enumerate(self._agencies):
            self._add_details(at, agency)
            self._add_name(at, self._names[at])
        for key in self._licences:
            for part in _parts(key, len(key)):
                self._licence_parts.setdefault(part, []).append(key)

    def __len__(self) -> int:
        return len(self._agencies)

    def by_licence(self, licence: str) -> list[Agency]:
        """Return the agencies with exactly this licence number, as `licence_key` writes it."""
        return self._all(self._licences.get(licence, ()))

    def near_licence(self, licence: str) -> list[Agency]:
        """Return the agencies whose licence number is one character or one swap off."""
        if len(licence) < LEAST_LICENCE:
            return []
        tried = {
            key
            for length in (len(licence) - 1, len(licence), len(licence) + 1)
            for part in _parts(licence, length)
            for key in self._licence_parts.get(part, ())
        }
        near = sorted(key for key in tried if OSA.distance(key, licence, score_cutoff=1) == 1)
        return self._all(at for key in near for at in self._licences[key])

    def by_phone(self, phone: str) -> list[Agency]:
        """Return the agencies with exactly this phone number of ten digits."""
        return self._all(self._phones.get(phone, ()))

    def near_phone(self, phone: str) -> list[Agency]:
        """Return the agencies whose phone number is one digit or one swap off; *phone* has 9 to 11 digits."""
        return self._all(at for other in sorted(_one_off(phone)) for at in self._phones.get(other, ()))

    def by_email(self, email: str) -> list[Agency]:
        """Return the agencies with exactly this e-mail address."""
        return self._all(self._emails.get(email, ()))

    def by_core(self, *cores: str) -> list[tuple[Name, Agency]]:
        """Return (name, agency) of the agencies whose telling words are, or sound like, one of *cores*; unchecked."""
        found = dict.fromkeys(at for core in cores if core for at in self._cores.get(core, ()))
        return [(self._names[at], self._agencies[at]) for at in found]

    def by_name(self, name: Name) -> list[tuple[float, Agency]]:
        """Return (score, agency) of the names nearest to *name*, best first; nothing for fillers alone."""
        if not name.core:
            return []
        shared: Counter[int] = Counter()
        for key in keys(name):
            places = self._keys.get(key, ())
            if len(places) <= MOST_COMMON or not key.startswith("g:"):
                shared.update(places)
        best = [at for at, count in shared.most_common(MOST_CANDIDATES) if count >= LEAST_SHARED]
        scored = [(similarity(name, self._names[at]), self._agencies[at]) for at in best]
        return sorted(scored, key=lambda pair: -pair[0])

    def knows_place(self, folded: str) -> bool:
        """Say whether a folded word stands in the place of any agency."""
        return folded in self._places

    def _add_details(self, at: int, agency: Agency) -> None:
        if key := licence_key(agency.licence):
            _put(self._licences, key, at)
        for phone in agency.phones:
            if len(key := phone_key(phone)) == PHONE_DIGITS:
                _put(self._phones, key, at)
        for email in agency.emails:
            _put(self._emails, email_key(email), at)
        self._places.update(word.folded for word in words_of(agency.place) if not is_asking(word))

    def _add_name(self, at: int, name: Name) -> None:
        for core in {name.plain_text, name.core_text, name.bones_text} if name.core else {whole_key(name)}:
            _put(self._cores, core, at)
        for key in keys(name) if name.core else ():
            _put(self._keys, key, at)

    def _all(self, places: Iterable[int]) -> list[Agency]:
        return [self._agencies[at] for at in places]


def whole_key(name: Name) -> str:
    """Return what a name of fillers only is found by: all its words in order."""
    return f"={name.text}"


def same_name(asked: Name, known: Name) -> bool:
    """Say whether *asked* is surely *known* as listed.

    The telling words agree as written (across scripts: as sounded), the trade words agree, and *asked* claims no legal
    form that the list does not have. Leaving out "Pvt Ltd" is how people talk; adding it is another firm.
    """
    if not known.core or not asked.core:
        return len(known.words) > 1 and asked.words == known.words
    if asked.trade != known.trade or not asked.legal <= known.legal | {"co"}:
        return False
    if any(loose not in asked.loose for loose in known.loose):
        return False
    if asked.script == known.script != "mixed":
        return asked.plain_text == known.plain_text
    return _sounds_same(asked, known)


def closeness(left: Name, right: Name) -> float:
    """Return how alike the telling words of two names are, 0 to 100."""
    return fuzz.ratio(left.core_text, right.core_text)


def similarity(left: Name, right: Name) -> float:
    """Return how alike two names are: mostly by their telling words, a little by legal forms and fillers."""
    if not left.core or not right.core:
        return 0.0
    core = 100.0 if left.core_text == right.core_text else _core(left, right)
    whole = 100.0 if left.fillers == right.fillers else fuzz.token_sort_ratio(left.text, right.text)
    if left.script != right.script and len(left.words) == len(right.words) and whole >= CROSS_SCRIPT_FORMS:
        whole = 100.0
    return (core + FILLER_WEIGHT * whole) / (1 + FILLER_WEIGHT)


def _core(left: Name, right: Name) -> float:
    near = max(
        fuzz.ratio(left.core_text, right.core_text),
        fuzz.token_sort_ratio(" ".join(left.core), " ".join(right.core)),
    )
    if left.script != right.script and near >= CROSS_SCRIPT and left.bones_text == right.bones_text:
        return 100.0
    if left.script != right.script and near >= CROSS_SCRIPT_FORMS and left.bones_text == right.bones_text:
        return max(near, ONE_LETTER)
    long_enough = min(len(left.core_text), len(right.core_text)) >= LEAST_LETTERS
    if near < ONE_LETTER and long_enough and OSA.distance(left.core_text, right.core_text, score_cutoff=1) == 1:
        return ONE_LETTER
    return near


def _sounds_same(asked: Name, known: Name) -> bool:
    """Across scripts: the same folded letters, or the same consonants, ending and nearly the same vowels."""
    if asked.core_text == known.core_text:
        return True
    return (
        asked.bones_text == known.bones_text
        and _ending(asked) == _ending(known)
        and fuzz.ratio(asked.core_text, known.core_text) >= CROSS_SCRIPT
    )


def _ending(name: Name) -> str:
    """Return the last vowel if it is one that is always heard: it tells "Sanjeevani" from "Sanjeevan"."""
    before, last = name.core_text[-2:-1], name.core_text[-1:]
    return last if last in _SOUNDED and before not in _VOWELS else ""


def _parts(key: str, length: int) -> tuple[str, str]:
    """Return the beginning and the end of a licence number: one error leaves one of them whole."""
    size = min(_HALF, max(2, length // 2 - 1))
    return f"^{size}{key[:size]}", f"${size}{key[-size:]}"


def _one_off(phone: str) -> set[str]:
    """Return the numbers of ten digits one digit changed, lost, added or two swapped away from *phone*."""
    digits, size = "0123456789", len(phone)
    if size == PHONE_DIGITS - 1:
        return {phone[:at] + digit + phone[at:] for at in range(size + 1) for digit in digits}
    if size == PHONE_DIGITS + 1:
        return {phone[:at] + phone[at + 1 :] for at in range(size)}
    changed = {phone[:at] + digit + phone[at + 1 :] for at in range(size) for digit in digits}
    swapped = {phone[:at] + phone[at + 1] + phone[at] + phone[at + 2 :] for at in range(size - 1)}
    return (changed | swapped) - {phone}


def _put(table: dict[str, array[int]], key: str, at: int) -> None:
    places = table.get(key)
    if places is None:
        table[key] = array("I", (at,))
    elif places[-1] != at:
        places.append(at)
