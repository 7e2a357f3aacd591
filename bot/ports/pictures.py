"""Pictures that go out with our words."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class PictureFile:
    """The bytes of a picture of ours and their MIME type."""

    mime: str
    data: bytes


class Pictures(Protocol):
    """The pictures that we may send, by name."""

    def get(self, name: str) -> PictureFile | None:
        """Return a picture's file; None where there is none that can be sent: its words then go alone. Never raises."""
        ...
