"""Lines between boxes that run around all boxes and texts.

Lines run on a grid. Of all ways from one end to the other, a line takes the cheapest one (A*): each
step costs, a corner costs more, and crossing another line still more. Lines to the same end may
share their way, and others never lie on one another.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from heapq import heappop, heappush
from itertools import pairwise
from typing import NamedTuple

#: The distance of the lines of the grid in pixels.
UNIT = 12

Cell = tuple[int, int]

_STEP, _SHARED_STEP, _BEND, _CROSSING = 10, 5, 25, 40
_DIRECTIONS = ((1, 0), (0, 1), (-1, 0), (0, -1))


class NoWay(ValueError):
    """A line cannot be drawn."""


class End(NamedTuple):
    """A point where a line can begin or end.

    Attributes:
        cell: The point. It may be blocked for other lines.
        direction: Away from the box.
    """

    cell: Cell
    direction: int


class _State(NamedTuple):
    cell: Cell
    direction: int


@dataclass
class Grid:
    """The room for lines.

    Attributes:
        columns: Its width in cells.
        rows: Its height in cells.
        blocked: The cells of boxes and texts.
    """

    columns: int
    rows: int
    blocked: set[Cell] = field(default_factory=set)
    # For each cell the lines through it, each with its directions without their signs.
    _used: dict[Cell, dict[str, set[int]]] = field(default_factory=lambda: defaultdict(dict))

    def block(self, left: int, top: int, right: int, bottom: int) -> None:
        """Block a rectangle, borders included.

        Args:
            left: In cells, as the others.
            top: The same.
            right: The same.
            bottom: The same.
        """
        self.blocked |= {(x, y) for x in range(left, right + 1) for y in range(top, bottom + 1)}

    def clear(self) -> None:
        """Take all lines away."""
        self._used.clear()

    def add(self, line: str, way: Sequence[Cell]) -> None:
        """Note a line.

        Args:
            line: Where it leads: lines with the same name may share their way.
            way: Its cells.
        """
        for cell, following in pairwise(way):
            direction = int(cell[0] == following[0])
            for each in (cell, following):
                self._used[each].setdefault(line, set()).add(direction)

    def connect(self, line: str, starts: Collection[End], goals: Collection[End]) -> list[Cell]:
        """Return the cells of the cheapest way for a line, which is not added.

        Args:
            line: Where it leads, as in `add`.
            starts: Where it can begin.
            goals: Where it can end.

        Raises:
            NoWay: There is none.
        """
        ends = {End(goal.cell, (goal.direction + 2) % 4): goal for goal in goals}
        queue: list[tuple[int, int, _State]] = []
        costs: dict[_State, int] = {}
        before: dict[_State, _State] = {}
        for start in starts:
            state = _State(*start)
            costs[state] = 0
            heappush(queue, (self._least(state, goals), len(queue), state))
        serial = len(queue)
        while queue:
            *_, state = heappop(queue)
            if End(*state) in ends:
                return _way_to(state, before)
            for following, cost in self._steps(line, state):
                if following.cell in self.blocked and End(*following) not in ends:
                    continue
                total = costs[state] + cost
                if total < costs.get(following, total + 1):
                    costs[following], before[following] = total, state
                    serial += 1
                    heappush(queue, (total + self._least(following, goals), serial, following))
        raise NoWay(line)

    def _steps(self, line: str, state: _State) -> Iterator[tuple[_State, int]]:
        """Yield the next states and what they cost."""
        (x, y), direction = state
        others = any(name != line for name in self._used.get(state.cell, ()))
        for turn in (0, 1, 3):
            if turn and others:
                continue  # lines cross; they don't meet
            towards = (direction + turn) % 4
            cell = (x + _DIRECTIONS[towards][0], y + _DIRECTIONS[towards][1])
            if not self._is_free(cell, towards, line):
                continue
            used = self._used.get(cell, {})
            cost = _SHARED_STEP if towards % 2 in used.get(line, ()) else _STEP
            crossings = sum(name != line for name in used)
            yield (
                _State(cell, towards),
                cost + (_BEND if turn else 0) + crossings * _CROSSING,
            )

    def _is_free(self, cell: Cell, direction: int, line: str) -> bool:
        inside = 0 < cell[0] < self.columns and 0 < cell[1] < self.rows
        if not inside:
            return False
        across = {(direction + 1) % 2}
        return all(
            name == line or ways == across for name, ways in self._used.get(cell, {}).items()
        )

    @staticmethod
    def _least(state: _State, goals: Collection[End]) -> int:
        (x, y), _ = state
        return min(abs(x - end.cell[0]) + abs(y - end.cell[1]) for end in goals) * _SHARED_STEP


def corners(way: Sequence[Cell]) -> list[Cell]:
    """Return the ends of a way, and where it turns."""
    turns = [
        cell
        for before, cell, after in zip(way, way[1:], way[2:], strict=False)
        if (before[0] == cell[0]) != (cell[0] == after[0])
    ]
    return [way[0], *turns, way[-1]]


def _way_to(end: _State, before: Mapping[_State, _State]) -> list[Cell]:
    states = [end]
    while states[-1] in before:
        states.append(before[states[-1]])
    return [state.cell for state in reversed(states)]
