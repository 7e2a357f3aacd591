"""Builds the arrays that an index searches: sorted keys, letter groups, rows packed one after another."""

from __future__ import annotations

import json
import re
import zlib
from array import array
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import fields
from datetime import date
from hashlib import blake2b
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from bot.domain.agencies import Agency, Standing
from bot.domain.identifiers import IdentifierKind
from bot.recruiters.extract import PHONE_DIGITS, email_key, licence_key, phone_key
from bot.recruiters.identifiers import identifier, is_own_domain
from bot.recruiters.names import Lexicon, Name, Word, coarse

Arrays = Mapping[str, npt.NDArray[Any]]
#: Changes whenever arrays built before can no longer be read.
FORMAT: Final = 3
#: Look-up tables: a sorted column of keys beside a column of row numbers.
TABLES: Final = ("licence", "near", "phone", "email", "web", "upi", "core", "name", "place", "street")
#: Letters that letter groups are made of; any other letter counts as "?".
_LETTERS: Final = "?^$abcdefghijklmnopqrstuvwxyz0123456789"
_BITS: Final = 6
_GROUP: Final = 3
_GROUPS: Final = 1 << (_BITS * _GROUP)
#: The same for the classes of consonants (`names.coarse`), four at a time.
_CLASSES: Final = "?^$akstpnrlxy0"
_CLASS_BITS: Final = 4
_CLASS_GROUP: Final = 4
_CLASS_GROUPS: Final = 1 << (_CLASS_BITS * _CLASS_GROUP)
ALL_GROUPS: Final = _GROUPS + _CLASS_GROUPS
STRETCH: Final = 3
#: Most are written plainly: no need to look through them as through a text.
_PLAIN_UPI: Final = re.compile(r"[a-z0-9][a-z0-9._\-]{1,63}@[a-z][a-z0-9]{1,63}")
_PLAIN_WEB: Final = re.compile(r"https?://(?:www\.|m\.)?([a-z0-9\-]{1,63}(?:\.[a-z0-9\-]{1,63}){1,4})/?")
_FIELDS: Final = tuple(field.name for field in fields(Agency))
_MANY: Final = frozenset({"phones", "emails", "webs", "upis"})


def _table_of(letters: str) -> bytes:
    return bytes(max(letters.find(chr(code)), 0) for code in range(256))


_LETTER_CODES: Final = _table_of(_LETTERS)
_CLASS_CODES: Final = _table_of(_CLASSES)


