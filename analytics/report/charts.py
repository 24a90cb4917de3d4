"""The charts, as SVG that fits any width: positions are in percent, text keeps its size.

Colors are classes of the page, which has them for light and dark. So are heights that do not vary:
the page has hundreds of marks. Nothing needs a script.
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
        tick: Where a line crosses it, such as the capacity of what it fills.
    """

    label: str
    parts: Sequence[Part]
    text: str = ""
    tick: float | None = None


@dataclass
class Column:
    """A column over time.

    Attributes:
        label: What may stand below it.
        parts: What it consists of, as values and their classes.
        title: What it says when it is pointed at.
    """

    label: str
    parts: Sequence[tuple[float, str]]
    title: str

    @property
    def total(self) -> float:
        """Its height."""
        return sum(value for value, _ in self.parts)


@dataclass
class Cell:
    """A colored cell.

    Attributes:
        text: What stands in it.
        small: What stands below that, smaller.
        color: Its class.
        title: What it says when it is pointed at.
    """

    text: str
    small: str
    color: str
    title: str


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


def spoken(rows: Iterable[Bar]) -> str:
    """Return bars as text, for those who do not see them."""
    return "; ".join(f"{row.label}: {row.text}" for row in rows)


def bars(rows: Sequence[Bar], top: float | None = None) -> str:
    """Draw bars from left to right, a line for each; on phones labels are above them."""
    top = top or max((sum(part.value for part in row.parts) for row in rows), default=0) or 1
    return '<div class="bars">' + "".join(_bar(row, top) for row in rows) + "</div>"


def _bar(row: Bar, top: float) -> str:
    tick = ""
    if row.tick is not None and row.tick <= top:
        tick = f'<line x1="{_share(row.tick, top)}" x2="{_share(row.tick, top)}" y2="18"/>'
    return (
        f'<div class="bar"><span>{escape(row.label)}</span><svg>{_parts(row.parts, top)}{tick}'
        f"</svg><b>{escape(row.text)}</b></div>"
    )


def _share(value: float, top: float) -> str:
    return f"{100 * value / top:.2f}".rstrip("0").rstrip(".") + "%"


def _parts(parts: Sequence[Part], top: float) -> str:
    at, drawn = 0.0, []
    for part in parts:
        if part.value > 0 and part.title:
            place = f' x="{_share(at, top)}"' if at else ""
            drawn.append(
                f'<rect class="{part.color}"{place} width="{_share(part.value, top)}">'
                f"<title>{escape(part.title)}</title></rect>"
            )
        at += part.value
    return "".join(drawn)


def stack(parts: Sequence[Part]) -> str:
    """Draw one bar whose parts are a whole, with a legend that has their numbers."""
    top = sum(part.value for part in parts) or 1
    names = [(part.color, part.title) for part in parts]
    return f'<svg class="stack">{_parts(parts, top)}</svg>{legend(names)}'


def legend(names: Iterable[tuple[str, str]]) -> str:
    """Explain colors.

    Args:
        names: Each class, with what it means.
    """
    items = (f'<li><i class="{color}"></i>{escape(name)}</li>' for color, name in names)
    return f'<ul class="legend">{"".join(items)}</ul>'


def columns(
    rows: Sequence[Column], unit: str = "", rule: float | None = None, labels: int = 6
) -> str:
    """Draw columns over time.

    Args:
        rows: A column for each.
        unit: What follows the numbers of the axis.
        rule: Where a threshold is drawn.
        labels: How many columns have a label below.
    """
    height, band = 170, 100 / max(len(rows), 1)
    top = top_of([*(row.total for row in rows), rule or 0])
    drawn = [_rule("grid", y) for y in (0.5, height / 2, height)]
    for place, row in enumerate(rows):
        if row.total:
            marks = _column(row, (place + 0.12) * band, height, top)
            drawn.append(f"<g><title>{escape(row.title)}</title>{marks}</g>")
    if rule:
        drawn.append(_rule("rule", height - height * rule / top))
    drawn += _labels([row.label for row in rows], height + 17, labels)
    return _plot("".join(drawn), height, top, unit, 0.76 * band)


def _rule(name: str, y: float) -> str:
    return f'<line class="{name}" x2="100%" y1="{y:.4g}" y2="{y:.4g}"/>'


