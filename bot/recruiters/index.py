"""An index over the lists of recruiters: by licence, by phone, by name in any script; frozen once built."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable

from rapidfuzz import fuzz
from rapidfuzz.distance import Levenshtein

from bot.domain import text as forms
from bot.domain.agencies import Agency
from bot.recruiters.extract import licence_key, phone_key
from bot.recruiters.names import FILLER_WEIGHT, Name, keys, read_name

MOST_CANDIDATES = 200
MOST_COMMON = 400
LEAST_SHARED = 2
CROSS_SCRIPT = 84.0
CROSS_SCRIPT_FORMS = 70.0


class Index:
    """Look-ups return agencies; scores run from 0 to 100."""

    def __init__(self, agencies: Iterable[Agency]) -> None:
        """Index *agencies*: about 30 keys each."""
        self._agencies = tuple(agencies)
        self._names = tuple(read_name(agency.name) for agency in self._agencies)
        self._licences: dict[str, list[int]] = defaultdict(list)
        self._phones: dict[str, list[int]] = defaultdict(list)
        self._keys: dict[str, list[int]] = defaultdict(list)
        for at, agency in enumerate(self._agencies):
            if agency.licence:
                self._licences[licence_key(agency.licence)].append(at)
            for phone in agency.phones:
                self._phones[phone_key(phone)].append(at)
            for key in keys(self._names[at]):
                self._keys[key].append(at)

    def __len__(self) -> int:
        return len(self._agencies)

    def by_licence(self, licence: str) -> list[Agency]:
        """Return the agencies with exactly this licence number."""
        return [self._agencies[at] for at in self._licences.get(licence, ())]

    def near_licence(self, licence: str) -> list[Agency]:
        """Return the agencies whose licence number is one character off."""
        near = (
            key for key in self._licences if key != licence and Levenshtein.distance(key, licence, score_cutoff=1) <= 1
        )
        return [self._agencies[at] for key in near for at in self._licences[key]]

    def by_phone(self, phone: str) -> list[Agency]:
        """Return the agencies with exactly this phone number."""
        return [self._agencies[at] for at in self._phones.get(phone, ())]

    def near_phone(self, phone: str) -> list[Agency]:
        """Return the agencies whose phone number is one digit off."""
        found = []
        for place in range(len(phone)):
            for digit in "0123456789":
                other = phone[:place] + digit + phone[place + 1 :]
                if other != phone:
                    found += self.by_phone(other)
        return found

    def by_name(self, name: Name) -> list[tuple[float, Agency]]:
        """Return (score, agency) of the names nearest to *name*, best first."""
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


def similarity(left: Name, right: Name) -> float:
    """Return how alike two names are: mostly by their telling words, a little by legal forms and fillers."""
    if not left.core or not right.core:
        return 0.0
    core = 100.0 if left.core_text == right.core_text else _core(left, right)
    whole = 100.0 if left.words == right.words else fuzz.token_sort_ratio(left.text, right.text)
    if left.script != right.script and len(left.words) == len(right.words) and whole >= CROSS_SCRIPT_FORMS:
        whole = 100.0
    return (core + FILLER_WEIGHT * whole) / (1 + FILLER_WEIGHT)


def _core(left: Name, right: Name) -> float:
    near = max(
        fuzz.ratio(left.core_text, right.core_text),
        fuzz.token_sort_ratio(" ".join(left.core), " ".join(right.core)),
    )
    if left.script != right.script and near >= CROSS_SCRIPT and bones(left) == bones(right):
        return 100.0
    return near


def bones(name: Name) -> tuple[str, ...]:
    """Return the consonants of the telling words: what stays the same when a name changes its script."""
    return tuple(forms.skeleton(word).rstrip("ai") for word in name.core)
