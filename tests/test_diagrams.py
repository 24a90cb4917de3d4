"""The diagrams are readable, true, and lead somewhere."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator
from itertools import combinations, pairwise
from xml.etree import ElementTree as ET

import pytest
from support.tap import STREAMS

from tools.docs import diagrams
from tools.docs.__main__ import DOCS
from tools.docs.diagrams import theme
from tools.docs.diagrams.routing import End, Grid, NoWay, corners
from tools.docs.entities import direct_references_of, keys_of, references_of, subjects

FILES = sorted((DOCS / "diagrams").glob("*.svg"))
ENTITIES = [path for path in FILES if path.stem.startswith(("overview", "streams-"))]
SVG = "{http://www.w3.org/2000/svg}"
#: What a page shows at 1440 pixels, and the size of the smallest text.
CONTENT_WIDTH = 893

Box = tuple[float, float, float, float]
Point = tuple[int, int]


def named(path: object) -> str:
    return getattr(path, "stem", "")


def boxes_of(root: ET.Element) -> list[Box]:
    """Return the boxes of streams, a pixel smaller, since lines end at them."""
    found = []
    for rect in root.iter(f"{SVG}rect"):
        if rect.get("class", "").startswith("plain"):
            x, y, width, height = (
                float(rect.get(name, 0)) for name in ("x", "y", "width", "height")
            )
            found.append((x + 1, y + 1, x + width - 1, y + height - 1))
    return found


def texts_of(root: ET.Element) -> Iterator[Box]:
    for text in root.iter(f"{SVG}text"):
        kind, content = text.get("class", ""), text.text or ""
        x, y = float(text.get("x", 0)), float(text.get("y", 0))
        width = len(content) * theme.SMALL * (theme.MONO if "mono" in kind else theme.SANS)
        if kind != "small muted":  # not the legend
            yield x, y - 10, x + width, y + 3


def lines_of(root: ET.Element) -> Iterator[list[Point]]:
    """Yield the corners of each long line."""
    for line in root.iter(f"{SVG}path"):
        points = re.findall(r"[MLQ](\d+),(\d+)", line.get("d", ""))
        if line.get("class") == "line" and len(points) > 3:
            yield [(int(x), int(y)) for x, y in points]


def crosses(start: Point, end: Point, box: Box) -> bool:
    left, top, right, bottom = box
    (x1, x2), (y1, y2) = sorted((start[0], end[0])), sorted((start[1], end[1]))
    return x1 < right and x2 > left and y1 < bottom and y2 > top


def test_diagrams_need_nothing_from_elsewhere() -> None:
    assert {path.stem for path in FILES} == {*diagrams.drawings()}
    for path in FILES:
        text = path.read_text("utf-8")
        assert re.findall(r"https?:[^\"]*", text) == ["http://www.w3.org/2000/svg"], path
        assert "url(" not in text
        assert "@import" not in text


@pytest.mark.parametrize("path", FILES, ids=named)
def test_diagrams_are_readable(path: object) -> None:
    drawing = diagrams.drawings()[named(path)]
    assert drawing.title
    assert drawing.text.endswith(".")
    assert drawing.width <= CONTENT_WIDTH  # so that texts keep their size
    sizes = re.findall(r"(\d+)px[ }]", drawing.svg(""))
    assert min(map(int, sizes)) >= 12


@pytest.mark.parametrize("colors", [theme.LIGHT, theme.DARK], ids=["light", "dark"])
def test_diagrams_have_contrast(colors: dict[str, str]) -> None:
    for text, ground in theme.TEXTS:
        for number in theme.GROUPS:
            pair = [colors.get(name) or colors[f"{name}-{number}"] for name in (text, ground)]
            assert contrast(*pair) >= 4.5, (text, ground, number)


def contrast(one: str, other: str) -> float:
    """Return the contrast of two colors, as WCAG defines it."""

    def luminance(color: str) -> float:
        shares = [int(color[place : place + 2], 16) / 255 for place in (1, 3, 5)]
        linear = [s / 12.92 if s <= 0.03928 else ((s + 0.055) / 1.055) ** 2.4 for s in shares]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("path", ENTITIES, ids=named)
def test_lines_run_around_boxes_and_texts(path: object) -> None:
    root = ET.parse(DOCS / "diagrams" / f"{named(path)}.svg").getroot()
    obstacles = [*boxes_of(root), *texts_of(root)]
    for line in lines_of(root):
        for start, end in pairwise(line):
            assert not [box for box in obstacles if crosses(start, end, box)], (start, end)


@pytest.mark.parametrize("path", ENTITIES, ids=named)
def test_boxes_and_texts_do_not_overlap(path: object) -> None:
    root = ET.parse(DOCS / "diagrams" / f"{named(path)}.svg").getroot()
    for boxes in (boxes_of(root), [*texts_of(root)]):
        for (left, top, right, bottom), other in combinations(boxes, 2):
            is_apart = (
                right <= other[0] or other[2] <= left or bottom <= other[1] or other[3] <= top
            )
            assert is_apart, (left, top, other)


def test_overview_and_subjects_draw_what_the_schemas_say() -> None:
    for subject, names in subjects().items():
        drawing = diagrams.drawings()[diagrams.subject_diagram(subject)]
        words = re.findall(r">([^<>]+)</text>", "\n".join(drawing.elements))
        for name in names:
            columns = {*keys_of(name), *(each.in_column for each in references_of(name))}
            assert {name, *columns} <= {*words}, name
        drawn = {each.target for name in names for each in direct_references_of(name)}
        assert drawn <= {*words}
    words = re.findall(r">([^<>]+)</text>", "\n".join(diagrams.drawings()["overview"].elements))
    default = {name for name, each in STREAMS.items() if each.selected_by_default}
    assert default <= {*words}


def test_streams_in_diagrams_lead_to_their_sections() -> None:
    pages: dict[str, set[str]] = defaultdict(set)
    for path in ENTITIES:
        for address, name in re.findall(
            r'<a href="([^"]+)".*?>(\w+)</text>', path.read_text("utf-8")
        ):
            page, _, anchor = address.partition("/#")
            assert anchor == name
            pages[page].add(anchor)
    for page, anchors in pages.items():
        text = (DOCS / "diagrams" / f"{page}.md").resolve().read_text("utf-8")
        assert anchors <= {*re.findall(r"^#+ (\w+)$", text, re.MULTILINE)}
    assert {*STREAMS} == set.union(*pages.values())


def test_every_diagram_is_on_a_page() -> None:
    pages = "\n".join(path.read_text("utf-8") for path in DOCS.rglob("*.md"))
    shown = {*re.findall(r"diagrams/([\w-]+)\.svg\)\]\(", pages)}
    assert {*diagrams.drawings()} == shown


def test_dbml_has_every_stream_and_relation() -> None:
    text = (DOCS / "diagrams" / "constantcontact.dbml").read_text("utf-8")
    assert {*re.findall(r"^Table (\w+)", text, re.MULTILINE)} == {*STREAMS}
    relations = re.findall(r"^Ref: (\w+)\.(\w+) \S+ (\w+)\.", text, re.MULTILINE)
    assert len(relations) == sum(len(references_of(name)) for name in STREAMS)
    assert ("contacts", "list_memberships", "contact_lists") in relations


def test_lines_cross_but_never_lie_on_another() -> None:
    grid = Grid(20, 20)
    first = grid.connect("a", [End((2, 10), 0)], [End((18, 10), 2)])
    grid.add("a", first)
    across = grid.connect("b", [End((10, 2), 1)], [End((10, 18), 3)])
    assert corners(across) == [(10, 2), (10, 18)]
    across = grid.connect("c", [End((2, 9), 0)], [End((18, 11), 2)])
    assert len({*across} & {*first}) == 1
    shared = grid.connect("a", [End((2, 12), 0)], [End((18, 10), 2)])
    assert len({*shared} & {*first}) > 1


def test_lines_go_around_what_is_blocked() -> None:
    grid = Grid(20, 20)
    grid.block(8, 5, 12, 15)
    way = grid.connect("a", [End((2, 10), 0)], [End((18, 10), 2)])
    assert not {*way} & grid.blocked
    assert len(corners(way)) == 6


def test_line_without_a_way_is_an_error() -> None:
    grid = Grid(20, 20)
    grid.block(8, 0, 12, 20)
    with pytest.raises(NoWay):
        grid.connect("a", [End((2, 10), 0)], [End((18, 10), 2)])
