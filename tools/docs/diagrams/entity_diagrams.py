"""Entity diagrams: the overview, and one for each subject."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from tools.docs.diagrams import svg
from tools.docs.diagrams.entity_boxes import Box, Panel, Row, lines_between
from tools.docs.diagrams.legend import legend_of
from tools.docs.diagrams.placement import MARGIN, place
from tools.docs.diagrams.routing import UNIT, Grid
from tools.docs.entities import (
    TITLES,
    direct_references_of,
    is_default,
    key_of,
    keys_of,
    references_of,
    subjects,
)

_GUTTERS = (8 * UNIT, 6 * UNIT, 0)
_TITLE = 3 * UNIT
_MIN_WIDTH = 40 * UNIT
_EXTERNAL = 6
# Of a row; longer ones become two.
_MAX_CHARACTERS = 34

Links = Callable[[str], str]

#: The groups of the overview: their titles and the streams of each of their boxes, by column.
_OVERVIEW: Sequence[Mapping[str, Sequence[Sequence[str]]]] = (
    {
        "Lists, tags and segments": (
            ("contact_lists",),
            ("contact_tags",),
            ("contact_custom_fields",),
            ("segments",),
        ),
        "Events and registrations": (
            ("events",),
            ("event_registrations",),
            ("event_registration_details",),
        ),
    },
    {
        "Contacts": (("contacts",),),
        "Engagement": (
            ("email_opens", "email_clicks", "email_bounces", "email_optouts", "email_forwards"),
            ("email_sends", "email_unique_opens", "email_did_not_opens"),
            ("email_links",),
            ("email_campaign_send_history",),
        ),
    },
    {
        "Campaigns and activities": (
            ("email_campaigns",),
            ("email_campaign_summaries",),
            ("email_campaign_stats",),
            ("email_campaign_activities",),
            ("email_campaign_activity_stats",),
        ),
        "Account and SMS": (("account",), ("account_emails",), ("sms_campaign_summaries",)),
    },
)
_NUMBERS = {
    "Contacts": 1,
    "Lists, tags and segments": 2,
    "Campaigns and activities": 3,
    "Engagement": 4,
    "Events and registrations": 5,
    "Account and SMS": 6,
}


def overview(links: Links) -> svg.Drawing:
    """Return the diagram of the streams that matter most.

    Args:
        links: Returns where the name of a stream leads.
    """
    boxes: list[Box] = []
    panels: list[Panel] = []
    left = MARGIN
    for column, gutter in zip(_OVERVIEW, _GUTTERS, strict=True):
        placed = {
            title: [_overview_box(names, _NUMBERS[title]) for names in stacks]
            for title, stacks in column.items()
        }
        width = max(box.width for some in placed.values() for box in some)
        top = MARGIN
        for title, some in placed.items():
            begin, top = top, top + _TITLE
            for box in some:
                top += UNIT * (len(box.names) > 1)  # for the cards of the stack
                box.left, box.top, box.width = left, top, width
                top = box.bottom + 2 * UNIT
            place = (left - 15, begin - 6, width + 30, top - begin)
            panels.append(Panel(title, _NUMBERS[title], place))
            boxes += some
            top += 3 * UNIT
        left += width + gutter
    title = "The streams that matter most, and how they refer to each other"
    return _drawing(title, boxes, panels, links)


def of_subject(subject: str, links: Links) -> svg.Drawing:
    """Return the diagram of a subject's streams and of those that they refer to.

    Args:
        subject: The module of the streams.
        links: Returns where the name of a stream leads.
    """
    names = subjects()[subject]
    targets = dict.fromkeys(each.target for name in names for each in direct_references_of(name))
    externals = [
        Box([name], [Row(key_of(name), is_key=True)], is_default(name), _EXTERNAL)
        for name in targets
        if name not in names
    ]
    boxes = [*externals, *_stacks(names)]
    place(boxes, frozenset(names))
    return _drawing(f"{TITLES[subject]}: the columns that join", boxes, [], links)


def _overview_box(names: Sequence[str], group: int) -> Box:
    """Return the box of streams with their keys, and what other columns refer to others."""
    having: dict[str, list[str]] = {}
    rows: dict[str, Row] = {}
    for name in names:
        direct = {each.in_column for each in direct_references_of(name)}
        for row in _rows(name):
            if row.is_key or row.name in direct:
                having.setdefault(row.name, []).append(name.removeprefix("email_"))
                rows.setdefault(row.name, row._replace(note=""))
    shown = [
        row
        if len(having[column]) == len(names)
        else row._replace(note=f"({', '.join(having[column])})")
        for column, row in rows.items()
    ]
    return Box(names, shown, all(map(is_default, names)), group)


def _stacks(names: Sequence[str]) -> Iterator[Box]:
    """Yield the boxes of a subject. Streams that have the same keys share one."""
    alike: dict[Any, list[str]] = {}
    for name in names:
        is_target = any(name == each.target for other in names for each in references_of(other))
        own = name if is_target or not references_of(name) else ""
        alike.setdefault((own, _rows(name), is_default(name)), []).append(name)
    for (_, rows, default), some in alike.items():
        yield Box(some, rows, default)


def _rows(name: str) -> tuple[Row, ...]:
    """Return the columns of a stream that join: its key, and what refers to others."""
    keys, direct = keys_of(name), direct_references_of(name)
    references = {each.in_column: each for each in references_of(name)}
    rows = []
    for column in dict.fromkeys([*keys, *references]):
        other = references.get(column)
        note = f"→ {other.target}" if other and other not in direct else ""
        row = Row(column, column in keys, other is not None, note)
        is_long = len(f"{column} {note}") > _MAX_CHARACTERS
        rows += [row._replace(note=""), Row("", note=note)] if is_long else [row]
    return tuple(rows)


def _drawing(
    title: str, boxes: Sequence[Box], panels: Sequence[Panel], links: Links
) -> svg.Drawing:
    """Draw boxes that have their places, the lines between them, and the legend."""
    width = max(max(box.right for box in boxes) + MARGIN, _MIN_WIDTH)
    height = max([box.bottom for box in boxes] + [panel.bottom for panel in panels]) + 2 * UNIT
    lines = lines_between(boxes, panels, Grid(width // UNIT, height // UNIT))
    legend = legend_of(boxes, lines, width - 2 * MARGIN)
    elements = [
        *(element for panel in panels for element in panel.elements()),
        *(element for line in lines for element in line.elements()),
        *(element for box in boxes for element in box.elements(links)),
        *legend.at(MARGIN, height),
    ]
    return svg.Drawing(title, _in_words(boxes), width, height + legend.height + UNIT, elements)


def _in_words(boxes: Sequence[Box]) -> str:
    """Return what a diagram shows, for those who can't see it."""
    sentences = []
    for box in boxes:
        streams = ", ".join(box.names)
        keys = ", ".join(row.name for row in box.rows if row.is_key)
        others = [row.name for row in box.rows if row.is_foreign]
        sentences.append(f"{streams}: primary key {keys}")
        if others:
            sentences[-1] += f"; foreign keys {', '.join(others)}"
    return ". ".join(sentences) + "."
