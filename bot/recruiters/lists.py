"""What a new list would change, and whether that is believable."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from bot.domain.agencies import Agency

MOST_LOST = 0.2
MOST_CHANGED = 0.3


@dataclass(frozen=True, slots=True)
class ListDiff:
    """Rows by id: new, gone, and changed as (old, new)."""

    added: tuple[Agency, ...]
    removed: tuple[Agency, ...]
    changed: tuple[tuple[Agency, Agency], ...]


def diff(old: Sequence[Agency], new: Sequence[Agency]) -> ListDiff:
    """Compare two versions of one list."""
    before = {agency.id: agency for agency in old}
    after = {agency.id: agency for agency in new}
    return ListDiff(
        added=tuple(agency for name, agency in after.items() if name not in before),
        removed=tuple(agency for name, agency in before.items() if name not in after),
        changed=tuple(
            (before[name], agency) for name, agency in after.items() if name in before and before[name] != agency
        ),
    )


def refusal(old_count: int, change: ListDiff) -> str | None:
    """Return why a list must not be applied without a human's word, or None."""
    if not old_count:
        return None
    lost, changed = len(change.removed), sum(before.standing != after.standing for before, after in change.changed)
    if lost > MOST_LOST * old_count:
        return f"it loses {lost} of {old_count} rows."
    if changed > MOST_CHANGED * old_count:
        return f"it changes the standing of {changed} of {old_count} rows."
    return None
