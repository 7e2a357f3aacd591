"""The clock of a case that somebody has: what its owner owes the person, and who hears of it when the time is over."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType

#: Who does in a case's history what no person did.
CLOCK = "clock"


class Duty(StrEnum):
    """What an owner owes: a first answer; a look at what was said since, at new danger, at a case they were given."""

    FIRST = "first"
    SAID = "said"
    DANGER = "danger"
    GIVEN = "given"


class Ring(StrEnum):
    """What happens each time the clock rings: the owner is paged, the supervisors, or the case goes back."""

    OWNER = "owner"
    SUPERVISORS = "supervisors"
    BACK = "back"


#: The rings of each duty in turn. Of new danger the owner is paged at once, and of a case that is given to them.
RINGS: Mapping[Duty, tuple[Ring, ...]] = MappingProxyType(
    {
        Duty.FIRST: (Ring.OWNER, Ring.SUPERVISORS, Ring.BACK),
        Duty.SAID: (Ring.OWNER, Ring.SUPERVISORS, Ring.BACK),
        Duty.DANGER: (Ring.SUPERVISORS, Ring.BACK),
        Duty.GIVEN: (Ring.BACK,),
    }
)
#: Duties that opening the case fulfils; a first answer has to be given.
READ_IS_ENOUGH = frozenset({Duty.SAID, Duty.DANGER, Duty.GIVEN})


def _default() -> Mapping[Duty, float]:
    return {Duty.FIRST: 300.0, Duty.SAID: 900.0, Duty.DANGER: 60.0, Duty.GIVEN: 180.0}


@dataclass(frozen=True, slots=True)
class Patience:
    """Seconds until the clock rings first, for each duty, and from each ring to the next."""

    first: Mapping[Duty, float] = field(default_factory=_default)
    step: float = 120.0

    @classmethod
    def read(cls, text: str) -> Patience:
        """Read `300,900,60,180,120`: first answer, later words, danger, a case given, each further ring.

        Raise `ValueError`.
        """
        seconds = [float(part) for part in text.split(",")]
        if len(seconds) != len(Duty) + 1 or min(seconds) <= 0:
            raise ValueError("needs five times in seconds such as 300,900,60,180,120")
        return cls(dict(zip(Duty, seconds, strict=False)), seconds[-1])
