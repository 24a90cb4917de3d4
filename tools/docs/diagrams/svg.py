"""Elements of SVG as text, and the frame that all diagrams have."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape
from textwrap import wrap
from typing import NamedTuple

from tools.docs.diagrams.theme import MONO, SANS, SIZE, stylesheet

Point = tuple[int, int]

_CORNER = 6


class Drawing(NamedTuple):
    """A diagram.

    Attributes:
        title: What it shows, in a few words.
        text: What it shows, for those who can't see it.
        width: In pixels.
        height: In pixels.
        elements: Its elements, of which later ones cover earlier ones.
    """

    title: str
    text: str
    width: int
    height: int
    elements: Sequence[str]

    def svg(self, name: str) -> str:
        """Return the file.

        Args:
            name: The name of the diagram, for ids that no other diagram has.
        """
        size = f'width="{self.width}" height="{self.height}"'
        box = f'viewBox="0 0 {self.width} {self.height}"'
        ids = f"{name}-title", f"{name}-text"
        named = f'role="group" aria-labelledby="{ids[0]} {ids[1]}"'
        return "\n".join(
            (
                f'<svg xmlns="http://www.w3.org/2000/svg" class="dg" {size} {box} {named}>',
                f'<title id="{ids[0]}">{escape(self.title)}</title>',
                f'<desc id="{ids[1]}">{escape(self.text)}</desc>',
                f"<style>\n{stylesheet()}</style>",
                f'<rect class="paper" {size} rx="8"/>',
                *self.elements,
                "</svg>\n",
            )
        )


def text(x: int, y: int, content: str, kind: str = "", href: str = "") -> str:
    """Return a line of text.

    Args:
        x: Its left end; the right one or the middle, if its kind says so.
        y: Its baseline.
        content: What it says.
        kind: The classes of the stylesheet.
        href: Where it leads, if anywhere.
    """
    named = f' class="{kind}"' if kind else ""
    element = f'<text{named} x="{x}" y="{y}">{escape(content, quote=False)}</text>'
    return f'<a href="{escape(href)}" target="_top">{element}</a>' if href else element


def lines(x: int, y: int, content: Iterable[str], kind: str = "", step: int = 18) -> list[str]:
    """Return lines of text below each other, the first with its baseline at y."""
    return [text(x, y + step * number, line, kind) for number, line in enumerate(content)]


def wrapped(content: str, width: int, size: int = SIZE) -> list[str]:
    """Return text in lines of at most a width in pixels."""
    return wrap(content, int(width / (SANS * size)), break_long_words=False, break_on_hyphens=True)


def mono_width(content: str, size: int = SIZE) -> int:
    """Return the width of monospaced text in pixels."""
    return round(len(content) * MONO * size)


def rect(place: tuple[int, int, int, int], kind: str, radius: int = 6) -> str:
    """Return a rectangle.

    Args:
        place: Its left and top end, width and height.
        kind: The classes of the stylesheet.
        radius: Of its corners.
    """
    x, y, width, height = place
    return f'<rect class="{kind}" x="{x}" y="{y}" width="{width}" height="{height}" rx="{radius}"/>'


def path(points: Sequence[Point], kind: str) -> str:
    """Return a line of horizontal and vertical parts with round corners."""
    parts = [f"M{points[0][0]},{points[0][1]}"]
    for before, corner, after in zip(points, points[1:], points[2:], strict=False):
        parts.append(
            f"L{_towards(corner, before)}Q{corner[0]},{corner[1]} {_towards(corner, after)}"
        )
    parts.append(f"L{points[-1][0]},{points[-1][1]}")
    return f'<path class="{kind}" d="{"".join(parts)}"/>'


def arrow(points: Sequence[Point], kind: str = "flow") -> list[str]:
    """Return a line of horizontal and vertical parts, which ends in a tip."""
    (x, y), before = points[-1], points[-2]
    dx, dy = _sign(x - before[0]), _sign(y - before[1])
    tip = [
        (x, y),
        (x - 8 * dx - 4 * dy, y - 8 * dy - 4 * dx),
        (x - 8 * dx + 4 * dy, y - 8 * dy + 4 * dx),
    ]
    corners = " ".join(f"{a},{b}" for a, b in tip)
    end = (x - 6 * dx, y - 6 * dy)
    return [path([*points[:-1], end], kind), f'<polygon class="tip" points="{corners}"/>']


def group(elements: Iterable[str], kind: str) -> list[str]:
    """Return elements with the colors of a group."""
    return [f'<g class="{kind}">', *elements, "</g>"]


def _towards(corner: Point, other: Point) -> str:
    return f"{_step(corner[0], other[0])},{_step(corner[1], other[1])}"


def _step(start: int, end: int) -> int:
    distance = min(_CORNER, abs(end - start) // 2)
    return start + distance * _sign(end - start)


def _sign(number: int) -> int:
    return (number > 0) - (number < 0)
