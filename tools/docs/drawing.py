"""The entity diagram of all streams as an SVG.

The layout needs no library: each group is one column to the right of the rightmost group that it
refers to. Within a column, groups that refer to the same streams are close together.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from html import escape
from itertools import accumulate

from tools.docs.entities import Group, Reference, groups

_LINE = 18
_PADDING = 10
_WIDTH = 264
_GAP = 22
_BETWEEN = 220
_MARGIN = 20
_SWEEPS = 12

_STYLE = """\
  text { font: 13px ui-monospace, "DejaVu Sans Mono", Menlo, Consolas, monospace; fill: #1f2933; }
  .column { font-size: 11px; fill: #52606d; }
  .column { paint-order: stroke; stroke: #ffffff; stroke-width: 4px; }
  .paper { fill: #ffffff; }
  .box { fill: #f5f7fa; stroke: #7b8794; }
  .target { fill: #e3f0ff; stroke: #2563a8; }
  .line { fill: none; stroke: #9aa5b1; }
"""
_ARROWHEAD = (
    '<marker id="end" viewBox="0 0 8 8" refX="8" refY="4" markerWidth="8" markerHeight="8" '
    'orient="auto"><path d="M0,0 L8,4 L0,8 z" fill="#9aa5b1"/></marker>'
)


@dataclass
class _Box:
    """A group, and where it stands."""

    group: Group
    column: int
    top: float = 0.0

    @property
    def left(self) -> float:
        return _MARGIN + self.column * (_WIDTH + _BETWEEN)

    @property
    def height(self) -> float:
        lines = max(len(self.group.streams), len(self.group.references))
        return 2 * _PADDING + lines * _LINE

    @property
    def middle(self) -> float:
        return self.top + self.height / 2


def svg() -> str:
    """Return the drawing."""
    boxes = _placed(groups())
    width = max(box.left for box in boxes) + _WIDTH + _MARGIN
    height = max(box.top + box.height for box in boxes) + _MARGIN
    size = f'width="{width:.0f}" height="{height:.0f}" viewBox="0 0 {width:.0f} {height:.0f}"'
    by_name = {name: box for box in boxes for name in box.group.streams}
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" {size} role="img">',
        "<title>The streams and how they refer to each other</title>",
        f"<style>\n{_STYLE}</style>",
        _ARROWHEAD,
        f'<rect class="paper" width="{width:.0f}" height="{height:.0f}"/>',
        *(line for box in boxes for line in _arrows(box, by_name)),
        *(line for box in boxes for line in _labels(box, by_name)),
        *(line for box in boxes for line in _box(box, by_name)),
        "</svg>",
    ]
    return "\n".join(lines) + "\n"


def _placed(some: list[Group]) -> list[_Box]:
    """Return the groups with their places."""
    by_name = {name: group for group in some for name in group.streams}

    def column_of(group: Group) -> int:
        others = (by_name[reference.target] for reference in group.references)
        return max((column_of(other) + 1 for other in others), default=0)

    boxes = [_Box(group, column_of(group)) for group in some]
    columns = [
        [box for box in boxes if box.column == number]
        for number in range(max(box.column for box in boxes) + 1)
    ]
    for column in columns:
        _stack(column)
    for _ in range(_SWEEPS):
        for column in [*columns, *reversed(columns)]:
            middles = _middles_of_related(boxes)
            column.sort(key=lambda box: middles.get(box.group.streams[0], box.middle))
            _stack(column)
    tallest = max(column[-1].top + column[-1].height for column in columns)
    for column in columns:  # in the middle
        shift = (tallest - column[-1].top - column[-1].height) / 2
        for box in column:
            box.top += shift
    return boxes


def _stack(column: list[_Box]) -> None:
    """Put the boxes of a column one below the other."""
    heights = [box.height + _GAP for box in column]
    for box, top in zip(column, accumulate([_MARGIN, *heights[:-1]]), strict=True):
        box.top = top


def _middles_of_related(boxes: list[_Box]) -> dict[str, float]:
    """Return the mean height of the groups related to each group, by its first stream."""
    by_name = {name: box for box in boxes for name in box.group.streams}
    related: dict[str, list[float]] = {}
    for box in boxes:
        for reference in box.group.references:
            other = by_name[reference.target]
            related.setdefault(box.group.streams[0], []).append(other.middle)
            related.setdefault(other.group.streams[0], []).append(box.middle)
    return {name: sum(middles) / len(middles) for name, middles in related.items()}


def _box(box: _Box, by_name: Mapping[str, _Box]) -> Iterator[str]:
    """Yield a box with the names of its streams."""
    targets = {reference.target for each in by_name.values() for reference in each.group.references}
    kind = "target" if targets & set(box.group.streams) else "box"
    rectangle = f'x="{box.left:.1f}" y="{box.top:.1f}" width="{_WIDTH}" height="{box.height:.1f}"'
    yield f'<rect class="{kind}" {rectangle} rx="5"/>'
    for number, name in enumerate(box.group.streams):
        y = box.top + _PADDING + (number + 0.72) * _LINE
        yield f'<text x="{box.left + _PADDING:.1f}" y="{y:.1f}">{escape(name)}</text>'


def _arrows(box: _Box, by_name: Mapping[str, _Box]) -> Iterator[str]:
    """Yield the arrows that leave a box on its left."""
    for y, reference in _in_order(box, by_name):
        other = by_name[reference.target]
        end_x, end_y = other.left + _WIDTH, other.middle
        bend = (box.left - end_x) / 2
        curve = f"C{box.left - bend:.1f},{y:.1f} {end_x + bend:.1f},{end_y:.1f}"
        path = f"M{box.left:.1f},{y:.1f} {curve} {end_x:.1f},{end_y:.1f}"
        yield f'<path class="line" d="{path}" marker-end="url(#end)"/>'


def _labels(box: _Box, by_name: Mapping[str, _Box]) -> Iterator[str]:
    """Yield the columns that the arrows stand for."""
    for y, reference in _in_order(box, by_name):
        place = f'x="{box.left - 8:.1f}" y="{y - 3:.1f}" text-anchor="end"'
        yield f'<text class="column" {place}>{escape(reference.column)}</text>'


def _in_order(box: _Box, by_name: Mapping[str, _Box]) -> Iterator[tuple[float, Reference]]:
    """Yield the references of a box with the heights at which they leave it, without crossings."""
    in_order = sorted(box.group.references, key=lambda each: by_name[each.target].middle)
    room = (box.height - 2 * _PADDING) / max(len(in_order), 1)
    for number, reference in enumerate(in_order):
        yield box.top + _PADDING + (number + 0.5) * room, reference