class Builder:
    """Takes rows one by one and gives the arrays; about 1 KB of memory a row while it works.

    A row has one entry for each form of its name: as written and, for English words, as spoken.
    """

    def __init__(self, lexicon: Lexicon) -> None:  # noqa: D107
        self._lexicon = lexicon
        self._rows, self._rows_at = bytearray(), array("Q", (0,))
        self._cores, self._cores_at = bytearray(), array("Q", (0,))
        self._entries = array("I")
        self._letters, self._letters_at = bytearray(), array("I")
        self._classes, self._classes_at = bytearray(), array("I")
        self._keys = {table: array("I" if table == "near" else "Q") for table in TABLES}
        self._values = {table: array("I") for table in TABLES}
        self._places: dict[str, tuple[str, ...]] = {}

    def __len__(self) -> int:
        return len(self._rows_at) - 1

    def add_all(self, agencies: Iterable[Agency]) -> None:
        """Add many rows."""
        for agency in agencies:
            self.add(agency)

    def add(self, agency: Agency) -> None:
        """Add one row."""
        at = len(self)
        self._rows += packed(agency)
        self._rows_at.append(len(self._rows))
        name = self._lexicon.name(agency.name)
        for core in name.forms:
            self._entries.append(at)
            self._cores += core.encode()
            self._cores_at.append(len(self._cores))
            self._add_letters(core)
        self._add_details(at, agency)
        self._add_name(at, name)

    def finish(self) -> dict[str, npt.NDArray[Any]]:
        """Return the arrays by name."""
        groups = np.concatenate((self._grouped_letters(), self._grouped_classes()))
        groups.sort()
        groups = groups[np.concatenate(([True], groups[1:] != groups[:-1]))] if len(groups) else groups
        starts = np.searchsorted(groups, np.arange(ALL_GROUPS + 1, dtype=np.uint64) << np.uint64(32)).astype(np.int64)
        rows = (groups & np.uint64(0xFFFFFFFF)).astype(np.uint32)
        rarity = rarities(starts, len(self))
        weight = np.bincount(rows, weights=np.repeat(rarity, np.diff(starts)), minlength=max(len(self), 1)).astype(
            np.float32
        )
        found: dict[str, npt.NDArray[Any]] = {
            "rows": np.frombuffer(bytes(self._rows), np.uint8),
            "rows_at": np.frombuffer(self._rows_at, np.uint64),
            "cores": np.frombuffer(bytes(self._cores), np.uint8),
            "cores_at": np.frombuffer(self._cores_at, np.uint64),
            "group_at": starts,
            "group_entries": rows,
            "entry_rows": np.frombuffer(self._entries, np.uint32),
            "weight": weight.astype(np.float32),
        }
        for table in TABLES:
            size = np.uint32 if table == "near" else np.uint64
            keys, values = np.frombuffer(self._keys[table], size), np.frombuffer(self._values[table], np.uint32)
            order = np.argsort(keys, kind="stable")
            found[f"{table}_keys"], found[f"{table}_rows"] = keys[order], values[order]
        return found

    def _add_letters(self, core: str) -> None:
        letters, classes = _coded(core, _LETTER_CODES), _coded(coarse(core), _CLASS_CODES)
        self._letters += letters
        self._letters_at.append(len(letters))
        self._classes += classes
        self._classes_at.append(len(classes))

    def _add_details(self, at: int, agency: Agency) -> None:
        if key := licence_key(agency.licence):
            self._put("licence", hashed(key), at)
            near = shortened(key)
            self._keys["near"].extend(near)
            self._values["near"].extend([at] * len(near))
        for phone in agency.phones:
            if len(key := phone_key(phone)) == PHONE_DIGITS:
                self._put("phone", int(key), at)
        for email in agency.emails:
            self._put("email", hashed(email_key(email)), at)
        for kind, details in ((IdentifierKind.WEB, agency.webs), (IdentifierKind.UPI, agency.upis)):
            for detail in details:
                self._put(kind.value, hashed(detail_key(kind, detail)), at)
        for word in self._place(agency.place):
            self._put("place", hashed(word), at)
        for stretch in streets_of(self._lexicon.words(agency.address)) if agency.address else ():
            self._put("street", hashed(stretch), at)

    def _place(self, place: str) -> tuple[str, ...]:
        if place not in self._places:
            self._places[place] = tuple(word.folded for word in self._lexicon.words(place) if not word.asks)
        return self._places[place]

    def _add_name(self, at: int, name: Name) -> None:
        for core in cores_of(name):
            self._put("core", hashed(core), at)
            self._put("name", hashed(with_trade(core, name)), at)

    def _put(self, table: str, key: int, at: int) -> None:
        self._keys[table].append(key)
        self._values[table].append(at)

    def _grouped_letters(self) -> npt.NDArray[np.uint64]:
        return _grouped(self._letters, self._letters_at, _GROUP, _BITS, 0)

    def _grouped_classes(self) -> npt.NDArray[np.uint64]:
        return _grouped(self._classes, self._classes_at, _CLASS_GROUP, _CLASS_BITS, _GROUPS)


def _coded(text: str, codes: bytes) -> bytes:
    """Return *text* between a beginning and an end, one small number a letter; nothing for no text."""
    return f"^{text}$".encode("latin-1", "replace").translate(codes) if text else b""


def _grouped(letters: bytearray, sizes: array[int], size: int, bits: int, first: int) -> npt.NDArray[np.uint64]:
    """Return every (group of *size* letters, row) as one number: the group in the upper 32 bits, the row below."""
    codes = np.frombuffer(bytes(letters), np.uint8)
    rows = np.repeat(np.arange(len(sizes), dtype=np.uint32), np.frombuffer(sizes, np.uint32))
    if len(codes) < size:
        return np.empty(0, np.uint64)
    last = len(codes) - size + 1
    groups = np.zeros(last, np.uint32)
    for step in range(size):
        groups = (groups << np.uint32(bits)) | codes[step : step + last]
    whole = rows[:last] == rows[size - 1 :]
    found: npt.NDArray[np.uint64] = (groups[whole].astype(np.uint64) + np.uint64(first)) << np.uint64(32)
    found |= rows[:last][whole]
    return found


