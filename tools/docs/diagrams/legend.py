"""What the signs of an entity diagram mean."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from tools.docs.diagrams import svg
from tools.docs.diagrams.entity_boxes import Box, Line, end_mark
from tools.docs.diagrams.theme import SANS, SMALL

_ROW = 24
_SIGN = 36
_BETWEEN = 24


class Sign(NamedTuple):
    """A sign and its meaning.

    Attributes:
        kind: Which sign it is.
        meaning: What it means.
    """

    kind: str
    meaning: str

    @property
    def width(self) -> int:
        """The width of both, in pixels."""
        return _SIGN + round(len(self.meaning) * SANS * SMALL) + _BETWEEN

    def at(self, x: int, y: int) -> Iterator[str]:
        """Yield the elements at a place, of which y is the middle."""
        yield from _SIGNS[self.kind](x, y)
        yield svg.text(x + _SIGN, y + 4, self.meaning, "small muted")


class Legend(NamedTuple):
    """The signs of a diagram, in rows."""

    rows: Sequence[Sequence[Sign]]

    @property
    def height(self) -> int:
        """The height in pixels."""
        return _ROW * len(self.rows)

    def at(self, left: int, top: int) -> list[str]:
        """Return the elements.

        Args:
            left: The left end.
            top: The upper end.
        """
        elements = ['<g class="g6">']
        for number, row in enumerate(self.rows):
            x = left
            for sign in row:
                elements += sign.at(x, top + _ROW * number + _ROW // 2)
                x += sign.width
        return [*elements, "</g>"]


def legend_of(boxes: Sequence[Box], lines: Sequence[Line], width: int) -> Legend:
    """Return the signs that a diagram has, in rows of at most a width.

    Args:
        boxes: The boxes of the diagram.
        lines: Its lines.
        width: In pixels.
    """
    rows: list[list[Sign]] = [[]]
    for sign in _signs(boxes, lines):
        if rows[-1] and sum(each.width for each in [*rows[-1], sign]) > width + _BETWEEN:
            rows.append([])
        rows[-1].append(sign)
    return Legend(rows)


def _signs(boxes: Sequence[Box], lines: Sequence[Line]) -> Iterator[Sign]:
    references = [line.reference for line in lines]
    if any(box.is_default for box in boxes):
        yield Sign("default", "selected by default")
    if not all(box.is_default for box in boxes):
        yield Sign("optional", "not selected by default")
    yield Sign("PK", "primary key")
    if any(row.is_foreign for box in boxes for row in box.rows):
        yield Sign("FK", "refers to another stream")
    if any(not each.is_many for each in references):
        yield Sign("one", "exactly one")
    if any(each.is_key for each in references):
        yield Sign("one or none", "none or one")
    if any(not each.is_key for each in references):
        yield Sign("many", "any number")
    if any(row.note.startswith("→") for box in boxes for row in box.rows):
        yield Sign("→", "joins too, no line drawn")


def _sample(kind: str, x: int, y: int) -> Iterator[str]:
    yield svg.rect((x, y - 7, 26, 14), kind, 4)


def _letters(content: str, x: int, y: int) -> Iterator[str]:
    yield svg.text(x + 6, y + 4, content, "mono small strong accent")


def _end(x: int, y: int, *, is_many: bool, can_lack: bool) -> Iterator[str]:
    yield svg.path([(x, y), (x + 28, y)], "line")
    yield f'<path class="line" d="M{x},{y - 7}V{y + 7}"/>'
    yield from end_mark(x, y, 1, is_many=is_many, can_lack=can_lack)


_SIGNS = {
    "default": lambda x, y: _sample("box", x, y),
    "optional": lambda x, y: _sample("box optional", x, y),
    "PK": lambda x, y: _letters("PK", x, y),
    "FK": lambda x, y: _letters("FK", x, y),
    "→": lambda x, y: _letters("→", x, y),
    "one": lambda x, y: _end(x, y, is_many=False, can_lack=False),
    "one or none": lambda x, y: _end(x, y, is_many=False, can_lack=True),
    "many": lambda x, y: _end(x, y, is_many=True, can_lack=True),
}
