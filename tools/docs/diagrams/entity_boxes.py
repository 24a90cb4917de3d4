"""Boxes of streams with their keys, and the lines between them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from tools.docs.diagrams import svg
from tools.docs.diagrams.routing import UNIT, Cell, End, Grid, NoWay, corners
from tools.docs.diagrams.theme import SANS, SIZE, SMALL
from tools.docs.entities import Reference, direct_references_of, key_of

_ROW = 2 * UNIT
_HEAD = 3 * UNIT
_PADDING = 9
_MARK = 24
# How far the cards of a stack look out behind it.
_CARD = 5
_CARDS = 2
_RIGHT, _LEFT = 0, 2
_ATTEMPTS = 20
_ROUNDS = 3


class Row(NamedTuple):
    """A column of a stream.

    Attributes:
        name: Its name; "" if the row is a note on the one above.
        is_key: Whether it is a part of the primary key.
        is_foreign: Whether it refers to another stream.
        note: More about it.
    """

    name: str
    is_key: bool = False
    is_foreign: bool = False
    note: str = ""

    @property
    def marks(self) -> list[str]:
        """What kind of key it is."""
        return ["PK"] * self.is_key + ["FK"] * self.is_foreign


@dataclass
class Box:
    """A stream, or a stack of streams with the same keys.

    Attributes:
        names: The streams.
        rows: The columns that all of them have.
        is_default: Whether they are selected by default.
        group: The number of the group whose colors it has.
        left: In pixels, a multiple of the grid's unit, as all sizes.
        top: The same.
        width: The same; 0 for as wide as its texts.
    """

    names: Sequence[str]
    rows: Sequence[Row]
    is_default: bool = True
    group: int = 1
    left: int = 0
    top: int = 0
    width: int = 0

    def __post_init__(self) -> None:
        """Make room for the texts."""
        if not self.width:
            rows = (
                self._text_left + svg.mono_width(self._text_of(row), SMALL) for row in self.rows
            )
            names = (_PADDING + svg.mono_width(name, SMALL) for name in self.names)
            self.width = -(-(max(*rows, *names) + _PADDING) // UNIT) * UNIT

    @property
    def head(self) -> int:
        """The height of the part with the names."""
        return _HEAD + _ROW * (len(self.names) - 1)

    @property
    def height(self) -> int:
        """The whole height."""
        return self.head + _ROW * len(self.rows)

    @property
    def right(self) -> int:
        """The right end."""
        return self.left + self.width

    @property
    def bottom(self) -> int:
        """The lower end."""
        return self.top + self.height

    def ends(self, row: str) -> tuple[End, End]:
        """Return where lines of a row can begin or end: on its right and on its left."""
        y = (self.top + self.head + _ROW * self._index(row)) // UNIT + 1
        return (
            End((self.right // UNIT + 1, y), _RIGHT),
            End((self.left // UNIT - 1, y), _LEFT),
        )

    def elements(self, links: Callable[[str], str]) -> Iterator[str]:
        """Yield the elements of the box.

        Args:
            links: Returns where the name of a stream leads.
        """
        yield f'<g class="g{self.group}">'
        kind = "box" if self.is_default else "box optional"
        for card in range(_CARDS if len(self.names) > 1 else 0, 0, -1):
            shift = card * _CARD
            place = (self.left + shift, self.top - shift, self.width - 2 * shift, 3 * shift)
            yield svg.rect(place, kind)
        place = (self.left, self.top, self.width, self.height)
        yield svg.rect(place, "ground")
        yield svg.rect((self.left + 1, self.top + 1, self.width - 2, self.head - 1), "head", 5)
        yield svg.rect(place, "plain" if self.is_default else "plain optional")
        for number, name in enumerate(self.names):
            y = self.top + 22 + _ROW * number
            yield svg.text(self.left + _PADDING, y, name, "mono small strong accent", links(name))
        for number, row in enumerate(self.rows):
            yield from self._row(row, self.top + self.head + _ROW * number + 16)
        yield "</g>"

    @property
    def _text_left(self) -> int:
        """Where the names of columns begin, from the left end."""
        marks = max((len(row.marks) for row in self.rows), default=0)
        return _PADDING + _MARK * marks

    @staticmethod
    def _text_of(row: Row) -> str:
        return f"{row.name} {row.note}".strip()

    def _row(self, row: Row, y: int) -> Iterator[str]:
        for place, mark in enumerate(row.marks):
            kind = "mono small strong accent" if mark == "PK" else "mono small accent"
            yield svg.text(self.left + _PADDING + _MARK * place, y, mark, kind)
        x = self.left + self._text_left
        yield svg.text(x, y, row.name, "mono small")
        if row.note:
            x += svg.mono_width(f"{row.name} ", SMALL) if row.name else 0
            yield svg.text(x, y, row.note, "mono small muted")

    def _index(self, name: str) -> int:
        return [row.name for row in self.rows].index(name)


class Panel(NamedTuple):
    """A ground that several boxes have in common.

    Attributes:
        title: What they are about.
        group: The number of the group whose colors it has.
        place: Its left and top end, width and height.
    """

    title: str
    group: int
    place: tuple[int, int, int, int]

    @property
    def bottom(self) -> int:
        """The lower end."""
        return self.place[1] + self.place[3]

    def elements(self) -> Iterator[str]:
        """Yield the elements of the panel."""
        left, top, *_ = self.place
        yield f'<g class="g{self.group}">'
        yield svg.rect(self.place, "panel", 10)
        yield svg.text(left + _PADDING, top + 21, self.title, "strong accent")
        yield "</g>"


class Line(NamedTuple):
    """A relation between two boxes, with the corners of its line in pixels.

    Attributes:
        reference: The relation.
        group: The number of the group whose colors it has.
        points: From the box that refers to the one that is referred to.
    """

    reference: Reference
    group: int
    points: Sequence[svg.Point]

    def elements(self) -> Iterator[str]:
        """Yield the line and its ends: bars mean one, a circle means none, a crow's foot many."""
        yield f'<g class="g{self.group}">'
        yield svg.path(self.points, "line")
        x, y = self.points[0]
        outwards = 1 if self.points[1][0] > x else -1
        yield from end_mark(x, y, outwards, is_many=not self.reference.is_key, can_lack=True)
        x, y = self.points[-1]
        outwards = 1 if self.points[-2][0] > x else -1
        many = self.reference.is_many
        yield from end_mark(x, y, outwards, is_many=many, can_lack=many)
        yield "</g>"


