"""The charts, as SVG that fits any width: positions are in percent, text keeps its size.

Colors are classes of the page, which has them for light and dark. Nothing needs a script.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from html import escape

_STEPS = (1, 2, 2.5, 5, 10)
_EDGE = 6  # percent, within which labels would be cut


@dataclass
class Part:
    """A part of a bar.

    Attributes:
        value: Its length.
        color: Its class.
        title: What it says when it is pointed at; without one, it is a gap.
    """

    value: float
    color: str
    title: str


@dataclass
class Bar:
    """A bar, with its label.

    Attributes:
        label: What stands beside it.
        parts: What it consists of.
        text: Its value in words.
    """

    label: str
    parts: Sequence[Part]
    text: str = ""


def top_of(values: Iterable[float]) -> float:
    """Return a round number that is no smaller than the largest of some values."""
    largest = max(values, default=0)
    if largest <= 0:
        return 1
    power = 1.0
    while power * 10 <= largest:
        power *= 10
    while power > largest:
        power /= 10
    return next(step * power for step in _STEPS if step * power >= largest * (1 - 1e-9))


def bars(rows: Sequence[Bar], top: float | None = None) -> str:
    """Draw bars from left to right, a line for each; on phones labels are above them."""
    top = top or max((sum(part.value for part in row.parts) for row in rows), default=0) or 1
    return '<div class="bars">' + "".join(_bar(row, top) for row in rows) + "</div>"


def _bar(row: Bar, top: float) -> str:
    return (
        f'<div class="bar"><span class="label">{escape(row.label)}</span>'
        f'<svg width="100%" height="18">{_parts(row.parts, top, 2, 14)}</svg>'
        f'<span class="value">{escape(row.text)}</span></div>'
    )


def _parts(parts: Sequence[Part], top: float, y: float, height: float) -> str:
    at, drawn = 0.0, []
    for part in parts:
        width = 100 * part.value / top
        if width > 0 and part.title:
            drawn.append(
                f'<rect class="{part.color}" x="{at:.2f}%" y="{y:g}" width="{width:.2f}%" '
                f'height="{height:g}"><title>{escape(part.title)}</title></rect>'
            )
        at += width
    return "".join(drawn)


def stack(parts: Sequence[Part]) -> str:
    """Draw one bar whose parts are a whole, with a legend that has their numbers."""
    top = sum(part.value for part in parts) or 1
    legend_of = "".join(
        f'<li><i class="{part.color}"></i>{escape(part.title)}</li>' for part in parts
    )
    return (
        f'<svg width="100%" height="34" class="stack">{_parts(parts, top, 0, 34)}</svg>'
        f'<ul class="legend">{legend_of}</ul>'
    )


def legend(names: dict[str, str]) -> str:
    """Explain colors.

    Args:
        names: What each class means.
    """
    return (
        '<ul class="legend">'
        + "".join(
            f'<li><i class="{color}"></i>{escape(name)}</li>' for color, name in names.items()
        )
        + "</ul>"
    )


def columns(rows: Sequence[Bar], unit: str = "", rule: float | None = None, labels: int = 6) -> str:
    """Draw columns over time.

    Args:
        rows: A column for each.
        unit: What follows the numbers of the axis.
        rule: Where a threshold is drawn.
        labels: How many columns have a label below.
    """
    height, count = 170, max(len(rows), 1)
    top = top_of([sum(part.value for part in row.parts) for row in rows] + [rule or 0])
    band = 100 / count
    drawn = [_grid(height)]
    for place, row in enumerate(rows):
        y = float(height)
        for part in row.parts:
            tall = height * part.value / top
            y -= tall
            if tall > 0:
                drawn.append(
                    f'<rect class="{part.color}" x="{(place + 0.12) * band:.2f}%" y="{y:.1f}" '
                    f'width="{0.76 * band:.2f}%" height="{tall:.1f}">'
                    f"<title>{escape(part.title)}</title></rect>"
                )
    if rule:
        y = height - height * rule / top
        drawn.append(f'<line class="rule" x1="0" x2="100%" y1="{y:.1f}" y2="{y:.1f}"/>')
    every = -(-count // labels)
    for nth, place in enumerate(range(len(rows) - 1, -1, -every)):
        x = (place + 0.5) * band
        phone = ' class="wide-only"' if nth % 2 else ""
        anchor = "end" if x > 100 - _EDGE else "start" if x < _EDGE else "middle"
        x = 100 if anchor == "end" else 0 if anchor == "start" else x
        drawn.append(
            f'<text{phone} x="{x:.1f}%" y="{height + 17}" text-anchor="{anchor}">'
            f"{escape(rows[place].label)}</text>"
        )
    return _plot("".join(drawn), height, top, unit)


def _grid(height: int) -> str:
    return "".join(
        f'<line class="grid" x1="0" x2="100%" y1="{y:g}" y2="{y:g}"/>'
        for y in (0.5, height / 2, height)
    )


def _plot(drawn: str, height: int, top: float, unit: str) -> str:
    ticks = "".join(
        f'<text x="34" y="{y:g}" text-anchor="end">{value:,.4g}{unit}</text>'
        for value, y in ((top, 10), (top / 2, height / 2 + 4), (0, height))
    )
    return (
        f'<div class="plot"><svg width="38" height="{height + 22}">{ticks}</svg>'
        f'<svg class="main" height="{height + 22}">{drawn}</svg></div>'
    )


def dot(rate: float, median: float | None, top: float, color: str, title: str) -> str:
    """Draw a rate as a dot, around the median."""
    x = 3 + 94 * min(rate / top, 1)
    rule = ""
    if median is not None:
        at = 3 + 94 * min(median / top, 1)
        rule = f'<path d="M{at:.0f} 1V15" class="m"/><path d="M{at:.0f} 8H{x:.0f}" class="d"/>'
    return (
        f'<svg class="dot" viewBox="0 0 100 16" width="100" height="16">{rule}'
        f'<circle class="{color}" cx="{x:.0f}" cy="8" r="4"><title>{escape(title)}</title></circle>'
        "</svg>"
    )


def sparkline(values: Sequence[float | None], title: str) -> str:
    """Draw a small line without an axis, from its least to its largest value."""
    known = [value for value in values if value is not None]
    if len(known) <= 1:
        return ""
    least, most = min(known), max(known)
    places = [
        (100 * place / (len(values) - 1), 28 - 24 * (value - least) / ((most - least) or 1))
        for place, value in enumerate(values)
        if value is not None
    ]
    path = " ".join(f"{x:.1f},{y:.1f}" for x, y in places)
    x, y = places[-1]
    return (
        f'<svg class="spark" width="100%" height="34"><title>{escape(title)}</title>'
        '<svg width="100%" height="34" viewBox="0 -1 100 34" preserveAspectRatio="none">'
        f'<polyline class="line" points="{path}"/></svg>'
        f'<circle class="c1" cx="{min(x, 98.5):.1f}%" cy="{y + 1:.1f}" r="3"/></svg>'
    )


def heat(rows: Sequence[str], heads: Sequence[str], cells: dict[tuple[int, int], Part]) -> str:
    """Draw a table of colored cells.

    Args:
        rows: The labels of rows.
        heads: Those of columns.
        cells: By row and column; the value is written into the cell, in percent.
    """
    tall, width = 30, 100 / max(len(heads), 1)
    labels = "".join(
        f'<text x="34" y="{(place + 0.65) * tall:g}" text-anchor="end">{row}</text>'
        for place, row in enumerate(rows)
    )
    drawn = []
    for row in range(len(rows)):
        for column in range(len(heads)):
            x, y = column * width, row * tall
            cell = cells.get((row, column))
            place = f'x="{x:.2f}%" y="{y + 1}" width="{width * 0.96:.2f}%" height="{tall - 2}"'
            if cell is None:
                drawn.append(f'<rect class="none" {place}/>')
                continue
            drawn.append(
                f'<g><title>{escape(cell.title)}</title><rect class="{cell.color}" {place}/>'
                f'<text class="{cell.color}" x="{x + width * 0.48:.2f}%" y="{y + tall * 0.65:g}" '
                f'text-anchor="middle">{100 * cell.value:.0f}</text></g>'
            )
    drawn += [
        f'<text x="{(place + 0.48) * width:.2f}%" y="{len(rows) * tall + 15}" '
        f'text-anchor="middle">{head}</text>'
        for place, head in enumerate(heads)
    ]
    height = len(rows) * tall + 20
    return (
        f'<div class="plot"><svg width="38" height="{height}">{labels}</svg>'
        f'<svg class="main heat" height="{height}">{"".join(drawn)}</svg></div>'
    )
