"""An index over the lists of recruiters: by licence, phone, e-mail, web address, UPI id, and name in any script.

It searches sorted arrays (see `build`), so that it can lie in a file and half a million rows need little memory.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from rapidfuzz import fuzz, process
from rapidfuzz.distance import OSA

from bot.domain.agencies import Agency
from bot.recruiters.build import (
    Arrays,
    Builder,
    cores_of,
    groups_of,
    hashed,
    rarities,
    shortened,
    unpacked,
    with_trade,
)
from bot.recruiters.extract import PHONE_DIGITS, licence_key
from bot.recruiters.names import Lexicon, Name, as_heard, consonants
from bot.recruiters.sound import distance

#: How many rows are looked at more and more closely: by letter groups, by letters, by everything.
BY_GROUPS: Final = 300
BY_LETTERS: Final = 24
#: Rows that share less than this part of the letter groups are not looked at.
LEAST_SHARED: Final = 0.22
#: The commonest letter groups are left out once the rarer ones have named this many rows.
MOST_NAMED: Final = 200_000
LEAST_GROUPS: Final = 6
#: How much the consonants tell beside all letters when two scripts are compared for the first time.
CONSONANTS: Final = 0.6
#: From this score on one name may be meant when the other is written.
SIMILAR: Final = 86.0
#: How many points of the score are the fillers'.
FILLERS_TELL: Final = 5.0
#: How many letters two names may be apart: at least one where the trade words agree, then a part of their length.
ONE_LETTER: Final = 1.1
PART_OFF: Final = 0.13
OTHER_TRADE: Final = 0.3
LEAST_LETTERS: Final = 4
#: In a list that long nearly every short name has a neighbour by chance; a list a tenth as long may be searched more
#: freely by this part.
LONG_LIST: Final = 300_000
EASIER: Final = 0.15
EASIEST: Final = 1.4
#: What another order of the telling words costs.
ANOTHER_ORDER: Final = 0.3
#: A name in another script is surely a listed one only if it is not further off than this (in Urdu: not at all, for it
#: leaves vowels out).
SURE: Final = 0.35
#: Shorter licence numbers are looked up, but never guessed at.
LEAST_LICENCE: Final = 8
MOST_FOUND: Final = 50
Rows = npt.NDArray[np.uint32]


class Index:
    """Look-ups return agencies; scores run from 0 to 100. Nothing changes after `__init__`."""

    def __init__(self, arrays: Arrays, lexicon: Lexicon) -> None:
        """Search *arrays* of a `Builder` with the same *lexicon*; they may be mapped from files."""
        self.lexicon = lexicon
        self._arrays = arrays
        self._count = len(arrays["rows_at"]) - 1
        self._rarity = rarities(arrays["group_at"], len(arrays["entry_rows"]))
        self._ease = min(1 + EASIER * max(0.0, math.log10(LONG_LIST / max(self._count, 1))), EASIEST)

    @classmethod
    def of(cls, agencies: Iterable[Agency], lexicon: Lexicon) -> Index:
        """Build the arrays in memory, for lists that are not long."""
        builder = Builder(lexicon)
        builder.add_all(agencies)
        return cls(builder.finish(), lexicon)

    def __len__(self) -> int:
        return self._count

    def by_licence(self, licence: str) -> list[Agency]:
        """Return the agencies with exactly this licence number, as `licence_key` writes it."""
        found = self._all(self._find("licence", hashed(licence))) if licence else []
        return [agency for agency in found if licence_key(agency.licence) == licence]

    def near_licence(self, licence: str) -> list[Agency]:
        """Return the agencies whose licence number is one character or one swap off."""
        if len(licence) < LEAST_LICENCE:
            return []
        tried = self._find_all("near", sorted(shortened(licence)), 20 * MOST_FOUND)
        near = [(licence_key(agency.licence), agency) for agency in self._all(tried)]
        return [agency for key, agency in sorted(near, key=_first) if OSA.distance(key, licence, score_cutoff=1) == 1]

    def by_phone(self, phone: str) -> list[Agency]:
        """Return the agencies with exactly this phone number of ten digits."""
        return self._all(self._find("phone", int(phone))) if len(phone) == PHONE_DIGITS and phone.isdecimal() else []

    def near_phone(self, phone: str) -> list[Agency]:
        """Return the agencies whose phone number is one digit or one swap off; *phone* has 9 to 11 digits."""
        return self._all(self._find_all("phone", [int(other) for other in sorted(_one_off(phone))], MOST_FOUND))

    def by_detail(self, table: str, value: str) -> list[Agency]:
        """Return the agencies with exactly this e-mail, web address or UPI id; *table*: `email`, `web` or `upi`."""
        return self._all(self._find(table, hashed(value)))

    def by_streets(self, stretches: Sequence[str]) -> list[Agency]:
        """Return the agencies whose address holds one of *stretches* (see `streets_of`)."""
        return self._all(self._find_all("street", [hashed(stretch) for stretch in stretches], MOST_FOUND))

    def knows_cores(self, cores: Sequence[str]) -> list[bool]:
        """Say of each of many cores whether some agency's telling words are, or sound like, it."""
        keys = self._arrays["core_keys"]
        wanted = np.array([hashed(core) for core in cores], np.uint64)
        at = np.searchsorted(keys, wanted)
        found: list[bool] = (
            (keys[np.minimum(at, len(keys) - 1)] == wanted).tolist() if len(keys) else [False] * len(cores)
        )
        return found

    def by_same(self, name: Name, cores: Iterable[str] = ()) -> list[tuple[Name, Agency]]:
        """Return (name, agency) of the agencies with the same telling words or their sound, and trade words; unchecked.

        *cores*: forms of the telling words, those of *name* if not given.
        """
        keys = [hashed(with_trade(core, name)) for core in cores or cores_of(name) if core]
        agencies = self._all(self._find_all("name", keys, 4 * MOST_FOUND))
        return [(self.lexicon.name(agency.name), agency) for agency in agencies]

    def by_name(self, name: Name) -> list[tuple[float, Agency]]:
        """Return (score, agency) of the names nearest to *name*, best first; nothing for fillers alone."""
        if not name.core:
            return []
        rows = np.unique(np.concatenate([self._closest(form, name) for form in name.forms]))
        agencies = self._all(rows)
        scored = [(similarity(name, self.lexicon.name(agency.name), self._ease), agency) for agency in agencies]
        return sorted(scored, key=lambda pair: -pair[0])

    def knows_place(self, folded: str) -> bool:
        """Say whether a folded word stands in the place of any agency."""
        return len(self._find("place", hashed(folded))) > 0

    def _closest(self, core: str, name: Name) -> Rows:
        """Return the rows whose telling words are closest to *core*, at most `BY_LETTERS`."""
        entries = self._sharing(groups_of(core))
        of_row = self._arrays["entry_rows"]
        if len(entries) <= BY_LETTERS:
            return of_row[entries]
        ends, text = self._arrays["cores_at"], self._arrays["cores"]
        others = [bytes(text[ends[at] : ends[at + 1]]).decode() for at in entries.tolist()]
        orders = [core, *("".join((*name.core[at:], *name.core[:at])) for at in range(1, len(name.core)))]
        near = process.cdist(orders, others, scorer=fuzz.ratio).max(axis=0)
        if name.script != "Latn":
            near = np.maximum(near, _heard_apart(core, others, name.script))
        return of_row[entries[np.argsort(-near, kind="stable")[:BY_LETTERS]]]

    def _sharing(self, groups: list[int]) -> Rows:
        """Return the entries that share most with these letter groups, the rare ones counting more."""
        starts, members = self._arrays["group_at"], self._arrays["group_entries"]
        wanted = np.array(groups, np.int64)
        sizes = starts[wanted + 1] - starts[wanted]
        rarity = self._rarity[wanted]
        own = float(rarity.sum())
        order = np.argsort(sizes, kind="stable")
        kept = order[(np.cumsum(sizes[order]) <= MOST_NAMED) | (np.arange(len(order)) < LEAST_GROUPS)]
        rows = np.concatenate([members[starts[at] : starts[at + 1]] for at in wanted[kept].tolist()] or [members[:0]])
        if not len(rows):
            return rows
        shared = np.bincount(
            rows, weights=np.repeat(rarity[kept], sizes[kept]), minlength=len(self._arrays["entry_rows"])
        )
        likely = np.flatnonzero(shared >= LEAST_SHARED * own)
        alike = shared[likely] / (own + self._arrays["weight"][likely])
        best = likely if len(likely) <= BY_GROUPS else likely[np.argpartition(-alike, BY_GROUPS)[:BY_GROUPS]]
        return best.astype(np.uint32)

    def _find(self, table: str, key: int) -> Rows:
        return self._find_all(table, [key], self._count)

    def _find_all(self, table: str, keys: Sequence[int], most: int) -> Rows:
        """Return the rows under any of *keys*, each once, at most *most*."""
        known, rows = self._arrays[f"{table}_keys"], self._arrays[f"{table}_rows"]
        wanted = np.array(keys, known.dtype)
        first, last = np.searchsorted(known, wanted, "left"), np.searchsorted(known, wanted, "right")
        found: list[Any] = [rows[start:end] for start, end in zip(first.tolist(), last.tolist()) if start < end]
        return np.unique(np.concatenate(found))[:most] if found else rows[:0]

    def _all(self, rows: Rows) -> list[Agency]:
        ends, text = self._arrays["rows_at"], self._arrays["rows"]
        return [unpacked(bytes(text[ends[at] : ends[at + 1]])) for at in rows.tolist()]


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
    most = 0.0 if "Arab" in {asked.script, known.script} else SURE
    return apart(asked, known, most) <= most


