"""The life of a run, from its settings to its exit status."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise
from typing import NamedTuple

from tap_constantcontact.exceptions import EXIT_FAILED, EXIT_QUOTA, SIGNAL_STATUS
from tap_constantcontact.output.states import SECONDS_BETWEEN_STATES
from tap_constantcontact.output.stdout import BROKEN_PIPE_STATUS
from tap_constantcontact.settings.schema import SETTINGS
from tools.docs.diagrams import svg
from tools.docs.diagrams.flow import MARGIN, Card, elements_of, in_words
from tools.docs.entities import TITLES, is_default, subjects

_TITLE = "The life of a run, from its settings to its exit status"
_LEFT = MARGIN + 36
_DOTS = MARGIN + 16
# A phone shows the steps, and scrolls to what is beside them.
_STEP_WIDTH = 284
_OUTSIDE = _LEFT + _STEP_WIDTH + 48
_OUTSIDE_WIDTH = 204
_WIDTH = _OUTSIDE + _OUTSIDE_WIDTH + MARGIN
_GAP = 28
_ROW = 22
_STREAMS = "Read the streams"
_STATE = "State"


class _Step(NamedTuple):
    """What happens, and what it has to do with outside."""

    title: str
    body: list[str]
    group: int
    beside: str = ""
    beside_body: tuple[str, ...] = ()


def drawing() -> svg.Drawing:
    """Return the diagram."""
    cards: list[Card] = []
    outside: list[Card] = []
    top = MARGIN
    for step in _steps():
        card = Card(_LEFT, top, _STEP_WIDTH, step.title, step.body, step.group)
        if step.title == _STREAMS:
            card = replace(card, min_height=card.height + _ROW * (len(subjects()) + 1))
        cards.append(card)
        if step.beside:
            place = (_OUTSIDE, top, _OUTSIDE_WIDTH)
            outside.append(Card(*place, step.beside, step.beside_body, step.group))
        top = max(each.bottom for each in [*cards, *outside]) + _GAP
    elements = elements_of([*cards, *outside])
    for number, card in enumerate(cards, start=1):
        elements += _number(number, card)
    for card, following in pairwise(cards):
        elements += svg.arrow([(_DOTS, card.top + 40), (_DOTS, following.top + 8)])
    for card in outside:
        y = card.top + 24
        ends = [(_LEFT + _STEP_WIDTH + 4, y), (_OUTSIDE - 4, y)]
        elements += svg.arrow(ends[::-1] if card.title == _STATE else ends)
    elements += _subjects(next(card for card in cards if card.title == _STREAMS))
    text = in_words([*cards, *outside])
    return svg.Drawing(_TITLE, text, _WIDTH, top - _GAP + MARGIN, elements)


def _steps() -> Iterator[_Step]:
    properties = SETTINGS.to_dict()["properties"]
    default = {name: schema.get("default") for name, schema in properties.items()}
    given = "Errors in settings, catalog or state end the run before the first request."
    yield _Step("Check the input", [given], 6)
    buys = "Exchange the refresh token, unless the token store has a valid access token."
    stored = "A rotated token is stored before it is used."
    yield _Step("Get an access token", [buys], 2, "Token store", (stored,))
    says = "Bookmarks, cycles and the change log show what earlier runs have read."
    yield _Step("Resume from the state", [says], 3, _STATE, ("From the previous run",))
    yield _Step(
        _STREAMS,
        ["One after the other, in this order. How many of each subject are selected by default:"],
        1,
        "Constant Contact",
        (
            f"{default['requests_per_second']} requests a second",
            f"{default['daily_quota']:,} a day",
            f"{default['max_parallel_requests']} at a time, prefetched",
        ),
    )
    seconds = f"{SECONDS_BETWEEN_STATES:.0f} seconds"
    claims = f"A state follows the records: at the end of a stream, and at most every {seconds}."
    yield _Step(
        "Write records and states",
        ["Records are converted to their schema.", claims],
        4,
        "A Singer target",
        ("Reads messages from stdout",),
    )
    yield _Step(
        "End",
        [
            "The summary lists the records and requests of each stream. Exit codes:",
            "0: all streams were read",
            f"{EXIT_FAILED}: an invalid setting, a failed login, an API that keeps failing",
            f"{EXIT_QUOTA}: a quota is exhausted (0 if on_quota_exceeded is stop)",
            f"{SIGNAL_STATUS} + n: signal n",
            f"{BROKEN_PIPE_STATUS}: the target closed the pipe",
        ],
        5,
        "The next run",
        ("Resumes from the last state",),
    )


def _number(number: int, step: Card) -> Iterator[str]:
    x, y = _DOTS, step.top + 24
    yield f'<g class="g{step.group}"><circle class="dot" cx="{x}" cy="{y}" r="13"/>'
    yield svg.text(x, y + 5, str(number), "strong middle number") + "</g>"


def _subjects(step: Card) -> Iterator[str]:
    """Yield the subjects in their order, with the numbers of their streams."""
    y = step.bottom - _ROW * len(subjects()) + 2
    for subject, names in subjects().items():
        selected = sum(map(is_default, names))
        kind = "small" if selected else "small muted"
        yield svg.text(step.left + 24, y, TITLES[subject], kind)
        yield svg.text(step.right - 24, y, f"{selected} of {len(names)}", f"{kind} end")
        y += _ROW
