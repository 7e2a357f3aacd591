"""What the NLU made of a message."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

OUT_OF_SCOPE: Final = "out_of_scope"
LEAST_SURE: Final = 0.4
#: The most that out_of_scope may have of the best intent's share.
MOST_OUTSIDE: Final = 0.03


@dataclass(frozen=True, slots=True)
class Entity:
    """A value found in the words: its kind (`phone`, `agency`, …), and character offsets into the text."""

    kind: str
    value: str
    start: int
    end: int

    def __repr__(self) -> str:
        return f"Entity({self.kind}, <{len(self.value)} characters>)"


@dataclass(frozen=True, slots=True)
class Ranked:
    """An intent and how sure the NLU is of it, 0 to 1."""

    intent: str
    confidence: float


@dataclass(frozen=True, slots=True)
class Understanding:
    """The best intent (None: not understood), its confidence, the full ranking, entities, and language ("": unsure)."""

    intent: str | None
    confidence: float
    ranking: tuple[Ranked, ...] = ()
    entities: tuple[Entity, ...] = ()
    language: str = ""

    def is_sure(self) -> bool:
        """Say whether the intent may be answered without asking: likely, and far likelier than "not for this service".

        Both limits were fitted on sentences that training had not seen (the table in nlu/README.md).
        """
        outside = next((item.confidence for item in self.ranking if item.intent == OUT_OF_SCOPE), 0.0)
        if self.intent is None or self.confidence < LEAST_SURE:
            return False
        return self.intent == OUT_OF_SCOPE or outside <= MOST_OUTSIDE * self.confidence


NOTHING = Understanding(None, 0.0)
