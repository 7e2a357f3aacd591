"""A history as a picture: identifiers on the left, reports on the right, a line where a report names an identifier."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

MOST_NODES: Final = 40
MOST_LETTERS: Final = 23
LEFT, LEFT_WIDTH = 4, 226
RIGHT, RIGHT_WIDTH = 318, 118
WIDTH, WITH_ARCS = 440, 476
ROW, BOX, TOP = 54, 46, 6


@dataclass(frozen=True, slots=True)
class Node:
    """What stands in a box: its name in the edges, a small line, a large line, and how it looks."""

    name: str
    small: str
    large: str
    look: str


@dataclass(frozen=True, slots=True)
class Box:
    """A box at its place, in the picture's own units."""

    x: int
    y: int
    width: int
    height: int
    small: str
    large: str
    look: str


@dataclass(frozen=True, slots=True)
class Line:
    """An SVG path from an identifier to a report, or between two reports that a supervisor joined."""

    path: str
    look: str


@dataclass(frozen=True, slots=True)
class Graph:
    """The whole picture. cut_off: boxes there was no room for; the tables beside it have all."""

    width: int
    height: int
    boxes: tuple[Box, ...]
    lines: tuple[Line, ...]
    cut_off: int


def draw(
    identifiers: Sequence[Node],
    reports: Sequence[Node],
    edges: Sequence[tuple[str, str]],
    joined: Sequence[tuple[str, str]],
) -> Graph:
    """Place boxes and lines; the shorter column is centred beside the longer."""
    left, right = identifiers[:MOST_NODES], reports[:MOST_NODES]
    rows = max(len(left), len(right), 1)
    lefts = {node.name: _box(node, LEFT, LEFT_WIDTH, number, rows, len(left)) for number, node in enumerate(left)}
    rights = {node.name: _box(node, RIGHT, RIGHT_WIDTH, number, rows, len(right)) for number, node in enumerate(right)}
    drawn = [(lefts[one], rights[other]) for one, other in edges if one in lefts and other in rights]
    lines = [_edge(one, other) for one, other in drawn]
    lines += [_arc(rights[one], rights[other]) for one, other in joined if one in rights and other in rights]
    cut_off = len(identifiers) - len(left) + len(reports) - len(right)
    width = WITH_ARCS if joined else WIDTH
    return Graph(width, TOP * 2 + rows * ROW, (*lefts.values(), *rights.values()), tuple(lines), cut_off)


def _box(node: Node, x: int, width: int, number: int, rows: int, count: int) -> Box:
    shift = (rows - count) * ROW // 2
    large = node.large if len(node.large) <= MOST_LETTERS else node.large[: MOST_LETTERS - 1] + "…"
    return Box(x, TOP + shift + number * ROW, width, BOX, node.small, large, node.look)


def _edge(one: Box, other: Box) -> Line:
    start, end = one.x + one.width, other.x
    above, below = one.y + BOX // 2, other.y + BOX // 2
    middle = (start + end) // 2
    return Line(f"M{start} {above}C{middle} {above} {middle} {below} {end} {below}", one.look)


def _arc(one: Box, other: Box) -> Line:
    side, above, below = one.x + one.width, one.y + BOX // 2, other.y + BOX // 2
    return Line(f"M{side} {above}C{WITH_ARCS} {above} {WITH_ARCS} {below} {side} {below}", "joined")
