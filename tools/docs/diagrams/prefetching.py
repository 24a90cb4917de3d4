"""How a request is sent ahead: what the threads of a run tell each other."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from tap_constantcontact.api.session import PrefetchingSession
from tap_constantcontact.settings.schema import SETTINGS
from tools.docs.diagrams import svg
from tools.docs.diagrams.flow import MARGIN, WIDTH, Card, elements_of, in_words
from tools.docs.diagrams.theme import SANS, SMALL

_STEP = 46
_HEAD_WIDTH = 159
_GAP = 12
_TITLE = "How requests are sent ahead, and who waits for them"


class _Message(NamedTuple):
    """What one tells another, who are numbered from the left; a note, if they are the same."""

    sender: int
    receiver: int
    content: str
    is_response: bool = False


_MESSAGES = (
    _Message(0, 1, "predicted requests"),
    _Message(0, 1, "page 1, please"),
    _Message(1, 2, "page 1"),
    _Message(2, 3, "page 1, in its slot"),
    _Message(3, 2, "response", is_response=True),
    _Message(2, 1, "response", is_response=True),
    _Message(1, 1, "page 2 and details follow from it"),
    _Message(1, 2, "page 2, details"),
    _Message(1, 0, "page 1", is_response=True),
    _Message(0, 0, "writes the records of page 1"),
    _Message(2, 3, "page 2, details"),
    _Message(3, 2, "responses", is_response=True),
    _Message(0, 1, "detail 1, please"),
    _Message(1, 0, "detail 1, at once", is_response=True),
)


def drawing() -> svg.Drawing:
    """Return the diagram."""
    heads = _heads()
    top = max(card.bottom for card in heads)
    bottom = top + _STEP * len(_MESSAGES) + MARGIN
    elements = [
        f'<path class="flow optional" d="M{card.middle},{top}V{bottom}"/>' for card in heads
    ]
    for number, message in enumerate(_MESSAGES, start=1):
        elements += _message(message, [card.middle for card in heads], top + _STEP * number)
    names = [card.title for card in heads]
    told = [f"{names[each.sender]} to {names[each.receiver]}: {each.content}" for each in _MESSAGES]
    text = f"{in_words(heads)} {'. '.join(told)}."
    return svg.Drawing(_TITLE, text, WIDTH, bottom + MARGIN, [*elements, *elements_of(heads)])


def _heads() -> list[Card]:
    settings = SETTINGS.to_dict()["properties"]
    threads, pace = (
        settings[name]["default"] for name in ("max_parallel_requests", "requests_per_second")
    )
    texts = (
        ("A stream", "main thread", 1),
        (PrefetchingSession.__name__, "main thread", 1),
        ("Workers", f"{threads} threads (max_parallel_requests)", 3),
        ("The API", f"{pace} requests a second (requests_per_second)", 2),
    )
    return [
        Card(
            MARGIN + place * (_HEAD_WIDTH + _GAP),
            MARGIN,
            _HEAD_WIDTH,
            title,
            [body],
            group,
            min_height=80,
        )
        for place, (title, body, group) in enumerate(texts)
    ]


def _message(message: _Message, middles: list[int], y: int) -> Iterator[str]:
    """Yield an arrow with its label above it, or a note."""
    start, end = middles[message.sender], middles[message.receiver]
    if start == end:
        lines = svg.wrapped(message.content, _HEAD_WIDTH - 24, SMALL)
        height = 18 * len(lines) + 10
        yield svg.rect(
            (start - _HEAD_WIDTH // 2 + 6, y - height // 2 - 4, _HEAD_WIDTH - 12, height), "box"
        )
        yield from svg.lines(start, y - height // 2 + 14, lines, "small middle", 18)
        return
    width = round(len(message.content) * SANS * SMALL) + 8
    middle = (start + end) // 2
    yield from svg.arrow([(start, y), (end, y)], "flow optional" if message.is_response else "flow")
    yield svg.rect((middle - width // 2, y - 20, width, 16), "paper", 4)
    yield svg.text(middle, y - 8, message.content, "small middle")
