"""The summary of a run: a table of its streams."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple


class Row(NamedTuple):
    """What a run did with a stream.

    Attributes:
        stream: Name of the stream.
        records: Number of records written.
        requests: Number of responses read.
        note: What was not read, and why; empty if everything was.
    """

    stream: str
    records: int
    requests: int
    note: str = ""


_HEADER = ("stream", "records", "requests", "not read")


def table(rows: Iterable[Row]) -> str:
    """Return a table; the last column is omitted if no row has a note."""
    cells = [
        (name, f"{records:,}", f"{requests:,}", note) for name, records, requests, note in rows
    ]
    header = _HEADER if any(note for *_, note in cells) else (*_HEADER[:3], "")
    widths = [max(map(len, column)) for column in zip(header, *cells, strict=True)]
    return "\n".join(_line(line, widths) for line in (header, *cells))


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    name, records, requests, note = cells
    numbers = f"{records:>{widths[1]}}  {requests:>{widths[2]}}"
    return f"{name:{widths[0]}}  {numbers}  {note}".rstrip()
