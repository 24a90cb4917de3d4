"""The change log in four pictures: what is requested, compared, read and written."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from tap_constantcontact.client import ConstantContactStream
from tap_constantcontact.incremental.counters import COUNTED, Counters
from tap_constantcontact.settings.schema import SETTINGS
from tap_constantcontact.streams.campaign_stats import (
    EmailCampaignActivityStats,
    EmailCampaignStats,
)
from tap_constantcontact.streams.campaigns import EmailCampaigns, EmailCampaignSummaries
from tap_constantcontact.streams.engagement import EventReport
from tools.docs.diagrams import svg
from tools.docs.diagrams.change_log_example import EARLIER, NOW, example, report_streams
from tools.docs.diagrams.flow import MARGIN, WIDTH, Card, elements_of, in_words
from tools.docs.entities import name_of

_ROW = 28
_HEAD = 36
_SENT = "last send"
_NONE = "-"


#: The streams whose requests tell what has changed, with what one request brings.
_REQUESTS: Sequence[tuple[type[ConstantContactStream], int, str, str]] = (
    (
        *(EmailCampaigns, EmailCampaigns.params["limit"], "rows"),
        "Changed campaigns; removed ones leave the log",
    ),
    (
        *(EmailCampaignSummaries, EmailCampaignSummaries.params["limit"], "rows"),
        "All sent campaigns, and when each was last sent",
    ),
    (
        *(EmailCampaignStats, EmailCampaignStats.ids_per_request, "campaigns"),
        "Counters of all sent campaigns",
    ),
    (
        *(EmailCampaignActivityStats, EmailCampaignActivityStats.ids_per_request, "activities"),
        "Counters of activities, if a changed campaign has several",
    ),
)


class _Cell(NamedTuple):
    """A cell of a table: what it says, and whether that is a change."""

    content: str
    is_change: bool = False


def drawings() -> dict[str, svg.Drawing]:
    """Return the pictures by their names."""
    return {
        "change-log-1": _requested(),
        "change-log-2": _compared(),
        "change-log-3": _read(),
        "change-log-4": _written(),
    }


def _requested() -> svg.Drawing:
    """Return the picture of the requests for counters."""
    cards: list[Card] = []
    top = MARGIN
    for stream, number, unit, body in _REQUESTS:
        path = str(vars(stream)["path"])
        lines = [body, f"{number:,} {unit} per request"]
        group = 2 if unit == "rows" else 3
        cards.append(Card(MARGIN, top, 424, path, lines, group, is_name=True))
        top = cards[-1].bottom + 16
    names = [*COUNTED, _SENT]
    counters = Card(528, 0, 168, "Compared", names, 4)
    counters = Card(528, (top - 16 + MARGIN - counters.height) // 2, 168, "Compared", names, 4)
    trunk = (cards[0].right + counters.left) // 2
    elements = []
    for card in cards:
        points = [(card.right, card.center), (trunk, card.center), (trunk, counters.center)]
        elements.append(svg.path(points, "flow"))
    elements += svg.arrow([(trunk, counters.center), (counters.left, counters.center)])
    cards.append(counters)
    return svg.Drawing(
        "The change log, 1: what each run requests",
        in_words(cards),
        WIDTH,
        top - 16 + MARGIN,
        [*elements, *elements_of(cards)],
    )


def _compared() -> svg.Drawing:
    """Return the picture of an example: counters of two runs, and the numbers that follow."""
    columns = [*COUNTED, "number"]
    rows = []
    for campaign, now in NOW.items():
        number = example().numbers.get(campaign)
        cells = [_change(campaign, name, now) for name in COUNTED]
        rows.append(
            (campaign, [*cells, _Cell(str(number), is_change=True) if number else _Cell(_NONE)])
        )
    table = _Table(columns, rows, first="campaign", names_width=96, width=WIDTH)
    notes = [
        "A campaign changed if a counter differs from the previous run.",
        f"Changed campaigns get the numbers after the last one, {len(EARLIER)}: newest send first.",
        "A campaign that did not change costs no further request.",
    ]
    return _with_notes("The change log, 2: what is compared", table, notes)


def _change(campaign: str, name: str, now: Counters) -> _Cell:
    earlier = getattr(EARLIER[campaign], name)
    own = getattr(now, name)
    return _Cell(str(own)) if own == earlier else _Cell(f"{earlier} → {own}", is_change=True)


def _read() -> svg.Drawing:
    """Return the picture of the reports that the example reads."""
    numbers = example().numbers
    changes = [f"number {number}" for number in numbers.values()]
    rows = []
    for stream in report_streams():
        name = name_of(stream)
        counters = stream.report_kind.counters
        dots = [_Cell("●", is_change=True) if each in counters else _Cell("") for each in COUNTED]
        campaigns = example().read[name]
        read = [
            _Cell("read", is_change=True) if campaign in campaigns else _Cell(_NONE)
            for campaign in numbers
        ]
        rows.append((name, [*dots, *read]))
    table = _Table([*COUNTED, *changes], rows, first="stream", names_width=224, width=848)
    days = SETTINGS.to_dict()["properties"]["engagement_lookback_days"]["default"]
    longer = {
        name_of(each): each.min_lookback.days
        for each in report_streams()
        if issubclass(each, EventReport) and each.min_lookback.days > days
    }
    exceptions = ", ".join(f"{name}: {number} days" for name, number in longer.items())
    notes = [
        "● A stream reads the report on a campaign if one of these counters changed.",
        "Bounces, optouts and forwards: also after any other change, at most once a week.",
        f"Newest first, down to {days} day before the rows that are known ({exceptions}).",
    ]
    return _with_notes("The change log, 3: what is read", table, notes)


def _written() -> svg.Drawing:
    """Return the picture of the state after the example."""
    log, position = dict(example().log), dict(example().position)
    campaigns = log.pop("campaigns")
    first, activities = next(iter(campaigns.items()))
    own = _compact(next(iter(activities.values())))
    parts = (
        (
            EmailCampaignStats.name,
            [
                ("log", ""),
                *((f"  {name}: {_compact(log[name])}", _MEANINGS[name]) for name in log),
                (f"  campaigns: {first}: {first}:", "a campaign and its activity"),
                (f"    {own}", ""),
                (f"    {_FIELDS}", ""),
            ],
        ),
        (
            "email_opens",
            [
                ("position", ""),
                *(
                    (f"  {name}: {_compact(position[name])}", _MEANINGS[name])
                    for name in ("log", "read_through", "complete_through")
                ),
            ],
        ),
    )
    elements, top, words = [], MARGIN, []
    for group, (name, lines) in zip((3, 4), parts, strict=True):
        height = 40 + 22 * len(lines)
        elements += svg.group(_state(name, lines, top, height), f"g{group}")
        words += [name, *(" ".join(line).strip() for line in lines)]
        top += height + 16
    text = ". ".join(words) + "."
    return svg.Drawing(
        "The change log, 4: what is written", text, WIDTH, top - 16 + MARGIN, elements
    )


_FIELDS = f"number, hour, the {len(COUNTED)} counters, hour of the last send, …"
_MEANINGS = {
    "version": "of the form of the log",
    "id": "new in each run that adds numbers",
    "last_number": "the number given last",
    "earlier": "ids before, with their last numbers",
    "log": "the log that the numbers belong to",
    "read_through": "the number up to which it has read",
    "complete_through": "the last number when it had read all",
}


def _state(name: str, lines: Sequence[tuple[str, str]], top: int, height: int) -> Iterator[str]:
    """Yield a part of the state with what it means."""
    yield svg.rect((MARGIN, top, WIDTH - 2 * MARGIN, height), "card", 8)
    yield svg.text(MARGIN + 12, top + 26, f"State of {name}", "strong accent mono")
    for number, (code, meaning) in enumerate(lines):
        y = top + 50 + 22 * number
        indent = len(code) - len(code.lstrip())
        yield svg.text(MARGIN + 12 + 12 * indent, y, code.strip(), "mono small")
        yield svg.text(MARGIN + 400, y, meaning, "small")


def _compact(value: object) -> str:
    return json.dumps(value, separators=(", ", ": ")).replace('"', "")


def _said(content: str) -> str:
    """Return what a sign means in words."""
    return {"●": "counts", _NONE: "no"}.get(content, content)


class _Table:
    """A table of names and short cells."""

    def __init__(
        self,
        columns: Sequence[str],
        rows: Sequence[tuple[str, Sequence[_Cell]]],
        *,
        first: str,
        names_width: int,
        width: int,
    ) -> None:
        self.width = width
        self._columns = [first, *columns]
        self._rows = rows
        self._names_width = names_width

    @property
    def height(self) -> int:
        return _HEAD + _ROW * len(self._rows)

    @property
    def text(self) -> str:
        """The table in words."""
        sentences = []
        for name, cells in self._rows:
            said = zip(self._columns[1:], cells, strict=True)
            told = [f"{column} {_said(cell.content)}" for column, cell in said if cell.content]
            sentences.append(f"{name}: {', '.join(told)}")
        return ". ".join(sentences) + "."

    def elements(self) -> Iterator[str]:
        """Yield the elements; what has changed has a color."""
        left, top, width = MARGIN, MARGIN, self.width - 2 * MARGIN
        room = (width - self._names_width) // (len(self._columns) - 1)
        places = range(len(self._columns) - 1)
        middles = [left + self._names_width + room * place + room // 2 for place in places]
        yield '<g class="g3">'
        yield svg.rect((left, top, width, self.height), "box", 8)
        yield svg.rect((left + 1, top + 1, width - 2, _HEAD - 1), "head", 7)
        yield svg.text(left + 12, top + 23, self._columns[0], "small strong accent")
        for x, column in zip(middles, self._columns[1:], strict=True):
            yield svg.text(x, top + 23, column, "small strong accent middle")
        for number, (name, cells) in enumerate(self._rows):
            y = top + _HEAD + _ROW * number
            if number:
                yield f'<path class="rule" d="M{left},{y}H{left + width}"/>'
            yield svg.text(left + 12, y + 19, name, "mono small")
            for x, cell in zip(middles, cells, strict=True):
                kind = "strong accent" if cell.is_change else "muted"
                yield svg.text(x, y + 19, cell.content, f"small middle {kind}")
        yield "</g>"


def _with_notes(title: str, table: _Table, notes: Sequence[str]) -> svg.Drawing:
    """Return a picture of a table and of sentences below it."""
    y = MARGIN + table.height + 28
    elements = [*table.elements(), *svg.lines(MARGIN, y, notes, "", 22)]
    text = f"{table.text} {' '.join(notes)}"
    return svg.Drawing(title, text, table.width, y + 22 * (len(notes) - 1) + MARGIN, elements)
