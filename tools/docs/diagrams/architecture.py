"""The architecture: the rooms of the package, in the order in which they use each other."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from tap_constantcontact.settings.schema import SETTINGS
from tap_constantcontact.streams import STREAMS
from tools.docs.diagrams import svg
from tools.docs.diagrams.flow import MARGIN, Card, in_words
from tools.docs.diagrams.theme import SMALL

_ROOT = Path(__file__).parents[3]
_PACKAGE = _ROOT / "tap_constantcontact"
_CONTRACT = r'name = "The rooms of the package.*?^layers = (\[.*?^\])'
_LEFT, _ROOM = MARGIN + 36, 544
_OUTSIDE, _OUTSIDE_WIDTH = 668, 196
_GAP = 10
_CHIP = 30
#: Rooms that something outside calls or feeds; the others call what is outside.
_CALLERS = {"airbyte", "streams", "incremental"}
_API = SETTINGS.to_dict()["properties"]["api_url"]["default"].removeprefix("https://")
#: What is outside the package, by the room that it is beside.
_BESIDE = {
    "airbyte": ("Runs the tap", "Meltano, Airbyte, a shell, or cron"),
    "login": ("A browser", "Sign-in, once for each account"),
    "streams": ("schemas/*.json", f"One JSON Schema for each of the {len(STREAMS)} streams"),
    "incremental": ("State", "From the previous run"),
    "api": ("Constant Contact", f"The API: {_API}"),
    "output": ("A Singer target", "Reads SCHEMA, RECORD and STATE messages"),
}
#: Modules on the main way through the package, which packages are anyway.
_MAIN = {"__main__", "tap", "client"}
_STREAMS = f"{len(STREAMS)} are declared."
_GROUPS = {
    "tap": 1,
    "streams": 1,
    "client": 1,
    "incremental": 3,
    "api": 2,
    "output": 4,
    "settings": 5,
}


def layers() -> list[list[str]]:
    """Return the modules of the package by layer, from the contract that import-linter checks.

    Raises:
        ValueError: pyproject.toml does not have the contract.
    """
    text = (_ROOT / "pyproject.toml").read_text("utf-8")
    if not (found := re.search(_CONTRACT, text, re.DOTALL | re.MULTILINE)):
        raise ValueError("pyproject.toml has no contract on the rooms of the package")
    return [re.split(r" [|:] ", layer) for layer in ast.literal_eval(found[1])]


def drawing() -> svg.Drawing:
    """Return the diagram."""
    cards: dict[str, Card] = {}
    chips: list[str] = []
    top = MARGIN
    for layer in layers():
        main = [name for name in layer if name in _MAIN or (_PACKAGE / name).is_dir()]
        for card in _row(sorted(main, key=_BESIDE.__contains__), top):
            cards[card.title] = card
        if main:
            top = max(cards[name].bottom for name in main) + _GAP
        if others := [name for name in layer if name not in main]:
            chips += _chips(others, top)
            top += _CHIP + _GAP
    outside = _outside(cards)
    last = max(card.bottom for card in outside.values())
    top = max(top, last + _GAP)
    height = top + MARGIN - _GAP
    elements = [
        *svg.arrow([(MARGIN + 16, MARGIN), (MARGIN + 16, top - _GAP)]),
        *_label(top),
        *(element for card in (*cards.values(), *outside.values()) for element in card.elements()),
        *chips,
        *(
            part
            for room, card in outside.items()
            for part in svg.arrow(_towards(card, inwards=room in _CALLERS))
        ),
    ]
    text = (
        f"Each row uses only rows below it. {in_words(cards.values())} {in_words(outside.values())}"
    )
    title = "The rooms of the package, in the order in which they use each other"
    return svg.Drawing(title, text, _OUTSIDE + _OUTSIDE_WIDTH + MARGIN, height, elements)


def _row(names: Sequence[str], top: int) -> list[Card]:
    width = (_ROOM - _GAP * (len(names) - 1)) // max(1, len(names))
    cards = [
        Card(
            _LEFT + place * (width + _GAP),
            top,
            width,
            name,
            [_purpose(name)],
            _GROUPS.get(name, 6),
            is_name=True,
        )
        for place, name in enumerate(names)
    ]
    tallest = max((card.height for card in cards), default=0)
    return [Card(**{**vars(card), "min_height": tallest}) for card in cards]


def _purpose(name: str) -> str:
    """Return the first sentence of the docstring of a module."""
    module = (
        _PACKAGE / name / "__init__.py" if (_PACKAGE / name).is_dir() else _PACKAGE / f"{name}.py"
    )
    docstring = ast.get_docstring(ast.parse(module.read_text("utf-8"))) or ""
    purpose = " ".join(docstring.partition("\n\n")[0].replace("`", "").split())
    return f"{purpose} {_STREAMS}" if name == "streams" else purpose


def _chips(names: Sequence[str], top: int) -> list[str]:
    """Return names in a row, which explain themselves."""
    elements, left = [], _LEFT
    for name in names:
        width = svg.mono_width(name, SMALL) + 20
        elements += [
            svg.rect((left, top, width, _CHIP), "box", 8),
            svg.text(left + width // 2, top + 19, name, "mono small middle"),
        ]
        left += width + _GAP
    return elements


def _label(bottom: int) -> Iterator[str]:
    """Yield what the long arrow means."""
    x, y = MARGIN - 4, (MARGIN + bottom) // 2
    label = svg.text(x, y, "each row uses only rows below it", "small muted middle")
    yield label.replace("<text ", f'<text transform="rotate(90 {x} {y})" ', 1)


def _towards(card: Card, *, inwards: bool) -> list[svg.Point]:
    """Return the ends of an arrow between a room and what is beside it."""
    y = card.top + 24
    ends = [(_LEFT + _ROOM + 4, y), (card.left - 4, y)]
    return ends[::-1] if inwards else ends


def _outside(cards: Mapping[str, Card]) -> dict[str, Card]:
    """Return who runs the package and what it speaks to, each beside its room."""
    return {
        room: Card(_OUTSIDE, cards[room].top, _OUTSIDE_WIDTH, title, [body], cards[room].group)
        for room, (title, body) in _BESIDE.items()
    }