def closeness(left: Name, right: Name) -> float:
    """Return how alike the telling words of two names are, 0 to 100."""
    return fuzz.ratio(left.core_text, right.core_text)


def similarity(left: Name, right: Name, ease: float = 1.0) -> float:
    """Return how alike two names are: by their telling words and, where these differ, by their trade words too.

    From `SIMILAR` on one may be meant when the other is written. *ease*: how many times more they may be apart.
    """
    if not left.core or not right.core:
        return 0.0
    fillers = (
        100.0
        if left.fillers == right.fillers
        else fuzz.token_sort_ratio(" ".join(left.fillers), " ".join(right.fillers))
    )
    allowed = ease * _allowed(left, right)
    cost = apart(left, right, 2 * allowed)
    score = 100.0 - (100.0 - SIMILAR) * cost / allowed
    return max(score - FILLERS_TELL * (1 - fillers / 100), SIMILAR if score >= SIMILAR else 0.0)


def apart(left: Name, right: Name, most: float) -> float:
    """Return what turns the telling words of *left* into those of *right*, in letters; above *most* only that it is."""
    script = "" if left.script == right.script else left.script if left.script != "Latn" else right.script
    best = min(distance(own, other, script, most) for own in left.forms for other in right.forms)
    if best > ONE_LETTER and left.script == right.script == "Latn":
        best = min(best, distance(left.plain_text, right.plain_text, "", most))
    if best > ANOTHER_ORDER and len(left.core) > 1 and len(right.core) > 1:
        sorted_left, sorted_right = "".join(sorted(left.core)), "".join(sorted(right.core))
        best = min(best, ANOTHER_ORDER + distance(sorted_left, sorted_right, script, most))
    return best


