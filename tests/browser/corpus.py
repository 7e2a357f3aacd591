"""What somebody might write to make a page do something: for every place in which words are shown (F13)."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

CLASSES: dict[str, list[str]] = json.loads(Path(__file__).with_suffix(".json").read_text(encoding="utf-8"))
CORPUS = tuple(text for texts in CLASSES.values() for text in texts)
#: Those that every place shows letter for letter: nothing in them is drawn together or made visible.
PLAIN = tuple(
    text for text in CORPUS if text.isascii() and text.isprintable() and "  " not in text and text.strip() == text
)
#: Those that would be markup if a page took them as it gets them.
MARKUP = tuple(text for text in CORPUS if "<" in text or '"' in text)


def sheets(most: int, texts: tuple[str, ...] = CORPUS) -> Iterator[str]:
    """Yield all of them, a line each, in pieces of at most *most* characters."""
    piece: list[str] = []
    for text in texts:
        if piece and sum(map(len, piece)) + len(piece) + len(text) > most:
            yield "\n".join(piece)
            piece = []
        piece.append(text)
    yield "\n".join(piece)
