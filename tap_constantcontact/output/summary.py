"""What a run did, for people: a table of its streams."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple


class Row(NamedTuple):
    """What a run did with a stream.

    Attributes:
        stream: its name.
        records: the records that were written.
        requests: the answers that were read for it.
        note: what was not read, and why; nothing if all was.
    """

    stream: str
    records: int
    requests: int
    note: str = ""


_HEAD = ("stream", "records", "requests", "not read")


def table(rows: Iterable[Row]) -> str:
    """Return a table, whose last column is left out where there is nothing to say."""
    cells = [
        (name, f"{records:,}", f"{requests:,}", note) for name, records, requests, note in rows
    ]
    head = _HEAD if any(note for *_, note in cells) else (*_HEAD[:3], "")
    widths = [max(map(len, column)) for column in zip(head, *cells, strict=True)]
    return "\n".join(_line(line, widths) for line in (head, *cells))


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    name, records, requests, note = cells
    numbers = f"{records:>{widths[1]}}  {requests:>{widths[2]}}"
    return f"{name:{widths[0]}}  {numbers}  {note}".rstrip()
