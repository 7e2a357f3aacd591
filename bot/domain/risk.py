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


NO_RISK = Risk(Level.NONE, "", "")