def end_mark(x: int, y: int, outwards: int, *, is_many: bool, can_lack: bool) -> Iterator[str]:
    """Yield the end of a line at the side of a box."""
    far = x + 10 * outwards
    if is_many:
        yield f'<path class="line" d="M{x},{y - 6}L{far},{y}L{x},{y + 6}"/>'
    else:
        near = x + 6 * outwards
        second = "" if can_lack else f"M{far},{y - 5}V{y + 5}"
        yield f'<path class="line" d="M{near},{y - 5}V{y + 5}{second}"/>'
    if can_lack:
        yield f'<circle class="end-mark" cx="{far + 4 * outwards}" cy="{y}" r="4"/>'


def lines_between(boxes: Sequence[Box], panels: Iterable[Panel], grid: Grid) -> list[Line]:
    """Return the lines between boxes, the short ones first.

    Args:
        boxes: All boxes, in their places.
        panels: The panels, whose titles no line may cross.
        grid: The room.
    """
    for box in boxes:
        cells = (box.left // UNIT - 1, box.top // UNIT, box.right // UNIT + 1, box.bottom // UNIT)
        grid.block(*cells)
        if len(box.names) > 1:
            grid.block(box.left // UNIT, box.top // UNIT - 1, box.right // UNIT, box.top // UNIT)
    for panel in panels:
        left, top, *_ = panel.place
        right = left + _PADDING + round(len(panel.title) * SANS * SIZE * 1.15)
        grid.block(left // UNIT, top // UNIT, right // UNIT, (top + 24) // UNIT)
    relations = sorted(_relations(boxes), key=_distance)
    ways = _first_ways(relations, grid)
    for _ in range(_ROUNDS):  # each again, now that the others have their ways
        for relation in relations:
            grid.clear()
            for other in relations:
                if other is not relation:
                    grid.add(_name(other), ways[id(other)])
            ways[id(relation)] = _way(relation, grid)
    return [_line(relation, ways[id(relation)]) for relation in relations]


_Relation = tuple[Box, Reference, Box]


def _relations(boxes: Sequence[Box]) -> Iterator[_Relation]:
    """Yield the references between boxes, except those that follow from another one."""
    by_name = {name: box for box in boxes for name in box.names}
    for box in boxes:
        for reference in direct_references_of(box.names[0]):
            is_shown = reference.in_column in {row.name for row in box.rows}
            if is_shown and reference.target in by_name:
                yield box, reference, by_name[reference.target]


def _distance(relation: _Relation) -> int:
    box, reference, other = relation
    (start, _), (goal, _) = box.ends(reference.in_column), other.ends(key_of(reference.target))
    return abs(start.cell[0] - goal.cell[0]) + abs(start.cell[1] - goal.cell[1])


def _first_ways(relations: list[_Relation], grid: Grid) -> dict[int, list[Cell]]:
    """Return a way for each relation. One that finds none goes first next time."""
    for _ in range(_ATTEMPTS):
        ways = {}
        for relation in relations:
            try:
                ways[id(relation)] = _way(relation, grid)
            except NoWay:
                relations.remove(relation)
                relations.insert(0, relation)
                grid.clear()
                break
            grid.add(_name(relation), ways[id(relation)])
        else:
            return ways
    raise NoWay("leave more room between the boxes")


def _way(relation: _Relation, grid: Grid) -> list[Cell]:
    box, reference, other = relation
    starts, goals = box.ends(reference.in_column), other.ends(key_of(reference.target))
    return grid.connect(_name(relation), starts, goals)


def _name(relation: _Relation) -> str:
    """Return a name that relations with the same end have in common."""
    _, reference, _ = relation
    return f"{reference.target}{' many' if reference.is_many else ''}"


def _line(relation: _Relation, way: list[Cell]) -> Line:
    box, reference, other = relation
    points = [(x * UNIT, y * UNIT) for x, y in corners(way)]
    ends = [_at_box(box, points[0]), *points, _at_box(other, points[-1])]
    return Line(reference, other.group, ends)


def _at_box(box: Box, point: svg.Point) -> svg.Point:
    x, y = point
    return (box.right if x > box.right else box.left), y
