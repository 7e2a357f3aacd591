"""How much danger a message shows, and why we think so."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum


class Level(IntEnum):
    """PERHAPS asks with one tap; NOW hands the conversation to a human."""

    NONE = 0
    PERHAPS = 1
    NOW = 2


@dataclass(frozen=True, slots=True)
class Risk:
    """A level, the kind of danger (an id of the `distress` group) and the reason: `phrase:<id>` or `nlu:<intent>`."""

    level: Level
    kind: str
    reason: str
    minor: bool = False
    silent: bool = False


#: Kinds of danger, the gravest first: what a case is about once several were told. Another kind is below them all.
GRAVITY = (
    "distress_self_harm",
    "distress_sexual",
    "distress_child",
    "distress_confined",
    "distress_violence",
    "forced_marriage",
    "distress_in_transit",
    "distress_abroad",
    "distress_stranded",
    "distress_help",
    "missing_person",
)

#: Nobody knows whether it is danger: the person was asked, and fell silent.
UNSURE = "unsure"

NO_RISK = Risk(Level.NONE, "", "")


def gravest(kind: str, other: str) -> str:
    """Return the graver of two kinds of danger; of two that are unknown here, the first."""
    return min(kind, other, key=lambda name: GRAVITY.index(name) if name in GRAVITY else len(GRAVITY))
