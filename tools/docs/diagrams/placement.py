"""Where the boxes of a subject stand: in columns, each right of those that it refers to."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from tools.docs.diagrams.entity_boxes import Box
from tools.docs.diagrams.routing import UNIT
from tools.docs.entities import direct_references_of

MARGIN = 2 * UNIT
_GAP = 3 * UNIT
_SWEEPS = 8
_MAX_COLUMNS = 3

_Column = list[Box]
#: For each box, by its first stream, other boxes.
_Related = Mapping[str, list[Box]]


def place(boxes: Sequence[Box], names: Collection[str]) -> None:
    """Give all boxes their places.

    Args:
        boxes: The boxes.
        names: The streams whose references are drawn.
    """
    by_name = {name: box for box in boxes for name in box.names}
    targets: _Related = {
        box.names[0]: [
            by_name[each.target]
            for each in direct_references_of(box.names[0])
            if box.names[0] in names
        ]
        for box in boxes
    }
    related: _Related = {name: [*others] for name, others in targets.items()}
    for box in boxes:
        for other in targets[box.names[0]]:
            related[other.names[0]].append(box)
    columns = _columns([box for box in boxes if related[box.names[0]]], targets)
    for _ in range(_SWEEPS):
        for column in [*columns, *reversed(columns)]:
            column.sort(key=lambda box: _mean(related[box.names[0]]))
            _stand(column)
    _add_alone(columns, [box for box in boxes if not related[box.names[0]]])
    _spread(columns)


def _columns(boxes: Sequence[Box], targets: _Related) -> list[_Column]:
    """Return boxes in columns: each right of the rightmost one that it refers to."""

    def depth_of(box: Box) -> int:
        return max((depth_of(other) + 1 for other in targets[box.names[0]]), default=0)

    columns: list[_Column] = [[] for _ in range(max(map(depth_of, boxes), default=-1) + 1)]
    for box in boxes:
        columns[depth_of(box)].append(box)
    return columns


def _add_alone(columns: list[_Column], alone: Sequence[Box]) -> None:
    """Add boxes that have no line where there is room."""
    while len(columns) < min(_MAX_COLUMNS, len(alone)):
        columns.append([])
    for box in alone:
        column = min(columns, key=_height)
        column.append(box)
        _stand(column)


def _mean(related: Sequence[Box]) -> float:
    """Return the mean of the middles of boxes."""
    return sum(other.top + other.height / 2 for other in related) / len(related)


def _height(column: Sequence[Box]) -> int:
    return column[-1].bottom if column else 0


def _stand(column: Sequence[Box]) -> None:
    """Put the boxes of a column one below the other."""
    top = MARGIN - _GAP
    for box in column:
        box.top = top + _GAP + UNIT * (len(box.names) > 1)  # room for the cards of a stack
        top = box.bottom


def _spread(columns: Sequence[Sequence[Box]]) -> None:
    """Put the columns side by side, low ones in the middle."""
    tallest = max(map(_height, columns))
    left = MARGIN
    for column in columns:
        targets = {each.target for box in column for each in direct_references_of(box.names[0])}
        if left > MARGIN:
            left += max(5, len(targets) + 3) * UNIT  # each has a way of its own
        width = max(box.width for box in column)
        shift = (tallest - _height(column)) // 2 // UNIT * UNIT
        for box in column:
            box.left, box.width, box.top = left, width, box.top + shift
        left += width
