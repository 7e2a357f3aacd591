"""What the NLU made of a message."""

from __future__ import annotations

from dataclasses import dataclass


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


NOTHING = Understanding(None, 0.0)