def groups_of(core: str) -> list[int]:
    """Return the numbers of the letter groups of a core text, the same as `Builder` gives its rows."""
    found: dict[int, None] = {}
    for text, codes, size, bits, first in (
        (core, _LETTER_CODES, _GROUP, _BITS, 0), (coarse(core), _CLASS_CODES, _CLASS_GROUP, _CLASS_BITS, _GROUPS),
    ):  # fmt: skip
        letters = _coded(text, codes)
        for at in range(len(letters) - size + 1):
            number = 0
            for letter in letters[at : at + size]:
                number = number << bits | letter
            found.setdefault(number + first)
    return list(found)


def rarities(starts: npt.NDArray[np.int64], rows: int) -> npt.NDArray[np.float32]:
    """Return what each letter group tells: the rarer, the more."""
    return np.log1p(rows / np.maximum(np.diff(starts), 1)).astype(np.float32)


def cores_of(name: Name) -> set[str]:
    """Return the forms in which the telling words are looked up: as written, as folded, as spoken, as consonants."""
    if not name.core:
        return {whole_key(name)}
    return {name.plain_text, *name.forms, name.bones_text, classes_key(name.core_text)}


def classes_key(core: str) -> str:
    """Return what telling words of any two scripts share if they may be the same: the classes of their consonants."""
    return f"~{coarse(core)}"


def whole_key(name: Name) -> str:
    """Return what a name of fillers only is found by: all its words in order."""
    return f"={name.text}"


def with_trade(core: str, name: Name) -> str:
    """Return the key of a core together with the trade words, which must agree too; those of fillers only have none."""
    return f"{core}|{' '.join(name.trade)}" if name.core else core


def streets_of(words: Sequence[Word]) -> set[str]:
    """Return each three words of an address that stand side by side: who writes three of them writes that address."""
    folded = [word.folded for word in words if not word.asks]
    return {" ".join(folded[at : at + STRETCH]) for at in range(len(folded) - STRETCH + 1)}


def detail_key(kind: IdentifierKind, written: str) -> str:
    """Return the form in which web addresses and UPI ids are compared; what is none stays as it is written."""
    plain = written.strip().lower()
    if kind is IdentifierKind.UPI and _PLAIN_UPI.fullmatch(plain):
        return plain
    site = _PLAIN_WEB.fullmatch(plain) if kind is IdentifierKind.WEB else None
    if site and is_own_domain(site.group(1)):
        return site.group(1)
    found = identifier(kind, written)
    return found.value if found else written.casefold()


def hashed(key: str) -> int:
    """Return 64 bits of a key, the same on every machine."""
    return int.from_bytes(blake2b(key.encode(), digest_size=8).digest(), "little")


def shortened(key: str) -> set[int]:
    """Return the check sums of *key* and of *key* without each of its letters: two keys one error apart share one."""
    raw, begun = key.encode(), 0
    found = {zlib.crc32(raw)}
    for at in range(len(raw)):
        found.add(zlib.crc32(raw[at + 1 :], begun))
        begun = zlib.crc32(raw[at : at + 1], begun)
    return found


def packed(agency: Agency) -> bytes:
    """Return a row as bytes."""
    values = [getattr(agency, name) for name in _FIELDS]
    return json.dumps(values, ensure_ascii=False, default=_plain, separators=(",", ":")).encode()


def unpacked(raw: bytes) -> Agency:
    """Return the row in *raw*."""
    row = dict(zip(_FIELDS, json.loads(raw)))
    until = row["valid_until"]
    several = {name: tuple(row[name]) for name in _MANY}
    fitted = {"standing": Standing(row["standing"]), "valid_until": date.fromisoformat(until) if until else None}
    return Agency(**{**row, **several, **fitted})


def _plain(value: object) -> str:
    if isinstance(value, date):
        return value.isoformat()
    raise TypeError(f"a row holds {type(value).__name__}, which cannot be packed")
