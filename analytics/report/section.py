"""A part of the report: a chart, what it says, and its numbers."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass, field
from urllib.parse import quote

from analytics.warehouse import LoadedData, Row

_AS_THEY_ARE = " !$()*,/:;=?@[]{}|^~"
"""What links in an attribute have as it is: with %20 for a space, files would be a fifth larger."""
_MOST_ROWS, _MOST_COLUMNS = 15, 5
"""Of tables that fit a half page of paper."""

_TOPICS = {"ab-tests": "A/B tests", "sms": "SMS"}


@dataclass
class Section:
    """A part of the report.

    Attributes:
        name: Its name in links, and of its file.
        title: What is to be seen, as a sentence.
        note: What was counted, and in which period.
        figure: The chart, as HTML.
        label: The chart as a sentence, for those who do not see it.
        columns: The columns of its numbers, with their heads.
        rows: The numbers.
        is_wide: Whether it takes the whole width of the page.
        is_labeled: Whether the chart has all of the numbers as text, so that paper needs no table.
    """

    name: str
    title: str
    note: str = ""
    figure: str = ""
    label: str = ""
    columns: dict[str, str] = field(default_factory=dict)
    rows: Sequence[Row] = ()
    is_wide: bool = False
    is_labeled: bool = False

    @property
    def classes(self) -> str:
        """Its classes in the page."""
        named = {
            "wide": self.is_wide,
            "empty": not self.figure,
            "labeled": self.is_labeled,
            "broad": len(self.columns) > _MOST_COLUMNS,
            "long": len(self.rows) > _MOST_ROWS,
        }
        return " ".join(name for name, applies in named.items() if applies)

    def is_text(self, key: str) -> bool:
        """Return whether a column is of texts, which are aligned to the left."""
        return any(isinstance(row[key], str) for row in self.rows)

    @property
    def topic(self) -> str:
        """Its name in words."""
        return _TOPICS.get(self.name, self.name.replace("-", " "))

    @property
    def csv(self) -> str:
        """The numbers as the address of a CSV file inside the page."""
        return csv_link(self.columns, self.rows)


def csv_link(columns: dict[str, str], rows: Sequence[Row]) -> str:
    """Return rows as a `data:` address of a CSV file.

    Args:
        columns: Their keys, with the heads.
        rows: The rows.
    """
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(columns.values())
    for row in rows:
        writer.writerow([_safe(row[key]) for key in columns])
    return "data:text/csv;charset=utf-8," + quote(text.getvalue(), safe=_AS_THEY_ARE)


def _safe(value: object) -> object:
    """Keep spreadsheets from running a name as a formula."""
    if isinstance(value, str) and value.startswith(("=", "+", "-", "@")):
        return f"'{value}"
    return round(value, 6) if isinstance(value, float) else value


def lacking(data: LoadedData, needed: Sequence[tuple[str, ...]]) -> list[str]:
    """Return the streams that a section lacks.

    Args:
        data: What was loaded.
        needed: Groups of streams. One of each group is enough.
    """
    return [group[0] for group in needed if data.streams.isdisjoint(group)]


def not_loaded(name: str, streams: Sequence[str]) -> Section:
    """Say that a section can't be made, which is not the same as that nothing happened."""
    verb = "is" if len(streams) == 1 else "are"
    return Section(name, f"Not loaded: {' and '.join(streams)} {verb} not selected")