def _column(row: Column, x: float, height: int, top: float) -> str:
    y, drawn = float(height), []
    for value, color in row.parts:
        tall = height * value / top
        y -= tall
        if tall > 0:
            drawn.append(f'<rect class="{color}" x="{x:.2f}%" y="{y:.1f}" height="{tall:.1f}"/>')
    return "".join(drawn)


def _labels(labels: Sequence[str], y: int, most: int) -> list[str]:
    band, drawn = 100 / max(len(labels), 1), []
    every = -(-len(labels) // most) or 1
    for nth, place in enumerate(range(len(labels) - 1, -1, -every)):
        x = (place + 0.5) * band
        phone = ' class="wide-only"' if nth % 2 else ""
        anchor = "end" if x > 100 - _EDGE else "start" if x < _EDGE else "middle"
        x = 100 if anchor == "end" else 0 if anchor == "start" else x
        drawn.append(
            f'<text{phone} x="{x:.1f}%" y="{y}" text-anchor="{anchor}">'
            f"{escape(labels[place])}</text>"
        )
    return drawn


def _plot(drawn: str, height: int, top: float, unit: str, width: float) -> str:
    ticks = "".join(
        f'<text x="34" y="{y:g}">{value:,.4g}{unit}</text>'
        for value, y in ((top, 10), (top / 2, height / 2 + 4), (0, height))
    )
    return (
        f'<div class="plot"><svg height="{height + 22}">{ticks}</svg>'
        f'<svg class="main" height="{height + 22}" style="--w:{width:.2f}%">{drawn}</svg></div>'
    )


def dot(rate: float, median: str, at: float | None, top: float) -> str:
    """Draw a rate as a dot, connected with the median, which the page has drawn once.

    Args:
        rate: The rate.
        median: The id of the drawing of the median; see `median_rule`.
        at: The median.
        top: The largest rate.
    """
    x = _on_scale(rate, top)
    rule = ""
    if at is not None:
        rule = f'<use href="#{median}"/><path d="M{_on_scale(at, top)} 8H{x}"/>'
    return f'<svg viewBox="0 0 100 16">{rule}<circle cx="{x}"/></svg>'


def median_rule(name: str, at: float, top: float) -> str:
    """Draw a median, for the dots around it."""
    return f'<path id="{name}" d="M{_on_scale(at, top)} 1V15"/>'


def _on_scale(rate: float, top: float) -> int:
    return round(4 + 92 * min(rate / top, 1))


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
        '<svg width="97%" height="34" viewBox="0 -1 100 34" preserveAspectRatio="none">'
        f'<polyline class="line" points="{path}"/></svg>'
        f'<circle class="c1" cx="{0.97 * x:.1f}%" cy="{y + 1:.1f}" r="3"/></svg>'
    )


def heat(rows: Sequence[str], heads: Sequence[str], cells: dict[tuple[int, int], Cell]) -> str:
    """Draw a table of colored cells.

    Args:
        rows: The labels of rows.
        heads: Those of columns.
        cells: By row and column.
    """
    tall, width = 34, 100 / max(len(heads), 1)
    labels = "".join(
        f'<text x="34" y="{place * tall + 21}">{row}</text>' for place, row in enumerate(rows)
    )
    drawn = [f'<rect class="none" y="{place * tall + 1}"/>' for place in range(len(rows))]
    wide = f"{width * 0.97:.2f}%"
    for (row, column), cell in sorted(cells.items()):
        # A drawing in the drawing, so that the marks in it have the same places in each.
        drawn.append(
            f'<svg class="{cell.color}" x="{column * width:.2f}%" y="{row * tall + 1}" '
            f'width="{wide}">'
            f'<title>{escape(cell.title)}</title><rect/><text x="50%" y="15">{escape(cell.text)}'
            f'</text><text x="50%" y="27" class="small">{escape(cell.small)}</text></svg>'
        )
    y = len(rows) * tall + 15
    drawn += [
        f'<text x="{(place + 0.5) * width:.2f}%" y="{y}">{head}</text>'
        for place, head in enumerate(heads)
    ]
    height = len(rows) * tall + 20
    return (
        f'<div class="plot heat"><svg height="{height}">{labels}</svg>'
        f'<svg class="main" height="{height}">{"".join(drawn)}</svg></div>'
    )
