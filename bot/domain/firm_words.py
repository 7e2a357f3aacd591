"""Words that stand in the names of firms or in questions about them, as people write them in every script."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

#: Kinds of fillers: legal forms; words that half of all firms carry; words that people add of themselves; links.
KINDS: Final = ("legal", "trade", "loose", "link")


@dataclass(frozen=True, slots=True)
class FirmWords:
    """Raw tables, one spelling each, most trusted first.

    fillers: (kind, what it stands for, spelling); asking: words that only ask; lengthening: words before a name that
    make it another firm's; letters: (Latin letter, its English name as spelt in another script);
    spoken: (English word, the word as people here say it).
    """

    fillers: tuple[tuple[str, str, str], ...] = ()
    asking: tuple[str, ...] = ()
    lengthening: tuple[str, ...] = ()
    letters: tuple[tuple[str, str], ...] = ()
    spoken: tuple[tuple[str, str], ...] = ()