def _allowed(left: Name, right: Name) -> float:
    """Return how many letters two names may be apart: more for long ones, hardly any where the trade words disagree."""
    size = min(max(map(len, left.forms)), max(map(len, right.forms)))
    if left.trade == right.trade and size >= LEAST_LETTERS:
        return max(ONE_LETTER, PART_OFF * size)
    if _share_trade(left, right):
        return PART_OFF * size
    return OTHER_TRADE


def _share_trade(left: Name, right: Name) -> bool:
    """Say whether one of two names has left out trade words of the other, or half of all are the same."""
    own, other = set(left.trade), set(right.trade)
    return not own or not other or len(own & other) * 2 >= len(own | other)


def _heard_apart(core: str, others: Sequence[str], script: str) -> npt.NDArray[np.float32]:
    """Return how alike *core*, written in *script*, and each of *others* are to somebody who writes *script*."""
    own, rest = as_heard(core, script), [as_heard(other, script) for other in others]
    letters = process.cdist([own], rest, scorer=fuzz.ratio)[0]
    bones = process.cdist([consonants(own)], [consonants(other) for other in rest], scorer=fuzz.ratio)[0]
    alike: npt.NDArray[np.float32] = CONSONANTS * bones + (1 - CONSONANTS) * letters
    return alike


def _first(pair: tuple[str, Agency]) -> str:
    return pair[0]


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
