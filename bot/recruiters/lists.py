"""What a new list would change, and whether that is believable."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from bot.domain.agencies import Agency, Standing

MOST_LOST = 0.2
MOST_CHANGED = 0.3
MOST_LEFT_OUT = 0.2
_STANDINGS: Final = {standing: at for at, standing in enumerate(Standing)}
_STANDING_BITS: Final = 3
_STANDING_MASK: Final = (1 << _STANDING_BITS) - 1
#: Fields in the order in which changes are told.
FIELDS: Final = (
    "name", "licence", "standing", "valid_until", "place", "address", "phones", "emails", "webs", "upis", "kind",
)  # fmt: skip


class Change(StrEnum):
    """What happened to a row between two versions."""

    ADDED = "added"
    REMOVED = "removed"
    CHANGED = "changed"


@dataclass(frozen=True, slots=True)
class Tally:
    """How many rows an older version had, and what a newer one does to them; turned: rows with another standing."""

    before: int = 0
    added: int = 0
    removed: int = 0
    changed: int = 0
    turned: int = 0


class Comparison:
    """Compares two versions row by row; holds an id and a digest of each older row, never the rows themselves."""

    def __init__(self) -> None:
        """Feed the older rows to `old`, then the newer ones to `new`; what is left was removed."""
        self._old: dict[str, int] = {}
        self._before = 0
        self._added = 0
        self._changed = 0
        self._turned = 0

    def old(self, agency: Agency) -> None:
        """Note a row of the older version."""
        self._old[agency.id] = digest(agency)
        self._before = len(self._old)

    def new(self, agency: Agency) -> Change | None:
        """Say what a row of the newer version is; each id comes once."""
        before = self._old.pop(agency.id, None)
        if before is None:
            self._added += 1
            return Change.ADDED
        after = digest(agency)
        if before == after:
            return None
        self._changed += 1
        self._turned += before & _STANDING_MASK != after & _STANDING_MASK
        return Change.CHANGED

    def passing(self, rows: Iterable[Agency]) -> Iterator[Agency]:
        """Yield newer rows unchanged, each counted as it passes."""
        for agency in rows:
            self.new(agency)
            yield agency

    @property
    def removed(self) -> tuple[str, ...]:
        """Ids of the older rows that no newer row had so far."""
        return tuple(self._old)

    @property
    def tally(self) -> Tally:
        """The counts so far."""
        return Tally(self._before, self._added, len(self._old), self._changed, self._turned)


def digest(agency: Agency) -> int:
    """Return 64 bits of what a row says, its standing in the lowest three; the line it stood on does not count."""
    said = (
        agency.name, agency.licence, agency.place, agency.address, agency.kind,
        agency.valid_until.isoformat() if agency.valid_until else "",
        "\x1e".join(agency.phones), "\x1e".join(agency.emails), "\x1e".join(agency.webs), "\x1e".join(agency.upis),
    )  # fmt: skip
    mixed = hashlib.blake2b("\x1f".join(said).encode("utf-8", "surrogatepass"), digest_size=8).digest()
    return int.from_bytes(mixed) & ~_STANDING_MASK | _STANDINGS[agency.standing]


def differences(old: Agency, new: Agency) -> dict[str, tuple[str, str]]:
    """Return field → (before, after) in words, for the fields that differ."""
    pairs = {name: (in_words(getattr(old, name)), in_words(getattr(new, name))) for name in FIELDS}
    return {name: pair for name, pair in pairs.items() if pair[0] != pair[1]}


def in_words(value: object) -> str:
    """Write one field of an agency."""
    return ", ".join(value) if isinstance(value, tuple) else str(value) if value is not None else ""


def refusal(change: Tally) -> str | None:
    """Return why a list must not be applied without a human's word, or None."""
    if not change.before:
        return None
    if change.removed > MOST_LOST * change.before:
        return f"it loses {change.removed} of {change.before} rows."
    if change.turned > MOST_CHANGED * change.before:
        return f"it changes the standing of {change.turned} of {change.before} rows."
    return None


def unreadable(kept: int, left_out: int) -> str | None:
    """Return why a file of which too much could not be read must not be applied without a human's word, or None."""
    rows = kept + left_out
    return f"{left_out} of {rows} rows cannot be read." if left_out > MOST_LEFT_OUT * rows else None
